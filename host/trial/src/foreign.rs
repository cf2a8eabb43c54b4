//! What reads files from anywhere, as `tests/fuzzing` calls it.

use berth_compute::Compute;
use berth_sandbox::reading::Misread;

use crate::array::Array;
use crate::{npy, suite};

/// Reads a `.npy` file.
///
/// # Errors
/// What is wrong with it.
pub fn read_npy(compute: &Compute, file: &[u8]) -> Result<Array, String> {
    npy::read(compute, file).map_err(|fault| fault.message)
}

/// Writes a `.npy` file; `None` for a type that NumPy has not.
#[must_use]
pub fn write_npy(array: &Array) -> Option<Vec<u8>> {
    npy::write(array)
}

/// Reads a file of tests, and counts them.
///
/// # Errors
/// [`Misread`], with its place.
pub fn read_tests(name: &str, text: String) -> Result<usize, Box<Misread>> {
    suite::read(name, text).map(|file| file.test.len())
}

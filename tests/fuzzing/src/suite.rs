//! A project's tests: `tests/*.toml`.

use berth_trial::foreign::read_tests;

use crate::tells_where;

/// Reads bytes as a file of tests.
pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match read_tests("a.toml", text.to_owned()) {
        Ok(count) => assert!(count <= text.len()),
        Err(misread) => tells_where(&misread, text),
    }
}

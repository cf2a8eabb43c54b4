//! `.npy` files, as the inputs of a node that is tried.

use std::sync::OnceLock;

use berth_compute::Compute;
use berth_memory::offload::mode;
use berth_memory::{Limits, OffloadModeName, Setup};
use berth_trial::Array;
use berth_trial::foreign::{read_npy, write_npy};

/// Reads bytes as a file.
pub fn run(bytes: &[u8]) {
    match read(bytes) {
        Ok(array) => {
            let size = compute().checked_bytes(array.dtype, &array.shape).unwrap();
            assert_eq!(array.bytes.len() as u64, size);
            let written = write_npy(&array).unwrap();
            assert_eq!(read(&written).unwrap(), array, "what is written is read");
        }
        Err(message) => assert!(!message.is_empty() && !message.contains('\u{1b}'), "{message:?}"),
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Array, String> {
    read_npy(compute(), bytes)
}

fn compute() -> &'static Compute {
    static COMPUTE: OnceLock<Compute> = OnceLock::new();
    COMPUTE.get_or_init(|| {
        let limits = Limits { device: 1 << 20, host: 1 << 20 };
        Compute::with(Setup::new(limits, mode(OffloadModeName::Planned)))
    })
}

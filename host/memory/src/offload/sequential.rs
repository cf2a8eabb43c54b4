//! Only what the running operation leases is on the device.
//!
//! The inputs of an operation leave when it has ended, so a model runs whose
//! largest layer fits, whatever its size. Its outputs stay until they were an input
//! themselves: the next operation nearly always reads them.

use super::{OffloadMode, OffloadModeName, Pressure};

/// Inputs leave after each operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequential;

impl OffloadMode for Sequential {
    fn name(&self) -> OffloadModeName {
        OffloadModeName::Sequential
    }

    fn leaves_before(&self, _device: &Pressure) -> Option<u64> {
        Some(0)
    }

    fn leaves_after(&self) -> bool {
        true
    }
}

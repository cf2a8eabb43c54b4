//! Everything stays.
//!
//! For a machine with room to spare, and for measuring the others: nothing moves
//! that was not asked to. Over the limit, or over a quota, is an error that says
//! who holds what.

use super::{OffloadMode, OffloadModeName, Pressure};

/// Nothing leaves the device by itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct KeepAll;

impl OffloadMode for KeepAll {
    fn name(&self) -> OffloadModeName {
        OffloadModeName::None
    }

    fn leaves_before(&self, _device: &Pressure) -> Option<u64> {
        None
    }
}

//! Whole models come and go.
//!
//! What people know as model offload: the model that is about to run comes to the device as a
//! whole, and an idle one leaves as a whole when its place is needed. Few, large
//! moves, and none at all while one model runs that fits. A model that does not fit is
//! worked through part by part, as it would be otherwise.

use super::{Ahead, OffloadMode, OffloadModeName, Pressure};

/// A model is on the device as a whole, or not at all.
#[derive(Debug, Clone, Copy, Default)]
pub struct WholeModels;

impl OffloadMode for WholeModels {
    fn name(&self) -> OffloadModeName {
        OffloadModeName::Model
    }

    fn leaves_before(&self, _device: &Pressure) -> Option<u64> {
        Some(0)
    }

    fn whole_models(&self) -> bool {
        true
    }

    fn ahead(&self) -> Ahead {
        Ahead::Whole
    }
}

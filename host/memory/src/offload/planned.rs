//! What will be used soonest stays; the rest comes just before it is needed.
//!
//! From the second call of a function on its sequence of leases is known (`src/plan.rs`).
//! Nothing leaves before its room is needed, and then what the sequence needs last: that is
//! the weight that was just used, so one part of the weights never moves, and at each call
//! only what does not fit does. That part is brought by the copy worker while operations run
//! (`src/ahead.rs`). Between models, the graph says which is needed last.

use super::{Ahead, OffloadMode, OffloadModeName, Pressure};

/// Keeps what is needed soonest, and brings the rest early.
#[derive(Debug, Clone, Copy, Default)]
pub struct Planned;

impl OffloadMode for Planned {
    fn name(&self) -> OffloadModeName {
        OffloadModeName::Planned
    }

    fn leaves_before(&self, _device: &Pressure) -> Option<u64> {
        Some(0)
    }

    fn ahead(&self) -> Ahead {
        Ahead::Window
    }
}

//! The most that was in use while something ran.

use std::fmt;

use crate::{Device, Memory, Moved, PerTier};

/// Watches the use of every tier from its making on. Several can watch at a time.
pub struct Meter<D: Device> {
    memory: Memory<D>,
    key: usize,
    before: Moved,
}

impl<D: Device> Memory<D> {
    /// A meter that begins with what is in use now.
    #[must_use]
    pub fn meter(&self) -> Meter<D> {
        let mut state = self.0.lock();
        let key = state.ledger.add_meter();
        Meter { memory: self.clone(), key, before: state.moved }
    }
}

impl<D: Device> Meter<D> {
    /// The most bytes that were in use on each tier since it was made, whoever used them.
    #[must_use]
    pub fn peak(&self) -> PerTier<u64> {
        self.memory.0.lock().ledger.meter(self.key)
    }

    /// The bytes that were moved since it was made, whoever moved them.
    #[must_use]
    pub fn moved(&self) -> Moved {
        self.memory.0.lock().moved.since(&self.before)
    }
}

impl<D: Device> Drop for Meter<D> {
    fn drop(&mut self) {
        self.memory.0.lock().ledger.remove_meter(self.key);
    }
}

impl<D: Device> fmt::Debug for Meter<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("peak", &self.peak()).finish_non_exhaustive()
    }
}

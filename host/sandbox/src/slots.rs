//! How many nodes of one plugin run at a time.
//!
//! Only what a workflow starts takes a slot. Functions that nodes call run inside of one that is
//! taken already: if they waited for slots too, two plugins that call each other would wait for
//! ever.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use berth_memory::Cancel;

use crate::error::SandboxError;

/// How often one that waits looks whether it was cancelled.
const LOOK: Duration = Duration::from_millis(10);

/// Slots for runs.
#[derive(Debug)]
pub(crate) struct Slots {
    free: Mutex<u32>,
    freed: Condvar,
}

/// A slot that is taken.
pub(crate) struct Slot<'a>(&'a Slots);

impl Slots {
    /// So many, at least one.
    pub(crate) fn new(count: u32) -> Self {
        Self { free: Mutex::new(count.max(1)), freed: Condvar::new() }
    }

    /// Takes one, and waits for it if it must.
    ///
    /// # Errors
    /// `Cancelled`.
    pub(crate) fn take(&self, cancel: &Cancel) -> Result<Slot<'_>, SandboxError> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(left) = free.checked_sub(1) {
                *free = left;
                return Ok(Slot(self));
            }
            if cancel.is_cancelled() {
                return Err(SandboxError::Cancelled);
            }
            free = self.freed.wait_timeout(free, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut free = self.0.free.lock().unwrap_or_else(PoisonError::into_inner);
        *free = free.saturating_add(1);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_waits_gets_the_slot_that_comes_free_or_is_cancelled() {
        let slots = Slots::new(1);
        let cancel = Cancel::new();
        let taken = slots.take(&cancel).unwrap();
        std::thread::scope(|threads| {
            let waits = threads.spawn(|| slots.take(&cancel).map(drop));
            std::thread::sleep(LOOK);
            assert!(!waits.is_finished());
            drop(taken);
            waits.join().unwrap().unwrap();
        });
        let _taken = slots.take(&cancel).unwrap();
        cancel.cancel();
        assert!(matches!(slots.take(&cancel), Err(SandboxError::Cancelled)));
    }
}

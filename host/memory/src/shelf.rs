//! Results that nobody needs now, kept in case somebody asks again.
//!
//! A shelf holds an allocation like a handle does, and is charged for it, but gives its bytes
//! up rather than have anybody fail or spill something else for them. A handle never
//! loses its bytes: while one exists, shelves change nothing.

use std::fmt;

use crate::entry::AllocationId;
use crate::list::Key;
use crate::{Account, Device, Handle, Memory};

/// Keeps an allocation as long as that costs nobody anything.
///
/// While no [`Handle`] holds the allocation it is the first to leave the device, then the
/// first to leave the host; where even the spill file has no room for it, its bytes are
/// lost. It stays charged to its account meanwhile. Who has a handle never notices.
pub struct Shelved<D: Device> {
    memory: Memory<D>,
    account: Account,
    record: usize,
    key: Key,
    id: AllocationId,
    bytes: u64,
    format: D::Format,
}

impl<D: Device> Handle<D> {
    /// Keeps the allocation beyond this handle, as far as there is room.
    #[must_use]
    pub fn shelve(&self) -> Shelved<D> {
        let (memory, key, record) = (self.memory(), self.key(), self.record());
        let mut state = memory.0.lock();
        state.ledger.hold(key, record);
        state.ledger.shelve(key, true);
        drop(state);
        Shelved {
            memory: memory.clone(),
            account: self.account().clone(),
            record,
            key,
            id: self.id(),
            bytes: self.bytes(),
            format: self.format(),
        }
    }
}

impl<D: Device> Shelved<D> {
    /// A handle to the allocation; `None` if its bytes are lost.
    #[must_use]
    pub fn take(&self) -> Option<Handle<D>> {
        let Self { memory, account, record, key, id, bytes, format } = self;
        let shared = &*memory.0;
        let mut state = shared.lock();
        // Its bytes may be about to be lost.
        while state.ledger.entry(*key).moving {
            state = shared.wait(state);
        }
        if state.ledger.entry(*key).lost {
            return None;
        }
        state.ledger.hold(*key, *record);
        drop(state);
        Some(Handle::new(memory, account, *record, *key, *id, *bytes, *format))
    }

    /// Whether the bytes are lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.memory.0.lock().ledger.entry(self.key).lost
    }
}

impl<D: Device> Drop for Shelved<D> {
    fn drop(&mut self) {
        let shared = &*self.memory.0;
        let mut state = shared.lock();
        state.ledger.shelve(self.key, false);
        let removed = state.unhold(self.key, self.record);
        shared.changed(&state);
        drop(state);
        if let Some(removed) = removed {
            shared.free(removed);
        }
    }
}

impl<D: Device> fmt::Debug for Shelved<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shelved").field(&self.id).finish()
    }
}

//! What everyone outside has of an allocation.

use std::fmt;
use std::sync::Arc;

use crate::entry::{AllocationId, Range, STREAMED};
use crate::list::Key;
use crate::spill::Extent;
use crate::state::State;
use crate::transfer::Reading;
use crate::{Account, Device, Memory, MemoryError, Residency, Tier};

/// Keeps an allocation alive, and charges it to an account.
///
/// Clones are one hold: the charge goes when the last of them goes. It says nothing
/// about where the bytes are, which may change at any time.
pub struct Handle<D: Device>(Arc<Hold<D>>);

struct Hold<D: Device> {
    memory: Memory<D>,
    account: Account,
    record: usize,
    key: Key,
    id: AllocationId,
    bytes: u64,
    format: D::Format,
}

impl<D: Device> Clone for Handle<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Device> fmt::Debug for Handle<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("id", &self.0.id)
            .field("account", &self.0.account.name())
            .field("bytes", &self.0.bytes)
            .field("format", &self.0.format)
            .finish_non_exhaustive()
    }
}

/// Where a read finds the bytes.
enum Bytes<D: Device> {
    Host(Arc<crate::state::HostBytes>),
    Device(Arc<D::Buffer>),
    Disk(Arc<Extent>),
}

impl<D: Device> Handle<D> {
    /// For a hold that was counted just before.
    pub(crate) fn new(
        memory: &Memory<D>,
        account: &Account,
        record: usize,
        key: Key,
        id: AllocationId,
        bytes: u64,
        format: D::Format,
    ) -> Self {
        let (memory, account) = (memory.clone(), account.clone());
        Self(Arc::new(Hold { memory, account, record, key, id, bytes, format }))
    }

    pub(crate) fn key(&self) -> Key {
        self.0.key
    }

    pub(crate) fn record(&self) -> usize {
        self.0.record
    }

    pub(crate) fn memory(&self) -> &Memory<D> {
        &self.0.memory
    }

    /// Whether it was made by a memory. Keys of others mean nothing to it.
    pub(crate) fn check_home(&self, memory: &Memory<D>) -> Result<(), MemoryError> {
        if Arc::ptr_eq(&self.0.memory.0, &memory.0) {
            Ok(())
        } else {
            Err(MemoryError::Foreign { allocation: self.0.id.0 })
        }
    }

    /// The allocation's size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes
    }

    /// What the bytes mean to the device.
    #[must_use]
    pub fn format(&self) -> D::Format {
        self.0.format
    }

    /// Who is charged for this hold.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.0.account
    }

    /// Which allocation it holds. Two handles of one allocation have one id.
    #[must_use]
    pub fn id(&self) -> AllocationId {
        self.0.id
    }

    /// Whether calls of a site that still exists used it last.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        let state = self.0.memory.0.lock();
        let group = state.ledger.entry(self.0.key).group & !STREAMED;
        state.ledger.groups.get(group).is_some()
    }

    /// The same allocation, held by another account, which is charged in full for it too.
    #[must_use]
    pub fn for_account(&self, account: &Account) -> Handle<D> {
        let Hold { memory, key, id, bytes, format, .. } = &*self.0;
        let mut state = memory.0.lock();
        let record = state.ledger.record(account);
        state.ledger.hold(*key, record);
        drop(state);
        Handle::new(memory, account, record, *key, *id, *bytes, *format)
    }

    /// The tiers that hold a copy at this moment. A model file is no tier.
    #[must_use]
    pub fn residency(&self) -> Residency {
        let state = self.0.memory.0.lock();
        let entry = state.ledger.entry(self.0.key);
        Residency {
            device: entry.content.device.is_some(),
            host: entry.content.host.is_some(),
            disk: entry.content.disk.is_some(),
        }
    }

    /// Copies bytes from `offset` on, from where they are soonest had. Nothing moves for it.
    ///
    /// # Errors
    /// [`MemoryError::OutOfRange`], or what the device or the source said.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        let Hold { memory, key, bytes, .. } = &*self.0;
        let (key, bytes, length) = (*key, *bytes, into.len() as u64);
        if offset.checked_add(length).is_none_or(|end| end > bytes) {
            return Err(MemoryError::OutOfRange { offset, length, bytes });
        }
        if into.is_empty() {
            return Ok(());
        }
        let shared = &*memory.0;
        let ghost = shared.device.is_ghost(bytes);
        let mut state = shared.lock();
        while state.ledger.entry(key).moving {
            state = shared.wait(state);
        }
        let entry = state.ledger.entry(key);
        let content = &entry.content;
        let (tier, found) = if let Some(host) = &content.host {
            (Tier::Host, Bytes::<D>::Host(host.clone()))
        } else if let Some(buffer) = &content.device {
            (Tier::Device, Bytes::Device(buffer.clone()))
        } else if let Some(extent) = &content.disk {
            (Tier::Disk, Bytes::Disk(extent.clone()))
        } else if let Some(Range { source, offset: start }) = &entry.origin {
            let (source, start) = (source.clone(), *start);
            drop(state);
            // A range that ends past the last offset there is: the source says so.
            if ghost {
                into.fill(0);
            } else {
                source.read(start.saturating_add(offset), into)?;
            }
            shared.lock().moved.from_disk += length;
            return Ok(());
        } else {
            return Err(State::<D>::not_there("read an allocation"));
        };
        // Dropped after `found`, whose copy is pinned until then.
        let _reading = Reading::begin(shared, &mut state, key, tier);
        drop(state);
        let found = found;
        match &found {
            Bytes::Host(_) if ghost => {
                into.fill(0);
                Ok(())
            }
            Bytes::Host(host) => host.read(offset, into),
            Bytes::Disk(extent) => {
                if ghost {
                    into.fill(0);
                } else {
                    extent.read(offset, into)?;
                }
                shared.lock().moved.from_spill += length;
                Ok(())
            }
            Bytes::Device(buffer) => shared.device.read(buffer, offset, into),
        }
    }
}

impl<D: Device> Drop for Hold<D> {
    fn drop(&mut self) {
        let shared = &*self.memory.0;
        let mut state = shared.lock();
        let removed = state.unhold(self.key, self.record);
        shared.changed(&state);
        drop(state);
        if let Some(removed) = removed {
            shared.free(removed);
        }
    }
}

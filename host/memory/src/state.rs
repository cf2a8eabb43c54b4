//! What the threads share: the device, and everything else behind the one lock.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::entry::{Both, Leaving, Place, Range};
use crate::ledger::Ledger;
use crate::line::Line;
use crate::list::Key;
use crate::offload::{OffloadMode, Pressure};
use crate::sync::{Guard, Monitor};
use crate::{Device, Limits, MemoryError, Moved, PerTier, Tier};

/// What all clones of a memory, its handles and its leases share.
pub(crate) struct Shared<D: Device> {
    pub(crate) device: D,
    pub(crate) limits: Limits,
    monitor: Monitor<State<D>>,
}

/// Everything that changes.
pub(crate) struct State<D: Device> {
    pub(crate) ledger: Ledger<Content<D>>,
    pub(crate) line: Line,
    pub(crate) mode: Box<dyn OffloadMode>,
    pub(crate) moved: Moved,
    pub(crate) evictions: u64,
    pub(crate) waits: u64,
    ranges: HashMap<RangeKey, SmallVec<[Key; 1]>>,
    /// Threads that wait, so that nobody is woken who is not there.
    sleepers: usize,
}

/// A range of a source; the source by its address, which is kept alive by the entry.
type RangeKey = (usize, u64, u64);

fn range_key(range: &Range, bytes: u64) -> RangeKey {
    (Arc::as_ptr(&range.source).cast::<()>() as usize, range.offset, bytes)
}

/// Bytes in the host's memory.
pub(crate) struct HostBytes(pub(crate) Box<[u8]>);

/// The bytes of an allocation, wherever they are. A copy is here exactly while
/// the ledger counts it and no thread moves it.
pub(crate) struct Content<D: Device> {
    pub(crate) format: D::Format,
    pub(crate) device: Option<Arc<D::Buffer>>,
    pub(crate) host: Option<Arc<HostBytes>>,
    /// Whether it was on the device before.
    pub(crate) left_device: bool,
}

impl<D: Device> Content<D> {
    pub(crate) fn nowhere(format: D::Format) -> Self {
        Self { format, device: None, host: None, left_device: false }
    }
}

/// An allocation that nobody holds any more, to be given to [`Shared::free`].
#[must_use]
pub(crate) struct Removed<D: Device> {
    content: Content<D>,
    bytes: Both<u64>,
    /// What a source does when it goes is its own business, so it goes without the lock.
    _origin: Option<Range>,
}

/// More than any machine has, and little enough that no sum of two overflows.
const MOST: u64 = 1 << 62;

impl<D: Device> Shared<D> {
    pub(crate) fn new(device: D, limits: Limits, mode: Box<dyn OffloadMode>) -> Self {
        let limits = Limits { device: limits.device.min(MOST), host: limits.host.min(MOST) };
        let state = State {
            ledger: Ledger::new(limits),
            line: Line::default(),
            mode,
            moved: Moved::default(),
            evictions: 0,
            waits: 0,
            ranges: HashMap::new(),
            sleepers: 0,
        };
        Self { device, limits, monitor: Monitor::new(state) }
    }

    pub(crate) fn lock(&self) -> Guard<'_, State<D>> {
        self.monitor.lock()
    }

    /// Waits until something changed, or for a moment.
    pub(crate) fn wait<'a>(&'a self, mut state: Guard<'a, State<D>>) -> Guard<'a, State<D>> {
        state.sleepers += 1;
        let mut state = self.monitor.wait(state);
        state.sleepers -= 1;
        state
    }

    /// To be called with the lock held whenever something changed that somebody may wait for.
    pub(crate) fn changed(&self, state: &State<D>) {
        if state.sleepers > 0 {
            self.monitor.notify();
        }
    }

    /// Frees what nobody holds. Without the lock: freeing may take its time.
    pub(crate) fn free(&self, removed: Removed<D>) {
        let Removed { content, bytes, _origin } = removed;
        if content.device.is_none() && content.host.is_none() {
            return;
        }
        drop(content);
        let mut state = self.lock();
        state.ledger.freed(bytes);
        state.ledger.transfers -= 1;
        self.changed(&state);
    }
}

impl<D: Device> State<D> {
    /// How things stand on the device for an operation that needs so many bytes more.
    pub(crate) fn pressure(&self, needed: u64) -> Pressure {
        Pressure {
            used: self.ledger.used(Place::Device),
            needed,
            limit: self.ledger.limit(Place::Device),
        }
    }

    /// Whether anything may leave the device by itself.
    pub(crate) fn may_leave(&self) -> bool {
        self.mode.leaves_before(&self.pressure(0)).is_some()
    }

    /// Whether an allocation can leave the device at once, without anything else leaving for it.
    pub(crate) fn can_leave_now(&self, key: Key) -> bool {
        let entry = self.ledger.entry(key);
        if *entry.pins.get(Place::Device) > 0 {
            return false;
        }
        match entry.leaving(Place::Device) {
            None => false,
            Some(Leaving::Free) => true,
            Some(Leaving::Costly) => {
                self.ledger.over_limit(Place::Host, entry.bytes) == 0
                    && self.ledger.fits_quotas(key, Tier::Host)
            }
        }
    }

    /// The allocation of a range, if somebody holds it or a thread still moves it.
    pub(crate) fn find_range(&self, range: &Range, bytes: u64, format: D::Format) -> Option<Key> {
        let keys = self.ranges.get(&range_key(range, bytes))?;
        keys.iter().copied().find(|&key| self.ledger.entry(key).content.format == format)
    }

    /// A new allocation of a range, on disk.
    pub(crate) fn insert_range(
        &mut self,
        record: usize,
        range: Range,
        bytes: u64,
        format: D::Format,
    ) -> Key {
        let range_key = range_key(&range, bytes);
        let on = PerTier { device: false, host: false, disk: true };
        let key = self.ledger.insert(record, bytes, Some(range), on, Content::nowhere(format));
        self.ranges.entry(range_key).or_default().push(key);
        key
    }

    /// Forgets an allocation if nobody holds or moves it. Who moves it calls this in the end.
    pub(crate) fn remove_if_unheld(&mut self, key: Key) -> Option<Removed<D>> {
        let entry = self.ledger.entry(key);
        if entry.moving || !entry.holders.is_empty() {
            return None;
        }
        let entry = self.ledger.remove(key);
        if let Some(range) = &entry.origin {
            let range_key = range_key(range, entry.bytes);
            if let Some(keys) = self.ranges.get_mut(&range_key) {
                keys.retain(|other| *other != key);
                if keys.is_empty() {
                    self.ranges.remove(&range_key);
                }
            }
        }
        let counted = |there: bool| if there { entry.bytes } else { 0 };
        let bytes = Both { device: counted(entry.on.device), host: counted(entry.on.host) };
        if entry.on.device || entry.on.host {
            self.ledger.transfers += 1;
        }
        Some(Removed { content: entry.content, bytes, _origin: entry.origin })
    }

    /// One hold less, and what is left to free if it was the last one.
    pub(crate) fn unhold(&mut self, key: Key, record: usize) -> Option<Removed<D>> {
        if self.ledger.unhold(key, record) { self.remove_if_unheld(key) } else { None }
    }

    /// The error that a thread's promise to another was broken. Kept as data: the
    /// books are right, so the memory goes on.
    pub(crate) fn not_there(operation: &'static str) -> MemoryError {
        MemoryError::Device {
            operation,
            reason: "the bytes are not where they should be".to_owned(),
        }
    }
}

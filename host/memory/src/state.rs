//! What the threads share: the device, and everything else behind the one lock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use slab::Slab;

use crate::ahead::Bell;
use crate::entry::Range;
use crate::ledger::Ledger;
use crate::line::Line;
use crate::list::Key;
use crate::offload::{OffloadMode, Pressure};
use crate::plan::Running;
use crate::recording::Recorder;
use crate::setup::Setup;
use crate::spill::{Extent, SpillStore};
use crate::sync::{Guard, Monitor};
use crate::{Device, Gauge, Limits, MemoryError, Moved, PerTier, Tier};

/// What all clones of a memory, its handles and its leases share.
pub(crate) struct Shared<D: Device> {
    pub(crate) device: D,
    pub(crate) limits: Limits,
    spill: Option<Arc<SpillStore>>,
    gauge: Option<Box<dyn Gauge>>,
    headroom: u64,
    /// Wakes the copy worker, where there is one.
    pub(crate) bell: Option<Bell>,
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
    /// Bytes of results that were lost for want of room.
    pub(crate) lost: u64,
    /// When the disk last failed.
    pub(crate) disk_failed: Option<Instant>,
    /// Calls that run.
    pub(crate) calls: Slab<Running>,
    /// Notes what happens, when somebody wants to know.
    pub(crate) recorder: Option<Box<Recorder>>,
    ranges: HashMap<RangeKey, SmallVec<[Key; 1]>>,
    /// Threads that wait, so that nobody is woken who is not there.
    sleepers: usize,
}

/// A range of a source; the source by its address, which is kept alive by the entry.
type RangeKey = (usize, u64, u64);

fn range_key(range: &Range, bytes: u64) -> RangeKey {
    (Arc::as_ptr(&range.source).cast::<()>() as usize, range.offset, bytes)
}

/// Bytes in the host's memory; none of a ghost.
#[derive(Default)]
pub(crate) struct HostBytes(pub(crate) Box<[u8]>);

impl HostBytes {
    /// Copies bytes from `offset` on.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        let there = usize::try_from(offset)
            .ok()
            .and_then(|start| self.0.get(start..)?.get(..into.len()))
            .ok_or(MemoryError::OutOfRange {
                offset,
                length: into.len() as u64,
                bytes: self.0.len() as u64,
            })?;
        into.copy_from_slice(there);
        Ok(())
    }
}

/// The bytes of an allocation, wherever they are. A copy is here exactly while
/// the ledger counts it and no thread moves it.
pub(crate) struct Content<D: Device> {
    pub(crate) format: D::Format,
    pub(crate) device: Option<Arc<D::Buffer>>,
    pub(crate) host: Option<Arc<HostBytes>>,
    pub(crate) disk: Option<Arc<Extent>>,
    /// Whether it was on the device before.
    pub(crate) left_device: bool,
}

impl<D: Device> Content<D> {
    pub(crate) fn nowhere(format: D::Format) -> Self {
        Self { format, device: None, host: None, disk: None, left_device: false }
    }
}

/// An allocation that nobody holds any more, to be given to [`Shared::free`].
#[must_use]
pub(crate) struct Removed<D: Device> {
    content: Content<D>,
    bytes: PerTier<u64>,
    /// What a source does when it goes is its own business, so it goes without the lock.
    _origin: Option<Range>,
}

/// More than any machine has, and little enough that no sum of two overflows.
const MOST: u64 = 1 << 62;

impl<D: Device> Shared<D> {
    /// With a bell, somebody must listen to it.
    pub(crate) fn new(device: D, setup: Setup, bell: Option<Bell>) -> Self {
        let Setup { limits, mode, rules, spill, gauge, headroom } = setup;
        let limits = Limits { device: limits.device.min(MOST), host: limits.host.min(MOST) };
        let spill = spill.filter(|spill| spill.limit > 0);
        let most_spilled = spill.as_ref().map_or(0, |spill| spill.limit.min(MOST));
        let state = State {
            ledger: Ledger::new(limits, most_spilled, rules),
            line: Line::default(),
            mode,
            moved: Moved::default(),
            evictions: 0,
            waits: 0,
            lost: 0,
            disk_failed: None,
            calls: Slab::new(),
            recorder: None,
            ranges: HashMap::new(),
            sleepers: 0,
        };
        let spill = spill.map(|spill| Arc::new(SpillStore::new(spill)));
        Self { device, limits, spill, gauge, headroom, bell, monitor: Monitor::new(state) }
    }

    /// Where dirty bytes go when the host is full.
    pub(crate) fn spill(&self) -> Result<&Arc<SpillStore>, MemoryError> {
        self.spill.as_ref().ok_or_else(|| State::<D>::not_there("spill"))
    }

    /// Looks how much the machine can still give, and has the tiers go by it.
    pub(crate) fn look_around(&self, state: &mut State<D>) {
        let ceiling = |used: u64, available: Option<u64>| match available {
            Some(available) => used.saturating_add(available),
            None => u64::MAX,
        };
        let ledger = &mut state.ledger;
        ledger.ceilings.device = ceiling(ledger.used(Tier::Device), self.device.available());
        ledger.ceilings.host = u64::MAX;
        let Some(available) = self.gauge.as_ref().and_then(|gauge| gauge.available()) else {
            return;
        };
        let (host, device) = (ledger.used(Tier::Host), ledger.used(Tier::Device));
        let spare = available.saturating_sub(self.headroom);
        let mut missing = self.headroom.saturating_sub(available);
        if self.device.is_in_dram() {
            // What costs a drop gives way before what costs a write to the spill file.
            let from_device = missing.min(device.saturating_sub(ledger.besides_weights()));
            ledger.ceilings.device = device.saturating_add(spare).saturating_sub(from_device);
            missing -= from_device;
        }
        ledger.ceilings.host = host.saturating_add(spare).saturating_sub(missing);
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
        if content.device.is_none() && content.host.is_none() && content.disk.is_none() {
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
            used: self.ledger.used(Tier::Device),
            needed,
            limit: self.ledger.limit(Tier::Device),
        }
    }

    /// Whether anything may leave the device by itself.
    pub(crate) fn may_leave(&self) -> bool {
        self.mode.leaves_before(&self.pressure(0)).is_some()
    }

    /// How an allocation could leave the device at once, without anything else leaving for it.
    pub(crate) fn exit_now(&self, key: Key) -> Option<crate::transfer::Exit> {
        use crate::transfer::Exit;
        let entry = self.ledger.entry(key);
        let stays = entry.keep.device || self.ledger.groups.standing(entry.group).never;
        if entry.moving || !entry.on.device || entry.pins.device > 0 || stays {
            return None;
        }
        if !entry.is_alone_on(Tier::Device) {
            return Some(Exit::Drop);
        }
        [Tier::Host, Tier::Disk]
            .into_iter()
            .find(|&to| {
                (to != Tier::Disk || self.can_spill())
                    && self.ledger.over_limit(to, entry.bytes_on(to)) == 0
                    && self.ledger.over_ceiling(to, entry.bytes_on(to)) == 0
                    && self.ledger.fits_quotas(key, to)
            })
            .map(Exit::To)
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
        let on = PerTier::default();
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
        let counted = |tier| if *entry.on.get(tier) { entry.bytes_on(tier) } else { 0 };
        let bytes = PerTier {
            device: counted(Tier::Device),
            host: counted(Tier::Host),
            disk: counted(Tier::Disk),
        };
        if entry.on != PerTier::default() {
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

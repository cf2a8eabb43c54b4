//! Bytes on their way.
//!
//! A transfer begins under the lock: its room is counted and its allocation is
//! marked as moving, so that nobody else touches it. The copy, read or drop itself
//! runs without the lock. It ends under the lock again, when the transfer is dropped:
//! settled if it ran, undone if it failed, panicked, or never began. So the books
//! are right whatever devices, sources and disks do.

use std::sync::Arc;
use std::time::Instant;

use crate::entry::Range;
use crate::list::Key;
use crate::recording::Why;
use crate::spill::Extent;
use crate::state::{Content, HostBytes, Shared, State};
use crate::sync::Guard;
use crate::{Cancel, Device, MemoryError, PerTier, Tier, ahead};

/// Bytes of a file that are read at a time: some hundredths of a second from a slow disk.
const PIECE: usize = 32 << 20;

/// How an allocation leaves a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It is elsewhere too.
    Drop,
    /// With a copy there.
    To(Tier),
    /// It is nowhere after that. Only for what is on shelves.
    Lose,
}

/// An allocation that leaves a tier.
pub(crate) struct Departure<'a, D: Device> {
    shared: &'a Shared<D>,
    key: Key,
    bytes: u64,
    tier: Tier,
    exit: Exit,
    why: Why,
    began: Option<Instant>,
    /// The copy that goes, until it is gone. The only one who has it.
    going: Option<Going<D>>,
    saved: Option<Saved>,
}

enum Going<D: Device> {
    Device(Arc<D::Buffer>),
    Host(Arc<HostBytes>),
    Disk(Arc<Extent>),
}

/// What was copied to a lower tier.
enum Saved {
    Host(HostBytes),
    Disk(Extent),
}

impl<'a, D: Device> Departure<'a, D> {
    /// Begins, if it can as things stand: nobody uses the copy, and there is room where it goes.
    pub(crate) fn begin(
        shared: &'a Shared<D>,
        state: &mut State<D>,
        key: Key,
        tier: Tier,
        exit: Exit,
        why: Why,
    ) -> Option<Self> {
        let entry = state.ledger.entry(key);
        if entry.moving || !*entry.on.get(tier) || *entry.pins.get(tier) > 0 {
            return None;
        }
        let alone = entry.is_alone_on(tier);
        let can = match exit {
            Exit::Drop => !alone,
            Exit::Lose => alone && entry.is_shelved(),
            Exit::To(to) => {
                // Where there is no tier, not even nothing fits.
                (to != Tier::Disk || state.can_spill())
                    && !*entry.on.get(to)
                    && state.ledger.over_limit(to, entry.bytes_on(to)) == 0
                    && state.ledger.fits_quotas(key, to)
            }
        };
        if !can {
            return None;
        }
        let entry = state.ledger.entry_mut(key);
        let bytes = entry.bytes;
        let going = match tier {
            Tier::Device => Going::Device(entry.content.device.take()?),
            Tier::Host => Going::Host(entry.content.host.take()?),
            Tier::Disk => Going::Disk(entry.content.disk.take()?),
        };
        if let Exit::To(to) = exit {
            state.ledger.enter(key, to);
        }
        state.ledger.set_moving(key, true);
        if tier == Tier::Device {
            state.ledger.leaving += bytes;
        }
        state.note_use();
        let began = state.recorder.is_some().then(Instant::now);
        let going = Some(going);
        Some(Self { shared, key, bytes, tier, exit, why, began, going, saved: None })
    }

    /// Runs, without the lock.
    pub(crate) fn run(mut self) -> Result<(), MemoryError> {
        let Self { shared, bytes, .. } = self;
        if shared.device.is_ghost(bytes) {
            self.saved = match self.exit {
                Exit::To(Tier::Host) => Some(Saved::Host(HostBytes::default())),
                Exit::To(Tier::Disk) => Some(Saved::Disk(shared.spill()?.take(bytes)?)),
                _ => None,
            };
            self.going = None;
            return Ok(());
        }
        match (&self.going, self.exit) {
            (Some(Going::Device(buffer)), Exit::To(Tier::Host)) => {
                let mut saved = zeros(bytes)?;
                shared.device.read(buffer, 0, &mut saved)?;
                self.saved = Some(Saved::Host(HostBytes(saved)));
            }
            (Some(Going::Device(buffer)), Exit::To(Tier::Disk)) => {
                let mut read = |offset, into: &mut [u8]| shared.device.read(buffer, offset, into);
                self.saved = Some(Saved::Disk(shared.spill()?.write(bytes, &mut read)?));
            }
            (Some(Going::Host(host)), Exit::To(Tier::Disk)) => {
                let mut read = |offset, into: &mut [u8]| host.read(offset, into);
                self.saved = Some(Saved::Disk(shared.spill()?.write(bytes, &mut read)?));
            }
            (_, Exit::To(_)) => return Err(State::<D>::not_there("leave a tier")),
            (_, Exit::Drop | Exit::Lose) => {}
        }
        self.going = None;
        Ok(())
    }
}

impl<D: Device> Drop for Departure<'_, D> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let State { ledger, moved, .. } = &mut *state;
        if self.tier == Tier::Device {
            ledger.leaving -= self.bytes;
        }
        let content = &mut ledger.entry_mut(self.key).content;
        match self.going.take() {
            // It did not run: all is as it was.
            Some(going) => {
                match going {
                    Going::Device(buffer) => content.device = Some(buffer),
                    Going::Host(bytes) => content.host = Some(bytes),
                    Going::Disk(extent) => content.disk = Some(extent),
                }
                if let Exit::To(to) = self.exit {
                    ledger.leave(self.key, to);
                }
            }
            None => {
                if self.tier == Tier::Device {
                    content.left_device = true;
                }
                match self.saved.take() {
                    Some(Saved::Host(saved)) => {
                        content.host = Some(Arc::new(saved));
                        moved.to_host += self.bytes;
                    }
                    Some(Saved::Disk(extent)) => {
                        content.disk = Some(Arc::new(extent));
                        moved.to_spill += self.bytes;
                    }
                    None => {}
                }
                if self.exit == Exit::Lose {
                    ledger.lose(self.key);
                    state.lost += self.bytes;
                }
                state.ledger.leave(self.key, self.tier);
                state.note_departure(self.key, self.tier, self.exit, self.why, self.began);
            }
        }
        settle(self.shared, state, self.key);
    }
}

/// An allocation that comes to the device.
pub(crate) struct Arrival<'a, D: Device> {
    shared: &'a Shared<D>,
    key: Key,
    bytes: u64,
    format: D::Format,
    /// Given up before the end: a copy on the host may leave right after it.
    origin: Option<Origin>,
    /// Whether bytes that are read from a source are kept on the host too.
    keep: bool,
    kept: Option<HostBytes>,
    arrived: Option<Arc<D::Buffer>>,
    began: Option<Instant>,
    /// Whether it comes before it is needed.
    pub(crate) ahead: bool,
    /// Stops it between two pieces of a file.
    pub(crate) cancel: Option<Cancel>,
}

enum Origin {
    Host(Arc<HostBytes>),
    Disk(Arc<Extent>),
    Source(Range),
}

impl Origin {
    fn tier(&self) -> Option<Tier> {
        match self {
            Self::Host(_) => Some(Tier::Host),
            Self::Disk(_) => Some(Tier::Disk),
            Self::Source(_) => None,
        }
    }
}

impl<'a, D: Device> Arrival<'a, D> {
    /// Begins. Only for what is not on the device, after room for it was seen.
    ///
    /// Clean bytes that come back after they had to leave will leave again, so they are
    /// kept on the host as well, where there is room that nobody needs. Those that
    /// come for the first time are not, unless somebody wants them there: most models
    /// fit, and need no second copy.
    pub(crate) fn begin(shared: &'a Shared<D>, state: &mut State<D>, key: Key) -> Option<Self> {
        let entry = state.ledger.entry(key);
        let (bytes, Content { format, left_device, .. }) = (entry.bytes, &entry.content);
        let (format, returns) = (*format, *left_device || entry.keep.host);
        let origin = match (&entry.content.host, &entry.content.disk, &entry.origin) {
            (Some(host), _, _) => Origin::Host(host.clone()),
            (None, Some(extent), _) => Origin::Disk(extent.clone()),
            (None, None, Some(range)) => Origin::Source(range.clone()),
            (None, None, None) => return None,
        };
        let keep = returns
            && matches!(origin, Origin::Source(_))
            && state.ledger.over_limit(Tier::Host, bytes) == 0
            && state.ledger.over_ceiling(Tier::Host, bytes) == 0
            && state.ledger.fits_quotas(key, Tier::Host);
        if keep {
            state.ledger.enter(key, Tier::Host);
        }
        state.ledger.enter(key, Tier::Device);
        state.ledger.set_moving(key, true);
        state.note_use();
        Some(Self {
            shared,
            key,
            bytes,
            format,
            origin: Some(origin),
            keep,
            kept: None,
            arrived: None,
            began: state.recorder.is_some().then(Instant::now),
            ahead: false,
            cancel: None,
        })
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Runs, without the lock. Who has no pin must not keep the buffer: it could leave
    /// as soon as the arrival is dropped, and would not be gone.
    pub(crate) fn run(&mut self) -> Result<&Arc<D::Buffer>, MemoryError> {
        let Self { shared, bytes, format, origin, keep, kept, arrived, cancel, .. } = self;
        let mut fill = |into: &mut [u8]| {
            if into.len() as u64 != *bytes {
                return Err(MemoryError::Device {
                    operation: "be filled",
                    reason: format!("it asked for {} bytes instead of {bytes}", into.len()),
                });
            }
            match origin {
                Some(Origin::Host(host)) => into.copy_from_slice(&host.0),
                Some(Origin::Disk(extent)) => extent.read(0, into)?,
                Some(Origin::Source(range)) => {
                    let mut offset = range.offset;
                    for piece in into.chunks_mut(PIECE) {
                        if cancel.as_ref().is_some_and(Cancel::is_cancelled) {
                            return Err(MemoryError::Cancelled);
                        }
                        range.source.read(offset, piece)?;
                        offset = offset.saturating_add(piece.len() as u64);
                    }
                }
                None => return Err(State::<D>::not_there("be filled")),
            }
            // A second copy is a convenience: without memory for it there is none.
            if *keep && let Ok(mut copy) = zeros(*bytes) {
                copy.copy_from_slice(into);
                *kept = Some(HostBytes(copy));
            }
            Ok(())
        };
        let buffer = Arc::new(shared.device.create(*bytes, *format, &mut fill)?);
        if *keep && shared.device.is_ghost(*bytes) {
            *kept = Some(HostBytes::default());
        }
        Ok(arrived.insert(buffer))
    }
}

impl<D: Device> Drop for Arrival<'_, D> {
    fn drop(&mut self) {
        let from = self.origin.as_ref().map(Origin::tier);
        let origin = self.origin.take();
        let mut state = self.shared.lock();
        let State { ledger, moved, .. } = &mut *state;
        let entry = ledger.entry_mut(self.key);
        match self.arrived.take() {
            Some(buffer) => {
                entry.content.device = Some(buffer);
                entry.came_early = self.ahead;
                moved.to_device += self.bytes;
                match &origin {
                    Some(Origin::Source(_)) => moved.from_disk += self.bytes,
                    Some(Origin::Disk(_)) => moved.from_spill += self.bytes,
                    _ => {}
                }
                match self.kept.take() {
                    Some(kept) => entry.content.host = Some(Arc::new(kept)),
                    None if self.keep => ledger.leave(self.key, Tier::Host),
                    None => {}
                }
                if let Some(from) = from {
                    state.note_arrival(self.key, from, self.began, self.ahead);
                }
            }
            None => {
                ledger.leave(self.key, Tier::Device);
                if self.keep {
                    ledger.leave(self.key, Tier::Host);
                }
            }
        }
        // Before the allocation can move again: what is left of a copy must not outlive its count.
        drop(origin);
        settle(self.shared, state, self.key);
    }
}

/// New bytes on their way to the spill file, for which the host has no place.
pub(crate) struct Landing<'a, D: Device> {
    shared: &'a Shared<D>,
    key: Key,
    bytes: u64,
    landed: Option<Extent>,
}

impl<'a, D: Device> Landing<'a, D> {
    /// Begins, with an allocation that an account holds once. Room on disk was seen.
    pub(crate) fn begin(
        shared: &'a Shared<D>,
        state: &mut State<D>,
        record: usize,
        bytes: u64,
        format: D::Format,
    ) -> Self {
        let on = PerTier { disk: true, ..PerTier::default() };
        let key = state.ledger.insert(record, bytes, None, on, Content::nowhere(format));
        state.ledger.set_moving(key, true);
        Self { shared, key, bytes, landed: None }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Runs, without the lock.
    pub(crate) fn run(mut self, from: &[u8]) -> Result<(), MemoryError> {
        let mut read = |offset: u64, into: &mut [u8]| {
            let start = usize::try_from(offset).ok();
            let part = start.and_then(|start| from.get(start..)?.get(..into.len()));
            into.copy_from_slice(part.ok_or_else(|| State::<D>::not_there("spill"))?);
            Ok(())
        };
        self.landed = Some(self.shared.spill()?.write(self.bytes, &mut read)?);
        Ok(())
    }
}

impl<D: Device> Drop for Landing<'_, D> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        match self.landed.take() {
            Some(extent) => {
                state.moved.to_spill += self.bytes;
                state.ledger.entry_mut(self.key).content.disk = Some(Arc::new(extent));
            }
            // Its only holder gives it up next.
            None => state.ledger.leave(self.key, Tier::Disk),
        }
        settle(self.shared, state, self.key);
    }
}

/// A copy that is being read, and so stays where it is.
pub(crate) struct Reading<'a, D: Device> {
    shared: &'a Shared<D>,
    key: Key,
    tier: Tier,
}

impl<'a, D: Device> Reading<'a, D> {
    pub(crate) fn begin(shared: &'a Shared<D>, state: &mut State<D>, key: Key, tier: Tier) -> Self {
        state.ledger.pin(key, tier);
        state.ledger.transfers += 1;
        Self { shared, key, tier }
    }
}

impl<D: Device> Drop for Reading<'_, D> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ledger.unpin(self.key, self.tier);
        state.ledger.transfers -= 1;
        self.shared.changed(&state);
    }
}

/// Ends the moving of an allocation, which may have lost its last holder meanwhile.
fn settle<D: Device>(shared: &Shared<D>, mut state: Guard<'_, State<D>>, key: Key) {
    state.ledger.set_moving(key, false);
    if state.ledger.entry(key).came_early {
        state.ledger.came_early(key);
    }
    let removed = state.remove_if_unheld(key);
    shared.changed(&state);
    drop(state);
    ahead::wake(shared);
    if let Some(removed) = removed {
        shared.free(removed);
    }
}

/// Bytes in the host's memory, cleared. Room for them was counted, but a process can have less
/// than its limits say.
pub(crate) fn zeros(bytes: u64) -> Result<Box<[u8]>, MemoryError> {
    let length = usize::try_from(bytes).ok();
    let allocated =
        length.and_then(|length| bytemuck::allocation::try_zeroed_slice_box(length).ok());
    allocated.ok_or_else(|| MemoryError::Device {
        operation: "give back its bytes",
        reason: format!("the system has no {bytes} bytes of memory"),
    })
}

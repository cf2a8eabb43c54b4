//! Bytes on their way.
//!
//! A transfer begins under the lock: its room is counted and its allocation is
//! marked as moving, so that nobody else touches it. The copy, read or drop itself
//! runs without the lock. It ends under the lock again, when the transfer is dropped:
//! settled if it ran, undone if it failed, panicked, or never began. So the books
//! are right whatever devices and sources do.

use std::sync::Arc;

use crate::entry::{Leaving, Place, Range};
use crate::list::Key;
use crate::state::{Content, HostBytes, Shared, State};
use crate::sync::Guard;
use crate::{Device, MemoryError, Tier};

/// An allocation that leaves a place.
pub(crate) struct Departure<'a, D: Device> {
    shared: &'a Shared<D>,
    key: Key,
    bytes: u64,
    place: Place,
    leaving: Leaving,
    /// The copy that goes, until it is gone. The only one who has it.
    going: Option<Going<D>>,
    /// What was saved to the host.
    saved: Option<HostBytes>,
}

enum Going<D: Device> {
    Device(Arc<D::Buffer>),
    Host(Arc<HostBytes>),
}

impl<'a, D: Device> Departure<'a, D> {
    /// Begins. Only for what is not in use; if bytes must be saved to the host, room
    /// for them there was seen.
    pub(crate) fn begin(
        shared: &'a Shared<D>,
        state: &mut State<D>,
        key: Key,
        place: Place,
    ) -> Option<Self> {
        let entry = state.ledger.entry_mut(key);
        let leaving = entry.leaving(place)?;
        let bytes = entry.bytes;
        let going = match place {
            Place::Device => Going::Device(entry.content.device.take()?),
            Place::Host => Going::Host(entry.content.host.take()?),
        };
        if place == Place::Device && leaving == Leaving::Costly {
            state.ledger.enter(key, Place::Host);
        }
        state.ledger.set_moving(key, true);
        Some(Self { shared, key, bytes, place, leaving, going: Some(going), saved: None })
    }

    /// Runs, without the lock.
    pub(crate) fn run(mut self) -> Result<(), MemoryError> {
        if let (Some(Going::Device(buffer)), Leaving::Costly) = (&self.going, self.leaving) {
            let mut saved = zeros(self.bytes);
            self.shared.device.read(buffer, 0, &mut saved)?;
            self.saved = Some(HostBytes(saved));
        }
        self.going = None;
        Ok(())
    }
}

impl<D: Device> Drop for Departure<'_, D> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let State { ledger, moved, .. } = &mut *state;
        let content = &mut ledger.entry_mut(self.key).content;
        match self.going.take() {
            // It did not run: all is as it was.
            Some(going) => {
                match going {
                    Going::Device(buffer) => content.device = Some(buffer),
                    Going::Host(bytes) => content.host = Some(bytes),
                }
                if self.place == Place::Device && self.leaving == Leaving::Costly {
                    ledger.leave(self.key, Place::Host);
                }
            }
            None => {
                if self.place == Place::Device {
                    content.left_device = true;
                }
                if let Some(saved) = self.saved.take() {
                    content.host = Some(Arc::new(saved));
                    moved.to_host += self.bytes;
                }
                ledger.leave(self.key, self.place);
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
}

enum Origin {
    Host(Arc<HostBytes>),
    Source(Range),
}

impl<'a, D: Device> Arrival<'a, D> {
    /// Begins. Only for what is not on the device, after room for it was seen.
    ///
    /// Clean bytes that come back after they had to leave will leave again, so they are
    /// kept on the host as well, where there is room that nobody needs. Those that
    /// come for the first time are not: most models fit, and need no second copy.
    pub(crate) fn begin(shared: &'a Shared<D>, state: &mut State<D>, key: Key) -> Option<Self> {
        let entry = state.ledger.entry(key);
        let (bytes, Content { format, left_device, .. }) = (entry.bytes, &entry.content);
        let (format, left_device) = (*format, *left_device);
        let origin = match (&entry.content.host, &entry.origin) {
            (Some(host), _) => Origin::Host(host.clone()),
            (None, Some(range)) => Origin::Source(range.clone()),
            (None, None) => return None,
        };
        let keep = left_device
            && matches!(origin, Origin::Source(_))
            && state.ledger.over_limit(Place::Host, bytes) == 0
            && state.ledger.fits_quotas(key, Tier::Host);
        if keep {
            state.ledger.enter(key, Place::Host);
        }
        state.ledger.enter(key, Place::Device);
        state.ledger.set_moving(key, true);
        Some(Self {
            shared,
            key,
            bytes,
            format,
            origin: Some(origin),
            keep,
            kept: None,
            arrived: None,
        })
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Runs, without the lock. Who has no pin must not keep the buffer: it could leave
    /// as soon as the arrival is dropped, and would not be gone.
    pub(crate) fn run(&mut self) -> Result<&Arc<D::Buffer>, MemoryError> {
        let Self { shared, bytes, format, origin, keep, kept, arrived, .. } = self;
        let mut fill = |into: &mut [u8]| {
            if into.len() as u64 != *bytes {
                return Err(MemoryError::Device {
                    operation: "be filled",
                    reason: format!("it asked for {} bytes instead of {bytes}", into.len()),
                });
            }
            match origin {
                Some(Origin::Host(host)) => into.copy_from_slice(&host.0),
                Some(Origin::Source(range)) => range.source.read(range.offset, into)?,
                None => return Err(State::<D>::not_there("be filled")),
            }
            if *keep {
                *kept = Some(HostBytes(Box::from(&*into)));
            }
            Ok(())
        };
        let buffer = Arc::new(shared.device.create(*bytes, *format, &mut fill)?);
        Ok(arrived.insert(buffer))
    }
}

impl<D: Device> Drop for Arrival<'_, D> {
    fn drop(&mut self) {
        let from_source = matches!(self.origin.take(), Some(Origin::Source(_)));
        let mut state = self.shared.lock();
        let State { ledger, moved, .. } = &mut *state;
        let content = &mut ledger.entry_mut(self.key).content;
        match self.arrived.take() {
            Some(buffer) => {
                content.device = Some(buffer);
                moved.to_device += self.bytes;
                if from_source {
                    moved.from_disk += self.bytes;
                }
                match self.kept.take() {
                    Some(kept) => content.host = Some(Arc::new(kept)),
                    None if self.keep => ledger.leave(self.key, Place::Host),
                    None => {}
                }
            }
            None => {
                ledger.leave(self.key, Place::Device);
                if self.keep {
                    ledger.leave(self.key, Place::Host);
                }
            }
        }
        settle(self.shared, state, self.key);
    }
}

/// A copy that is being read, and so stays where it is.
pub(crate) struct Reading<'a, D: Device> {
    shared: &'a Shared<D>,
    key: Key,
    place: Place,
}

impl<'a, D: Device> Reading<'a, D> {
    pub(crate) fn begin(
        shared: &'a Shared<D>,
        state: &mut State<D>,
        key: Key,
        place: Place,
    ) -> Self {
        state.ledger.pin(key, place);
        state.ledger.transfers += 1;
        Self { shared, key, place }
    }
}

impl<D: Device> Drop for Reading<'_, D> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ledger.unpin(self.key, self.place);
        state.ledger.transfers -= 1;
        self.shared.changed(&state);
    }
}

/// Ends the moving of an allocation, which may have lost its last holder meanwhile.
fn settle<D: Device>(shared: &Shared<D>, mut state: Guard<'_, State<D>>, key: Key) {
    state.ledger.set_moving(key, false);
    let removed = state.remove_if_unheld(key);
    shared.changed(&state);
    drop(state);
    if let Some(removed) = removed {
        shared.free(removed);
    }
}

fn zeros(bytes: u64) -> Box<[u8]> {
    // What is on the device fits the address space, and its room was counted.
    vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)].into_boxed_slice()
}

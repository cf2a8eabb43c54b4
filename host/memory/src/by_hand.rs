//! Moving what somebody names, instead of what a mode chooses.
//!
//! Nothing else leaves the device for it, and nothing that somebody wants to keep leaves the
//! host: who asks for one thing to move does not ask for others to suffer. Other bytes on the host
//! may be dropped, spilled or, if they are only cached, lost to make room there.

use smallvec::SmallVec;

use crate::entry::Entry;
use crate::recording::Why;
use crate::room::{PATIENT_WAITS, carry_out, run_all};
use crate::state::Content;
use crate::transfer::{Arrival, Departure, Exit};
use crate::walk::{Need, Walk};
use crate::{Account, Cancel, Device, Handle, Memory, MemoryError, PerTier, Tier};

/// The most rounds of making room: another thread may use what leaves as fast as it does.
const MOST_ROUNDS: usize = 100_000;

impl<D: Device> Memory<D> {
    /// Lets allocations leave the device now, and gives the bytes that left. What an
    /// operation uses stays.
    ///
    /// # Errors
    /// [`MemoryError::OutOfMemory`] or [`MemoryError::QuotaExceeded`] when the host has
    /// no room for dirty bytes, and what the device said. What left before has left.
    pub fn offload(&self, handles: &[&Handle<D>]) -> Result<u64, MemoryError> {
        let mut left = 0_u64;
        for handle in handles {
            handle.check_home(self)?;
            let ways = |entry: &Entry<_>| -> &'static [Exit] {
                if entry.is_alone_on(Tier::Device) {
                    &[Exit::To(Tier::Host), Exit::To(Tier::Disk)]
                } else {
                    &[Exit::Drop]
                }
            };
            left = left.saturating_add(self.leave(handle, ways)?);
        }
        Ok(left)
    }

    /// Has an allocation leave the device, in the first way that there is room for.
    fn leave(
        &self,
        handle: &Handle<D>,
        ways: impl Fn(&Entry<Content<D>>) -> &'static [Exit],
    ) -> Result<u64, MemoryError> {
        let shared = &*self.0;
        let key = handle.key();
        let mut of_disk: Option<MemoryError> = None;
        let mut patience = PATIENT_WAITS;
        let mut state = shared.lock();
        loop {
            let entry = state.ledger.entry(key);
            if entry.moving {
                state = shared.wait(state);
                continue;
            }
            if !entry.on.device || entry.pins.device > 0 {
                return Ok(0);
            }
            let payers: SmallVec<[usize; 2]> =
                entry.holders.iter().map(|holder| holder.record).collect();
            let departure = ways(entry).iter().find_map(|&exit| {
                Departure::begin(shared, &mut state, key, Tier::Device, exit, Why::Asked)
            });
            if let Some(departure) = departure {
                drop(state);
                departure.run()?;
                return Ok(handle.bytes());
            }
            state.ledger.tick();
            match state.make_host_room(shared, &payers, handle.bytes(), Need::Asked) {
                Ok(round) => {
                    drop(state);
                    state = carry_out(shared, round, &mut of_disk)?;
                }
                Err(_) if state.ledger.transfers > 0 && patience > 0 => {
                    patience -= 1;
                    state = shared.wait(state);
                }
                Err(error) => {
                    drop(state);
                    return Err(of_disk.unwrap_or(error));
                }
            }
        }
    }

    /// Lets allocations leave the device now and stay in the host's memory, clean ones
    /// too. Gives the bytes that left the device.
    ///
    /// # Errors
    /// [`MemoryError::OutOfMemory`] or [`MemoryError::QuotaExceeded`] when the host has no
    /// room for them, and what the device or a source said. What left before has left.
    pub fn stow(&self, handles: &[&Handle<D>]) -> Result<u64, MemoryError> {
        handles.iter().try_for_each(|handle| handle.check_home(self))?;
        // What is stowed together does not push itself out.
        let mut state = self.0.lock();
        let mut keys: Vec<_> = handles.iter().map(|handle| handle.key()).collect();
        keys.retain(|&key| state.ledger.keep(key, Tier::Host, true));
        drop(state);
        let mut left = 0_u64;
        let outcome = handles.iter().try_for_each(|handle| {
            let ways = |entry: &Entry<_>| -> &'static [Exit] {
                if entry.on.host { &[Exit::Drop] } else { &[Exit::To(Tier::Host)] }
            };
            left = left.saturating_add(self.leave(handle, ways)?);
            Ok(())
        });
        let mut state = self.0.lock();
        for key in keys {
            state.ledger.keep(key, Tier::Host, false);
        }
        drop(state);
        outcome.map(|()| left)
    }

    /// Has allocations leave a tier only when an operation could not run otherwise, or
    /// as others do again.
    ///
    /// # Errors
    /// [`MemoryError::Foreign`].
    pub fn keep(&self, handles: &[&Handle<D>], tier: Tier, keep: bool) -> Result<(), MemoryError> {
        for handle in handles {
            handle.check_home(self)?;
            self.0.lock().ledger.keep(handle.key(), tier, keep);
        }
        Ok(())
    }

    /// Ends every [`keep`](Memory::keep).
    pub fn keep_nothing(&self) {
        let mut state = self.0.lock();
        let kept: Vec<_> = state
            .ledger
            .entries
            .iter()
            .filter(|(_, entry)| entry.keep != PerTier::default())
            .map(|(key, _)| key)
            .collect();
        for key in kept {
            for tier in Tier::ALL {
                state.ledger.keep(key, tier, false);
            }
        }
    }

    /// Has unused allocations leave a tier until this many bytes are free there, as far
    /// as they can. Gives the bytes that left.
    ///
    /// # Errors
    /// What the device or the disk said.
    pub fn make_free(&self, tier: Tier, bytes: u64) -> Result<u64, MemoryError> {
        let shared = &*self.0;
        let mut state = shared.lock();
        let before = state.ledger.used(tier);
        let down_to = state.ledger.limit(tier).saturating_sub(bytes).min(before);
        for _ in 0..MOST_ROUNDS {
            let wanted = state.ledger.used(tier).saturating_sub(down_to);
            if wanted == 0 {
                break;
            }
            state.ledger.tick();
            let round = if tier == Tier::Device {
                // Nobody in particular asks.
                let walk = Walk::device(&mut state.ledger, usize::MAX, 0, Need::Asked);
                state.make_room(shared, usize::MAX, walk, wanted, Need::Asked).unwrap_or_default()
            } else {
                state.give_way(shared, tier, wanted)
            };
            if round.is_empty() {
                break;
            }
            drop(state);
            run_all(round)?;
            state = shared.lock();
        }
        Ok(before.saturating_sub(state.ledger.used(tier)))
    }

    /// Brings allocations to the device as far as there is room, without anything leaving
    /// for them, and gives the bytes that came. The account that asks must have room in its
    /// quota, and so must every other account that is charged for them.
    ///
    /// # Errors
    /// [`MemoryError::Cancelled`], and what the device or a source said. What came before
    /// has come.
    pub fn restore(
        &self,
        account: &Account,
        handles: &[&Handle<D>],
        cancel: &Cancel,
    ) -> Result<u64, MemoryError> {
        let mut came = 0_u64;
        for handle in handles {
            handle.check_home(self)?;
            came = came.saturating_add(self.restore_one(account, handle, cancel)?);
        }
        Ok(came)
    }

    fn restore_one(
        &self,
        account: &Account,
        handle: &Handle<D>,
        cancel: &Cancel,
    ) -> Result<u64, MemoryError> {
        let shared = &*self.0;
        let (key, bytes) = (handle.key(), handle.bytes());
        let mut state = shared.lock();
        while state.ledger.entry(key).moving && !cancel.is_cancelled() {
            state = shared.wait(state);
        }
        if cancel.is_cancelled() {
            return Err(MemoryError::Cancelled);
        }
        let record = state.ledger.record(account);
        let asker = state.ledger.records.get(record);
        let room = asker.is_none_or(|asker| asker.over_quota(Tier::Device, bytes) == 0)
            && state.ledger.fits_quotas(key, Tier::Device)
            && state.ledger.over_limit(Tier::Device, bytes) == 0
            && state.ledger.over_ceiling(Tier::Device, bytes) == 0
            // Whoever stands in line waits for just this room.
            && state.line.is_empty();
        if state.ledger.entry(key).on.device || !room {
            return Ok(0);
        }
        let arrival = Arrival::begin(shared, &mut state, key);
        drop(state);
        let Some(mut arrival) = arrival else { return Ok(0) };
        arrival.run()?;
        Ok(bytes)
    }
}

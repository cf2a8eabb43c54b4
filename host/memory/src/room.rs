//! Which allocations go so that others can come.
//!
//! Chosen under the lock in one go, so that a choice is never half made; carried out
//! without it. One round chooses either drops, as many as are needed, or a single
//! copy: what it takes to choose well may have changed after it.

use smallvec::SmallVec;

use crate::entry::{Leaving, Place};
use crate::list::Key;
use crate::state::{Shared, State};
use crate::transfer::Departure;
use crate::walk::{Copies, Walk};
use crate::{Device, MemoryError, Tier};

/// What begins to leave in one round.
pub(crate) type Round<'a, D> = Vec<Departure<'a, D>>;

/// Why the host has no place for bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum HostFull {
    /// Its limit.
    Limit,
    /// The quota of the account with this record.
    Quota(usize),
}

/// Whether the host has a place for bytes.
enum HostRoom {
    Now,
    /// After these were dropped.
    Without(SmallVec<[Key; 4]>),
    Never(HostFull),
}

impl<D: Device> State<D> {
    /// Begins to make room on the device for an account: about `wanted` bytes of what
    /// `walk` finds. The error says why there is nothing: a shortage of the host, if
    /// dirty bytes could go but for it. What another account's quota keeps from going is
    /// simply in the way.
    pub(crate) fn make_room<'a>(
        &mut self,
        shared: &'a Shared<D>,
        asker: usize,
        mut walk: Walk,
        wanted: u64,
        copies: Copies,
    ) -> Result<Round<'a, D>, Option<MemoryError>> {
        let mut drops: SmallVec<[Key; 4]> = SmallVec::new();
        let mut found = 0_u64;
        let mut short: Option<(u64, HostFull)> = None;
        while found < wanted
            && let Some(key) = walk.next(&self.ledger)
        {
            let entry = self.ledger.entry(key);
            let bytes = entry.bytes;
            match entry.leaving(Place::Device) {
                _ if bytes == 0 => {}
                None => {}
                Some(Leaving::Free) => {
                    drops.push(key);
                    found = found.saturating_add(bytes);
                }
                Some(Leaving::Costly) if !drops.is_empty() => break,
                Some(Leaving::Costly) => {
                    let records: SmallVec<[usize; 2]> =
                        entry.holders.iter().map(|holder| holder.record).collect();
                    match self.host_room(&records, bytes, copies) {
                        HostRoom::Now => {
                            drops.push(key);
                            break;
                        }
                        HostRoom::Without(copies) => {
                            return Ok(self.begin_all(shared, &copies, Place::Host));
                        }
                        // For a wish, the search is not worth the time.
                        HostRoom::Never(_) if copies == Copies::Spare => break,
                        HostRoom::Never(HostFull::Quota(record)) if record != asker => {}
                        HostRoom::Never(full) => {
                            if short.is_none_or(|(least, _)| bytes < least) {
                                short = Some((bytes, full));
                            }
                        }
                    }
                }
            }
        }
        if drops.is_empty() {
            return Err(short.map(|(bytes, full)| self.host_full(bytes, full)));
        }
        self.evictions += drops.len() as u64;
        Ok(self.begin_all(shared, &drops, Place::Device))
    }

    /// Begins to make room on the host for new bytes of an account. An empty round
    /// says that there is room.
    pub(crate) fn make_host_room<'a>(
        &mut self,
        shared: &'a Shared<D>,
        records: &[usize],
        bytes: u64,
    ) -> Result<Round<'a, D>, MemoryError> {
        match self.host_room(records, bytes, Copies::Any) {
            HostRoom::Now => Ok(Round::new()),
            HostRoom::Without(copies) => Ok(self.begin_all(shared, &copies, Place::Host)),
            HostRoom::Never(full) => Err(self.host_full(bytes, full)),
        }
    }

    fn host_full(&self, bytes: u64, full: HostFull) -> MemoryError {
        match full {
            HostFull::Limit => self.ledger.out_of_memory(Place::Host, bytes),
            HostFull::Quota(record) => self.ledger.quota_exceeded(record, Tier::Host, bytes),
        }
    }

    /// What makes room for bytes on the host that all of these accounts are charged. For
    /// a quota only what its account holds goes.
    fn host_room(&self, records: &[usize], bytes: u64, copies: Copies) -> HostRoom {
        for &record in records {
            let over =
                self.ledger.records.get(record).map_or(0, |r| r.over_quota(Tier::Host, bytes));
            if over > 0 {
                return match self.host_drops(Walk::host(Some(record), copies), over) {
                    Some(drops) => HostRoom::Without(drops),
                    None => HostRoom::Never(HostFull::Quota(record)),
                };
            }
        }
        match self.ledger.over_limit(Place::Host, bytes) {
            0 => HostRoom::Now,
            over => match self.host_drops(Walk::host(None, copies), over) {
                Some(drops) => HostRoom::Without(drops),
                None => HostRoom::Never(HostFull::Limit),
            },
        }
    }

    fn host_drops(&self, mut walk: Walk, wanted: u64) -> Option<SmallVec<[Key; 4]>> {
        let mut drops = SmallVec::new();
        let mut found = 0_u64;
        while found < wanted {
            let key = walk.next(&self.ledger)?;
            found = found.saturating_add(self.ledger.entry(key).bytes);
            drops.push(key);
        }
        Some(drops)
    }

    fn begin_all<'a>(&mut self, shared: &'a Shared<D>, keys: &[Key], place: Place) -> Round<'a, D> {
        keys.iter().filter_map(|&key| Departure::begin(shared, self, key, place)).collect()
    }
}

/// Carries out a round, without the lock. What comes after a failure stays.
pub(crate) fn run_all<D: Device>(round: Round<'_, D>) -> Result<(), MemoryError> {
    round.into_iter().try_for_each(Departure::run)
}

//! Which allocations go so that others can come.
//!
//! Chosen under the lock in one go, so that a choice is never half made; carried out
//! without it. One round chooses either drops, as many as are needed, or a single
//! copy: what it takes to choose well may have changed after it.
//!
//! What leaves the device for the last time goes to the host; where the host has no room
//! that drops could make, straight to the spill file: it is what was unused for longest.
//! What is only kept in case somebody asks is lost when that is full too.

use smallvec::SmallVec;

use crate::entry::{Class, spilled};
use crate::list::Key;
use crate::recording::Why;
use crate::state::{Shared, State};
use crate::transfer::{Departure, Exit};
use crate::walk::{Need, Walk};
use crate::{Device, MemoryError, Tier};

/// What begins to leave in one round.
pub(crate) type Round<'a, D> = Vec<Departure<'a, D>>;

/// Why a tier has no place for bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Full {
    /// Its limit.
    Limit(Tier),
    /// The quota of the account with this record.
    Quota(usize, Tier),
}

type Exits = SmallVec<[(Key, Exit); 4]>;

/// Whether a tier has a place for bytes.
enum Room {
    Now,
    /// After these left that tier or another.
    Without(Tier, Exits),
    Never(Full),
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
        need: Need,
    ) -> Result<Round<'a, D>, Option<MemoryError>> {
        let mut drops: Vec<Key> = Vec::new();
        let mut found = 0_u64;
        let mut short: Option<(u64, Full)> = None;
        let mut copy: Option<(Key, Exit)> = None;
        let mut whole = None;
        while let Some(key) = walk.next(&mut self.ledger) {
            let entry = self.ledger.entry(key);
            let (bytes, alone, shelved) =
                (entry.bytes, entry.is_alone_on(Tier::Device), entry.is_shelved());
            if found >= wanted {
                // Where models leave as a whole, the rest of the last one goes too.
                match (whole, entry.listed.device) {
                    (Some(last), Some(Class::Free(group))) if last == group => {}
                    _ => break,
                }
            }
            if bytes == 0 {
                continue;
            }
            if !alone {
                if let Some(Class::Free(group)) = entry.listed.device
                    && self.mode.whole_models()
                    && group != crate::entry::NO_GROUP
                    && !self.ledger.groups.standing(group).is_running()
                {
                    whole = Some(group);
                } else {
                    whole = None;
                }
                drops.push(key);
                found = found.saturating_add(bytes);
                continue;
            }
            if !drops.is_empty() {
                // A drop may be enough; a copy is another round's.
                if shelved {
                    continue;
                }
                break;
            }
            let records: SmallVec<[usize; 2]> =
                entry.holders.iter().map(|holder| holder.record).collect();
            match self.room(Tier::Host, &records, bytes, need) {
                Room::Now => {
                    copy = Some((key, Exit::To(Tier::Host)));
                    break;
                }
                Room::Without(tier, exits) if need == Need::Wish || !self.can_spill() => {
                    return Ok(self.begin_all(shared, tier, &exits));
                }
                Room::Without(tier, exits) => {
                    // Cheap drops make room; what would have to be spilled instead of this
                    // one was used more recently.
                    if exits.iter().all(|(_, exit)| *exit == Exit::Drop) {
                        return Ok(self.begin_all(shared, tier, &exits));
                    }
                }
                // For a wish, the search is not worth the time.
                Room::Never(_) if need == Need::Wish => break,
                Room::Never(_) => {}
            }
            let on_disk = self.ledger.entry(key).bytes_on(Tier::Disk);
            let full = match self.room(Tier::Disk, &records, on_disk, need) {
                Room::Now => {
                    copy = Some((key, Exit::To(Tier::Disk)));
                    break;
                }
                Room::Without(tier, exits) => {
                    return Ok(self.begin_all(shared, tier, &exits));
                }
                Room::Never(_) if shelved => {
                    copy = Some((key, Exit::Lose));
                    break;
                }
                Room::Never(full) => full,
            };
            // Where nothing can be spilled, it is the host that is short.
            let full = match self.room(Tier::Host, &records, bytes, need) {
                Room::Never(of_host) if !self.can_spill() => of_host,
                _ => full,
            };
            match full {
                Full::Quota(record, _) if record != asker => {}
                full => {
                    if short.is_none_or(|(least, _)| bytes < least) {
                        short = Some((bytes, full));
                    }
                }
            }
        }
        if let Some((key, exit)) = copy.filter(|_| drops.is_empty()) {
            self.evictions += 1;
            let why = if exit == Exit::Lose { Why::Lost } else { Why::Evicted };
            let departure = Departure::begin(shared, self, key, Tier::Device, exit, why);
            return Ok(departure.into_iter().collect());
        }
        if drops.is_empty() {
            return Err(short.map(|(bytes, full)| self.no_room(bytes, full)));
        }
        Ok(self.begin_drops(shared, &drops))
    }

    /// Begins to drop copies on the device that are elsewhere too.
    pub(crate) fn begin_drops<'a>(&mut self, shared: &'a Shared<D>, keys: &[Key]) -> Round<'a, D> {
        self.evictions += keys.len() as u64;
        let begin =
            |&key| Departure::begin(shared, self, key, Tier::Device, Exit::Drop, Why::Evicted);
        keys.iter().filter_map(begin).collect()
    }

    /// Begins to make room on the host for new bytes of an account. An empty round
    /// says that there is room.
    pub(crate) fn make_host_room<'a>(
        &mut self,
        shared: &'a Shared<D>,
        records: &[usize],
        bytes: u64,
    ) -> Result<Round<'a, D>, MemoryError> {
        let full = match self.room(Tier::Host, records, bytes, Need::Must) {
            Room::Now => return Ok(Round::new()),
            Room::Without(tier, exits) => {
                let round = self.begin_all(shared, tier, &exits);
                if !round.is_empty() {
                    return Ok(round);
                }
                Full::Limit(Tier::Host)
            }
            Room::Never(full) => full,
        };
        Err(self.no_room(bytes, full))
    }

    /// Begins to bring the host's use down by so many bytes, as far as that can be.
    pub(crate) fn give_way<'a>(
        &mut self,
        shared: &'a Shared<D>,
        tier: Tier,
        wanted: u64,
    ) -> Round<'a, D> {
        match self.exits(tier, None, wanted, Need::Asked) {
            Ok((tier, exits)) | Err((tier, exits)) => self.begin_all(shared, tier, &exits),
        }
    }

    fn no_room(&self, bytes: u64, full: Full) -> MemoryError {
        match full {
            Full::Limit(tier) => self.ledger.out_of_memory(tier, bytes),
            Full::Quota(record, tier) => self.ledger.quota_exceeded(record, tier, bytes),
        }
    }

    /// Whether there is a tier below the host.
    pub(crate) fn can_spill(&self) -> bool {
        self.ledger.limit(Tier::Disk) > 0
    }

    /// Whether new bytes of an account can be spilled as things stand.
    pub(crate) fn has_room_on_disk(&self, record: usize, bytes: u64) -> bool {
        let bytes = spilled(bytes);
        let quota = self.ledger.records.get(record).map_or(0, |r| r.over_quota(Tier::Disk, bytes));
        self.can_spill() && quota == 0 && self.ledger.over_limit(Tier::Disk, bytes) == 0
    }

    /// What makes room for bytes on a tier that all of these accounts are charged. For
    /// a quota only what its account holds goes.
    fn room(&mut self, tier: Tier, records: &[usize], bytes: u64, need: Need) -> Room {
        for &record in records {
            let over = self.ledger.records.get(record).map_or(0, |r| r.over_quota(tier, bytes));
            if over > 0 {
                return match self.exits(tier, Some(record), over, need) {
                    Ok((tier, exits)) => Room::Without(tier, exits),
                    Err(_) => Room::Never(Full::Quota(record, tier)),
                };
            }
        }
        match self.ledger.over_limit(tier, bytes) {
            0 => Room::Now,
            over => match self.exits(tier, None, over, need) {
                Ok((tier, exits)) => Room::Without(tier, exits),
                Err(_) => Room::Never(Full::Limit(tier)),
            },
        }
    }

    /// What leaves a lower tier so that so many bytes are free; `Err` with what there
    /// is, if that is too little.
    fn exits(
        &mut self,
        tier: Tier,
        record: Option<usize>,
        wanted: u64,
        need: Need,
    ) -> Result<(Tier, Exits), (Tier, Exits)> {
        let mut walk = Walk::lower(&mut self.ledger, tier, record, need);
        let mut exits = Exits::new();
        let mut found = 0_u64;
        let mut spilling = 0_u64;
        while found < wanted {
            let Some(key) = walk.next(&mut self.ledger) else { return Err((tier, exits)) };
            let entry = self.ledger.entry(key);
            let (bytes, shelved) = (entry.bytes_on(tier), entry.is_shelved());
            let exit = if !entry.is_alone_on(tier) {
                Exit::Drop
            } else {
                let on_disk = entry.bytes_on(Tier::Disk);
                let coming = on_disk.saturating_add(spilling);
                let spills = tier == Tier::Host
                    && self.can_spill()
                    && self.ledger.over_limit(Tier::Disk, coming) == 0
                    && self.ledger.fits_quotas(key, Tier::Disk);
                if spills {
                    spilling = coming;
                    Exit::To(Tier::Disk)
                } else if tier == Tier::Host
                    && exits.is_empty()
                    && let Some(copies) = self.second_copies(on_disk)
                {
                    // The spill file first gives up what is elsewhere too.
                    return Ok((Tier::Disk, copies));
                } else if shelved {
                    Exit::Lose
                } else {
                    continue;
                }
            };
            found = found.saturating_add(bytes);
            exits.push((key, exit));
        }
        Ok((tier, exits))
    }

    /// Spilled bytes that are elsewhere too, and whose going makes room for others.
    fn second_copies(&mut self, bytes: u64) -> Option<Exits> {
        if bytes > self.ledger.limit(Tier::Disk) {
            return None;
        }
        let wanted = self.ledger.over_limit(Tier::Disk, bytes);
        let mut walk = Walk::lower(&mut self.ledger, Tier::Disk, None, Need::Wish);
        let mut exits = Exits::new();
        let mut found = 0_u64;
        while found < wanted {
            let key = walk.next(&mut self.ledger)?;
            found = found.saturating_add(self.ledger.entry(key).bytes_on(Tier::Disk));
            exits.push((key, Exit::Drop));
        }
        (!exits.is_empty()).then_some(exits)
    }

    fn begin_all<'a>(
        &mut self,
        shared: &'a Shared<D>,
        tier: Tier,
        exits: &[(Key, Exit)],
    ) -> Round<'a, D> {
        let why = |exit| if exit == Exit::Lose { Why::Lost } else { Why::Evicted };
        let begin = |&(key, exit): &_| Departure::begin(shared, self, key, tier, exit, why(exit));
        exits.iter().filter_map(begin).collect()
    }
}

/// Carries out a round, without the lock. What comes after a failure stays.
pub(crate) fn run_all<D: Device>(round: Round<'_, D>) -> Result<(), MemoryError> {
    round.into_iter().try_for_each(Departure::run)
}

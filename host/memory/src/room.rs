//! Which allocations go so that others can come.
//!
//! Chosen under the lock in one go, so that a choice is never half made; carried out
//! without it. One round chooses either drops, as many as are needed, or a single
//! copy: what it takes to choose well may have changed after it.
//!
//! What leaves the device for the last time goes to the host; where the host has no room
//! that drops could make, straight to the spill file: it is what was unused for longest.
//! What is only kept in case somebody asks is lost when that is full too.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use crate::entry::{Class, NO_GROUP, spilled};
use crate::list::Key;
use crate::recording::Why;
use crate::state::{Shared, State};
use crate::sync::Guard;
use crate::transfer::{Departure, Exit};
use crate::walk::{Need, Walk};
use crate::{Device, MemoryError, Tier};

/// How often one who asks by hand, and so holds no place in the line, waits for others' transfers.
pub(crate) const PATIENT_WAITS: u32 = 50;

/// How long nothing is spilled after the disk failed.
const DISK_REST: Duration = Duration::from_secs(1);

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
        let mut nowhere: Vec<(u64, Full)> = Vec::new();
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
                    && group != NO_GROUP
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
            // What is no smaller than something that found no place finds none either.
            let whose = |full: &Full| match full {
                Full::Limit(_) => true,
                Full::Quota(record, _) => entry.holder(*record).is_some(),
            };
            if !shelved && nowhere.iter().any(|(least, full)| bytes >= *least && whose(full)) {
                continue;
            }
            let records: SmallVec<[usize; 2]> =
                entry.holders.iter().map(|holder| holder.record).collect();
            let of_host = match self.room(Tier::Host, &records, bytes, need) {
                Room::Now => {
                    copy = Some((key, Exit::To(Tier::Host)));
                    break;
                }
                Room::Without(tier, exits)
                    if need == Need::Wish
                        || !self.can_spill()
                        // Cheap drops make room; what would have to be spilled instead of
                        // this one was used more recently.
                        || exits.iter().all(|(_, exit)| *exit != Exit::To(Tier::Disk)) =>
                {
                    return Ok(self.begin_all(shared, tier, &exits));
                }
                // For a wish, the search is not worth the time.
                Room::Never(_) if need == Need::Wish => break,
                Room::Without(..) => None,
                Room::Never(full) => Some(full),
            };
            let of_disk = if self.can_spill() {
                match self.room(Tier::Disk, &records, spilled(bytes), need) {
                    Room::Now => {
                        copy = Some((key, Exit::To(Tier::Disk)));
                        break;
                    }
                    Room::Without(tier, exits) => return Ok(self.begin_all(shared, tier, &exits)),
                    Room::Never(full) => Some(full),
                }
            } else {
                None
            };
            if shelved {
                copy = Some((key, Exit::Lose));
                break;
            }
            // The last resort is what is short.
            let Some(full) = of_disk.or(of_host) else { continue };
            nowhere.push((bytes, full));
            let others_quota = matches!(full, Full::Quota(record, _) if record != asker);
            if !others_quota && short.is_none_or(|(least, _)| bytes < least) {
                short = Some((bytes, full));
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
        need: Need,
    ) -> Result<Round<'a, D>, MemoryError> {
        let full = match self.room(Tier::Host, records, bytes, need) {
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
            && self.disk_failed.is_none_or(|failed| failed.elapsed() > DISK_REST)
    }

    /// Takes note of a disk that does not take what is spilled to it, so that for a while
    /// everything goes on as if there were none. Whether that is what an error says.
    pub(crate) fn disk_is_to_blame(&mut self, error: &MemoryError) -> bool {
        let disk = matches!(
            error,
            MemoryError::SpillUnavailable { .. }
                | MemoryError::SpillLimit { .. }
                | MemoryError::SpillFull { .. }
                | MemoryError::SpillFailed { .. }
        );
        if disk {
            self.disk_failed = Some(Instant::now());
        }
        disk
    }

    /// Begins to make room in the spill file for new bytes of an account. An empty round says
    /// that there is room; `None`, that there never will be.
    pub(crate) fn make_disk_room<'a>(
        &mut self,
        shared: &'a Shared<D>,
        record: usize,
        bytes: u64,
    ) -> Option<Round<'a, D>> {
        if !self.can_spill() {
            return None;
        }
        match self.room(Tier::Disk, &[record], spilled(bytes), Need::Asked) {
            Room::Now => Some(Round::new()),
            Room::Without(tier, exits) => {
                Some(self.begin_all(shared, tier, &exits)).filter(|round| !round.is_empty())
            }
            Room::Never(_) => None,
        }
    }

    /// What makes room for bytes on a tier that all of these accounts are charged. For
    /// a quota only what its account holds goes.
    fn room(&mut self, tier: Tier, records: &[usize], bytes: u64, need: Need) -> Room {
        for &record in records {
            let over = self.ledger.over_quota(record, tier, bytes);
            if over > 0 {
                return match self.exits(tier, Some(record), over, need) {
                    Ok((tier, exits)) => Room::Without(tier, exits),
                    Err(_) => Room::Never(Full::Quota(record, tier)),
                };
            }
        }
        if need == Need::Wish && self.ledger.over_ceiling(tier, bytes) > 0 {
            return Room::Never(Full::Limit(tier));
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
                    && self.can_spill()
                    && self.ledger.fits_quotas(key, Tier::Disk)
                    && let Some(exits) = self.disk_exits(on_disk)
                {
                    // The spill file first gives up what it can.
                    return Ok((Tier::Disk, exits));
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

    /// What leaves the spill file so that bytes find room there: what is elsewhere too, and what
    /// nobody needs.
    fn disk_exits(&mut self, bytes: u64) -> Option<Exits> {
        if bytes > self.ledger.limit(Tier::Disk) {
            return None;
        }
        match self.ledger.over_limit(Tier::Disk, bytes) {
            0 => None,
            over => self.exits(Tier::Disk, None, over, Need::Asked).ok().map(|(_, exits)| exits),
        }
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

/// The same between two holds of the lock, for one who goes on where the disk failed: what
/// needs no disk may still make room. `of_disk` keeps what the disk said the first time, which
/// is then what went wrong if nothing else makes room.
pub(crate) fn carry_out<'a, D: Device>(
    shared: &'a Shared<D>,
    round: Round<'_, D>,
    of_disk: &mut Option<MemoryError>,
) -> Result<Guard<'a, State<D>>, MemoryError> {
    let outcome = run_all(round);
    let mut state = shared.lock();
    if let Err(error) = outcome {
        if of_disk.is_some() || !state.disk_is_to_blame(&error) {
            drop(state);
            return Err(of_disk.take().unwrap_or(error));
        }
        *of_disk = Some(error);
    }
    Ok(state)
}

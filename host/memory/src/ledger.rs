//! The books: what every tier holds, who is charged for it, and in which order
//! it was used.
//!
//! All of it changes here and nowhere else, so that a charge cannot differ from
//! the bytes it stands for, and no count can pass a limit unseen. The ledger
//! moves nothing and knows no device: it can be read, and tested, as arithmetic.

use slab::Slab;
use smallvec::SmallVec;

use crate::entry::{AllocationId, Both, Entry, Holder, Place, Range};
use crate::list::{Key, Link, Links};
use crate::record::{Recency, Record};
use crate::{Account, AccountUse, Limits, PerTier, Residency, Tier, TierUse};

pub(crate) struct Ledger<C> {
    pub(crate) entries: Slab<Entry<C>>,
    pub(crate) records: Slab<Record>,
    /// What may leave a place, over all accounts.
    pub(crate) recency: Both<Recency>,
    limits: Limits,
    used: PerTier<u64>,
    peak: PerTier<u64>,
    /// Bytes of the device that leases reserved, for outputs and workspaces.
    pub(crate) reserved: u64,
    /// Bytes of allocations whose copy on the device is in use.
    pub(crate) pinned: u64,
    /// Bytes that stand in no file.
    pub(crate) dirty: u64,
    /// Counts admissions, and marks the inputs of the one at hand.
    pub(crate) clock: u64,
    /// Live leases.
    pub(crate) leases: usize,
    /// Copies, reads and drops that run without the lock.
    pub(crate) transfers: usize,
    next_id: u64,
    /// The most that was in use since a meter began.
    meters: Slab<PerTier<u64>>,
}

/// The links of the lists over all accounts.
struct OfAll<'a, C>(&'a mut Slab<Entry<C>>, Place);

impl<C> Links for OfAll<'_, C> {
    fn link(&self, key: Key) -> Option<Link> {
        self.0.get(key).map(|entry| *entry.links.get(self.1))
    }

    fn link_mut(&mut self, key: Key) -> Option<&mut Link> {
        self.0.get_mut(key).map(|entry| entry.links.get_mut(self.1))
    }
}

/// The links of one account's lists.
struct OfRecord<'a, C>(&'a mut Slab<Entry<C>>, Place, usize);

impl<C> Links for OfRecord<'_, C> {
    fn link(&self, key: Key) -> Option<Link> {
        Some(*self.0.get(key)?.holder(self.2)?.links.get(self.1))
    }

    fn link_mut(&mut self, key: Key) -> Option<&mut Link> {
        Some(self.0.get_mut(key)?.holder_mut(self.2)?.links.get_mut(self.1))
    }
}

impl<C> Ledger<C> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            entries: Slab::new(),
            records: Slab::new(),
            recency: Both::default(),
            limits,
            used: PerTier::default(),
            peak: PerTier::default(),
            reserved: 0,
            pinned: 0,
            dirty: 0,
            clock: 0,
            leases: 0,
            transfers: 0,
            next_id: 0,
            meters: Slab::new(),
        }
    }

    /// An entry by its key. Keys come from handles, leases, transfers and lists,
    /// each of which keeps the entry from being removed.
    #[expect(clippy::indexing_slicing, reason = "whoever has a key keeps its entry")]
    pub(crate) fn entry(&self, key: Key) -> &Entry<C> {
        &self.entries[key]
    }

    #[expect(clippy::indexing_slicing, reason = "whoever has a key keeps its entry")]
    pub(crate) fn entry_mut(&mut self, key: Key) -> &mut Entry<C> {
        &mut self.entries[key]
    }

    // Accounts.

    /// Opens the books of a new account, and closes those that nobody can use any more.
    pub(crate) fn open(&mut self, name: &str) -> Account {
        self.records.retain(|_, record| !record.account.is_last());
        let account = Account::new(name, self.records.vacant_key());
        self.records.insert(Record::new(account.clone()));
        account
    }

    /// Begins to mark the allocations of one admission, which do not leave for its sake.
    pub(crate) fn tick(&mut self) {
        self.clock += 1;
    }

    /// An account's record. An account that another memory made gets one here too.
    pub(crate) fn record(&mut self, account: &Account) -> usize {
        let is_it = |record: &Record| record.account == *account;
        if self.records.get(account.hint()).is_some_and(is_it) {
            return account.hint();
        }
        match self.records.iter().find(|(_, record)| is_it(record)) {
            Some((index, _)) => index,
            None => self.records.insert(Record::new(account.clone())),
        }
    }

    /// What each account is charged and allowed, oldest account first.
    pub(crate) fn account_uses(&self) -> Vec<AccountUse> {
        let mut uses: Vec<_> = self
            .records
            .iter()
            .filter(|(_, record)| !record.account.is_last())
            .map(|(_, Record { account, charge, quota, .. })| AccountUse {
                id: account.id(),
                name: account.name().to_owned(),
                charge: *charge,
                quota: *quota,
                share: self.limits.device,
            })
            .collect();
        uses.sort_by_key(|account| account.id);
        uses
    }

    // Bytes.

    /// The limit of a place.
    pub(crate) fn limit(&self, place: Place) -> u64 {
        match place {
            Place::Device => self.limits.device,
            Place::Host => self.limits.host,
        }
    }

    pub(crate) fn used(&self, place: Place) -> u64 {
        match place {
            Place::Device => self.used.device,
            Place::Host => self.used.host,
        }
    }

    /// Bytes over a place's limit if `more` were used.
    pub(crate) fn over_limit(&self, place: Place, more: u64) -> u64 {
        self.used(place).saturating_add(more).saturating_sub(self.limit(place))
    }

    /// Begins to watch for peaks.
    pub(crate) fn add_meter(&mut self) -> usize {
        self.meters.insert(self.used)
    }

    /// The peaks that a meter has seen.
    pub(crate) fn meter(&self, key: usize) -> PerTier<u64> {
        self.meters.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn remove_meter(&mut self, key: usize) {
        self.meters.try_remove(key);
    }

    pub(crate) fn tier_uses(&self) -> PerTier<TierUse> {
        let one = |tier: Tier, limit| TierUse {
            used: *self.used.get(tier),
            peak: *self.peak.get(tier),
            limit,
        };
        PerTier {
            device: one(Tier::Device, Some(self.limits.device)),
            host: one(Tier::Host, Some(self.limits.host)),
            disk: one(Tier::Disk, None),
        }
    }

    /// Counts bytes of a tier as used. Every use of a tier goes through here, and
    /// no caller may come here before it saw that there is room.
    fn take(&mut self, tier: Tier, bytes: u64) {
        // Ranges of files may be claimed to be of any length; what is claimed
        // too much is given back just so. The other tiers are far below their limits.
        let used = self.used.get(tier).wrapping_add(bytes);
        *self.used.get_mut(tier) = used;
        let peak = self.peak.get_mut(tier);
        *peak = (*peak).max(used);
        for (_, peaks) in &mut self.meters {
            let peak = peaks.get_mut(tier);
            *peak = (*peak).max(used);
        }
        debug_assert!(self.used.device <= self.limits.device, "the device limit is a limit");
        debug_assert!(self.used.host <= self.limits.host, "the host limit is a limit");
    }

    fn give_back(&mut self, tier: Tier, bytes: u64) {
        let used = self.used.get_mut(tier);
        *used = used.wrapping_sub(bytes);
    }

    fn charge(&mut self, record: usize, tier: Tier, bytes: u64) {
        if let Some(record) = self.records.get_mut(record) {
            let charge = record.charge.get_mut(tier);
            *charge = charge.wrapping_add(bytes);
        }
    }

    fn discharge(&mut self, record: usize, tier: Tier, bytes: u64) {
        if let Some(record) = self.records.get_mut(record) {
            let charge = record.charge.get_mut(tier);
            *charge = charge.wrapping_sub(bytes);
        }
    }

    /// Takes room on the device for a lease's outputs and workspace.
    pub(crate) fn reserve(&mut self, record: usize, bytes: u64) {
        self.take(Tier::Device, bytes);
        self.charge(record, Tier::Device, bytes);
        self.reserved += bytes;
    }

    pub(crate) fn unreserve(&mut self, record: usize, bytes: u64) {
        self.give_back(Tier::Device, bytes);
        self.discharge(record, Tier::Device, bytes);
        self.reserved -= bytes;
    }

    /// A lease begins: it lives until [`Ledger::end_lease`].
    pub(crate) fn begin_lease(&mut self, record: usize) {
        self.leases += 1;
        if let Some(record) = self.records.get_mut(record) {
            record.leases += 1;
        }
    }

    pub(crate) fn end_lease(&mut self, record: usize) {
        self.leases -= 1;
        if let Some(record) = self.records.get_mut(record) {
            record.leases -= 1;
        }
    }

    // Allocations.

    /// A new allocation that one account holds once.
    pub(crate) fn insert(
        &mut self,
        record: usize,
        bytes: u64,
        origin: Option<Range>,
        on: Residency,
        content: C,
    ) -> Key {
        let id = AllocationId(self.next_id);
        self.next_id += 1;
        let key = self.entries.insert(Entry {
            id,
            bytes,
            origin,
            content,
            on,
            moving: false,
            pins: Both::default(),
            holders: SmallVec::new(),
            marked: 0,
            links: Both::default(),
            listed: Both::default(),
            listed_as_shared: false,
        });
        for tier in Tier::ALL {
            if *on.get(tier) {
                self.take(tier, bytes);
            }
        }
        if !on.disk {
            self.dirty += bytes;
        }
        self.hold(key, record);
        key
    }

    /// Forgets an allocation that nobody holds or moves. What it takes of the
    /// device and the host stays counted until [`Ledger::freed`].
    pub(crate) fn remove(&mut self, key: Key) -> Entry<C> {
        let entry = self.entries.remove(key);
        debug_assert!(entry.holders.is_empty() && !entry.moving);
        if entry.on.disk {
            self.give_back(Tier::Disk, entry.bytes);
        } else {
            self.dirty -= entry.bytes;
        }
        entry
    }

    /// Bytes of removed allocations are free now.
    pub(crate) fn freed(&mut self, bytes: Both<u64>) {
        self.give_back(Tier::Device, bytes.device);
        self.give_back(Tier::Host, bytes.host);
    }

    /// One more hold of an account on an allocation; the first one is charged.
    pub(crate) fn hold(&mut self, key: Key, record: usize) {
        if let Some(holder) = self.entry_mut(key).holder_mut(record) {
            holder.holds += 1;
            return;
        }
        self.unlist(key);
        let entry = self.entry_mut(key);
        entry.holders.push(Holder { record, holds: 1, links: Both::default() });
        let (on, bytes) = (entry.on, entry.bytes);
        for tier in Tier::ALL {
            if *on.get(tier) {
                self.charge(record, tier, bytes);
            }
        }
        self.list(key);
    }

    /// One hold less; the last one gives the charge back. Whether nobody holds it now.
    pub(crate) fn unhold(&mut self, key: Key, record: usize) -> bool {
        let entry = self.entry_mut(key);
        match entry.holder_mut(record) {
            Some(holder) if holder.holds > 1 => {
                holder.holds -= 1;
                return false;
            }
            Some(_) => {}
            None => return entry.holders.is_empty(),
        }
        self.unlist(key);
        let entry = self.entry_mut(key);
        entry.holders.retain(|holder| holder.record != record);
        let (on, bytes, unheld) = (entry.on, entry.bytes, entry.holders.is_empty());
        for tier in Tier::ALL {
            if *on.get(tier) {
                self.discharge(record, tier, bytes);
            }
        }
        self.list(key);
        unheld
    }

    /// One more user of the copy in a place, which stays there meanwhile.
    pub(crate) fn pin(&mut self, key: Key, place: Place) {
        let entry = self.entry_mut(key);
        let pins = entry.pins.get_mut(place);
        *pins += 1;
        if place == Place::Device && *pins == 1 {
            let bytes = entry.bytes;
            self.pinned += bytes;
        }
    }

    pub(crate) fn unpin(&mut self, key: Key, place: Place) {
        let entry = self.entry_mut(key);
        let pins = entry.pins.get_mut(place);
        *pins -= 1;
        if place == Place::Device && *pins == 0 {
            let bytes = entry.bytes;
            self.pinned -= bytes;
        }
    }

    /// Counts an allocation in a place, against every holder.
    pub(crate) fn enter(&mut self, key: Key, place: Place) {
        self.set_place(key, place, true);
    }

    /// Gives back its room in a place.
    pub(crate) fn leave(&mut self, key: Key, place: Place) {
        self.set_place(key, place, false);
    }

    fn set_place(&mut self, key: Key, place: Place, there: bool) {
        self.unlist(key);
        let tier = place.tier();
        let Self { entries, records, .. } = self;
        let Some(entry) = entries.get_mut(key) else { return };
        debug_assert_ne!(*entry.on.get(tier), there);
        *entry.on.get_mut(tier) = there;
        let bytes = entry.bytes;
        for holder in &entry.holders {
            if let Some(record) = records.get_mut(holder.record) {
                let charge = record.charge.get_mut(tier);
                *charge =
                    if there { charge.wrapping_add(bytes) } else { charge.wrapping_sub(bytes) };
            }
        }
        if there {
            self.take(tier, bytes)
        } else {
            self.give_back(tier, bytes)
        }
        self.list(key);
    }

    /// Gives an allocation to one thread that moves it, or back.
    pub(crate) fn set_moving(&mut self, key: Key, moving: bool) {
        self.unlist(key);
        let entry = self.entry_mut(key);
        debug_assert_ne!(entry.moving, moving);
        entry.moving = moving;
        if moving {
            self.transfers += 1
        } else {
            self.transfers -= 1
        }
        self.list(key);
    }

    /// An account uses an allocation now.
    pub(crate) fn touch(&mut self, key: Key, record: usize) {
        let Self { entries, records, recency, .. } = self;
        let Some(entry) = entries.get_mut(key) else { return };
        let (listed, shared) = (entry.listed, entry.listed_as_shared);
        for place in Place::BOTH {
            if let Some(leaving) = *listed.get(place) {
                let all = recency.get_mut(place).get_mut(leaving);
                all.touch(&mut OfAll(entries, place), key);
                if let Some(account) = records.get_mut(record) {
                    let list = account.recency_mut(place, shared).get_mut(leaving);
                    list.touch(&mut OfRecord(entries, place, record), key);
                }
            }
        }
    }

    /// Puts an allocation at the newest end of every list that it belongs to.
    fn list(&mut self, key: Key) {
        let Self { entries, records, recency, .. } = self;
        let Some(entry) = entries.get_mut(key) else { return };
        let shared = entry.holders.len() > 1;
        let listed =
            Both { device: entry.leaving(Place::Device), host: entry.leaving(Place::Host) };
        entry.listed = listed;
        entry.listed_as_shared = shared;
        for place in Place::BOTH {
            let Some(leaving) = *listed.get(place) else { continue };
            recency.get_mut(place).get_mut(leaving).push(&mut OfAll(entries, place), key);
            for_each_holder(entries, key, |entries, holder| {
                if let Some(record) = records.get_mut(holder) {
                    let list = record.recency_mut(place, shared).get_mut(leaving);
                    list.push(&mut OfRecord(entries, place, holder), key);
                }
            });
        }
    }

    /// Takes an allocation out of every list. Whatever decides on its lists may
    /// change only while it is in none.
    fn unlist(&mut self, key: Key) {
        let Self { entries, records, recency, .. } = self;
        let Some(entry) = entries.get_mut(key) else { return };
        let listed = std::mem::take(&mut entry.listed);
        let shared = entry.listed_as_shared;
        for place in Place::BOTH {
            let Some(leaving) = *listed.get(place) else { continue };
            recency.get_mut(place).get_mut(leaving).remove(&mut OfAll(entries, place), key);
            for_each_holder(entries, key, |entries, holder| {
                if let Some(record) = records.get_mut(holder) {
                    let list = record.recency_mut(place, shared).get_mut(leaving);
                    list.remove(&mut OfRecord(entries, place, holder), key);
                }
            });
        }
    }
}

/// Calls `each` with the record of every holder of an entry.
fn for_each_holder<C>(
    entries: &mut Slab<Entry<C>>,
    key: Key,
    mut each: impl FnMut(&mut Slab<Entry<C>>, usize),
) {
    let mut index = 0;
    while let Some(holder) = entries.get(key).and_then(|entry| entry.holders.get(index)) {
        let record = holder.record;
        each(entries, record);
        index += 1;
    }
}

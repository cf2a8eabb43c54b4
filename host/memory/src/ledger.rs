//! The books: what every tier holds, who is charged for it, and in which order
//! it was used.
//!
//! All of it changes here and nowhere else, so that a charge cannot differ from
//! the bytes it stands for, and no count can pass a limit unseen. The ledger
//! moves nothing and knows no device: it can be read, and tested, as arithmetic.

use slab::Slab;
use smallvec::SmallVec;

use crate::entry::{AllocationId, Entry, Holder, NO_GROUP, Range};
use crate::group::Groups;
use crate::list::Key;
use crate::record::Record;
use crate::{Account, AccountUse, Limits, PerTier, Residency, Rules, Tier, TierUse};

pub(crate) struct Ledger<C> {
    pub(crate) entries: Slab<Entry<C>>,
    pub(crate) records: Slab<Record>,
    limits: PerTier<u64>,
    /// What the machine lets the host use, when that is less than its limit: something
    /// leaves above it, but nothing fails.
    pub(crate) ceilings: PerTier<u64>,
    used: PerTier<u64>,
    peak: PerTier<u64>,
    /// Bytes of the device that leases reserved, for outputs and workspaces.
    pub(crate) reserved: u64,
    /// Bytes of allocations whose copy on the device is in use.
    pub(crate) pinned: u64,
    /// Bytes that stand in no file.
    pub(crate) dirty: u64,
    /// Those of them that are on the device.
    pub(crate) dirty_on_device: u64,
    /// Bytes that only shelves hold.
    pub(crate) shelved: u64,
    /// Counts admissions, and marks the inputs of the one at hand.
    pub(crate) clock: u64,
    /// Live leases.
    pub(crate) leases: usize,
    /// Copies, reads and drops that run without the lock.
    pub(crate) transfers: usize,
    /// Bytes that are about to have left the device.
    pub(crate) leaving: u64,
    /// What leaves together.
    pub(crate) groups: Groups,
    /// Counts walks, and marks what the one at hand found.
    pub(crate) walks: u64,
    next_id: u64,
    /// The most that was in use since a meter began.
    meters: Slab<PerTier<u64>>,
}

impl<C> Ledger<C> {
    pub(crate) fn new(limits: Limits, spill: u64, rules: Rules) -> Self {
        let limits = PerTier { device: limits.device, host: limits.host, disk: spill };
        Self {
            entries: Slab::new(),
            records: Slab::new(),
            limits,
            ceilings: limits,
            used: PerTier::default(),
            peak: PerTier::default(),
            reserved: 0,
            pinned: 0,
            dirty: 0,
            dirty_on_device: 0,
            shelved: 0,
            clock: 0,
            leases: 0,
            transfers: 0,
            leaving: 0,
            groups: Groups::new(rules),
            walks: 0,
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
            .map(|(index, Record { account, charge, quota, .. })| AccountUse {
                id: account.id(),
                name: account.name().to_owned(),
                charge: *charge,
                quota: *quota,
                share: self.share(index),
            })
            .collect();
        uses.sort_by_key(|account| account.id);
        uses
    }

    // Bytes.

    /// The limit of a tier.
    pub(crate) fn limit(&self, tier: Tier) -> u64 {
        *self.limits.get(tier)
    }

    pub(crate) fn used(&self, tier: Tier) -> u64 {
        *self.used.get(tier)
    }

    /// Bytes of the device that hold no weights: activations, outputs, workspaces.
    pub(crate) fn besides_weights(&self) -> u64 {
        self.reserved.saturating_add(self.dirty_on_device)
    }

    /// Bytes over a tier's limit if `more` were used.
    pub(crate) fn over_limit(&self, tier: Tier, more: u64) -> u64 {
        self.used(tier).saturating_add(more).saturating_sub(self.limit(tier))
    }

    /// Bytes over what the machine can give if `more` were used.
    pub(crate) fn over_ceiling(&self, tier: Tier, more: u64) -> u64 {
        let ceiling = *self.ceilings.get(tier);
        self.used(tier).saturating_add(more).saturating_sub(ceiling)
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
            disk: one(Tier::Disk, Some(self.limits.disk)),
        }
    }

    /// Counts bytes of a tier as used. Every use of a tier goes through here, and
    /// no caller may come here before it saw that there is room.
    fn take(&mut self, tier: Tier, bytes: u64) {
        // Limits are far below the largest number.
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
        debug_assert!(self.used.disk <= self.limits.disk, "the spill limit is a limit");
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
            pins: PerTier::default(),
            holders: SmallVec::new(),
            shelves: 0,
            lost: false,
            keep: PerTier::default(),
            group: NO_GROUP,
            came_early: false,
            marked: u64::MAX,
            walked: 0,
            listed: PerTier::default(),
            listed_as_shared: false,
        });
        for tier in Tier::ALL {
            if *on.get(tier) {
                self.take(tier, self.entry(key).bytes_on(tier));
            }
        }
        if !self.entry(key).is_clean() {
            self.dirty += bytes;
            if on.device {
                self.dirty_on_device += bytes;
            }
        }
        self.hold(key, record);
        key
    }

    /// Forgets an allocation that nobody holds or moves. What it takes of the
    /// tiers stays counted until [`Ledger::freed`].
    pub(crate) fn remove(&mut self, key: Key) -> Entry<C> {
        let entry = self.entries.remove(key);
        debug_assert!(entry.holders.is_empty() && !entry.moving);
        if !entry.is_clean() {
            if !entry.lost {
                self.dirty -= entry.bytes;
            }
            if entry.on.device {
                self.dirty_on_device -= entry.bytes;
            }
        }
        entry
    }

    /// Bytes of removed allocations are free now.
    pub(crate) fn freed(&mut self, bytes: PerTier<u64>) {
        for tier in Tier::ALL {
            self.give_back(tier, *bytes.get(tier));
        }
    }

    /// One more hold of an account on an allocation; the first one is charged.
    pub(crate) fn hold(&mut self, key: Key, record: usize) {
        let entry = self.entry_mut(key);
        let was_shelved = entry.is_shelved();
        if !was_shelved && let Some(holder) = entry.holder_mut(record) {
            holder.holds += 1;
            return;
        }
        self.unlist(key);
        let entry = self.entry_mut(key);
        let (on, bytes) = (entry.on, entry.bytes);
        match entry.holder_mut(record) {
            Some(holder) => holder.holds += 1,
            None => {
                entry.holders.push(Holder { record, holds: 1, links: PerTier::default() });
                for tier in Tier::ALL {
                    if *on.get(tier) {
                        self.charge(record, tier, self.entry(key).bytes_on(tier));
                    }
                }
            }
        }
        if was_shelved {
            self.shelved -= bytes;
        }
        self.list(key);
    }

    /// One hold less; the last one gives the charge back. Whether nobody holds it now.
    pub(crate) fn unhold(&mut self, key: Key, record: usize) -> bool {
        let entry = self.entry_mut(key);
        let was_shelved = entry.is_shelved();
        let shelves = entry.shelves;
        match entry.holder_mut(record) {
            Some(holder) if holder.holds > 1 && shelves == 0 => {
                holder.holds -= 1;
                return false;
            }
            Some(_) => {}
            None => return entry.holders.is_empty(),
        }
        self.unlist(key);
        let entry = self.entry_mut(key);
        let (on, bytes) = (entry.on, entry.bytes);
        let mut gone = false;
        if let Some(holder) = entry.holder_mut(record) {
            holder.holds -= 1;
            gone = holder.holds == 0;
        }
        if gone {
            entry.holders.retain(|holder| holder.record != record);
        }
        let (unheld, is_shelved) = (entry.holders.is_empty(), entry.is_shelved());
        if gone {
            for tier in Tier::ALL {
                if *on.get(tier) {
                    self.discharge(record, tier, self.entry(key).bytes_on(tier));
                }
            }
        }
        match (was_shelved, is_shelved) {
            (false, true) => self.shelved += bytes,
            (true, false) => self.shelved -= bytes,
            _ => {}
        }
        self.list(key);
        unheld
    }

    /// One hold of those that there are is a shelf's from now on, or no longer.
    pub(crate) fn shelve(&mut self, key: Key, on_shelf: bool) {
        self.unlist(key);
        let entry = self.entry_mut(key);
        let (bytes, was_shelved) = (entry.bytes, entry.is_shelved());
        entry.shelves = if on_shelf { entry.shelves + 1 } else { entry.shelves.saturating_sub(1) };
        match (was_shelved, entry.is_shelved()) {
            (false, true) => self.shelved += bytes,
            (true, false) => self.shelved -= bytes,
            _ => {}
        }
        self.list(key);
    }

    /// Has an allocation stay on a tier where it can, or no longer. Whether that is new.
    pub(crate) fn keep(&mut self, key: Key, tier: Tier, keep: bool) -> bool {
        let is_new = *self.entry(key).keep.get(tier) != keep;
        if is_new {
            self.unlist(key);
            *self.entry_mut(key).keep.get_mut(tier) = keep;
            self.list(key);
        }
        is_new
    }

    /// The bytes of an allocation are nowhere any more.
    pub(crate) fn lose(&mut self, key: Key) {
        let entry = self.entry_mut(key);
        debug_assert!(!entry.is_clean() && !entry.lost);
        // The last shelf may have gone meanwhile.
        let was_shelved = entry.is_shelved();
        entry.lost = true;
        let bytes = entry.bytes;
        if was_shelved {
            self.shelved -= bytes;
        }
        self.dirty -= bytes;
    }

    /// One more user of the copy on a tier, which stays there meanwhile.
    pub(crate) fn pin(&mut self, key: Key, tier: Tier) {
        let entry = self.entry_mut(key);
        let pins = entry.pins.get_mut(tier);
        *pins += 1;
        if tier == Tier::Device && *pins == 1 {
            let bytes = entry.bytes;
            self.pinned += bytes;
        }
    }

    pub(crate) fn unpin(&mut self, key: Key, tier: Tier) {
        let entry = self.entry_mut(key);
        let pins = entry.pins.get_mut(tier);
        *pins -= 1;
        if tier == Tier::Device && *pins == 0 {
            let bytes = entry.bytes;
            self.pinned -= bytes;
        }
    }

    /// Counts an allocation on a tier, against every holder.
    pub(crate) fn enter(&mut self, key: Key, tier: Tier) {
        self.set_place(key, tier, true);
    }

    /// Gives back its room on a tier.
    pub(crate) fn leave(&mut self, key: Key, tier: Tier) {
        self.set_place(key, tier, false);
    }

    fn set_place(&mut self, key: Key, tier: Tier, there: bool) {
        self.unlist(key);
        let Self { entries, records, dirty_on_device, .. } = self;
        let Some(entry) = entries.get_mut(key) else { return };
        debug_assert_ne!(*entry.on.get(tier), there);
        *entry.on.get_mut(tier) = there;
        let bytes = entry.bytes_on(tier);
        let moved = |count: u64| {
            if there { count.wrapping_add(bytes) } else { count.wrapping_sub(bytes) }
        };
        for holder in &entry.holders {
            if let Some(record) = records.get_mut(holder.record) {
                let charge = record.charge.get_mut(tier);
                *charge = moved(*charge);
            }
        }
        if tier == Tier::Device && !entry.is_clean() {
            *dirty_on_device = moved(*dirty_on_device);
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

    /// What an account may take of the device before others lose for it: its bytes, or its
    /// weight's part among the accounts that use the device.
    pub(crate) fn share(&self, record: usize) -> u64 {
        let Some(account) = self.records.get(record) else { return 0 };
        if let Some(share) = account.share {
            return share;
        }
        let uses = |index: usize, other: &Record| index == record || other.charge.device > 0;
        let (mut weights, mut given) = (0_u64, 0_u64);
        for (_, other) in self.records.iter().filter(|(index, other)| uses(*index, other)) {
            match other.share {
                Some(share) => given = given.saturating_add(share),
                None => weights += u64::from(other.weight),
            }
        }
        let rest = u128::from(self.limits.device.saturating_sub(given));
        let part = rest * u128::from(account.weight) / u128::from(weights.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

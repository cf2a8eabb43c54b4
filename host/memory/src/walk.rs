//! The order in which allocations are asked to leave a tier.
//!
//! **Whose.** For a quota, the account's own. For the device as a whole, first what is worth
//! nothing to anybody: results that are only kept in case somebody asks, and models that
//! no node needs any more. Then those of accounts that have more than their fair share, the one with most too much first and
//! only down to its share; then those of the account that asks; others last. So a
//! storm of allocations falls on whoever raised it.
//!
//! **Which.** Results that are only kept in case somebody asks. Then what costs a drop:
//! models that no node needs any more, then idle ones, the one that the graph
//! needs last and that was used longest ago first, then the running one, **the most recently
//! used weight first**: its calls walk the same weights in the same order, so the one just
//! used is the one needed last, and the one unused for longest is the very next. Taking
//! the oldest would move all of them at every call. Then what costs a copy, the least
//! recently used first: those are intermediate results, and those just made are
//! about to be read. What somebody wants to keep comes last of all.

use std::cmp::Reverse;

use smallvec::SmallVec;

use crate::Tier;
use crate::entry::Class;
use crate::ledger::Ledger;
use crate::list::{Key, List};
use crate::record::Lists;

/// Which copies may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// What costs little: it is a wish, not a need.
    Wish,
    /// All but what somebody wants to keep.
    Asked,
    /// Anything: an operation cannot run otherwise.
    Must,
}

/// Goes through what may leave a tier. Valid while the lock is held.
pub(crate) struct Walk {
    tier: Tier,
    need: Need,
    parts: Vec<Part>,
    at: usize,
    /// Bytes that may still leave, by stage.
    budgets: SmallVec<[u64; 4]>,
    clock: u64,
}

/// The lists of a class.
type Choose = fn(&Lists) -> SmallVec<[List; 2]>;

/// A list, as far as it was walked.
struct Part {
    record: usize,
    stage: usize,
    next: Option<Key>,
    newest_first: bool,
}

impl Walk {
    /// What may leave the device for an operation of an account that needs `coming` bytes more.
    pub(crate) fn device<C>(ledger: &mut Ledger<C>, asker: usize, coming: u64, need: Need) -> Self {
        let mut over: SmallVec<[(u64, usize); 8]> = SmallVec::new();
        let mut others: SmallVec<[(u64, usize); 8]> = SmallVec::new();
        for (index, record) in &ledger.records {
            let used = record.charge.device;
            let coming = if index == asker { coming } else { 0 };
            let most = used.saturating_add(coming).saturating_sub(ledger.share(index));
            if most > 0 {
                over.push((most, index));
            }
            if index != asker && used > 0 {
                others.push((used, index));
            }
        }
        over.sort_unstable_by_key(|&(most, index)| (Reverse(most), index));
        others.sort_unstable_by_key(|&(used, index)| (Reverse(used), index));
        let mut walk = Self::new(ledger, Tier::Device, need);
        walk.worthless(ledger);
        for (most, record) in over {
            walk.stage(ledger, record, most);
        }
        walk.stage(ledger, asker, u64::MAX);
        // A wish takes nothing from who has no more than its share.
        if need != Need::Wish {
            for &(_, record) in &others {
                walk.stage(ledger, record, u64::MAX);
            }
        }
        if need == Need::Must {
            walk.kept(ledger, asker);
            for (_, record) in others {
                walk.kept(ledger, record);
            }
        }
        walk
    }

    /// What may leave the device of what an account holds; what it shares with
    /// others comes last.
    pub(crate) fn device_of<C>(ledger: &mut Ledger<C>, record: usize, need: Need) -> Self {
        let mut walk = Self::new(ledger, Tier::Device, need);
        walk.stage(ledger, record, u64::MAX);
        if need == Need::Must {
            walk.kept(ledger, record);
        }
        walk
    }

    /// What may leave the host or the spill file, of an account or of all.
    pub(crate) fn lower<C>(
        ledger: &mut Ledger<C>,
        tier: Tier,
        record: Option<usize>,
        need: Need,
    ) -> Self {
        let mut records: SmallVec<[(u64, usize); 8]> = ledger
            .records
            .iter()
            .filter(|(index, _)| record.is_none_or(|record| record == *index))
            .map(|(index, record)| {
                (
                    record.charge.get(tier) / u64::from(record.weight.max(1)),
                    index,
                    *record.charge.get(tier),
                )
            })
            .filter(|(_, _, charge)| *charge > 0)
            .map(|(relative, index, _)| (relative, index))
            .collect();
        records.sort_unstable_by_key(|&(charge, index)| (Reverse(charge), index));
        let mut walk = Self::new(ledger, tier, need);
        walk.budgets.push(u64::MAX);
        // The cheapest of all accounts first, not of each.
        let classes: &[Choose] = &[
            |lists| lists.free.iter().map(|(_, list)| *list).collect(),
            |lists| SmallVec::from_slice(&[lists.shelved]),
            |lists| SmallVec::from_slice(&[lists.costly, lists.last]),
            |lists| SmallVec::from_slice(&[lists.kept]),
        ];
        let classes = match need {
            Need::Wish => classes.get(..1),
            Need::Asked => classes.get(..3),
            Need::Must => Some(classes),
        };
        for class in classes.unwrap_or_default() {
            for &(_, index) in &records {
                let Some(record) = ledger.records.get(index) else { continue };
                for lists in [record.own.get(tier), record.shared.get(tier)] {
                    for list in class(lists) {
                        walk.part(index, list, false);
                    }
                }
            }
        }
        walk
    }

    fn new<C>(ledger: &mut Ledger<C>, tier: Tier, need: Need) -> Self {
        ledger.walks += 1;
        let (parts, budgets) = (Vec::new(), SmallVec::new());
        Self { tier, need, parts, at: 0, budgets, clock: ledger.walks }
    }

    /// Up to `budget` bytes of an account's, but not what is kept.
    fn stage<C>(&mut self, ledger: &Ledger<C>, index: usize, budget: u64) {
        let Some(record) = ledger.records.get(index) else { return };
        self.budgets.push(budget);
        for lists in [&record.own.device, &record.shared.device] {
            self.part(index, lists.shelved, false);
            let mut groups: SmallVec<[_; 8]> = lists
                .free
                .iter()
                .filter(|(_, list)| !list.is_empty())
                .map(|(group, list)| (ledger.groups.standing(*group), *list))
                .filter(|(standing, _)| !standing.never)
                .collect();
            groups.sort_by_key(|(standing, _)| standing.order());
            for (_, list) in groups {
                self.part(index, list, true);
            }
            self.part(index, lists.costly, false);
        }
    }

    /// What nobody needs, whoever holds it.
    fn worthless<C>(&mut self, ledger: &Ledger<C>) {
        self.budgets.push(u64::MAX);
        for (index, record) in &ledger.records {
            for lists in [&record.own.device, &record.shared.device] {
                self.part(index, lists.shelved, false);
                for (group, list) in &lists.free {
                    if ledger.groups.standing(*group).is_worthless() {
                        self.part(index, *list, true);
                    }
                }
            }
        }
    }

    /// What an account has on the device that somebody wants to keep there.
    fn kept<C>(&mut self, ledger: &Ledger<C>, index: usize) {
        let Some(record) = ledger.records.get(index) else { return };
        self.budgets.push(u64::MAX);
        for lists in [&record.own.device, &record.shared.device] {
            for (group, list) in &lists.free {
                if ledger.groups.standing(*group).never {
                    self.part(index, *list, true);
                }
            }
            self.part(index, lists.kept, true);
        }
    }

    fn part(&mut self, record: usize, list: List, newest_first: bool) {
        let next = if newest_first { list.newest() } else { list.oldest() };
        if next.is_some() {
            let stage = self.budgets.len().saturating_sub(1);
            self.parts.push(Part { record, stage, next, newest_first });
        }
    }

    /// The next one that may leave: nobody uses it there, and the admission at
    /// hand does not need it. Passes over as many as running operations use, at most.
    pub(crate) fn next<C>(&mut self, ledger: &mut Ledger<C>) -> Option<Key> {
        loop {
            let part = self.parts.get_mut(self.at)?;
            let budget = self.budgets.get_mut(part.stage)?;
            let Some(key) = part.next.filter(|_| *budget > 0) else {
                self.at += 1;
                continue;
            };
            let clock = ledger.clock;
            let entry = ledger.entry_mut(key);
            let links = entry.holder(part.record).map(|holder| *holder.links.get(self.tier));
            part.next = links
                .and_then(|links| if part.newest_first { links.older() } else { links.newer() });
            // What the admission at hand reads from the host may also come from its file,
            // but that is dearer than a wish, and what is nowhere else must stay.
            let needed = entry.marked == clock
                && (self.tier == Tier::Device
                    || self.need == Need::Wish
                    || matches!(entry.listed.get(self.tier), Some(Class::Last | Class::Shelved)));
            if needed || *entry.pins.get(self.tier) > 0 || entry.walked == self.clock {
                continue;
            }
            entry.walked = self.clock;
            *budget = budget.saturating_sub(entry.bytes);
            return Some(key);
        }
    }
}

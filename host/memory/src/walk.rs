//! The order in which allocations are asked to leave.
//!
//! **Clean before dirty**, since leaving is then a drop. **Among clean bytes on
//! the device, the most recently used first**: a sampler walks the same weights
//! in the same order at every step, so the one used longest ago is the one
//! needed next, and taking it would move all of them, at every step. Taking the
//! newest keeps one part where it is and moves only what does not fit. **Among
//! dirty bytes, the least recently used first**: they are intermediate results,
//! and those just made are those about to be read.
//!
//! On the host, clean copies go before second copies of dirty bytes, and both
//! in the order of their last use.

use crate::entry::Place;
use crate::ledger::Ledger;
use crate::list::Key;
use crate::record::Recency;

/// Goes through what may leave a place. It borrows nothing, so that what it
/// gave can be moved before it goes on.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    place: Place,
    /// Whose lists: an account's, or those of all.
    record: Option<usize>,
    /// On the host only.
    copies: Copies,
    stage: Stage,
    next: Option<Key>,
}

/// Which host copies may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copies {
    /// Clean ones that the admission at hand does not read. The others are worth
    /// more than a low watermark: dropping one costs a copy later.
    Spare,
    /// Also second copies of dirty bytes, and what the admission would have
    /// read from the host and can read from its file.
    Any,
}

/// The lists, in the order in which they are gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Begin,
    Free,
    Costly,
    SharedFree,
    SharedCostly,
    End,
}

impl Walk {
    /// What may leave the device, over all accounts.
    pub(crate) fn device() -> Self {
        Self::new(Place::Device, None, Copies::Spare)
    }

    /// What may leave the device of what an account holds; what it shares with
    /// others comes last.
    pub(crate) fn device_of(record: usize) -> Self {
        Self::new(Place::Device, Some(record), Copies::Spare)
    }

    /// What may leave the host, of an account or of all.
    pub(crate) fn host(record: Option<usize>, copies: Copies) -> Self {
        Self::new(Place::Host, record, copies)
    }

    fn new(place: Place, record: Option<usize>, copies: Copies) -> Self {
        Self { place, record, copies, stage: Stage::Begin, next: None }
    }

    /// The next one that may leave: nobody uses it there, and the admission at
    /// hand does not need it. Passes over as many as running operations use, at most.
    pub(crate) fn next<C>(&mut self, ledger: &Ledger<C>) -> Option<Key> {
        loop {
            let Some(key) = self.next else {
                if self.stage == Stage::End {
                    return None;
                }
                self.enter_stage(ledger);
                continue;
            };
            let entry = ledger.entry(key);
            let link = match self.record {
                Some(record) => entry.holder(record).map(|holder| holder.links),
                None => Some(entry.links),
            };
            self.next = link.and_then(|links| {
                let link = links.get(self.place);
                if self.newest_first() { link.older() } else { link.newer() }
            });
            let needed = entry.marked == ledger.clock
                && (self.place == Place::Device || self.copies == Copies::Spare);
            if !needed && *entry.pins.get(self.place) == 0 {
                return Some(key);
            }
        }
    }

    fn newest_first(&self) -> bool {
        self.place == Place::Device && matches!(self.stage, Stage::Free | Stage::SharedFree)
    }

    fn enter_stage<C>(&mut self, ledger: &Ledger<C>) {
        self.stage = match self.stage {
            Stage::Begin => Stage::Free,
            Stage::Free => Stage::Costly,
            Stage::Costly if self.record.is_some() => Stage::SharedFree,
            Stage::SharedFree => Stage::SharedCostly,
            Stage::Costly | Stage::SharedCostly | Stage::End => Stage::End,
        };
        let all = Some(&ledger.recency);
        let of_record = self.record.and_then(|record| ledger.records.get(record));
        let recency: Option<&Recency> = match self.stage {
            Stage::Begin | Stage::End => None,
            Stage::Free | Stage::Costly => {
                if self.record.is_some() {
                    of_record.map(|record| &record.own)
                } else {
                    all
                }
            }
            Stage::SharedFree | Stage::SharedCostly => of_record.map(|record| &record.shared),
        }
        .map(|both| both.get(self.place));
        self.next = recency.and_then(|recency| match self.stage {
            Stage::Free | Stage::SharedFree if self.newest_first() => recency.free.newest(),
            Stage::Free | Stage::SharedFree => recency.free.oldest(),
            _ if self.place == Place::Host && self.copies == Copies::Spare => None,
            _ => recency.costly.oldest(),
        });
    }
}

//! One allocation, as the ledger sees it: what it weighs, where it is, who
//! holds it, and what it takes to leave.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::list::Link;
use crate::{PerTier, Residency, Source, Tier};

/// Which allocation: unique in its memory, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationId(pub(crate) u64);

impl fmt::Display for AllocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Allocations that leave together: what the calls of one site use.
pub(crate) type GroupId = u64;

/// The block of the spill file, in bytes.
const SPILL_BLOCK: u64 = 4096;

/// What bytes take of the spill file: they lie in whole blocks.
pub(crate) fn spilled(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(SPILL_BLOCK).unwrap_or(u64::MAX)
}

/// Marks the part of a group that comes and goes while the rest stays.
pub(crate) const STREAMED: GroupId = 1 << 63;

/// What belongs to no site.
pub(crate) const NO_GROUP: GroupId = 0;

/// How dear it is that a copy leaves its tier. Each has a list of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Bytes that are only kept in case somebody asks, and would have to move or be lost.
    Shelved,
    /// A drop: the bytes stand in a model file or on a lower tier. With the group
    /// whose call used them last.
    Free(GroupId),
    /// A copy to a lower tier, now or, on the host for bytes that are on the device too, later.
    Costly,
    /// A write to the spill file: the host is the last place that has the bytes.
    Last,
    /// As one of the others, but somebody wants it to stay.
    Kept,
}

/// A range of a source.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) offset: u64,
}

/// An account that holds an allocation.
#[derive(Debug)]
pub(crate) struct Holder {
    /// Its record in the ledger.
    pub(crate) record: usize,
    /// Its handles, leases and shelves.
    pub(crate) holds: u32,
    /// The links of the account's lists.
    pub(crate) links: PerTier<Link>,
}

/// One allocation; `C` is what the ledger need not understand: the bytes themselves.
pub(crate) struct Entry<C> {
    pub(crate) id: AllocationId,
    pub(crate) bytes: u64,
    pub(crate) origin: Option<Range>,
    pub(crate) content: C,
    /// Where room for it is counted: a copy is there, arrives, or is about to go.
    pub(crate) on: Residency,
    /// Whether a thread moves it. Then nobody else may use, move or list it.
    pub(crate) moving: bool,
    /// Users of the copy in a tier, which therefore stays.
    pub(crate) pins: PerTier<u32>,
    /// Those who are charged. Nearly always one.
    pub(crate) holders: SmallVec<[Holder; 1]>,
    /// How many of all holds only keep it on a shelf.
    pub(crate) shelves: u32,
    /// Whether its bytes are nowhere any more. Only shelves can hold it then.
    pub(crate) lost: bool,
    /// Tiers that it should not leave by itself.
    pub(crate) keep: PerTier<bool>,
    /// Whose call used it last; with [`STREAMED`] if its plan has it come and go.
    pub(crate) group: GroupId,
    /// Whether it was brought to the device before it was needed, and was not used yet.
    pub(crate) came_early: bool,
    /// The ledger's clock when a lease last looked at it.
    pub(crate) marked: u64,
    /// The ledger's clock when a walk last found it.
    pub(crate) walked: u64,
    /// Which lists it is in.
    pub(crate) listed: PerTier<Option<Class>>,
    /// Whether it is in its holders' lists of shared allocations.
    pub(crate) listed_as_shared: bool,
}

impl<C> Entry<C> {
    /// What it takes to leave a tier; `None` when it is not there, moves
    /// already, or has nowhere else to be.
    pub(crate) fn class(&self, tier: Tier) -> Option<Class> {
        if self.moving || self.holders.is_empty() || !*self.on.get(tier) {
            return None;
        }
        let class = match (tier, self.is_clean()) {
            (Tier::Device, true) => Class::Free(self.group),
            (Tier::Host, true) => Class::Free(NO_GROUP),
            (Tier::Device, false) if self.on.host || self.on.disk => Class::Free(NO_GROUP),
            (Tier::Host, false) if self.on.disk => Class::Free(NO_GROUP),
            (Tier::Disk, _) if self.on.device || self.on.host => Class::Free(NO_GROUP),
            (Tier::Device | Tier::Disk, _) if self.is_shelved() => Class::Shelved,
            (Tier::Device, _) => Class::Costly,
            (Tier::Disk, _) => return None,
            (Tier::Host, _) if self.on.device => Class::Costly,
            (Tier::Host, _) if self.is_shelved() => Class::Shelved,
            (Tier::Host, _) => Class::Last,
        };
        Some(if *self.keep.get(tier) { Class::Kept } else { class })
    }

    /// What it takes of a tier: spilled bytes lie in whole blocks.
    pub(crate) fn bytes_on(&self, tier: Tier) -> u64 {
        match tier {
            Tier::Device | Tier::Host => self.bytes,
            Tier::Disk => spilled(self.bytes),
        }
    }

    /// Whether its bytes stand in a model file.
    pub(crate) fn is_clean(&self) -> bool {
        self.origin.is_some()
    }

    /// Whether nobody holds it but shelves.
    pub(crate) fn is_shelved(&self) -> bool {
        !self.lost
            && self.shelves > 0
            && self.holders.iter().map(|holder| holder.holds).fold(0, u32::saturating_add)
                == self.shelves
    }

    /// Whether a tier has the only copy.
    pub(crate) fn is_alone_on(&self, tier: Tier) -> bool {
        !self.is_clean() && Tier::ALL.iter().all(|&other| (other == tier) == *self.on.get(other))
    }

    pub(crate) fn holder(&self, record: usize) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.record == record)
    }

    pub(crate) fn holder_mut(&mut self, record: usize) -> Option<&mut Holder> {
        self.holders.iter_mut().find(|holder| holder.record == record)
    }
}

//! One allocation, as the ledger sees it: what it weighs, where it is, who
//! holds it, and whether it can leave.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::list::Link;
use crate::{Residency, Source, Tier};

/// Which allocation: unique in its memory, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationId(pub(crate) u64);

impl fmt::Display for AllocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A tier that bytes can leave. Disk is none: a model file is where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Device,
    Host,
}

impl Place {
    pub(crate) const BOTH: [Place; 2] = [Place::Device, Place::Host];

    pub(crate) fn tier(self) -> Tier {
        match self {
            Place::Device => Tier::Device,
            Place::Host => Tier::Host,
        }
    }
}

/// One value for each place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Both<T> {
    pub(crate) device: T,
    pub(crate) host: T,
}

impl<T> Both<T> {
    pub(crate) fn get(&self, place: Place) -> &T {
        match place {
            Place::Device => &self.device,
            Place::Host => &self.host,
        }
    }

    pub(crate) fn get_mut(&mut self, place: Place) -> &mut T {
        match place {
            Place::Device => &mut self.device,
            Place::Host => &mut self.host,
        }
    }
}

/// What it takes to leave a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// Nothing: the bytes stand in a model file. On the device also when the
    /// host has a copy.
    Free,
    /// Work, now or later. From the device: a copy to the host. From the host,
    /// for dirty bytes that are on the device too: the copy when they leave it.
    Costly,
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
    /// Its handles and leases.
    pub(crate) holds: u32,
    /// The links of the account's recency lists.
    pub(crate) links: Both<Link>,
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
    /// Users of the copy in a place, which therefore stays.
    pub(crate) pins: Both<u32>,
    /// Those who are charged. Nearly always one.
    pub(crate) holders: SmallVec<[Holder; 1]>,
    /// The ledger's clock when a lease last looked at it.
    pub(crate) marked: u64,
    /// The links of the recency lists of all, and which lists it is in.
    pub(crate) links: Both<Link>,
    pub(crate) listed: Both<Option<Leaving>>,
    /// Whether it is in its holders' lists of shared allocations.
    pub(crate) listed_as_shared: bool,
}

impl<C> Entry<C> {
    /// What it takes to leave a place; `None` when it is not there, moves
    /// already, or has nowhere else to be.
    pub(crate) fn leaving(&self, place: Place) -> Option<Leaving> {
        if self.moving || self.holders.is_empty() {
            return None;
        }
        let clean = self.origin.is_some();
        match place {
            Place::Device if !self.on.device => None,
            Place::Device if clean || self.on.host => Some(Leaving::Free),
            Place::Device => Some(Leaving::Costly),
            Place::Host if !self.on.host => None,
            Place::Host if clean => Some(Leaving::Free),
            Place::Host => self.on.device.then_some(Leaving::Costly),
        }
    }

    pub(crate) fn holder(&self, record: usize) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.record == record)
    }

    pub(crate) fn holder_mut(&mut self, record: usize) -> Option<&mut Holder> {
        self.holders.iter_mut().find(|holder| holder.record == record)
    }
}

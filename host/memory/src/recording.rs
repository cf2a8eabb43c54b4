//! What happened to memory, event by event, for those who want to see it.
//!
//! Off unless asked for. Events go into a vector of bounded length under the lock that is held
//! anyway; what to make of them is decided by whoever takes it.

use std::time::Duration;

use crate::{AccountId, AllocationId, PerTier, Tier};

/// Everything that happened since [`Memory::record`](crate::Memory::record).
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// Names of the accounts in the events.
    pub accounts: Vec<(AccountId, String)>,
    /// In the order in which they ended.
    pub events: Vec<Event>,
    /// Events that found no place any more.
    pub dropped: u64,
}

/// Something that happened. Times are since the recording began.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// An operation ran.
    Lease {
        /// Who leased.
        account: AccountId,
        /// Which thread, in the order of their first lease.
        thread: u32,
        /// When it asked.
        asked: Duration,
        /// When it had everything.
        admitted: Duration,
        /// When it was done.
        ended: Duration,
        /// Bytes of inputs, outputs and workspace.
        bytes: u64,
    },
    /// Bytes were copied or read.
    Move {
        /// Which allocation.
        allocation: AllocationId,
        /// Its first holder.
        account: Option<AccountId>,
        /// Where they came from; `None` is the model file.
        from: Option<Tier>,
        /// Where they went.
        to: Tier,
        /// How many.
        bytes: u64,
        /// When it began.
        began: Duration,
        /// When it ended.
        ended: Duration,
        /// Whether it was done ahead of use, beside the operations.
        ahead: bool,
    },
    /// A copy left a tier.
    Left {
        /// Which allocation.
        allocation: AllocationId,
        /// Its first holder.
        account: Option<AccountId>,
        /// The tier that it left.
        tier: Tier,
        /// Its size.
        bytes: u64,
        /// When.
        at: Duration,
        /// Why.
        why: Why,
    },
    /// What is in use, sampled often enough that no peak is missed by more than a few percent.
    Use {
        /// When.
        at: Duration,
        /// Bytes in use on each tier.
        used: PerTier<u64>,
        /// What each account is charged. Bytes that are shared count for each of them.
        charges: Vec<(AccountId, PerTier<u64>)>,
    },
}

/// Why a copy left a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Others needed the room, or the mode keeps nothing there.
    Evicted,
    /// Its plan has it stream: it comes back before it is needed.
    Streamed,
    /// Somebody asked for it by name.
    Asked,
    /// Its bytes are lost: a cached result that had no place left.
    Lost,
}

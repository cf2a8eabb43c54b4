//! What happened to memory, event by event, for those who want to see it.
//!
//! Off unless asked for. Events go into a vector of bounded length under the lock that is held
//! anyway; what to make of them is decided by whoever takes it.

use std::collections::HashMap;
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use crate::ledger::Ledger;
use crate::list::Key;
use crate::state::State;
use crate::transfer::Exit;
use crate::{AccountId, AccountUse, AllocationId, Device, PerTier, Tier};

/// Everything that happened since [`Memory::record`](crate::Memory::record).
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// When it began; `None` if nothing was recorded.
    pub began: Option<Instant>,
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
    /// Somebody asked for it by name.
    Asked,
    /// Its bytes are lost: a cached result that had no place left.
    Lost,
}

/// How much time passes between two samples of use, unless there is a new peak.
const SAMPLE: Duration = Duration::from_micros(500);

/// Writes a recording.
pub(crate) struct Recorder {
    began: Instant,
    most: usize,
    events: Vec<Event>,
    dropped: u64,
    threads: HashMap<ThreadId, u32>,
    /// When use was last sampled, and the most of each tier then and since.
    sampled: Option<Duration>,
    peak: PerTier<u64>,
}

impl Recorder {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            began: Instant::now(),
            most,
            events: Vec::new(),
            dropped: 0,
            threads: HashMap::new(),
            sampled: None,
            peak: PerTier::default(),
        }
    }

    pub(crate) fn finish(self, accounts: &[AccountUse]) -> Recording {
        Recording {
            began: Some(self.began),
            accounts: accounts.iter().map(|account| (account.id, account.name.clone())).collect(),
            events: self.events,
            dropped: self.dropped,
        }
    }

    fn time(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.began)
    }

    fn push(&mut self, event: Event) {
        if self.events.len() < self.most {
            self.events.push(event);
        } else {
            self.dropped += 1;
        }
    }
}

impl<C> Ledger<C> {
    /// An allocation, its size and its first holder.
    fn whose(&self, key: Key) -> (AllocationId, u64, Option<AccountId>) {
        let entry = self.entry(key);
        let holder = entry.holders.first();
        let record = holder.and_then(|holder| self.records.get(holder.record));
        (entry.id, entry.bytes, record.map(|record| record.account.id()))
    }
}

impl<D: Device> State<D> {
    /// Samples what is in use, if that is due.
    pub(crate) fn note_use(&mut self) {
        let Some(recorder) = &mut self.recorder else { return };
        let at = recorder.time(Instant::now());
        let used = PerTier {
            device: self.ledger.used(Tier::Device),
            host: self.ledger.used(Tier::Host),
            disk: self.ledger.used(Tier::Disk),
        };
        let higher = |tier| {
            *used.get(tier) > recorder.peak.get(tier).saturating_add(recorder.peak.get(tier) / 50)
        };
        let due = recorder.sampled.is_none_or(|last| at.saturating_sub(last) >= SAMPLE);
        if !due && !Tier::ALL.into_iter().any(higher) {
            return;
        }
        for tier in Tier::ALL {
            let peak = recorder.peak.get_mut(tier);
            *peak = (*peak).max(*used.get(tier));
        }
        recorder.sampled = Some(at);
        let charges = self
            .ledger
            .records
            .iter()
            .filter(|(_, record)| record.charge != PerTier::default())
            .map(|(_, record)| (record.account.id(), record.charge))
            .collect();
        recorder.push(Event::Use { at, used, charges });
    }

    pub(crate) fn note_lease(
        &mut self,
        account: AccountId,
        asked: Instant,
        admitted: Instant,
        bytes: u64,
    ) {
        let Some(recorder) = &mut self.recorder else { return };
        let next = u32::try_from(recorder.threads.len()).unwrap_or(u32::MAX);
        let thread = *recorder.threads.entry(std::thread::current().id()).or_insert(next);
        let (asked, admitted) = (recorder.time(asked), recorder.time(admitted));
        let ended = recorder.time(Instant::now());
        recorder.push(Event::Lease { account, thread, asked, admitted, ended, bytes });
        self.note_use();
    }

    /// An allocation left a tier.
    pub(crate) fn note_departure(
        &mut self,
        key: Key,
        tier: Tier,
        exit: Exit,
        why: Why,
        began: Option<Instant>,
    ) {
        let Some(recorder) = &mut self.recorder else { return };
        let (allocation, bytes, account) = self.ledger.whose(key);
        let at = recorder.time(Instant::now());
        if let Exit::To(to) = exit {
            let began = began.map_or(at, |began| recorder.time(began));
            let (from, ahead) = (Some(tier), false);
            recorder.push(Event::Move {
                allocation,
                account,
                from,
                to,
                bytes,
                began,
                ended: at,
                ahead,
            });
        }
        recorder.push(Event::Left { allocation, account, tier, bytes, at, why });
        self.note_use();
    }

    /// An allocation came to the device.
    pub(crate) fn note_arrival(
        &mut self,
        key: Key,
        from: Option<Tier>,
        began: Option<Instant>,
        ahead: bool,
    ) {
        let Some(recorder) = &mut self.recorder else { return };
        let (allocation, bytes, account) = self.ledger.whose(key);
        let ended = recorder.time(Instant::now());
        let began = began.map_or(ended, |began| recorder.time(began));
        let to = Tier::Device;
        recorder.push(Event::Move { allocation, account, from, to, bytes, began, ended, ahead });
        self.note_use();
    }
}

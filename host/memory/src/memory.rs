//! One machine's memory: what makes allocations and leases, and what is known of them.

use std::fmt;
use std::sync::Arc;

use crate::admission::{Request, admit};
use crate::entry::Range;
use crate::handle::Handle;
use crate::lease::Lease;
use crate::offload::{Ahead, OffloadMode};
use crate::recording::Recorder;
use crate::room::{PATIENT_WAITS, carry_out, run_all};
use crate::state::{Content, HostBytes, Shared};
use crate::sync::is_explored;
use crate::transfer::Landing;
use crate::walk::{Need, Walk};
use crate::{
    Account, Call, Cancel, Device, Limits, MemoryError, PerTier, Recording, Setup, Source, Stats,
    Tier, ahead,
};

/// The memory of one device and the host beside it. Clones are the same memory.
pub struct Memory<D: Device>(pub(crate) Arc<Shared<D>>);

impl<D: Device> Clone for Memory<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Device> fmt::Debug for Memory<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl<D: Device> Memory<D> {
    /// A memory in which nothing is yet. The limits hold from here on: this memory
    /// counts every byte of its handles and leases, and never passes them.
    #[must_use]
    pub fn new(device: D, limits: Limits, mode: Box<dyn OffloadMode>) -> Self {
        Self::with(device, Setup::new(limits, mode))
    }

    /// A memory with everything that the operator decides.
    #[must_use]
    pub fn with(device: D, setup: Setup) -> Self {
        // Under a scheduler of tests no thread may run beside its own.
        let alone = is_explored() || ahead::is_rehearsal(&device);
        if setup.mode.ahead() == Ahead::Nothing || alone {
            return Self(Arc::new(Shared::new(device, setup, None)));
        }
        let (bell, listen) = ahead::bell();
        let shared = Arc::new(Shared::new(device, setup, Some(bell)));
        ahead::start(&shared, listen);
        Self(shared)
    }

    /// Opens an account. Two accounts of one name are two accounts.
    #[must_use]
    pub fn account(&self, name: &str) -> Account {
        self.0.lock().ledger.open(name)
    }

    /// The device.
    #[must_use]
    pub fn device(&self) -> &D {
        &self.0.device
    }

    /// What can be in use.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.0.limits
    }

    /// An allocation of bytes that stand in a source. Nothing is read before they are needed.
    ///
    /// The same range of the same `Arc` with the same format is one allocation, whoever asks.
    #[must_use]
    pub fn clean(
        &self,
        account: &Account,
        source: Arc<dyn Source>,
        offset: u64,
        bytes: u64,
        format: D::Format,
    ) -> Handle<D> {
        let range = Range { source, offset };
        let mut state = self.0.lock();
        let record = state.ledger.record(account);
        let key = match state.find_range(&range, bytes, format) {
            Some(key) => {
                state.ledger.hold(key, record);
                key
            }
            None => state.insert_range(record, range, bytes, format),
        };
        let id = state.ledger.entry(key).id;
        drop(state);
        Handle::new(self, account, record, key, id, bytes, format)
    }

    /// An allocation of bytes that stand nowhere else. They begin on the host, where
    /// what can be had again makes room for them, or on disk if the host is too small.
    ///
    /// # Errors
    /// [`MemoryError::OutOfMemory`] or [`MemoryError::QuotaExceeded`] for the host.
    pub fn upload(
        &self,
        account: &Account,
        bytes: Vec<u8>,
        format: D::Format,
    ) -> Result<Handle<D>, MemoryError> {
        let length = bytes.len() as u64;
        // Here, since what is counted is what is used: a vector may have reserved more.
        let shared = &*self.0;
        let bytes = if shared.device.is_ghost(length) { Vec::new() } else { bytes };
        let host = Some(Arc::new(HostBytes(bytes.into_boxed_slice())));
        let mut state = shared.lock();
        let record = state.ledger.record(account);
        // Nothing is needed by an admission at hand.
        state.ledger.tick();
        shared.look_around(&mut state);
        let over = state.ledger.over_ceiling(Tier::Host, length);
        if over > 0 {
            let round = state.give_way(shared, Tier::Host, over);
            drop(state);
            let outcome = run_all(round);
            state = shared.lock();
            if let Err(error) = outcome {
                state.disk_is_to_blame(&error);
                tracing::warn!(%error, "the host does not give way");
            }
        }
        let mut of_disk: Option<MemoryError> = None;
        let mut patience = PATIENT_WAITS;
        loop {
            state.ledger.tick();
            let round = match state.make_host_room(shared, &[record], length, Need::Must) {
                Ok(round) if round.is_empty() => break,
                Ok(round) => round,
                Err(_) if state.ledger.transfers > 0 && patience > 0 => {
                    patience -= 1;
                    state = shared.wait(state);
                    continue;
                }
                Err(error) => match state.make_disk_room(shared, record, length) {
                    None => {
                        drop(state);
                        return Err(of_disk.unwrap_or(error));
                    }
                    Some(round) if round.is_empty() => {
                        let landing = Landing::begin(shared, &mut state, record, length, format);
                        let key = landing.key();
                        let id = state.ledger.entry(key).id;
                        drop(state);
                        // Gives the hold back if it does not land.
                        let handle = Handle::new(self, account, record, key, id, length, format);
                        if let Some(host) = host {
                            landing.run(&host.0)?;
                        }
                        return Ok(handle);
                    }
                    Some(round) => round,
                },
            };
            drop(state);
            state = carry_out(shared, round, &mut of_disk)?;
        }
        let content = Content { host, ..Content::nowhere(format) };
        let on = PerTier { host: true, ..PerTier::default() };
        let key = state.ledger.insert(record, length, None, on, content);
        let id = state.ledger.entry(key).id;
        drop(state);
        Ok(Handle::new(self, account, record, key, id, length, format))
    }

    /// Everything that one operation needs, at once: its inputs on the device, and room
    /// for its outputs and its workspace. Waits until running operations make room, and
    /// holds nothing meanwhile. A thread that already has a lease must not ask for
    /// another: it would wait for itself.
    ///
    /// An input may be given several times; it counts once. Inputs may belong to other
    /// accounts; while the lease lives, the one that leases is charged for them too.
    ///
    /// # Errors
    /// [`MemoryError::QuotaExceeded`] or [`MemoryError::OutOfMemory`] when waiting cannot
    /// help: `requested` is what the operation's distinct inputs, outputs and
    /// workspace take on the device. When it is the host that is short, because dirty
    /// bytes would have to go there, `requested` is the smallest allocation that has no place there.
    /// [`MemoryError::Cancelled`], [`MemoryError::Foreign`], and what the device or a
    /// source said.
    pub fn lease(
        &self,
        account: &Account,
        inputs: &[&Handle<D>],
        outputs: &[(u64, D::Format)],
        workspace: u64,
        cancel: &Cancel,
    ) -> Result<Lease<D>, MemoryError> {
        self.lease_for(None, account, inputs, outputs, workspace, cancel)
    }

    /// [`Memory::lease`] as part of a call, from which the memory learns what comes next.
    ///
    /// # Errors
    /// Those of [`Memory::lease`].
    pub fn lease_for(
        &self,
        call: Option<&Call<D>>,
        account: &Account,
        inputs: &[&Handle<D>],
        outputs: &[(u64, D::Format)],
        workspace: u64,
        cancel: &Cancel,
    ) -> Result<Lease<D>, MemoryError> {
        for input in inputs {
            input.check_home(self)?;
        }
        let reserve = outputs.iter().fold(workspace, |sum, (bytes, _)| sum.saturating_add(*bytes));
        admit(self, &Request { call, account, inputs, outputs, reserve }, cancel)
    }

    /// Begins to record what happens, up to this many events. What was recorded before is gone.
    pub fn record(&self, most: usize) {
        let recorder = Recorder::new(most);
        let old = self.0.lock().recorder.replace(Box::new(recorder));
        drop(old);
    }

    /// Ends recording, and gives what was recorded.
    #[must_use]
    pub fn recording(&self) -> Recording {
        let mut state = self.0.lock();
        let accounts = state.ledger.account_uses();
        let recorder = state.recorder.take();
        drop(state);
        recorder.map(|recorder| recorder.finish(&accounts)).unwrap_or_default()
    }

    /// What an account may take of the device before others lose for it: `weight` parts of
    /// the whole (1 unless set), or `share` bytes.
    pub fn set_share(&self, account: &Account, weight: u32, share: Option<u64>) {
        let mut state = self.0.lock();
        let record = state.ledger.record(account);
        if let Some(record) = state.ledger.records.get_mut(record) {
            record.weight = weight;
            record.share = share;
        }
    }

    /// A snapshot of everything that is counted.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let state = self.0.lock();
        Stats {
            tiers: state.ledger.tier_uses(),
            accounts: state.ledger.account_uses(),
            allocations: state.ledger.entries.len(),
            leases: state.ledger.leases,
            moved: state.moved,
            evictions: state.evictions,
            waits: state.waits,
            shelved: state.ledger.shelved,
            lost: state.lost,
        }
    }

    /// What an account is charged.
    #[must_use]
    pub fn charge(&self, account: &Account) -> PerTier<u64> {
        let mut state = self.0.lock();
        let record = state.ledger.record(account);
        state.ledger.records.get(record).map(|record| record.charge).unwrap_or_default()
    }

    /// Limits what an account is charged on a tier, or no longer.
    ///
    /// An account that is over its device quota loses allocations to a lower tier, now and
    /// at each of its operations: its own first, then those that it shares and nobody uses
    /// at the moment, as its operation could not run otherwise. What only others hold never
    /// moves for it. Others can bring an allocation to the device that it shares; it answers
    /// for that at its own next operation. Over its host quota its dirty
    /// bytes are spilled, and over its quota on disk they stay where they are.
    pub fn set_quota(&self, account: &Account, tier: Tier, bytes: Option<u64>) {
        let shared = &*self.0;
        let mut state = shared.lock();
        let record = state.ledger.record(account);
        if let Some(record) = state.ledger.records.get_mut(record) {
            *record.quota.get_mut(tier) = bytes;
        }
        // A larger quota may be what somebody waits for.
        shared.changed(&state);
        loop {
            state.ledger.tick();
            let over = state.ledger.over_quota(record, Tier::Device, 0);
            if over == 0 || !state.may_leave() {
                return;
            }
            let walk = Walk::device_of(&mut state.ledger, record, Need::Must);
            let Ok(round) = state.make_room(shared, record, walk, over, Need::Must) else {
                return;
            };
            drop(state);
            if let Err(error) = run_all(round) {
                tracing::warn!(%error, account = account.name(), "over its quota for now");
                return;
            }
            state = shared.lock();
        }
    }
}

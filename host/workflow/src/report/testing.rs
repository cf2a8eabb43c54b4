//! Recordings made by hand.

use std::time::Duration;

use berth_compute::{Compute, DType};
use berth_memory::{
    Account, AllocationId, Event, Limits, OffloadModeName, PerTier, Recording, Stats, Tier, Why,
    offload,
};

use super::timeline::{End, NodeSpan};

/// Limits of the device and the host in [`Maker::stats`].
const LIMITS: Limits = Limits { device: 1000, host: 5000 };

/// Makes a recording. Times are milliseconds.
pub(crate) struct Maker {
    compute: Compute,
    accounts: Vec<Account>,
    allocation: AllocationId,
    recording: Recording,
}

impl Maker {
    pub(crate) fn new(accounts: &[&str]) -> Self {
        let compute = Compute::new(LIMITS, offload::mode(OffloadModeName::None));
        let memory = compute.memory();
        let accounts: Vec<_> = accounts.iter().map(|name| memory.account(name)).collect();
        // Only a memory makes ids of allocations.
        let allocation = memory.upload(&accounts[0], vec![0; 4], DType::F32).unwrap().id();
        let names = accounts.iter().map(|a| (a.id(), a.name().to_owned())).collect();
        let recording = Recording { accounts: names, ..Recording::default() };
        Self { compute, accounts, allocation, recording }
    }

    pub(crate) fn recording(&self) -> Recording {
        self.recording.clone()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.compute.memory().stats()
    }

    fn account(&self, name: &str) -> berth_memory::AccountId {
        self.accounts.iter().find(|account| account.name() == name).unwrap().id()
    }

    pub(crate) fn uses(
        &mut self,
        at: u64,
        used: [u64; 3],
        charges: &[(&str, [u64; 3])],
    ) -> &mut Self {
        let charges = charges.iter().map(|(name, charge)| (self.account(name), tiers(*charge)));
        let event = Event::Use { at: ms(at), used: tiers(used), charges: charges.collect() };
        self.recording.events.push(event);
        self
    }

    pub(crate) fn moves(
        &mut self,
        began: u64,
        ended: u64,
        from: Option<Tier>,
        to: Tier,
        bytes: u64,
        ahead: bool,
    ) -> &mut Self {
        let (began, ended) = (ms(began), ms(ended));
        let account = Some(self.accounts[0].id());
        let allocation = self.allocation;
        let event = Event::Move { allocation, account, from, to, bytes, began, ended, ahead };
        self.recording.events.push(event);
        self
    }

    pub(crate) fn leases(
        &mut self,
        thread: u32,
        asked: u64,
        admitted: u64,
        ended: u64,
    ) -> &mut Self {
        let (asked, admitted, ended) = (ms(asked), ms(admitted), ms(ended));
        let account = self.accounts[0].id();
        self.recording.events.push(Event::Lease {
            account,
            thread,
            asked,
            admitted,
            ended,
            bytes: 64,
        });
        self
    }

    pub(crate) fn leaves(&mut self, at: u64, tier: Tier, bytes: u64, why: Why) -> &mut Self {
        let (allocation, account, at) = (self.allocation, Some(self.accounts[0].id()), ms(at));
        self.recording.events.push(Event::Left { allocation, account, tier, bytes, at, why });
        self
    }
}

pub(crate) fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

pub(crate) fn span(id: &str, began: u64, ended: u64) -> NodeSpan {
    NodeSpan {
        id: id.into(),
        label: format!("{id} (Node)"),
        plugin: "a".into(),
        began: ms(began),
        ended: ms(ended),
        end: End::Done,
    }
}

fn tiers([device, host, disk]: [u64; 3]) -> PerTier<u64> {
    PerTier { device, host, disk }
}

/// What a function makes of a recording and these nodes.
pub(crate) fn with<T>(
    maker: &Maker,
    nodes: &[NodeSpan],
    look: impl FnOnce(&super::Seen<'_>) -> T,
) -> T {
    let (stats, recording) = (maker.stats(), maker.recording());
    look(&super::Seen {
        workflow: "a workflow.json",
        mode: OffloadModeName::Planned,
        end: End::Done,
        seconds: 1.5,
        stats: &stats,
        recording: &recording,
        nodes,
    })
}

//! Random histories, beside a model that is too simple to be wrong.
//!
//! The model knows what every allocation's bytes are, who holds it how often, and what is
//! leased. From these and from where the memory says that copies are, it adds up anew what
//! must be charged and used, and says which leases have to succeed.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::fake::*;
use crate::offload::OffloadModeName::{
    self, Balanced, Model, None as KeepAll, Planned, Sequential,
};
use crate::{
    Account, AllocationId, Call, Cancel, Handle, Lease, Memory, MemoryError, PerTier, Shelved,
    Site, Source, Tier, ahead,
};

#[derive(Debug, Clone)]
enum Action {
    Clean { account: usize, source: usize, place: u64, bytes: u64 },
    Upload { account: usize, bytes: u64 },
    Share { handle: usize, account: usize },
    Clone { handle: usize },
    DropHandle { handle: usize },
    Lease { account: usize, call: usize, inputs: Vec<usize>, outputs: Vec<u64>, workspace: u64 },
    Finish { lease: usize },
    DropLease { lease: usize },
    Quota { account: usize, tier: Tier, bytes: Option<u64> },
    Offload { handles: Vec<usize> },
    Restore { account: usize, handles: Vec<usize> },
    Stow { handles: Vec<usize> },
    FairShare { account: usize, weight: u32, bytes: Option<u64> },
    Keep { handles: Vec<usize>, tier: Tier, keep: bool },
    MakeFree { tier: Tier, bytes: u64 },
    Shelve { handle: usize },
    Take { shelf: usize },
    DropShelf { shelf: usize },
    BeginCall { site: usize },
    EndCall { call: usize },
    BringEarly,
}

const ACCOUNTS: usize = 3;
const SITES: usize = 2;

fn any_tier() -> impl Strategy<Value = Tier> {
    prop_oneof![Just(Tier::Device), Just(Tier::Host), Just(Tier::Disk)]
}

fn action() -> impl Strategy<Value = Action> {
    let some = || prop::collection::vec(any::<usize>(), 0..4);
    let account = || 0..ACCOUNTS;
    let tier = prop_oneof![2 => Just(Tier::Device), 1 => Just(Tier::Host), 1 => Just(Tier::Disk)];
    prop_oneof![
        2 => (account(), 0..2_usize, 0..3_u64, 1..3_u64).prop_map(|(account, source, place, size)| {
            Action::Clean { account, source, place: place * 16, bytes: size * 16 }
        }),
        2 => (account(), 0..40_u64).prop_map(|(account, bytes)| Action::Upload { account, bytes }),
        1 => (any::<usize>(), account())
            .prop_map(|(handle, account)| Action::Share { handle, account }),
        1 => any::<usize>().prop_map(|handle| Action::Clone { handle }),
        2 => any::<usize>().prop_map(|handle| Action::DropHandle { handle }),
        8 => (account(), any::<usize>(), some(), prop::collection::vec(0..30_u64, 0..3), 0..20_u64)
            .prop_map(|(account, call, inputs, outputs, workspace)| {
                Action::Lease { account, call, inputs, outputs, workspace }
            }),
        4 => any::<usize>().prop_map(|lease| Action::Finish { lease }),
        2 => any::<usize>().prop_map(|lease| Action::DropLease { lease }),
        1 => (account(), tier, prop::option::of(prop_oneof![0..160_u64, Just(4096)]))
            .prop_map(|(account, tier, bytes)| Action::Quota { account, tier, bytes }),
        1 => some().prop_map(|handles| Action::Offload { handles }),
        1 => (account(), some()).prop_map(|(account, handles)| Action::Restore { account, handles }),
        1 => some().prop_map(|handles| Action::Stow { handles }),
        1 => (account(), 0..4_u32, prop::option::of(0..160_u64))
            .prop_map(|(account, weight, bytes)| Action::FairShare { account, weight, bytes }),
        1 => (some(), any_tier(), any::<bool>())
            .prop_map(|(handles, tier, keep)| Action::Keep { handles, tier, keep }),
        1 => (any_tier(), 0..200_u64).prop_map(|(tier, bytes)| Action::MakeFree { tier, bytes }),
        2 => any::<usize>().prop_map(|handle| Action::Shelve { handle }),
        1 => any::<usize>().prop_map(|shelf| Action::Take { shelf }),
        1 => any::<usize>().prop_map(|shelf| Action::DropShelf { shelf }),
        1 => (0..SITES).prop_map(|site| Action::BeginCall { site }),
        1 => any::<usize>().prop_map(|call| Action::EndCall { call }),
        3 => Just(Action::BringEarly),
    ]
}

/// What bytes take of a tier.
fn taken(tier: Tier, bytes: u64) -> u64 {
    if tier == Tier::Disk { bytes.next_multiple_of(4096) } else { bytes }
}

/// A live lease, and what the model knows of it.
struct Leased {
    lease: Lease<Fake>,
    account: usize,
    inputs: Vec<(AllocationId, Handle<Fake>)>,
    outputs: Vec<u64>,
    reserved: u64,
}

struct World {
    memory: Memory<Fake>,
    accounts: Vec<Account>,
    sources: Vec<Arc<dyn Source>>,
    /// Each hold, with the account that pays for it.
    handles: Vec<(Handle<Fake>, usize)>,
    leases: Vec<Leased>,
    /// What the bytes of every allocation ever made are.
    contents: HashMap<AllocationId, Vec<u8>>,
    ranges: HashMap<AllocationId, (usize, u64, u64)>,
    shelves: Vec<(Shelved<Fake>, AllocationId, u64, usize)>,
    sites: Vec<Site<Fake>>,
    calls: Vec<Call<Fake>>,
    seed: u64,
    mode: OffloadModeName,
}

impl World {
    fn new(mode: OffloadModeName, device: u64, host: u64, disk: u64) -> Self {
        let memory = spilling(device, host, disk, mode);
        let accounts: Vec<_> =
            (0..ACCOUNTS).map(|index| memory.account(&index.to_string())).collect();
        let sites = (0..SITES).map(|index| memory.site(&accounts[index], "a")).collect();
        let sources = (0..2).map(|seed| weights(seed) as Arc<dyn Source>).collect();
        Self {
            memory,
            accounts,
            sources,
            handles: Vec::new(),
            leases: Vec::new(),
            contents: HashMap::new(),
            ranges: HashMap::new(),
            shelves: Vec::new(),
            sites,
            calls: Vec::new(),
            seed: 0,
            mode,
        }
    }

    fn pick(&self, index: usize) -> Option<&(Handle<Fake>, usize)> {
        self.handles.get(index.checked_rem(self.handles.len())?)
    }

    fn pick_all(&self, indices: &[usize]) -> Vec<Handle<Fake>> {
        indices.iter().filter_map(|&index| self.pick(index)).map(|(h, _)| h.clone()).collect()
    }

    fn fresh(&mut self, bytes: u64) -> Vec<u8> {
        self.seed += 1;
        pattern(self.seed, 0, bytes)
    }

    /// Every allocation that somebody holds: once, with the accounts that pay for it.
    fn live(&self) -> HashMap<AllocationId, (Handle<Fake>, Vec<usize>)> {
        let mut live: HashMap<_, (Handle<Fake>, Vec<usize>)> = HashMap::new();
        let leased = self
            .leases
            .iter()
            .flat_map(|leased| leased.inputs.iter().map(|(_, handle)| (handle, leased.account)));
        let held = self.handles.iter().map(|(handle, account)| (handle, *account));
        // What is lost is nowhere, and charged to nobody.
        let shelved: Vec<_> = self
            .shelves
            .iter()
            .filter_map(|(shelved, _, _, account)| Some((shelved.take()?, *account)))
            .collect();
        let shelved = shelved.iter().map(|(handle, account)| (handle, *account));
        for (handle, account) in held.chain(leased).chain(shelved) {
            let (_, payers) = live.entry(handle.id()).or_insert((handle.clone(), Vec::new()));
            if !payers.contains(&account) {
                payers.push(account);
            }
        }
        live
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Clean { account, source, place, bytes } => {
                let origin = self.sources[source].clone();
                let handle = self.memory.clean(&self.accounts[account], origin, place, bytes, 0);
                let known = self.ranges.iter().find(|(id, range)| {
                    **range == (source, place, bytes) && self.live().contains_key(*id)
                });
                if let Some((id, _)) = known {
                    assert_eq!(handle.id(), *id, "one range is one allocation");
                }
                self.ranges.insert(handle.id(), (source, place, bytes));
                self.contents.insert(handle.id(), pattern(source as u64, place, bytes));
                self.handles.push((handle, account));
            }
            Action::Upload { account, bytes } => {
                let content = self.fresh(bytes);
                let free = self.memory.limits().host - used(&self.memory).host;
                match self.memory.upload(&self.accounts[account], content.clone(), 0) {
                    Ok(handle) => {
                        self.contents.insert(handle.id(), content);
                        self.handles.push((handle, account));
                    }
                    Err(MemoryError::OutOfMemory { tier, requested, limit, .. }) => {
                        assert_eq!((tier, requested), (Tier::Host, bytes));
                        assert_eq!(limit, self.memory.limits().host);
                        assert!(free < bytes, "the host had {free} free");
                    }
                    Err(MemoryError::QuotaExceeded { tier, requested, limit, used, .. }) => {
                        assert_eq!((tier, requested), (Tier::Host, bytes));
                        assert!(used + requested > limit);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            Action::Share { handle, account } => {
                if let Some((handle, _)) = self.pick(handle) {
                    let shared = handle.for_account(&self.accounts[account]);
                    self.handles.push((shared, account));
                }
            }
            Action::Clone { handle } => {
                if let Some((handle, account)) = self.pick(handle) {
                    self.handles.push((handle.clone(), *account));
                }
            }
            Action::DropHandle { handle } => {
                if let Some(index) = handle.checked_rem(self.handles.len()) {
                    self.handles.swap_remove(index);
                }
            }
            Action::Lease { account, call, inputs, outputs, workspace } => {
                self.lease(account, call, &inputs, outputs, workspace);
            }
            Action::Finish { lease } => {
                let Some(index) = lease.checked_rem(self.leases.len()) else { return };
                let Leased { lease, account, inputs, outputs, .. } = self.leases.swap_remove(index);
                for (index, (id, _)) in inputs.iter().enumerate() {
                    assert_eq!(lease.input(index).unwrap().bytes, self.contents[id]);
                }
                let contents: Vec<_> = outputs.iter().map(|&bytes| self.fresh(bytes)).collect();
                let device = self.memory.device();
                let buffers = contents.iter().map(|bytes| device.buffer(bytes.clone())).collect();
                for (handle, content) in lease.finish(buffers).unwrap().into_iter().zip(contents) {
                    self.contents.insert(handle.id(), content);
                    self.handles.push((handle, account));
                }
            }
            Action::DropLease { lease } => {
                if let Some(index) = lease.checked_rem(self.leases.len()) {
                    self.leases.swap_remove(index);
                }
            }
            Action::Quota { account, tier, bytes } => {
                self.memory.set_quota(&self.accounts[account], tier, bytes);
            }
            Action::Offload { handles } => {
                let handles = self.pick_all(&handles);
                let before = used(&self.memory).device;
                match self.memory.offload(&handles.iter().collect::<Vec<_>>()) {
                    Ok(left) => {
                        assert_eq!(used(&self.memory).device, before - left);
                        for handle in &handles {
                            let in_use = self.leases.iter().any(|leased| {
                                leased.inputs.iter().any(|(id, _)| *id == handle.id())
                            });
                            assert!(in_use || !handle.residency().device);
                        }
                    }
                    Err(error) => self.check_host_short(&error),
                }
            }
            Action::Restore { account, handles } => {
                let handles = self.pick_all(&handles);
                let refs: Vec<_> = handles.iter().collect();
                let before = used(&self.memory);
                let account = &self.accounts[account];
                let came = self.memory.restore(account, &refs, &Cancel::new()).unwrap();
                assert_eq!(used(&self.memory).device, before.device + came);
                assert!(used(&self.memory).host >= before.host);
            }
            Action::FairShare { account, weight, bytes } => {
                self.memory.set_share(&self.accounts[account], weight, bytes);
            }
            Action::Stow { handles } => {
                let handles = self.pick_all(&handles);
                let before = used(&self.memory).device;
                match self.memory.stow(&handles.iter().collect::<Vec<_>>()) {
                    Ok(left) => assert_eq!(used(&self.memory).device, before - left),
                    Err(error) => self.check_host_short(&error),
                }
            }
            Action::Keep { handles, tier, keep } => {
                let handles = self.pick_all(&handles);
                self.memory.keep(&handles.iter().collect::<Vec<_>>(), tier, keep).unwrap();
            }
            Action::MakeFree { tier, bytes } => {
                let before = *used(&self.memory).get(tier);
                let left = self.memory.make_free(tier, bytes).unwrap();
                assert_eq!(*used(&self.memory).get(tier), before - left);
            }
            Action::Shelve { handle } => {
                if let Some((handle, account)) = self.pick(handle) {
                    let shelf = (handle.shelve(), handle.id(), handle.bytes(), *account);
                    self.shelves.push(shelf);
                }
            }
            Action::Take { shelf } => {
                let Some(index) = shelf.checked_rem(self.shelves.len()) else { return };
                let (shelved, id, _, account) = &self.shelves[index];
                match shelved.take() {
                    Some(handle) => {
                        assert_eq!(bytes_of(&handle), self.contents[id]);
                        self.handles.push((handle, *account));
                    }
                    None => assert!(self.handles.iter().all(|(handle, _)| handle.id() != *id)),
                }
            }
            Action::DropShelf { shelf } => {
                if let Some(index) = shelf.checked_rem(self.shelves.len()) {
                    self.shelves.swap_remove(index);
                }
            }
            Action::BeginCall { site } => self.calls.push(self.sites[site].call()),
            Action::EndCall { call } => {
                if let Some(index) = call.checked_rem(self.calls.len()) {
                    self.calls.swap_remove(index);
                }
            }
            Action::BringEarly => while ahead::bring_one(&self.memory.0) {},
        }
    }

    fn check_host_short(&self, error: &MemoryError) {
        match error {
            MemoryError::OutOfMemory {
                tier: Tier::Host | Tier::Disk,
                requested,
                limit,
                used,
                ..
            }
            | MemoryError::QuotaExceeded {
                tier: Tier::Host | Tier::Disk,
                requested,
                limit,
                used,
                ..
            } => {
                // Spilled bytes lie in whole blocks.
                let requested = requested.next_multiple_of(4096);
                assert!(requested + used > *limit, "there was room: {error}");
            }
            error => panic!("{error}"),
        }
    }

    /// Leases, unless it would have to wait for this very thread.
    fn lease(
        &mut self,
        account: usize,
        call: usize,
        inputs: &[usize],
        outputs: Vec<u64>,
        workspace: u64,
    ) {
        let handles = self.pick_all(inputs);
        let mut distinct: HashMap<_, u64> =
            handles.iter().map(|handle| (handle.id(), handle.bytes())).collect();
        let reserved = outputs.iter().sum::<u64>() + workspace;
        let requested = distinct.values().sum::<u64>() + reserved;

        let mut in_use = requested;
        let mut in_use_by_account = requested;
        let live = self.live();
        for leased in &self.leases {
            in_use += leased.reserved;
            if leased.account == account {
                in_use_by_account += leased.reserved;
            }
            for (id, handle) in &leased.inputs {
                if distinct.insert(*id, handle.bytes()).is_none() {
                    in_use += handle.bytes();
                    if live[id].1.contains(&account) {
                        in_use_by_account += handle.bytes();
                    }
                }
            }
        }
        let stats = self.memory.stats();
        let quota = stats.accounts[account].quota;
        let limit = self.memory.limits().device;
        let never = requested > limit || quota.device.is_some_and(|quota| requested > quota);
        let now = in_use <= limit && quota.device.is_none_or(|quota| in_use_by_account <= quota);
        let is_dirty = |handle: &Handle<Fake>| !self.ranges.contains_key(&handle.id());
        let dirty: u64 = live.values().filter(|(h, _)| is_dirty(h)).map(|(h, _)| h.bytes()).sum();
        let host_is_ample = dirty + requested <= self.memory.limits().host
            && stats.accounts.iter().all(|account| account.quota.host.is_none());
        // Otherwise what cannot leave may make it wait, too.
        let fits_now = now && host_is_ample && self.mode != KeepAll;
        if !(never || fits_now || self.leases.is_empty()) {
            return;
        }

        let refs: Vec<_> = handles.iter().collect();
        let reservations: Vec<_> = outputs.iter().map(|&bytes| (bytes, 0)).collect();
        let owner = &self.accounts[account];
        let call = call.checked_rem(self.calls.len() + 1).and_then(|call| self.calls.get(call));
        let result =
            self.memory.lease_for(call, owner, &refs, &reservations, workspace, &Cancel::new());
        match result {
            Ok(lease) => {
                assert!(!never, "it cannot have fitted");
                for (index, handle) in handles.iter().enumerate() {
                    assert_eq!(lease.input(index).unwrap().bytes, self.contents[&handle.id()]);
                }
                let charge = self.memory.charge(owner).device;
                assert!(quota.device.is_none_or(|quota| charge <= quota), "over its quota");
                // To see where they are, at the cost of whom the lease charges anyway.
                let looked_at = |handle: Handle<Fake>| (handle.id(), handle.for_account(owner));
                let inputs = handles.into_iter().map(looked_at).collect();
                self.leases.push(Leased { lease, account, inputs, outputs, reserved });
            }
            Err(error) => {
                assert!(never || !host_is_ample || self.mode == KeepAll, "it fits, but: {error}");
                match error {
                    MemoryError::QuotaExceeded {
                        tier: Tier::Device, requested: r, limit, ..
                    } => {
                        assert_eq!((r, Some(limit)), (requested, quota.device));
                    }
                    MemoryError::OutOfMemory {
                        tier: Tier::Device, requested: r, limit: l, ..
                    } => {
                        assert_eq!((r, l), (requested, limit));
                    }
                    error => self.check_host_short(&error),
                }
            }
        }
    }

    /// Adds everything up anew.
    fn check(&self) {
        check(&self.memory);
        let stats = self.memory.stats();
        let live = self.live();
        let mut lost: Vec<_> = self
            .shelves
            .iter()
            .filter(|(shelved, ..)| shelved.is_lost())
            .map(|(_, id, ..)| *id)
            .collect();
        lost.sort_unstable();
        lost.dedup();
        assert_eq!(stats.allocations, live.len() + lost.len());
        assert!(lost.iter().all(|id| !live.contains_key(id)));
        let held = |id| {
            let leased = self.leases.iter().flat_map(|leased| &leased.inputs);
            self.handles.iter().any(|(handle, _)| handle.id() == id)
                || leased.into_iter().any(|(leased, _)| *leased == id)
        };
        let shelved: u64 =
            live.iter().filter(|(id, _)| !held(**id)).map(|(_, (handle, _))| handle.bytes()).sum();
        drop(live);
        assert_eq!(self.memory.stats().shelved, shelved);
        let live = self.live();
        assert_eq!(stats.leases, self.leases.len());
        let mut sums = PerTier::<u64>::default();
        let mut charges = vec![PerTier::<u64>::default(); ACCOUNTS];
        for (handle, payers) in live.values() {
            let residency = handle.residency();
            let clean = self.ranges.contains_key(&handle.id());
            assert!(clean || residency != PerTier::default(), "the bytes are lost");
            for tier in Tier::ALL.into_iter().filter(|tier| *residency.get(*tier)) {
                let bytes = taken(tier, handle.bytes());
                *sums.get_mut(tier) += bytes;
                for &payer in payers {
                    *charges[payer].get_mut(tier) += bytes;
                }
            }
        }
        for leased in &self.leases {
            sums.device += leased.reserved;
            charges[leased.account].device += leased.reserved;
            assert!(leased.inputs.iter().all(|(_, handle)| handle.residency().device));
        }
        assert_eq!(used(&self.memory), sums);
        for (account, charge) in self.accounts.iter().zip(charges) {
            assert_eq!(self.memory.charge(account), charge);
        }
    }

    fn end(mut self) {
        for (handle, _) in &self.handles {
            assert_eq!(bytes_of(handle), self.contents[&handle.id()]);
        }
        self.handles.clear();
        self.check();
        self.leases.clear();
        self.shelves.clear();
        self.calls.clear();
        self.sites.clear();
        check_empty(&self.memory);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn the_books_are_what_a_naive_model_adds_up(
        mode in prop_oneof![
            1 => Just(KeepAll), 1 => Just(Model), 1 => Just(Sequential), 1 => Just(Balanced),
            2 => Just(Planned)
        ],
        device in 40..160_u64,
        host in prop_oneof![Just(10_000_u64), 0..160_u64],
        disk in prop_oneof![Just(0_u64), Just(4096 * 3), Just(1 << 20)],
        actions in prop::collection::vec(action(), 0..60),
    ) {
        let mut world = World::new(mode, device, host, disk);
        for action in actions {
            world.act(action);
            world.check();
        }
        world.end();
    }
}

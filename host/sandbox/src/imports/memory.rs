//! `memory`: where things are, and moving them. It takes a right.
//!
//! Everything here is about what a value reaches ([`reach`]) or about memory as a whole. The
//! guest learns no address and gets no bytes; it says what should go where, and the memory
//! layer decides what can.

use std::sync::Arc;

use berth_compute::CpuDevice;
use berth_memory::{MemoryError, PerTier, Tier};
use wasmtime::component::Resource;

use super::bindings::berth::node::{memory as wit, types};
use super::{Error, Returned};
use crate::error::{GuestError, Shortage};
use crate::reach::{self, Weights};
use crate::state::State;
use crate::value::{Object, Value};

type Handle = Resource<Arc<Object>>;
type Reached = berth_memory::Handle<CpuDevice>;

/// A tier that copies can leave.
fn movable(operation: &str, asked: types::Tier) -> Result<Tier, GuestError> {
    match asked.into() {
        Tier::Disk => Err(GuestError::InvalidArgument(format!(
            "{operation}: the tier is `device` or `host`; nothing leaves the disk"
        ))),
        tier => Ok(tier),
    }
}

/// An answer as the contract has it.
fn answered<T, E: Into<GuestError>>(result: Result<T, E>) -> Returned<T> {
    Ok(result.map_err(|error| Error::from(error.into())))
}

impl State {
    /// What an object that the guest holds reaches.
    fn reached(&self, target: &Handle, weights: Weights) -> wasmtime::Result<Vec<Reached>> {
        let object = self.table.get(target)?.clone();
        Ok(reach::handles(&Value::Object(object), weights))
    }

    /// Whether the host's memory could ever hold all of this that is on the device only. Where it
    /// could not, what came there first would leave again for the rest.
    fn has_host_room(&self, handles: &[&Reached]) -> Result<(), GuestError> {
        let moves = |handle: &&&Reached| {
            let on = handle.residency();
            on.device && !on.host
        };
        let moving = handles.iter().filter(moves).map(|handle| handle.bytes());
        let requested = moving.fold(0, u64::saturating_add);
        let memory = self.compute().memory();
        let limit = memory.limits().host;
        if requested <= limit {
            return Ok(());
        }
        let (tier, used) = (Tier::Host, memory.stats().tier(Tier::Host).used);
        Err(GuestError::OutOfMemory(Shortage { tier, requested, limit, used, holders: Vec::new() }))
    }

    /// Brings what left the device before, and is in its file only, to the host's memory, as far
    /// as there is room that nobody uses. Files are read by way of the device, so each piece
    /// comes there first and leaves again; one that the device has no room for stays away.
    fn fetch(&self, handles: &[&Reached]) -> Result<(), MemoryError> {
        let memory = self.compute().memory();
        let (account, cancel) = (&self.scope.account, &self.scope.cancel);
        let used = memory.stats().tier(Tier::Host).used;
        let mut room = memory.limits().host.saturating_sub(used);
        for &handle in handles {
            let on = handle.residency();
            if on.device || on.host || on.disk {
                continue;
            }
            let Some(left) = room.checked_sub(handle.bytes()) else { continue };
            if memory.restore(account, &[handle], cancel)? == 0 {
                continue;
            }
            room = left;
            if memory.stow(&[handle]).is_err() {
                // Others took the room meanwhile. The file has it still.
                memory.offload(&[handle])?;
            }
        }
        Ok(())
    }
}

impl wit::Host for State {
    fn snapshot(&mut self) -> wasmtime::Result<wit::Statistics> {
        let stats = self.compute().memory().stats();
        let tiers = Tier::ALL.map(|tier| {
            let found = stats.tier(tier);
            let (used, peak, limit) = (found.used, found.peak, found.limit);
            wit::TierUsage { tier: tier.into(), used, peak, limit }
        });
        let plugins = stats.accounts.into_iter().map(|account| {
            let PerTier { device, host, disk } = account.charge;
            let charge = wit::Charges { device, host, disk };
            let PerTier { device, host, disk } = account.quota;
            let quota = wit::Quotas { device, host, disk };
            wit::PluginUsage { plugin: account.name, charge, quota, share: account.share }
        });
        Ok(wit::Statistics {
            tiers: tiers.into(),
            plugins: plugins.collect(),
            cached_results: stats.shelved,
            dram_cache: self.plugin.sandbox().dram_cache().host_bytes(),
        })
    }

    fn offload(&mut self, target: Handle) -> Returned<u64> {
        let reached = self.reached(&target, Weights::Loaded)?;
        let handles: Vec<_> = reached.iter().collect();
        if let Err(error) = self.has_host_room(&handles) {
            return answered(Err(error));
        }
        let stowed = self.compute().memory().stow(&handles);
        answered(stowed.and_then(|left| self.fetch(&handles).map(|()| left)))
    }

    fn restore(&mut self, target: Handle) -> Returned<u64> {
        let reached = self.reached(&target, Weights::Loaded)?;
        let handles: Vec<_> = reached.iter().collect();
        let (account, cancel) = (&self.scope.account, &self.scope.cancel);
        answered(self.compute().memory().restore(account, &handles, cancel))
    }

    fn remember(&mut self, target: Handle) -> Returned<String> {
        let object = self.table.get(&target)?;
        let cache = self.plugin.sandbox().dram_cache();
        answered(cache.remember(object, &self.scope.cancel))
    }

    fn recall(&mut self, id: String) -> Returned<Handle> {
        let found = self.plugin.sandbox().dram_cache().recall(&id).map(Value::Object);
        match found.map(|object| object.for_account(self.plugin.account())) {
            Some((Value::Object(object), copied)) => {
                self.give_bytes(copied)?;
                self.give(object)
            }
            _ => Ok(Err(Error::NotFound(format!("no object {id:?} in the DRAM cache")))),
        }
    }

    fn forget(&mut self, id: String) -> wasmtime::Result<bool> {
        Ok(self.plugin.sandbox().dram_cache().forget(&id))
    }

    fn forget_all(&mut self) -> wasmtime::Result<u32> {
        let count = self.plugin.sandbox().dram_cache().forget_all();
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    fn keep(&mut self, target: Handle, tier: types::Tier, keep: bool) -> Returned<()> {
        let tier = match movable("keep", tier) {
            Ok(tier) => tier,
            Err(error) => return answered(Err(error)),
        };
        // What is kept stays so when it is loaded later; what was never loaded was never kept.
        let weights = if keep { Weights::All } else { Weights::Loaded };
        let reached = self.reached(&target, weights)?;
        let handles: Vec<_> = reached.iter().collect();
        answered::<_, MemoryError>(self.compute().memory().keep(&handles, tier, keep))
    }

    fn keep_nothing(&mut self) -> wasmtime::Result<()> {
        self.compute().memory().keep_nothing();
        Ok(())
    }

    fn make_free(&mut self, tier: types::Tier, bytes: u64) -> Returned<u64> {
        let memory = self.compute().memory();
        match movable("make-free", tier) {
            Ok(tier) => answered(memory.make_free(tier, bytes)),
            Err(error) => answered(Err(error)),
        }
    }

    fn clear_results(&mut self) -> wasmtime::Result<()> {
        self.context.events.clear_results();
        Ok(())
    }
}

//! `memory`: where things are, and moving them. A capability.
//!
//! Everything here is about what a value reaches ([`reach`]) or about memory as a whole. The
//! guest learns no address and gets no bytes; it says what should go where, and the memory
//! layer decides what can.

use std::sync::Arc;

use berth_compute::Tensor;
use berth_memory::{MemoryError, PerTier, Tier};
use wasmtime::component::Resource;

use super::bindings::berth::node::{memory as wit, types};
use super::{Error, Returned};
use crate::error::GuestError;
use crate::reach::{self, Weights};
use crate::state::State;
use crate::value::{Object, Value};

type Handle = Resource<Arc<Object>>;

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
    fn reached(&self, target: &Handle, weights: Weights) -> wasmtime::Result<Vec<Tensor>> {
        let object = self.table.get(target)?.clone();
        Ok(reach::tensors(&Value::Object(object), weights))
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
        let tensors = self.reached(&target, Weights::Loaded)?;
        let handles: Vec<_> = tensors.iter().map(Tensor::handle).collect();
        answered(self.compute().memory().stow(&handles))
    }

    fn restore(&mut self, target: Handle) -> Returned<u64> {
        let tensors = self.reached(&target, Weights::Loaded)?;
        let handles: Vec<_> = tensors.iter().map(Tensor::handle).collect();
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
            Some(Value::Object(object)) => self.give(object),
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
        let tensors = self.reached(&target, weights)?;
        let handles: Vec<_> = tensors.iter().map(Tensor::handle).collect();
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

//! Where bytes are, and moving them, which takes a right.
//!
//! A plugin that calls anything here needs the right `memory`, and is only loaded where
//! the operator granted it. What an object *reaches* are the tensors in it and what its
//! functions need. Nothing here changes a result, only how soon it is there.

use crate::bindings::berth::node::memory as host;
use crate::{Object, Result, Tier};

/// Use and limit of one tier, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TierUse {
    /// In use now; on disk, what is spilled.
    pub used: u64,
    /// The most that was ever in use.
    pub peak: u64,
    /// The most that may be in use, if anything limits it.
    pub limit: Option<u64>,
}

/// One value for each tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerTier<T> {
    /// On the device.
    pub device: T,
    /// In the host's memory.
    pub host: T,
    /// On disk.
    pub disk: T,
}

/// What one plugin holds, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginUse {
    /// Its name.
    pub plugin: String,
    /// What it is charged.
    pub charge: PerTier<u64>,
    /// The most that it may hold.
    pub quota: PerTier<Option<u64>>,
    /// What it keeps of the device while others need room.
    pub share: u64,
}

/// How things stand at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Use and limit of each tier.
    pub tiers: PerTier<Option<TierUse>>,
    /// What each plugin holds.
    pub plugins: Vec<PluginUse>,
    /// Bytes of cached results that no running node needs, on any tier.
    pub cached_results: u64,
    /// Bytes in the host's memory of what the DRAM cache reaches.
    pub dram_cache: u64,
}

/// How things stand.
pub fn snapshot() -> Statistics {
    let found = host::snapshot();
    let of = |tier: Tier| {
        let used = found.tiers.iter().find(|used| Tier::from(used.tier) == tier)?;
        Some(TierUse { used: used.used, peak: used.peak, limit: used.limit })
    };
    let tiers = PerTier { device: of(Tier::Device), host: of(Tier::Host), disk: of(Tier::Disk) };
    let plugins = found.plugins.into_iter().map(|used| {
        let host::Charges { device, host, disk } = used.charge;
        let charge = PerTier { device, host, disk };
        let host::Quotas { device, host, disk } = used.quota;
        let quota = PerTier { device, host, disk };
        PluginUse { plugin: used.plugin, charge, quota, share: used.share }
    });
    Statistics {
        tiers,
        plugins: plugins.collect(),
        cached_results: found.cached_results,
        dram_cache: found.dram_cache,
    }
}

/// What the object reaches leaves the device now and stays in the host's memory. What a
/// running operation uses stays where it is. Gives the bytes that left.
///
/// # Errors
/// `OutOfMemory` and `QuotaExceeded` when the host's memory has no room.
pub fn offload(target: &Object) -> Result<u64> {
    Ok(host::offload(&target.raw)?)
}

/// What the object reaches comes to the device, as far as there is room without anything
/// else leaving. Gives the bytes that came.
///
/// # Errors
/// What the host cannot read.
pub fn restore(target: &Object) -> Result<u64> {
    Ok(host::restore(&target.raw)?)
}

/// Keeps the object in the DRAM cache, beyond this run. Gives its id, which an equal object
/// has in every host.
///
/// # Errors
/// `Other` when the cache is full.
pub fn remember(target: &Object) -> Result<String> {
    Ok(host::remember(&target.raw)?)
}

/// The object that the DRAM cache keeps under an id.
///
/// # Errors
/// `NotFound`.
pub fn recall(id: &str) -> Result<Object> {
    Ok(host::recall(id)?.into())
}

/// Drops an object from the DRAM cache. Gives whether it was there.
pub fn forget(id: &str) -> bool {
    host::forget(id)
}

/// Drops everything from the DRAM cache. Gives how many objects there were.
pub fn forget_all() -> u32 {
    host::forget_all()
}

/// Whether what the object reaches, with all weights of its models, leaves a tier only when an
/// operation could not run otherwise.
///
/// # Errors
/// `InvalidArgument` for the disk.
pub fn keep(target: &Object, tier: Tier, keep: bool) -> Result<()> {
    Ok(host::keep(&target.raw, tier.into(), keep)?)
}

/// Ends every [`keep`], whoever asked for it.
pub fn keep_nothing() {
    host::keep_nothing();
}

/// What no running operation uses leaves a tier until this many bytes are free there, as far
/// as it can. Gives the bytes that left.
///
/// # Errors
/// `InvalidArgument` for the disk.
pub fn make_free(tier: Tier, bytes: u64) -> Result<u64> {
    Ok(host::make_free(tier.into(), bytes)?)
}

/// Forgets the results of nodes that were kept for later runs.
pub fn clear_results() {
    host::clear_results();
}

//! What there is to say about memory at one moment.

use crate::{AccountId, PerTier, Tier};

/// A snapshot, taken at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Use and limit of each tier.
    pub tiers: PerTier<TierUse>,
    /// Every account that exists, in the order in which they were made.
    pub accounts: Vec<AccountUse>,
    /// Live allocations.
    pub allocations: usize,
    /// Live leases.
    pub leases: usize,
    /// What was moved since the beginning.
    pub moved: Moved,
    /// Allocations that left the device to make room, or because their mode keeps nothing there.
    pub evictions: u64,
    /// Leases that had to wait before they were admitted.
    pub waits: u64,
    /// Bytes of cached results that nobody holds, on any tier.
    pub shelved: u64,
    /// Bytes of cached results that were lost for want of room.
    pub lost: u64,
}

impl Stats {
    /// One tier's use.
    #[must_use]
    pub fn tier(&self, tier: Tier) -> &TierUse {
        self.tiers.get(tier)
    }
}

/// How much of a tier is in use, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TierUse {
    /// In use now. On the device this counts buffers, the outputs that leases
    /// reserved, and their workspaces; on disk, what is spilled.
    pub used: u64,
    /// The most that was ever in use.
    pub peak: u64,
    /// What can be in use; `None` where nothing limits it.
    pub limit: Option<u64>,
}

/// What one account answers for, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountUse {
    /// Which account.
    pub id: AccountId,
    /// Its name.
    pub name: String,
    /// What it is charged.
    pub charge: PerTier<u64>,
    /// Its quotas.
    pub quota: PerTier<Option<u64>>,
    /// What it may take of the device before others lose for it.
    pub share: u64,
}

/// Bytes moved since the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// Copied to the device, from the host or straight from a source.
    pub to_device: u64,
    /// Copied from the device to the host. A drop moves nothing.
    pub to_host: u64,
    /// Read from sources.
    pub from_disk: u64,
    /// Written to the spill file.
    pub to_spill: u64,
    /// Read from the spill file.
    pub from_spill: u64,
}

impl Moved {
    /// What was moved after `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        Self {
            to_device: self.to_device.saturating_sub(before.to_device),
            to_host: self.to_host.saturating_sub(before.to_host),
            from_disk: self.from_disk.saturating_sub(before.from_disk),
            to_spill: self.to_spill.saturating_sub(before.to_spill),
            from_spill: self.from_spill.saturating_sub(before.from_spill),
        }
    }
}

//! Where bytes can be.
//!
//! There are exactly three places, and code that forgets one of them is wrong,
//! so everything that is counted per tier is a [`PerTier`], not a map.

use std::fmt;

/// A place where bytes can be, the fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// The memory that operations compute in: VRAM, or the CPU device's arena.
    Device,
    /// The host's own memory.
    Host,
    /// The model file that clean bytes come from.
    Disk,
}

impl Tier {
    /// Every tier, the fastest first.
    pub const ALL: [Tier; 3] = [Tier::Device, Tier::Host, Tier::Disk];
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Tier::Device => "device",
            Tier::Host => "host",
            Tier::Disk => "disk",
        })
    }
}

/// One value for each tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerTier<T> {
    /// For [`Tier::Device`].
    pub device: T,
    /// For [`Tier::Host`].
    pub host: T,
    /// For [`Tier::Disk`].
    pub disk: T,
}

impl<T> PerTier<T> {
    /// The value of one tier.
    pub fn get(&self, tier: Tier) -> &T {
        match tier {
            Tier::Device => &self.device,
            Tier::Host => &self.host,
            Tier::Disk => &self.disk,
        }
    }

    /// The value of one tier, to change it.
    pub fn get_mut(&mut self, tier: Tier) -> &mut T {
        match tier {
            Tier::Device => &mut self.device,
            Tier::Host => &mut self.host,
            Tier::Disk => &mut self.disk,
        }
    }
}

/// The tiers that now hold a valid copy of an allocation. Bytes are immutable,
/// so a copy stays valid, and there can be one on every tier at once.
pub type Residency = PerTier<bool>;

/// What the machine has for this process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on the device: buffers, reserved outputs and workspaces together.
    pub device: u64,
    /// Bytes of tensors in the host's memory.
    pub host: u64,
}

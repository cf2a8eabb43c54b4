//! What the operator decides, as it is written in `berth.toml` and in arguments.
//!
//! Both are one type in which everything can be left out, so that one can stand over
//! the other and the defaults are in one place: where a [`Config`] becomes [`Settings`]. It is
//! here, not in the command line, because a server reads the same file.

mod amount;
mod error;
mod text;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use berth_memory::{MemoryError, MoveRule, OffloadModeName, PerTier, SpillSettings, Watermarks};
use berth_sandbox::Capability;
use indexmap::IndexMap;
use serde::Deserialize;

pub use self::amount::{NotAnAmount, Size, Watermark};
pub use self::error::ConfigError;
use crate::host::{Settings, Share};
use crate::machine::{default_headroom, default_limits, total_memory};
use crate::release::Release;

/// The file that counts when nobody names another.
const FILE: &str = "berth.toml";

/// A model whose label contains this is a refiner, unless others are named.
const REFINER: &str = "refiner";

/// Where spilled bytes go by default. Systems keep it over a restart, so it is on a disk;
/// `/tmp` is often memory, which is what is short, and a home may be far away or have a quota.
const SPILL_FOLDER: &str = "/var/tmp";

/// Everything that can be decided. What is left out has its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// How memory is used.
    pub memory: MemoryConfig,
    /// What each plugin may do, by its name.
    pub plugins: IndexMap<String, PluginConfig>,
}

/// How memory is used.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MemoryConfig {
    /// The most that tensors may take on the device; see [`default_limits`].
    #[serde(deserialize_with = "text::positive")]
    pub vram: Option<Size>,
    /// What of that is left to other programs.
    #[serde(deserialize_with = "text::one")]
    pub reserve_vram: Option<Size>,
    /// The most that tensors may take in the host's memory; see [`default_limits`].
    #[serde(deserialize_with = "text::positive")]
    pub dram: Option<Size>,
    /// Host memory that is left to other programs; see [`default_headroom`].
    #[serde(deserialize_with = "text::one")]
    pub ram_headroom: Option<Size>,
    /// What stays on the device; by default what is needed soonest.
    #[serde(deserialize_with = "text::one")]
    pub offload: Option<OffloadModeName>,
    /// Where the balanced mode begins to evict.
    #[serde(deserialize_with = "text::one")]
    pub high_watermark: Option<Watermark>,
    /// How far it evicts.
    #[serde(deserialize_with = "text::one")]
    pub low_watermark: Option<Watermark>,
    /// Models that leave as soon as they were used, by role or label.
    pub offload_always: Vec<String>,
    /// Models that leave only when an operation could not run otherwise, by role or label.
    pub offload_never: Vec<String>,
    /// Moves between models that take turns.
    #[serde(rename = "move", deserialize_with = "text::list")]
    pub moves: Vec<Move>,
    /// A model whose label contains one of these is a refiner; by default `refiner`.
    pub refiner: Vec<String>,
    /// The folder for what is spilled; by default `/var/tmp`.
    pub spill_dir: Option<PathBuf>,
    /// The most that is spilled; by default half of what its disk has left.
    #[serde(deserialize_with = "text::one")]
    pub spill_limit: Option<Size>,
    /// What becomes of nodes' outputs when they were used.
    #[serde(deserialize_with = "text::one")]
    pub release: Option<Release>,
}

/// What a plugin may do.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PluginConfig {
    /// Its parts of the device among all plugins.
    pub weight: Option<NonZeroU32>,
    /// What it keeps of the device while others need room, instead of its weight.
    #[serde(deserialize_with = "text::one")]
    pub share: Option<Size>,
    /// The most that it may take on the device.
    #[serde(deserialize_with = "text::positive")]
    pub quota: Option<Size>,
    /// The most that it may take in the host's memory.
    #[serde(deserialize_with = "text::positive")]
    pub dram_quota: Option<Size>,
    /// The most that is spilled for it.
    #[serde(deserialize_with = "text::positive")]
    pub spill_quota: Option<Size>,
    /// What it may do beside computing.
    #[serde(deserialize_with = "text::list")]
    pub grants: Vec<Capability>,
}

/// A move between models that take turns, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move(pub MoveRule);

impl FromStr for Move {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Ok(Self(match name {
            "base-for-refiner" => MoveRule::BaseForRefiner,
            "base-for-vae" => MoveRule::BaseForVae,
            "refiner-when-idle" => MoveRule::RefinerWhenIdle,
            _ => {
                return Err(format!(
                    "there is no move `{}`; the moves are: \
                     base-for-refiner, base-for-vae, refiner-when-idle",
                    crate::text::plain(name)
                ));
            }
        }))
    }
}

impl Config {
    /// The configuration of a file; without one, of `berth.toml` in the working folder, if
    /// it is there.
    ///
    /// # Errors
    /// `Read`, `Content`.
    pub fn find(named: Option<&Path>) -> Result<Self, ConfigError> {
        match named {
            Some(path) => Self::read(path),
            None if Path::new(FILE).exists() => Self::read(Path::new(FILE)),
            None => Ok(Self::default()),
        }
    }

    /// The configuration of a file. Folders in it are seen from the file's own.
    ///
    /// # Errors
    /// `Read`, `Content`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml::from_str(&text)
            .map_err(|error| ConfigError::content(path.to_owned(), text, &error))?;
        if let (Some(folder), Some(spill)) = (path.parent(), &mut config.memory.spill_dir) {
            *spill = folder.join(&*spill);
        }
        Ok(config)
    }

    /// This over another: what this one leaves out is the other's. Lists are not joined, but
    /// for plugins: each of them is one over the other, and keeps what either grants it.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let mut plugins = below.plugins;
        for (name, plugin) in self.plugins {
            let below = plugins.entry(name).or_default();
            *below = plugin.over(std::mem::take(below));
        }
        Self { memory: self.memory.over(below.memory), plugins }
    }

    /// Puts everything that it says into settings, and defaults for the rest.
    ///
    /// # Errors
    /// `NothingLeft`, `Watermarks`, `SpillFolder`.
    pub fn apply(self, settings: &mut Settings) -> Result<(), ConfigError> {
        let memory = self.memory;
        settings.limits = default_limits(bytes(memory.vram), bytes(memory.dram));
        let (limit, reserve) = (settings.limits.device, bytes(memory.reserve_vram).unwrap_or(0));
        settings.limits.device = limit.saturating_sub(reserve);
        if settings.limits.device == 0 {
            return Err(ConfigError::NothingLeft { limit: Size(limit), reserve: Size(reserve) });
        }
        settings.offload = memory.offload.unwrap_or(OffloadModeName::Planned);
        settings.watermarks =
            watermarks(memory.high_watermark, memory.low_watermark, settings.limits.device)?;
        settings.rules.always = memory.offload_always;
        settings.rules.never = memory.offload_never;
        settings.rules.moves = memory.moves.into_iter().map(|Move(rule)| rule).collect();
        settings.rules.refiners = memory.refiner;
        if settings.rules.refiners.is_empty() {
            settings.rules.refiners.push(REFINER.into());
        }
        settings.headroom =
            bytes(memory.ram_headroom).unwrap_or_else(|| default_headroom(total_memory()));
        settings.spill = spill(memory.spill_dir, memory.spill_limit)?;
        settings.release = memory.release.unwrap_or_default();
        let granted = |(name, plugin): (&String, &PluginConfig)| {
            let of = |&capability| (name.clone(), capability);
            plugin.grants.iter().map(of).collect::<Vec<_>>()
        };
        settings.grants = self.plugins.iter().flat_map(granted).collect();
        settings.shares = self.plugins.iter().map(|(name, p)| (name.clone(), p.share())).collect();
        Ok(())
    }
}

impl MemoryConfig {
    fn over(self, below: Self) -> Self {
        Self {
            vram: self.vram.or(below.vram),
            reserve_vram: self.reserve_vram.or(below.reserve_vram),
            dram: self.dram.or(below.dram),
            ram_headroom: self.ram_headroom.or(below.ram_headroom),
            offload: self.offload.or(below.offload),
            high_watermark: self.high_watermark.or(below.high_watermark),
            low_watermark: self.low_watermark.or(below.low_watermark),
            offload_always: first(self.offload_always, below.offload_always),
            offload_never: first(self.offload_never, below.offload_never),
            moves: first(self.moves, below.moves),
            refiner: first(self.refiner, below.refiner),
            spill_dir: self.spill_dir.or(below.spill_dir),
            spill_limit: self.spill_limit.or(below.spill_limit),
            release: self.release.or(below.release),
        }
    }
}

impl PluginConfig {
    fn over(self, below: Self) -> Self {
        let mut grants = below.grants;
        grants.extend(self.grants);
        Self {
            weight: self.weight.or(below.weight),
            share: self.share.or(below.share),
            quota: self.quota.or(below.quota),
            dram_quota: self.dram_quota.or(below.dram_quota),
            spill_quota: self.spill_quota.or(below.spill_quota),
            grants,
        }
    }

    fn share(&self) -> Share {
        Share {
            weight: self.weight.map(NonZeroU32::get),
            soft: bytes(self.share),
            quota: PerTier {
                device: bytes(self.quota),
                host: bytes(self.dram_quota),
                disk: bytes(self.spill_quota),
            },
        }
    }
}

fn bytes(size: Option<Size>) -> Option<u64> {
    size.map(|Size(bytes)| bytes)
}

/// The first list, if something is in it.
fn first<T>(list: Vec<T>, below: Vec<T>) -> Vec<T> {
    if list.is_empty() { below } else { list }
}

fn watermarks(
    high: Option<Watermark>,
    low: Option<Watermark>,
    limit: u64,
) -> Result<Watermarks, ConfigError> {
    let default = Watermarks::default();
    let high = high.unwrap_or(Watermark(default.high));
    match low {
        Some(low) if low.on(limit) > high.on(limit) => Err(ConfigError::Watermarks { low, high }),
        low => Ok(Watermarks { high: high.0, low: low.map(|low| low.0).or(default.low) }),
    }
}

fn spill(
    folder: Option<PathBuf>,
    limit: Option<Size>,
) -> Result<Option<SpillSettings>, ConfigError> {
    if limit == Some(Size(0)) {
        return Ok(None);
    }
    let named = folder.is_some();
    let folder = folder.unwrap_or_else(|| match Path::new(SPILL_FOLDER) {
        disk if disk.is_dir() => disk.to_owned(),
        _ => std::env::temp_dir(),
    });
    let free = std::fs::read_dir(&folder).and_then(|_| fs4::available_space(&folder));
    let usable = free.and_then(|free| {
        let limit = limit.map_or(free / 2, |Size(limit)| limit);
        let settings = SpillSettings { folder: folder.clone(), limit };
        match settings.check() {
            Err(
                MemoryError::SpillUnavailable { cause, .. } | MemoryError::SpillFull { cause, .. },
            ) => Err(cause),
            _ => Ok(settings),
        }
    });
    match usable {
        Ok(settings) => Ok(Some(settings)),
        // Most workflows never spill: only a folder that somebody named has to be there.
        Err(error) if !named => {
            tracing::warn!(%error, "nothing can be spilled to {}", folder.display());
            Ok(None)
        }
        Err(source) => Err(ConfigError::SpillFolder { path: folder, source }),
    }
}

#[cfg(test)]
mod tests;

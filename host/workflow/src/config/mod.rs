//! What the operator decides, as it is written in `berth.toml` and in arguments.
//!
//! Both are one type in which everything can be left out, so that one can stand over
//! the other and the defaults are in one place: where a [`Config`] becomes [`Settings`]. It is
//! here, not in the command line, because a server reads the same file.

mod error;
mod lock;
mod plugins;
mod watermark;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use berth_memory::{MemoryError, MoveRule, OffloadModeName, SpillSettings, Watermarks};
use berth_sandbox::reading::{self, Size, scalar};
use berth_sandbox::{LimitSettings, RunLimits};
use indexmap::IndexMap;
use serde::Deserialize;

pub use self::error::ConfigError;
pub use self::lock::{LOCK, Lock, Locked};
pub use self::plugins::{FolderGrant, GrantConfig, PluginConfig};
pub use self::watermark::{NotAWatermark, Watermark};
use crate::host::Settings;
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
    /// What a run of any plugin may take, unless the plugin has limits of its own.
    pub limits: LimitSettings,
    /// Folders of plugins, beside the stock ones.
    pub plugin_folders: Vec<PathBuf>,
    /// What each plugin may do, by its name.
    pub plugins: IndexMap<String, PluginConfig>,
    /// What `berth.lock` beside the file pins. Paths are seen from the working folder.
    #[serde(skip)]
    pub locked: Vec<Locked>,
}

/// How memory is used.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct MemoryConfig {
    /// The most that tensors may take on the device; see [`default_limits`].
    #[serde(deserialize_with = "scalar::positive")]
    pub vram: Option<Size>,
    /// What of that is left to other programs.
    #[serde(deserialize_with = "scalar::one")]
    pub reserve_vram: Option<Size>,
    /// The most that tensors may take in the host's memory; see [`default_limits`].
    #[serde(deserialize_with = "scalar::positive")]
    pub dram: Option<Size>,
    /// Host memory that is left to other programs; see [`default_headroom`].
    #[serde(deserialize_with = "scalar::one")]
    pub ram_headroom: Option<Size>,
    /// What stays on the device; by default what is needed soonest.
    #[serde(deserialize_with = "scalar::one")]
    pub offload: Option<OffloadModeName>,
    /// Where the balanced mode begins to evict.
    #[serde(deserialize_with = "scalar::one")]
    pub high_watermark: Option<Watermark>,
    /// How far it evicts.
    #[serde(deserialize_with = "scalar::one")]
    pub low_watermark: Option<Watermark>,
    /// Models that leave as soon as they were used, by role or label.
    pub offload_always: Vec<String>,
    /// Models that leave only when an operation could not run otherwise, by role or label.
    pub offload_never: Vec<String>,
    /// Moves between models that take turns.
    #[serde(rename = "move", deserialize_with = "scalar::list")]
    pub moves: Vec<Move>,
    /// A model whose label contains one of these is a refiner; by default `refiner`.
    pub refiner: Vec<String>,
    /// The folder for what is spilled; by default `/var/tmp`.
    pub spill_dir: Option<PathBuf>,
    /// The most that is spilled; by default half of what its disk has left.
    #[serde(deserialize_with = "scalar::one")]
    pub spill_limit: Option<Size>,
    /// What becomes of nodes' outputs when they were used.
    #[serde(deserialize_with = "scalar::one")]
    pub release: Option<Release>,
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
    /// it is there. With it comes what `berth.lock` beside it pins.
    ///
    /// # Errors
    /// `Read`, `Content`.
    pub fn find(named: Option<&Path>) -> Result<Self, ConfigError> {
        match named {
            Some(path) => Self::read(path),
            None if Path::new(FILE).exists() => Self::read(Path::new(FILE)),
            None => Ok(Self { locked: Lock::beside(Path::new(FILE))?, ..Self::default() }),
        }
    }

    /// The configuration of a file. Folders in it are seen from the file's own.
    ///
    /// # Errors
    /// `Read`, `Content`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let mut config = Self::parse(&path.display().to_string(), text)?;
        if let Some(folder) = path.parent() {
            let spill = config.memory.spill_dir.iter_mut();
            let plugins = config.plugins.values_mut().flat_map(PluginConfig::paths);
            for path in spill.chain(config.plugin_folders.iter_mut()).chain(plugins) {
                *path = folder.join(&*path);
            }
        }
        config.locked = Lock::beside(path)?;
        Ok(config)
    }

    /// The configuration that a text of this name is. Folders in it are seen from the working folder.
    ///
    /// # Errors
    /// `Content`.
    pub fn parse(name: &str, text: String) -> Result<Self, ConfigError> {
        let advise = |name: &str| match name {
            "lowvram" => Some("write: offload = \"sequential\"".into()),
            "medvram" => Some("write: offload = \"balanced\" and low-watermark = 0".into()),
            _ => None,
        };
        Ok(reading::read(name, text, advise)?)
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
        let mut plugin_folders = below.plugin_folders;
        plugin_folders.extend(self.plugin_folders);
        let mut locked = below.locked;
        locked.extend(self.locked);
        Self {
            memory: self.memory.over(below.memory),
            limits: self.limits.over(below.limits),
            plugin_folders,
            plugins,
            locked,
        }
    }

    /// Puts everything that it says into settings, and defaults for the rest.
    ///
    /// # Errors
    /// `NothingLeft`, `Watermarks`, `SpillFolder`, `LockContradicts`; `Grant`, `FolderWithoutPath`, `FolderWithPath`,
    /// `GrantedFolder` for what a plugin is granted.
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
        settings.limits_of_runs = self.limits.or(&RunLimits::default());
        settings.plugins.extend(self.plugin_folders);
        for (name, plugin) in self.plugins {
            let decided = plugin.decide(&name, &settings.limits_of_runs)?;
            settings.decided.insert(name, decided);
        }
        lock::decide(self.locked, settings)
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

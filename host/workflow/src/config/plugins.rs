//! What the operator decides about one plugin: which it is, what it may do, what it may take.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use berth_memory::PerTier;
use berth_sandbox::reading::{Size, scalar};
use berth_sandbox::rights::{
    Endpoint, Folder, Grant, Grants, INPUT, ModelPattern, OUTPUT, Requests,
};
use berth_sandbox::{Digest, LimitSettings, Policy, RunLimits};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};

use super::{ConfigError, bytes};
use crate::host::{Decided, Share};

/// What a plugin may do and take.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PluginConfig {
    /// Its component, or the folder that it is in with its manifest; by default it is found in
    /// a plugin folder.
    pub path: Option<PathBuf>,
    /// Which component it must be.
    pub digest: Option<Digest>,
    /// Its parts of the device among all plugins.
    pub weight: Option<NonZeroU32>,
    /// What it keeps of the device while others need room, instead of its weight.
    #[serde(deserialize_with = "scalar::one")]
    pub share: Option<Size>,
    /// The most that it may take on the device.
    #[serde(deserialize_with = "scalar::positive")]
    pub quota: Option<Size>,
    /// The most that it may take in the host's memory.
    #[serde(deserialize_with = "scalar::positive")]
    pub dram_quota: Option<Size>,
    /// The most that is spilled for it.
    #[serde(deserialize_with = "scalar::positive")]
    pub spill_quota: Option<Size>,
    /// What a run of it may take.
    pub limits: LimitSettings,
    /// What it may do beside computing.
    #[serde(deserialize_with = "table")]
    pub grants: GrantConfig,
}

/// What is granted, where the plugin requests it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct GrantConfig {
    /// To see and steer where bytes are.
    pub memory: bool,
    /// To know the time.
    pub clock: bool,
    /// To get bytes that nobody can foresee.
    pub randomness: bool,
    /// To see these variables of the environment.
    pub environment: Vec<String>,
    /// To connect to these hosts.
    pub network: Vec<Endpoint>,
    /// To open these models.
    pub models: Vec<ModelPattern>,
    /// To use these folders, by label.
    pub folders: BTreeMap<String, FolderGrant>,
}

/// A folder that is granted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum FolderGrant {
    /// The operator's own `input` or `output`.
    Own(Folder),
    /// Any other.
    At {
        /// Where it is.
        path: PathBuf,
        /// What may be done there.
        access: Folder,
    },
}

impl PluginConfig {
    /// This over another: what this one leaves out is the other's, and what either grants is
    /// granted.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        Self {
            path: self.path.or(below.path),
            digest: self.digest.or(below.digest),
            weight: self.weight.or(below.weight),
            share: self.share.or(below.share),
            quota: self.quota.or(below.quota),
            dram_quota: self.dram_quota.or(below.dram_quota),
            spill_quota: self.spill_quota.or(below.spill_quota),
            limits: self.limits.over(below.limits),
            grants: self.grants.and(below.grants),
        }
    }

    /// Every path in it.
    pub(super) fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let folders = self.grants.folders.values_mut().filter_map(|folder| match folder {
            FolderGrant::At { path, .. } => Some(path),
            FolderGrant::Own(_) => None,
        });
        self.path.iter_mut().chain(folders)
    }

    /// What it means, with these limits where it says nothing.
    pub(super) fn decide(self, name: &str, limits: &RunLimits) -> Result<Decided, ConfigError> {
        let grants = Grants::from(self.grants);
        check(name, &grants)?;
        let share = Share {
            weight: self.weight.map(NonZeroU32::get),
            soft: bytes(self.share),
            quota: PerTier {
                device: bytes(self.quota),
                host: bytes(self.dram_quota),
                disk: bytes(self.spill_quota),
            },
        };
        let policy = Policy { grants, limits: self.limits.or(limits), digest: self.digest };
        Ok(Decided { path: self.path, policy, share, locked: false })
    }
}

/// Whether what is granted to a plugin can be given.
fn check(plugin: &str, grants: &Grants) -> Result<(), ConfigError> {
    let plugin = crate::text::plain(plugin).into_owned();
    if let Err(reason) = grants.allowed.check() {
        return Err(ConfigError::Grant { plugin, reason });
    }
    for label in grants.allowed.folders.keys().cloned() {
        let own = matches!(label.as_str(), INPUT | OUTPUT);
        match (own, grants.paths.get(&label)) {
            (true, Some(_)) => return Err(ConfigError::FolderWithPath { plugin, label }),
            (false, None) => return Err(ConfigError::FolderWithoutPath { plugin, label }),
            (true, None) => {}
            (false, Some(path)) => {
                if let Err(source) = readable(path) {
                    let path = path.clone();
                    return Err(ConfigError::GrantedFolder { plugin, label, path, source });
                }
            }
        }
    }
    Ok(())
}

fn readable(folder: &Path) -> std::io::Result<()> {
    std::fs::read_dir(folder).map(|_| ())
}

/// Grants as a table. Serde would also take a list, as its fields in their order.
fn table<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GrantConfig, D::Error> {
    struct Table;
    impl<'de> Visitor<'de> for Table {
        type Value = GrantConfig;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table of grants, such as { memory = true, models = [\"vae/*\"] }")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<GrantConfig, A::Error> {
            GrantConfig::deserialize(MapAccessDeserializer::new(map))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<GrantConfig, A::Error> {
            Err(A::Error::custom(
                "grants are a table, not a list: write `grants = { memory = true }`",
            ))
        }
    }
    deserializer.deserialize_any(Table)
}

impl GrantConfig {
    /// Adds one right.
    pub fn add(&mut self, grant: Grant) {
        let mut grants = Grants::from(std::mem::take(self));
        grant.add_to(&mut grants);
        *self = grants.into();
    }

    fn and(self, other: Self) -> Self {
        let mut grants = Grants::from(other);
        let Grants { allowed, paths } = Grants::from(self);
        for right in allowed.rights() {
            Grant { right, path: None }.add_to(&mut grants);
        }
        grants.paths.extend(paths);
        grants.into()
    }
}

impl From<GrantConfig> for Grants {
    fn from(config: GrantConfig) -> Self {
        let GrantConfig { memory, clock, randomness, environment, network, models, folders } =
            config;
        let mut paths = BTreeMap::new();
        let folders = folders.into_iter().map(|(label, folder)| match folder {
            FolderGrant::Own(access) => (label, access),
            FolderGrant::At { path, access } => {
                paths.insert(label.clone(), path);
                (label, access)
            }
        });
        let folders = folders.collect();
        let allowed = Requests { memory, clock, randomness, environment, network, models, folders };
        Self { allowed, paths }
    }
}

impl From<Grants> for GrantConfig {
    fn from(grants: Grants) -> Self {
        let Grants { allowed, mut paths } = grants;
        let Requests { memory, clock, randomness, environment, network, models, folders } = allowed;
        let folder = |(label, access): (String, Folder)| match paths.remove(&label) {
            Some(path) => (label, FolderGrant::At { path, access }),
            None => (label, FolderGrant::Own(access)),
        };
        let folders = folders.into_iter().map(folder).collect();
        Self { memory, clock, randomness, environment, network, models, folders }
    }
}

//! What can be wrong with a configuration, with its place in the file.

use std::path::PathBuf;

use berth_sandbox::Digest;
use berth_sandbox::reading::{Misread, Size};
use thiserror::Error;

use super::Watermark;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error(transparent)]
    Content(#[from] Box<Misread>),
    /// Everything that the device has is reserved.
    #[error("nothing is left of the device: of {limit}, {reserve} are reserved")]
    NothingLeft {
        /// What the device has.
        limit: Size,
        /// What is reserved of it.
        reserve: Size,
    },
    /// The balanced mode would evict more than everything above the low watermark.
    #[error("the low watermark, {low}, is above the high one, {high}")]
    Watermarks {
        /// Where evicting ends.
        low: Watermark,
        /// Where it begins.
        high: Watermark,
    },
    /// A grant names something that cannot be.
    #[error("the grants of plugin `{plugin}`: {reason}")]
    Grant {
        /// The plugin.
        plugin: String,
        /// What is wrong.
        reason: String,
    },
    /// A folder of a plugin's own label is granted, but not where it is.
    #[error("plugin `{plugin}` is granted the folder `{label}`, but not which one it is")]
    FolderWithoutPath {
        /// The plugin.
        plugin: String,
        /// What the plugin calls it.
        label: String,
    },
    /// A path is given for a folder that has one already.
    #[error("plugin `{plugin}` is granted the folder `{label}` with a path, which is not its own")]
    FolderWithPath {
        /// The plugin.
        plugin: String,
        /// `input` or `output`.
        label: String,
    },
    /// A folder that is granted is not there.
    #[error(
        "plugin `{plugin}` is granted the folder `{label}`: cannot use {}: {source}",
        path.display()
    )]
    GrantedFolder {
        /// The plugin.
        plugin: String,
        /// What the plugin calls it.
        label: String,
        /// Where it should be.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The configuration and the lock pin two components for one plugin.
    #[error(
        "plugin `{plugin}` is pinned twice: the configuration has the digest {configured}, \
         berth.lock has {locked}"
    )]
    LockContradicts {
        /// The plugin.
        plugin: String,
        /// What the configuration says.
        configured: Digest,
        /// What the lock says.
        locked: Digest,
    },
    /// Nothing can be spilled where it should be.
    #[error("cannot use the folder {} to spill to: {source}", path.display())]
    SpillFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl ConfigError {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("name a file that can be read".into()),
            Self::Content(misread) => misread.hint.clone(),
            Self::NothingLeft { .. } => Some("reserve less, or raise the device's limit".into()),
            Self::Watermarks { .. } => Some("lower the low one, or raise the high one".into()),
            Self::Grant { .. } => Some("write it as the plugin's manifest does".into()),
            Self::FolderWithoutPath { plugin, label } => Some(format!(
                "say where it is: `{label} = {{ path = \"DIR\", access = \"read\" }}`, or \
                 `--grant {plugin}=read:{label}=DIR`"
            )),
            Self::FolderWithPath { label, .. } => Some(format!(
                "write `{label} = \"read\"`: it is the folder of `--{label}` for every plugin"
            )),
            Self::GrantedFolder { .. } => Some("make it, or name another".into()),
            Self::LockContradicts { plugin, .. } => Some(format!(
                "take `digest` out of [plugins.{plugin}], or install the version that it names"
            )),
            Self::SpillFolder { .. } => Some(
                "make it, name another with `spill-dir`, or turn spilling off: `spill-limit` 0"
                    .into(),
            ),
        }
    }
}

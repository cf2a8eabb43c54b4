//! What can be wrong with a configuration, with its place in the file.

use std::path::PathBuf;

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
            Self::SpillFolder { .. } => Some(
                "make it, name another with `spill-dir`, or turn spilling off: `spill-limit` 0"
                    .into(),
            ),
        }
    }
}

//! What becomes of a node's outputs when they were used.

use std::fmt;
use std::str::FromStr;

/// When the outputs of nodes are let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Release {
    /// Level 0: never, while the cache has room.
    KeepAll,
    /// Level 1: those that no link refers to.
    Unreferenced,
    /// Level 2: each as soon as its last consumer has run.
    AfterUse,
    /// Kept as long as that costs nobody anything: first in line to leave the device, then
    /// the host, then the spill file, and computed again if it is needed after that.
    #[default]
    Demote,
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KeepAll => "0",
            Self::Unreferenced => "1",
            Self::AfterUse => "2",
            Self::Demote => "demote",
        })
    }
}

/// There is no such level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no release level `{0}`; the levels are: 0, 1, 2, demote")]
pub struct UnknownRelease(pub String);

impl FromStr for Release {
    type Err = UnknownRelease;

    fn from_str(text: &str) -> Result<Self, UnknownRelease> {
        [Self::KeepAll, Self::Unreferenced, Self::AfterUse, Self::Demote]
            .into_iter()
            .find(|level| level.to_string() == text)
            .ok_or_else(|| UnknownRelease(text.to_owned()))
    }
}

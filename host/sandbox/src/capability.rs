//! What an operator can grant a plugin beyond computing on what it is given.
//!
//! A plugin asks by importing an interface, so what it may do is settled when it is loaded,
//! and one that asks for nothing cannot get anything later.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A right that only the operator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Sees where bytes are and who holds them, and moves them: `berth:node/memory`.
    Memory,
}

impl Capability {
    /// Every one there is.
    pub const ALL: [Self; 1] = [Self::Memory];

    /// Its name, as operators write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
        }
    }

    /// The one that an import needs.
    pub(crate) fn of_import(import: &str) -> Option<Self> {
        let (interface, _version) = import.split_once('@').unwrap_or((import, ""));
        match interface {
            "berth:node/memory" => Some(Self::Memory),
            _ => None,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// There is no such capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no capability `{0}`; the capabilities are: memory")]
pub struct UnknownCapability(pub String);

impl FromStr for Capability {
    type Err = UnknownCapability;

    fn from_str(text: &str) -> Result<Self, UnknownCapability> {
        let known = Self::ALL.into_iter().find(|capability| capability.name() == text);
        known.ok_or_else(|| UnknownCapability(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_is_read_as_it_is_written() {
        for capability in Capability::ALL {
            assert_eq!(capability.to_string().parse(), Ok(capability));
        }
        let error = "network".parse::<Capability>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no capability `network`; the capabilities are: memory"
        );
    }
}

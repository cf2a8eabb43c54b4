//! What the operator decides about one plugin.

use std::fmt;
use std::str::FromStr;

use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::limits::RunLimits;
use crate::rights::Grants;

/// What the operator decides about one plugin.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// What it is given, where it asks for it.
    pub grants: Grants,
    /// What its runs may take.
    pub limits: RunLimits,
    /// Which component it must be; any, if `None`.
    pub digest: Option<Digest>,
}

/// Whether rights that are missing are refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// They are.
    #[default]
    Enforce,
    /// They are counted and let pass, as far as nothing leaves the sandbox by it: for a rehearsal
    /// that shows what would be denied.
    Count,
}

/// BLAKE3 of a component. It shows itself in hexadecimal.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, DeserializeFromStr, SerializeDisplay,
)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Of these bytes.
    #[must_use]
    pub fn of(component: &[u8]) -> Self {
        Self(*blake3::hash(component).as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// A text that is no digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits, as `berth plugin inspect` shows them")]
pub struct NoDigest;

impl FromStr for Digest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let hex = text.strip_prefix("blake3:").unwrap_or(text);
        blake3::Hash::from_hex(hex).map(|hash| Self(*hash.as_bytes())).map_err(|_| NoDigest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of(b"component");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(format!("blake3:{digest}").parse(), Ok(digest));
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(63)] {
            assert_eq!(text.parse::<Digest>(), Err(NoDigest), "{text}");
        }
    }
}

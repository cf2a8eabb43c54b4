//! `plugin.toml`: what a plugin says of itself, and what it asks for.
//!
//! It lies beside the component, or in it as a custom section once it is packaged. It is the
//! author's word, so nothing in it is a right: its requests count only where the operator grants
//! them, its wishes for limits only where they are lower, and its name only as a check that it is
//! the plugin that the host takes it for.

mod section;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

pub use self::section::{embed, embedded};
use crate::limits::LimitSettings;
use crate::reading::{self, Misread};
use crate::rights::Requests;

/// The file beside a component.
pub const MANIFEST: &str = "plugin.toml";

/// Longest manifest, in bytes: some hundred times a long one.
pub const LONGEST_MANIFEST: usize = 64 << 10;

/// The contract that this host speaks.
pub const CONTRACT: Version = Version::new(0, 1, 0);

/// A plugin's manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// What it is called: lower-case letters, digits and dashes.
    pub name: String,
    /// Its version.
    #[schemars(with = "String")]
    pub version: Version,
    /// The version of the contract `berth:node` that it was built against.
    #[schemars(with = "String")]
    pub contract: Version,
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it wants to do beyond computing.
    #[serde(default)]
    pub requests: Requests,
    /// The limits that are enough for it.
    #[serde(default)]
    pub limits: LimitSettings,
}

impl Manifest {
    /// Reads a manifest. `origin` is where it is from, for messages.
    ///
    /// # Errors
    /// [`Misread`] for what is no manifest, with its place.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Box<Misread>> {
        reading::read(origin, text.to_owned(), |_| None)
    }

    /// The JSON Schema of a manifest.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

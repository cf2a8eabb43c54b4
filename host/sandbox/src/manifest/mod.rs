//! `plugin.toml`: what a plugin says of itself, and what it asks for.
//!
//! It lies beside the component, or in it as a custom section once it is packaged. It is the
//! author's word, so nothing in it is a right: its requests count only where the operator grants
//! them, its wishes for limits only where they are lower, and its name only as a check that it is
//! the plugin that the host takes it for.

mod advice;
mod rules;
mod section;

use std::path::Path;

use schemars::JsonSchema;
use semver::Version;
use serde::{Deserialize, Serialize};

pub use self::section::{embed, embedded};
use crate::compile::check_bytes;
use crate::error::SandboxError;
use crate::limits::LimitSettings;
use crate::reading::{self, Misread};
use crate::rights::Requests;
use crate::whole;

/// The file beside a component.
pub const MANIFEST: &str = "plugin.toml";

/// Longest manifest, in bytes: some hundred times a long one.
pub const LONGEST_MANIFEST: usize = 64 << 10;

/// What a node plugin of Berth says of itself, and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "plugin.toml")]
pub struct Manifest {
    /// What it is called: lower-case letters, digits and dashes.
    #[serde(deserialize_with = "rules::name")]
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9-]{0,63}$"))]
    pub name: String,
    /// Its version: three numbers, as in `1.0.0`.
    #[serde(deserialize_with = "rules::version")]
    #[schemars(with = "String", length(max = 64), regex(pattern = r"^\d+\.\d+\.\d+([-+].+)?$"))]
    pub version: Version,
    /// The version of the contract `berth:node` that it was built against.
    #[serde(deserialize_with = "rules::contract")]
    #[schemars(with = "String", length(max = 64), regex(pattern = r"^\d+\.\d+\.\d+([-+].+)?$"))]
    pub contract: Version,
    /// What it is for, in a sentence.
    #[serde(
        default,
        deserialize_with = "rules::description",
        skip_serializing_if = "String::is_empty"
    )]
    #[schemars(length(max = 300))]
    pub description: String,
    /// What it wants to do beyond computing.
    #[serde(default, deserialize_with = "reading::table")]
    pub requests: Requests,
    /// The limits that are enough for it.
    #[serde(default, deserialize_with = "reading::table")]
    pub limits: LimitSettings,
    /// How its project is built; nothing to the host that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
}

/// How a plugin's project is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Build {
    /// The language that it is written in, as `berth plugin new --lang` names it.
    #[serde(deserialize_with = "rules::language")]
    #[schemars(regex(pattern = r"^[a-z]{1,32}$"))]
    pub language: String,
}

impl Manifest {
    /// Reads a manifest. `origin` is where it is from, for messages.
    ///
    /// # Errors
    /// [`Misread`] for what is no manifest, with its place.
    pub fn parse(origin: &str, text: &str) -> Result<Self, Box<Misread>> {
        let (length, most) = (text.len(), LONGEST_MANIFEST);
        if length > most {
            let message = format!("it has {length} bytes, and a manifest has at most {most}");
            let hint = Some("leave out what is not needed".into());
            return Err(Box::new(Misread::at(origin, String::new(), 0..0, message, hint)));
        }
        reading::read(origin, text.to_owned(), |_| None).map_err(advice::advised)
    }

    /// Reads a manifest's file.
    ///
    /// # Errors
    /// `ManifestFile` when it cannot be read, `Manifest` when it is none.
    pub fn read(path: &Path) -> Result<Self, SandboxError> {
        let text = whole::text(path, LONGEST_MANIFEST as u64)
            .map_err(|source| SandboxError::ManifestFile { path: path.to_owned(), source })?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }

    /// The manifest inside of a plugin's component, if there is one.
    ///
    /// # Errors
    /// `NotAComponent` when it cannot be looked for, `Manifest` when it is none.
    pub fn embedded(plugin: &str, component: &[u8]) -> Result<Option<Self>, SandboxError> {
        let refuse = |reason| SandboxError::NotAComponent { plugin: plugin.into(), reason };
        // What is something else altogether is told as what it is.
        if !component.starts_with(b"\0asm") {
            check_bytes(component).map_err(refuse)?;
        }
        let Some(text) = embedded(component).map_err(refuse)? else { return Ok(None) };
        let origin = format!("the manifest inside of plugin `{plugin}`");
        Ok(Some(Self::parse(&origin, &text)?))
    }

    /// The JSON Schema of a manifest.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }
}

#[cfg(test)]
mod tests;

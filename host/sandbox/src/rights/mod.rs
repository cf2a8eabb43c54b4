//! What a plugin may do beyond computing on what it is given.
//!
//! Two keys: the plugin's manifest requests a right *and* the operator grants it. Both sides are
//! a [`Requests`]; what counts is where they meet, a [`Rights`], which is settled when the plugin
//! is loaded. Every question at run time is answered by it, and a no says which key is missing.

mod pattern;
mod right;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub use self::pattern::{Endpoint, ModelPattern, NoPattern};
pub use self::right::{Grant, NoRight, Right};
use crate::reading;

/// The label of the operator's folder for what workflows take in.
pub const INPUT: &str = "input";

/// The label of the operator's folder for results.
pub const OUTPUT: &str = "output";

/// What is asked for, or given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Requests {
    /// To see where bytes are and who holds them, and to move them.
    #[serde(skip_serializing_if = "is_false")]
    pub memory: bool,
    /// To know the time. Without it the clock moves only by what the run sleeps.
    #[serde(skip_serializing_if = "is_false")]
    pub clock: bool,
    /// To get bytes that nobody can foresee. Without it they are the same each time.
    #[serde(skip_serializing_if = "is_false")]
    pub randomness: bool,
    /// To see these variables of the host's environment.
    #[serde(deserialize_with = "reading::variables", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(regex(pattern = r"^[A-Za-z0-9_]{1,250}$")))]
    pub environment: Vec<String>,
    /// To connect to these hosts by TCP.
    #[serde(deserialize_with = "reading::few", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub network: Vec<Endpoint>,
    /// To open these models.
    #[serde(deserialize_with = "reading::few", skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    pub models: Vec<ModelPattern>,
    /// To use folders, by label: `input` and `output` are the operator's own; others are
    /// what the operator says they are, and the guest finds them under `/LABEL`.
    #[serde(deserialize_with = "reading::labelled", skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 64, "propertyNames" = {
        "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    }))]
    pub folders: BTreeMap<String, Folder>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What may be done in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Folder {
    /// Files are read.
    Read,
    /// Files are read, written, made and removed.
    Write,
}

impl<'de> Deserialize<'de> for Folder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Access;

        impl Visitor<'_> for Access {
            type Value = Folder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`read` or `write`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Folder, E> {
                match text {
                    "read" => Ok(Folder::Read),
                    "write" => Ok(Folder::Write),
                    other => Err(E::invalid_value(Unexpected::Str(other), &self)),
                }
            }
        }

        // An enumeration is also read from tables, and errors are then about those.
        deserializer.deserialize_str(Access)
    }
}

/// What an operator gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// The rights.
    pub allowed: Requests,
    /// Where folders are that are neither `input` nor `output`, by label.
    pub paths: BTreeMap<String, PathBuf>,
}

/// Which of the two keys is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissingKey {
    /// The plugin's manifest does not request it.
    Request,
    /// The operator did not grant it.
    Grant,
}

/// A right that is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Denied {
    /// Which.
    pub right: Right,
    /// Why.
    pub missing: MissingKey,
}

/// What one plugin may do: what it requests and the operator grants.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    requests: Requests,
    grants: Grants,
}

impl Requests {
    /// Every right in it, in the order of the fields.
    #[must_use]
    pub fn rights(&self) -> Vec<Right> {
        let flags = [
            (self.memory, Right::Memory),
            (self.clock, Right::Clock),
            (self.randomness, Right::Randomness),
        ];
        let mut rights: Vec<Right> =
            flags.into_iter().filter(|(asked, _)| *asked).map(|(_, right)| right).collect();
        rights.extend(self.environment.iter().cloned().map(Right::Environment));
        rights.extend(self.network.iter().cloned().map(Right::Network));
        rights.extend(self.models.iter().cloned().map(Right::Models));
        rights.extend(self.folders.iter().map(|(label, access)| match access {
            Folder::Read => Right::Read(label.clone()),
            Folder::Write => Right::Write(label.clone()),
        }));
        rights
    }

    /// Whether it has a right.
    #[must_use]
    pub fn has(&self, right: &Right) -> bool {
        let folder = |label: &String, least| self.folders.get(label).is_some_and(|a| *a >= least);
        match right {
            Right::Memory => self.memory,
            Right::Clock => self.clock,
            Right::Randomness => self.randomness,
            Right::Environment(name) => self.environment.contains(name),
            Right::Network(endpoint) => self.network.contains(endpoint),
            Right::Models(wanted) => {
                // A pattern is covered as a whole by one that is wider.
                let (category, label) = wanted.parts();
                self.models.iter().any(|pattern| pattern.matches(category, label))
            }
            Right::Read(label) => folder(label, Folder::Read),
            Right::Write(label) => folder(label, Folder::Write),
        }
    }

    /// Whether its labels and names of variables are what they have to be. What is read from a
    /// file was checked there.
    ///
    /// # Errors
    /// The first of them, and why.
    pub fn check(&self) -> Result<(), String> {
        let told = |name: &str, error| format!("`{}`: {error}", crate::text::plain(name));
        for label in self.folders.keys() {
            check_label(label).map_err(|error| told(label, error))?;
        }
        for name in &self.environment {
            check_variable(name).map_err(|error| told(name, error))?;
        }
        Ok(())
    }
}

impl Rights {
    /// Where requests and grants meet.
    #[must_use]
    pub fn new(requests: Requests, grants: Grants) -> Self {
        Self { requests, grants }
    }

    /// Whether there is a right.
    ///
    /// # Errors
    /// The key that is missing.
    pub fn check(&self, right: Right) -> Result<(), Denied> {
        let missing = if !self.requests.has(&right) {
            MissingKey::Request
        } else if !self.grants.allowed.has(&right) {
            MissingKey::Grant
        } else {
            return Ok(());
        };
        Err(Denied { right, missing })
    }

    /// Whether a model may be opened.
    ///
    /// # Errors
    /// The key that is missing.
    pub fn check_model(&self, category: &str, label: &str) -> Result<(), Denied> {
        self.check(Right::Models(ModelPattern::exactly(category, label)))
    }

    /// What the plugin requests.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Everything that is requested, with what becomes of it.
    #[must_use]
    pub fn settled(&self) -> Vec<(Right, Result<(), Denied>)> {
        let settle = |right: Right| (right.clone(), self.check(right));
        self.requests.rights().into_iter().map(settle).collect()
    }

    /// The folders of the plugin's own that it may use: label, path and access.
    pub(crate) fn folders(&self) -> impl Iterator<Item = (&str, &PathBuf, Folder)> {
        self.requests.folders.iter().filter_map(|(label, wanted)| {
            let granted = self.grants.allowed.folders.get(label)?;
            let path = self.grants.paths.get(label)?;
            Some((label.as_str(), path, *granted.min(wanted)))
        })
    }
}

/// Labels become names of folders in the guest's own file system.
pub(crate) fn check_label(label: &str) -> Result<(), NoPattern> {
    let fine = label.len() <= 64
        && label.starts_with(|c: char| c.is_ascii_alphanumeric())
        && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if fine { Ok(()) } else { Err(NoPattern::Label) }
}

pub(crate) fn check_variable(name: &str) -> Result<(), NoPattern> {
    let fine = (1..=250).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if fine { Ok(()) } else { Err(NoPattern::Variable) }
}

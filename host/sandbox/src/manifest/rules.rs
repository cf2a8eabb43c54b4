//! What the texts of a manifest have to be.
//!
//! They are checked while they are read, where their place is known.

use semver::Version;
use serde::de::{Deserialize, Deserializer};

use crate::contract::{CONTRACT, EARLIEST_CONTRACT, speaks};
use crate::reading::mistake;
use crate::text::{is_escaped, plain};

/// Longest name, in bytes: it is a folder's name, a table's in `berth.toml`, and in every message.
const LONGEST_NAME: usize = 64;

/// Longest description, in characters: two or three lines of a terminal.
const LONGEST_DESCRIPTION: usize = 300;

/// Longest version, in bytes.
const LONGEST_VERSION: usize = 64;

pub(super) fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(part) && !name.starts_with('-')
    {
        return Ok(name);
    }
    let wrong = match name.len() {
        0 => "the name is empty".to_owned(),
        length if length > LONGEST_NAME => format!("the name has {length} bytes"),
        _ => format!("`{}` is no name of a plugin", plain(&name)),
    };
    let hint = format!(
        "use 1 to {LONGEST_NAME} lower-case letters, digits and dashes, a letter or digit first"
    );
    Err(mistake(wrong, hint))
}

pub(super) fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    numbered(deserializer, &Version::new(1, 0, 0))
}

fn numbered<'de, D>(deserializer: D, example: &Version) -> Result<Version, D::Error>
where
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    let hint = format!("a version has three numbers, such as `{example}`");
    if text.len() > LONGEST_VERSION {
        return Err(mistake(format_args!("the version has {} bytes", text.len()), hint));
    }
    Version::parse(&text)
        .map_err(|_| mistake(format_args!("`{}` is no version", plain(&text)), hint))
}

/// Within one minor version the contract stays what it is, and a later one adds to an earlier one.
pub(super) fn contract<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let contract = numbered(deserializer, &CONTRACT)?;
    if speaks(&contract) {
        return Ok(contract);
    }
    let message = format!(
        "it is built against the contract {contract}, and this host speaks {EARLIEST_CONTRACT} to {CONTRACT}"
    );
    let hint = if contract > CONTRACT {
        "update Berth, or use a version of the plugin for this contract"
    } else {
        "use a version of the plugin for this contract, or build it again with this host's SDK"
    };
    Err(mistake(message, hint))
}

pub(super) fn language<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let language = String::deserialize(deserializer)?;
    if (1..=32).contains(&language.len()) && language.chars().all(|c| c.is_ascii_lowercase()) {
        return Ok(language);
    }
    let hint = "a language's name is lower-case letters, such as `rust` or `cpp`";
    Err(mistake(format_args!("`{}` is no name of a language", plain(&language)), hint))
}

pub(super) fn description<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let hint = "say what it is for in a sentence";
    if text.chars().any(is_escaped) {
        return Err(mistake("a description is one line, without control characters", hint));
    }
    let length = text.chars().count();
    if length > LONGEST_DESCRIPTION {
        let message = format!(
            "the description has {length} characters, and the most are {LONGEST_DESCRIPTION}"
        );
        return Err(mistake(message, hint));
    }
    Ok(text)
}

//! What serde and the parser of TOML say, in plain words.
//!
//! Their messages name types of Rust and quote as much of a file as there is; these name what
//! one would write, and quote a line at most.

use std::fmt;

use serde::de::Error;

use crate::text::{nearest, plain};

/// Between what is wrong and what to do about it. Nothing that is quoted has a newline.
const HINT: &str = "\nhint: ";

/// A mistake, in plain words.
pub(super) struct Told {
    pub(super) message: String,
    pub(super) hint: Option<String>,
    /// Nothing that is there is wrong: something is not.
    pub(super) is_missing: bool,
}

/// An error of a deserializer that says what to do about it.
pub fn mistake<E: Error>(message: impl fmt::Display, hint: impl fmt::Display) -> E {
    E::custom(format_args!("{message}{HINT}{hint}"))
}

/// What an error says. `advise` knows what to do about names that are none.
pub(super) fn told(message: &str, advise: impl Fn(&str) -> Option<String>) -> Told {
    let told = |message, hint| Told { message, hint, is_missing: false };
    if let Some((message, hint)) = message.split_once(HINT) {
        return told(message.to_owned(), Some(hint.to_owned()));
    }
    if let Some((name, known)) = named(message, "unknown field `") {
        // How TOML's dates show themselves to serde.
        if name.starts_with("$__toml") {
            return told("a table is expected here, not a date".into(), None);
        }
        let hint = advise(name).unwrap_or_else(|| instead(name, &known));
        return told(format!("there is no setting `{}` here", plain(name)), Some(hint));
    }
    if let Some((name, known)) = named(message, "unknown variant `") {
        let hint = instead(name, &known);
        return told(format!("`{}` is not possible here", plain(name)), Some(hint));
    }
    if let Some((name, _)) = named(message, "missing field `") {
        let message = format!("the setting `{}` is missing", plain(name));
        return Told { message, hint: None, is_missing: true };
    }
    if message == "duplicate key" {
        let hint = "leave one of them out, or make one of both".to_owned();
        return told("this is there already".into(), Some(hint));
    }
    let unexpected = ["invalid type: ", "invalid value: "];
    if let Some((found, expected)) = unexpected
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.rsplit_once(", expected "))
    {
        let (expected, found) = (expectation(expected), finding(found));
        return told(format!("{expected} is expected here, not {found}"), None);
    }
    told(message.replace('\n', "; "), None)
}

/// The name that a message is about, and those that there are.
fn named<'a>(message: &'a str, start: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (name, known) = message.strip_prefix(start)?.split_once('`')?;
    // Names and what is between them take turns.
    Some((name, known.split('`').skip(1).step_by(2).collect()))
}

fn instead(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", known.join(", ")),
    }
}

fn expectation(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a string" => "a text",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number from 0 to 18446744073709551615",
        "a nonzero u32" => "a whole number from 1 on",
        "a sequence" => "a list",
        "a map" => "a table",
        structure if structure.starts_with("struct ") => "a table",
        other => other,
    }
}

fn finding(found: &str) -> String {
    match found {
        "sequence" => "a list".into(),
        "map" => "a table".into(),
        other => match other.split_once(' ') {
            Some(("string", text)) => format!("the text {}", plain(text)),
            Some(("boolean", value)) => value.replace('`', ""),
            // A float, or a number that is larger than any that is expected.
            _ => plain(other)
                .replace("floating point ", "")
                .replace("integer ", "")
                .replace(" as i128", "")
                .replace(" as u128", "")
                .replace('`', ""),
        },
    }
}

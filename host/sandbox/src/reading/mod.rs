//! Files that people write by hand, and what is wrong with them.
//!
//! A plugin's manifest and the operator's configuration are both TOML that is read into
//! structures which know every field. What is wrong is told with its place, and with what was
//! probably meant.

pub mod scalar;
mod size;

use std::ops::Range;

use serde::de::DeserializeOwned;
use thiserror::Error;

pub use self::size::{NotAnAmount, Size, Time};
use crate::text::nearest;

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name}, line {line}: {message}")]
pub struct Misread {
    /// What is read: a path, or where else it is from.
    pub name: String,
    /// All of it.
    pub text: String,
    /// The bytes of the text that are wrong.
    pub span: Range<usize>,
    /// Where they begin, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Reads TOML. `advise` knows what to do about names that are none.
///
/// # Errors
/// [`Misread`].
pub fn read<T: DeserializeOwned>(
    name: &str,
    text: String,
    advise: impl Fn(&str) -> Option<String>,
) -> Result<T, Box<Misread>> {
    toml::from_str(&text).map_err(|error| Misread::new(name, text, &error, advise))
}

impl Misread {
    fn new(
        name: &str,
        text: String,
        error: &toml::de::Error,
        advise: impl Fn(&str) -> Option<String>,
    ) -> Box<Self> {
        let end = text.len();
        let span = error.span().filter(|span| span.end <= end).unwrap_or(end..end);
        let (message, hint) = match unknown(error.message()) {
            Some((field, known)) => {
                let hint = advise(field).unwrap_or_else(|| instead(field, &known));
                (format!("there is no setting `{}` here", crate::text::plain(field)), Some(hint))
            }
            None => (plainly(error.message()), None),
        };
        Box::new(Self::at(name, text, span, message, hint))
    }

    /// What is wrong at a place of a text that was read.
    #[must_use]
    pub fn at(
        name: &str,
        text: String,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> Self {
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Self { name: name.to_owned(), text, span, line, message, hint }
    }
}

/// The name of a field that there is not and those that there are, from serde's message.
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown field `")?;
    let (name, known) = rest.split_once('`')?;
    // Names and what is between them take turns.
    Some((name, known.split('`').skip(1).step_by(2).collect()))
}

/// The parser's message without its words for types.
fn plainly(message: &str) -> String {
    message.replace('\n', "; ").replace("a nonzero u32", "a whole number from 1 on")
}

fn instead(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", known.join(", ")),
    }
}

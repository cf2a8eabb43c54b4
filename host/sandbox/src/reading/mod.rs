//! Files that people write by hand, and what is wrong with them.
//!
//! A plugin's manifest and the operator's configuration are both TOML that is read into
//! structures which know every field. What is wrong is told with its place, in the words of
//! somebody who writes TOML rather than serde, and with what was probably meant. Manifests come
//! from strangers, so what is kept of them for messages is safe to show.

mod excerpt;
pub mod scalar;
mod shape;
mod size;
mod words;

use std::ops::Range;

use serde::de::DeserializeOwned;
use thiserror::Error;
use toml::de::{DeTable, DeValue};

pub use self::shape::{MOST, few, labelled, table, variables};
pub use self::size::{NotAnAmount, Size, Time};
pub use self::words::mistake;

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{name}, line {line}: {message}")]
pub struct Misread {
    /// What is read: a path, or where else it is from.
    pub name: String,
    /// All of it as it may be shown: without what a terminal obeys, and long lines cut.
    pub text: String,
    /// The bytes of the text that are wrong, or those of their first line.
    pub span: Range<usize>,
    /// Where they begin, counted from 1.
    pub line: usize,
    /// The keys that lead there, the outermost first. None where something is missing, and where
    /// the text as a whole is no TOML.
    pub path: Vec<String>,
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
    toml::from_str(&text).map_err(|error| {
        let told = words::told(error.message(), advise);
        let mut span = error.span().unwrap_or(text.len()..text.len());
        if told.is_missing {
            // It belongs into all of a table; there is no better place than where that begins.
            span.end = span.start;
        }
        let mut path = Vec::new();
        if let Ok(root) = DeTable::parse(&text)
            && !told.is_missing
        {
            lead(root.get_ref(), &span, &mut path);
        }
        let misread = Misread::at(name, text, span, told.message, told.hint);
        Box::new(Misread { path, ..misread })
    })
}

impl Misread {
    /// What is wrong at a place of a text that was read.
    #[must_use]
    pub fn at(
        name: &str,
        text: String,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> Self {
        let (text, span) = excerpt::shown(text, span);
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        Self { name: name.to_owned(), text, span, line, path: Vec::new(), message, hint }
    }
}

/// Finds the innermost key around a place, and adds the keys that lead to it.
fn lead(table: &DeTable<'_>, place: &Range<usize>, path: &mut Vec<String>) -> bool {
    let around = |span: Range<usize>| span.start <= place.start && place.end <= span.end;
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        // A table's own span may be its header alone: what is in it is looked for first.
        if lead_into(value.get_ref(), place, path) || around(key.span()) || around(value.span()) {
            return true;
        }
        path.pop();
    }
    false
}

fn lead_into(value: &DeValue<'_>, place: &Range<usize>, path: &mut Vec<String>) -> bool {
    match value {
        DeValue::Table(table) => lead(table, place, path),
        DeValue::Array(list) => list.iter().any(|one| lead_into(one.get_ref(), place, path)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;

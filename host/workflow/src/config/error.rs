//! What can be wrong with a configuration, with its place in the file.

use std::ops::Range;
use std::path::PathBuf;

use thiserror::Error;

use super::{Size, Watermark};
use crate::text::nearest;

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{}, line {line}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it holds.
        text: String,
        /// The bytes of the text that are wrong.
        span: Range<usize>,
        /// Where they begin, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// Everything that the device has is reserved.
    #[error("nothing is left of the device: of {limit}, {reserve} are reserved")]
    NothingLeft {
        /// What the device has.
        limit: Size,
        /// What is reserved of it.
        reserve: Size,
    },
    /// The balanced mode would evict more than everything above the low watermark.
    #[error("the low watermark, {low}, is above the high one, {high}")]
    Watermarks {
        /// Where evicting ends.
        low: Watermark,
        /// Where it begins.
        high: Watermark,
    },
    /// Nothing can be spilled where it should be.
    #[error("cannot use the folder {} to spill to: {source}", path.display())]
    SpillFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl ConfigError {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Read { .. } => Some("name a file that can be read".into()),
            Self::Content { hint, .. } => hint.clone(),
            Self::NothingLeft { .. } => Some("reserve less, or raise the device's limit".into()),
            Self::Watermarks { .. } => Some("lower the low one, or raise the high one".into()),
            Self::SpillFolder { .. } => Some(
                "make it, name another with `spill-dir`, or turn spilling off: `spill-limit` 0"
                    .into(),
            ),
        }
    }

    pub(super) fn content(path: PathBuf, text: String, error: &toml::de::Error) -> Self {
        let end = text.len();
        let span = error.span().filter(|span| span.end <= end).unwrap_or(end..end);
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count().saturating_add(1);
        let (message, hint) = match unknown(error.message()) {
            Some((name, known)) => {
                (format!("there is no setting `{name}` here"), Some(instead(name, &known)))
            }
            None => (plainly(error.message()), None),
        };
        Self::Content { path, text, span, line, message, hint }
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
    match name {
        "lowvram" => "write: offload = \"sequential\"".into(),
        "medvram" => "write: offload = \"balanced\" and low-watermark = 0".into(),
        _ => match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are: {}", known.join(", ")),
        },
    }
}

//! What can be wrong with a checkpoint, a prompt or a sampler's settings.

use thiserror::Error;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file was not loaded or a node did not run.
#[derive(Debug, Error)]
pub enum Error {
    /// The file is a model, but none that these nodes know.
    #[error("this is {found}, not {wanted}")]
    Family {
        /// What it was recognized as.
        found: &'static str,
        /// What the node loads.
        wanted: &'static str,
    },
    /// The file begins like one of the family, but tensors are missing.
    #[error("{part} lacks the tensor {first}{}", others(*.count))]
    Missing {
        /// The part of the model.
        part: &'static str,
        /// How many are missing.
        count: usize,
        /// The key of the first of them.
        first: String,
    },
    /// A tensor is there, but not of the shape that the others call for.
    #[error("{key} has the shape {found:?}, where the rest of the model calls for {expected:?}")]
    Shape {
        /// The tensor's key.
        key: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that was expected.
        expected: Vec<usize>,
    },
    /// The tensors contradict each other, or the family's conventions.
    #[error("{0}")]
    Structure(String),
    /// The metadata cannot be read, or asks for something that these nodes do not have.
    #[error("metadata `{entry}`: {problem}")]
    Metadata {
        /// The metadata's name.
        entry: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The metadata's tokenizer cannot be used.
    #[error("metadata `tokenizer.json`: {0}")]
    Tokenizer(String),
    /// There are token ids without a row of the token embedding.
    #[error(
        "the token embedding has {rows} rows and the tokenizer {ids} ids; a checkpoint with a vocabulary of its own \
         carries it as metadata `tokenizer.json`"
    )]
    Vocabulary {
        /// Rows of the token embedding.
        rows: usize,
        /// How many ids there are.
        ids: u16,
    },
    /// A sampler's or a function's argument is out of range.
    #[error("{0}")]
    Argument(String),
}

fn others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        2 => " and another one".into(),
        _ => format!(" and {} others", count - 1),
    }
}

impl From<Error> for berth_sdk::Error {
    fn from(error: Error) -> Self {
        Self::InvalidArgument(error.to_string())
    }
}

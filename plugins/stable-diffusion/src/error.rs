//! What can be wrong with a checkpoint, a prompt or a sampler's settings.

use thiserror::Error;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a file was not loaded or a node did not run.
#[derive(Debug, Error)]
pub enum Error {
    /// The file is a model, but none that these nodes know.
    #[error("this file is {found}, not {wanted}{missing}")]
    Family {
        /// What it was recognized as.
        found: String,
        /// What the node loads.
        wanted: &'static str,
        /// Which of its keys are missing, as the end of the sentence.
        missing: String,
    },
    /// The file begins like one of the family, but tensors are missing.
    #[error("{part}: {count} tensors are missing, the first is {first}")]
    Missing {
        /// The part of the model.
        part: &'static str,
        /// How many are missing.
        count: usize,
        /// The keys of the first of them.
        first: String,
    },
    /// A tensor is there, but not of the shape that the others call for.
    #[error("{key} has the shape {found:?}, where the rest of the model calls for {expected}")]
    Shape {
        /// The tensor's key.
        key: String,
        /// Its shape.
        found: Vec<usize>,
        /// What was expected, in words.
        expected: String,
    },
    /// The tensors contradict each other in a way that no single shape shows.
    #[error("{0}")]
    Structure(String),
    /// The metadata asks for something that is no Stable Diffusion 1.x.
    #[error("metadata `{entry}`: {problem}")]
    Metadata {
        /// The metadata's name and field.
        entry: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The metadata's tokenizer cannot be used.
    #[error("metadata `tokenizer.json`: {0}")]
    Tokenizer(String),
    /// The tokenizer's ids and the rows of the token embedding are not as many.
    #[error(
        "the token embedding has {rows} rows and {source_} {ids} ids; a checkpoint with a vocabulary of its own \
         carries it as metadata `tokenizer.json`"
    )]
    Vocabulary {
        /// Rows of the token embedding.
        rows: usize,
        /// Where the ids come from.
        source_: &'static str,
        /// How many ids there are.
        ids: u16,
    },
    /// A sampler's or a function's argument is out of range.
    #[error("{0}")]
    Argument(String),
//TMP
}

//! (being written)
mod error;
mod tokenizer;
mod prompt;

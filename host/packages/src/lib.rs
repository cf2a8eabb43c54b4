//! Plugins as packages: one file each, sent to and got from registries, pinned by digest.

mod error;

pub use error::Error;

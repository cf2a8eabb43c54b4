//! One node alone, and a plugin's own tests: what an author tries before anybody else does.

mod error;

pub use error::Error;

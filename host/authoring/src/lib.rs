//! For those who write plugins: projects, builds and checks, in every language that has an SDK.

pub mod componentize;
mod error;
pub mod sdk;

pub use error::Error;

//! For those who write plugins: projects, builds and checks, in every language that has an SDK.
//!
//! It carries the SDKs and the contract, makes projects of their templates ([`create`]), builds
//! them as the language's `language.toml` says ([`Project::build`]), tells what should be mended
//! ([`Project::check`]) and when a project was saved ([`Watcher`]).
//!
//! It promises that a project builds with `berth` and the language's own tools alone, that a tool
//! which is missing is an error with the command that installs it, and that the same project gives
//! the same bytes in every folder, as far as its compiler does. It deliberately knows no language:
//! another one is a folder under `plugin-sdk/`. And it knows nothing of how nodes run.

mod build;
mod check;
mod componentize;
mod error;
mod project;
mod recipe;
mod sdk;
mod watch;

pub use build::Built;
pub use check::{Checked, Finding, Severity};
pub use componentize::{World, componentize};
pub use error::{Error, quoted};
pub use project::{Project, create};
pub use sdk::languages;
pub use watch::Watcher;

//! One node alone, and a plugin's own tests: what an author tries before anybody else does.
//!
//! A [`Trial`] is a host with one plugin. A node of it runs as it does in a workflow, watched by the
//! same events, but its wires come from files and from what a test says, and what it gives is
//! looked at and written to files. [`suite::run`] does that for every test of a project.
//!
//! It promises that a node gets what was written and nothing that was made of it in silence; that no
//! image is decoded or encoded outside of the sandbox; that nothing leaks from one test to the next,
//! since each has a host of its own; and that what is wrong with a test is told, with its place, before
//! any of them runs.
//!
//! It deliberately does not know how a plugin is built, nor how what it tells is drawn.

mod array;
mod bench;
mod error;
mod fault;
mod files;
#[doc(hidden)]
pub mod foreign;
mod given;
mod npy;
mod outputs;
mod project;
pub mod suite;
mod takes;
mod trial;
mod wire;

pub use array::{Array, Figures};
pub use bench::Bench;
pub use error::Error;
pub use outputs::{Found, Shown, show};
pub use project::Project;
pub use trial::{Settings, Trial};

//! The sandbox: runs the nodes of plugins that nobody has reviewed.
//!
//! A plugin is a WebAssembly component that speaks the contract in `wit/`. This
//! crate loads it ([`Sandbox::load`]), asks what it provides, and runs its nodes
//! ([`Plugin::run`]) with handles to tensors and models that stay with the host.
//!
//! It promises that a plugin reaches nothing but what the contract offers and the
//! operator granted; that each run has a store of its own, which is gone afterwards
//! with every handle in it; that a guest which loops, traps, floods or grows is
//! stopped with an error that names the plugin; and that what a plugin holds is
//! charged to the identity the host gave it.
//!
//! It deliberately does not know what a workflow is, in which order nodes run,
//! or what is cached between runs.

pub mod audit;
mod compile;
mod contract;
mod crash;
mod description;
mod dram;
mod engine;
mod error;
mod events;
mod files;
mod imports;
mod limiter;
mod limits;
mod load;
pub mod manifest;
pub mod models;
mod plugin;
mod policy;
mod reach;
pub mod reading;
pub mod rights;
mod shelf;
mod slots;
mod state;
pub mod text;
mod usage;
mod value;
mod voice;
mod walk;
mod wasi;
pub mod whole;

pub use compile::{CompileLimits, Compiler, LARGEST_COMPONENT, compile_child};
// Loading does it; fuzzers look at it alone.
#[doc(hidden)]
pub use contract::under_todays_names;
pub use contract::{CONTRACT, EARLIEST_CONTRACT};
pub use description::{Checks, Choices, Hidden, Input, NodeType, Output, Port};
pub use dram::DramCache;
pub use engine::{Sandbox, Settings};
pub use error::{Failure, GuestError, SandboxError};
pub use events::{Artifact, Level, NodeEvents, Place};
pub use files::Folders;
pub use limits::{LimitSettings, RunLimits};
pub use manifest::Manifest;
pub use models::ModelFolders;
pub use plugin::{Plugin, RunContext, STACK_SIZE};
pub use policy::{Digest, Enforcement, NoDigest, Policy};
pub use shelf::ShelvedValue;
pub use value::{FunctionValue, List, Object, Value};

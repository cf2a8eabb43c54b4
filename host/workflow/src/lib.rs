//! Workflows: reads, checks and runs graphs of nodes, with ComfyUI's semantics.
//!
//! A workflow in API format ([`Workflow`]) is checked against the node types there are
//! ([`Registry`]) and becomes a [`Plan`]; a [`Runner`] runs plans, and a [`Host`] is a runner
//! with a sandbox, models and plugins around it: all that a command line or a server needs.
//!
//! It promises that every problem of a workflow is told at once, with node, input and what
//! would be right; that output nodes pull, so nothing runs that no output needs; that a
//! result is never reused when anything that reaches it has changed; that a value is there
//! while a node waits for it, and is computed again, with the same bits, if it is needed after
//! the [`Release`] level let it go; and that a cancelled run keeps nothing but what the cache has.
//!
//! It deliberately does not know where tensors are or what they hold, how a plugin is
//! written, or who watches: observers get [`Event`]s, whether they draw or send them.

mod cache;
mod cgroup;
mod coerce;
mod config;
mod error;
mod events;
mod foresight;
mod format;
mod graph;
mod host;
mod inspect;
mod job;
mod machine;
mod object_info;
mod passing;
mod plan;
mod predict;
mod problem;
mod refresh;
mod registry;
mod release;
pub mod report;
mod runner;
mod schedule;
mod set;
mod signature;
mod sources;
#[cfg(test)]
mod testing;
mod text;
mod validate;
mod watch;

pub use config::{
    Config, ConfigError, FolderGrant, GrantConfig, LOCK, Lock, Locked, MemoryConfig, Move,
    NotAWatermark, PluginConfig, Watermark,
};
pub use error::{NodeError, RunError, WorkflowError};
pub use events::{Event, Failure, Observer, Results};
pub use format::{Given, Link, Node, Workflow};
pub use host::{BrokenPlugin, Decided, Host, Settings, Share, Stock};
pub use inspect::{Inspected, inspect};
pub use machine::{RamGauge, default_headroom, default_limits, runtime, total_memory};
pub use plan::{Plan, PlannedNode};
pub use predict::{NodeMemory, Prediction, Rehearsal};
pub use problem::{Invalid, NodeProblems, Problem, ProblemKind};
pub use refresh::Refreshed;
pub use registry::{Inputs, NodeProvider, Registered, Registry};
pub use release::{Release, UnknownRelease};
pub use runner::{Outcome, Run, Runner};
pub use sources::{BUILD, built};

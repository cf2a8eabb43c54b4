//! What can go wrong between a file and its results, told so that the person who
//! wrote the workflow knows which node it was and what to change.
//!
//! A workflow that was read but cannot run is not here: that is
//! [`Invalid`](crate::Invalid), a list of problems in the shape clients expect.

use std::path::PathBuf;

use berth_sandbox::{Digest, GuestError, SandboxError};
use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::text::plain;

/// Why a workflow could not be read, changed or run.
#[derive(Debug, Error)]
pub enum WorkflowError {
    /// The text is not JSON.
    #[error("not JSON: {reason}, at line {line}, column {column}")]
    Syntax {
        /// What the parser says.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It is larger than any workflow that somebody made.
    #[error("the workflow has {count} {what}, but {most} are the most")]
    TooLarge {
        /// How many there are.
        count: usize,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// The JSON is not a workflow.
    #[error("{path} is {found}, but should be {expected}")]
    Shape {
        /// Where, as keys joined by dots.
        path: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// There is nothing to run.
    #[error("there is no workflow: `prompt` is missing or null")]
    NoPrompt,
    /// It is the format that the editor saves, not the one that is run.
    #[error("this workflow is in the editor's own format, which has positions and widgets")]
    UiFormat,
    /// A node does not say what it is.
    #[error("node {id} has no `class_type`")]
    MissingClass {
        /// The node.
        id: String,
        /// Its title.
        title: Option<String>,
    },
    /// An assignment is not one.
    #[error("`{text}` does not name an input: write NODE.INPUT=VALUE, such as 3.seed=42")]
    NoAssignment {
        /// What was given.
        text: String,
    },
    /// No node is meant by a name.
    #[error("no node has the id, title or class `{name}`; there are {known}")]
    UnknownNode {
        /// What was given.
        name: String,
        /// The nodes there are.
        known: String,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// Several nodes are meant by a name.
    #[error("`{name}` means several nodes: {ids}")]
    AmbiguousNode {
        /// What was given.
        name: String,
        /// Their ids.
        ids: String,
    },
    /// A node has no such input.
    #[error("node {node} has no input `{input}`; it has {known}")]
    UnknownInput {
        /// The node.
        node: String,
        /// What was given.
        input: String,
        /// The inputs it has.
        known: String,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// Two plugins provide one class.
    #[error("plugins `{first}` and `{second}` both provide node type `{class}`")]
    DuplicateNodeType {
        /// The class.
        class: String,
        /// The plugin that had it.
        first: String,
        /// The plugin that came later.
        second: String,
    },
    /// Two plugins have one name.
    #[error("there are two plugins `{name}`: {first} and {second}")]
    DuplicatePlugin {
        /// Their name.
        name: String,
        /// Where the first is from.
        first: String,
        /// Where the second is from.
        second: String,
    },
    /// A plugin folder cannot be read.
    #[error("cannot read the plugin folder {}", path.display())]
    PluginFolder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A plugin's file cannot be read.
    #[error("cannot read the plugin {}", path.display())]
    PluginFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A plugin that `berth.lock` pins is not where the lock says.
    #[error("plugin `{plugin}` is in berth.lock, but {} is not there", path.display())]
    NotInstalled {
        /// The plugin.
        plugin: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A plugin is not the component that `berth.lock` pins.
    #[error(
        "plugin `{plugin}` is another component than berth.lock pins: {} has the digest {found}, \
         the lock has {locked}",
        path.display()
    )]
    NotAsLocked {
        /// The plugin.
        plugin: String,
        /// Its file.
        path: PathBuf,
        /// What the lock says.
        locked: Digest,
        /// What the file has.
        found: Digest,
    },
    /// A folder with a manifest does not hold one component.
    #[error("the plugin folder {} has {found} components, and should have one", path.display())]
    NotOneComponent {
        /// The folder.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// The settings name a plugin that there is not.
    #[error(
        "there is no plugin `{name}` to set a quota for or to grant anything; there are {known}"
    )]
    UnknownPlugin {
        /// What was given.
        name: String,
        /// The plugins there are.
        known: String,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// The sandbox, or a plugin in it.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A node gave fewer values than a wire needs.
    #[error("node type `{class}` of plugin `{plugin}` gave no value for its output {slot}")]
    MissingOutput {
        /// The plugin.
        plugin: String,
        /// The node type.
        class: String,
        /// Counted from 0.
        slot: usize,
    },
    /// A node asked for an input that it does not have.
    #[error("node type `{class}` of plugin `{plugin}` asked for `{input}`, which it does not have")]
    UnknownLazyInput {
        /// The plugin.
        plugin: String,
        /// The node type.
        class: String,
        /// What it asked for.
        input: String,
    },
    /// The system gives no threads.
    #[error("cannot start threads")]
    Threads(#[source] std::io::Error),
    /// The host itself failed.
    #[error("the host failed while node type `{class}` of plugin `{plugin}` ran: {reason}")]
    Host {
        /// The plugin.
        plugin: String,
        /// The node type.
        class: String,
        /// What is known.
        reason: String,
    },
}

impl WorkflowError {
    /// What the person who runs the workflow can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UiFormat => Some("in the editor, choose Export (API) and use that file".into()),
            Self::NoPrompt | Self::Shape { .. } | Self::MissingClass { .. } => Some(
                "a workflow is an object of nodes: \
                 {\"1\": {\"class_type\": \"…\", \"inputs\": {…}}, …}"
                    .into(),
            ),
            Self::TooLarge { .. } => Some("split it into several workflows".into()),
            Self::Syntax { reason, .. } if reason.contains("NaN") => {
                Some("write a number instead; JSON has neither NaN nor infinity".into())
            }
            Self::UnknownNode { nearest, .. }
            | Self::UnknownInput { nearest, .. }
            | Self::UnknownPlugin { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`?"))
            }
            Self::AmbiguousNode { .. } => Some("use the id of the one you mean".into()),
            Self::DuplicateNodeType { .. } => Some("remove one of the two plugins".into()),
            Self::DuplicatePlugin { .. } => Some(
                "rename one of the files, or give it a name: `[plugins.NAME]` and its `path`"
                    .into(),
            ),
            Self::NotOneComponent { .. } => {
                Some("give each component a folder of its own, with its `plugin.toml`".into())
            }
            Self::NotInstalled { .. } => {
                Some("get what the lock pins with `berth plugin install`".into())
            }
            Self::NotAsLocked { .. } => Some(
                "if you did not change the file, do not run it: `berth plugin install` gets what \
                 the lock pins; to keep it, take the plugin out of berth.lock"
                    .into(),
            ),
            Self::PluginFolder { .. } | Self::PluginFile { .. } => {
                Some("check that it exists and can be read".into())
            }
            Self::Sandbox(error) => error.hint(),
            Self::MissingOutput { .. } | Self::UnknownLazyInput { .. } => {
                Some("this is a defect of the plugin: tell its author".into())
            }
            Self::Host { .. } => Some("this is a defect of Berth: please report it".into()),
            Self::Syntax { .. } | Self::NoAssignment { .. } | Self::Threads(_) => None,
        }
    }
}

/// Why a run did not come to its end.
#[derive(Debug, Error)]
pub enum RunError {
    /// A node failed.
    #[error(transparent)]
    Node(Box<NodeError>),
    /// It was cancelled.
    #[error("interrupted")]
    Interrupted,
    /// The host itself failed.
    #[error("the host failed: {0}")]
    Host(String),
}

/// A node that failed, and what it was doing.
#[derive(Debug, Error)]
#[error("node {} of plugin `{plugin}` failed", self.label())]
pub struct NodeError {
    /// Its id in the workflow.
    pub node: String,
    /// What its author calls it.
    pub title: Option<String>,
    /// Its type.
    pub class: String,
    /// The plugin that ran it.
    pub plugin: String,
    /// What it was given: constants as they are, other values by their kind.
    pub inputs: Map<String, Json>,
    /// What went wrong.
    #[source]
    pub error: WorkflowError,
}

impl NodeError {
    /// The node as people find it: id, title and class.
    pub fn label(&self) -> String {
        label(&self.node, self.title.as_deref(), &self.class)
    }
}

/// A node as people find it: id, title and class.
pub(crate) fn label(id: &str, title: Option<&str>, class: &str) -> String {
    match title {
        Some(title) if title != class => {
            format!("{} “{}” ({})", plain(id), plain(title), plain(class))
        }
        _ => format!("{} ({})", plain(id), plain(class)),
    }
}

impl WorkflowError {
    /// The kind of the error, for programs.
    pub(crate) fn kind(&self) -> &str {
        match self {
            Self::Sandbox(error) => match error {
                SandboxError::Guest { error, .. } => match error {
                    GuestError::InvalidArgument(_) => "invalid-argument",
                    GuestError::AccessDenied(_) => "access-denied",
                    GuestError::NotFound(_) => "not-found",
                    GuestError::QuotaExceeded(_) => "quota-exceeded",
                    GuestError::OutOfMemory(_) => "out-of-memory",
                    GuestError::Unsupported(_) => "unsupported",
                    GuestError::Cancelled => "cancelled",
                    GuestError::Failed(failure) => &failure.code,
                    GuestError::Other(_) => "other",
                },
                SandboxError::Trapped { .. } => "trap",
                SandboxError::GuestMemory { .. } => "guest-memory",
                SandboxError::GuestTables { .. } => "guest-tables",
                SandboxError::TooMuchAtOnce { .. } => "too-much-at-once",
                SandboxError::TimedOut { .. } => "timeout",
                SandboxError::Cancelled => "cancelled",
                _ => "plugin",
            },
            Self::MissingOutput { .. } | Self::UnknownLazyInput { .. } => "plugin",
            _ => "host",
        }
    }
}

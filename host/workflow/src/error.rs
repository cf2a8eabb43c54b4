//! What can go wrong between a file and its results, told so that the person who
//! wrote the workflow knows which node it was and what to change.
//!
//! A workflow that was read but cannot run is not here: that is
//! [`Invalid`](crate::Invalid), a list of problems in the shape clients expect.

use berth_sandbox::SandboxError;
use thiserror::Error;

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
            Self::Syntax { reason, .. } if reason.contains("NaN") => {
                Some("write a number instead; JSON has neither NaN nor infinity".into())
            }
            Self::UnknownNode { nearest, .. } | Self::UnknownInput { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`?"))
            }
            Self::AmbiguousNode { .. } => Some("use the id of the one you mean".into()),
            Self::DuplicateNodeType { .. } => Some("remove one of the two plugins".into()),
            Self::Sandbox(error) => error.hint(),
            Self::MissingOutput { .. } | Self::UnknownLazyInput { .. } => {
                Some("this is a defect of the plugin: tell its author".into())
            }
            Self::Host { .. } => Some("this is a defect of Berth: please report it".into()),
            Self::Syntax { .. } | Self::NoAssignment { .. } => None,
        }
    }
}

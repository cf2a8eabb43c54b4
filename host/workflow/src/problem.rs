//! What is wrong with a workflow, in the shape that ComfyUI's clients read.
//!
//! The types of problems and the keys beside them are an interface that programs
//! depend on. The texts are for people: they say what was received and what would be
//! right, and a suggestion stands in `extra_info.hint`.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::error::{WorkflowError, label};

/// The kind of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// There is no workflow.
    NoPrompt,
    /// It is not in the API format.
    InvalidPrompt,
    /// It has no output node.
    PromptNoOutputs,
    /// A node is of a type that nobody provides.
    MissingNodeType,
    /// No output can be computed.
    PromptOutputsFailedValidation,
    /// An input that must be given is not.
    RequiredInputMissing,
    /// A link leads nowhere, or is not one.
    BadLinkedInput,
    /// A link carries another type than the input takes.
    ReturnTypeMismatch,
    /// A value cannot be converted.
    InvalidInputType,
    /// A number is too small.
    ValueSmallerThanMin,
    /// A number is too large.
    ValueBiggerThanMax,
    /// A choice is none of the options.
    ValueNotInList,
    /// The node's own check refuses its inputs.
    CustomValidationFailed,
    /// A node depends on itself.
    DependencyCycle,
    /// The node's own check failed.
    ExceptionDuringValidation,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// What is wrong, as a sentence.
    pub message: String,
    /// Where, and what else is known.
    pub details: String,
    /// What programs want to know: `input_name`, `input_config`, `received_value`, `hint`.
    pub extra_info: Box<Map<String, Json>>,
}

impl Problem {
    pub(crate) fn new(
        kind: ProblemKind,
        message: impl Into<String>,
        details: impl Into<String>,
    ) -> Self {
        Self { kind, message: message.into(), details: details.into(), extra_info: Box::default() }
    }

    /// Adds what programs want to know.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.extra_info.insert(key.to_owned(), value.into());
        self
    }

    /// Adds what a person can do about it.
    pub(crate) fn hint_at(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.with("hint", hint),
            None => self,
        }
    }

    /// The input that it is about.
    pub fn input(&self) -> Option<&str> {
        self.extra_info.get("input_name")?.as_str()
    }

    /// What the person who wrote the workflow can do about it.
    pub fn hint(&self) -> Option<&str> {
        self.extra_info.get("hint")?.as_str()
    }
}

/// The problems of one node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeProblems {
    /// What is wrong with it.
    pub errors: Vec<Problem>,
    /// The output nodes that cannot run because of it.
    pub dependent_outputs: Vec<String>,
    /// The node's type.
    pub class_type: String,
    /// What its author calls it.
    #[serde(skip)]
    pub title: Option<String>,
    /// The plugin that provides its type, if any does.
    #[serde(skip)]
    pub plugin: Option<String>,
}

impl NodeProblems {
    /// The node as people find it: id, title and class.
    pub fn label(&self, id: &str) -> String {
        label(id, self.title.as_deref(), &self.class_type)
    }
}

/// A workflow that cannot run, and why. Serialized, it is the body of ComfyUI's
/// answer of status 400.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Invalid {
    /// What is wrong with the whole.
    pub error: Problem,
    /// What is wrong with its nodes, by id.
    pub node_errors: IndexMap<String, NodeProblems>,
}

impl From<Problem> for Invalid {
    fn from(error: Problem) -> Self {
        Self { error, node_errors: IndexMap::new() }
    }
}

impl From<&WorkflowError> for Invalid {
    /// A workflow that could not be read, as clients are told.
    fn from(error: &WorkflowError) -> Self {
        let kind = match error {
            WorkflowError::NoPrompt => ProblemKind::NoPrompt,
            WorkflowError::MissingClass { .. } => ProblemKind::MissingNodeType,
            _ => ProblemKind::InvalidPrompt,
        };
        let mut problem = Problem::new(kind, error.to_string(), "").hint_at(error.hint());
        if let WorkflowError::MissingClass { id, title } = error {
            problem.details = format!("Node ID '#{id}'");
            problem = problem
                .with("node_id", id.as_str())
                .with("class_type", Json::Null)
                .with("node_title", title.clone());
        }
        problem.into()
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error.message)
    }
}

impl std::error::Error for Invalid {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Workflow;

    #[test]
    fn a_workflow_that_cannot_be_read_is_answered_in_the_clients_shape() {
        let error = Workflow::parse(br#"{"prompt":null}"#).unwrap_err();
        let answer = serde_json::to_value(Invalid::from(&error)).unwrap();
        assert_eq!(answer["error"]["type"], "no_prompt");
        assert_eq!(answer["node_errors"], json!({}));

        let error = Workflow::parse(br#"{"4":{"_meta":{"title":"T"}}}"#).unwrap_err();
        let answer = serde_json::to_value(Invalid::from(&error)).unwrap();
        assert_eq!(answer["error"]["type"], "missing_node_type");
        assert_eq!(answer["error"]["extra_info"]["node_id"], "4");
        assert_eq!(answer["error"]["extra_info"]["class_type"], Json::Null);
        assert_eq!(answer["error"]["extra_info"]["node_title"], "T");

        let error = Workflow::parse(b"[]").unwrap_err();
        assert_eq!(Invalid::from(&error).error.kind, ProblemKind::InvalidPrompt);
    }
}

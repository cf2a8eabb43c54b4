//! What a valid workflow comes to: the nodes that its outputs need, in an order in which
//! each comes after what it depends on.
//!
//! Links are positions in that order, so nothing that runs a plan can meet a
//! missing node or a cycle: both ended with validation.

use std::sync::Arc;

use berth_sandbox::Hidden;
use indexmap::IndexMap;

use crate::coerce::Constant;
use crate::error::label;
use crate::problem::NodeProblems;
use crate::registry::Registered;

/// A workflow that can run.
pub struct Plan {
    /// In depth-first order from the outputs: a node comes after all that it depends on.
    pub(crate) steps: Vec<Step>,
    /// Positions of the output nodes.
    pub(crate) outputs: Vec<usize>,
    pub(crate) hidden: HiddenValues,
    pub(crate) node_errors: IndexMap<String, NodeProblems>,
}

/// One node of a plan.
pub(crate) struct Step {
    pub(crate) id: Arc<str>,
    pub(crate) title: Option<String>,
    pub(crate) registered: Registered,
    pub(crate) inputs: Vec<Bound>,
    /// The steps that it has links to, each once.
    pub(crate) upstream: Vec<usize>,
}

/// An input and what it is given.
pub(crate) struct Bound {
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Whether it is a link that is followed only when the node asks for it.
    pub(crate) lazy: bool,
}

/// What an input is given.
pub(crate) enum Source {
    Constant(Constant),
    Link { step: usize, slot: usize },
}

/// What nodes can have without a wire, as JSON texts.
pub(crate) struct HiddenValues {
    pub(crate) prompt: Arc<str>,
    pub(crate) extra_pnginfo: Option<Arc<str>>,
}

/// A node of a plan, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedNode<'a> {
    /// Its id in the workflow.
    pub id: &'a str,
    /// What its author calls it.
    pub title: Option<&'a str>,
    /// Its type.
    pub class: &'a str,
    /// The plugin that runs it.
    pub plugin: &'a str,
    /// Whether the workflow is run for it.
    pub is_output: bool,
}

impl PlannedNode<'_> {
    /// The node as people find it: id, title and class.
    pub fn label(&self) -> String {
        label(self.id, self.title, self.class)
    }
}

impl Step {
    pub(crate) fn class(&self) -> &str {
        &self.registered.node_type.name
    }

    pub(crate) fn plugin(&self) -> &str {
        self.registered.provider.name()
    }
}

impl Bound {
    /// The step and its output that it is linked to.
    pub(crate) fn link(&self) -> Option<(usize, usize)> {
        match self.source {
            Source::Link { step, slot } => Some((step, slot)),
            Source::Constant(_) => None,
        }
    }
}

impl HiddenValues {
    /// The name of a hidden input in the contract, and its value for a node.
    pub(crate) fn get(&self, hidden: Hidden, id: &Arc<str>) -> (&'static str, Option<Arc<str>>) {
        match hidden {
            Hidden::UniqueId => ("unique-id", Some(id.clone())),
            Hidden::Prompt => ("prompt", Some(self.prompt.clone())),
            Hidden::ExtraPnginfo => ("extra-pnginfo", self.extra_pnginfo.clone()),
        }
    }
}

impl Plan {
    /// The nodes that may run, each after those it depends on.
    pub fn nodes(&self) -> impl Iterator<Item = PlannedNode<'_>> {
        self.steps.iter().enumerate().map(|(index, step)| PlannedNode {
            id: &step.id,
            title: step.title.as_deref(),
            class: step.class(),
            plugin: step.plugin(),
            is_output: self.outputs.contains(&index),
        })
    }

    /// What is wrong with the outputs that are left out of the plan, by node.
    pub fn node_errors(&self) -> &IndexMap<String, NodeProblems> {
        &self.node_errors
    }
}

//! Which node types there are, and who runs them.
//!
//! [`NodeProvider`] is the seam between this crate and the sandbox: exactly what
//! running a graph needs of a plugin. The graph's logic is tested against providers
//! written in Rust; in a host, every provider is a plugin.

use std::sync::Arc;

use berth_sandbox::{Choices, NodeType, Plugin, RunContext, SandboxError, Value};
use indexmap::IndexMap;

use crate::error::WorkflowError;
use crate::text::nearest;

/// The named inputs of one node run.
pub type Inputs = Vec<(String, Value)>;

/// Runs the nodes of some types. All calls block; see [`Plugin`] for what they promise.
pub trait NodeProvider: Send + Sync {
    /// Its name, for messages.
    fn name(&self) -> &str;
    /// Changes whenever its code does.
    fn digest(&self) -> &str;
    /// What it provides.
    fn node_types(&self) -> &[NodeType];
    /// The options of a choice, now.
    fn options(&self, choices: &Choices) -> Vec<String>;
    /// Runs a node: one value for each of its outputs.
    ///
    /// # Errors
    /// What the plugin returns or does wrong.
    fn run(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError>;
    /// Which lazy inputs a node still needs.
    ///
    /// # Errors
    /// As `run`.
    fn needs(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<String>, SandboxError>;
    /// A text that changes when a node must run again.
    ///
    /// # Errors
    /// As `run`.
    fn fingerprint(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<String, SandboxError>;
    /// What is wrong with a node's constant inputs.
    ///
    /// # Errors
    /// As `run`.
    fn validate(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Option<String>, SandboxError>;
}

impl NodeProvider for Arc<Plugin> {
    fn name(&self) -> &str {
        Plugin::name(self)
    }

    fn digest(&self) -> &str {
        Plugin::digest(self)
    }

    fn node_types(&self) -> &[NodeType] {
        Plugin::node_types(self)
    }

    fn options(&self, choices: &Choices) -> Vec<String> {
        match choices {
            Choices::Fixed(options) => options.clone(),
            Choices::Models(category) => self.sandbox().models().labels(category),
            Choices::Images => self.sandbox().folders().images(),
        }
    }

    fn run(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        Plugin::run(self, node, inputs, context)
    }

    fn needs(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<String>, SandboxError> {
        Plugin::needs(self, node, inputs, context)
    }

    fn fingerprint(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<String, SandboxError> {
        Plugin::fingerprint(self, node, inputs, context)
    }

    fn validate(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Option<String>, SandboxError> {
        Plugin::validate(self, node, inputs, context)
    }
}

/// A provider around another one, which does something of its own where a node begins to run.
pub(crate) trait Around: Send + Sync + 'static {
    /// The one that it is around.
    fn inner(&self) -> &dyn NodeProvider;

    /// What [`NodeProvider::run`] does.
    fn run_inner(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError>;

    /// What comes before a node is asked which lazy inputs it needs.
    fn before_needs(&self, _inputs: &Inputs) -> Result<(), SandboxError> {
        Ok(())
    }
}

impl<A: Around> NodeProvider for A {
    fn name(&self) -> &str {
        self.inner().name()
    }

    fn digest(&self) -> &str {
        self.inner().digest()
    }

    fn node_types(&self) -> &[NodeType] {
        self.inner().node_types()
    }

    fn options(&self, choices: &Choices) -> Vec<String> {
        self.inner().options(choices)
    }

    fn run(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        self.run_inner(node, inputs, context)
    }

    fn needs(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<String>, SandboxError> {
        self.before_needs(&inputs)?;
        self.inner().needs(node, inputs, context)
    }

    fn fingerprint(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<String, SandboxError> {
        self.inner().fingerprint(node, inputs, context)
    }

    fn validate(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Option<String>, SandboxError> {
        self.inner().validate(node, inputs, context)
    }
}

/// A node type and who runs it.
#[derive(Clone)]
pub struct Registered {
    /// What the plugin says of it.
    pub node_type: Arc<NodeType>,
    /// The plugin.
    pub provider: Arc<dyn NodeProvider>,
}

/// The node types of a host, by class.
#[derive(Clone, Default)]
pub struct Registry {
    types: IndexMap<String, Registered>,
    broken: Vec<String>,
}

impl Registry {
    /// One without node types.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all node types of a plugin, or none of them.
    ///
    /// # Errors
    /// `DuplicateNodeType`, with the names of both plugins.
    pub fn add(&mut self, provider: Arc<dyn NodeProvider>) -> Result<(), WorkflowError> {
        for (index, node_type) in provider.node_types().iter().enumerate() {
            let class = &node_type.name;
            let first = match self.types.get(class) {
                Some(registered) => registered.provider.name(),
                None if provider.node_types().iter().take(index).any(|t| t.name == *class) => {
                    provider.name()
                }
                None => continue,
            };
            return Err(WorkflowError::DuplicateNodeType {
                class: class.clone(),
                first: first.to_owned(),
                second: provider.name().to_owned(),
            });
        }
        for node_type in provider.node_types() {
            let registered =
                Registered { node_type: Arc::new(node_type.clone()), provider: provider.clone() };
            self.types.insert(node_type.name.clone(), registered);
        }
        Ok(())
    }

    /// Takes out all node types of a plugin.
    pub fn remove(&mut self, plugin: &str) {
        self.types.retain(|_, registered| registered.provider.name() != plugin);
    }

    /// Notes a plugin that could not be loaded, so that a workflow which lacks a node
    /// type is told where it may be.
    pub fn add_broken(&mut self, plugin: &str) {
        if !self.broken.iter().any(|broken| broken == plugin) {
            self.broken.push(plugin.to_owned());
        }
    }

    /// A plugin that could not be loaded is in order now.
    pub fn mend(&mut self, plugin: &str) {
        self.broken.retain(|broken| broken != plugin);
    }

    /// The plugins that could not be loaded.
    pub fn broken(&self) -> &[String] {
        &self.broken
    }

    /// The node type of a class.
    pub fn get(&self, class: &str) -> Option<&Registered> {
        self.types.get(class)
    }

    /// All node types, in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Registered> {
        self.types.values()
    }

    /// The class most like `class`, for a suggestion.
    pub fn nearest(&self, class: &str) -> Option<&str> {
        nearest(class, self.types.keys().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Pack, node};

    #[test]
    fn a_class_of_two_plugins_names_both_and_adds_nothing() {
        let mut registry = Registry::new();
        registry.add(Pack::new("first").with(node("A")).build()).unwrap();
        let second = Pack::new("second").with(node("B")).with(node("A")).build();
        let error = registry.add(second).unwrap_err();
        assert_eq!(error.to_string(), "plugins `first` and `second` both provide node type `A`");
        assert!(registry.get("B").is_none());
    }

    #[test]
    fn a_class_twice_in_one_plugin_is_an_error() {
        let mut registry = Registry::new();
        let error = registry.add(Pack::new("p").with(node("A")).with(node("A")).build());
        assert!(matches!(error, Err(WorkflowError::DuplicateNodeType { .. })));
    }

    #[test]
    fn the_nearest_class_is_suggested() {
        let mut registry = Registry::new();
        registry.add(Pack::new("p").with(node("KSampler")).build()).unwrap();
        assert_eq!(registry.nearest("KSamplr"), Some("KSampler"));
    }
}

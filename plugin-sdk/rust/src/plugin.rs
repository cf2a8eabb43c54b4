//! What `#[node]` and `plugin!` expand to: nodes as entries of a table, and the
//! component's exports as look-ups in it. Authors need nothing of this but
//! [`Node::describe`], in their tests.

use crate::bindings::berth::node::{types, values};
use crate::bindings::exports::berth::node::nodes::Guest;
pub use crate::bindings::exports::berth::node::nodes::{
    Checks, ChoicePort, Choices, Hidden, Input, NodeType, Output, Port,
};
use crate::ports::{self, Label, Outputs, Slot};
use crate::{Error, Fields, Result, Value};

/// One kind of node. `#[node]` implements it for a type of the function's name.
pub trait Node {
    /// Its name in a workflow.
    const NAME: &'static str;

    /// What it is, takes and gives.
    fn describe() -> NodeType;

    /// Runs it.
    ///
    /// # Errors
    /// `InvalidArgument` that names the node and the input, for one that is missing or of
    /// another type; the node's own.
    fn run(inputs: Fields) -> Result<Vec<Value>>;

    /// Which lazy inputs it still needs.
    ///
    /// # Errors
    /// The node's own.
    fn needs(_inputs: &Fields) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// A text that changes when it must run again though its inputs are the same. With an
    /// error, it runs each time.
    ///
    /// # Errors
    /// The node's own.
    fn fingerprint(_inputs: &Fields) -> Result<String> {
        Ok(String::new())
    }

    /// What is wrong with its constant inputs, or nothing.
    ///
    /// # Errors
    /// The node's own.
    fn validate(_inputs: &Fields) -> Result<Option<String>> {
        Ok(None)
    }
}

/// The input of a node.
///
/// # Errors
/// `InvalidArgument` that names the node and the input, when it is missing or of another type.
pub fn take<T: ports::Input>(inputs: &mut Fields, node: &str, name: &str) -> Result<T> {
    T::take(inputs, name).map_err(|error| error.at(node))
}

/// A node's description in the making.
#[derive(Debug)]
pub struct Description {
    node: NodeType,
}

impl Description {
    /// A node without inputs and outputs.
    pub fn new(name: &str, display_name: &str, category: &str, description: &str) -> Self {
        let node = NodeType {
            name: name.into(),
            display_name: display_name.into(),
            category: category.into(),
            description: description.into(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            hidden: Vec::new(),
            output_node: false,
            checks: Checks::empty(),
            deprecated: false,
            experimental: false,
            search_aliases: Vec::new(),
        };
        Self { node }
    }

    /// Adds an input.
    pub fn input(&mut self, port: impl Slot, label: Label<'_>) {
        port.place(&mut self.node, label);
    }

    /// Adds the outputs, with names and tooltips where there are any; an output without a
    /// name is called by its wire's type.
    pub fn outputs<T: Outputs>(&mut self, named: &[(&str, &str)]) {
        for (index, type_name) in T::TYPES.iter().enumerate() {
            let (name, tooltip) = named.get(index).copied().unwrap_or((type_name, ""));
            self.node.outputs.push(Output {
                name: name.into(),
                type_name: (*type_name).into(),
                tooltip: tooltip.into(),
                passes: None,
            });
        }
    }

    /// An output passes an input on, untouched.
    pub fn passes(&mut self, output: &str, input: &str) {
        for passing in self.node.outputs.iter_mut().filter(|known| known.name == output) {
            passing.passes = Some(input.into());
        }
    }

    /// It runs for its effect.
    pub fn output_node(&mut self) {
        self.node.output_node = true;
    }

    /// It is kept for old workflows only.
    pub fn deprecated(&mut self) {
        self.node.deprecated = true;
    }

    /// It may change.
    pub fn experimental(&mut self) {
        self.node.experimental = true;
    }

    /// It has these optional checks.
    pub fn checks(&mut self, checks: Checks) {
        self.node.checks = self.node.checks | checks;
    }

    /// Other words that a search finds it by.
    pub fn aliases(&mut self, aliases: &[&str]) {
        self.node.search_aliases = aliases.iter().map(|&alias| alias.into()).collect();
    }

    /// The description.
    pub fn finish(self) -> NodeType {
        self.node
    }
}

/// A node in a plugin's table.
#[derive(Clone, Copy, Debug)]
pub struct NodeEntry {
    name: &'static str,
    describe: fn() -> NodeType,
    run: fn(Fields) -> Result<Vec<Value>>,
    needs: fn(&Fields) -> Result<Vec<String>>,
    fingerprint: fn(&Fields) -> Result<String>,
    validate: fn(&Fields) -> Result<Option<String>>,
}

impl NodeEntry {
    /// The node's name in a workflow.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The entry of a node.
    pub const fn of<N: Node>() -> Self {
        Self {
            name: N::NAME,
            describe: N::describe,
            run: N::run,
            needs: N::needs,
            fingerprint: N::fingerprint,
            validate: N::validate,
        }
    }
}

/// A function in a plugin's table: its captures and its arguments → its results.
#[derive(Clone, Copy, Debug)]
pub struct FunctionEntry {
    /// What `Function::create` calls it.
    pub name: &'static str,
    /// What it does.
    pub body: fn(Fields, Fields) -> Result<Fields>,
}

/// A whole plugin. `plugin!` implements it.
pub trait Plugin {
    /// Its nodes.
    const NODES: &'static [NodeEntry];
    /// The functions behind its function values.
    const FUNCTIONS: &'static [FunctionEntry];

    /// The node of a name.
    ///
    /// # Errors
    /// `InvalidArgument` when there is none.
    fn node(name: &str) -> Result<&'static NodeEntry> {
        Self::NODES
            .iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| Error::invalid(format!("this plugin has no node `{name}`")))
    }
}

impl<P: Plugin> Guest for P {
    fn describe() -> Vec<NodeType> {
        P::NODES.iter().map(|entry| (entry.describe)()).collect()
    }

    fn run(
        node: String,
        inputs: Vec<values::NamedValue>,
    ) -> Result<Vec<values::Value>, types::Error> {
        let outputs = (P::node(&node)?.run)(inputs.into())?;
        Ok(outputs.into_iter().map(Into::into).collect())
    }

    fn call(
        function: String,
        captures: Vec<values::NamedValue>,
        arguments: Vec<values::NamedValue>,
    ) -> Result<Vec<values::NamedValue>, types::Error> {
        let found = P::FUNCTIONS.iter().find(|entry| entry.name == function);
        let entry = found.ok_or_else(|| {
            Error::invalid(format!("this plugin lists no function `{function}` in `plugin!`"))
        })?;
        Ok((entry.body)(captures.into(), arguments.into())?.into())
    }

    fn needs(node: String, inputs: Vec<values::NamedValue>) -> Result<Vec<String>, types::Error> {
        Ok((P::node(&node)?.needs)(&inputs.into())?)
    }

    fn fingerprint(node: String, inputs: Vec<values::NamedValue>) -> Result<String, types::Error> {
        Ok((P::node(&node)?.fingerprint)(&inputs.into())?)
    }

    fn validate(
        node: String,
        inputs: Vec<values::NamedValue>,
    ) -> Result<Option<String>, types::Error> {
        Ok((P::node(&node)?.validate)(&inputs.into())?)
    }
}

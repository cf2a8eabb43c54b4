//! Node types and plugins in Rust, for tests of the graph's logic.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use berth_sandbox::{
    Checks, Choices, Hidden, Input, NodeType, Output, Port, RunContext, SandboxError, Value,
};
use serde_json::Value as Json;

use crate::{Event, Inputs, NodeProvider, Observer, Workflow};

/// A node type without inputs and outputs.
pub(crate) fn node(name: &str) -> Built {
    Built(NodeType {
        name: name.into(),
        display_name: name.into(),
        category: "test".into(),
        description: String::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        hidden: Vec::new(),
        output_node: false,
        checks: Checks::default(),
        deprecated: false,
        experimental: false,
        search_aliases: Vec::new(),
    })
}

/// A node type in the making.
pub(crate) struct Built(NodeType);

impl Built {
    fn input(mut self, name: &str, port: Port) -> Self {
        let (optional, lazy) = (false, false);
        let (name, tooltip) = (name.into(), String::new());
        self.0.inputs.push(Input { name, port, optional, lazy, tooltip });
        self
    }

    fn last(mut self, change: impl FnOnce(&mut Input)) -> Self {
        change(self.0.inputs.last_mut().unwrap());
        self
    }

    pub(crate) fn integer(self, name: &str, min: Option<i128>, max: Option<i128>) -> Self {
        self.input(name, Port::Integer { default: None, min, max, step: None, seed: false })
    }

    pub(crate) fn number(self, name: &str) -> Self {
        self.input(name, Port::Number { default: None, min: None, max: None, step: None })
    }

    pub(crate) fn text(self, name: &str) -> Self {
        self.input(name, Port::Text { default: None, multiline: false })
    }

    pub(crate) fn choice(self, name: &str, options: &[&str]) -> Self {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        self.input(name, Port::Choice { choices: Choices::Fixed(options), default: None })
    }

    pub(crate) fn socket(self, name: &str, types: &str) -> Self {
        let types = types.split(',').map(str::to_owned).collect();
        self.input(name, Port::Socket { types })
    }

    pub(crate) fn optional_socket(self, name: &str, types: &str) -> Self {
        self.socket(name, types).last(|input| input.optional = true)
    }

    /// A lazy input that takes anything, and the check that asks for it.
    pub(crate) fn lazy(mut self, name: &str) -> Self {
        self.0.checks.needs = true;
        self.socket(name, "*").last(|input| (input.lazy, input.optional) = (true, true))
    }

    pub(crate) fn hidden(mut self, hidden: Hidden) -> Self {
        self.0.hidden.push(hidden);
        self
    }

    pub(crate) fn output(mut self, type_name: &str) -> Self {
        let (name, tooltip) = (type_name.to_owned(), String::new());
        self.0.outputs.push(Output { type_name: name.clone(), name, tooltip, passes: None });
        self
    }

    /// An output that passes an input on.
    pub(crate) fn passing(self, name: &str, input: &str) -> Self {
        let mut passing = self.output("*");
        let output = passing.0.outputs.last_mut().unwrap();
        (output.name, output.passes) = (name.into(), Some(input.into()));
        passing
    }

    pub(crate) fn output_node(mut self) -> Self {
        self.0.output_node = true;
        self
    }

    pub(crate) fn checks(mut self, change: impl FnOnce(&mut Checks)) -> Self {
        change(&mut self.0.checks);
        self
    }
}

type Body = dyn Fn(&Inputs, &RunContext) -> Result<Vec<Value>, SandboxError> + Send + Sync;
type Text = dyn Fn(&Inputs) -> Result<Option<String>, SandboxError> + Send + Sync;
type Names = dyn Fn(&Inputs) -> Vec<String> + Send + Sync;

/// A plugin in Rust. Nodes without a body give texts that say how they came about.
#[derive(Default)]
pub(crate) struct Pack {
    name: String,
    digest: String,
    node_types: Vec<NodeType>,
    bodies: HashMap<String, Box<Body>>,
    validations: HashMap<String, Box<Text>>,
    fingerprints: HashMap<String, Box<Text>>,
    needs: HashMap<String, Box<Names>>,
    /// The classes that ran, in order.
    pub(crate) ran: Mutex<Vec<String>>,
    pub(crate) at_once: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl Pack {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.into(), digest: format!("digest of {name}"), ..Self::default() }
    }

    pub(crate) fn digest(mut self, digest: &str) -> Self {
        self.digest = digest.into();
        self
    }

    pub(crate) fn with(mut self, built: Built) -> Self {
        self.node_types.push(built.0);
        self
    }

    pub(crate) fn runs(
        mut self,
        built: Built,
        body: impl Fn(&Inputs, &RunContext) -> Result<Vec<Value>, SandboxError> + Send + Sync + 'static,
    ) -> Self {
        self.bodies.insert(built.0.name.clone(), Box::new(body));
        self.with(built)
    }

    pub(crate) fn validates(
        mut self,
        class: &str,
        check: impl Fn(&Inputs) -> Result<Option<String>, SandboxError> + Send + Sync + 'static,
    ) -> Self {
        self.validations.insert(class.into(), Box::new(check));
        self
    }

    pub(crate) fn fingerprints(
        mut self,
        class: &str,
        text: impl Fn(&Inputs) -> Result<Option<String>, SandboxError> + Send + Sync + 'static,
    ) -> Self {
        self.fingerprints.insert(class.into(), Box::new(text));
        self
    }

    pub(crate) fn needs(
        mut self,
        class: &str,
        names: impl Fn(&Inputs) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.needs.insert(class.into(), Box::new(names));
        self
    }

    pub(crate) fn build(self) -> Arc<Self> {
        Arc::new(self)
    }

    pub(crate) fn take_ran(&self) -> Vec<String> {
        std::mem::take(&mut self.ran.lock().unwrap())
    }
}

impl NodeProvider for Pack {
    fn name(&self) -> &str {
        &self.name
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn node_types(&self) -> &[NodeType] {
        &self.node_types
    }

    fn options(&self, choices: &Choices) -> Vec<String> {
        match choices {
            Choices::Fixed(options) => options.clone(),
            _ => Vec::new(),
        }
    }

    fn run(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        self.ran.lock().unwrap().push(node.to_owned());
        let result = match self.bodies.get(node) {
            Some(body) => body(&inputs, context),
            None => {
                let text =
                    format!("{node}({})", inputs.iter().map(shown).collect::<Vec<_>>().join(" "));
                let node_type = self.node_types.iter().find(|t| t.name == node).unwrap();
                let value = |index: usize| Value::Text(format!("{text}.{index}").into());
                Ok((0..node_type.outputs.len()).map(value).collect())
            }
        };
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        result
    }

    fn needs(
        &self,
        node: &str,
        inputs: Inputs,
        _: &RunContext,
    ) -> Result<Vec<String>, SandboxError> {
        Ok(self.needs.get(node).map(|needs| needs(&inputs)).unwrap_or_default())
    }

    fn fingerprint(
        &self,
        node: &str,
        inputs: Inputs,
        _: &RunContext,
    ) -> Result<String, SandboxError> {
        let fingerprint = self.fingerprints.get(node).map(|text| text(&inputs));
        Ok(fingerprint.transpose()?.flatten().unwrap_or_default())
    }

    fn validate(
        &self,
        node: &str,
        inputs: Inputs,
        _: &RunContext,
    ) -> Result<Option<String>, SandboxError> {
        Ok(self.validations.get(node).map(|check| check(&inputs)).transpose()?.flatten())
    }
}

/// A named value as a text.
pub(crate) fn shown((name, value): &(String, Value)) -> String {
    match value {
        Value::Text(text) => format!("{name}={text}"),
        Value::Integer(value) => format!("{name}={value}"),
        Value::Number(value) => format!("{name}={value}"),
        other => format!("{name}:{}", other.kind()),
    }
}

/// Keeps the events of a run.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Event>>);

impl Recorder {
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// The events as JSON, each as its type and node.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = |event: Event| {
            let json = serde_json::to_value(event).unwrap();
            let node = ["node", "node_id"].iter().find_map(|key| json["data"][key].as_str());
            let kind = json["type"].as_str().unwrap().to_owned();
            node.map_or_else(|| kind.clone(), |node| format!("{kind} {node}"))
        };
        self.take().into_iter().map(told).collect()
    }
}

impl Observer for Recorder {
    fn event(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

pub(crate) fn workflow(json: Json) -> Workflow {
    Workflow::from_json(json).unwrap()
}

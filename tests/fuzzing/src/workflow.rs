//! Workflow JSON: read, checked against some node types, written and read again.

use std::sync::{Arc, OnceLock};

use berth_memory::Cancel;
use berth_sandbox::{
    Checks, Choices, Hidden, Input, NodeType, Output, Port, RunContext, SandboxError, Value,
};
use berth_workflow::{Inputs, NodeProvider, Registry, Release, Runner, Workflow};

/// Reads bytes as a workflow and checks it.
pub fn run(bytes: &[u8]) {
    let workflow = match Workflow::parse(bytes) {
        Ok(workflow) => workflow,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let written = serde_json::to_vec(&workflow.to_json()).unwrap();
    // A workflow with a node that is called `prompt` is only told from a request by its shape.
    if let Ok(again) = Workflow::parse(&[b"{\"prompt\":", &written[..], b"}"].concat()) {
        assert_eq!(again.to_json(), workflow.to_json(), "what is written is read as the same");
    }
    let targets: Vec<String> = workflow.nodes().take(1).map(|(id, _)| id.to_owned()).collect();
    for targets in [None, Some(targets.as_slice())] {
        match runner().validate(&workflow, targets, &Cancel::new()) {
            Ok(plan) => assert!(plan.nodes().count() <= workflow.nodes().len()),
            Err(invalid) => assert!(!invalid.error.message.is_empty()),
        }
    }
}

fn runner() -> &'static Runner {
    static RUNNER: OnceLock<Runner> = OnceLock::new();
    RUNNER.get_or_init(|| {
        let mut registry = Registry::new();
        registry.add(Arc::new(Pack(node_types()))).unwrap();
        Runner::new(registry, 0, Release::AfterUse)
    })
}

/// One node type for each kind of input, with short names.
fn node_types() -> Vec<NodeType> {
    let number = Port::Number { default: Some(1.0), min: Some(0.0), max: Some(9.5), step: None };
    let (min, max) = (Some(-3), Some(i128::from(u64::MAX)));
    let integer = Port::Integer { default: None, min, max, step: None, seed: true };
    let text = Port::Text { default: Some("t".into()), multiline: true };
    let options = Choices::Fixed(vec!["x".into(), "y".into()]);
    let choice = Port::Choice { choices: options, default: None };
    let socket = |types: &[&str]| Port::Socket { types: types.iter().map(|&t| t.into()).collect() };
    let (any, image) = (socket(&["*"]), socket(&["IMAGE", "MASK"]));
    vec![
        node("A", &[("i", integer), ("n", number), ("t", text)], &["IMAGE", "INT"]),
        node("B", &[("c", choice), ("b", Port::Boolean { default: None })], &["MASK", "*"]),
        node("C", &[("x", image.clone()), ("y", any.clone())], &["IMAGE"]),
        NodeType { output_node: true, ..node("S", &[("x", image), ("a", any)], &[]) },
    ]
}

fn node(name: &str, inputs: &[(&str, Port)], outputs: &[&str]) -> NodeType {
    let last = inputs.len() - 1;
    let inputs = inputs.iter().enumerate().map(|(index, (name, port))| Input {
        name: (*name).into(),
        port: port.clone(),
        optional: index == last,
        lazy: index == last,
        tooltip: String::new(),
    });
    let inputs: Vec<Input> = inputs.collect();
    let outputs = outputs.iter().map(|&name| Output {
        name: name.into(),
        type_name: name.into(),
        tooltip: String::new(),
        passes: (name == "*").then(|| inputs[0].name.clone()),
    });
    NodeType {
        name: name.into(),
        display_name: name.into(),
        category: "fuzzing".into(),
        description: String::new(),
        outputs: outputs.collect(),
        inputs,
        hidden: vec![Hidden::Prompt, Hidden::UniqueId],
        output_node: false,
        checks: Checks { needs: true, fingerprint: false, validate: true },
        deprecated: false,
        experimental: false,
        search_aliases: Vec::new(),
    }
}

/// A plugin whose nodes never run.
struct Pack(Vec<NodeType>);

impl NodeProvider for Pack {
    fn name(&self) -> &str {
        "pack"
    }

    fn digest(&self) -> &str {
        "0"
    }

    fn node_types(&self) -> &[NodeType] {
        &self.0
    }

    fn options(&self, _choices: &Choices) -> Vec<String> {
        Vec::new()
    }

    fn run(&self, _: &str, _: Inputs, _: &RunContext) -> Result<Vec<Value>, SandboxError> {
        Ok(Vec::new())
    }

    fn needs(&self, _: &str, _: Inputs, _: &RunContext) -> Result<Vec<String>, SandboxError> {
        Ok(Vec::new())
    }

    fn fingerprint(&self, _: &str, _: Inputs, _: &RunContext) -> Result<String, SandboxError> {
        Ok(String::new())
    }

    fn validate(
        &self,
        _: &str,
        inputs: Inputs,
        _: &RunContext,
    ) -> Result<Option<String>, SandboxError> {
        Ok((inputs.len() > 2).then(|| "too many".into()))
    }
}

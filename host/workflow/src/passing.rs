//! Outputs that pass an input on: what is on their wires, before a run and in it.
//!
//! Such an output has no type of its own. What its wire carries is found by following the links
//! back to where the value is made, so a node that only stands in between hides no mistake. Some
//! origins do not say what they make (`*`, or one of several types): then the value itself is
//! looked at when a consumer is about to get it, by a [`Guard`] around the consumer's provider.

use std::sync::Arc;

use berth_sandbox::{Failure, GuestError, Input, Port, RunContext, SandboxError, Value};
use serde_json::Value as Json;

use crate::coerce::{carries, literal_type, port_type, takes};
use crate::error::label;
use crate::format::{Given, Link, Node, Workflow};
use crate::problem::{Problem, ProblemKind};
use crate::registry::{Around, Inputs, NodeProvider, Registry};
use crate::text::plain;

/// What a wire of no known type is called.
const ANY: &str = "*";

/// Passing nodes in a row that are followed. The run shows what comes from farther away, and a
/// circle, which is a problem of its own, is not walked for ever.
const FARTHEST: usize = 64;

/// A link to an output that passes an input on.
#[derive(Debug, Clone)]
pub(crate) struct Passed {
    /// The consumer: its input, and what that takes.
    input: String,
    port: Port,
    /// The consumer as people find it.
    consumer: String,
    /// The passing node: its output, and the input that it passes on.
    output: String,
    trigger: String,
    /// The plugin of the passing node.
    plugin: String,
}

impl Passed {
    /// A link from an input of a node, if its origin passes something on and only the run
    /// shows whether the consumer can take it.
    ///
    /// # Errors
    /// The problem of the passing node that the consumer cannot.
    pub(crate) fn of(
        registry: &Registry,
        workflow: &Workflow,
        consumer: (&str, &Node),
        input: &Input,
        link: &Link,
    ) -> Result<Option<Self>, Problem> {
        let Some(passed) = Self::from_link(registry, workflow, consumer, input, link) else {
            return Ok(None);
        };
        match carried(registry, workflow, link) {
            _ if takes_any(&input.port) => Ok(None),
            Some(carried) if takes(&input.port, &carried) => Ok(Some(passed)),
            carried => Err(passed.problem(carried.as_deref().unwrap_or("nothing"))),
        }
    }

    fn from_link(
        registry: &Registry,
        workflow: &Workflow,
        (id, consumer): (&str, &Node),
        input: &Input,
        link: &Link,
    ) -> Option<Self> {
        let known = registry.get(&workflow.nodes.get(&link.node)?.class)?;
        let output = known.node_type.outputs.get(link.slot as usize)?;
        Some(Self {
            input: input.name.clone(),
            port: input.port.clone(),
            consumer: format!("node {}", label(id, consumer.title.as_deref(), &consumer.class)),
            output: output.name.clone(),
            trigger: output.passes.clone()?,
            plugin: known.provider.name().to_owned(),
        })
    }

    fn problem(&self, received: &str) -> Problem {
        let Self { input, consumer, trigger, .. } = self;
        let wanted = port_type(&self.port);
        let details = format!(
            "{input} of {consumer}, received_type({received}) mismatch input_type({wanted})"
        );
        Problem::new(ProblemKind::ReturnTypeMismatch, self.message(), details)
            .with("input_name", trigger.as_str())
            .with("received_type", received)
            .hint_at(Some(self.hint(received)))
    }

    fn message(&self) -> String {
        format!("Incompatible {} input type", self.trigger)
    }

    fn hint(&self, received: &str) -> String {
        let Self { input, consumer, output, trigger, .. } = self;
        let wanted = port_type(&self.port);
        format!(
            "input `{input}` of {consumer} takes {wanted}, but `{output}` passes on {received}: link \
             {wanted} to `{trigger}`, or link `{input}` to something else"
        )
    }

    /// What is wrong with a value for the consumer, if anything.
    fn check(&self, value: &Value) -> Result<(), SandboxError> {
        if carries(&self.port, value) {
            return Ok(());
        }
        let failure = Failure {
            code: "return-type-mismatch".into(),
            message: self.message(),
            hint: self.hint(&described(value)),
        };
        let error = GuestError::Failed(Box::new(failure));
        Err(SandboxError::Guest { plugin: self.plugin.clone(), error })
    }
}

fn takes_any(port: &Port) -> bool {
    matches!(port, Port::Socket { types } if types.iter().any(|name| name == ANY))
}

/// What a value is, for people.
fn described(value: &Value) -> String {
    match value {
        Value::Object(object) => plain(&object.type_name).into_owned(),
        Value::Tensor(tensor) => format!("a tensor {:?}", tensor.shape()),
        other => other.kind().into(),
    }
}

/// The type of what a link carries; `None` when it leads to a passing output that has
/// nothing to pass on.
fn carried(registry: &Registry, workflow: &Workflow, link: &Link) -> Option<String> {
    let mut link = link;
    for _ in 0..FARTHEST {
        let node = workflow.nodes.get(&link.node);
        let known = node.and_then(|node| Some((node, registry.get(&node.class)?)));
        let slot = link.slot as usize;
        let Some((node, output)) =
            known.and_then(|(node, known)| Some((node, known.node_type.outputs.get(slot)?)))
        else {
            break;
        };
        let Some(trigger) = &output.passes else { return Some(output.type_name.clone()) };
        match node.inputs.get(trigger) {
            Some(Given::Link(next)) => link = next,
            Some(Given::Constant(Json::Null)) | None => return None,
            Some(Given::Constant(json)) => return Some(literal_type(json).into()),
            Some(Given::BadLink(_)) => break,
        }
    }
    Some(ANY.into())
}

/// Looks at what is passed on to a node before the node gets it.
pub(crate) struct Guard {
    pub(crate) provider: Arc<dyn NodeProvider>,
    pub(crate) passed: Vec<Passed>,
}

impl Guard {
    fn check(&self, inputs: &Inputs) -> Result<(), SandboxError> {
        self.passed.iter().try_for_each(|passed| {
            let given = inputs.iter().find(|(name, _)| *name == passed.input);
            given.map_or(Ok(()), |(_, value)| passed.check(value))
        })
    }
}

impl Around for Guard {
    fn inner(&self) -> &dyn NodeProvider {
        &*self.provider
    }

    fn run_inner(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        self.check(&inputs)?;
        self.provider.run(node, inputs, context)
    }

    fn before_needs(&self, inputs: &Inputs) -> Result<(), SandboxError> {
        self.check(inputs)
    }
}

#[cfg(test)]
mod tests {
    use berth_memory::Cancel;
    use serde_json::json;

    use super::*;
    use crate::testing::{Pack, Recorder, node, workflow};
    use crate::validate::validate;
    use crate::{Invalid, Plan, Run, RunError, Runner, WorkflowError};

    fn registry() -> Registry {
        let pass = node("Pass").optional_socket("trigger", "*").passing("passthrough", "trigger");
        let load = node("Load").output("MODEL").output("CLIP").output("MODEL,CLIP,VAE").output("*");
        let sample = node("Sample").socket("model", "MODEL").output_node();
        let count = node("Count").integer("count", None, None).output_node();
        let show = node("Show").socket("any", "*").output_node();
        let pack = Pack::new("pack").with(pass).with(load).with(sample).with(count).with(show);
        let mut registry = Registry::new();
        registry.add(pack.build()).unwrap();
        registry
    }

    /// Load → Pass → Pass → a consumer.
    fn chain(trigger: Json, consumer: &str, input: &str) -> Json {
        json!({
            "1": {"class_type": "Load", "inputs": {}},
            "2": {"class_type": "Pass", "inputs": {"trigger": trigger}},
            "3": {"class_type": "Pass", "inputs": {"trigger": ["2", 0]}},
            "4": {"class_type": consumer, "inputs": {input: ["3", 0]}},
        })
    }

    fn check(json: Json) -> Result<Plan, Box<Invalid>> {
        validate(&registry(), &workflow(json), None, &Cancel::new())
    }

    #[test]
    fn what_is_passed_on_keeps_its_type() {
        for (trigger, consumer, input) in [
            (json!(["1", 0]), "Sample", "model"),
            (json!(["1", 2]), "Sample", "model"),
            (json!(["1", 3]), "Sample", "model"),
            (json!(["1", 1]), "Show", "any"),
            (json!(null), "Show", "any"),
            (json!(3), "Count", "count"),
        ] {
            let valid = check(chain(trigger.clone(), consumer, input));
            assert!(valid.is_ok(), "{trigger}: {:?}", valid.err());
        }
    }

    #[test]
    fn what_the_consumer_cannot_take_is_a_problem_of_the_passing_node() {
        for (trigger, consumer, input, types) in [
            (json!(["1", 1]), "Sample", "model", "takes MODEL, but `passthrough` passes on CLIP"),
            (json!("a"), "Sample", "model", "takes MODEL, but `passthrough` passes on STRING"),
            (json!(null), "Sample", "model", "takes MODEL, but `passthrough` passes on nothing"),
            (json!(0.5), "Count", "count", "takes INT, but `passthrough` passes on FLOAT"),
        ] {
            let Err(invalid) = check(chain(trigger, consumer, input)) else { panic!("valid") };
            assert_eq!(invalid.node_errors.keys().collect::<Vec<_>>(), ["3"]);
            let problem = &invalid.node_errors["3"].errors[0];
            assert_eq!(problem.kind, ProblemKind::ReturnTypeMismatch);
            assert_eq!(problem.message, "Incompatible trigger input type");
            assert_eq!(problem.input(), Some("trigger"));
            let hint = problem.hint().unwrap();
            assert!(
                hint.contains(&format!("input `{input}` of node 4 ({consumer}) {types}")),
                "{hint}"
            );
            assert_eq!(invalid.node_errors["3"].dependent_outputs, ["4"]);
        }
    }

    #[test]
    fn a_circle_of_passing_nodes_is_a_cycle_and_no_endless_walk() {
        let json = json!({
            "2": {"class_type": "Pass", "inputs": {"trigger": ["3", 0]}},
            "3": {"class_type": "Pass", "inputs": {"trigger": ["2", 0]}},
            "4": {"class_type": "Sample", "inputs": {"model": ["3", 0]}},
        });
        let Err(invalid) = check(json) else { panic!("valid") };
        assert_eq!(invalid.node_errors["3"].errors[0].kind, ProblemKind::DependencyCycle);
    }

    #[tokio::test]
    async fn what_only_the_run_shows_is_checked_when_the_consumer_is_given_it() {
        let pass = node("Pass").socket("trigger", "*").passing("passthrough", "trigger");
        let pack = Pack::new("pack")
            .runs(node("Load").output("*"), |_, _| Ok(vec![Value::Text("no model".into())]))
            .runs(pass, |inputs, _| Ok(vec![inputs[0].1.clone()]))
            .with(node("Sample").socket("model", "MODEL").output_node());
        let pack = pack.build();
        let mut registry = Registry::new();
        registry.add(pack.clone()).unwrap();
        let runner = Runner::new(registry, 0, crate::release::Release::default());
        let workflow = workflow(json!({
            "1": {"class_type": "Load", "inputs": {}},
            "2": {"class_type": "Pass", "inputs": {"trigger": ["1", 0]}},
            "4": {"class_type": "Sample", "inputs": {"model": ["2", 0]}},
        }));
        let cancel = Cancel::new();
        let plan = runner.validate(&workflow, None, &cancel).unwrap();
        let observer = Arc::new(Recorder::default());
        let run = Run { prompt_id: "p".into(), cancel, observer };
        let RunError::Node(failed) = runner.run(Arc::new(plan), run).await.unwrap_err() else {
            panic!("another error")
        };
        assert_eq!((failed.node.as_str(), failed.error.kind()), ("4", "return-type-mismatch"));
        assert_eq!(failed.error.to_string(), "Incompatible trigger input type");
        let hint = failed.error.hint().unwrap();
        assert!(hint.contains("`model` of node 4 (Sample) takes MODEL"), "{hint}");
        assert!(hint.contains("passes on text"), "{hint}");
        assert!(matches!(failed.error, WorkflowError::Sandbox(SandboxError::Guest { .. })));
        assert_eq!(pack.take_ran(), ["Load", "Pass"]);
    }
}

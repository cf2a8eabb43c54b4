//! One node run, on a thread of its own.

use std::sync::Arc;

use berth_sandbox::{RunContext, Value};
use serde_json::Value as Json;

use crate::cache::Given;
use crate::coerce::integer_to_json;
use crate::error::{NodeError, WorkflowError};
use crate::plan::{Plan, Step};
use crate::registry::Inputs;
use crate::text::plain;
use crate::watch::Watch;

/// What a node needs to run.
pub(crate) struct Job {
    pub(crate) plan: Arc<Plan>,
    pub(crate) step: usize,
    pub(crate) inputs: Inputs,
    /// Whether it has lazy inputs that it may ask for.
    pub(crate) undecided: bool,
    pub(crate) context: RunContext,
    pub(crate) watch: Arc<Watch>,
}

/// What came of it.
pub(crate) enum Done {
    /// Its outputs.
    Finished(Given),
    /// It needs these lazy inputs first.
    Asked(Vec<String>),
}

impl Job {
    /// Runs the node, and waits for it.
    pub(crate) fn run(self) -> Result<Done, WorkflowError> {
        let Some(step) = self.plan.steps.get(self.step) else {
            let (plugin, class) = (String::new(), String::new());
            let reason = "a step is not in its plan".into();
            return Err(WorkflowError::Host { plugin, class, reason });
        };
        let provider = &step.registered.provider;
        if self.undecided {
            let asked = provider.needs(step.class(), self.inputs.clone(), &self.context)?;
            let asked = new_inputs(step, &self.inputs, asked)?;
            if !asked.is_empty() {
                return Ok(Done::Asked(asked));
            }
        }
        let mut inputs = self.inputs;
        for hidden in &step.registered.node_type.hidden {
            let (name, value) = self.plan.hidden.get(*hidden, &step.id);
            inputs.extend(value.map(|value| (name.to_owned(), Value::Text(value))));
        }
        let outputs = provider.run(step.class(), inputs, &self.context)?;
        let outputs = outputs.into_iter().map(Arc::new).collect();
        Ok(Done::Finished(Given { outputs, results: self.watch.results() }))
    }
}

/// The lazy inputs among `asked` that the node does not have yet and could have.
fn new_inputs(
    step: &Step,
    inputs: &Inputs,
    asked: Vec<String>,
) -> Result<Vec<String>, WorkflowError> {
    let mut new = Vec::new();
    for name in asked {
        if step.registered.node_type.input(&name).is_none() {
            return Err(WorkflowError::UnknownLazyInput {
                plugin: step.plugin().to_owned(),
                class: step.class().to_owned(),
                input: plain(&name).into(),
            });
        }
        let linked = step.inputs.iter().any(|input| input.lazy && input.name == name);
        if linked && inputs.iter().all(|(known, _)| *known != name) && !new.contains(&name) {
            new.push(name);
        }
    }
    Ok(new)
}

/// A failure of a step, with all that helps to find its cause.
pub(crate) fn failure(step: &Step, inputs: &Inputs, error: WorkflowError) -> NodeError {
    NodeError {
        node: step.id.as_ref().to_owned(),
        title: step.title.clone(),
        class: step.class().to_owned(),
        plugin: step.plugin().to_owned(),
        inputs: inputs.iter().map(|(name, value)| (name.clone(), summary(value))).collect(),
        error,
    }
}

/// The inputs of a failed node, as a client may see them.
fn summary(value: &Value) -> Json {
    match value {
        Value::Boolean(value) => (*value).into(),
        Value::Integer(value) => integer_to_json(*value),
        Value::Number(value) => (*value).into(),
        Value::Text(text) => plain(text).into(),
        Value::Tensor(tensor) => format!("{:?} {:?}", tensor.dtype(), tensor.shape()).into(),
        Value::Model(model) => format!("model {}", plain(model.label())).into(),
        Value::Object(object) => plain(&object.type_name).into(),
        Value::Items(list) => format!("{} items", list.items.len()).into(),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()).into(),
        Value::Function(function) => format!("function {}", plain(function.name())).into(),
    }
}

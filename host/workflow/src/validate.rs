//! Checks a workflow before anything of it runs, and tells every problem at once.
//!
//! Only output nodes and what they depend on count, as in ComfyUI: editors keep unfinished
//! nodes beside a graph. The exception is a node of an unknown type, which could have been
//! an output. An output whose ancestors have problems is left out, and the others can
//! run; without any, the workflow is invalid.

use std::collections::HashMap;
use std::sync::Arc;

use berth_memory::Cancel;
use berth_sandbox::{Choices, Input, Port, RunContext, SandboxError};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::coerce::{Constant, coerce, port_type, takes};
use crate::format::{Given, Link, Node, Workflow};
use crate::graph;
use crate::object_info::{input_spec, options};
use crate::passing::{Guard, Passed};
use crate::plan::{Bound, HiddenValues, Plan, Source, Step};
use crate::problem::{Invalid, NodeProblems, Problem, ProblemKind};
use crate::registry::{Inputs, Registered, Registry};
use crate::text::{enumerate, excerpt, plain};
use crate::watch::Unwatched;

/// Nodes of a cycle that are named.
const SHOWN: usize = 12;

/// Outputs that cannot run whose causes are told; more tell nothing new, and
/// the list is as long as outputs times problems.
const BLAMED: usize = 100;

/// Checks `workflow` and plans its outputs; with `targets`, only those of them.
pub(crate) fn validate(
    registry: &Registry,
    workflow: &Workflow,
    targets: Option<&[String]>,
    cancel: &Cancel,
) -> Result<Plan, Box<Invalid>> {
    let mut check = Check::new(registry, workflow, cancel);
    let missing = check.missing_types();
    let outputs = check.outputs(targets);
    if outputs.is_empty() && missing.is_none() {
        return Err(Box::new(no_outputs(targets.is_some()).into()));
    }
    let order = check.order(&outputs);
    for &index in &order {
        check.node(index);
    }
    check.custom(&order);
    let good = check.blame(&outputs, &order);
    if let Some(error) = missing {
        return Err(Box::new(Invalid { error, node_errors: check.node_errors() }));
    }
    if good.is_empty() {
        let node_errors = check.node_errors();
        return Err(Box::new(Invalid { error: failed(&node_errors), node_errors }));
    }
    Ok(check.plan(&good))
}

fn no_outputs(targeted: bool) -> Problem {
    let hint = if targeted {
        "none of the targets is an output node of the workflow"
    } else {
        "add a node that keeps its result, such as SaveImage"
    };
    Problem::new(ProblemKind::PromptNoOutputs, "the workflow has no output node", "")
        .hint_at(Some(hint.into()))
}

fn failed(node_errors: &IndexMap<String, NodeProblems>) -> Problem {
    let mut details = Vec::new();
    for (id, node) in node_errors {
        details.push(format!("* {} {}:", plain(&node.class_type), plain(id)));
        details.extend(node.errors.iter().map(|problem| format!("  - {}", problem.message)));
    }
    Problem::new(
        ProblemKind::PromptOutputsFailedValidation,
        "no output of the workflow can be computed",
        details.join("\n"),
    )
}

/// A node, and what is found out about it.
struct Checked<'a> {
    id: &'a str,
    node: &'a Node,
    registered: Option<&'a Registered>,
    /// The declared inputs that are links to nodes there are, by position of the node.
    links: Vec<usize>,
    inputs: Vec<Found>,
    problems: Vec<Problem>,
    dependent_outputs: Vec<String>,
}

/// An input as it will be given.
struct Found {
    name: String,
    value: Value,
    lazy: bool,
    /// Where it comes from, if that only passes it on and the run will show what it is.
    passed: Option<Passed>,
}

enum Value {
    Constant(Constant),
    Link { node: usize, slot: usize },
}

struct Check<'a> {
    workflow: &'a Workflow,
    registry: &'a Registry,
    nodes: Vec<Checked<'a>>,
    cancel: &'a Cancel,
    /// The options of choices that a folder gives, read once.
    options: HashMap<(String, String), Vec<String>>,
}

impl<'a> Check<'a> {
    fn new(registry: &'a Registry, workflow: &'a Workflow, cancel: &'a Cancel) -> Self {
        let nodes = workflow.nodes().map(|(id, node)| {
            let registered = registry.get(&node.class);
            let declared = registered.into_iter().flat_map(|known| &known.node_type.inputs);
            let links = declared
                .filter_map(|input| match node.inputs.get(&input.name)? {
                    Given::Link(link) => workflow.nodes.get_index_of(&link.node),
                    _ => None,
                })
                .collect();
            Checked {
                id,
                node,
                registered,
                links,
                inputs: Vec::new(),
                problems: Vec::new(),
                dependent_outputs: Vec::new(),
            }
        });
        Self { workflow, registry, nodes: nodes.collect(), cancel, options: HashMap::new() }
    }

    /// Notes every node of an unknown type. Gives what is told about the first of them.
    fn missing_types(&mut self) -> Option<Problem> {
        let mut first = None;
        for checked in self.nodes.iter_mut().filter(|checked| checked.registered.is_none()) {
            let class = plain(&checked.node.class);
            let hint = match self.registry.nearest(&checked.node.class) {
                Some(near) => format!("did you mean `{near}`?"),
                None => match self.registry.broken() {
                    [] => "put the plugin that provides it into a folder and name that with \
                           `--plugins`; `berth nodes` lists the node types there are"
                        .into(),
                    broken => format!(
                        "a plugin that could not be loaded may provide it: {}",
                        enumerate(broken.iter().map(String::as_str))
                    ),
                },
            };
            let title = checked.node.title.as_deref();
            let problem = Problem::new(
                ProblemKind::MissingNodeType,
                format!("no plugin provides node type `{class}`"),
                format!("Node ID '#{}'", plain(checked.id)),
            )
            .with("node_id", checked.id)
            .with("class_type", checked.node.class.as_str())
            .with("node_title", title)
            .hint_at(Some(hint));
            first.get_or_insert_with(|| problem.clone());
            checked.problems.push(problem);
        }
        first
    }

    fn outputs(&self, targets: Option<&[String]>) -> Vec<usize> {
        let is_output = |checked: &Checked<'_>| {
            checked.registered.is_some_and(|known| known.node_type.output_node)
                && targets.is_none_or(|targets| targets.iter().any(|id| id == checked.id))
        };
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(|(_, checked)| is_output(checked)).map(|(index, _)| index).collect()
    }

    /// All that `outputs` depend on, each node after what it depends on itself. Nodes on
    /// a cycle get a problem.
    fn order(&mut self, outputs: &[usize]) -> Vec<usize> {
        let graph::Order { order, cycles } = graph::order(&self.links(), outputs);
        for cycle in cycles {
            self.note_cycle(&cycle);
        }
        order
    }

    fn links(&self) -> Vec<&[usize]> {
        self.nodes.iter().map(|node| node.links.as_slice()).collect()
    }

    fn note_cycle(&mut self, cycle: &[usize]) {
        // From an input back to its origin, so it reads as values flow.
        let nodes = cycle.iter().rev().filter_map(|&on| self.nodes.get(on));
        let ids: Vec<&str> = nodes.take(SHOWN).map(|node| node.id).collect();
        let mut walk: Vec<_> = ids.iter().map(|id| plain(id)).collect();
        walk.push(if cycle.len() > SHOWN {
            "…".into()
        } else {
            walk.first().cloned().unwrap_or_default()
        });
        let walk = walk.join(" → ");
        let problem = Problem::new(
            ProblemKind::DependencyCycle,
            format!("the node depends on itself: {walk}"),
            walk,
        )
        .with("cycle_nodes", ids)
        .hint_at(Some("remove one of these links".into()));
        for &on in cycle {
            let Some(node) = self.nodes.get_mut(on) else { continue };
            if node.problems.iter().all(|known| known.kind != ProblemKind::DependencyCycle) {
                node.problems.push(problem.clone());
            }
        }
    }

    /// Checks the inputs of one node.
    fn node(&mut self, index: usize) {
        let Some(checked) = self.nodes.get(index) else { return };
        let (Some(registered), node) = (checked.registered, checked.node) else { return };
        let mut found = Vec::new();
        let mut problems = Vec::new();
        for input in &registered.node_type.inputs {
            let given = match node.inputs.get(&input.name) {
                Some(Given::Constant(Json::Null)) if input.optional => None,
                given => given,
            };
            let Some(given) = given else {
                if !input.optional {
                    problems.push(self.required(registered, input));
                }
                continue;
            };
            match self.input(registered, input, given) {
                Ok(value) => {
                    let lazy = input.lazy
                        && registered.node_type.checks.needs
                        && matches!(value, Value::Link { .. });
                    let passed = self.passed(index, input, given);
                    found.push(Found { name: input.name.clone(), value, lazy, passed });
                }
                Err(problem) => problems.push(problem),
            }
        }
        if let Some(checked) = self.nodes.get_mut(index) {
            checked.inputs = found;
            checked.problems.extend(problems);
        }
    }

    /// Where an input comes from, if that only passes something on. That its consumer cannot
    /// take what is passed on is a problem of the node that passes it on.
    fn passed(&mut self, consumer: usize, input: &Input, given: &Given) -> Option<Passed> {
        let (Given::Link(link), Some(checked)) = (given, self.nodes.get(consumer)) else {
            return None;
        };
        let consumer = (checked.id, checked.node);
        Passed::of(self.registry, self.workflow, consumer, input, link).unwrap_or_else(|problem| {
            let origin = self.workflow.nodes.get_index_of(&link.node)?;
            self.nodes.get_mut(origin)?.problems.push(problem);
            None
        })
    }

    fn required(&mut self, registered: &Registered, input: &Input) -> Problem {
        let options = self.options(registered, input);
        let message = format!("input {} is missing", input.name);
        let hint = match &input.port {
            Port::Socket { types } => {
                format!("link it to an output of type {}", types.join(" or "))
            }
            port => format!("give it a value of type {}", port_type(port)),
        };
        Problem::new(ProblemKind::RequiredInputMissing, message, input.name.as_str())
            .with("input_name", input.name.as_str())
            .with("input_config", input_spec(input, &options))
            .hint_at(Some(hint))
    }

    fn input(
        &mut self,
        registered: &Registered,
        input: &Input,
        given: &Given,
    ) -> Result<Value, Problem> {
        let options = self.options(registered, input);
        let result = match given {
            Given::Constant(json) => {
                coerce(&input.name, &input.port, json, &options).map(Value::Constant)
            }
            Given::Link(link) => self.link(input, link),
            Given::BadLink(list) => Err(Problem::new(
                ProblemKind::BadLinkedInput,
                format!(
                    "{} has {}, which is no link",
                    input.name,
                    excerpt(&Json::Array(list.clone()))
                ),
                input.name.as_str(),
            )
            .hint_at(Some(
                "a link is a list of the node's id, as a text, and the number of its output: \
                 [\"4\", 0]; a literal list is written {\"__value__\": […]}"
                    .into(),
            ))),
        };
        result.map_err(|problem| {
            let received = match given {
                Given::BadLink(list) => Json::Array(list.clone()),
                given => given.to_json(),
            };
            problem
                .with("input_name", input.name.as_str())
                .with("input_config", input_spec(input, &options))
                .with("received_value", received)
        })
    }

    fn link(&self, input: &Input, link: &Link) -> Result<Value, Problem> {
        let name = &input.name;
        let bad = |message: String| {
            Problem::new(ProblemKind::BadLinkedInput, message, name.as_str())
                .with("linked_node", link.to_json())
        };
        let from = self.workflow.nodes.get_index_of(&link.node);
        let Some((node, origin)) = from.and_then(|node| Some((node, self.nodes.get(node)?))) else {
            return Err(bad(format!(
                "{name} is linked to node {}, which does not exist",
                plain(&link.node)
            )));
        };
        let slot = link.slot as usize;
        // Of a node of unknown type nothing can be said; it has a problem of its own.
        let Some(known) = origin.registered else { return Ok(Value::Link { node, slot }) };
        let origin = format!("node {} ({})", plain(origin.id), known.node_type.name);
        let Some(output) = known.node_type.outputs.get(slot) else {
            let outputs = &known.node_type.outputs;
            return Err(bad(format!(
                "{name} is linked to output {slot} of {origin}, which has {}",
                outputs.len()
            ))
            .hint_at(Some(format!(
                "its outputs are {}, counted from 0",
                enumerate(outputs.iter().map(|output| output.name.as_str()))
            ))));
        };
        // What is passed on has another type: see `passed`.
        if output.passes.is_none() && !takes(&input.port, &output.type_name) {
            let (received, wanted) = (&output.type_name, port_type(&input.port));
            let fitting = known.node_type.outputs.iter();
            let mut fitting = fitting.enumerate().filter(|(_, o)| takes(&input.port, &o.type_name));
            let hint = fitting.next().map(|(slot, output)| {
                format!("output {slot} of the same node is {}", output.type_name)
            });
            return Err(Problem::new(
                ProblemKind::ReturnTypeMismatch,
                format!("{name} takes {wanted}, but is linked to {received} of {origin}"),
                format!("{name}, received_type({received}) mismatch input_type({wanted})"),
            )
            .with("received_type", received.as_str())
            .with("linked_node", link.to_json())
            .hint_at(hint));
        }
        Ok(Value::Link { node, slot })
    }

    fn options(&mut self, registered: &Registered, input: &Input) -> Vec<String> {
        let folder = match &input.port {
            Port::Choice { choices: Choices::Models(category), .. } => category.as_str(),
            Port::Choice { choices: Choices::Images, .. } => "",
            _ => return options(&*registered.provider, input),
        };
        let key = (registered.provider.name().to_owned(), folder.to_owned());
        self.options.entry(key).or_insert_with(|| options(&*registered.provider, input)).clone()
    }

    /// Has the nodes check their constants themselves, where nothing else is wrong.
    fn custom(&mut self, order: &[usize]) {
        for &index in order {
            let Some(checked) = self.nodes.get_mut(index) else { continue };
            let Some(registered) = checked.registered else { continue };
            if !registered.node_type.checks.validate || !checked.problems.is_empty() {
                continue;
            }
            let constants: Inputs = checked
                .inputs
                .iter()
                .filter_map(|found| match &found.value {
                    Value::Constant(constant) => Some((found.name.clone(), constant.to_value())),
                    Value::Link { .. } => None,
                })
                .collect();
            let context = RunContext::new(self.cancel.clone(), Arc::new(Unwatched));
            let class = &registered.node_type.name;
            match registered.provider.validate(class, constants, &context) {
                Ok(None) => {}
                Ok(Some(reason)) => checked.problems.push(Problem::new(
                    ProblemKind::CustomValidationFailed,
                    plain(&reason),
                    format!("{} - {}", plain(checked.id), plain(&reason)),
                )),
                Err(error) => checked.problems.push(exception(registered, &error)),
            }
        }
    }

    /// Tells which outputs have problems above them. Gives those that have none.
    fn blame(&mut self, outputs: &[usize], order: &[usize]) -> Vec<usize> {
        // What a node depends on comes before it, but for cycles, where each has a problem.
        let mut bad = vec![false; self.nodes.len()];
        for &index in order {
            let is_bad = self.nodes.get(index).is_some_and(|checked| {
                !checked.problems.is_empty()
                    || checked.links.iter().any(|&link| bad.get(link) == Some(&true))
            });
            if let Some(bad) = bad.get_mut(index) {
                *bad = is_bad;
            }
        }
        let is_bad = |output: &usize| bad.get(*output) == Some(&true);
        for &output in outputs.iter().filter(|output| is_bad(output)).take(BLAMED) {
            let Some(name) = self.nodes.get(output).map(|checked| checked.id.to_owned()) else {
                continue;
            };
            for ancestor in graph::ancestors(&self.links(), output) {
                if let Some(checked) = self.nodes.get_mut(ancestor)
                    && !checked.problems.is_empty()
                {
                    checked.dependent_outputs.push(name.clone());
                }
            }
        }
        outputs.iter().filter(|output| !is_bad(output)).copied().collect()
    }

    fn node_errors(&mut self) -> IndexMap<String, NodeProblems> {
        let bad = self.nodes.iter_mut().filter(|checked| !checked.problems.is_empty());
        bad.map(|checked| {
            let problems = NodeProblems {
                errors: std::mem::take(&mut checked.problems),
                dependent_outputs: std::mem::take(&mut checked.dependent_outputs),
                class_type: checked.node.class.clone(),
                title: checked.node.title.clone(),
                plugin: checked.registered.map(|registered| registered.provider.name().to_owned()),
            };
            (checked.id.to_owned(), problems)
        })
        .collect()
    }

    /// What has to run for these outputs, which have no problems above them.
    fn plan(mut self, outputs: &[usize]) -> Plan {
        let node_errors = self.node_errors();
        let mut steps: Vec<Step> = Vec::new();
        let mut position: HashMap<usize, usize> = HashMap::new();
        for index in self.order(outputs) {
            let Some(checked) = self.nodes.get_mut(index) else { continue };
            let Some(registered) = checked.registered else { continue };
            let mut passed = Vec::new();
            let inputs: Vec<Bound> = std::mem::take(&mut checked.inputs)
                .into_iter()
                .filter_map(|Found { name, value, lazy, passed: from }| {
                    passed.extend(from);
                    let source = match value {
                        Value::Constant(constant) => Source::Constant(constant),
                        // What a node depends on comes before it.
                        Value::Link { node, slot } => {
                            Source::Link { step: *position.get(&node)?, slot }
                        }
                    };
                    Some(Bound { name, source, lazy })
                })
                .collect();
            let links = inputs.iter().filter_map(Bound::link);
            let mut upstream: Vec<usize> = links.map(|(step, _)| step).collect();
            upstream.sort_unstable();
            upstream.dedup();
            position.insert(index, steps.len());
            let mut registered = registered.clone();
            if !passed.is_empty() {
                registered.provider = Arc::new(Guard { provider: registered.provider, passed });
            }
            steps.push(Step {
                id: checked.id.into(),
                title: checked.node.title.clone(),
                registered,
                inputs,
                upstream,
            });
        }
        let outputs = outputs.iter().filter_map(|output| position.get(output).copied()).collect();
        let hidden = HiddenValues {
            prompt: self.workflow.to_json().to_string().into(),
            extra_pnginfo: self.workflow.extra_pnginfo().map(|info| info.to_string().into()),
        };
        Plan { steps, outputs, hidden, node_errors }
    }
}

fn exception(registered: &Registered, error: &SandboxError) -> Problem {
    let plugin = registered.provider.name();
    Problem::new(
        ProblemKind::ExceptionDuringValidation,
        format!("the node's own check failed in plugin `{plugin}`: {error}"),
        error.to_string(),
    )
    .with("exception_message", error.to_string())
    .with("traceback", json!([]))
    .hint_at(error.hint())
}

#[cfg(test)]
mod tests;

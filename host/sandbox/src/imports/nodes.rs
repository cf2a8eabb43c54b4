//! What a plugin says of its nodes, checked and made plain data.
//!
//! A description is a stranger's text: its size is bounded, its names are names, and
//! what is inconsistent is refused, so that nothing above has to ask again.

use std::collections::BTreeSet;

use super::bindings::exports::berth::node::nodes as wit;
use super::values::narrow;
use crate::description::{Checks, Choices, Hidden, Input, NodeType, Output, Port};
use crate::text::{line, page as clean_text, plain};

/// The most node types of a plugin, and inputs, outputs or choices of a node.
const MOST: usize = 4096;

/// Longest text that an input has of itself, in bytes.
const LONGEST_DEFAULT: usize = 64 << 10;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 200;

/// A plugin's node types, or what is wrong with them.
pub(crate) fn node_types(described: Vec<wit::NodeType>) -> Result<Vec<NodeType>, String> {
    bounded("node types", described.len())?;
    let mut names = BTreeSet::new();
    described
        .into_iter()
        .map(|kind| {
            let name = checked_name(kind.name.clone())?;
            if !names.insert(name.clone()) {
                return Err(format!("two node types are called `{name}`"));
            }
            node_type(kind).map_err(|reason| format!("node type `{name}`: {reason}"))
        })
        .collect()
}

fn node_type(kind: wit::NodeType) -> Result<NodeType, String> {
    bounded("inputs", kind.inputs.len())?;
    bounded("outputs", kind.outputs.len())?;
    bounded("search aliases", kind.search_aliases.len())?;
    let mut names = BTreeSet::new();
    let mut inputs = Vec::new();
    for input in kind.inputs {
        let name = checked_name(input.name)?;
        if !names.insert(name.clone()) {
            return Err(format!("two inputs are called `{name}`"));
        }
        inputs.push(Input {
            port: port(input.port).map_err(|reason| format!("input `{name}`: {reason}"))?,
            name,
            optional: input.optional,
            lazy: input.lazy,
            tooltip: clean_text(&input.tooltip),
        });
    }
    let output = |output: wit::Output| {
        let name = checked_name(output.name)?;
        let passes = output.passes;
        if let Some(input) = passes.as_ref().filter(|input| !names.contains(*input)) {
            let input = plain(input);
            return Err(format!("output `{name}` passes on `{input}`, which is no input"));
        }
        Ok(Output {
            name,
            type_name: checked_name(output.type_name)?,
            tooltip: clean_text(&output.tooltip),
            passes,
        })
    };
    let hidden = |hidden| match hidden {
        wit::Hidden::UniqueId => Hidden::UniqueId,
        wit::Hidden::Prompt => Hidden::Prompt,
        wit::Hidden::ExtraPnginfo => Hidden::ExtraPnginfo,
    };
    let mut given: Vec<Hidden> = Vec::new();
    for hidden in kind.hidden.into_iter().map(hidden) {
        if names.contains(hidden.input_name()) {
            return Err(format!("input `{}` is both hidden and not", hidden.input_name()));
        }
        if !given.contains(&hidden) {
            given.push(hidden);
        }
    }
    Ok(NodeType {
        name: checked_name(kind.name)?,
        display_name: clean_text(&kind.display_name),
        category: clean_text(&kind.category),
        description: clean_text(&kind.description),
        inputs,
        outputs: kind.outputs.into_iter().map(output).collect::<Result<_, String>>()?,
        hidden: given,
        output_node: kind.output_node,
        checks: Checks {
            needs: kind.checks.contains(wit::Checks::NEEDS),
            fingerprint: kind.checks.contains(wit::Checks::FINGERPRINT),
            validate: kind.checks.contains(wit::Checks::VALIDATE),
        },
        deprecated: kind.deprecated,
        experimental: kind.experimental,
        search_aliases: kind.search_aliases.iter().map(|alias| clean_text(alias)).collect(),
    })
}

fn port(port: wit::Port) -> Result<Port, String> {
    Ok(match port {
        wit::Port::Boolean(port) => Port::Boolean { default: port.default },
        wit::Port::Integer(port) => {
            let (min, max) = (port.min.as_ref().map(narrow), port.max.as_ref().map(narrow));
            if min.zip(max).is_some_and(|(min, max)| min > max) {
                return Err(format!("its least value {min:?} is over its greatest {max:?}"));
            }
            let default = port.default.as_ref().map(narrow);
            Port::Integer { default, min, max, step: port.step, seed: port.seed }
        }
        wit::Port::Number(port) => {
            let numbers = [port.default, port.min, port.max, port.step];
            if numbers.iter().flatten().any(|number| !number.is_finite()) {
                return Err("a bound or default is no finite number".into());
            }
            let wit::NumberPort { default, min, max, step } = port;
            if min.zip(max).is_some_and(|(min, max)| min > max) {
                return Err(format!("its least value {min:?} is over its greatest {max:?}"));
            }
            Port::Number { default, min, max, step }
        }
        wit::Port::Text(port) => {
            let default = port.default;
            if default.as_ref().is_some_and(|text| text.len() > LONGEST_DEFAULT) {
                return Err(format!("its default is longer than {LONGEST_DEFAULT} bytes"));
            }
            Port::Text { default, multiline: port.multiline }
        }
        wit::Port::Choice(port) => Port::Choice {
            choices: match port.choices {
                wit::Choices::Fixed(texts) => {
                    bounded("choices", texts.len())?;
                    Choices::Fixed(texts.into_iter().map(checked_name).collect::<Result<_, _>>()?)
                }
                wit::Choices::Models(category) => Choices::Models(checked_name(category)?),
                wit::Choices::Images => Choices::Images,
            },
            default: port.default.map(checked_name).transpose()?,
        },
        wit::Port::Socket(types) => {
            bounded("types", types.split(',').count())?;
            let types = types.split(',').map(|name| checked_name(name.trim().to_owned()));
            Port::Socket { types: types.collect::<Result<_, String>>()? }
        }
    })
}

fn bounded(what: &str, count: usize) -> Result<(), String> {
    if count > MOST { Err(format!("{count} {what}, more than {MOST}")) } else { Ok(()) }
}

fn checked_name(name: String) -> Result<String, String> {
    if name.trim().is_empty() || name.len() > LONGEST_NAME || line(&name) != name {
        return Err(format!("`{}` is no name", plain(&name)));
    }
    Ok(name)
}

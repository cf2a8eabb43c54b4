//! `berth nodes`: what can be used in a workflow.

use std::path::PathBuf;

use berth_sandbox::{Choices, Input, NodeType, Port};
use berth_workflow::{Config, Host, Registered};
use serde_json::{Map, Value as Json};

use crate::args::NodesArguments;
use crate::error::CliError;
use crate::output::line;
use crate::settings::{open, settings};

pub(crate) fn nodes(arguments: NodesArguments) -> Result<(), CliError> {
    let host = open(settings(arguments.folders, Config::default(), PathBuf::new())?)?;
    let registry = host.runner().registry();
    let mut chosen: Vec<&Registered> = Vec::new();
    for name in &arguments.names {
        chosen.push(registry.get(name).ok_or_else(|| CliError::NoNodeType {
            name: name.clone(),
            nearest: registry.nearest(name).map(str::to_owned),
        })?);
    }
    if arguments.json {
        let info = if chosen.is_empty() {
            registry.object_info()
        } else {
            let infos = chosen.iter().map(|node| (node.node_type.name.clone(), node.object_info()));
            Json::Object(infos.collect::<Map<_, _>>())
        };
        return Ok(line(format_args!("{info:#}"))?);
    }
    if chosen.is_empty() {
        return list(&host);
    }
    for (index, node) in chosen.iter().enumerate() {
        if index > 0 {
            line("")?;
        }
        describe(node)?;
    }
    Ok(())
}

fn list(host: &Host) -> Result<(), CliError> {
    let registry = host.runner().registry();
    let width = registry.iter().map(|node| node.node_type.name.chars().count()).max();
    let width = width.unwrap_or_default();
    for (index, plugin) in host.plugins().iter().enumerate() {
        if index > 0 {
            line("")?;
        }
        line(plugin.name())?;
        for node in plugin.node_types() {
            let about = first_sentence(&node.description);
            line(format_args!("  {:width$}  {about}", node.name).to_string().trim_end())?;
        }
    }
    Ok(())
}

fn describe(node: &Registered) -> Result<(), CliError> {
    let NodeType { name, display_name, category, description, inputs, outputs, .. } =
        &*node.node_type;
    line(name)?;
    if display_name != name {
        line(format_args!("  {display_name}"))?;
    }
    line(format_args!("  plugin {}, category {category}", node.provider.name()))?;
    for text in description.lines() {
        line(format_args!("  {text}"))?;
    }
    if !inputs.is_empty() {
        line("inputs")?;
    }
    for input in inputs {
        let optional = if input.optional { ", optional" } else { "" };
        line(format_args!("  {}: {}{optional}", input.name, port(input, node)))?;
        if !input.tooltip.is_empty() {
            line(format_args!("      {}", input.tooltip))?;
        }
    }
    if !outputs.is_empty() {
        line("outputs")?;
    }
    for (slot, output) in outputs.iter().enumerate() {
        line(format_args!("  {slot} {}: {}", output.name, output.type_name))?;
    }
    Ok(())
}

/// What an input takes, in words.
fn port(input: &Input, node: &Registered) -> String {
    fn bounds<T: std::fmt::Display>(kind: &str, min: Option<T>, max: Option<T>) -> String {
        match (min, max) {
            (Some(min), Some(max)) => format!("{kind} from {min} to {max}"),
            (Some(min), None) => format!("{kind} from {min}"),
            (None, Some(max)) => format!("{kind} up to {max}"),
            (None, None) => kind.to_owned(),
        }
    }
    let default = |default: Option<String>| match default {
        Some(default) => format!(" [{default}]"),
        None => String::new(),
    };
    match &input.port {
        Port::Boolean { default: given } => {
            format!("true or false{}", default(given.map(|value| value.to_string())))
        }
        Port::Integer { default: given, min, max, seed, .. } => {
            let kind = if *seed { "seed" } else { "integer" };
            bounds(kind, *min, *max) + &default(given.map(|value| value.to_string()))
        }
        Port::Number { default: given, min, max, .. } => {
            bounds("number", *min, *max) + &default(given.map(|value| value.to_string()))
        }
        Port::Text { default: given, .. } => {
            format!("text{}", default(given.as_ref().map(|text| format!("{text:?}"))))
        }
        Port::Choice { choices, default: given } => {
            let options = node.provider.options(choices);
            let options = match (choices, options.is_empty()) {
                (Choices::Models(category), true) => {
                    format!("none, put models into {category}/ of a model folder")
                }
                (Choices::Images, true) => "none, put images into the input folder".into(),
                _ => options.join(", "),
            };
            format!("one of {options}{}", default(given.clone()))
        }
        Port::Socket { types } => types.join(" or "),
    }
}

fn first_sentence(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(sentence, _)| sentence).trim_end_matches('.')
}

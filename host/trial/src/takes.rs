//! What a node takes, in words.

use std::fmt::Display;

use berth_sandbox::text::plain;
use berth_sandbox::{Choices, Input, NodeType, Port};

use crate::files::KINDS;
use crate::wire::carries_tensors;

/// How many options of a choice are told.
const OPTIONS: usize = 12;

/// What a node takes, a line for each input.
pub(crate) fn node(node: &NodeType, options: &dyn Fn(&Choices) -> Vec<String>) -> String {
    if node.inputs.is_empty() {
        return "it takes nothing".into();
    }
    let width = node.inputs.iter().map(|input| input.name.chars().count()).max().unwrap_or(0);
    let line = |input: &Input| {
        let optional = if is_needed(input) { "" } else { " (optional)" };
        format!("  {:width$}  {}{optional}", plain(&input.name), port(&input.port, options))
    };
    let mut lines: Vec<String> = node.inputs.iter().map(line).collect();
    if node.inputs.iter().any(|input| is_file(&input.port)) {
        lines.push(format!("  What is in capitals is {KINDS}."));
    }
    format!("it takes\n{}", lines.join("\n"))
}

/// Whether a node does not run without it.
pub(crate) fn is_needed(input: &Input) -> bool {
    let default = match &input.port {
        Port::Boolean { default } => default.is_some(),
        Port::Integer { default, .. } => default.is_some(),
        Port::Number { default, .. } => default.is_some(),
        Port::Text { default, .. } | Port::Choice { default, .. } => default.is_some(),
        Port::Socket { .. } => false,
    };
    !input.optional && !default
}

fn is_file(port: &Port) -> bool {
    matches!(port, Port::Socket { types } if carries_tensors(types))
}

/// What an input takes.
pub(crate) fn port(port: &Port, options: &dyn Fn(&Choices) -> Vec<String>) -> String {
    fn bounds<T: Display>(kind: &str, min: Option<T>, max: Option<T>) -> String {
        match (min, max) {
            (Some(min), Some(max)) => format!("{kind} from {min} to {max}"),
            (Some(min), None) => format!("{kind} from {min}"),
            (None, Some(max)) => format!("{kind} up to {max}"),
            (None, None) => kind.to_owned(),
        }
    }
    fn or<T: Display>(default: Option<T>) -> String {
        default.map(|default| format!(" [{default}]")).unwrap_or_default()
    }
    match port {
        Port::Boolean { default } => format!("true or false{}", or(*default)),
        Port::Integer { default, min, max, seed, .. } => {
            let kind = if *seed { "a seed" } else { "an integer" };
            bounds(kind, *min, *max) + &or(*default)
        }
        Port::Number { default, min, max, .. } => bounds("a number", *min, *max) + &or(*default),
        Port::Text { default, .. } => {
            format!("a text{}", or(default.as_ref().map(|text| format!("{:?}", plain(text)))))
        }
        Port::Choice { choices, default } => {
            format!("{}{}", choice(choices, options), or(default.as_ref().map(|text| plain(text))))
        }
        Port::Socket { types } => types.join(" or "),
    }
}

fn choice(choices: &Choices, options: &dyn Fn(&Choices) -> Vec<String>) -> String {
    let found = match choices {
        Choices::Images => return "the name of an image file".into(),
        other => options(other),
    };
    let mut shown: Vec<_> =
        found.iter().take(OPTIONS).map(|option| plain(option).into_owned()).collect();
    if found.len() > OPTIONS {
        shown.push("…".into());
    }
    match (choices, shown.is_empty()) {
        (Choices::Models(category), true) => {
            format!("a model: put one into {category}/ of a folder, and name that with `models`")
        }
        _ => format!("one of {}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_told_with_their_bounds_and_defaults() {
        let none = |_: &Choices| Vec::new();
        let number = Port::Number { default: Some(1.0), min: Some(0.0), max: None, step: None };
        assert_eq!(port(&number, &none), "a number from 0 [1]");
        let choice = Port::Choice {
            choices: Choices::Fixed(vec!["a".into(), "b".into()]),
            default: Some("a".into()),
        };
        let fixed = |choices: &Choices| match choices {
            Choices::Fixed(options) => options.clone(),
            _ => Vec::new(),
        };
        assert_eq!(port(&choice, &fixed), "one of a, b [a]");
    }
}

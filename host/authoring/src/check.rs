//! What an author should mend before anybody else gets the plugin.
//!
//! Loading refuses what is wrong; this finds what is right and not good: a port whose default it
//! does not take, a request that is missing or never used, a node that says nothing of itself.

use berth_sandbox::manifest::MANIFEST;
use berth_sandbox::{Choices, Manifest, NodeType, Port};
use berth_workflow::{Host, Inspected, Settings, inspect};

use crate::error::Error;
use crate::project::Project;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It would not work as it is.
    Error,
    /// It works, and could be better.
    Warning,
}

/// Something to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where it is: a node, an input, the manifest.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// What the plugin is and would get.
    pub inspected: Inspected,
    /// What there is to mend.
    pub findings: Vec<Finding>,
}

impl Project {
    /// Loads the component as a host would, and looks at what it says.
    ///
    /// # Errors
    /// `NotBuilt`, `OldBuild`, and `Host` when its files cannot be read. That it would be refused is part of
    /// the answer.
    pub fn check(&self, settings: &Settings) -> Result<Checked, Error> {
        if !self.component().exists() {
            return Err(Error::NotBuilt { path: self.component() });
        }
        let built = self.built().join(MANIFEST);
        if Manifest::read(&built).ok().as_ref() != Some(self.manifest()) {
            return Err(Error::OldBuild { path: self.folder().join(MANIFEST) });
        }
        let inspected = inspect(settings, &self.built())?;
        let mut findings = Vec::new();
        if inspected.refused.is_none()
            && let Some(reason) = self.left_out(settings)?
        {
            findings.push(Finding {
                severity: Severity::Error,
                place: "the plugin".into(),
                message: reason,
                hint: "a name in workflows means one node: choose another".into(),
            });
        }
        let nodes = inspected.plugin.as_ref().map(|plugin| plugin.node_types()).unwrap_or_default();
        findings.extend(of_nodes(nodes));
        findings.extend(self.requests(nodes));
        findings.sort_by_key(|finding| finding.severity);
        Ok(Checked { inspected, findings })
    }

    /// Why a host with the stock plugins would leave it out, if it would.
    fn left_out(&self, settings: &Settings) -> Result<Option<String>, Error> {
        let name = &self.manifest().name;
        let mut settings = Settings { plugins: vec![self.plugins()], ..settings.clone() };
        settings.decided.retain(|decided, _| decided == name);
        let host = Host::open(settings, berth_stock_plugins::components())?;
        Ok(host.broken().first().map(|broken| broken.error.to_string()))
    }

    /// What the nodes need and the manifest does not request.
    fn requests(&self, nodes: &[NodeType]) -> Vec<Finding> {
        let requests = &self.manifest().requests;
        let mut findings = Vec::new();
        if self.manifest().description.is_empty() {
            findings.push(warning(
                "plugin.toml".into(),
                "it has no description",
                "say in a sentence what the plugin is for",
            ));
        }
        for (node, input, port) in ports(nodes) {
            let Port::Choice { choices: Choices::Models(category), .. } = port else { continue };
            if !requests.models.iter().any(|pattern| pattern.is_for(category)) {
                findings.push(Finding {
                    severity: Severity::Error,
                    place: format!("{node}.{input}"),
                    message: format!(
                        "it chooses among models of `{category}`, and the manifest requests none"
                    ),
                    hint: format!("add to plugin.toml: [requests] models = [\"{category}/*\"]"),
                });
            }
        }
        findings
    }
}

/// The inputs of all nodes.
fn ports(nodes: &[NodeType]) -> impl Iterator<Item = (&str, &str, &Port)> {
    nodes.iter().flat_map(|node| {
        node.inputs.iter().map(|input| (node.name.as_str(), input.name.as_str(), &input.port))
    })
}

fn warning(place: String, message: &str, hint: &str) -> Finding {
    let severity = Severity::Warning;
    Finding { severity, place, message: message.into(), hint: hint.into() }
}

/// What nodes say of themselves.
fn of_nodes(nodes: &[NodeType]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if nodes.is_empty() {
        findings.push(Finding {
            severity: Severity::Error,
            place: "the plugin".into(),
            message: "it has no nodes".into(),
            hint: "list them where the SDK makes a plugin of them".into(),
        });
    }
    for node in nodes {
        if node.description.is_empty() {
            let hint = "say in a sentence what the node does";
            findings.push(warning(node.name.clone(), "it has no description", hint));
        }
        if node.category.is_empty() {
            let hint = "say where it is in menus, such as `image/filters`";
            findings.push(warning(node.name.clone(), "it has no category", hint));
        }
        if node.outputs.is_empty() && !node.output_node {
            findings.push(Finding {
                severity: Severity::Error,
                place: node.name.clone(),
                message: "it has no outputs and is no output node, so it would never run".into(),
                hint: "give it an output, or say that it is an output node".into(),
            });
        }
    }
    for (node, input, port) in ports(nodes) {
        if let Some(message) = bad_default(port) {
            findings.push(Finding {
                severity: Severity::Error,
                place: format!("{node}.{input}"),
                message,
                hint: "give it a default that the input takes".into(),
            });
        }
    }
    findings
}

/// Why a port does not take its own default, if it does not.
fn bad_default(port: &Port) -> Option<String> {
    fn outside<T: PartialOrd + ToString>(
        default: Option<T>,
        min: Option<T>,
        max: Option<T>,
    ) -> Option<String> {
        let default = default?;
        let (low, high) = (min.filter(|min| default < *min), max.filter(|max| default > *max));
        let bound = low.map(|min| ("under", "least", min));
        let (side, name, bound) = bound.or_else(|| high.map(|max| ("over", "greatest", max)))?;
        let (default, bound) = (default.to_string(), bound.to_string());
        Some(format!("its default {default} is {side} its {name} value {bound}"))
    }
    match port {
        Port::Integer { default, min, max, .. } => outside(*default, *min, *max),
        Port::Number { default, min, max, .. } => outside(*default, *min, *max),
        Port::Choice { choices: Choices::Fixed(options), default: Some(default) } => {
            let missing = !options.contains(default);
            missing.then(|| format!("its default `{default}` is none of its choices"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_held_against_its_port() {
        let number = |default| Port::Number {
            default: Some(default),
            min: Some(0.0),
            max: Some(1.0),
            step: None,
        };
        assert_eq!(bad_default(&number(0.5)), None);
        assert_eq!(
            bad_default(&number(1.5)).unwrap(),
            "its default 1.5 is over its greatest value 1"
        );
        assert_eq!(
            bad_default(&number(-1.0)).unwrap(),
            "its default -1 is under its least value 0"
        );
        let choices = Choices::Fixed(vec!["a".into()]);
        let choice = Port::Choice { choices, default: Some("b".into()) };
        assert!(bad_default(&choice).unwrap().contains("`b` is none of its choices"));
    }
}

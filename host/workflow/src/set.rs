//! Changing a workflow from a command line: `NODE.INPUT=VALUE`.
//!
//! Validation ignores inputs that a node type does not have, as clients expect. Here
//! that would turn a typing error into a run with the old value, so a name
//! must be one that the node type knows, and the error says which there are.

use berth_sandbox::Port;
use serde_json::Value as Json;

use crate::error::{WorkflowError, label};
use crate::format::{Given, Node, Workflow};
use crate::registry::Registry;
use crate::text::{enumerate, nearest, plain};

impl Workflow {
    /// Gives an input a value. `target` is `NODE.INPUT`, where NODE is an id, or a title
    /// or class that only one node has. `value` is JSON; what is no JSON is a text, and
    /// so is what a text input is given unless it is a quoted text or a link.
    ///
    /// # Errors
    /// `NoAssignment`, `UnknownNode`, `AmbiguousNode`, `UnknownInput`.
    pub fn set(
        &mut self,
        registry: &Registry,
        target: &str,
        value: &str,
    ) -> Result<(), WorkflowError> {
        let (id, input) = self.find(target)?;
        let Some(node) = self.nodes.get_mut(&id) else { return Ok(()) };
        let declared = registry.get(&node.class);
        let port = declared.and_then(|known| Some(&known.node_type.input(input)?.port));
        if port.is_none() && (declared.is_some() || !node.inputs.contains_key(input)) {
            let known: Vec<&str> = match declared {
                Some(known) => known.node_type.inputs.iter().map(|i| i.name.as_str()).collect(),
                None => node.inputs.keys().map(String::as_str).collect(),
            };
            return Err(WorkflowError::UnknownInput {
                node: name(&id, node),
                input: plain(input).into(),
                nearest: nearest(input, known.iter().copied()).map(str::to_owned),
                known: enumerate(known),
            });
        }
        let given = given(value, matches!(port, Some(Port::Text { .. } | Port::Choice { .. })));
        node.inputs.insert(input.to_owned(), given);
        Ok(())
    }

    /// The node and the input that `NODE.INPUT` names. Titles and inputs may have dots
    /// in them: the shortest beginning that is a node counts.
    fn find<'a>(&self, target: &'a str) -> Result<(String, &'a str), WorkflowError> {
        let mut unknown = None;
        for (at, _) in target.match_indices('.') {
            let (node, input) = (&target[..at], &target[at + 1..]);
            if node.is_empty() || input.is_empty() {
                continue;
            }
            match self.find_node(node) {
                Ok(id) => return Ok((id, input)),
                Err(error @ WorkflowError::UnknownNode { .. }) => {
                    unknown.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(unknown.unwrap_or_else(|| WorkflowError::NoAssignment { text: plain(target).into() }))
    }

    fn find_node(&self, wanted: &str) -> Result<String, WorkflowError> {
        if self.nodes.contains_key(wanted) {
            return Ok(wanted.to_owned());
        }
        let by = |matches: &dyn Fn(&Node) -> bool| -> Vec<&String> {
            self.nodes.iter().filter(|(_, node)| matches(node)).map(|(id, _)| id).collect()
        };
        let mut found = by(&|node| node.title.as_deref() == Some(wanted));
        if found.is_empty() {
            found = by(&|node| node.class == wanted);
        }
        match found.as_slice() {
            [id] => Ok((*id).clone()),
            [] => {
                let names = || {
                    let titles = self.nodes.values().filter_map(|node| node.title.as_deref());
                    titles.chain(self.nodes.values().map(|node| node.class.as_str()))
                };
                let known: Vec<_> = self.nodes.iter().map(|(id, node)| name(id, node)).collect();
                Err(WorkflowError::UnknownNode {
                    name: plain(wanted).into(),
                    known: enumerate(known.iter().map(String::as_str)),
                    nearest: nearest(wanted, names()).map(str::to_owned),
                })
            }
            several => Err(WorkflowError::AmbiguousNode {
                name: plain(wanted).into(),
                ids: enumerate(several.iter().map(|id| id.as_str())),
            }),
        }
    }
}

/// What a command line's text gives an input.
fn given(value: &str, is_text: bool) -> Given {
    let verbatim = || Given::Constant(Json::String(value.to_owned()));
    match serde_json::from_str::<Json>(value) {
        Err(_) => verbatim(),
        Ok(json) => match (Given::from_json(json), is_text) {
            (given @ (Given::Link(_) | Given::Constant(Json::String(_))), true) => given,
            (_, true) => verbatim(),
            (Given::BadLink(list), false) => Given::Constant(Json::Array(list)),
            (given, false) => given,
        },
    }
}

fn name(id: &str, node: &Node) -> String {
    label(id, node.title.as_deref(), &node.class)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{Pack, node};

    fn registry() -> Registry {
        let mut registry = Registry::new();
        let sampler = node("KSampler").integer("seed", None, None).number("cfg").lazy("image");
        let encode = node("Encode").text("text").text("with.dot");
        registry.add(Pack::new("p").with(sampler).with(encode).build()).unwrap();
        registry
    }

    fn workflow() -> Workflow {
        Workflow::from_json(json!({
            "3": {"class_type": "KSampler", "inputs": {"seed": 1}},
            "6": {"class_type": "Encode", "inputs": {}, "_meta": {"title": "Positive"}},
            "7": {"class_type": "Encode", "inputs": {}, "_meta": {"title": "v1.5 negative"}},
            "9": {"class_type": "Gone", "inputs": {"old": 1}},
        }))
        .unwrap()
    }

    fn set(target: &str, value: &str) -> Result<Json, WorkflowError> {
        let mut workflow = workflow();
        workflow.set(&registry(), target, value)?;
        Ok(workflow.to_json())
    }

    #[test]
    fn a_node_is_found_by_id_title_or_class() {
        assert_eq!(set("3.seed", "42").unwrap()["3"]["inputs"]["seed"], 42);
        assert_eq!(set("KSampler.cfg", "1.5").unwrap()["3"]["inputs"]["cfg"], 1.5);
        assert_eq!(set("Positive.text", "a cat").unwrap()["6"]["inputs"]["text"], "a cat");
        assert_eq!(set("v1.5 negative.with.dot", "x").unwrap()["7"]["inputs"]["with.dot"], "x");
        assert_eq!(set("9.old", "2").unwrap()["9"]["inputs"]["old"], 2);
    }

    #[test]
    fn values_are_json_and_texts_stay_texts() {
        let seed = set("3.seed", "18446744073709551615").unwrap();
        assert_eq!(seed["3"]["inputs"]["seed"], u64::MAX);
        assert_eq!(set("3.image", r#"["6",0]"#).unwrap()["3"]["inputs"]["image"], json!(["6", 0]));
        let list = set("3.image", "[1,2]").unwrap();
        assert_eq!(list["3"]["inputs"]["image"], json!({"__value__": [1, 2]}));
        for (value, text) in [("42", "42"), ("\"quoted\"", "quoted"), ("[1]", "[1]"), ("{a", "{a")]
        {
            assert_eq!(set("6.text", value).unwrap()["6"]["inputs"]["text"], text);
        }
        assert_eq!(set("6.text", r#"["3",0]"#).unwrap()["6"]["inputs"]["text"], json!(["3", 0]));
    }

    #[test]
    fn errors_name_what_exists() {
        let message = |target: &str| set(target, "1").unwrap_err();
        let error = message("3.sed");
        assert_eq!(
            error.to_string(),
            "node 3 (KSampler) has no input `sed`; it has seed, cfg, image"
        );
        assert_eq!(error.hint().as_deref(), Some("did you mean `seed`?"));
        assert!(message("9.new").to_string().ends_with("it has old"));
        assert_eq!(message("Encode.text").to_string(), "`Encode` means several nodes: 6, 7");
        let error = message("Positiv.text");
        assert!(error.to_string().contains("6 “Positive” (Encode)"), "{error}");
        assert_eq!(error.hint().as_deref(), Some("did you mean `Positive`?"));
        for target in ["", "3", ".seed", "3."] {
            assert!(matches!(message(target), WorkflowError::NoAssignment { .. }), "{target}");
        }
    }
}

//! Node types as ComfyUI's clients read them (`/object_info`).
//!
//! The editor draws its nodes from this and nothing else, and problems quote it to say
//! what an input would have taken.

use berth_sandbox::{Choices, Hidden, Input, NodeType, Port};
use serde_json::{Map, Value as Json, json};

use crate::coerce::{integer_to_json, port_type};
use crate::registry::{NodeProvider, Registered, Registry};

impl Registry {
    /// All node types by class, with the options that choices have now.
    pub fn object_info(&self) -> Json {
        let entries = self.iter().map(|known| (known.node_type.name.clone(), known.object_info()));
        Json::Object(entries.collect())
    }
}

impl Registered {
    /// This node type, with the options that its choices have now.
    pub fn object_info(&self) -> Json {
        let NodeType { inputs, outputs, hidden, .. } = &*self.node_type;
        let specs = |optional: bool| -> Map<String, Json> {
            let inputs = inputs.iter().filter(|input| input.optional == optional);
            inputs.map(|i| (i.name.clone(), input_spec(i, &options(&*self.provider, i)))).collect()
        };
        let (required, optional) = (specs(false), specs(true));
        let order = |specs: &Map<String, Json>| specs.keys().cloned().collect::<Vec<_>>();
        let hidden: Map<String, Json> = hidden
            .iter()
            .map(|hidden| (hidden.input_name().to_owned(), hidden_type(*hidden).into()))
            .collect();
        let of_outputs = |field: fn(&berth_sandbox::Output) -> &String| {
            outputs.iter().map(field).cloned().collect::<Vec<_>>()
        };
        json!({
            "input_order": {
                "required": order(&required),
                "optional": order(&optional),
                "hidden": order(&hidden),
            },
            "input": { "required": required, "optional": optional, "hidden": hidden },
            "is_input_list": false,
            "output": of_outputs(|output| &output.type_name),
            "output_is_list": vec![false; outputs.len()],
            "output_name": of_outputs(|output| &output.name),
            "output_tooltips": of_outputs(|output| &output.tooltip),
            "name": self.node_type.name,
            "display_name": self.node_type.display_name,
            "description": self.node_type.description,
            "python_module": self.provider.name(),
            "category": self.node_type.category,
            "output_node": self.node_type.output_node,
            "search_aliases": self.node_type.search_aliases,
            "deprecated": self.node_type.deprecated,
            "experimental": self.node_type.experimental,
        })
    }
}

/// The options that an input offers now; none when it is no choice.
pub(crate) fn options(provider: &dyn NodeProvider, input: &Input) -> Vec<String> {
    match &input.port {
        Port::Choice { choices, .. } => provider.options(choices),
        _ => Vec::new(),
    }
}

/// One input as `[type, settings]`.
pub(crate) fn input_spec(input: &Input, options: &[String]) -> Json {
    let mut settings = Map::new();
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            settings.insert(key.to_owned(), value);
        }
    };
    let on = |set: bool| set.then_some(Json::Bool(true));
    let mut kind = Json::String(port_type(&input.port));
    match &input.port {
        Port::Boolean { default } => put("default", default.map(Json::from)),
        Port::Integer { default, min, max, step, seed } => {
            put("default", default.map(integer_to_json));
            put("min", min.map(integer_to_json));
            put("max", max.map(integer_to_json));
            put("step", step.map(Json::from));
            put("control_after_generate", on(*seed));
        }
        Port::Number { default, min, max, step } => {
            for (key, value) in [("default", default), ("min", min), ("max", max), ("step", step)] {
                put(key, value.map(Json::from));
            }
        }
        Port::Text { default, multiline } => {
            put("default", default.clone().map(Json::from));
            put("multiline", on(*multiline));
        }
        Port::Choice { choices, default } => {
            kind = options.into();
            put("default", default.clone().map(Json::from));
            put("image_upload", on(*choices == Choices::Images));
        }
        Port::Socket { .. } => {}
    }
    put("lazy", on(input.lazy));
    put("tooltip", Some(input.tooltip.as_str()).filter(|tip| !tip.is_empty()).map(Json::from));
    json!([kind, settings])
}

fn hidden_type(hidden: Hidden) -> &'static str {
    match hidden {
        Hidden::UniqueId => "UNIQUE_ID",
        Hidden::Prompt => "PROMPT",
        Hidden::ExtraPnginfo => "EXTRA_PNGINFO",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Pack, node};

    #[test]
    fn a_node_type_is_described_as_clients_expect() {
        let sampler = node("KSampler")
            .socket("model", "MODEL")
            .integer("steps", Some(1), Some(10_000))
            .choice("sampler_name", &["euler", "heun"])
            .optional_socket("image", "IMAGE,MASK")
            .hidden(Hidden::Prompt)
            .output("LATENT");
        let mut registry = Registry::new();
        registry.add(Pack::new("sampling").with(sampler).build()).unwrap();
        let info = registry.object_info();
        let info = &info["KSampler"];
        assert_eq!(info["input"]["required"]["model"], json!(["MODEL", {}]));
        assert_eq!(info["input"]["required"]["steps"], json!(["INT", {"min": 1, "max": 10_000}]));
        assert_eq!(info["input"]["required"]["sampler_name"], json!([["euler", "heun"], {}]));
        assert_eq!(info["input"]["optional"]["image"], json!(["IMAGE,MASK", {}]));
        assert_eq!(info["input"]["hidden"], json!({"prompt": "PROMPT"}));
        assert_eq!(info["input_order"]["required"], json!(["model", "steps", "sampler_name"]));
        assert_eq!(info["output"], json!(["LATENT"]));
        assert_eq!(info["output_is_list"], json!([false]));
        assert_eq!(info["python_module"], "sampling");
        assert!(info["category"].is_string());
    }
}

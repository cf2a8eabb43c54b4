//! The API format: what clients send to be run, and what `berth run` reads.
//!
//! A workflow is kept as it was written. What a value means depends on the input
//! that takes it, so nothing is converted here; only links are told from constants,
//! because their notation (a list of two) would otherwise have to be known everywhere.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::error::WorkflowError;
use crate::text::{article, plain};

/// The key under which a literal list travels, since a bare list is a link.
const LITERAL: &str = "__value__";

/// Longest text of a workflow, in bytes: the largest ones that people share have some hundred
/// kilobytes. As JSON in memory it takes some thirty times as much.
const LONGEST: usize = 16 << 20;

/// Most nodes of a workflow: a hundred times those of the largest.
const MOST_NODES: usize = 100_000;

/// A graph of nodes, as it was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Workflow {
    pub(crate) nodes: IndexMap<String, Node>,
    extra_data: Map<String, Json>,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The node type's name.
    pub class: String,
    /// What its author calls it.
    pub title: Option<String>,
    /// What its inputs are given.
    pub inputs: IndexMap<String, Given>,
}

/// What an input is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// An output of another node.
    Link(Link),
    /// A value.
    Constant(Json),
    /// A list that is no link, where only a link can be meant.
    BadLink(Vec<Json>),
}

/// An output of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The node's id.
    pub node: String,
    /// Which of its outputs, counted from 0.
    pub slot: u32,
}

impl Link {
    /// The link that a list of two stands for: a text and an integer.
    fn of(list: &[Json]) -> Option<Self> {
        let [Json::String(node), Json::Number(slot)] = list else { return None };
        let slot = u32::try_from(slot.as_u64()?).ok()?;
        Some(Self { node: node.clone(), slot })
    }

    /// As it is written.
    pub fn to_json(&self) -> Json {
        json!([self.node, self.slot])
    }
}

impl Given {
    /// What a JSON value stands for.
    pub fn from_json(value: Json) -> Self {
        match value {
            Json::Array(list) => match Link::of(&list) {
                Some(link) => Self::Link(link),
                None => Self::BadLink(list),
            },
            Json::Object(mut wrapper) if wrapper.contains_key(LITERAL) => {
                Self::Constant(wrapper.remove(LITERAL).unwrap_or_default())
            }
            constant => Self::Constant(constant),
        }
    }

    /// As it is written.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Link(link) => link.to_json(),
            Self::Constant(list @ Json::Array(_)) => json!({ LITERAL: list }),
            Self::Constant(object @ Json::Object(map)) if map.contains_key(LITERAL) => {
                json!({ LITERAL: object })
            }
            Self::Constant(value) => value.clone(),
            Self::BadLink(list) => Json::Array(list.clone()),
        }
    }
}

impl Workflow {
    /// Reads a workflow, either bare or as clients post it:
    /// `{"prompt": {…}, "extra_data": {…}}`. Integers up to 2⁶⁴ − 1 stay exact.
    ///
    /// # Errors
    /// `Syntax`, and what [`Workflow::from_json`] returns.
    pub fn parse(text: &[u8]) -> Result<Self, WorkflowError> {
        check(text.len(), "bytes", LONGEST)?;
        // Editors on Windows begin files with a byte order mark.
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let json = serde_json::from_slice(text).map_err(|error| syntax(text, &error))?;
        Self::from_json(json)
    }

    /// Reads a workflow that was parsed as JSON.
    ///
    /// # Errors
    /// `Shape`, `MissingClass`, `NoPrompt`, `UiFormat`, `TooLarge`.
    pub fn from_json(json: Json) -> Result<Self, WorkflowError> {
        let mut top = object(json, "the workflow", "an object of nodes")?;
        if is_ui_format(&top) {
            return Err(WorkflowError::UiFormat);
        }
        let mut extra_data = Map::new();
        let mut below = "";
        if is_request(&top) {
            if let Some(extra) = top.swap_remove("extra_data").filter(|extra| !extra.is_null()) {
                extra_data = object(extra, "extra_data", "an object")?;
            }
            top = match top.swap_remove("prompt") {
                None | Some(Json::Null) => return Err(WorkflowError::NoPrompt),
                Some(prompt) => object(prompt, "prompt", "an object of nodes")?,
            };
            if is_ui_format(&top) {
                return Err(WorkflowError::UiFormat);
            }
            below = "prompt.";
        }
        check(top.len(), "nodes", MOST_NODES)?;
        let mut nodes = IndexMap::with_capacity(top.len());
        for (id, node) in top {
            let node = Node::from_json(&id, node, &format!("{below}{}", plain(&id)))?;
            nodes.insert(id, node);
        }
        Ok(Self { nodes, extra_data })
    }

    /// The workflow in API format, without what was sent along.
    pub fn to_json(&self) -> Json {
        let nodes = self.nodes.iter().map(|(id, node)| (id.clone(), node.to_json()));
        Json::Object(nodes.collect())
    }

    /// The nodes by id, in the order they were written.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(id, node)| (id.as_str(), node))
    }

    /// The node of this id.
    pub fn node(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// What the client sent to be stored in images.
    pub fn extra_pnginfo(&self) -> Option<&Json> {
        self.extra_data.get("extra_pnginfo").filter(|info| info.is_object())
    }
}

impl Node {
    fn from_json(id: &str, json: Json, path: &str) -> Result<Self, WorkflowError> {
        let mut node = object(json, path, "a node: an object with class_type and inputs")?;
        let title = node
            .get("_meta")
            .and_then(|meta| meta.get("title")?.as_str())
            .filter(|title| !title.is_empty())
            .map(str::to_owned);
        let class = match node.swap_remove("class_type") {
            Some(Json::String(class)) => class,
            None | Some(Json::Null) => {
                return Err(WorkflowError::MissingClass { id: plain(id).into(), title });
            }
            Some(other) => return Err(shape(format!("{path}.class_type"), "a text", &other)),
        };
        let inputs = match node.swap_remove("inputs") {
            None => Map::new(),
            Some(inputs) => object(inputs, &format!("{path}.inputs"), "an object")?,
        };
        let inputs =
            inputs.into_iter().map(|(name, value)| (name, Given::from_json(value))).collect();
        Ok(Self { class, title, inputs })
    }

    fn to_json(&self) -> Json {
        let inputs = self.inputs.iter().map(|(name, given)| (name.clone(), given.to_json()));
        let mut node = Map::new();
        node.insert("inputs".into(), Json::Object(inputs.collect()));
        node.insert("class_type".into(), self.class.clone().into());
        if let Some(title) = &self.title {
            node.insert("_meta".into(), json!({ "title": title }));
        }
        Json::Object(node)
    }
}

fn check(count: usize, what: &'static str, most: usize) -> Result<(), WorkflowError> {
    if count > most { Err(WorkflowError::TooLarge { count, what, most }) } else { Ok(()) }
}

/// Whether it is a graph as an editor saves it.
fn is_ui_format(top: &Map<String, Json>) -> bool {
    top.get("nodes").is_some_and(Json::is_array) && top.contains_key("links")
}

/// Whether it is a request with a workflow in it. A node may have the id `prompt`.
fn is_request(top: &Map<String, Json>) -> bool {
    let is_node = |prompt: &Json| prompt.get("class_type").is_some_and(Json::is_string);
    top.get("prompt").is_some_and(|prompt| !is_node(prompt))
}

fn object(
    json: Json,
    path: &str,
    expected: &'static str,
) -> Result<Map<String, Json>, WorkflowError> {
    match json {
        Json::Object(map) => Ok(map),
        other => Err(shape(path.to_owned(), expected, &other)),
    }
}

fn shape(path: String, expected: &'static str, found: &Json) -> WorkflowError {
    WorkflowError::Shape { path, expected, found: article(found).into() }
}

fn syntax(text: &[u8], error: &serde_json::Error) -> WorkflowError {
    let (line, column) = (error.line(), error.column());
    let reason = error.to_string();
    // The parser ends its message with the place, which is told apart here.
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    // The column is that of the character that does not fit, or of the one after it.
    let at = text.split(|&byte| byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let no_number = |from: usize| {
        let rest = at.get(from..).unwrap_or_default();
        rest.starts_with(b"NaN") || rest.starts_with(b"Infinity")
    };
    let column_is = column.saturating_sub(2)..=column;
    let reason = if column_is.into_iter().any(no_number) {
        "a number is NaN or infinite".to_owned()
    } else {
        reason.to_owned()
    };
    WorkflowError::Syntax { reason, line, column }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<Workflow, WorkflowError> {
        Workflow::parse(text.as_bytes())
    }

    fn message(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn links_constants_and_literal_lists_are_told_apart() {
        let text = r#"{"1":{"class_type":"A","_meta":{"title":"T"},"inputs":{
            "link":["2",0],"text":"x","list":{"__value__":["2",0]},"bad":[1,2,3],
            "number_id":[2,0],"object":{"a":1},"nothing":null}}}"#;
        let workflow = parse(text).unwrap();
        let node = workflow.node("1").unwrap();
        assert_eq!(node.title.as_deref(), Some("T"));
        let given = |name: &str| node.inputs[name].clone();
        assert_eq!(given("link"), Given::Link(Link { node: "2".into(), slot: 0 }));
        assert_eq!(given("text"), Given::Constant(json!("x")));
        assert_eq!(given("list"), Given::Constant(json!(["2", 0])));
        assert_eq!(given("bad"), Given::BadLink(vec![json!(1), json!(2), json!(3)]));
        assert_eq!(given("number_id"), Given::BadLink(vec![json!(2), json!(0)]));
        assert_eq!(given("object"), Given::Constant(json!({"a": 1})));
        assert_eq!(given("nothing"), Given::Constant(Json::Null));
    }

    #[test]
    fn a_slot_that_is_no_small_whole_number_makes_no_link() {
        for slot in ["-1", "0.0", "4294967296", "\"0\"", "true"] {
            let text = format!(r#"{{"1":{{"class_type":"A","inputs":{{"x":["2",{slot}]}}}}}}"#);
            let workflow = parse(&text).unwrap();
            assert!(matches!(workflow.node("1").unwrap().inputs["x"], Given::BadLink(_)), "{slot}");
        }
    }

    #[test]
    fn the_largest_seed_keeps_every_bit() {
        let text = r#"{"1":{"class_type":"A","inputs":{"seed":18446744073709551615}}}"#;
        let written = parse(text).unwrap().to_json().to_string();
        assert!(written.contains("18446744073709551615"), "{written}");
    }

    #[test]
    fn a_request_is_unwrapped_and_keeps_what_was_sent_along() {
        let text = r#"{"client_id":"c","prompt":{"1":{"class_type":"A","inputs":{}}},
            "extra_data":{"extra_pnginfo":{"workflow":{"id":1}}}}"#;
        let workflow = parse(text).unwrap();
        assert_eq!(workflow.nodes().len(), 1);
        assert_eq!(workflow.extra_pnginfo(), Some(&json!({"workflow": {"id": 1}})));
        let node = parse(r#"{"prompt":{"class_type":"A","inputs":{}}}"#).unwrap();
        assert_eq!(node.node("prompt").unwrap().class, "A");
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(message("[]"), "the workflow is a list, but should be an object of nodes");
        assert_eq!(
            message(r#"{"7":5}"#),
            "7 is a number, but should be a node: an object with class_type and inputs"
        );
        assert_eq!(
            message(r#"{"7":{"class_type":"A","inputs":[]}}"#),
            "7.inputs is a list, but should be an object"
        );
        assert_eq!(
            message(r#"{"prompt":{"7":{"class_type":1}}}"#),
            "prompt.7.class_type is a number, but should be a text"
        );
        assert_eq!(message(r#"{"7":{"inputs":{}}}"#), "node 7 has no `class_type`");
        assert!(matches!(parse(r#"{"prompt":null}"#), Err(WorkflowError::NoPrompt)));
        assert!(matches!(
            parse("{\n \"7\": {,}}"),
            Err(WorkflowError::Syntax { line: 2, column: 8, .. })
        ));
        assert!(matches!(parse(""), Err(WorkflowError::Syntax { line: 1, column: 0, .. })));
    }

    #[test]
    fn a_number_is_read_as_the_nearest_there_is() {
        for written in ["7.000000000000002e301", "1.844674407370955e19", "0.1", "1e-5"] {
            let text = format!(r#"{{"1": {{"class_type": "A", "inputs": {{"x": {written}}}}}}}"#);
            let json = Workflow::parse(text.as_bytes()).unwrap().to_json();
            let read = json["1"]["inputs"]["x"].as_f64().unwrap();
            assert_eq!(read.to_bits(), written.parse::<f64>().unwrap().to_bits(), "{written}");
        }
    }

    #[test]
    fn numbers_that_json_does_not_have_are_named() {
        for number in ["NaN", "Infinity", "-Infinity"] {
            let text =
                format!("{{\"1\":{{\"class_type\":\"A\",\n\"inputs\":{{\"cfg\":{number}}}}}}}");
            let error = parse(&text).unwrap_err();
            assert!(error.to_string().contains("NaN or infinite"), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn the_editors_own_format_is_recognized() {
        let ui = r#"{"nodes":[],"links":[],"version":0.4}"#;
        assert!(matches!(parse(ui), Err(WorkflowError::UiFormat)));
        assert!(matches!(parse(&format!("{{\"prompt\":{ui}}}")), Err(WorkflowError::UiFormat)));
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        assert_eq!(parse("\u{feff}{}").unwrap(), Workflow::default());
    }

    #[test]
    fn nesting_without_end_is_an_error() {
        let text = format!(r#"{{"1":{{"class_type":"A","inputs":{{"x":{}"#, "[".repeat(100_000));
        assert!(matches!(parse(&text), Err(WorkflowError::Syntax { .. })));
    }

    #[test]
    fn a_deep_value_where_nothing_looks_is_an_error_too() {
        for open in ["[", "{\"a\":"] {
            let text = format!(r#"{{"extra_data":{}"#, open.repeat(1 << 20));
            assert!(matches!(parse(&text), Err(WorkflowError::Syntax { .. })));
        }
    }

    #[test]
    fn a_million_nodes_are_too_many() {
        let nodes = |count: usize| {
            let nodes = (0..count).map(|id| format!(r#""{id}":{{"class_type":"A"}}"#));
            format!("{{{}}}", nodes.collect::<Vec<_>>().join(","))
        };
        assert_eq!(parse(&nodes(MOST_NODES)).unwrap().nodes().len(), MOST_NODES);
        let error = parse(&nodes(MOST_NODES + 1)).unwrap_err();
        assert!(matches!(error, WorkflowError::TooLarge { what: "nodes", .. }), "{error}");
        let error = parse(&nodes(1_000_000)).unwrap_err();
        assert!(matches!(error, WorkflowError::TooLarge { what: "bytes", .. }), "{error}");
        assert!(error.hint().is_some());
    }

    #[test]
    fn long_texts_are_kept_until_the_whole_is_too_long() {
        let text = |length: usize| {
            format!(r#"{{"1":{{"class_type":"A","inputs":{{"x":"{}"}}}}}}"#, "y".repeat(length))
        };
        assert_eq!(parse(&text(LONGEST / 2)).unwrap().nodes().len(), 1);
        assert!(matches!(parse(&text(LONGEST)), Err(WorkflowError::TooLarge { .. })));
    }

    /// Any JSON, biased towards the words and shapes that workflows have.
    fn json() -> impl Strategy<Value = Json> {
        let word = prop_oneof![
            Just("1".to_owned()),
            Just("2".to_owned()),
            Just("class_type".to_owned()),
            Just("inputs".to_owned()),
            Just("prompt".to_owned()),
            Just("extra_data".to_owned()),
            Just("nodes".to_owned()),
            Just("_meta".to_owned()),
            Just(LITERAL.to_owned()),
            any::<String>(),
        ];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<u64>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            word.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(5, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((word.clone(), inner), 0..6)
                    .prop_map(|pairs| Json::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_back_the_same(json in json()) {
            if let Ok(workflow) = Workflow::from_json(json) {
                let again = Workflow::from_json(json!({ "prompt": workflow.to_json() }));
                prop_assert_eq!(again.unwrap().nodes, workflow.nodes);
            }
        }

        #[test]
        fn inputs_survive_writing_and_reading(value in json()) {
            let given = Given::from_json(value);
            prop_assert_eq!(Given::from_json(given.to_json()), given);
        }

        #[test]
        fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Workflow::parse(&bytes);
        }

        #[test]
        fn no_damage_to_a_workflow_makes_the_parser_panic(
            at in 0usize..120,
            bytes in prop::collection::vec(any::<u8>(), 0..4),
        ) {
            let text = r#"{"prompt":{"1":{"class_type":"A","inputs":{"x":["2",0],"y":1.5e3}},"2":{"class_type":"B"}},"extra_data":{}}"#;
            let mut damaged = text.as_bytes().to_vec();
            let at = at.min(damaged.len());
            let end = (at + bytes.len()).min(damaged.len());
            damaged.splice(at..end, bytes);
            let _ = Workflow::parse(&damaged);
        }
    }
}

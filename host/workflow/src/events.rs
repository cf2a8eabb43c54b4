//! What happens while a workflow runs, in the shape of ComfyUI's WebSocket messages.
//!
//! The names and fields are an interface that clients depend on; fields that ComfyUI does
//! not have (`node_finished`, `log`, `plugin`, `hint`) are ignored by those that do not know them.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use berth_sandbox::{Artifact, Level};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};

/// One thing that happened. Serialized, it is `{"type": …, "data": {…}}`.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The run began.
    ExecutionStart {
        /// The run.
        prompt_id: Arc<str>,
        /// Milliseconds since 1970.
        timestamp: u64,
    },
    /// These nodes need not run.
    ExecutionCached {
        /// Their ids.
        nodes: Vec<Arc<str>>,
        /// The run.
        prompt_id: Arc<str>,
        /// Milliseconds since 1970.
        timestamp: u64,
    },
    /// A node begins; without one, the run is over.
    Executing {
        /// Its id.
        node: Option<Arc<str>>,
        /// The node to show it at.
        display_node: Option<Arc<str>>,
        /// The run.
        prompt_id: Arc<str>,
    },
    /// A node goes on.
    Progress {
        /// Steps that are done.
        value: u32,
        /// Steps there are.
        max: u32,
        /// The run.
        prompt_id: Arc<str>,
        /// The node.
        node: Arc<str>,
    },
    /// A node has results to show.
    Executed {
        /// The node.
        node: Arc<str>,
        /// The node to show it at.
        display_node: Arc<str>,
        /// What there is to show.
        output: Results,
        /// The run.
        prompt_id: Arc<str>,
    },
    /// A node is done.
    NodeFinished {
        /// The node.
        node: Arc<str>,
        /// How long it took.
        seconds: f64,
        /// The run.
        prompt_id: Arc<str>,
    },
    /// A node says something.
    Log {
        /// The node.
        node: Arc<str>,
        /// The plugin that runs it.
        plugin: Arc<str>,
        /// How much it matters.
        level: Level,
        /// What it says.
        message: String,
        /// The run.
        prompt_id: Arc<str>,
    },
    /// A node failed, and the run with it.
    ExecutionError(Box<Failure>),
    /// Somebody stopped the run.
    ExecutionInterrupted {
        /// The run.
        prompt_id: Arc<str>,
        /// A node that was running.
        node_id: Option<Arc<str>>,
        /// Its class.
        node_type: Option<String>,
        /// The nodes that were done.
        executed: Vec<Arc<str>>,
        /// Milliseconds since 1970.
        timestamp: u64,
    },
    /// Everything that was asked for is done.
    ExecutionSuccess {
        /// The run.
        prompt_id: Arc<str>,
        /// Milliseconds since 1970.
        timestamp: u64,
    },
}

/// A node that failed, as clients are told.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Failure {
    /// The run.
    pub prompt_id: Arc<str>,
    /// The node.
    pub node_id: Arc<str>,
    /// Its class.
    pub node_type: String,
    /// The plugin that ran it.
    pub plugin: String,
    /// The nodes that were done.
    pub executed: Vec<Arc<str>>,
    /// What went wrong.
    pub exception_message: String,
    /// What kind of error it is.
    pub exception_type: String,
    /// Its causes, and what else the plugin said.
    pub traceback: Vec<String>,
    /// What the node was given.
    pub current_inputs: Map<String, Json>,
    /// Always empty: values do not leave the host.
    pub current_outputs: Vec<String>,
    /// What can be done about it.
    pub hint: Option<String>,
    /// Milliseconds since 1970.
    pub timestamp: u64,
}

/// Gets the events of a run, in their order at each node. Called from the threads that
/// nodes run on; must not block.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> Observer for F {
    fn event(&self, event: Event) {
        self(event);
    }
}

/// What a node shows. Serialized, it is grouped as clients expect:
/// `{"images": [{"filename": …}], "text": […]}`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Results {
    /// Files that it wrote.
    pub artifacts: Vec<Artifact>,
    /// Texts.
    pub texts: Vec<String>,
}

impl Results {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.texts.is_empty()
    }
}

impl Serialize for Results {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut groups: indexmap::IndexMap<&str, Vec<&Artifact>> = indexmap::IndexMap::new();
        for artifact in &self.artifacts {
            groups.entry(&artifact.kind).or_default().push(artifact);
        }
        let texts = !self.texts.is_empty();
        let mut map = serializer.serialize_map(Some(groups.len() + usize::from(texts)))?;
        for (kind, artifacts) in &groups {
            map.serialize_entry(kind, artifacts)?;
        }
        if texts {
            map.serialize_entry("text", &self.texts)?;
        }
        map.end()
    }
}

/// Milliseconds since 1970.
pub(crate) fn timestamp() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use berth_sandbox::Place;
    use serde_json::json;

    use super::*;

    #[test]
    fn events_have_the_shape_of_comfyuis_messages() {
        let artifact = |name: &str, kind: &str| Artifact {
            kind: kind.into(),
            name: name.into(),
            subfolder: "x".into(),
            place: Place::Output,
        };
        let artifacts = vec![artifact("a.png", "images"), artifact("b.wav", "audio")];
        let event = Event::Executed {
            node: "7".into(),
            display_node: "7".into(),
            output: Results { artifacts, texts: vec!["t".into()] },
            prompt_id: "p".into(),
        };
        let file = |name: &str| json!({"filename": name, "subfolder": "x", "type": "output"});
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            json!({"type": "executed", "data": {
                "node": "7", "display_node": "7", "prompt_id": "p",
                "output": {"images": [file("a.png")], "audio": [file("b.wav")], "text": ["t"]},
            }})
        );
        let over = Event::Executing { node: None, display_node: None, prompt_id: "p".into() };
        let over = serde_json::to_value(over).unwrap();
        assert_eq!(
            over,
            json!({"type": "executing", "data": {"node": null, "display_node": null, "prompt_id": "p"}})
        );
    }
}

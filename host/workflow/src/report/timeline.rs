//! When nodes ran.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::events::{Event, Observer};
use crate::plan::Plan;

/// How something came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It did what it should.
    Done,
    /// Something went wrong.
    Failed,
    /// Somebody stopped it, or it was stopped because something else failed.
    Stopped,
}

/// One time that a node ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSpan {
    /// The node's id in the workflow.
    pub id: Arc<str>,
    /// The node as people find it.
    pub label: String,
    /// The plugin that ran it.
    pub plugin: String,
    /// When it began, from the given beginning on.
    pub began: Duration,
    /// When it ended.
    pub ended: Duration,
    /// How it ended.
    pub end: End,
}

/// Notes when the nodes of a run begin and end. A node that has to wait for lazy inputs runs
/// all the while.
#[derive(Debug)]
pub struct Timeline {
    labels: HashMap<Arc<str>, (String, String)>,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    running: Vec<(Arc<str>, Instant)>,
    ended: Vec<(Arc<str>, Instant, Instant, End)>,
}

impl Timeline {
    /// For one run of a plan.
    #[must_use]
    pub fn new(plan: &Plan) -> Self {
        let labels = plan.nodes().map(|n| (n.id.into(), (n.label(), n.plugin.to_owned())));
        Self { labels: labels.collect(), noted: Mutex::default() }
    }

    /// The nodes in the order in which they began, with times since `origin`; what began
    /// before it began with it. Those that still run end now.
    #[must_use]
    pub fn nodes(&self, origin: Instant) -> Vec<NodeSpan> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let running = noted.running.iter().map(|(id, began)| (id, *began, now, End::Stopped));
        let ended = noted.ended.iter().map(|(id, began, ended, end)| (id, *began, *ended, *end));
        let mut nodes: Vec<_> = ended
            .chain(running)
            .map(|(id, began, ended, end)| {
                let (label, plugin) = self.labels.get(id).cloned().unwrap_or_default();
                let [began, ended] = [began, ended].map(|at| at.saturating_duration_since(origin));
                NodeSpan { id: id.clone(), label, plugin, began, ended, end }
            })
            .collect();
        nodes.sort_by_key(|node| node.began);
        nodes
    }
}

impl Observer for Timeline {
    fn event(&self, event: Event) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let mut end = |id: &str, end| {
            let Some(at) = noted.running.iter().position(|(node, _)| **node == *id) else { return };
            let (id, began) = noted.running.swap_remove(at);
            noted.ended.push((id, began, now, end));
        };
        match event {
            Event::Executing { node: Some(node), .. } => noted.running.push((node, now)),
            Event::NodeFinished { node, .. } => end(&node, End::Done),
            Event::ExecutionError(failure) => end(&failure.node_id, End::Failed),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::registry::Registry;
    use crate::testing::{Pack, node, workflow};

    fn timeline() -> Timeline {
        let mut registry = Registry::new();
        registry.add(Pack::new("pack").with(node("Show").output_node()).build()).unwrap();
        let nodes = json!({"1": {"class_type": "Show", "inputs": {}, "_meta": {"title": "A"}},
                           "2": {"class_type": "Show", "inputs": {}}});
        let cancel = berth_memory::Cancel::new();
        let plan = crate::validate::validate(&registry, &workflow(nodes), None, &cancel);
        Timeline::new(&plan.unwrap())
    }

    fn begins(id: &str) -> Event {
        Event::Executing { node: Some(id.into()), display_node: None, prompt_id: "p".into() }
    }

    fn ends(id: &str) -> Event {
        Event::NodeFinished { node: id.into(), seconds: 0.0, prompt_id: "p".into() }
    }

    #[test]
    fn nodes_are_noted_in_the_order_in_which_they_begin() {
        let timeline = timeline();
        let origin = Instant::now();
        for event in [begins("2"), begins("1"), ends("1"), begins("1")] {
            timeline.event(event);
        }
        let nodes = timeline.nodes(origin);
        let seen: Vec<_> = nodes.iter().map(|node| (&*node.id, node.end)).collect();
        assert_eq!(seen, [("2", End::Stopped), ("1", End::Done), ("1", End::Stopped)]);
        assert!(nodes[1].label.contains('A') && nodes[1].plugin == "pack", "{nodes:?}");
        assert!(nodes.iter().all(|node| node.began <= node.ended));
    }

    #[test]
    fn what_began_before_the_clock_begins_with_it() {
        let timeline = timeline();
        timeline.event(begins("1"));
        let nodes = timeline.nodes(Instant::now() + Duration::from_secs(5));
        assert_eq!((nodes[0].began, nodes[0].ended), (Duration::ZERO, Duration::ZERO));
    }
}

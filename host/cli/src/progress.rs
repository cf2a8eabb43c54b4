//! Between a run and its view: knows the nodes' names, and remembers what was written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use berth_sandbox::{Artifact, Level};
use berth_workflow::{Event, Observer, Plan};

use crate::view::View;

/// Watches one run.
pub(crate) struct Progress {
    view: Box<dyn View>,
    labels: HashMap<String, String>,
    written: Mutex<Written>,
}

/// What nodes showed.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) artifacts: Vec<Artifact>,
    pub(crate) texts: Vec<(String, String)>,
}

impl Progress {
    pub(crate) fn new(view: Box<dyn View>, plan: &Plan) -> Self {
        let labels = plan.nodes().map(|node| (node.id.to_owned(), node.label())).collect();
        Self { view, labels, written: Mutex::default() }
    }

    /// What nodes showed so far. A run that failed may have written files, too.
    pub(crate) fn take(&self) -> Written {
        std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn label(&self, node: &str) -> &str {
        self.labels.get(node).map_or("", String::as_str)
    }
}

impl Observer for Progress {
    fn event(&self, event: Event) {
        let node = match &event {
            Event::Executing { node: Some(node), .. }
            | Event::Progress { node, .. }
            | Event::NodeFinished { node, .. }
            | Event::Executed { node, .. }
            | Event::Log { node, .. } => &**node,
            _ => "",
        };
        self.view.show(&event, self.label(node));
        match &event {
            Event::Executed { output, .. } => {
                let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
                written.artifacts.extend(output.artifacts.iter().cloned());
                let whose = self.label(node).to_owned();
                let texts = output.texts.iter().map(|text| (whose.clone(), text.clone()));
                written.texts.extend(texts);
            }
            Event::Log { level, message, plugin, .. } => {
                log(*level, plugin, self.label(node), message);
            }
            _ => {}
        }
    }
}

fn log(level: Level, plugin: &str, node: &str, message: &str) {
    match level {
        Level::Trace => tracing::trace!(target: "plugin", "{plugin}, node {node}: {message}"),
        Level::Debug => tracing::debug!(target: "plugin", "{plugin}, node {node}: {message}"),
        Level::Info => tracing::info!(target: "plugin", "{plugin}, node {node}: {message}"),
        Level::Warn => tracing::warn!(target: "plugin", "{plugin}, node {node}: {message}"),
        Level::Error => tracing::error!(target: "plugin", "{plugin}, node {node}: {message}"),
    }
}

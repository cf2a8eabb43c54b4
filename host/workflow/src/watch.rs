//! Turns what one node does into events, and keeps what it shows.
//!
//! A node may report as often as it likes; who watches must not drown in it. So every
//! node run has a budget: what goes over it is thinned out, or dropped with a notice.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use berth_sandbox::{Artifact, Level, NodeEvents};

use crate::cache::ResultCache;
use crate::events::{Event, Observer, Results};

/// Progress reports that pass unthinned: ten times the steps of the longest sampling.
const REPORTS: u32 = 10_000;

/// How often a report passes after those.
const THINNED: Duration = Duration::from_millis(100);

/// Messages and texts of one node run that are passed on; each is at most 16 KiB.
const MESSAGES: u32 = 1000;

/// Watches one node run.
pub(crate) struct Watch {
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) prompt_id: Arc<str>,
    pub(crate) node: Arc<str>,
    pub(crate) plugin: Arc<str>,
    cache: Arc<ResultCache>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    results: Results,
    reports: u32,
    last_report: Option<Instant>,
    messages: u32,
}

impl Watch {
    pub(crate) fn new(
        observer: Arc<dyn Observer>,
        prompt_id: Arc<str>,
        node: Arc<str>,
        plugin: Arc<str>,
        cache: Arc<ResultCache>,
    ) -> Self {
        Self { observer, prompt_id, node, plugin, cache, seen: Mutex::default() }
    }

    /// What the node showed.
    pub(crate) fn results(&self) -> Results {
        std::mem::take(&mut self.seen().results)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, level: Level, message: &str) {
        self.observer.event(Event::Log {
            node: self.node.clone(),
            plugin: self.plugin.clone(),
            level,
            message: message.to_owned(),
            prompt_id: self.prompt_id.clone(),
        });
    }

    /// Whether another message may pass.
    fn may_say(&self) -> bool {
        let mut seen = self.seen();
        seen.messages = seen.messages.saturating_add(1);
        let over = seen.messages > MESSAGES;
        let first_over = seen.messages == MESSAGES.saturating_add(1);
        drop(seen);
        if first_over {
            self.say(Level::Warn, "further messages of this node are dropped");
        }
        !over
    }
}

impl NodeEvents for Watch {
    fn progress(&self, value: u32, total: u32) {
        let mut seen = self.seen();
        let now = Instant::now();
        let recent = seen.last_report.is_some_and(|last| now.duration_since(last) < THINNED);
        if seen.reports >= REPORTS && recent {
            return;
        }
        seen.reports = seen.reports.saturating_add(1);
        seen.last_report = Some(now);
        drop(seen);
        self.observer.event(Event::Progress {
            value,
            max: total,
            prompt_id: self.prompt_id.clone(),
            node: self.node.clone(),
        });
    }

    fn log(&self, level: Level, message: &str) {
        if self.may_say() {
            self.say(level, message);
        }
    }

    fn node(&self) -> &str {
        &self.node
    }

    fn artifact(&self, artifact: &Artifact) {
        self.seen().results.artifacts.push(artifact.clone());
    }

    fn text(&self, text: &str) {
        if self.may_say() {
            self.seen().results.texts.push(text.to_owned());
        }
    }

    fn clear_results(&self) {
        self.cache.clear();
    }
}

/// Nobody watches a check.
pub(crate) struct Unwatched;
impl NodeEvents for Unwatched {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Recorder;

    #[test]
    fn a_flood_is_thinned_out() {
        let recorder = Arc::new(Recorder::default());
        let cache = Arc::new(ResultCache::new(0));
        let watch = Watch::new(recorder.clone(), "p".into(), "1".into(), "x".into(), cache);
        for value in 0..3 * REPORTS {
            watch.progress(value, u32::MAX);
        }
        let reports = recorder.take();
        assert!(reports.len() >= REPORTS as usize && reports.len() < REPORTS as usize + 100);
        for _ in 0..3 * MESSAGES {
            watch.log(Level::Info, "again");
        }
        let messages = recorder.take();
        assert_eq!(messages.len(), MESSAGES as usize + 1);
        let Some(Event::Log { message, .. }) = messages.last() else { panic!() };
        assert_eq!(message, "further messages of this node are dropped");
    }
}

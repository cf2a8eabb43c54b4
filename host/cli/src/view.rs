//! How a run is shown: bars on a terminal, lines elsewhere, JSON for programs.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use berth_workflow::Event;
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

/// How often a node that has begun says where it is, in lines.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);

/// A node that runs, before it knows how many steps it has.
const WAITING: &str = "{spinner} {prefix}  {elapsed}";

/// A node that runs, with steps.
const STEPPING: &str = "{spinner} {prefix}  {bar:24} {pos}/{len}  {rate}, {eta} left";

/// Shows what happens. `label` is the event's node as people find it.
pub(crate) trait View: Send + Sync {
    fn show(&self, event: &Event, label: &str);
}

/// One event a line, on standard output.
pub(crate) struct Json;

impl View for Json {
    fn show(&self, event: &Event, _: &str) {
        if let Ok(text) = serde_json::to_string(event) {
            // A reader that has gone does not stop the run, whose files still count.
            let _ = crate::output::line(text);
        }
    }
}

/// A line now and then, on standard error.
#[derive(Default)]
pub(crate) struct Lines(Mutex<HashMap<Arc<str>, Steps>>);

/// What is known of a node's steps.
struct Steps {
    since: Instant,
    said: Instant,
    done: u32,
}

impl Steps {
    fn new() -> Self {
        let now = Instant::now();
        Self { since: now, said: now, done: 0 }
    }
}

impl View for Lines {
    fn show(&self, event: &Event, label: &str) {
        let mut nodes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Progress { value, max, node, .. } => {
                let steps = nodes.entry(node.clone()).or_insert_with(Steps::new);
                steps.done = *value;
                if steps.said.elapsed() >= LINE_EVERY {
                    steps.said = Instant::now();
                    let rate = rate(f64::from(*value) / steps.since.elapsed().as_secs_f64());
                    eprintln!("{label}: {value}/{max}, {rate}");
                }
            }
            Event::NodeFinished { node, seconds, .. } => {
                let steps = nodes.remove(node).map_or(0, |steps| steps.done);
                eprintln!("{}", finished(label, steps, *seconds));
            }
            Event::ExecutionCached { nodes, .. } if !nodes.is_empty() => {
                eprintln!("{} nodes are cached", nodes.len());
            }
            _ => {}
        }
    }
}

/// A bar for each node that runs, a line for each that is done.
pub(crate) struct Bars {
    bars: MultiProgress,
    running: Mutex<HashMap<Arc<str>, ProgressBar>>,
}

impl Bars {
    pub(crate) fn new(bars: MultiProgress) -> Self {
        Self { bars, running: Mutex::default() }
    }

    /// Takes away what is left when a run stops.
    fn clear(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.drain().for_each(|(_, bar)| bar.finish_and_clear());
    }
}

impl View for Bars {
    fn show(&self, event: &Event, label: &str) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Executing { node: Some(node), .. } => {
                let bar = self.bars.add(ProgressBar::no_length().with_style(style(WAITING)));
                bar.set_prefix(label.to_owned());
                bar.enable_steady_tick(TURN);
                running.insert(node.clone(), bar);
            }
            Event::Progress { value, max, node, .. } => {
                let Some(bar) = running.get(node) else { return };
                if bar.length() != Some((*max).into()) {
                    bar.set_length((*max).into());
                    bar.set_style(style(STEPPING));
                }
                bar.set_position((*value).into());
            }
            Event::NodeFinished { node, seconds, .. } => {
                let Some(bar) = running.remove(node) else { return };
                let steps = bar.length().map_or(0, |_| bar.position());
                bar.finish_and_clear();
                let steps = u32::try_from(steps).unwrap_or(u32::MAX);
                // Where this fails there is no terminal to tell it to.
                let _ = self.bars.println(format!("✓ {}", finished(label, steps, *seconds)));
            }
            Event::ExecutionError(_) | Event::ExecutionInterrupted { .. } => {
                drop(running);
                self.clear();
            }
            _ => {}
        }
    }
}

/// A style; the templates above are fixed, and one that does not parse shows less.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("rate", |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(&rate(state.per_sec()));
        })
        .progress_chars("━╸ ")
}

/// A line about a node that is done.
fn finished(label: &str, steps: u32, seconds: f64) -> String {
    let mut line = format!("{label}  {}", duration(seconds));
    if steps > 1 && seconds > 0.0 {
        let _ = write!(line, "  ({steps} steps, {})", rate(f64::from(steps) / seconds));
    }
    line
}

/// Steps per second, or seconds per step.
fn rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second <= 0.0 {
        "- it/s".into()
    } else if per_second < 1.0 {
        format!("{:.2} s/it", 1.0 / per_second)
    } else {
        format!("{per_second:.1} it/s")
    }
}

/// A time as people say it.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", s * 1000.0),
        s if s < 60.0 => format!("{s:.2} s"),
        s => format!("{}:{:02} min", (s / 60.0) as u64, (s % 60.0) as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_rates_are_short() {
        assert_eq!(duration(0.0123), "12 ms");
        assert_eq!(duration(1.5), "1.50 s");
        assert_eq!(duration(125.0), "2:05 min");
        assert_eq!(rate(3.456), "3.5 it/s");
        assert_eq!(rate(0.25), "4.00 s/it");
        assert_eq!(rate(0.0), "- it/s");
        assert_eq!(
            finished("5 (KSampler)", 20, 2.0),
            "5 (KSampler)  2.00 s  (20 steps, 10.0 it/s)"
        );
        assert_eq!(finished("4 (EmptyLatentImage)", 0, 0.001), "4 (EmptyLatentImage)  1 ms");
    }
}

//! A run as a trace that Perfetto and chrome://tracing open.
//!
//! It is Chrome's trace event format: JSON with one object an event, written as it is made.
//! Spans on one track lie beside or inside one another, or viewers show them wrong; what
//! overlaps otherwise gets a track more.

use std::collections::HashMap;
use std::io::{self, Write};
use std::time::Duration;

use berth_memory::{AccountId, Event, PerTier, Tier, Why};
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::Seen;
use super::series::{place, way};
use super::timeline::End;

/// Groups of tracks, in the order in which they are shown.
#[derive(Clone, Copy)]
enum Group {
    Nodes = 1,
    Leases,
    Copies,
    Memory,
}

/// Tracks of [`Group::Copies`]; those that copy when they are needed come after these.
const LEFT: u32 = 1;
const AHEAD: u32 = 2;
const NEEDED: u32 = 1000;

/// Below this, having been admitted is no span of its own.
const ADMISSION: Duration = Duration::from_micros(2);

/// Writes the trace.
///
/// # Errors
/// Those of the writer.
pub fn trace(seen: &Seen<'_>, out: impl Write) -> io::Result<()> {
    let mut trace = Trace { out, first: true };
    trace.out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n")?;
    nodes(seen, &mut trace)?;
    let names = seen.names();
    leases(seen, &names, &mut trace)?;
    copies(seen, &names, &mut trace)?;
    counters(seen, &mut trace)?;
    trace.out.write_all(b"\n]}\n")?;
    trace.out.flush()
}

/// A track for each node, and a span for each time that it ran.
fn nodes<W: Write>(seen: &Seen<'_>, trace: &mut Trace<W>) -> io::Result<()> {
    trace.group(Group::Nodes, "nodes")?;
    let mut tracks: HashMap<&str, u32> = HashMap::new();
    for node in seen.nodes {
        let next = tracks.len().saturating_add(1) as u32;
        let track = *tracks.entry(&node.id).or_insert(next);
        if track == next {
            trace.track(Group::Nodes, track, &node.label)?;
        }
        let end = match node.end {
            End::Done => "done",
            End::Failed => "failed",
            End::Stopped => "stopped",
        };
        let args = json!({"plugin": node.plugin, "node": &*node.id, "end": end});
        trace.span(Group::Nodes, track, &node.label, node.began, node.ended, args)?;
    }
    Ok(())
}

/// A track for each thread; what it leased, and within that its way there.
fn leases<W: Write>(
    seen: &Seen<'_>,
    names: &HashMap<AccountId, &str>,
    trace: &mut Trace<W>,
) -> io::Result<()> {
    trace.group(Group::Leases, "leases")?;
    let mut leases: Vec<_> = seen
        .recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Lease { account, thread, asked, admitted, ended, bytes } => {
                Some((*asked, *ended, *thread, *admitted, *account, *bytes))
            }
            _ => None,
        })
        .collect();
    leases.sort_unstable();
    let mut lanes: HashMap<u32, Lanes> = HashMap::new();
    for (asked, ended, thread, admitted, account, bytes) in leases {
        let (lane, new) = lanes.entry(thread).or_default().place(asked, ended);
        let track = thread.saturating_mul(LANES).saturating_add(lane).saturating_add(1);
        if new {
            trace.track(Group::Leases, track, &numbered(&format!("thread {thread}"), lane))?;
        }
        let name = names.get(&account).copied().unwrap_or_default();
        trace.span(Group::Leases, track, name, asked, ended, json!({"bytes": bytes}))?;
        if admitted.saturating_sub(asked) >= ADMISSION && admitted <= ended {
            trace.span(Group::Leases, track, "admission", asked, admitted, Json::Null)?;
        }
    }
    Ok(())
}

/// What was copied: ahead of its use by the copy worker, or when it was needed. And what left.
fn copies<W: Write>(
    seen: &Seen<'_>,
    names: &HashMap<AccountId, &str>,
    trace: &mut Trace<W>,
) -> io::Result<()> {
    trace.group(Group::Copies, "copies")?;
    trace.track(Group::Copies, LEFT, "what left")?;
    let name = |account: &Option<AccountId>| account.and_then(|id| names.get(&id).copied());
    let mut copies = Vec::new();
    for event in &seen.recording.events {
        match event {
            Event::Move { began, ended, ahead, .. } => copies.push((*began, *ended, *ahead, event)),
            Event::Left { allocation, account, tier, bytes, at, why } => {
                let what = match why {
                    Why::Evicted => "evicted from",
                    Why::Asked => "sent from",
                    Why::Lost => "lost from",
                };
                let what = format!("{what} {}", place(*tier));
                let args = json!({"bytes": bytes, "allocation": allocation.to_string(), "plugin": name(account)});
                trace.instant(Group::Copies, LEFT, &what, *at, args)?;
            }
            Event::Lease { .. } | Event::Use { .. } => {}
        }
    }
    copies.sort_by_key(|(began, ended, ..)| (*began, *ended));
    let mut lanes = [Lanes::default(), Lanes::default()];
    let [ahead_lanes, needed_lanes] = &mut lanes;
    for (began, ended, ahead, event) in copies {
        let Event::Move { allocation, account, from, to, bytes, .. } = event else { continue };
        let (first, lanes, title) = if ahead {
            (AHEAD, &mut *ahead_lanes, "copy worker")
        } else {
            (NEEDED, &mut *needed_lanes, "when needed")
        };
        let (lane, new) = lanes.place(began, ended);
        let track = first.saturating_add(lane);
        if new {
            trace.track(Group::Copies, track, &numbered(title, lane))?;
        }
        let args =
            json!({"bytes": bytes, "allocation": allocation.to_string(), "plugin": name(account)});
        trace.span(Group::Copies, track, &way(*from, *to), began, ended, args)?;
    }
    Ok(())
}

/// What is in use on each tier, in all and by plugin, whenever it changes.
fn counters<W: Write>(seen: &Seen<'_>, trace: &mut Trace<W>) -> io::Result<()> {
    trace.group(Group::Memory, "memory")?;
    let mut last: PerTier<Option<u64>> = PerTier::default();
    let mut charged: HashMap<(AccountId, Tier), u64> = HashMap::new();
    for event in &seen.recording.events {
        let Event::Use { at, used, charges } = event else { continue };
        for tier in Tier::ALL {
            let bytes = *used.get(tier);
            if last.get_mut(tier).replace(bytes) != Some(bytes) {
                trace.counter(place(tier), *at, bytes)?;
            }
            for (account, name) in &seen.recording.accounts {
                // Who is charged nothing is not in the list, and has no track until it is.
                let charge = charges.iter().find(|(id, _)| id == account);
                let bytes = charge.map_or(0, |(_, charge)| *charge.get(tier));
                if charged.insert((*account, tier), bytes).unwrap_or_default() != bytes {
                    trace.counter(&format!("{}: {name}", place(tier)), *at, bytes)?;
                }
            }
        }
    }
    Ok(())
}

/// Tracks that one thread can have.
const LANES: u32 = 64;

/// Places spans, in the order of their beginnings, on as few lanes as hold them.
#[derive(Default)]
struct Lanes(Vec<Duration>);

impl Lanes {
    /// The lane of a span, and whether it is new.
    fn place(&mut self, began: Duration, ended: Duration) -> (u32, bool) {
        match self.0.iter_mut().zip(0..).find(|(free, _)| **free <= began) {
            Some((free, lane)) => {
                *free = ended;
                (lane, false)
            }
            None => {
                self.0.push(ended);
                (self.0.len().saturating_sub(1) as u32, true)
            }
        }
    }
}

fn numbered(title: &str, lane: u32) -> String {
    if lane == 0 { title.to_owned() } else { format!("{title} ({})", lane.saturating_add(1)) }
}

/// One event of the format. Times are microseconds.
#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    ph: &'a str,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    pid: u32,
    tid: u32,
    /// How far an instant reaches: its track.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'a str>,
    #[serde(skip_serializing_if = "Json::is_null")]
    args: Json,
}

struct Trace<W> {
    out: W,
    first: bool,
}

impl<W: Write> Trace<W> {
    fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",\n")?;
        }
        serde_json::to_writer(&mut self.out, entry).map_err(io::Error::from)
    }

    fn event(
        &mut self,
        ph: &str,
        name: &str,
        group: Group,
        tid: u32,
        args: Json,
    ) -> io::Result<()> {
        let (ts, dur, s) = (0.0, None, None);
        self.write(&Entry { name, ph, ts, dur, pid: group as u32, tid, s, args })
    }

    fn group(&mut self, group: Group, name: &str) -> io::Result<()> {
        self.event("M", "process_name", group, 0, json!({"name": name}))?;
        self.event("M", "process_sort_index", group, 0, json!({"sort_index": group as u32}))
    }

    fn track(&mut self, group: Group, tid: u32, name: &str) -> io::Result<()> {
        self.event("M", "thread_name", group, tid, json!({"name": name}))?;
        self.event("M", "thread_sort_index", group, tid, json!({"sort_index": tid}))
    }

    fn span(
        &mut self,
        group: Group,
        tid: u32,
        name: &str,
        began: Duration,
        ended: Duration,
        args: Json,
    ) -> io::Result<()> {
        let (ts, dur) = (micros(began), Some(micros(ended.saturating_sub(began))));
        self.write(&Entry { name, ph: "X", ts, dur, pid: group as u32, tid, s: None, args })
    }

    fn instant(
        &mut self,
        group: Group,
        tid: u32,
        name: &str,
        at: Duration,
        args: Json,
    ) -> io::Result<()> {
        let (ts, dur, s) = (micros(at), None, Some("t"));
        self.write(&Entry { name, ph: "i", ts, dur, pid: group as u32, tid, s, args })
    }

    fn counter(&mut self, name: &str, at: Duration, bytes: u64) -> io::Result<()> {
        let (ts, dur, s, pid) = (micros(at), None, None, Group::Memory as u32);
        self.write(&Entry { name, ph: "C", ts, dur, pid, tid: 0, s, args: json!({"bytes": bytes}) })
    }
}

/// Microseconds, to a nanosecond.
fn micros(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e9).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Maker, span, with};
    use super::*;

    fn events(maker: &Maker, nodes: &[super::super::NodeSpan]) -> Vec<Json> {
        let mut bytes = Vec::new();
        with(maker, nodes, |seen| trace(seen, &mut bytes)).unwrap();
        let whole: Json = serde_json::from_slice(&bytes).unwrap();
        whole["traceEvents"].as_array().unwrap().clone()
    }

    fn text<'a>(event: &'a Json, key: &str) -> &'a str {
        event[key].as_str().unwrap()
    }

    /// Every event has what the format asks for, and spans on a track do not overlap in part.
    fn check(events: &[Json]) {
        let mut tracks: HashMap<(u64, u64), Vec<(f64, f64)>> = HashMap::new();
        for event in events {
            let number =
                |key: &str| event[key].as_f64().unwrap_or_else(|| panic!("{key}: {event}"));
            assert!(["M", "X", "i", "C"].contains(&text(event, "ph")), "{event}");
            assert!(number("ts") >= 0.0 && !text(event, "name").is_empty(), "{event}");
            let track = (number("pid") as u64, number("tid") as u64);
            if event["ph"] == "X" {
                let began = number("ts");
                tracks.entry(track).or_default().push((began, began + number("dur")));
            }
        }
        for (track, spans) in &mut tracks {
            spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
            let mut open: Vec<f64> = Vec::new();
            for (began, ended) in spans {
                open.retain(|end| *end > *began + 1e-3);
                assert!(open.iter().all(|end| *ended <= *end + 1e-3), "{track:?} at {began}");
                open.push(*ended);
            }
        }
    }

    #[test]
    fn a_run_becomes_tracks_spans_instants_and_counters() {
        let mut maker = Maker::new(&["a", "b"]);
        maker.leases(0, 0, 2, 10).leases(0, 12, 12, 20).leases(1, 5, 6, 15);
        // A thread whose leases overlap, which none should do.
        maker.leases(1, 7, 8, 25);
        maker.moves(0, 2, None, Tier::Device, 8, false);
        maker.moves(1, 5, Some(Tier::Host), Tier::Device, 16, true);
        maker.moves(4, 6, Some(Tier::Host), Tier::Device, 16, true);
        maker.leaves(9, Tier::Device, 8, Why::Evicted).leaves(9, Tier::Host, 8, Why::Lost);
        maker.uses(0, [5, 0, 0], &[("a", [5, 0, 0])]);
        maker.uses(1, [5, 0, 0], &[("a", [5, 0, 0]), ("b", [0, 0, 0])]);
        maker.uses(2, [7, 0, 0], &[("a", [7, 0, 0])]).uses(3, [0, 0, 0], &[]);
        let events = events(&maker, &[span("1", 0, 30), span("2", 3, 9), span("1", 40, 50)]);
        check(&events);
        let named = |name: &str| events.iter().filter(|event| event["name"] == name).count();
        let tracks: Vec<_> = events
            .iter()
            .filter(|e| e["name"] == "thread_name")
            .map(|e| text(&e["args"], "name"))
            .collect();
        assert_eq!(
            tracks,
            [
                "1 (Node)",
                "2 (Node)",
                "thread 0",
                "thread 1",
                "thread 1 (2)",
                "what left",
                "when needed",
                "copy worker",
                "copy worker (2)"
            ]
        );
        assert_eq!(named("1 (Node)"), 2);
        assert_eq!(named("admission"), 3);
        assert_eq!((named("model file → device"), named("DRAM → device")), (1, 2));
        assert_eq!((named("evicted from device"), named("lost from DRAM")), (1, 1));
        assert_eq!((named("device"), named("device: a"), named("device: b")), (3, 3, 0));
        let node = events.iter().find(|event| event["name"] == "2 (Node)").unwrap();
        assert_eq!((node["ts"].as_f64(), node["dur"].as_f64()), (Some(3000.0), Some(6000.0)));
    }

    #[test]
    fn what_a_guest_calls_itself_stays_a_text() {
        let maker = Maker::new(&["a"]);
        let mut node = span("1", 0, 1);
        node.label = "\"}],\n\u{1}</script>".into();
        let events = events(&maker, &[node.clone()]);
        assert!(events.iter().any(|event| event["name"] == *node.label));
    }

    #[test]
    fn a_writer_that_fails_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let error = with(&Maker::new(&["a"]), &[], |seen| trace(seen, Full)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}

//! A recording as series that a page can draw: few enough points for any run, and no peak lost.
//!
//! A run of an hour has a million samples; a screen has two thousand columns. Each column
//! keeps its first, its highest and its last sample, so that what is drawn is never lower than what
//! was recorded. What plugins share is charged to each of them, but is there only once: in a
//! stack, they share it in proportion.

use std::collections::HashMap;
use std::time::Duration;

use berth_memory::{AccountId, Event, PerTier, Recording, Tier, Why};
use serde::Serialize;

use super::Seen;
use super::peaks::account_peaks;

/// Points in a series. Nobody sees more.
const POINTS: usize = 1500;

/// Slices of time for what is moved: about five pixels each.
const SLICES: usize = 200;

/// Plugins with a colour of their own; the rest is one.
const NAMED: usize = 7;

/// The name for the rest, and for what is charged to nobody.
const REST: &str = "other";

/// Milliseconds, to a microsecond.
pub(super) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// When the last thing happened.
pub(super) fn end(seen: &Seen<'_>) -> Duration {
    let nodes = seen.nodes.iter().map(|node| node.ended);
    let events = seen.recording.events.iter().map(|event| match event {
        Event::Lease { ended, .. } | Event::Move { ended, .. } => *ended,
        Event::Left { at, .. } | Event::Use { at, .. } => *at,
    });
    nodes.chain(events).max().unwrap_or_default().max(Duration::from_micros(1))
}

/// The tiers over time, in layers.
#[derive(Debug, Serialize)]
pub(super) struct Layers {
    /// What each layer stands for, the lowest first.
    pub(super) names: Vec<String>,
    /// Whether the last layer is the rest.
    rest: bool,
    /// For each tier its points: time in milliseconds, bytes in use, bytes of each layer.
    /// A point holds until the next.
    pub(super) tiers: [Vec<Point>; 3],
}

/// Time, use, and the layers' parts of it.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Point(pub(super) f64, pub(super) u64, pub(super) Vec<u64>);

pub(super) fn layers(seen: &Seen<'_>) -> Layers {
    let known = seen.names();
    let mut ranked: Vec<_> = account_peaks(seen.recording).into_iter().collect();
    ranked.retain(|(_, peak)| Tier::ALL.iter().any(|tier| *peak.get(*tier) > 0));
    // The largest is at the bottom, where it is easiest to read.
    ranked.sort_by_key(|(id, peak)| (std::cmp::Reverse((peak.device, peak.host)), *id));
    let name = |id: &AccountId| known.get(id).copied().unwrap_or(REST).to_owned();
    let mut names: Vec<String> = ranked.iter().take(NAMED).map(|(id, _)| name(id)).collect();
    let places = ranked.iter().take(NAMED).enumerate().map(|(place, (id, _))| (*id, place));
    let places: HashMap<AccountId, usize> = places.collect();
    let samples = samples(seen.recording);
    let rest = names.len();
    let mut tiers = Tier::ALL.map(|tier| {
        let kept = thin(&samples, tier, end(seen));
        kept.map(|sample| sample.point(tier, &places, rest)).collect::<Vec<_>>()
    });
    // What would be thinner than a line is not worth a colour.
    let shows = |points: &[Point]| {
        let most = points.iter().map(|Point(_, used, _)| *used).max().unwrap_or(0);
        points.iter().any(|Point(.., parts)| parts.last().is_some_and(|rest| *rest > most / 200))
    };
    let more = tiers.iter().any(|points| shows(points));
    if more {
        names.push(REST.into());
    } else {
        tiers.iter_mut().flatten().for_each(|Point(.., parts)| parts.truncate(rest));
    }
    Layers { names, rest: more, tiers }
}

struct Sample<'a> {
    at: Duration,
    used: &'a PerTier<u64>,
    charges: &'a [(AccountId, PerTier<u64>)],
}

impl Sample<'_> {
    fn point(&self, tier: Tier, places: &HashMap<AccountId, usize>, rest: usize) -> Point {
        let used = *self.used.get(tier);
        let mut parts = vec![0_u64; rest.saturating_add(1)];
        let charges = || self.charges.iter().map(|(id, charge)| (id, *charge.get(tier)));
        let charged = charges().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(bytes));
        let shrink = if charged > used { used as f64 / charged as f64 } else { 1.0 };
        for (id, bytes) in charges() {
            let place = places.get(id).copied().unwrap_or(rest);
            if let Some(part) = parts.get_mut(place) {
                *part = part.saturating_add((bytes as f64 * shrink) as u64);
            }
        }
        if let Some(part) = parts.last_mut() {
            *part = part.saturating_add(used.saturating_sub(charged));
        }
        Point(millis(self.at), used, parts)
    }
}

fn samples(recording: &Recording) -> Vec<Sample<'_>> {
    let mut samples: Vec<_> = recording
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Use { at, used, charges } => Some(Sample { at: *at, used, charges }),
            _ => None,
        })
        .collect();
    samples.sort_by_key(|sample| sample.at);
    samples
}

/// Every sample, or of each slice of time the highest and the last.
fn thin<'a>(
    samples: &'a [Sample<'a>],
    tier: Tier,
    end: Duration,
) -> impl Iterator<Item = &'a Sample<'a>> {
    let few = samples.len() <= POINTS;
    let slice = move |sample: &Sample<'_>| slice_of(sample.at, end, POINTS / 3);
    samples.chunk_by(move |a, b| !few && slice(a) == slice(b)).flat_map(move |slice| {
        let (first, last) = (slice.first(), slice.last());
        let highest = slice.iter().max_by_key(|sample| *sample.used.get(tier));
        let later = |sample: &&Sample<'_>, than: Option<&Sample<'_>>| {
            than.is_some_and(|than| than.at < sample.at)
        };
        let highest = highest.filter(|sample| later(sample, first));
        let last = last.filter(|sample| later(sample, highest.or(first)));
        first.into_iter().chain(highest).chain(last)
    })
}

/// Which of so many slices a time is in.
fn slice_of(at: Duration, end: Duration, slices: usize) -> usize {
    let place = at.as_secs_f64() / end.as_secs_f64() * slices as f64;
    (place as usize).min(slices.saturating_sub(1))
}

/// What was moved and what left, in slices of time.
#[derive(Debug, Serialize)]
pub(super) struct Moves {
    /// Slices that the whole time is cut into.
    slices: usize,
    pub(super) ways: Vec<Way>,
    /// Copies that left a tier in each slice.
    evicted: Vec<u32>,
    /// Cached results that were lost in each slice.
    lost: Vec<u32>,
}

/// One way that bytes take.
#[derive(Debug, Serialize)]
pub(super) struct Way {
    pub(super) name: String,
    /// Whether they come nearer to the operations.
    closer: bool,
    pub(super) bytes: u64,
    /// Those of them that came before they were needed.
    pub(super) ahead: u64,
    /// Bytes in each slice.
    pub(super) slices: Vec<u64>,
}

pub(super) fn moves(seen: &Seen<'_>) -> Moves {
    let end = end(seen);
    let mut moves =
        Moves { slices: SLICES, ways: Vec::new(), evicted: vec![0; SLICES], lost: vec![0; SLICES] };
    let mut ways: HashMap<(Option<Tier>, Tier), Way> = HashMap::new();
    for event in &seen.recording.events {
        match event {
            Event::Move { from, to, bytes, began, ended, ahead, .. } => {
                let way = ways.entry((*from, *to)).or_insert_with(|| Way::new(*from, *to));
                way.add(*bytes, (*began, *ended, end), *ahead);
            }
            Event::Left { at, why, .. } => {
                let counts = if *why == Why::Lost { &mut moves.lost } else { &mut moves.evicted };
                if let Some(count) = counts.get_mut(slice_of(*at, end, SLICES)) {
                    *count = count.saturating_add(1);
                }
            }
            Event::Lease { .. } | Event::Use { .. } => {}
        }
    }
    // Those that come to the device first, by where from.
    let mut ways: Vec<_> = ways.into_iter().collect();
    ways.sort_by_key(|((from, to), _)| (*to, *from));
    moves.ways = ways.into_iter().map(|(_, way)| way).collect();
    moves
}

impl Way {
    fn new(from: Option<Tier>, to: Tier) -> Self {
        Self {
            name: way(from, to),
            closer: from.is_none_or(|from| to < from),
            bytes: 0,
            ahead: 0,
            slices: vec![0; SLICES],
        }
    }

    /// Spreads bytes over the slices that their copying touched.
    fn add(
        &mut self,
        bytes: u64,
        (began, ended, end): (Duration, Duration, Duration),
        ahead: bool,
    ) {
        self.bytes = self.bytes.saturating_add(bytes);
        if ahead {
            self.ahead = self.ahead.saturating_add(bytes);
        }
        let (first, last) = (slice_of(began, end, SLICES), slice_of(ended, end, SLICES));
        let touched = last.saturating_sub(first).saturating_add(1) as u64;
        let each = bytes / touched;
        for slice in self.slices.iter_mut().take(last.saturating_add(1)).skip(first) {
            *slice = slice.saturating_add(each);
        }
        if let Some(slice) = self.slices.get_mut(last) {
            *slice = slice.saturating_add(bytes % touched);
        }
    }
}

/// A way in words.
pub(super) fn way(from: Option<Tier>, to: Tier) -> String {
    format!("{} → {}", from.map_or("model file", place), place(to))
}

/// A tier as people call it.
#[must_use]
pub fn place(tier: Tier) -> &'static str {
    match tier {
        Tier::Device => "device",
        Tier::Host => "DRAM",
        Tier::Disk => "spill",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Maker, with};
    use super::*;

    #[test]
    fn a_long_run_is_thinned_and_keeps_every_peak() {
        let mut maker = Maker::new(&["a"]);
        for at in 0..20_000 {
            let used = if at == 12_345 { 999 } else { at % 7 };
            maker.uses(at, [used, 3, 0], &[("a", [used, 3, 0])]);
        }
        let layers = with(&maker, &[], layers);
        let [device, host, spill] = &layers.tiers;
        for points in [device, host, spill] {
            assert!(points.len() <= POINTS, "{}", points.len());
            assert!(points.is_sorted_by(|a, b| a.0 <= b.0));
        }
        let peak = device.iter().max_by_key(|point| point.1).unwrap();
        assert_eq!(peak, &Point(12_345.0, 999, vec![999]));
        let slices = 20_000 / (POINTS / 3);
        let drawn = |at: f64| device.iter().rev().find(|point| point.0 <= at).unwrap().1;
        assert!((0..19_000).step_by(slices).all(|at| drawn(at as f64) <= 6 || at >= 12_345));
    }

    #[test]
    fn a_short_run_keeps_every_sample() {
        let mut maker = Maker::new(&["a"]);
        for at in 0..POINTS as u64 {
            maker.uses(at, [at, 0, 0], &[("a", [at, 0, 0])]);
        }
        assert_eq!(with(&maker, &[], layers).tiers[0].len(), POINTS);
    }

    #[test]
    fn layers_add_up_to_what_is_in_use() {
        let mut maker = Maker::new(&["a", "b"]);
        // 60 of a's 80 bytes are b's as well.
        maker.uses(0, [80, 0, 0], &[("a", [80, 0, 0]), ("b", [60, 0, 0])]);
        // 30 bytes are nobody's.
        maker.uses(1, [100, 0, 0], &[("a", [70, 0, 0])]);
        let layers = with(&maker, &[], layers);
        assert_eq!(layers.names, ["a", "b", REST]);
        assert_eq!(layers.tiers[0][0], Point(0.0, 80, vec![45, 34, 0]));
        assert_eq!(layers.tiers[0][1], Point(1.0, 100, vec![70, 0, 30]));
    }

    #[test]
    fn small_plugins_share_a_layer() {
        let names: Vec<String> = (0..10).map(|name| format!("p{name}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut maker = Maker::new(&names);
        let charges: Vec<_> = (0_u64..).zip(&names).map(|(n, name)| (*name, [n, 0, 0])).collect();
        maker.uses(0, [45, 0, 0], &charges);
        let layers = with(&maker, &[], layers);
        assert_eq!(layers.names, ["p9", "p8", "p7", "p6", "p5", "p4", "p3", REST]);
        assert_eq!(layers.tiers[0][0].2, [9, 8, 7, 6, 5, 4, 3, 3]);
    }

    #[test]
    fn a_copy_is_spread_over_its_time_and_loses_no_byte() {
        let mut maker = Maker::new(&["a"]);
        maker.moves(0, 1000, Some(Tier::Host), Tier::Device, 10_007, true);
        maker.moves(2000, 2000, None, Tier::Device, 5, false);
        maker.leaves(2000, Tier::Device, 5, Why::Evicted).leaves(2000, Tier::Host, 5, Why::Lost);
        let moves = with(&maker, &[], moves);
        let [dram, file] = &moves.ways[..] else { panic!("{moves:?}") };
        let (file, dram) = if file.name.starts_with("model") { (file, dram) } else { (dram, file) };
        assert_eq!((&*dram.name, dram.bytes, dram.ahead), ("DRAM → device", 10_007, 10_007));
        assert_eq!(dram.slices.iter().sum::<u64>(), 10_007);
        assert_eq!(dram.slices.iter().filter(|slice| **slice > 0).count(), SLICES / 2 + 1);
        assert_eq!((file.slices[SLICES - 1], file.ahead), (5, 0));
        assert_eq!((moves.evicted[SLICES - 1], moves.lost[SLICES - 1]), (1, 1));
    }
}

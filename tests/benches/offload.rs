//! What a sampler's step moves and takes in each mode and room:
//! `cargo bench -p berth-tests --bench offload`.
//!
//! Three tables. The demo's step, bytes and times: its weights are so small that the
//! times are those of the bookkeeping. And a walk through linear layers of a few
//! hundred megabytes, where copies take as long as kernels, so that it shows how far they run
//! beside each other. All steps of a table are measured in turns, in one run; times are medians.

mod measure;
mod step;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_compute::{Compute, DType, Scope, Site, Tensor};
use berth_memory::OffloadModeName::{self, Balanced, Model, Planned, Sequential};
use berth_memory::offload::mode;
use berth_memory::{AllocationId, Cancel, Event, Limits, ModelFile, Tier};
use berth_sandbox::{GuestError, SandboxError};
use berth_tests::host::{Host, Options};

use crate::measure::{keep_freed_pages, median};
use crate::step::Step;

const MODES: [OffloadModeName; 4] = [Model, Sequential, Balanced, Planned];

/// Steps before anything is measured: what is learnt of a function is learnt by then.
const WARM: usize = 4;

fn main() {
    keep_freed_pages();
    demo();
    layers();
}

/// Bytes moved to the device by each step once it is in its stride, and the median of its time.
type Cost = (u64, Duration);

/// A step that is taken again and again.
trait Repeated {
    fn take(&self);

    /// Bytes moved to its device so far.
    fn moved(&self) -> u64;
}

/// How many steps are taken at each turn, of which the first is not measured: what others left
/// in the caches is not its fault. A sampler takes its steps one after the other too.
const TURN: usize = 5;

/// The costs of several steps, which are taken in turns.
fn in_turns(rounds: usize, steps: &[impl Repeated]) -> Vec<Cost> {
    (0..WARM).for_each(|_| steps.iter().for_each(Repeated::take));
    let before: Vec<u64> = steps.iter().map(Repeated::moved).collect();
    let mut times = vec![Vec::new(); steps.len()];
    for _ in 0..rounds {
        for (step, times) in steps.iter().zip(&mut times) {
            step.take();
            for _ in 1..TURN {
                let begin = Instant::now();
                step.take();
                times.push(begin.elapsed());
            }
        }
    }
    let moved = steps.iter().zip(before).map(|(step, before)| step.moved() - before);
    moved.map(|moved| moved / (rounds * TURN) as u64).zip(times.into_iter().map(median)).collect()
}

/// The most bytes on the device at a step for which all weights are there.
fn most(compute: &Compute, step: &impl Repeated) -> u64 {
    let meter = compute.memory().meter();
    step.take();
    meter.peak().device
}

impl Repeated for Step {
    fn take(&self) {
        drop(self.run().unwrap());
    }

    fn moved(&self) -> u64 {
        self.host.stats().moved.to_device
    }
}

fn host(device: u64, mode: OffloadModeName) -> Host {
    Host::with(Options { device, mode, ..Options::default() })
}

fn demo() {
    let unlimited = Step::new(Host::default());
    unlimited.run().unwrap();
    let weights = unlimited.moved();
    let others = most(unlimited.host.compute(), &unlimited) - weights;
    let least = smallest_room();
    let order = weights_in_order_of_use();

    let mut rooms: Vec<(String, u64)> = [100, 75, 50, 25, 10]
        .map(|percent| (format!("{percent} %"), weights * percent / 100))
        .into();
    rooms.push(("the largest operation".into(), least.saturating_sub(others)));
    let devices = rooms.iter().map(|(_, room)| (room + others).max(least));
    let steps: Vec<Step> = devices
        .flat_map(|device| MODES.map(|mode| Step::new(host(device, mode))))
        .chain([unlimited])
        .collect();
    let costs = in_turns(12, &steps);
    let (_, alone) = costs[costs.len() - 1];

    println!(
        "KB moved by a step of the demo; {} KB of weights, {} KB of others at most",
        weights / 1000,
        others / 1000
    );
    println!(
        "| room for | bound | LRU | model | sequential | balanced | planned |\n|---|---|---|---|---|---|---|"
    );
    for ((name, room), costs) in rooms.iter().zip(costs.chunks(MODES.len())) {
        let bound = weights.saturating_sub(*room) + weights / 50;
        let all = [bound, least_recently_used(&order, *room)];
        let all = all.into_iter().chain(costs.iter().map(|(moved, _)| *moved));
        let cells: Vec<_> = all.map(|bytes| (bytes / 1000).to_string()).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    println!("\nms for a step of the demo (÷ without a limit, {:.2} ms)", millis(alone));
    println!("| room for | model | sequential | balanced | planned |\n|---|---|---|---|---|");
    for ((name, _), costs) in rooms.iter().zip(costs.chunks(MODES.len())) {
        let cells: Vec<_> = costs.iter().map(|(_, time)| beside(*time, alone)).collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
    println!();
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn beside(time: Duration, alone: Duration) -> String {
    format!("{:.1} ({:.2})", millis(time), time.as_secs_f64() / alone.as_secs_f64())
}

/// The least device on which the step runs, found by giving it what it says that it needs.
fn smallest_room() -> u64 {
    let mut room = 1 << 10;
    loop {
        match Step::new(host(room, Sequential)).run() {
            Ok(_) => return room,
            Err(SandboxError::Guest { error: GuestError::OutOfMemory(short), .. }) => {
                assert!(short.requested > room);
                room = short.requested;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// The weights that a step uses, one after the other, and their bytes.
fn weights_in_order_of_use() -> Vec<(AllocationId, u64)> {
    // Where nothing stays, each use is a move.
    let step = Step::new(host(1 << 30, Sequential));
    let memory = step.host.compute().memory();
    memory.record(1 << 20);
    step.run().unwrap();
    let recording = memory.recording();
    assert_eq!(recording.dropped, 0);
    let used = |event| match event {
        Event::Move { allocation, from: None, to: Tier::Device, bytes, .. } => {
            Some((allocation, bytes))
        }
        _ => None,
    };
    recording.events.into_iter().filter_map(used).collect()
}

/// Bytes that a step moves when what was used longest ago leaves first.
fn least_recently_used(order: &[(AllocationId, u64)], room: u64) -> u64 {
    let mut here: VecDeque<(AllocationId, u64)> = VecDeque::new();
    let mut moved = 0;
    for round in 0..3 {
        for &(id, bytes) in order {
            match here.iter().position(|(known, _)| *known == id) {
                Some(index) => drop(here.remove(index)),
                None => moved += if round == 2 { bytes } else { 0 },
            }
            here.push_back((id, bytes));
            while here.iter().map(|(_, bytes)| bytes).sum::<u64>() > room {
                here.pop_front();
            }
        }
    }
    moved
}

/// How many layers there are, how wide they are, and how many rows go through them: 384 MiB of
/// weights, each of which is used about as often as by an image of 1024².
const LAYERS: usize = 24;
const WIDTH: usize = 2048;
const ROWS: usize = 128;

/// Linear layers with random weights in a file, and the memory that they are walked in.
struct Walk {
    compute: Compute,
    scope: Scope,
    site: Site,
    weights: Vec<Tensor>,
    x: Tensor,
}

impl Walk {
    fn new(file: &Arc<ModelFile>, device: u64, name: OffloadModeName) -> Self {
        let compute = Compute::new(Limits { device, host: 16 << 20 }, mode(name));
        let account = compute.memory().account("bench");
        let site = compute.memory().site(&account, "layers");
        let scope = Scope { account, cancel: Cancel::new(), call: None };
        let bytes = (WIDTH * WIDTH * 4) as u64;
        let weights = (0..LAYERS as u64).map(|layer| {
            let shape = [WIDTH, WIDTH];
            compute.weight(&scope, file.clone(), layer * bytes, DType::F32, &shape).unwrap()
        });
        let weights = weights.collect();
        let x = compute.full(&scope, DType::F32, &[ROWS, WIDTH], 1.0).unwrap();
        Self { compute, scope, site, weights, x }
    }
}

impl Repeated for Walk {
    fn take(&self) {
        let scope = Scope { call: Some(self.site.call()), ..self.scope.clone() };
        let mut x = self.x.clone();
        for weight in &self.weights {
            x = self.compute.linear(&scope, &x, weight, None).unwrap();
        }
    }

    fn moved(&self) -> u64 {
        self.compute.memory().stats().moved.to_device
    }
}

fn layers() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut state = 1_u64;
    let spread = 2.0 * (3.0 / WIDTH as f32).sqrt();
    for _ in 0..LAYERS {
        let random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            ((state >> 40) as f32 / (1 << 24) as f32 - 0.5) * spread
        };
        let layer: Vec<f32> = std::iter::repeat_with(random).take(WIDTH * WIDTH).collect();
        file.write_all(bytemuck::cast_slice(&layer)).unwrap();
    }
    let file = Arc::new(ModelFile::open(file.path()).unwrap());
    let weights = file.bytes();
    let all = Walk::new(&file, 1 << 30, Planned);
    all.take();
    let others = most(&all.compute, &all) - weights;
    let half = weights / 2 + others;
    let walks: Vec<Walk> = [Sequential, Balanced, Planned]
        .map(|mode| Walk::new(&file, half, mode))
        .into_iter()
        .chain([all])
        .collect();
    let costs = in_turns(5, &walks);
    let (_, alone) = costs[costs.len() - 1];

    println!(
        "{LAYERS} linear layers of {WIDTH}², {ROWS} rows; {} MB of weights, room for half of them",
        weights / 1_000_000
    );
    println!("| mode | MB moved by a walk | ms (÷ all on the device) |\n|---|---|---|");
    let names = ["sequential", "balanced", "planned", "all on the device"];
    for (name, (moved, time)) in names.iter().zip(&costs) {
        println!("| {name} | {} | {} |", moved / 1_000_000, beside(*time, alone));
    }
}

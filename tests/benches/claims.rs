//! The numbers that the README claims: `cargo bench -p berth-tests`, and with
//! `-- --beside-diffusers` those of PyTorch too.
//!
//! What is compared is measured in turns, in one process and with the same threads, so that a
//! noisy machine is noisy for both; the ratios are of medians. Then divan times each part alone.

mod measure;
mod native;
mod step;

use std::cell::{OnceCell, RefCell};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use berth_memory::OffloadModeName;
use berth_sandbox::Value;
use berth_tests::GUESTS;
use berth_tests::host::{DEMO, DEMO_WEIGHTS, Host, Options};
use berth_tests::oracle::data;
use divan::Bencher;

use crate::measure::{keep_freed_pages, median};
use crate::step::Step;

fn main() {
    keep_freed_pages();
    if std::env::args().any(|argument| argument == "--bench") {
        claims();
    }
    if !std::env::args().any(|argument| argument == BESIDE_DIFFUSERS) {
        divan::main();
    }
}

/// The medians of several closures, measured in turns.
fn in_turns<const N: usize>(rounds: usize, mut what: [&mut dyn FnMut(); N]) -> [Duration; N] {
    let mut times = [const { Vec::new() }; N];
    for round in 0..rounds + 3 {
        for (run, times) in what.iter_mut().zip(&mut times) {
            let begin = Instant::now();
            run();
            if round >= 3 {
                times.push(begin.elapsed());
            }
        }
    }
    times.map(median)
}

fn row(what: &str, figure: String, bound: &str) {
    println!("| {what} | {figure} | {bound} |");
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Also measures the same work on PyTorch, which a script installs (6 GB) on first use.
const BESIDE_DIFFUSERS: &str = "--beside-diffusers";

/// The demo's work on diffusers and PyTorch, in a process that renders when it is told to.
struct Diffusers {
    process: std::process::Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Diffusers {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/diffusers_baseline.py");
        let mut process = Command::new("python3")
            .args([script, "--in-turns"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut this = Self { process, answers };
        while this.answer() != "ready" {}
        this
    }

    fn answer(&mut self) -> String {
        self.answers.next().expect("the script goes on").unwrap()
    }

    fn render(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        self.answer();
    }
}

impl Drop for Diffusers {
    fn drop(&mut self) {
        // It ends with its input; there is nobody left to tell if it did not.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

fn claims() {
    println!("| what | here | bound |\n|---|---|---|");

    let (step, yardstick) = (Step::new(Host::default()), Yardstick::new());
    let error = yardstick.step.distance(&yardstick.run()).unwrap();
    assert!(error < 1e-4, "the native step is not the oracle's: {error:e}");
    let [component, native] =
        in_turns(101, [&mut || drop(step.run().unwrap()), &mut || drop(yardstick.run())]);
    row(
        "one UNet step through the component ÷ native candle",
        format!(
            "{:.2} ({:.1} ms ÷ {:.1} ms)",
            component.as_secs_f64() / native.as_secs_f64(),
            component.as_secs_f64() * 1e3,
            native.as_secs_f64() * 1e3
        ),
        "≤ 1.05",
    );

    let guests = guests();
    let calls = 1_000_000;
    let [many, none] = in_turns(21, [&mut || chatter(&guests, calls), &mut || chatter(&guests, 0)]);
    let each = many.saturating_sub(none).as_nanos() as f64 / f64::from(calls);
    row("one call on a handle, guest → host", format!("{each:.0} ns"), "≤ 200 ns");
    let [idle] = in_turns(2001, [&mut || drop(guests.run("Idle", vec![]))]);
    row("store + instantiate + run + drop", format!("{:.0} µs", micros(idle)), "≤ 60 µs");

    let rooms = [1, 2, 4].map(|part| Step::new(room(DEMO_WEIGHTS / part)));
    let [full, half, quarter] = in_turns(
        51,
        [&mut || drop(rooms[0].run().unwrap()), &mut || drop(rooms[1].run().unwrap()), &mut || {
            drop(rooms[2].run().unwrap())
        }],
    );
    for (room, time) in [("100 %", full), ("50 %", half), ("25 %", quarter)] {
        let ratio = time.as_secs_f64() / component.as_secs_f64();
        row(
            &format!("one UNet step with room for {room} of the weights"),
            format!("{:.1} ms ({ratio:.2} × unlimited)", time.as_secs_f64() * 1e3),
            "",
        );
    }

    let host = Host::default();
    if !std::env::args().any(|argument| argument == BESIDE_DIFFUSERS) {
        let [render] = in_turns(9, [&mut || render(&host)]);
        row("text to image, 20 steps, warm", format!("{:.0} ms", render.as_secs_f64() * 1e3), "");
        println!();
        return;
    }
    let diffusers = RefCell::new(Diffusers::start());
    let [ours, theirs] =
        in_turns(21, [&mut || render(&host), &mut || diffusers.borrow_mut().render()]);
    row(
        "text to image, 20 steps, warm ÷ diffusers on PyTorch",
        format!(
            "{:.2} ({:.0} ms ÷ {:.0} ms)",
            ours.as_secs_f64() / theirs.as_secs_f64(),
            ours.as_secs_f64() * 1e3,
            theirs.as_secs_f64() * 1e3
        ),
        "≤ 1.2",
    );
    println!();
}

/// A host whose device has this much room.
fn room(device: u64) -> Host {
    Host::with(Options { device, mode: OffloadModeName::Balanced, ..Options::default() })
}

/// A host with the tests' own plugin.
fn guests() -> Host {
    let mut host = Host::empty(Options::default());
    host.load("guests", GUESTS).unwrap();
    host
}

fn chatter(host: &Host, calls: i32) {
    host.run("Chatter", vec![("calls", Value::Integer(calls.into()))]);
}

/// The demo, from the checkpoint to the picture.
fn render(host: &Host) {
    let checkpoint = host.checkpoint(DEMO);
    let sampled = host.sample(&checkpoint, "a red handwritten seven on a blue background", 42);
    black_box(host.decode(&checkpoint, sampled));
}

/// The same step on candle alone.
struct Yardstick {
    unet: native::Unet,
    step: native::OracleStep,
}

impl Yardstick {
    fn new() -> Self {
        Self {
            unet: native::Unet::load(&data().join("models/checkpoints").join(DEMO)).unwrap(),
            step: native::OracleStep::load(&data().join("tiny-sd-digits/oracle.safetensors"))
                .unwrap(),
        }
    }

    fn run(&self) -> candle_core::Tensor {
        let native::OracleStep { latent, timestep, context, .. } = &self.step;
        self.unet.forward(latent, *timestep, context).unwrap()
    }
}

thread_local! {
    static STEP: OnceCell<Step> = const { OnceCell::new() };
}

#[divan::bench]
fn unet_step_component(bencher: Bencher) {
    STEP.with(|step| {
        let step = step.get_or_init(|| Step::new(Host::default()));
        bencher.bench_local(|| step.run().unwrap());
    });
}

#[divan::bench]
fn unet_step_native(bencher: Bencher) {
    let yardstick = Yardstick::new();
    bencher.bench_local(|| yardstick.run());
}

#[divan::bench]
fn unet_step_in_a_quarter_of_the_room(bencher: Bencher) {
    let step = Step::new(room(DEMO_WEIGHTS / 4));
    bencher.bench_local(|| step.run().unwrap());
}

#[divan::bench]
fn store_instantiate_run_drop(bencher: Bencher) {
    let guests = guests();
    bencher.bench_local(|| guests.run("Idle", vec![]));
}

#[divan::bench(sample_count = 10)]
fn text_to_image(bencher: Bencher) {
    let host = Host::default();
    bencher.bench_local(|| render(&host));
}

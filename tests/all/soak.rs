//! Ten thousand runs, good and bad, side by side: nothing of them stays.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use berth_hostile::Hostile;
use berth_memory::Cancel;
use berth_sandbox::{Plugin, RunContext, RunLimits, SandboxError, Value, manifest};
use berth_tests::host::{DEMO, Host, Options, Silent, text};
use berth_tests::{GUESTS, HOSTILE};

use crate::alone::alone;

/// How many runs there are.
const RUNS: usize = 10_000;

/// After so many, everything that a host keeps for good is there.
const WARM: usize = 1_000;

/// What a run is meant to come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    /// Its result.
    Good,
    /// An error that names its plugin.
    Refused,
    /// It is cancelled from outside.
    Cancelled,
    /// Its time is over.
    TimedOut,
}

/// What the process has.
#[derive(Debug, Clone, Copy)]
struct Process {
    /// Resident bytes.
    memory: u64,
    files: usize,
    threads: usize,
}

impl Process {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = status.split_whitespace().nth(1).unwrap().parse().unwrap();
        let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
        Self {
            memory: pages * 4096,
            files: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
        }
    }
}

/// The host, its plugins, and what good runs give.
struct Soak {
    host: Host,
    guests: Arc<Plugin>,
    /// Its runs may take no time.
    hasty: Arc<Plugin>,
    /// Its runs may take for ever.
    patient: Arc<Plugin>,
    model: Value,
    expected: Vec<u32>,
}

impl Soak {
    fn new() -> Self {
        let limits = RunLimits { linear_memory: 64 << 20, handles: 1000, ..RunLimits::default() };
        let mut host = Host::with(Options { limits, ..Options::default() });
        let guests = host.load("guests", GUESTS).unwrap();
        let patient = host.load("patient", HOSTILE).unwrap();
        let hasty = {
            // With a manifest inside of it, it is another component.
            let text = "name = 'hasty'\nversion = '1.0.0'\ncontract = '0.1.0'\n\
                        [limits]\nrun-time = '2ms'";
            let bytes = manifest::embed(HOSTILE, text);
            host.load_under("hasty", &bytes, None, &Default::default()).unwrap()
        };
        let model = host.checkpoint(DEMO).model;
        let mut soak = Self { host, guests, hasty, patient, model, expected: Vec::new() };
        soak.expected = soak.step();
        soak
    }

    /// A step of the demo's model.
    fn step(&self) -> Vec<u32> {
        self.host.step(&self.model)
    }

    fn guest(&self, node: &str, inputs: Vec<(&str, Value)>) -> Result<Vec<Value>, SandboxError> {
        let inputs = inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.guests.run(node, inputs, self.host.context())
    }

    /// The run of a number, the same each time.
    fn run(&self, index: usize) -> End {
        let dice = mixed(index as u64);
        let size = |most: u64| vec![("mebibytes", Value::Integer((dice / 100 % most).into()))];
        let refused = |result: Result<Vec<Value>, SandboxError>| {
            let error = result.unwrap_err();
            let whose = error.plugin().unwrap();
            assert!(["guests", "patient"].contains(&whose), "run {index}: {error:?}");
            End::Refused
        };
        let patient = |node: Hostile, inputs: Vec<(String, Value)>| {
            self.patient.run(node.node(), inputs, self.host.context())
        };
        match dice % 100 {
            0..4 => {
                assert!(self.step() == self.expected, "run {index}: another result");
                End::Good
            }
            4..16 => {
                self.guest("Idle", vec![]).unwrap();
                End::Good
            }
            16..28 => {
                self.guest("Leak", size(4)).unwrap();
                End::Good
            }
            28..40 => {
                assert_eq!(self.guest("Hold", size(4)).unwrap().len(), 1);
                End::Good
            }
            40..52 => refused(self.guest("Trap", vec![("message", text("\u{1b}[31mboo"))])),
            52..64 => refused(self.guest("HoldAndTrap", size(8))),
            64..70 => {
                refused(patient(Hostile::Grow, vec![("mebibytes".into(), Value::Integer(65))]))
            }
            70..76 => refused(patient(Hostile::Hoard, vec![])),
            76..80 => refused(self.guest("Burrow", vec![])),
            80..90 => {
                let cancel = Cancel::new();
                let context = RunContext::new(cancel.clone(), Arc::new(Silent));
                let error = std::thread::scope(|threads| {
                    threads.spawn(move || {
                        std::thread::sleep(Duration::from_micros(dice / 100 % 2000));
                        cancel.cancel();
                    });
                    self.patient.run(Hostile::Spin.node(), vec![], &context).unwrap_err()
                });
                assert!(error.is_cancelled(), "run {index}: {error:?}");
                End::Cancelled
            }
            _ => {
                let error =
                    self.hasty.run(Hostile::Spin.node(), vec![], self.host.context()).unwrap_err();
                assert!(matches!(error, SandboxError::TimedOut { .. }), "run {index}: {error:?}");
                End::TimedOut
            }
        }
    }

    /// Runs of a range on all cores, and how they ended.
    fn runs(&self, range: std::ops::Range<usize>) -> BTreeMap<End, usize> {
        let next = AtomicUsize::new(range.start);
        let ends = std::sync::Mutex::new(BTreeMap::new());
        let cores = std::thread::available_parallelism().unwrap().get().max(2);
        std::thread::scope(|threads| {
            for _ in 0..cores {
                let work = || {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= range.end {
                            break;
                        }
                        let end = self.run(index);
                        *ends.lock().unwrap().entry(end).or_default() += 1;
                    }
                };
                let thread = std::thread::Builder::new().stack_size(berth_sandbox::STACK_SIZE);
                thread.spawn_scoped(threads, work).unwrap();
            }
        });
        ends.into_inner().unwrap()
    }
}

/// A number that looks like chance and is none (SplitMix64).
fn mixed(index: u64) -> u64 {
    let mut z = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[test]
fn ten_thousand_good_hostile_cancelled_and_late_runs_leave_nothing() {
    if !alone("soak::ten_thousand_good_hostile_cancelled_and_late_runs_leave_nothing") {
        return;
    }
    let soak = Soak::new();
    let begun = Instant::now();
    let mut ends = soak.runs(0..WARM);
    let held = soak.host.stats().allocations;
    let before = Process::now();
    for (end, count) in soak.runs(WARM..RUNS) {
        *ends.entry(end).or_default() += count;
    }
    let after = Process::now();
    let stats = soak.host.stats();
    let survivors = stats.allocations.saturating_sub(held);
    println!("{RUNS} runs in {:.1} s: {ends:?}", begun.elapsed().as_secs_f64());
    println!("survivors: {survivors} allocations, {} leases", stats.leases);
    println!("after {WARM} runs: {before:?}\nafter {RUNS} runs: {after:?}");
    assert_eq!(ends.values().sum::<usize>(), RUNS);
    assert!(ends.len() == 4 && ends.values().all(|count| *count > RUNS / 20), "{ends:?}");
    assert_eq!((survivors, stats.leases), (0, 0));
    for plugin in [&soak.guests, &soak.hasty, &soak.patient] {
        let charge = soak.host.compute().memory().charge(plugin.account());
        assert_eq!((charge.device, charge.host, charge.disk), (0, 0, 0), "{}", plugin.name());
    }
    assert!(after.files <= before.files, "files");
    // Pools let a thread go some seconds after its last work.
    let patience = Instant::now();
    while Process::now().threads > before.threads && patience.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let threads = Process::now().threads;
    assert!(threads <= before.threads, "{threads} threads");
    // One run in a thousand that kept its megabytes would show.
    assert!(after.memory < before.memory + (24 << 20), "memory");
}

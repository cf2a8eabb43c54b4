//! What a language costs: `cargo bench -p berth-tests --bench languages` prints the README's table.
//!
//! The same two nodes, built from each SDK's example. Cold start is compiling the component and
//! asking it for its nodes, warm start is the same with its code in the cache; a run is a store, an
//! instance, `Sharpen` on an image so small that computing it costs nothing, and the end of both.

mod measure;

use std::time::{Duration, Instant};

use berth_compute::Compute;
use berth_memory::{Limits, OffloadModeName, Setup, offload};
use berth_sandbox::{Folders, ModelFolders, Policy, RunContext, Sandbox, Settings, Value};
use berth_tests::host::{Host, Options, Silent};
use berth_tests::languages::{Example, FIRST, SECOND};

use crate::measure::{keep_freed_pages, median};

/// Runs that a median is of.
const ROUNDS: usize = 200;

/// Warm starts that a median is of.
const STARTS: usize = 20;

fn main() {
    keep_freed_pages();
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("| language | component | build | cold start | warm start | a run of `Sharpen` |");
    println!("|---|---|---|---|---|---|");
    for language in FIRST.into_iter().chain(SECOND) {
        let Some(example) = Example::of(language) else { continue };
        // The first build may build the SDK as well.
        example.project.build().unwrap();
        let built = example.project.build().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let (cold, warm) = starts(&example, cache.path());
        println!(
            "| {} | {} | {:.1} s | {:.2} s | {:.1} ms | {:.0} µs |",
            example.project.language(),
            size(built.size),
            built.time.as_secs_f64(),
            cold.as_secs_f64(),
            warm.as_secs_f64() * 1e3,
            run(&example).as_secs_f64() * 1e6,
        );
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        small @ ..1_000_000 => format!("{} kB", small / 1000),
        large => format!("{:.1} MB", large as f64 / 1e6),
    }
}

/// How long loading takes, the first time and then.
fn starts(example: &Example, cache: &std::path::Path) -> (Duration, Duration) {
    let component = std::fs::read(example.project.component()).unwrap();
    let start = || {
        let place = |name: &str| cache.join(name);
        let folders =
            Folders { output: place("out"), temporary: place("temporary"), input: place("in") };
        let mode = offload::mode(OffloadModeName::Planned);
        let compute = Compute::with(Setup::new(Limits { device: 1 << 30, host: 1 << 30 }, mode));
        let settings = Settings { compiled_cache: Some(place("cache")), ..Settings::default() };
        let sandbox =
            Sandbox::new(compute, ModelFolders::new(Vec::new()), folders, settings).unwrap();
        let begun = Instant::now();
        let plugin = sandbox.load("pictures", &component, None, &Policy::default()).unwrap();
        let time = begun.elapsed();
        assert_eq!(plugin.node_types().len(), 2);
        time
    };
    (start(), median((0..STARTS).map(|_| start()).collect()))
}

/// How long a run takes that has nothing to compute.
fn run(example: &Example) -> Duration {
    let mut host = Host::empty(Options::default());
    let plugin = example.load(&mut host);
    let image = host.tensor(&[1, 4, 4, 3], &[0.5; 48]);
    let context = RunContext::new(berth_memory::Cancel::new(), std::sync::Arc::new(Silent));
    let one = || {
        let inputs =
            vec![("image".to_owned(), image.clone()), ("amount".to_owned(), Value::Number(1.0))];
        let begun = Instant::now();
        plugin.run("Sharpen", inputs, &context).unwrap();
        begun.elapsed()
    };
    for _ in 0..20 {
        one();
    }
    median((0..ROUNDS).map(|_| one()).collect())
}

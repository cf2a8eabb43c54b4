//! What becomes of nodes' results, with real models: what is released makes room, and
//! what was lost comes again with the same bits.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use berth_memory::{Cancel, Limits, OffloadModeName};
use berth_sandbox::Folders;
use berth_tests::host::DEMO;
use berth_tests::oracle::data;
use berth_workflow::{
    Event, Host, Observer, Outcome, Release, Run, RunError, Settings, Workflow, runtime,
};

struct Nobody;

impl Observer for Nobody {
    fn event(&self, _event: Event) {}
}

/// Folders, and models that are the demo's but for a bit, so that no weight of one is another's.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let models = folder.path().join("models/checkpoints");
    std::fs::create_dir_all(&models).unwrap();
    let demo = std::fs::read(data().join("models/checkpoints").join(DEMO)).unwrap();
    std::fs::write(models.join(DEMO), &demo).unwrap();
    for (name, bit) in [("first.safetensors", 1), ("second.safetensors", 2)] {
        let mut bytes = demo.clone();
        *bytes.last_mut().unwrap() ^= bit;
        std::fs::write(models.join(name), bytes).unwrap();
    }
    folder
}

fn settings(folder: &Path, limits: Limits, mode: OffloadModeName, release: Release) -> Settings {
    let place = |name: &str| folder.join(name);
    let folders =
        Folders { output: place("output"), temporary: place("temporary"), input: place("input") };
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests");
    Settings {
        limits,
        offload: mode,
        release,
        headroom: 0,
        models: vec![place("models")],
        compiled_cache: Some(cache),
        cached_results: 100,
        ..Settings::new(folders)
    }
}

fn run(host: &Host, workflow: &str, seed: u32) -> Result<Outcome, RunError> {
    let text = std::fs::read(data().join("workflows").join(workflow)).unwrap();
    let mut workflow = Workflow::parse(&text).unwrap();
    workflow.set(&host.runner().registry(), "KSampler.seed", &seed.to_string()).unwrap();
    let cancel = Cancel::new();
    let plan = Arc::new(host.runner().validate(&workflow, None, &cancel).unwrap());
    let run = Run { prompt_id: "test".into(), cancel, observer: Arc::new(Nobody) };
    runtime().unwrap().block_on(host.runner().run(plan, run))
}

/// The bytes of the last picture that was saved.
fn picture(folder: &Path) -> Vec<u8> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder.join("output")).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    std::fs::read(files.last().unwrap()).unwrap()
}

const LEVELS: &str = "release-levels.json";

#[test]
fn what_was_used_makes_room_at_level_2_and_by_default_but_not_at_level_0() {
    let ample = Limits { device: 1 << 30, host: 1 << 30 };
    let peak = |release| {
        let folder = folder();
        let none = OffloadModeName::None;
        let host = Host::open(
            settings(folder.path(), ample, none, release),
            berth_stock_plugins::components(),
        )
        .unwrap();
        run(&host, LEVELS, 1).unwrap();
        (host.memory().tiers.device.peak, picture(folder.path()))
    };
    let (most, reference) = peak(Release::KeepAll);
    let (least, released) = peak(Release::AfterUse);
    assert!(released == reference);
    let device = least.midpoint(most);
    println!("at most {most} bytes at level 0, {least} at level 2; the limit is {device}");
    let folder = folder();
    let open = |mode, release| {
        let limits = Limits { device, ..ample };
        Host::open(
            settings(folder.path(), limits, mode, release),
            berth_stock_plugins::components(),
        )
        .unwrap()
    };
    let host = open(OffloadModeName::None, Release::KeepAll);
    let error = format!("{:?}", run(&host, LEVELS, 1).unwrap_err());
    assert!(error.contains("OutOfMemory") && error.contains(&device.to_string()), "{error}");
    drop(host);
    for (mode, release) in [
        (OffloadModeName::None, Release::AfterUse),
        (OffloadModeName::Planned, Release::Demote),
        (OffloadModeName::Planned, Release::KeepAll),
    ] {
        let host = open(mode, release);
        run(&host, LEVELS, 1).unwrap_or_else(|error| panic!("{mode} at level {release}: {error}"));
        assert!(picture(folder.path()) == reference, "{mode} at level {release}");
        assert!(host.memory().tiers.device.peak <= device);
    }
}

#[test]
fn a_lost_result_comes_again_with_the_same_bits() {
    let expected = |seed| {
        let folder = folder();
        let ample = Limits { device: 1 << 30, host: 1 << 30 };
        let mode = OffloadModeName::Planned;
        let settings = settings(folder.path(), ample, mode, Release::KeepAll);
        let host = Host::open(settings, berth_stock_plugins::components()).unwrap();
        run(&host, LEVELS, seed).unwrap();
        picture(folder.path())
    };
    let folder = folder();
    // Room for the running operation and little else: what is cached has no place.
    let tight = Limits { device: 5 << 20, host: 32 << 10 };
    let mode = OffloadModeName::Planned;
    let settings =
        Settings { spill: None, ..settings(folder.path(), tight, mode, Release::Demote) };
    let host = Host::open(settings, berth_stock_plugins::components()).unwrap();
    let first = run(&host, LEVELS, 1).unwrap();
    assert!(picture(folder.path()) == expected(1));
    let lost = host.memory().lost;
    println!("{lost} bytes were lost, {:?} ran", first.executed);
    assert!(lost > 0, "{:?}", host.memory());
    let second = run(&host, LEVELS, 2).unwrap();
    println!("{:?} ran again, {:?} did not", second.executed, second.cached);
    assert!(picture(folder.path()) == expected(2));
}

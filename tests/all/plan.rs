//! What a rehearsal says of the demo's memory, and what the demo then takes.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use berth_memory::{Cancel, Limits, OffloadModeName, PerTier, Tier};
use berth_sandbox::Folders;
use berth_tests::host::DEMO_WEIGHTS;
use berth_tests::oracle::data;
use berth_workflow::{
    Host, Prediction, Rehearsal, Run, Settings, Stock, Workflow, WorkflowError, runtime,
};
use tempfile::TempDir;

fn settings(folder: &Path, device: u64, host: u64, mode: OffloadModeName) -> Settings {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests");
    let folders = Folders {
        output: folder.join("output"),
        temporary: folder.join("temporary"),
        input: folder.join("input"),
    };
    Settings {
        limits: Limits { device, host },
        offload: mode,
        // What other programs take must not change what is measured.
        headroom: 0,
        models: vec![data().join("models")],
        compiled_cache: Some(cache),
        ..Settings::new(folders)
    }
}

fn demo() -> Workflow {
    Workflow::parse(&std::fs::read(data().join("workflows/text-to-image.json")).unwrap()).unwrap()
}

type Open = fn(Settings, &[Stock<'_>]) -> Result<Rehearsal, WorkflowError>;

fn play(open: Open, settings: Settings) -> Prediction {
    timed(open, settings, &[]).0
}

/// Runs the demo with some inputs changed, and says how many seconds that took.
fn timed(open: Open, settings: Settings, changes: &[(&str, &str)]) -> (Prediction, f64) {
    let rehearsal = open(settings, berth_stock_plugins::components()).unwrap();
    let runner = rehearsal.host().runner();
    let mut workflow = demo();
    for (input, value) in changes {
        workflow.set(&runner.registry(), input, value).unwrap();
    }
    let cancel = Cancel::new();
    let plan = Arc::new(runner.validate(&workflow, None, &cancel).unwrap());
    let begun = Instant::now();
    let prediction = rehearsal.run(&plan, &cancel).unwrap();
    (prediction, begun.elapsed().as_secs_f64())
}

fn peaks(prediction: &Prediction) -> PerTier<u64> {
    let peak = |tier| prediction.memory.tier(tier).peak;
    PerTier { device: peak(Tier::Device), host: peak(Tier::Host), disk: peak(Tier::Disk) }
}

/// How far figures may be off, as parts of what is measured.
struct Tolerance {
    /// The peak on the device.
    device: f64,
    /// Each node's peak on the device.
    node: f64,
    /// Bytes that come to the device.
    moved: f64,
    /// Peaks on the host, and bytes read from disk.
    host: f64,
}

/// Nothing is off where operations alone move bytes. Where the copy worker does too, it
/// is a little sooner or later at each run: what a node finds on the device from the nodes before
/// differs by some weights, and so do those that left once and are kept on the host from
/// then on. Two real runs differ there as much as a prediction does.
fn tolerance(mode: OffloadModeName) -> Tolerance {
    match mode {
        OffloadModeName::None | OffloadModeName::Sequential | OffloadModeName::Balanced => {
            Tolerance { device: 0.0, node: 0.0, moved: 0.0, host: 0.0 }
        }
        OffloadModeName::Model | OffloadModeName::Planned => {
            Tolerance { device: 0.01, node: 0.05, moved: 0.05, host: 0.15 }
        }
    }
}

fn near(what: &str, tolerance: f64, predicted: u64, measured: u64) {
    let off = predicted.abs_diff(measured) as f64 / measured.max(1) as f64;
    assert!(off <= tolerance, "{what}: {predicted} were predicted, {measured} were measured");
}

#[test]
fn what_is_predicted_is_what_is_measured() {
    let folder = TempDir::new().unwrap();
    let ample = 4 << 30;
    for &mode in OffloadModeName::all() {
        for (device, host) in [
            (1 << 30, ample),
            (DEMO_WEIGHTS / 2, ample),
            (DEMO_WEIGHTS / 2, DEMO_WEIGHTS / 4),
            (DEMO_WEIGHTS / 4, ample),
            (1 << 17, ample),
        ] {
            let about = format!("{mode} in {device} and {host} bytes");
            let settings = || settings(folder.path(), device, host, mode);
            let predicted = play(Rehearsal::open, settings());
            let measured = play(Rehearsal::in_earnest, settings());
            println!("{about}");
            println!("  predicted {:?}", peaks(&predicted));
            println!("  measured  {:?}", peaks(&measured));
            compare(&about, &tolerance(mode), &predicted, &measured);
        }
    }
}

fn compare(about: &str, tolerance: &Tolerance, predicted: &Prediction, measured: &Prediction) {
    let failure = |prediction: &Prediction| {
        let failure = prediction.failure.as_ref();
        failure.map(|failure| (failure.node.clone(), failure.error.to_string()))
    };
    assert_eq!(failure(predicted), failure(measured), "{about}");
    let ids = |prediction: &Prediction| {
        prediction.nodes.iter().map(|node| node.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(predicted), ids(measured), "{about}");
    let near_peaks = |about: &str, device, predicted: &PerTier<u64>, measured: &PerTier<u64>| {
        for tier in Tier::ALL {
            let tolerance = if tier == Tier::Device { device } else { tolerance.host };
            near(&format!("{about}, {tier}"), tolerance, *predicted.get(tier), *measured.get(tier));
        }
    };
    for (predicted, measured) in predicted.nodes.iter().zip(&measured.nodes) {
        let about = format!("{about}, {}", measured.label);
        near_peaks(&about, tolerance.node, &predicted.peak, &measured.peak);
        let (predicted, measured) = (&predicted.moved, &measured.moved);
        let to_device = format!("{about}, to the device");
        near(&to_device, tolerance.moved, predicted.to_device, measured.to_device);
        let from_disk = format!("{about}, from disk");
        near(&from_disk, tolerance.host, predicted.from_disk, measured.from_disk);
    }
    near_peaks(about, tolerance.device, &peaks(predicted), &peaks(measured));
    for tier in Tier::ALL {
        let most = predicted.nodes.iter().map(|node| *node.peak.get(tier)).max();
        assert_eq!(most.as_ref(), Some(peaks(predicted).get(tier)), "{about}: a node's peak");
    }
}

#[test]
fn a_run_of_several_nodes_at_a_time_takes_what_was_predicted() {
    let folder = TempDir::new().unwrap();
    for device in [1 << 30, DEMO_WEIGHTS / 2] {
        let settings = || settings(folder.path(), device, 4 << 30, OffloadModeName::Balanced);
        let predicted = play(Rehearsal::open, settings());
        let host = Host::open(settings(), berth_stock_plugins::components()).unwrap();
        let plan = Arc::new(host.runner().validate(&demo(), None, &Cancel::new()).unwrap());
        let observer = Arc::new(|_| {});
        let run = Run { prompt_id: "test".into(), cancel: Cancel::new(), observer };
        runtime().unwrap().block_on(host.runner().run(plan, run)).unwrap();
        let measured = host.memory();
        near("device", 0.01, peaks(&predicted).device, measured.tier(Tier::Device).peak);
    }
}

#[test]
fn a_prediction_takes_a_tenth_of_the_time_and_writes_nothing() {
    let folder = TempDir::new().unwrap();
    let settings = || settings(folder.path(), 1 << 30, 4 << 30, OffloadModeName::Balanced);
    // The first of each finds its plugins uncompiled and its files unread.
    play(Rehearsal::open, settings());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    play(Rehearsal::in_earnest, settings());
    assert!(folder.path().join("output").exists());
    // A larger picture is more work and no more operations. Other tests take their time beside this.
    let larger = [("4.width", "128"), ("4.height", "128")];
    let seconds = |open: Open| timed(open, settings(), &larger).1;
    let ghost = (0..5).map(|_| seconds(Rehearsal::open)).fold(f64::MAX, f64::min);
    let real = seconds(Rehearsal::in_earnest);
    println!("{ghost:.3} s to predict {real:.3} s");
    assert!(ghost < real / 10.0, "{ghost:.3} s to predict {real:.3} s");
}

#[test]
fn a_node_that_cannot_run_is_named_with_what_it_lacks() {
    let folder = TempDir::new().unwrap();
    let settings = settings(folder.path(), 1 << 17, 4 << 30, OffloadModeName::Sequential);
    let prediction = play(Rehearsal::open, settings);
    let failure = prediction.failure.unwrap();
    assert_eq!(prediction.nodes.last().unwrap().id, failure.node);
    let text = failure.error.to_string();
    for part in ["out of memory", "on the device", "limit 131072"] {
        assert!(text.contains(part), "{text}");
    }
}

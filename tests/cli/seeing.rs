//! Seeing a run: figures, traces and pages.

use crate::{DEMO, Desk, fails};
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;

/// The data of a page.
pub(crate) fn data(page: &Path) -> Value {
    let page = std::fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("id=\"data\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

/// The nodes of the demo, as people find them.
const NODES: [&str; 7] = [
    "CheckpointLoaderSimple",
    "CLIPTextEncode",
    "EmptyLatentImage",
    "KSampler",
    "VAEDecode",
    "SaveImage",
    "Negative prompt",
];

#[test]
fn the_trace_and_the_page_hold_the_nodes_of_the_demo() {
    let desk = Desk::new();
    let output = desk.run(
        &crate::data(DEMO),
        &["--trace", "trace.json", "--report", "report.html", "--vram", "4MB"],
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let trace: Value =
        serde_json::from_slice(&std::fs::read(desk.path("trace.json")).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    for event in events {
        assert!(event["ph"].is_string() && event["name"].is_string(), "{event}");
        for key in ["ts", "pid", "tid"] {
            assert!(event[key].is_number(), "{key} of {event}");
        }
    }
    let spans = events.iter().filter(|event| event["ph"] == "X" && event["pid"] == 1);
    let labels: HashSet<&str> = spans.map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(labels.len(), 7, "{labels:?}");

    for (group, what) in [(2, "leases"), (3, "copies")] {
        let spans = events.iter().filter(|event| event["ph"] == "X" && event["pid"] == group);
        assert!(spans.count() > 100, "{what}");
    }
    let bytes = |name: &str| {
        let counters = events.iter().filter(|event| event["ph"] == "C" && event["name"] == name);
        counters.map(|event| event["args"]["bytes"].as_u64().unwrap()).max()
    };
    let peak = bytes("device").unwrap();
    assert!(peak <= 4_000_000 && bytes("device: stable-diffusion").unwrap() <= peak);

    let data = data(&desk.path("report.html"));
    let highest = data["layers"]["tiers"][0].as_array().unwrap().iter().map(|point| &point[1]);
    assert_eq!(highest.map(|used| used.as_u64().unwrap()).max(), Some(peak));
    let nodes = data["nodes"].as_array().unwrap();
    assert_eq!((nodes.len(), &data["end"]), (7, &"done".into()));
    for name in NODES {
        assert!(labels.iter().any(|label| label.contains(name)), "{name} in {labels:?}");
        let of = |node: &&Value| node["label"].as_str().unwrap().contains(name);
        let node = nodes.iter().find(of).unwrap();
        assert!(node["ended"].as_f64() >= node["began"].as_f64(), "{node}");
        assert!(node["device_peak"].as_u64() <= Some(peak), "{node}");
    }
    assert_eq!(data["workflow"], "text-to-image.json");
    assert!(data["moved"]["to_device"].as_u64() > Some(0));
}

#[test]
fn a_run_that_fails_is_seen_too() {
    let desk = Desk::new();
    let output = desk.run(&crate::data(DEMO), &["--vram", "100kB", "--report", "report.html"]);
    fails(&output, 1, &["out of memory"]);
    let data = data(&desk.path("report.html"));
    assert_eq!(data["end"], "failed");
    let nodes = data["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|node| node["end"] == "failed"), "{nodes:?}");
}

#[test]
fn a_file_that_cannot_be_made_is_told_before_anything_runs() {
    let desk = Desk::new();
    for option in ["--trace", "--report"] {
        let output = desk.run(&crate::data(DEMO), &[option, "nowhere/file"]);
        fails(&output, 1, &["cannot write", "nowhere/file", "No such file"]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("KSampler"));
    }
    assert!(!desk.path("output/red-seven_00001_.png").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_cannot_be_written_costs_no_result() {
    let desk = Desk::new();
    let arguments = ["--trace", "/dev/full", "--report", "report.html"];
    let output = desk.run(&crate::data(DEMO), &arguments);
    fails(&output, 1, &["cannot write the trace /dev/full", "No space left on device"]);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("wrote output/red-seven_00001_.png"), "{out}");
    assert!(desk.path("output/red-seven_00001_.png").exists());
    assert_eq!(data(&desk.path("report.html"))["end"], "done", "the other file is whole");
}

#[test]
fn figures_are_told_at_the_end() {
    let desk = Desk::new();
    let arguments = ["--stats", "--vram", "64MB", "--quota", "image=1MiB"];
    let output = desk.run(&crate::data(DEMO), &arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["device", "DRAM", "spill", "limit", "61.0 MiB", "stable-diffusion", "evictions"] {
        assert!(error.contains(part), "{part:?} is missing in:\n{error}");
    }
    assert!(error.lines().all(|line| line.chars().count() <= 80), "{error}");

    let output = desk.run(&crate::data(DEMO), &[&arguments[..], &["--json"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    let summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let memory = &summary["data"]["memory"];
    assert_eq!(memory["device"]["limit"], 64_000_000);
    assert!(memory["moved"]["to_device"].as_u64() > Some(0), "{memory}");
    let plugins = memory["plugins"].as_array().unwrap();
    let image = plugins.iter().find(|plugin| plugin["name"] == "image").unwrap();
    assert_eq!(image["quota"]["device"], 1 << 20);
    let output = desk.run(&crate::data(DEMO), &["--json"]);
    assert!(!String::from_utf8(output.stdout).unwrap().contains("\"memory\":"));
}

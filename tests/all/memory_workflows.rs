//! Memory nodes in workflows: when they run, what their wires carry, and who may load them.

use std::path::Path;
use std::sync::Arc;

use berth_memory::{Cancel, Limits, OffloadModeName};
use berth_sandbox::rights::{Grants, Requests, Right};
use berth_sandbox::{Folders, Policy};
use berth_tests::host::DEMO;
use berth_tests::oracle::data;
use berth_workflow::{
    Decided, Event, Host, NodeError, Observer, Outcome, Release, Run, RunError, Settings, Workflow,
    WorkflowError, runtime,
};
use serde_json::{Value as Json, json};

struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
}

fn settings(folder: &Path) -> Settings {
    let folders = Folders {
        output: folder.join("output"),
        temporary: folder.join("temporary"),
        input: folder.join("input"),
    };
    Settings {
        limits: Limits { device: 1 << 30, host: 4 << 30 },
        offload: OffloadModeName::Balanced,
        headroom: 0,
        release: Release::KeepAll,
        models: vec![data().join("models")],
        compiled_cache: Some(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests"),
        ),
        cached_results: 100,
        ..Settings::new(folders)
    }
}

/// A host with the stock plugins, and the folder that it works in.
fn host() -> (Host, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Host::open(settings(folder.path()), berth_stock_plugins::components()).unwrap(), folder)
}

fn run(host: &Host, workflow: &Json) -> Result<Outcome, Box<NodeError>> {
    let workflow = Workflow::parse(workflow.to_string().as_bytes()).unwrap();
    let cancel = Cancel::new();
    let plan = host.runner().validate(&workflow, None, &cancel).unwrap();
    let run = Run { prompt_id: "p".into(), cancel, observer: Arc::new(Silent) };
    match runtime().unwrap().block_on(host.runner().run(Arc::new(plan), run)) {
        Ok(outcome) => Ok(outcome),
        Err(RunError::Node(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

fn executed(outcome: &Outcome) -> Vec<&str> {
    let mut ids: Vec<&str> = outcome.executed.iter().map(|id| &**id).collect();
    ids.sort_unstable();
    ids
}

/// A model that is offloaded when a prompt was encoded, and sampled with what the offloading
/// passes on.
fn offloaded() -> Json {
    json!({
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": DEMO}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red seven", "clip": ["1", 1]}},
        "3": {"class_type": "OffloadCLIP", "inputs": {"clip": ["1", 1], "trigger": ["2", 0]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "5": {"class_type": "KSampler", "inputs": {
            "model": ["1", 0], "positive": ["3", 2], "negative": ["2", 0], "latent_image": ["4", 0],
            "seed": 1, "steps": 2, "cfg": 3.0, "sampler_name": "euler", "scheduler": "normal",
            "denoise": 1.0,
        }},
        "6": {"class_type": "OffloadModel", "inputs": {"model": ["1", 0], "trigger": ["5", 0]}},
        "7": {"class_type": "LoadFromDRAM", "inputs": {"dram_id": ["8", 1], "trigger": ["6", 2]}},
        "8": {"class_type": "OffloadVAE", "inputs": {"vae": ["1", 2]}},
        "9": {"class_type": "VAEDecode", "inputs": {"samples": ["7", 1], "vae": ["7", 0]}},
        "10": {"class_type": "SaveImage", "inputs": {"images": ["9", 0], "filename_prefix": "x"}},
    })
}

#[test]
fn nodes_with_effects_run_each_time_and_the_picture_stays_the_same() {
    let (host, folder) = host();
    let first = run(&host, &offloaded()).unwrap();
    assert_eq!(first.executed.len(), 10);
    let again = run(&host, &offloaded()).unwrap();
    for id in ["3", "6", "7", "8"] {
        assert!(executed(&again).contains(&id), "{id} did not run again");
    }
    for id in ["1", "2", "4"] {
        assert!(!executed(&again).contains(&id), "{id} has no effect, and ran again");
    }
    let pixels = |number: u32| {
        std::fs::read(folder.path().join(format!("output/x_{number:05}_.png"))).unwrap()
    };
    assert_eq!(pixels(1), pixels(2));
}

#[test]
fn a_cleanup_has_results_forgotten() {
    let (host, _folder) = host();
    let workflow = |clear: bool| {
        json!({
            "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": DEMO}},
            "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "x", "clip": ["1", 1]}},
            "3": {"class_type": "MemoryCleanup", "inputs": {
                "unpin": false, "clear_dram_cache": false, "clear_vram": true, "clear_results": clear,
                "trigger": ["2", 0],
            }},
        })
    };
    assert_eq!(executed(&run(&host, &workflow(false)).unwrap()), ["1", "2", "3"]);
    assert_eq!(executed(&run(&host, &workflow(true)).unwrap()), ["3"]);
    assert_eq!(executed(&run(&host, &workflow(false)).unwrap()), ["1", "2", "3"]);
}

#[test]
fn a_wire_that_the_consumer_of_a_passthrough_cannot_take_is_refused_before_the_run() {
    let (host, _folder) = host();
    let mut workflow = offloaded();
    workflow["3"]["inputs"]["trigger"] = json!(["4", 0]);
    // The only output that does not depend on it.
    workflow.as_object_mut().unwrap().remove("8");
    workflow["7"]["inputs"]["dram_id"] = json!("0");
    let workflow = Workflow::parse(workflow.to_string().as_bytes()).unwrap();
    let Err(invalid) = host.runner().validate(&workflow, None, &Cancel::new()) else {
        panic!("valid")
    };
    let problems = &invalid.node_errors["3"];
    assert_eq!(problems.errors[0].message, "Incompatible trigger input type");
    assert_eq!(problems.class_type, "OffloadCLIP");
    let hint = problems.errors[0].hint().unwrap();
    for part in ["`positive` of node 5 (KSampler)", "takes CONDITIONING", "passes on LATENT"] {
        assert!(hint.contains(part), "{part} is missing in: {hint}");
    }
}

#[test]
fn what_is_known_only_in_the_run_is_checked_when_the_consumer_is_given_it() {
    let (host, _folder) = host();
    let mut workflow = offloaded();
    // A tensor of any meaning, where a conditioning is due.
    workflow["11"] = json!({"class_type": "AllocateVRAM", "inputs": {"size": 0.001}});
    workflow["3"]["inputs"]["trigger"] = json!(["11", 0]);
    let error = run(&host, &workflow).unwrap_err();
    assert_eq!(error.node, "5");
    assert_eq!(error.error.to_string(), "Incompatible trigger input type");
    let hint = error.error.hint().unwrap();
    for part in ["`positive` of node 5 (KSampler)", "takes CONDITIONING", "passes on a tensor"] {
        assert!(hint.contains(part), "{part} is missing in: {hint}");
    }
}

#[test]
fn a_model_of_another_kind_from_dram_is_refused_where_it_arrives() {
    let (host, _folder) = host();
    let mut workflow = offloaded();
    workflow["7"]["inputs"]["dram_id"] = json!(["3", 1]);
    let error = run(&host, &workflow).unwrap_err();
    assert_eq!(error.node, "9");
    let told = error.error.to_string();
    assert!(told.contains("VAE") && told.contains("CLIP"), "{told}");
}

#[test]
fn plugins_of_the_operators_get_what_the_settings_grant_them() {
    let folder = tempfile::tempdir().unwrap();
    let stock = berth_stock_plugins::components();
    let (memory, others): (Vec<_>, Vec<_>) =
        stock.iter().copied().partition(|(name, ..)| *name == "memory");
    let path = folder.path().join("curious.wasm");
    let manifest = memory[0].1.replace("name = \"memory\"", "name = \"curious\"");
    std::fs::write(&path, berth_sandbox::manifest::embed(memory[0].2, &manifest)).unwrap();
    let open = |granted: &[&str]| {
        let plugins = vec![folder.path().to_owned()];
        let allowed = Requests { memory: true, ..Requests::default() };
        let grants = Grants { allowed, ..Grants::default() };
        let policy = Policy { grants, ..Policy::default() };
        let decided = || Decided { policy: policy.clone(), ..Decided::default() };
        let decided = granted.iter().map(|name| ((*name).to_owned(), decided())).collect();
        Host::open(Settings { plugins, decided, ..settings(folder.path()) }, &others)
    };
    let host = open(&[]).unwrap();
    let broken = host.broken();
    let broken = &broken[0];
    assert_eq!(broken.name, "curious");
    assert!(broken.error.to_string().contains("`curious` requests the right `memory`"));
    assert!(broken.error.hint().unwrap().contains("--grant curious=memory"));

    let host = open(&["curious"]).unwrap();
    assert!(host.broken().is_empty());
    assert!(host.plugins().iter().any(|plugin| plugin.name() == "curious"));

    let error = open(&["curios"]).err().unwrap();
    assert!(matches!(error, WorkflowError::UnknownPlugin { .. }), "{error}");
    assert!(error.hint().unwrap().contains("`curious`"), "{error}");

    assert_eq!(host.plugins().last().unwrap().rights().requests().rights(), [Right::Memory]);
}

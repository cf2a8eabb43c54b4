//! The program as a person uses it: what it prints, where it writes, how it ends.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what fails here fails a test")]

mod authoring;
mod manifests;
mod memory;
mod packages;
mod seeing;
mod trial;
mod trust;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const DEMO: &str = "workflows/text-to-image.json";

fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path)
}

/// A folder to work in, and the program in it.
struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn berth(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
        command.args(arguments).current_dir(self.0.path());
        // Compiled code is kept, so that it is compiled once for all tests.
        command.env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
        command.env_remove("BERTH_LOG").stdin(Stdio::null());
        command
    }

    /// Runs a workflow with the demo's models.
    fn run(&self, workflow: &Path, more: &[&str]) -> Output {
        let (models, workflow) = (data("models"), workflow.to_str().unwrap());
        let models = ["run", workflow, "--models", models.to_str().unwrap()];
        self.berth(&[&models[..], more].concat()).output().unwrap()
    }

    /// The demo with some of it changed, as a file.
    fn workflow(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut workflow: Value =
            serde_json::from_slice(&std::fs::read(data(DEMO)).unwrap()).unwrap();
        change(&mut workflow);
        let path = self.path("workflow.json");
        std::fs::write(&path, workflow.to_string()).unwrap();
        path
    }
}

/// The end of a run that must fail: its code, and that its error says all of this.
fn fails(output: &Output, code: i32, says: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    println!("{error}");
    assert_eq!(output.status.code(), Some(code), "{error}");
    // Where a line is broken depends on its length.
    let flat = error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    for part in says {
        assert!(flat.contains(part), "{part:?} is missing in:\n{error}");
    }
    assert!(!flat.contains("panicked at host"), "{error}");
}

#[test]
fn the_demo_renders_a_picture_that_carries_its_workflow() {
    let desk = Desk::new();
    let output = desk.run(&data(DEMO), &[]);
    let (out, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}");
    assert!(out.contains("output/red-seven_00001_.png"), "{out}");
    assert!(error.contains("KSampler") && error.contains("20 steps"), "{error}");
    assert!(error.contains("on the device"), "{error}");
    let png = std::fs::read(desk.path("output/red-seven_00001_.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let text = String::from_utf8_lossy(&png);
    assert!(text.contains("tEXtprompt\0") && text.contains("a red handwritten seven"));

    desk.run(&data(DEMO), &["--set", "KSampler.seed=7"]);
    let other = std::fs::read(desk.path("output/red-seven_00002_.png")).unwrap();
    assert_ne!(png, other, "another seed is another picture");
}

#[test]
fn little_room_changes_no_byte_of_the_picture() {
    let desk = Desk::new();
    for more in [
        &["--output", "a"][..],
        &["--output", "b", "--vram", "2MB"],
        &["--output", "c", "--vram", "2MB", "--offload", "sequential"],
        &["--output", "d", "--quota", "stable-diffusion=4MB"],
    ] {
        let output = desk.run(&data(DEMO), more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let picture =
        |folder: &str| std::fs::read(desk.path(folder).join("red-seven_00001_.png")).unwrap();
    for folder in ["b", "c", "d"] {
        assert!(picture("a") == picture(folder), "{folder}");
    }
}

#[test]
fn events_come_as_one_json_object_a_line() {
    let desk = Desk::new();
    let output = desk.run(&data(DEMO), &["--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"execution_start"));
    for kind in ["executing", "progress", "executed", "execution_success"] {
        assert!(kinds.contains(&kind), "{kind} is missing in {kinds:?}");
    }
    let executed = events.iter().find(|event| event["type"] == "executed").unwrap();
    let image = &executed["data"]["output"]["images"][0];
    assert_eq!(image["filename"], "red-seven_00001_.png");
    assert_eq!(image["type"], "output");
}

#[test]
fn nodes_and_plugins_can_be_looked_at() {
    let desk = Desk::new();
    let said = |arguments: &[&str]| {
        let output = desk.berth(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let all = said(&["nodes"]);
    for node in ["CheckpointLoaderSimple", "KSampler", "SaveImage", "EmptyLatentImage"] {
        assert!(all.contains(node), "{node} is missing in:\n{all}");
    }
    let one = said(&["nodes", "KSampler"]);
    for part in ["sampler_name", "dpmpp_2m", "denoise", "LATENT"] {
        assert!(one.contains(part), "{part} is missing in:\n{one}");
    }
    let info: Value = serde_json::from_str(&said(&["nodes", "KSampler", "--json"])).unwrap();
    assert_eq!(info["KSampler"]["input"]["required"]["seed"][0], "INT");

    std::fs::write(desk.path("guests.wasm"), berth_tests::GUESTS).unwrap();
    let inspected = said(&["plugin", "inspect", "guests.wasm"]);
    for part in ["Trap", "berth:node/tensors", "guests"] {
        assert!(inspected.contains(part), "{part} is missing in:\n{inspected}");
    }
}

#[test]
fn a_workflow_is_validated_without_being_run() {
    let desk = Desk::new();
    let models = data("models");
    let validate = |workflow: &Path| {
        let workflow = workflow.to_str().unwrap();
        let arguments = ["validate", workflow, "--models", models.to_str().unwrap()];
        desk.berth(&arguments).output().unwrap()
    };
    assert!(validate(&data(DEMO)).status.success());
    let wrong = desk.workflow(|workflow| workflow["5"]["inputs"]["steps"] = json!(0));
    fails(&validate(&wrong), 2, &["steps", "5", "KSampler"]);
    assert!(!desk.path("output").exists());
}

#[test]
fn a_plan_says_what_each_node_will_take_and_writes_nothing() {
    let desk = Desk::new();
    let (models, workflow) = (data("models"), data(DEMO));
    let plan = |more: &[&str]| {
        let arguments = ["plan", workflow.to_str().unwrap(), "--models", models.to_str().unwrap()];
        desk.berth(&[&arguments[..], more].concat()).output().unwrap()
    };
    let output = plan(&[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["5 “Sampler” (KSampler)", "stable-diffusion", "device", "DRAM", "limit"] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    let figures = |more: &[&str]| -> Value {
        let output = plan(&[&["--json"], more].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (plain, larger) = (figures(&[]), figures(&["--set", "4.width=128"]));
    assert_eq!(plain["nodes"].as_array().unwrap().len(), 7);
    let peak = |figures: &Value| figures["memory"]["device"]["peak"].as_u64().unwrap();
    assert!(peak(&larger) > peak(&plain), "a larger picture takes more");
    fails(&plan(&["--vram", "200kB"]), 1, &["KSampler", "out of memory", "200000", "--vram"]);
    assert_eq!(figures(&["--vram", "200kB"])["failure"]["node"], "5");
    assert_eq!(std::fs::read_dir(desk.0.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_model_is_named_with_those_there_are() {
    let desk = Desk::new();
    let path =
        desk.workflow(|workflow| workflow["1"]["inputs"]["ckpt_name"] = json!("sd.safetensors"));
    let says =
        ["sd.safetensors", "tiny-sd-digits.safetensors", "ckpt_name", "CheckpointLoaderSimple"];
    fails(&desk.run(&path, &[]), 2, &says);
}

#[test]
fn a_corrupt_checkpoint_is_named_with_what_is_wrong() {
    let desk = Desk::new();
    let whole = std::fs::read(data("models/checkpoints/tiny-sd-digits.safetensors")).unwrap();
    let folder = desk.path("models/checkpoints");
    std::fs::create_dir_all(&folder).unwrap();
    let workflow = data(DEMO);
    let arguments = ["run", workflow.to_str().unwrap(), "--models", "models"];
    let cut = whole[..whole.len() / 2].to_vec();
    let mut garbled = whole.clone();
    garbled[8..60].fill(b'x');
    for (bytes, says) in [
        (cut, &["incomplete", "download it again"][..]),
        (garbled, &["no usable safetensors file"]),
        (b"hello".to_vec(), &["only 5 bytes"]),
        (Vec::new(), &["only 0 bytes"]),
    ] {
        std::fs::write(folder.join("tiny-sd-digits.safetensors"), bytes).unwrap();
        let output = desk.berth(&arguments).output().unwrap();
        let where_ = ["tiny-sd-digits.safetensors", "CheckpointLoaderSimple"];
        fails(&output, 1, &[says, &where_].concat());
    }
}

#[test]
fn a_checkpoint_that_lacks_a_weight_names_its_key() {
    let desk = Desk::new();
    let whole = std::fs::read(data("models/checkpoints/tiny-sd-digits.safetensors")).unwrap();
    let key = b"model.diffusion_model.out.2.weight";
    let place = whole.windows(key.len()).position(|window| window == key).unwrap();
    let mut renamed = whole;
    renamed[place..place + 5].copy_from_slice(b"other");
    let folder = desk.path("models/checkpoints");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("tiny-sd-digits.safetensors"), renamed).unwrap();
    let workflow = data(DEMO);
    let arguments = ["run", workflow.to_str().unwrap(), "--models", "models"];
    let output = desk.berth(&arguments).output().unwrap();
    fails(&output, 1, &["model.diffusion_model.out.2.weight", "tiny-sd-digits.safetensors"]);
}

#[test]
fn a_checkpoint_without_a_vae_serves_until_the_vae_is_needed() {
    let desk = Desk::new();
    let whole = std::fs::read(data("models/checkpoints/tiny-sd-digits.safetensors")).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    // The same file with the VAE's keys under another name.
    let header = std::str::from_utf8(&whole[8..8 + length]).unwrap();
    let header = header.replace("\"first_stage_model.", "\"other_stage_model.");
    let folder = desk.path("models/checkpoints");
    std::fs::create_dir_all(&folder).unwrap();
    let bytes = [&whole[..8], header.as_bytes(), &whole[8 + length..]].concat();
    std::fs::write(folder.join("tiny-sd-digits.safetensors"), bytes).unwrap();
    let workflow = data(DEMO);
    let arguments = ["run", workflow.to_str().unwrap(), "--models", "models"];
    let output = desk.berth(&arguments).output().unwrap();
    fails(&output, 1, &["VAEDecode", "tiny-sd-digits.safetensors", "without a VAE"]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("20 steps"), "the sampler ran: {error}");
}

#[test]
fn a_workflow_that_goes_in_a_circle_is_refused() {
    let desk = Desk::new();
    let path = desk.workflow(|workflow| workflow["5"]["inputs"]["latent_image"] = json!(["5", 0]));
    fails(&desk.run(&path, &[]), 2, &["5", "KSampler"]);
}

#[test]
fn an_unknown_node_is_named_with_the_nearest_there_is() {
    let desk = Desk::new();
    let path = desk.workflow(|workflow| workflow["5"]["class_type"] = json!("KSamplr"));
    fails(&desk.run(&path, &[]), 2, &["KSamplr", "KSampler"]);
}

#[test]
fn a_wire_of_the_wrong_type_is_refused() {
    let desk = Desk::new();
    let path = desk.workflow(|workflow| workflow["5"]["inputs"]["model"] = json!(["1", 1]));
    fails(&desk.run(&path, &[]), 2, &["model", "MODEL", "CLIP", "KSampler"]);
}

#[test]
fn a_bad_seed_is_refused() {
    let desk = Desk::new();
    for seed in [json!(-1), json!("many"), json!(null), json!(1.8e19)] {
        let path = desk.workflow(|workflow| workflow["5"]["inputs"]["seed"] = seed.clone());
        if seed == json!(1.8e19) {
            // Within 64 bits, and how JavaScript may write it.
            assert!(desk.run(&path, &[]).status.success());
        } else {
            fails(&desk.run(&path, &[]), 2, &["seed", "KSampler"]);
        }
    }
    let output = desk.run(&data(DEMO), &["--set", "5.seed=99999999999999999999999"]);
    fails(&output, 2, &["seed"]);
}

#[test]
fn an_output_folder_that_cannot_be_written_is_found_before_anything_runs() {
    let desk = Desk::new();
    std::fs::write(desk.path("file"), "").unwrap();
    for folder in ["file/below", "/proc/berth"] {
        let output = desk.run(&data(DEMO), &["--output", folder]);
        fails(&output, 1, &[folder, "output"]);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("KSampler"));
    }
}

#[test]
fn a_plugin_that_traps_is_named_and_the_process_ends_well() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("plugins")).unwrap();
    std::fs::write(desk.path("plugins/guests.wasm"), berth_tests::GUESTS).unwrap();
    let path = desk.path("trap.json");
    let node = json!({ "9": { "class_type": "Trap", "inputs": { "message": "oh no" } } });
    std::fs::write(&path, node.to_string()).unwrap();
    let output = desk.run(&path, &["--plugins", "plugins"]);
    fails(&output, 1, &["guests", "9", "Trap", "crashed", "oh no"]);
}

#[test]
fn a_broken_plugin_is_left_out_with_a_warning() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("plugins")).unwrap();
    std::fs::write(desk.path("plugins/odd.wasm"), "not wasm").unwrap();
    let output = desk.run(&data(DEMO), &["--plugins", "plugins"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("odd"));
}

#[test]
fn a_component_that_no_compiler_masters_is_left_out_and_the_others_load() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("plugins")).unwrap();
    std::fs::write(desk.path("plugins/guests.wasm"), berth_tests::GUESTS).unwrap();
    let bomb = berth_tests::bombs::enormous_body(2000, 2000);
    std::fs::write(desk.path("plugins/bomb.wasm"), bomb).unwrap();
    // Less memory than the compiler would get, so that it is used up sooner.
    let output = Command::new("/bin/sh")
        .args(["-c", "ulimit -d 400000; exec \"$0\" nodes --plugins plugins"])
        .arg(env!("CARGO_BIN_EXE_berth"))
        .current_dir(desk.0.path())
        // An empty cache: every plugin goes through the compiler.
        .env("XDG_CACHE_HOME", desk.path("cache"))
        .env_remove("BERTH_LOG")
        .output()
        .unwrap();
    let (out, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{error}");
    assert!(out.contains("KSampler") && out.contains("HoldAndTrap"), "{out}");
    assert!(error.contains("`bomb` is left out") && error.contains("memory"), "{error}");
    let entries = std::fs::read_dir(desk.path("cache/berth/compiled-v2")).unwrap();
    assert_eq!(entries.count(), berth_stock_plugins::components().len() + 1);
}

#[test]
fn too_little_room_is_an_error_with_its_figures() {
    let desk = Desk::new();
    let output = desk.run(&data(DEMO), &["--vram", "100kB"]);
    fails(&output, 1, &["out of memory", "100000", "--vram"]);
    let output = desk.run(&data(DEMO), &["--quota", "stable-diffusion=100kB"]);
    fails(&output, 1, &["quota", "100000", "--quota stable-diffusion="]);
    let output = desk.run(&data(DEMO), &["--quota", "stable-difusion=100kB"]);
    fails(&output, 2, &["stable-difusion"]);
}

#[test]
fn what_is_no_workflow_is_refused_with_its_place() {
    let desk = Desk::new();
    for (text, says) in [
        ("{\"1\": ", "line 1"),
        ("[]", "object"),
        ("{}", "no"),
        ("{\"nodes\": [], \"links\": []}", "API"),
        ("\u{feff}", "JSON"),
    ] {
        let path = desk.path("odd.json");
        std::fs::write(&path, text).unwrap();
        fails(&desk.run(&path, &[]), 2, &[says]);
    }
    fails(&desk.run(&desk.path("nowhere.json"), &[]), 2, &["nowhere.json"]);
}

#[test]
fn ctrl_c_stops_a_run_and_says_so() {
    let desk = Desk::new();
    let path = desk.workflow(|workflow| workflow["5"]["inputs"]["steps"] = json!(10000));
    let (models, path) = (data("models"), path.to_str().unwrap().to_owned());
    let arguments = ["run", &path, "--models", models.to_str().unwrap(), "--json"];
    let mut child =
        desk.berth(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    // The sampler is at work from its first step on.
    assert!(lines.any(|line| line.unwrap().contains("\"progress\"")));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(rest.iter().any(|line| line.contains("execution_interrupted")), "{:?}", rest.last());
}

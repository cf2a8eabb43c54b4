//! Which plugins run, what they may do, and what is told about it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use berth_sandbox::Digest;
use berth_sandbox::manifest::embed;
use serde_json::{Value, json};

use crate::{Desk, data, fails};

const MODEL: &str = "tiny-sd-digits.safetensors";

/// A manifest with these requests.
fn manifest(name: &str, requests: &str) -> String {
    format!("name = {name:?}\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n[requests]\n{requests}\n")
}

/// The misbehaving plugin with a manifest inside of it.
fn guests(name: &str, requests: &str) -> Vec<u8> {
    embed(berth_tests::GUESTS, &manifest(name, requests))
}

/// The stock plugin `memory` under another name.
fn tidy(requests: &str) -> Vec<u8> {
    let stock = berth_stock_plugins::components().iter().find(|(name, ..)| *name == "memory");
    embed(stock.unwrap().2, &manifest("tidy", requests))
}

impl Desk {
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Runs one node with the plugins of the folder `plugins`.
    fn node(&self, class: &str, inputs: Value, more: &[&str]) -> Output {
        let workflow = json!({ "1": { "class_type": class, "inputs": inputs } });
        let path = self.file("node.json", workflow.to_string());
        std::fs::create_dir_all(self.path("plugins")).unwrap();
        self.run(&path, &[&["--plugins", "plugins"], more].concat())
    }

    fn inspect(&self, file: &str, more: &[&str]) -> Output {
        self.berth(&[&["plugin", "inspect", file], more].concat()).output().unwrap()
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_missing_key_is_an_error_of_its_own() {
    let desk = Desk::new();
    let snoop = |more: &[&str]| desk.node("Snoop", json!({ "path": MODEL }), more);
    let grant = ["--grant", "guests=models:checkpoints/*"];
    desk.file("plugins/guests.wasm", guests("guests", ""));
    fails(&snoop(&grant), 1, &["`guests` does not request `models:checkpoints/"]);
    desk.file("plugins/guests.wasm", guests("guests", "models = ['checkpoints/*']"));
    let says = ["is not granted it", "--grant guests=models:checkpoints/tiny-sd"];
    fails(&snoop(&[]), 1, &says);
    succeeds(&snoop(&grant));
    fails(&snoop(&["--grant", "guests=network"]), 2, &["`network` is no right", "models:CATEGORY"]);
}

#[test]
fn a_plugin_that_needs_a_right_to_be_loaded_is_left_out_without_it() {
    let desk = Desk::new();
    // It provides what a stock plugin does, so that it cannot run beside it; here it is refused
    // before that.
    desk.file("plugins/tidy.wasm", tidy("memory = true"));
    let output = desk.node("Idle", json!({}), &[]);
    fails(
        &output,
        2,
        &["`tidy` is left out", "requests the right `memory`", "--grant tidy=memory"],
    );
    desk.file("plugins/tidy.wasm", tidy(""));
    let output = desk.node("Idle", json!({}), &["--grant", "tidy=memory"]);
    fails(&output, 2, &["`tidy` is left out", "does not request", "plugin.toml"]);
}

#[test]
fn a_digest_pins_a_component_and_names_it_whatever_its_file_is_called() {
    let desk = Desk::new();
    let component = guests("calm", "");
    desk.file("plugins/odd.wasm", &component);
    let digest = Digest::of(&component);
    desk.file("berth.toml", format!("[plugins.calm]\ndigest = \"{digest}\"\n"));
    succeeds(&desk.node("Idle", json!({}), &[]));
    let output = desk.node("Trap", json!({ "message": "oh" }), &[]);
    fails(&output, 1, &["plugin `calm` crashed"]);

    desk.file("plugins/odd.wasm", guests("calm", "clock = true"));
    let output = desk.node("Idle", json!({}), &[]);
    fails(&output, 2, &["there is no plugin `calm`"]);
    desk.file("plugins/calm.wasm", guests("calm", "clock = true"));
    std::fs::remove_file(desk.path("plugins/odd.wasm")).unwrap();
    let output = desk.node("Idle", json!({}), &[]);
    fails(&output, 2, &["`calm` is another component than it should be", "do not run it"]);
}

#[test]
fn the_operators_name_counts_and_not_what_a_manifest_says() {
    let desk = Desk::new();
    desk.file("plugins/other.wasm", guests("guests", ""));
    let output = desk.node("Idle", json!({}), &[]);
    fails(&output, 2, &["plugin `other` has the manifest of `guests`", "under the name `guests`"]);
    desk.file("elsewhere/x.wasm", guests("guests", ""));
    std::fs::remove_file(desk.path("plugins/other.wasm")).unwrap();
    desk.file("berth.toml", "[plugins.guests]\npath = \"elsewhere/x.wasm\"\n");
    succeeds(&desk.node("Idle", json!({}), &[]));
    desk.file("berth.toml", "[plugins.guests]\npath = \"elsewhere/y.wasm\"\n");
    let output = desk.node("Idle", json!({}), &[]);
    fails(&output, 1, &["cannot read the plugin", "elsewhere/y.wasm", "No such file"]);
}

#[test]
fn a_folder_with_a_manifest_is_a_plugin_and_a_broken_one_stops_no_other() {
    let desk = Desk::new();
    desk.file("plugins/guests/component.wasm", berth_tests::GUESTS);
    desk.file("plugins/guests/plugin.toml", manifest("guests", ""));
    desk.file("plugins/empty/plugin.toml", manifest("empty", ""));
    desk.file("plugins/misread/a.wasm", guests("misread", ""));
    desk.file("plugins/misread/plugin.toml", "name = \"misread\"\nverzion = \"1.0.0\"\n");
    let output = desk.node("Idle", json!({}), &[]);
    succeeds(&output);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    for part in ["`empty` is left out", "0 components", "`misread` is left out", "line 2"] {
        assert!(error.contains(part), "{part:?} is missing in:\n{error}");
    }
}

#[test]
fn a_plugin_is_looked_at_with_what_it_would_get() {
    let desk = Desk::new();
    desk.file("tidy.wasm", tidy("memory = true\nmodels = ['vae/*']"));
    let output = desk.inspect("tidy.wasm", &["--grant", "tidy=memory"]);
    succeeds(&output);
    let text = stdout(&output);
    println!("{text}");
    for part in
        ["tidy", "1.0.0", "memory", "yes", "--grant tidy=models:vae/*", "MemoryStats", "1.0 GiB"]
    {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    let json = desk.inspect("tidy.wasm", &["--grant", "tidy=memory", "--json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let granted: Vec<&Value> =
        json["rights"].as_array().unwrap().iter().map(|right| &right["granted"]).collect();
    assert_eq!(granted, [&json!(true), &json!(false)]);
    assert_eq!(json["manifest"]["name"], "tidy");
    assert_eq!(json["refused"], Value::Null);
}

#[test]
fn a_plugin_that_would_be_refused_is_shown_all_the_same() {
    let desk = Desk::new();
    desk.file("tidy.wasm", tidy("memory = true"));
    let output = desk.inspect("tidy.wasm", &[]);
    fails(&output, 1, &["would be refused", "requests the right `memory`", "--grant tidy=memory"]);
    assert!(stdout(&output).contains("no, grant is missing"), "{}", stdout(&output));
    assert!(stdout(&output).contains("MemoryStats"), "{}", stdout(&output));

    desk.file("tidy.wasm", tidy(""));
    let output = desk.inspect("tidy.wasm", &["--grant", "tidy=memory"]);
    fails(&output, 1, &["would be refused", "does not request"]);
    assert!(stdout(&output).contains("no, request is missing"), "{}", stdout(&output));

    desk.file("odd.wasm", guests("even", ""));
    let output = desk.inspect("odd.wasm", &[]);
    fails(&output, 1, &["would be refused", "has the manifest of `even`"]);
    assert!(stdout(&output).contains("claims    even"), "{}", stdout(&output));

    desk.file("berth.toml", format!("[plugins.even]\npath = 'odd.wasm'\ndigest = '{:064}'", 0));
    let output = desk.inspect("odd.wasm", &[]);
    fails(&output, 1, &["would be refused", "another component"]);
    assert!(stdout(&output).contains("name      even"), "{}", stdout(&output));
    fails(&desk.inspect("none.wasm", &[]), 1, &["cannot read the plugin", "none.wasm"]);
}

#[test]
fn a_dry_run_counts_what_would_be_denied_and_writes_nothing() {
    let desk = Desk::new();
    desk.file("plugins/guests.wasm", guests("guests", "models = ['checkpoints/*']"));
    let dry = |more: &[&str]| {
        desk.node("Snoop", json!({ "path": MODEL }), &[&["--dry-run"], more].concat())
    };
    let output = dry(&[]);
    fails(&output, 1, &["2 of the rights", "would be denied"]);
    let text = stdout(&output);
    println!("{text}");
    for part in ["guests", "models:checkpoints/tiny", "grant", "once", "--grant guests=models:"] {
        assert!(text.contains(part), "{part:?} is missing in:\n{text}");
    }
    let json: Value = serde_json::from_slice(&dry(&["--json"]).stdout).unwrap();
    let counts = |right: &str| {
        let denied = json["denied"].as_array().unwrap();
        let row = denied.iter().find(|row| row["right"] == right).unwrap().clone();
        (row["missing"].clone(), row["when_loaded"].clone(), row["in_run"].clone())
    };
    assert_eq!(counts("models:checkpoints/*"), (json!("grant"), json!(1), json!(0)));
    let model = format!("models:checkpoints/{MODEL}");
    assert_eq!(counts(&model), (json!("grant"), json!(0), json!(1)));

    let output = dry(&["--grant", "guests=models:checkpoints/*"]);
    succeeds(&output);
    assert_eq!(stdout(&output), "nothing would be denied\n");
    desk.file("plugins/guests.wasm", guests("guests", ""));
    let json: Value = serde_json::from_slice(&dry(&["--json"]).stdout).unwrap();
    assert_eq!(json["denied"][0]["missing"], "request");
    assert!(!desk.path("output").exists());
}

#[test]
fn the_demo_needs_no_grants() {
    let desk = Desk::new();
    let output = desk.run(&data(crate::DEMO), &["--dry-run"]);
    succeeds(&output);
    assert_eq!(stdout(&output), "nothing would be denied\n");
    assert!(!desk.path("output").exists());
}

#[test]
fn the_audit_trail_has_what_was_denied_hit_and_ended() {
    let desk = Desk::new();
    let component = guests("guests", "");
    desk.file("plugins/guests.wasm", &component);
    let audit = ["--audit", "audit.jsonl"];
    desk.node("Snoop", json!({ "path": MODEL }), &audit);
    desk.node(
        "HoldAndTrap",
        json!({ "mebibytes": 8 }),
        &[&audit[..], &["--quota", "guests=100kB"]].concat(),
    );
    desk.node("Trap", json!({ "message": "oh" }), &audit);
    let text = std::fs::read_to_string(desk.path("audit.jsonl")).unwrap();
    println!("{text}");
    let entries: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let digest = Digest::of(&component).to_string();
    let ours: Vec<&Value> = entries.iter().filter(|entry| entry["plugin"] == "guests").collect();
    assert!(ours.iter().all(|entry| entry["digest"] == digest.as_str()), "{ours:?}");
    let what: Vec<&str> = ours.iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["loaded", "denied", "loaded", "quota", "loaded", "killed"]);
    assert_eq!(ours[1]["right"], format!("models:checkpoints/{MODEL}"));
    assert_eq!(ours[1]["missing"], "Request");
    assert!(ours[5]["error"].as_str().unwrap().contains("crashed"));
    let stock = entries.iter().filter(|entry| entry["plugin"] == "memory");
    let stock: Vec<&str> = stock.map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!(stock[..2], ["loaded", "granted"]);
    let mode = std::fs::metadata(desk.path("audit.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let nowhere = desk.node("Trap", json!({}), &["--audit", "no/where.jsonl"]);
    fails(&nowhere, 1, &["cannot write the audit trail", "no/where.jsonl"]);
}

//! How memory is used: options, presets, and the configuration that they stand over.

use crate::{Desk, fails};
use serde_json::Value;
use std::path::Path;
use std::process::Output;

/// A workflow that needs no model.
const SMALL: &str = r#"{
    "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "small"}}
}"#;

/// Runs the small workflow.
fn run(desk: &Desk, more: &[&str]) -> Output {
    std::fs::write(desk.path("small.json"), SMALL).unwrap();
    desk.berth(&[&["run", "small.json"], more].concat()).output().unwrap()
}

/// What a run of the small workflow used.
fn used(desk: &Desk, more: &[&str]) -> Value {
    let output = run(desk, &[more, &["--report", "report.html"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    crate::seeing::data(&desk.path("report.html"))
}

#[test]
fn a_preset_is_a_mode() {
    let desk = Desk::new();
    for (arguments, mode) in [
        (&[][..], "planned"),
        (&["--lowvram"], "sequential"),
        (&["--medvram"], "balanced"),
        (&["--offload", "none"], "none"),
        (&["--offload", "model"], "model"),
    ] {
        assert_eq!(used(&desk, arguments)["mode"], mode, "{arguments:?}");
    }
    fails(&run(&desk, &["--lowvram", "--offload", "none"]), 2, &["--lowvram", "--offload"]);
    fails(&run(&desk, &["--lowvram", "--medvram"]), 2, &["--lowvram", "--medvram"]);
    let says = ["no offload mode `lru`", "none, model, sequential, balanced, planned"];
    fails(&run(&desk, &["--offload", "lru"]), 2, &says);
}

#[test]
fn a_reserve_is_less_of_the_device() {
    let desk = Desk::new();
    let limit = |arguments: &[&str]| used(&desk, arguments)["tiers"][0]["limit"].clone();
    assert_eq!(limit(&["--vram", "64MiB", "--reserve-vram", "16MiB"]), 48 << 20);
    assert_eq!(limit(&["--vram", "64MiB", "--reserve-vram", "0"]), 64 << 20);
    let all = run(&desk, &["--vram", "64MiB", "--reserve-vram", "1GiB"]);
    fails(&all, 2, &["nothing is left of the device: of 64.0 MiB, 1.0 GiB are reserved"]);
}

#[test]
fn a_watermark_is_a_fraction_a_percentage_or_a_size() {
    let desk = Desk::new();
    for mark in ["0.75", "75%", "6MiB", "0", "1"] {
        let output =
            run(&desk, &["--vram", "64MiB", "--high-watermark", "100%", "--low-watermark", mark]);
        assert!(output.status.success(), "{mark}: {}", String::from_utf8_lossy(&output.stderr));
    }
    for mark in ["101%", "half", "1.5", "much"] {
        let says = ["a watermark is a part of the device, such as 0.75 or 75%, or a size"];
        fails(&run(&desk, &["--high-watermark", mark]), 2, &says);
    }
    let crossed = run(&desk, &["--high-watermark", "0.2", "--low-watermark", "30%"]);
    fails(&crossed, 2, &["the low watermark, 30%, is above the high one, 20%"]);
}

#[test]
fn what_is_no_rule_level_or_right_is_refused_with_those_there_are() {
    let desk = Desk::new();
    for (arguments, says) in [
        (["--move", "up"], "base-for-refiner, base-for-vae, refiner-when-idle"),
        (["--release", "3"], "the levels are: 0, 1, 2, demote"),
        (["--grant", "image=network"], "network:HOST:PORT"),
        (["--grant", "image"], "such as tidy=memory"),
        (["--spill-limit", "some"], "such as 512MiB"),
    ] {
        fails(&run(&desk, &arguments), 2, &[says]);
    }
    let missing = run(&desk, &["--spill-dir", "nowhere"]);
    fails(&missing, 2, &["cannot use the folder nowhere to spill to", "turn spilling off"]);
    let off = run(&desk, &["--spill-dir", "nowhere", "--spill-limit", "0"]);
    assert!(off.status.success(), "{}", String::from_utf8_lossy(&off.stderr));
}

#[test]
fn a_configuration_counts_and_arguments_win_over_it() {
    let desk = Desk::new();
    let says = |desk: &Desk, arguments: &[&str]| {
        let used = used(desk, arguments);
        let quota = |name: &str| {
            let plugins = used["plugins"].as_array().unwrap();
            plugins.iter().find(|plugin| plugin["name"] == name).unwrap()["quota"][0].as_u64()
        };
        (
            used["mode"].as_str().unwrap().to_owned(),
            used["tiers"][0]["limit"].as_u64().unwrap() >> 20,
            quota("image").map(|bytes| bytes >> 20),
        )
    };
    let file =
        "[memory]\nvram = '32MiB'\noffload = 'sequential'\n[plugins.image]\nquota = '8MiB'\n";
    std::fs::write(desk.path("berth.toml"), file).unwrap();
    std::fs::write(desk.path("other.toml"), "[memory]\nvram = '16MiB'\n").unwrap();
    assert_eq!(says(&desk, &[]), ("sequential".into(), 32, Some(8)));
    let arguments = ["--vram", "64MiB", "--medvram", "--quota", "image=9MiB"];
    assert_eq!(says(&desk, &arguments), ("balanced".into(), 64, Some(9)));
    // Another file is instead of the one in the folder, not over it.
    assert_eq!(says(&desk, &["--config", "other.toml"]), ("planned".into(), 16, None));
    fails(&run(&desk, &["--config", "none.toml"]), 2, &["cannot read the configuration none.toml"]);
}

/// Each file of the folder `config` is wrong, and beside it stands what is said about it.
#[test]
fn mistakes_in_a_configuration_are_told_word_for_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli/config");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    assert!(files.len() >= 7, "{files:?}");
    for path in files {
        let desk = Desk::new();
        std::fs::copy(&path, desk.path("berth.toml")).unwrap();
        let output = desk.berth(&["nodes"]).env("NO_COLOR", "1").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = std::fs::read_to_string(path.with_extension("err")).unwrap_or_default();
        println!("{}:\n{said}", path.display());
        assert!(said == expected, "{} should be told otherwise: {expected}", path.display());
        assert_eq!(output.status.code(), Some(2), "{}", path.display());
    }
}

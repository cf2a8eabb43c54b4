//! Manifests as their authors check them: what is asked for, or what is wrong, word for word.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::{Desk, fails};

/// A folder's manifests, in the order of their names.
fn manifests(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/cli").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    files
}

fn check(desk: &Desk) -> Output {
    let arguments = ["plugin", "manifest", "plugin.toml"];
    desk.berth(&arguments).env("NO_COLOR", "1").output().unwrap()
}

/// Compares with what stands beside a manifest. With BERTH_BLESS, what is said stands there
/// from now on.
fn is_as_beside(path: &Path, ending: &str, said: Vec<u8>, wrong: &mut Vec<String>) {
    let said = String::from_utf8(said).unwrap();
    let beside = path.with_extension(ending);
    if std::env::var_os("BERTH_BLESS").is_some() {
        std::fs::write(&beside, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&beside).unwrap_or_default();
    if said != expected {
        wrong.push(format!("{}:\n{said}instead of\n{expected}", path.display()));
    }
}

#[test]
fn mistakes_in_a_manifest_are_told_word_for_word() {
    let files = manifests("manifests");
    assert!(files.len() >= 80, "{} are there", files.len());
    let mut wrong = Vec::new();
    let desk = Desk::new();
    for path in files {
        std::fs::copy(&path, desk.path("plugin.toml")).unwrap();
        let output = check(&desk);
        assert_eq!(output.status.code(), Some(2), "{}", path.display());
        assert!(output.stdout.is_empty(), "{}", path.display());
        is_as_beside(&path, "err", output.stderr, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\nBERTH_BLESS=1 writes them anew", wrong.join("\n"));
}

#[test]
fn a_good_manifest_is_told_by_what_it_asks_for() {
    let mut wrong = Vec::new();
    let desk = Desk::new();
    for path in manifests("manifests/good") {
        std::fs::copy(&path, desk.path("plugin.toml")).unwrap();
        let output = check(&desk);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        is_as_beside(&path, "out", output.stdout, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}\nBERTH_BLESS=1 writes them anew", wrong.join("\n"));
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let desk = Desk::new();
    fails(&check(&desk), 2, &["cannot read the manifest plugin.toml", "No such file", "help:"]);
    std::fs::write(desk.path("plugin.toml"), [0xff, 0xfe]).unwrap();
    fails(&check(&desk), 2, &["plugin.toml", "no text in UTF-8"]);
    std::fs::write(desk.path("plugin.toml"), vec![b'#'; 100_000]).unwrap();
    fails(&check(&desk), 2, &["plugin.toml", "more than 65536 bytes"]);
}

#[test]
fn the_schema_of_manifests_can_be_had() {
    let output = Desk::new().berth(&["plugin", "schema"]).output().unwrap();
    assert!(output.status.success());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugin-sdk/plugin.schema.json");
    assert_eq!(output.stdout, std::fs::read(file).unwrap());
}

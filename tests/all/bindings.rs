//! What is generated from the contract, and committed: it is what the contract says.
//!
//! `BERTH_BLESS=1 cargo test --workspace bindings` writes it anew.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wit_bindgen_core::{Files, WorldGenerator};
use wit_parser::{Resolve, WorldId};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The contract, with all that a plugin can import.
fn contract() -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(root().join("wit")).unwrap();
    let world = resolve.select_world(&[package], Some("memory-node")).unwrap();
    (resolve, world)
}

fn generated(mut generator: Box<dyn WorldGenerator>) -> BTreeMap<String, Vec<u8>> {
    let (mut resolve, world) = contract();
    let mut files = Files::default();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_owned())).collect()
}

/// Compares a folder with what belongs there: every file, and no other.
fn compare(folder: &str, files: BTreeMap<String, Vec<u8>>) {
    let folder = root().join(folder);
    for (name, bytes) in &files {
        compare_file(&folder.join(name), bytes);
    }
    for path in files_of(&folder) {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        if files.contains_key(name) {
            continue;
        }
        if blesses() {
            std::fs::remove_file(&path).unwrap();
        }
        assert!(!path.exists(), "{} is nothing that wit/ says: {HOW}", path.display());
    }
}

/// Compares a file with what belongs there.
fn compare_file(path: &Path, bytes: &[u8]) {
    if blesses() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let found = std::fs::read(path).unwrap_or_default();
    assert!(found == bytes, "{} is not what wit/ says: {HOW}", path.display());
}

const HOW: &str = "BERTH_BLESS=1 cargo test --workspace bindings";

fn blesses() -> bool {
    std::env::var_os("BERTH_BLESS").is_some()
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_of(&path) } else { vec![path] }).collect()
}

#[test]
fn c_bindings_are_those_of_the_contract() {
    let mut files = generated(wit_bindgen_c::Opts::default().build());
    // The types go into the component when it is made, so that no object file has to be kept.
    files.retain(|name, _| !name.ends_with(".o"));
    compare("plugin-sdk/c/bindings", files);
}

#[test]
fn go_bindings_are_those_of_the_contract() {
    let files = generated(wit_bindgen_go::Opts::default().build());
    compare("plugin-sdk/go/bindings", files);
}

#[test]
fn typescript_declarations_are_those_of_the_contract() {
    let (resolve, world) = contract();
    let declarations = berth_tests::typescript::declarations(&resolve, world);
    // The folder has the SDK's own files as well.
    let path = root().join("plugin-sdk/javascript/src/contract.d.ts");
    compare_file(&path, declarations.as_bytes());
}

//! What was built against an earlier contract keeps working.
//!
//! `tests/data/contract/0.1.0` holds the text of that contract and three stock plugins as they were
//! built against it. Neither changes any more.

use std::path::PathBuf;

use berth_sandbox::rights::{Grants, Requests};
use berth_sandbox::{CONTRACT, Plugin, Policy, SandboxError, Value};
use berth_tests::host::{DEMO, Host, Options, manifest};
use std::sync::Arc;
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, Resolve};

fn data(name: &str) -> PathBuf {
    berth_tests::oracle::data().join("contract/0.1.0").join(name)
}

/// The text of 0.1.0 as one package.
fn text() -> String {
    let mut files: Vec<_> =
        std::fs::read_dir(data("wit")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut package = String::from("package berth:node@0.1.0;\n");
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        package.push_str(text.strip_prefix("package berth:node@0.1.0;").unwrap());
    }
    package
}

/// A component that imports all that a text of the contract offers, and whose exports trap.
fn all_of(text: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("contract.wit", text).unwrap();
    let world = resolve.select_world(&[package], Some("memory-node")).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Legacy(LiftLowerAbi::Sync));
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// Loads a component with every right that it may need.
fn load(host: &mut Host, name: &str, component: &[u8]) -> Result<Arc<Plugin>, SandboxError> {
    let models = vec!["*/*".parse().unwrap()];
    let rights = Requests { memory: true, models, ..Requests::default() };
    let grants = Grants { allowed: rights.clone(), ..Grants::default() };
    let policy = Policy { grants, ..Policy::default() };
    host.load_under(name, component, Some(manifest(name, &rights)), &policy)
}

#[test]
fn everything_that_0_1_0_offered_is_there_under_the_same_types() {
    let text = text();
    let mut host = Host::empty(Options::default());
    // Each import is held against the host's when it is linked; what comes after is the guest's.
    let error = load(&mut host, "all", &all_of(&text)).unwrap_err();
    assert!(matches!(error, SandboxError::Trapped { .. }), "{error}");
    // What is not there, or is another way, would have been noticed.
    let gone = text.replace("cumulative-sum: func(", "cumulative-product: func(");
    let other = text.replace("causal: bool, scale: option<f32>", "causal: u32, scale: option<f32>");
    for changed in [gone, other] {
        assert_ne!(changed, text);
        let error = load(&mut host, "all", &all_of(&changed)).unwrap_err();
        assert!(matches!(error, SandboxError::NotAComponent { .. }), "{error}");
    }
}

#[test]
fn a_contract_that_this_host_does_not_speak_is_named() {
    let mut host = Host::empty(Options::default());
    for version in ["0.0.1", "0.3.0", "1.0.0"] {
        let component = all_of(&text().replace("0.1.0", version));
        let error = load(&mut host, "all", &component).unwrap_err().to_string();
        let says = format!("contract {version}, and this host speaks 0.1.0 to {CONTRACT}");
        assert!(error.contains(&says), "{error}");
    }
}

#[test]
fn plugins_that_were_built_against_0_1_0_draw_the_same_picture() {
    let latent = |host: &Host| {
        let checkpoint = host.checkpoint(DEMO);
        let latent = host.sample(&checkpoint, "a red handwritten seven on a blue background", 7);
        host.decode(&checkpoint, latent).data.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let mut old = Host::empty(Options::default());
    for name in ["stable-diffusion", "latent", "memory"] {
        let component = std::fs::read(data(&format!("{name}.wasm"))).unwrap();
        let today = berth_stock_plugins::components().iter().find(|it| it.0 == name).unwrap();
        assert!(component != today.2, "{name} was built anew");
        load(&mut old, name, &component).unwrap();
    }
    assert_eq!(latent(&old), latent(&Host::default()));
    // The one interface that takes a right is there too.
    let checkpoint = old.checkpoint(DEMO);
    let stats = old.run("OffloadModel", vec![("model", checkpoint.model)]);
    assert!(
        matches!(&stats[0], Value::Text(text) if text.contains("of offloaded models in DRAM")),
        "{stats:?}"
    );
}

//! Plugins that change while a host runs.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use berth_memory::Cancel;
use berth_sandbox::Folders;
use berth_sandbox::manifest::embed;
use berth_tests::{EXPLORER, GUESTS};
use berth_workflow::{
    Event, Host, Outcome, Plan, Refreshed, Run, RunError, Settings, Workflow, runtime,
};
use serde_json::json;

/// A host with the stock plugins, and a folder of others with nothing in it.
fn host(folder: &Path) -> Arc<Host> {
    let place = |name: &str| folder.join(name);
    std::fs::create_dir(place("plugins")).unwrap();
    let folders =
        Folders { output: place("output"), temporary: place("temporary"), input: place("input") };
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests");
    let settings = Settings {
        plugins: vec![place("plugins")],
        compiled_cache: Some(cache),
        ..Settings::new(folders)
    };
    Arc::new(Host::open(settings, berth_stock_plugins::components()).unwrap())
}

/// The misbehaving plugin under another digest, its nodes and name the same.
fn variant(version: u32) -> Vec<u8> {
    embed(GUESTS, &format!("name = 'p'\nversion = '1.0.{version}'\ncontract = '0.2.0'\n"))
}

fn plan(host: &Host, class: &str) -> Option<Arc<Plan>> {
    let inputs = if class == "Trap" { json!({ "message": "on purpose" }) } else { json!({}) };
    let workflow = json!({ "1": { "class_type": class, "inputs": inputs } });
    let workflow = Workflow::parse(workflow.to_string().as_bytes()).unwrap();
    host.runner().validate(&workflow, None, &Cancel::new()).ok().map(Arc::new)
}

fn run(host: &Host, plan: Arc<Plan>, cancel: Cancel) -> Result<Outcome, RunError> {
    let run = Run { prompt_id: "p".into(), cancel, observer: Arc::new(|_: Event| {}) };
    runtime().unwrap().block_on(host.runner().run(plan, run))
}

#[test]
fn plugins_come_change_break_and_go_while_others_run() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let file = folder.path().join("plugins/p.wasm");
    let plugin = || host.plugins().into_iter().find(|plugin| plugin.name() == "p");
    let digest = || plugin().map(|plugin| plugin.digest().to_owned());
    let account = || plugin().unwrap().account().clone();
    assert_eq!(host.refresh().unwrap(), []);
    assert!(plan(&host, "Spin").is_none());

    std::fs::write(&file, variant(1)).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Added("p".into())]);
    assert_eq!(host.refresh().unwrap(), []);
    let first = digest();
    let charged = account();

    // A node that runs goes on with the code that it began with.
    let (spin, cancel) = (plan(&host, "Spin").unwrap(), Cancel::new());
    let running = std::thread::spawn({
        let (host, cancel) = (host.clone(), cancel.clone());
        move || run(&host, spin, cancel)
    });
    std::thread::sleep(Duration::from_millis(100));
    for version in [2, 3] {
        std::fs::write(&file, variant(version)).unwrap();
        let begun = Instant::now();
        assert_eq!(host.refresh().unwrap(), [Refreshed::Replaced("p".into())]);
        assert!(begun.elapsed() < Duration::from_secs(60) && !running.is_finished());
    }
    assert_ne!(digest(), first);
    assert_eq!(account(), charged);

    // A mistake leaves what there was, and is told.
    std::fs::write(&file, b"no component").unwrap();
    let third = digest();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Broken("p".into())]);
    assert_eq!(digest(), third);
    assert!(host.broken()[0].error.to_string().contains("`p`"), "{:?}", host.broken());
    let trap = run(&host, plan(&host, "Trap").unwrap(), Cancel::new());
    let Err(RunError::Node(error)) = trap else { panic!("{trap:?}") };
    let said = error.error.hint().unwrap_or_default();
    assert!(said.contains("on purpose"), "{said}");

    // Another plugin under the same name brings its own nodes.
    std::fs::write(&file, EXPLORER).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Replaced("p".into())]);
    assert!(host.broken().is_empty() && plan(&host, "Spin").is_none());

    std::fs::remove_file(&file).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Removed("p".into())]);
    assert!(plugin().is_none() && plan(&host, "Trap").is_none());
    // Its bytes may come back under another name.
    std::fs::write(folder.path().join("plugins/q.wasm"), EXPLORER).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Added("q".into())]);

    assert!(!running.is_finished());
    cancel.cancel();
    assert!(matches!(running.join().unwrap(), Err(RunError::Interrupted)));
}

#[test]
fn a_name_of_nodes_that_is_taken_leaves_the_newcomer_out_and_the_others_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    std::fs::write(folder.path().join("plugins/p.wasm"), variant(1)).unwrap();
    host.refresh().unwrap();
    std::fs::write(folder.path().join("plugins/r.wasm"), variant(2)).unwrap();
    // Its manifest has another's name.
    assert_eq!(host.refresh().unwrap(), [Refreshed::Broken("r".into())]);
    std::fs::write(folder.path().join("plugins/r.wasm"), GUESTS).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Broken("r".into())]);
    let said = host.broken()[0].error.to_string();
    assert!(said.contains("both provide node type"), "{said}");
    assert!(plan(&host, "Trap").is_some());
}

#[test]
fn no_file_takes_the_place_of_a_stock_plugin_or_of_one_with_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let place = |name: &str| folder.path().join("plugins").join(name);
    let stock = host.plugins();
    std::fs::write(place("image.wasm"), EXPLORER).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Broken("image".into())]);
    let said = host.broken()[0].error.to_string();
    assert!(said.contains("stock plugin"), "{said}");
    assert!(stock.iter().zip(host.plugins()).all(|(a, b)| Arc::ptr_eq(a, &b)));
    assert!(host.runner().registry().get("LoadImage").is_some());
    std::fs::remove_file(place("image.wasm")).unwrap();
    assert_eq!(host.refresh().unwrap(), []);

    std::fs::create_dir(place("p")).unwrap();
    std::fs::write(place("p.wasm"), variant(1)).unwrap();
    std::fs::write(place("p/p.wasm"), variant(2)).unwrap();
    let manifest = "name = 'p'\nversion = '1.0.0'\ncontract = '0.2.0'\n";
    std::fs::write(place("p/plugin.toml"), manifest).unwrap();
    for _ in 0..2 {
        let changes = host.refresh().unwrap();
        assert_eq!(changes.iter().filter(|c| **c == Refreshed::Broken("p".into())).count(), 1);
        assert!(!changes.contains(&Refreshed::Replaced("p".into())), "{changes:?}");
    }
}

#[test]
fn a_manifest_that_changed_counts_as_much_as_a_component() {
    let folder = tempfile::tempdir().unwrap();
    let host = host(folder.path());
    let place = |name: &str| folder.path().join("plugins/p").join(name);
    std::fs::create_dir(folder.path().join("plugins/p")).unwrap();
    std::fs::write(place("p.wasm"), GUESTS).unwrap();
    let manifest = "name = 'p'\nversion = '1.0.0'\ncontract = '0.2.0'\n";
    std::fs::write(place("plugin.toml"), manifest).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Added("p".into())]);
    let requests = || host.plugins().last().unwrap().rights().requests().rights().len();
    assert_eq!(requests(), 0);
    std::fs::write(place("plugin.toml"), format!("{manifest}[requests]\nclock = true\n")).unwrap();
    assert_eq!(host.refresh().unwrap(), [Refreshed::Replaced("p".into())]);
    assert_eq!((requests(), host.refresh().unwrap().len()), (1, 0));
}

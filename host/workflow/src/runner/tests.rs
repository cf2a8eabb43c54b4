use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use berth_sandbox::{Artifact, Hidden, List, Place, SandboxError, Value};
use serde_json::{Value as Json, json};

use super::*;
use crate::testing::{Pack, Recorder, node, shown, workflow};

struct Fixture {
    runner: Runner,
    pack: Arc<Pack>,
    recorder: Arc<Recorder>,
    cancel: Cancel,
}

impl Fixture {
    fn new(pack: Pack, cached_results: usize) -> Self {
        Self::at(Release::default(), pack, cached_results)
    }

    fn at(release: Release, pack: Pack, cached_results: usize) -> Self {
        let pack = pack.build();
        let mut registry = Registry::new();
        registry.add(pack.clone()).unwrap();
        let runner = Runner::new(registry, cached_results, release);
        Self { runner, pack, recorder: Arc::default(), cancel: Cancel::new() }
    }

    async fn run(&self, json: Json) -> Result<Outcome, RunError> {
        let plan = self.runner.validate(&workflow(json), None, &Cancel::new()).unwrap();
        self.start(plan).await
    }

    async fn start(&self, plan: Plan) -> Result<Outcome, RunError> {
        let observer = self.recorder.clone();
        let run = Run { prompt_id: "p".into(), cancel: self.cancel.clone(), observer };
        self.runner.run(Arc::new(plan), run).await
    }
}

/// A source, a step with a number, and an output that writes a file and shows its input.
fn pack() -> Pack {
    let save = node("Save").socket("x", "*").output_node();
    Pack::new("p")
        .with(node("Source").integer("n", None, None).output("X"))
        .with(node("Step").socket("x", "X").output("X"))
        .runs(save, |inputs, context| {
            context.events.progress(1, 1);
            context.events.text(&shown(&inputs[0]));
            context.events.artifact(&Artifact {
                kind: "images".into(),
                name: "a.png".into(),
                subfolder: String::new(),
                place: Place::Output,
            });
            Ok(Vec::new())
        })
}

fn chain(n: i64) -> Json {
    json!({
        "1": {"class_type": "Source", "inputs": {"n": n}},
        "2": {"class_type": "Step", "inputs": {"x": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"x": ["2", 0]}},
    })
}

#[tokio::test]
async fn values_reach_the_output_and_events_come_in_comfyuis_order() {
    let fixture = Fixture::new(pack(), 0);
    let outcome = fixture.run(chain(5)).await.unwrap();
    assert_eq!(outcome.results["3"].texts, ["x=Step(x=Source(n=5).0).0"]);
    assert_eq!(outcome.results["3"].artifacts.len(), 1);
    let told = fixture.recorder.told().join(", ");
    assert_eq!(
        told,
        "execution_start, execution_cached, executing 1, node_finished 1, executing 2, \
         node_finished 2, executing 3, progress 3, executed 3, node_finished 3, \
         execution_success, executing"
    );
}

#[tokio::test]
async fn results_are_reused_until_something_that_reaches_them_changes() {
    let fixture = Fixture::new(pack(), 100);
    fixture.run(chain(5)).await.unwrap();
    assert_eq!(fixture.pack.take_ran(), ["Source", "Step", "Save"]);
    fixture.recorder.take();

    let again = fixture.run(chain(5)).await.unwrap();
    assert!(fixture.pack.take_ran().is_empty());
    assert_eq!(again.results["3"].texts, ["x=Step(x=Source(n=5).0).0"]);
    let told = fixture.recorder.told().join(", ");
    assert_eq!(told, "execution_start, execution_cached, executed 3, execution_success, executing");

    let mut renamed = chain(5);
    renamed["1"]["_meta"] = json!({"title": "another"});
    renamed["1"]["inputs"]["unknown"] = 1.into();
    fixture.run(renamed).await.unwrap();
    assert!(fixture.pack.take_ran().is_empty(), "neither titles nor unknown inputs count");

    fixture.run(chain(6)).await.unwrap();
    assert_eq!(fixture.pack.take_ran(), ["Source", "Step", "Save"]);

    let mut more = chain(5);
    more["2b"] = json!({"class_type": "Step", "inputs": {"x": ["2", 0]}});
    more["3"]["inputs"]["x"] = json!(["2b", 0]);
    let outcome = fixture.run(more).await.unwrap();
    assert_eq!(fixture.pack.take_ran(), ["Step", "Save"]);
    assert_eq!(outcome.cached.len(), 2);

    fixture.runner.clear();
    fixture.run(chain(5)).await.unwrap();
    assert_eq!(fixture.pack.take_ran().len(), 3);
}

#[tokio::test]
async fn another_plugin_digest_is_another_result() {
    let signatures_of = |pack: Pack| {
        let fixture = Fixture::new(pack, 1);
        let plan = fixture.runner.validate(&workflow(chain(1)), None, &Cancel::new()).unwrap();
        signatures(&plan, &Cancel::new()).unwrap()
    };
    let first = signatures_of(pack());
    assert_eq!(first, signatures_of(pack()));
    let other = signatures_of(pack().digest("other"));
    assert!(first.iter().zip(&other).all(|(a, b)| a.is_some() && a != b));
}

#[tokio::test]
async fn two_nodes_of_one_signature_run_once() {
    let fixture = Fixture::new(pack(), 10);
    let outcome = fixture
        .run(json!({
            "1": {"class_type": "Source", "inputs": {"n": 1}},
            "2": {"class_type": "Step", "inputs": {"x": ["1", 0]}},
            "3": {"class_type": "Save", "inputs": {"x": ["2", 0]}},
            "4": {"class_type": "Step", "inputs": {"x": ["3b", 0]}},
            "3b": {"class_type": "Step", "inputs": {"x": ["2b", 0]}},
            "2b": {"class_type": "Step", "inputs": {"x": ["1b", 0]}},
            "1b": {"class_type": "Step", "inputs": {"x": ["1", 0]}},
            "5": {"class_type": "Save", "inputs": {"x": ["4", 0]}},
        }))
        .await
        .unwrap();
    assert_eq!(outcome.executed.len() + outcome.cached.len(), 8);
}

#[tokio::test]
async fn a_fingerprint_decides_over_reuse() {
    let state = Arc::new(AtomicUsize::new(0));
    let seen = state.clone();
    let file = node("File").text("name").output("X").checks(|checks| checks.fingerprint = true);
    let pack = pack().with(file).fingerprints("File", move |_| match seen.load(Ordering::SeqCst) {
        9 => Err(SandboxError::Engine("gone".into())),
        state => Ok(Some(state.to_string())),
    });
    let fixture = Fixture::new(pack, 10);
    let json = json!({
        "1": {"class_type": "File", "inputs": {"name": "a"}},
        "2": {"class_type": "Save", "inputs": {"x": ["1", 0]}},
    });
    for (fingerprint, runs) in [(0, 2), (0, 0), (1, 2), (0, 0), (9, 2), (9, 2)] {
        state.store(fingerprint, Ordering::SeqCst);
        fixture.run(json.clone()).await.unwrap();
        assert_eq!(fixture.pack.take_ran().len(), runs, "fingerprint {fingerprint}");
    }
}

#[tokio::test]
async fn independent_nodes_run_at_the_same_time() {
    let barrier = Arc::new(std::sync::Barrier::new(2));
    let meet = node("Meet").integer("n", None, None).output("X");
    let pack = pack().with(node("Join").socket("a", "X").socket("b", "X").output("X"));
    let pack = pack.runs(meet, move |_, _| {
        // Each waits for the other: one after another they would wait for ever.
        barrier.wait();
        Ok(vec![Value::Integer(1)])
    });
    let fixture = Fixture::new(pack, 0);
    let run = fixture.run(json!({
        "1": {"class_type": "Meet", "inputs": {"n": 1}},
        "2": {"class_type": "Meet", "inputs": {"n": 2}},
        "3": {"class_type": "Join", "inputs": {"a": ["1", 0], "b": ["2", 0]}},
        "4": {"class_type": "Save", "inputs": {"x": ["3", 0]}},
    }));
    tokio::time::timeout(Duration::from_secs(20), run).await.unwrap().unwrap();
    assert_eq!(fixture.pack.most_at_once.load(Ordering::SeqCst), 2);
}

/// A switch that takes one of two lazy inputs.
fn switching() -> Pack {
    let switch = node("Switch").integer("which", None, None).lazy("a").lazy("b").output("X");
    pack().with(switch).needs("Switch", |inputs| match &inputs[0].1 {
        Value::Integer(0) => vec!["a".into()],
        Value::Integer(1) => vec!["b".into()],
        Value::Integer(2) if inputs.len() < 2 => vec!["a".into()],
        Value::Integer(2) => vec!["a".into(), "b".into()],
        Value::Integer(3) => vec!["c".into()],
        Value::Integer(5) if inputs.len() < 2 => vec!["b".into()],
        Value::Integer(5) => vec!["a".into()],
        _ => Vec::new(),
    })
}

fn switch(which: i64) -> Json {
    json!({
        "1": {"class_type": "Source", "inputs": {"n": 1}},
        "2": {"class_type": "Step", "inputs": {"x": ["1", 0]}},
        "3": {"class_type": "Switch", "inputs": {"which": which, "a": ["1", 0], "b": ["2", 0]}},
        "4": {"class_type": "Save", "inputs": {"x": ["3", 0]}},
    })
}

#[tokio::test]
async fn lazy_inputs_are_computed_only_when_asked_for() {
    let fixture = Fixture::new(switching(), 0);
    for (which, ran) in [
        (0, &["Source", "Switch", "Save"][..]),
        (1, &["Source", "Step", "Switch", "Save"]),
        (2, &["Source", "Step", "Switch", "Save"]),
        (4, &["Switch", "Save"]),
    ] {
        let outcome = fixture.run(switch(which)).await.unwrap();
        assert_eq!(fixture.pack.take_ran(), ran, "{which}");
        let text = &outcome.results["4"].texts[0];
        assert_eq!(text.contains("a=Source"), which == 0 || which == 2, "{text}");
        assert_eq!(text.contains("b=Step"), which == 1 || which == 2, "{text}");
    }
    let Err(RunError::Node(failed)) = fixture.run(switch(3)).await else { panic!() };
    assert!(failed.error.to_string().contains("asked for `c`, which it does not have"));
}

/// A switch that asks for `b`, which is made of `a`, and then for `a` too.
#[tokio::test]
async fn a_value_that_was_released_and_is_asked_for_is_computed_again() {
    for release in [Release::KeepAll, Release::Unreferenced, Release::AfterUse, Release::Demote] {
        for cached_results in [0, 100] {
            let fixture = Fixture::at(release, switching(), cached_results);
            let outcome = fixture.run(switch(5)).await.unwrap();
            let source = "Source(n=1).0";
            let expected = format!("x=Switch(which=5 a={source} b=Step(x={source}).0).0");
            assert_eq!(outcome.results["4"].texts, [expected], "{release}");
            let executed: Vec<&str> = outcome.executed.iter().map(|id| &**id).collect();
            let told = fixture.recorder.told();
            let begun = told.iter().filter(|told| *told == "executing 1").count();
            let ended = told.iter().filter(|told| *told == "node_finished 1").count();
            if release == Release::AfterUse {
                assert_eq!(executed, ["1", "2", "1", "3", "4"]);
                assert_eq!((begun, ended), (2, 2));
            } else {
                assert_eq!(executed, ["1", "2", "3", "4"], "{release}");
                assert_eq!((begun, ended), (1, 1));
            }
            assert!(outcome.cached.is_empty());
        }
    }
}

#[tokio::test]
async fn a_later_run_finds_what_the_level_left() {
    for (release, ran) in [
        (Release::KeepAll, &["Step", "Save"][..]),
        (Release::Unreferenced, &["Step", "Save"]),
        (Release::AfterUse, &["Source", "Step", "Step", "Save"]),
        (Release::Demote, &["Step", "Save"]),
    ] {
        let fixture = Fixture::at(release, pack(), 100);
        fixture.run(chain(5)).await.unwrap();
        fixture.pack.take_ran();
        let again = fixture.run(chain(5)).await.unwrap();
        assert!(fixture.pack.take_ran().is_empty(), "{release}: what it showed is kept");
        assert_eq!((again.results["3"].artifacts.len(), again.cached.len()), (1, 3), "{release}");
        let mut more = chain(5);
        more["2b"] = json!({"class_type": "Step", "inputs": {"x": ["2", 0]}});
        more["3"]["inputs"]["x"] = json!(["2b", 0]);
        let outcome = fixture.run(more).await.unwrap();
        assert_eq!(fixture.pack.take_ran(), ran, "{release}");
        assert_eq!(outcome.executed.len() + outcome.cached.len(), 4, "{release}");
        let expected = "x=Step(x=Step(x=Source(n=5).0).0).0";
        assert_eq!(outcome.results["3"].texts, [expected], "{release}");
    }
}

#[tokio::test]
async fn an_output_that_was_not_linked_is_computed_when_it_is() {
    let two = || node("Two").output("X").output("X");
    let link = |slot: usize| {
        json!({
            "1": {"class_type": "Two", "inputs": {}},
            "2": {"class_type": "Save", "inputs": {"x": ["1", slot]}},
        })
    };
    for (release, ran) in [
        (Release::KeepAll, &["Save"][..]),
        (Release::Unreferenced, &["Two", "Save"]),
        (Release::AfterUse, &["Two", "Save"]),
        (Release::Demote, &["Save"]),
    ] {
        let fixture = Fixture::at(release, pack().with(two()), 100);
        fixture.run(link(0)).await.unwrap();
        fixture.pack.take_ran();
        fixture.run(link(1)).await.unwrap();
        assert_eq!(fixture.pack.take_ran(), ran, "{release}");
    }
}

#[tokio::test]
async fn a_failure_names_node_plugin_and_inputs_and_stops_the_rest() {
    let list = Value::Items(Arc::new(List::new(vec![Value::Integer(1)])));
    let pack = pack().runs(node("List").output("X"), move |_, _| Ok(vec![list.clone()])).runs(
        node("Bad").socket("x", "*").text("how").output("X"),
        |_, _| {
            Err(SandboxError::Trapped {
                plugin: "p".into(),
                reason: "unreachable".into(),
                stderr: String::new(),
            })
        },
    );
    let fixture = Fixture::new(pack, 10);
    let json = json!({
        "1": {"class_type": "List", "inputs": {}},
        "2": {"class_type": "Bad", "inputs": {"x": ["1", 0], "how": "so"}, "_meta": {"title": "T"}},
        "3": {"class_type": "Save", "inputs": {"x": ["2", 0]}},
        "4": {"class_type": "Step", "inputs": {"x": ["2", 0]}},
        "5": {"class_type": "Save", "inputs": {"x": ["4", 0]}},
    });
    let Err(RunError::Node(failed)) = fixture.run(json.clone()).await else { panic!() };
    assert_eq!(failed.to_string(), "node 2 “T” (Bad) of plugin `p` failed");
    assert_eq!(failed.error.to_string(), "plugin `p` crashed: unreachable");
    assert_eq!(Json::from(failed.inputs.clone()), json!({"x": "1 items", "how": "so"}));
    let events = fixture.recorder.take();
    let error = events.iter().find(|e| matches!(e, Event::ExecutionError(_))).unwrap();
    let error = serde_json::to_value(error).unwrap();
    assert_eq!(error["data"]["node_id"], "2");
    assert_eq!(error["data"]["node_type"], "Bad");
    assert_eq!(error["data"]["exception_type"], "trap");
    assert_eq!(error["data"]["executed"], json!(["1"]));
    assert_eq!(error["data"]["current_inputs"]["how"], "so");
    fixture.pack.take_ran();
    assert!(fixture.run(json).await.is_err());
    assert_eq!(fixture.pack.take_ran(), ["Bad"], "what was done is kept, what failed is not");
}

#[tokio::test]
async fn a_panic_in_the_host_is_an_error_of_one_run() {
    let pack = pack().runs(node("Panics").output("X"), |_, _| panic!("oh no"));
    let fixture = Fixture::new(pack, 0);
    let json = json!({
        "1": {"class_type": "Panics", "inputs": {}},
        "2": {"class_type": "Save", "inputs": {"x": ["1", 0]}},
    });
    let Err(RunError::Node(failed)) = fixture.run(json).await else { panic!() };
    assert!(failed.error.to_string().ends_with("ran: oh no"), "{}", failed.error);
    fixture.run(chain(1)).await.unwrap();
}

/// A node that runs until it is stopped, and a watched value above it.
fn endless(held: &Arc<Mutex<Option<std::sync::Weak<str>>>>, running: &Arc<AtomicBool>) -> Pack {
    let (held, running) = (held.clone(), running.clone());
    let value = node("Value").integer("n", None, None).output("X");
    let endless = node("Endless").socket("x", "*").output("X");
    pack()
        .runs(value, move |_, _| {
            let value: Arc<str> = "held".into();
            *held.lock().unwrap() = Some(Arc::downgrade(&value));
            Ok(vec![Value::Text(value)])
        })
        .runs(endless, move |_, context| {
            running.store(true, Ordering::SeqCst);
            while !context.cancel.is_cancelled() {
                std::thread::sleep(Duration::from_millis(1));
            }
            running.store(false, Ordering::SeqCst);
            Err(SandboxError::Guest {
                plugin: "p".into(),
                error: berth_sandbox::GuestError::Other("the loop was cancelled".into()),
            })
        })
}

fn endless_workflow() -> Json {
    json!({
        "1": {"class_type": "Value", "inputs": {"n": 1}},
        "2": {"class_type": "Endless", "inputs": {"x": ["1", 0]}},
        "3": {"class_type": "Save", "inputs": {"x": ["2", 0]}},
    })
}

async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_run_keeps_nothing() {
    let (held, running) = (Arc::default(), Arc::default());
    let fixture = Fixture::new(endless(&held, &running), 0);
    let run = fixture.run(endless_workflow());
    let cancel = async {
        until(|| running.load(Ordering::SeqCst)).await;
        assert!(held.lock().unwrap().as_ref().unwrap().upgrade().is_some());
        fixture.cancel.cancel();
    };
    let (result, ()) = tokio::join!(run, cancel);
    assert!(matches!(result, Err(RunError::Interrupted)));
    assert!(!running.load(Ordering::SeqCst));
    assert!(held.lock().unwrap().as_ref().unwrap().upgrade().is_none());
    let told = fixture.recorder.told();
    assert!(told.contains(&"execution_interrupted 2".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_run_that_nobody_waits_for_is_cancelled() {
    let (held, running) = (Arc::default(), Arc::default());
    let fixture = Fixture::new(endless(&held, &running), 0);
    let run = fixture.run(endless_workflow());
    let begun = async { until(|| running.load(Ordering::SeqCst)).await };
    tokio::select! {
        _ = run => panic!("it does not end by itself"),
        () = begun => {}
    }
    until(|| !running.load(Ordering::SeqCst)).await;
    until(|| held.lock().unwrap().as_ref().unwrap().upgrade().is_none()).await;
}

#[tokio::test]
async fn a_run_that_is_cancelled_before_it_begins_runs_nothing() {
    for cached in [0, 10] {
        let fixture = Fixture::new(pack(), cached);
        fixture.cancel.cancel();
        assert!(matches!(fixture.run(chain(1)).await, Err(RunError::Interrupted)));
        assert!(fixture.pack.take_ran().is_empty());
    }
}

#[tokio::test]
async fn without_a_cache_values_go_with_their_last_use() {
    let held: Arc<Mutex<Option<std::sync::Weak<str>>>> = Arc::default();
    let running = Arc::default();
    let pack = endless(&held, &running);
    let last = held.clone();
    let look = node("Look").socket("x", "*").output("X");
    let pack = pack.runs(look, move |_, _| {
        let held = last.lock().unwrap().as_ref().unwrap().upgrade().is_some();
        Ok(vec![Value::Boolean(held)])
    });
    let fixture = Fixture::new(pack, 0);
    fixture
        .run(json!({
            "1": {"class_type": "Value", "inputs": {"n": 1}},
            "2": {"class_type": "Step", "inputs": {"x": ["1", 0]}},
            "3": {"class_type": "Look", "inputs": {"x": ["2", 0]}},
            "4": {"class_type": "Save", "inputs": {"x": ["3", 0]}},
        }))
        .await
        .unwrap();
    assert!(held.lock().unwrap().as_ref().unwrap().upgrade().is_none());
}

#[tokio::test]
async fn hidden_inputs_are_given_as_texts() {
    let hidden = node("Hidden")
        .hidden(Hidden::UniqueId)
        .hidden(Hidden::Prompt)
        .hidden(Hidden::ExtraPnginfo)
        .output_node();
    let pack = pack().runs(hidden, |inputs, context| {
        inputs.iter().for_each(|input| context.events.text(&shown(input)));
        Ok(Vec::new())
    });
    let fixture = Fixture::new(pack, 0);
    let nodes = json!({"7": {"inputs": {}, "class_type": "Hidden"}});
    let outcome = fixture.run(nodes.clone()).await.unwrap();
    assert_eq!(outcome.results["7"].texts, ["unique-id=7", &format!("prompt={nodes}")]);
    let extra = json!({"extra_pnginfo": {"workflow": 1}});
    let outcome = fixture.run(json!({"prompt": nodes, "extra_data": extra})).await.unwrap();
    assert_eq!(outcome.results["7"].texts[2], r#"extra-pnginfo={"workflow":1}"#);
}

#[tokio::test]
async fn a_wide_and_deep_graph_comes_to_its_end() {
    let fixture = Fixture::new(pack(), 0);
    let mut nodes = serde_json::Map::new();
    for branch in 0..20 {
        let id = |depth: usize| format!("{branch}.{depth}");
        nodes.insert(id(0), json!({"class_type": "Source", "inputs": {"n": branch}}));
        for depth in 1..20 {
            let inputs = json!({"x": [id(depth - 1), 0]});
            nodes.insert(id(depth), json!({"class_type": "Step", "inputs": inputs}));
        }
        let save = json!({"class_type": "Save", "inputs": {"x": [id(19), 0]}});
        nodes.insert(format!("s{branch}"), save);
    }
    let outcome = fixture.run(nodes.into()).await.unwrap();
    assert_eq!((outcome.executed.len(), outcome.results.len()), (420, 20));
}

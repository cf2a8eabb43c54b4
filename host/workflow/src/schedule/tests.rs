use std::sync::Weak;

use berth_compute::{Compute, DType, Scope};
use berth_memory::{Cancel, Limits, OffloadModeName, offload};
use serde_json::json;

use super::*;
use crate::events::Results;
use crate::registry::Registry;
use crate::testing::{Pack, node, workflow};
use crate::validate::validate;

fn plan(json: serde_json::Value) -> Arc<Plan> {
    let source = node("Source").output("X");
    let two = node("Two").output("X").output("Y");
    let pass = node("Pass").socket("x", "*").output("X");
    let join = node("Join").socket("a", "*").socket("b", "*").output("X");
    let switch = node("Switch").lazy("a").lazy("b").output("X");
    let save = node("Save").socket("x", "*").output_node();
    let pack = Pack::new("p").with(source).with(two).with(pass).with(join).with(switch).with(save);
    let mut registry = Registry::new();
    registry.add(pack.build()).unwrap();
    Arc::new(validate(&registry, &workflow(json), None, &Cancel::new()).unwrap())
}

fn of(class: &str, links: &[(&str, &str)]) -> serde_json::Value {
    let inputs = links.iter().map(|(name, from)| ((*name).to_owned(), json!([from, 0])));
    json!({"class_type": class, "inputs": inputs.collect::<serde_json::Map<_, _>>()})
}

fn given(outputs: Vec<Arc<Value>>) -> Given {
    Given { outputs, results: Results::default() }
}

struct Walk {
    plan: Arc<Plan>,
    schedule: Schedule,
}

impl Walk {
    /// At level 2, where nothing but the schedule keeps a value.
    fn new(json: serde_json::Value) -> Self {
        Self::at(Release::AfterUse, json)
    }

    fn at(release: Release, json: serde_json::Value) -> Self {
        let plan = plan(json);
        Self { schedule: Schedule::new(plan.clone(), release, &[]), plan }
    }

    fn next(&mut self) -> Option<String> {
        self.schedule.next().map(|index| self.plan.steps[index].id.to_string())
    }

    fn finish(&mut self, id: &str) -> Weak<Value> {
        let value = Arc::new(Value::Integer(1));
        self.finish_with(id, value.clone());
        Arc::downgrade(&value)
    }

    fn finish_with(&mut self, id: &str, value: Arc<Value>) {
        self.schedule.finish(self.index(id), given(vec![value]));
    }

    /// Starts the step that is next, and finishes it.
    fn run(&mut self, id: &str) {
        assert_eq!(self.next().as_deref(), Some(id));
        self.finish(id);
    }

    /// The steps whose first output is held for somebody.
    fn held(&self) -> String {
        self.which(|index| self.schedule.slot(index, 0).is_some_and(|slot| slot.held.is_some()))
    }

    /// The steps whose first output could be had.
    fn there(&self) -> String {
        self.which(|index| self.schedule.take(index, 0).is_some())
    }

    fn which(&self, is: impl Fn(usize) -> bool) -> String {
        let steps = self.plan.steps.iter().enumerate();
        let ids = steps.filter(|(index, _)| is(*index)).map(|(_, step)| &*step.id);
        ids.collect::<Vec<_>>().join(" ")
    }

    fn index(&self, id: &str) -> usize {
        self.plan.steps.iter().position(|step| &*step.id == id).unwrap()
    }

    /// Runs one after another to the end.
    fn order(&mut self) -> String {
        let mut order = Vec::new();
        while let Some(id) = self.next() {
            self.finish(&id);
            order.push(id);
        }
        assert!(self.schedule.is_done());
        order.join(" ")
    }
}

#[test]
fn a_branch_ends_before_the_next_begins() {
    let mut walk = Walk::new(json!({
        "s1": of("Save", &[("x", "b1")]), "b1": of("Pass", &[("x", "a1")]), "a1": of("Source", &[]),
        "s2": of("Save", &[("x", "b2")]), "b2": of("Pass", &[("x", "a2")]), "a2": of("Source", &[]),
    }));
    assert_eq!(walk.order(), "a1 b1 s1 a2 b2 s2");
}

#[test]
fn independent_nodes_are_ready_together() {
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "j": of("Join", &[("a", "a"), ("b", "b")]),
        "a": of("Source", &[]), "b": of("Source", &[]),
    }));
    assert_eq!((walk.next(), walk.next(), walk.next()), (Some("a".into()), Some("b".into()), None));
    walk.finish("b");
    assert_eq!(walk.next(), None);
    walk.finish("a");
    assert_eq!(walk.next(), Some("j".into()));
    assert!(!walk.schedule.is_done());
}

#[test]
fn values_go_with_their_last_use() {
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "j": of("Join", &[("a", "p"), ("b", "a")]),
        "p": of("Pass", &[("x", "a")]), "a": of("Source", &[]),
    }));
    assert_eq!(walk.next().unwrap(), "a");
    let a = walk.finish("a");
    assert_eq!(walk.next().unwrap(), "p");
    let p = walk.finish("p");
    assert!(a.upgrade().is_some());
    assert_eq!(walk.next().unwrap(), "j");
    let j = walk.finish("j");
    assert!(a.upgrade().is_none() && p.upgrade().is_none() && j.upgrade().is_some());
    assert_eq!(walk.next().unwrap(), "s");
    let s = walk.finish("s");
    assert!(j.upgrade().is_none() && s.upgrade().is_none());
}

/// Tensors of so many bytes.
struct Tensors(Compute);

impl Tensors {
    fn new() -> Self {
        let limits = Limits { device: 1 << 20, host: 1 << 20 };
        Self(Compute::new(limits, offload::mode(OffloadModeName::Balanced)))
    }

    fn of(&self, bytes: usize) -> Arc<Value> {
        let account = self.0.memory().account("p");
        let scope = Scope { account, cancel: Cancel::new(), call: None };
        let tensor = self.0.from_bytes(&scope, DType::U8, &[bytes], vec![0; bytes]).unwrap();
        Arc::new(Value::Tensor(tensor))
    }
}

#[test]
fn what_frees_most_bytes_goes_first() {
    let tensors = Tensors::new();
    // `p` frees nothing, since `j` uses `a` too; `q` frees `b`, and `r` frees `c`, which is larger.
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "j": of("Join", &[("a", "k"), ("b", "a")]),
        "k": of("Join", &[("a", "p"), ("b", "l")]), "l": of("Join", &[("a", "q"), ("b", "r")]),
        "p": of("Pass", &[("x", "a")]), "q": of("Pass", &[("x", "b")]),
        "r": of("Pass", &[("x", "c")]),
        "a": of("Source", &[]), "b": of("Source", &[]), "c": of("Source", &[]),
    }));
    assert_eq!([walk.next(), walk.next(), walk.next()].map(Option::unwrap), ["a", "b", "c"]);
    walk.finish_with("a", tensors.of(1000));
    walk.finish_with("b", tensors.of(10));
    walk.finish_with("c", tensors.of(20));
    assert_eq!([walk.next(), walk.next(), walk.next()].map(Option::unwrap), ["r", "q", "p"]);
}

#[test]
fn a_step_that_becomes_the_last_consumer_moves_up() {
    let tensors = Tensors::new();
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "j": of("Join", &[("a", "k"), ("b", "r")]),
        "k": of("Join", &[("a", "p"), ("b", "q")]),
        "p": of("Pass", &[("x", "a")]), "q": of("Pass", &[("x", "a")]),
        "r": of("Pass", &[("x", "b")]), "a": of("Source", &[]), "b": of("Source", &[]),
    }));
    assert_eq!([walk.next(), walk.next()].map(Option::unwrap), ["a", "b"]);
    walk.finish_with("a", tensors.of(1000));
    assert_eq!(walk.next().unwrap(), "p");
    walk.finish_with("b", tensors.of(10));
    walk.finish("p");
    assert_eq!([walk.next(), walk.next()].map(Option::unwrap), ["q", "r"]);
}

#[test]
fn a_cached_node_needs_nothing_above_it() {
    let plan = plan(json!({
        "s": of("Save", &[("x", "p")]), "p": of("Pass", &[("x", "a")]), "a": of("Source", &[]),
    }));
    let values: Vec<_> = (0..2).map(|_| Arc::new(Value::Integer(1))).collect();
    let keep = |value: &Arc<Value>| {
        Some(Arc::new(Finished::new(&given(vec![value.clone()]), Release::Demote, |_| true)))
    };
    let mut cached: Vec<_> = values.iter().map(keep).collect();
    cached.push(None);
    let weak: Vec<_> = cached.iter().map(|c| c.as_ref().map(Arc::downgrade)).collect();
    let schedule = Schedule::new(plan.clone(), Release::Demote, &cached);
    drop(cached);
    let mut walk = Walk { plan, schedule };
    assert!(weak[0].as_ref().unwrap().upgrade().is_none(), "nobody needs the source");
    assert_eq!(walk.held(), "p");
    assert_eq!(walk.order(), "s");
    assert_eq!(walk.there(), "");
}

#[test]
fn a_lazy_branch_runs_only_when_asked_for() {
    let json = json!({
        "s": of("Save", &[("x", "w")]), "w": of("Switch", &[("a", "p"), ("b", "q")]),
        "p": of("Pass", &[("x", "c")]), "q": of("Pass", &[("x", "c")]), "c": of("Source", &[]),
    });
    let mut walk = Walk::new(json);
    assert_eq!(walk.next().unwrap(), "w");
    let w = walk.index("w");
    assert!(walk.schedule.is_undecided(w) && walk.schedule.inputs(w).unwrap().is_empty());
    walk.schedule.ask(w, &["b".into()]);
    assert_eq!(walk.next().unwrap(), "c");
    let c = walk.finish("c");
    assert_eq!(walk.next().unwrap(), "q");
    walk.finish("q");
    assert!(c.upgrade().is_none(), "who was not asked for is no consumer");
    assert_eq!(walk.next().unwrap(), "w");
    assert_eq!(walk.schedule.inputs(w).unwrap().len(), 1);
    walk.finish("w");
    assert_eq!(walk.order(), "s");
}

#[test]
fn a_lazy_branch_can_be_asked_for_after_another() {
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "w")]), "w": of("Switch", &[("a", "c"), ("b", "p")]),
        "p": of("Pass", &[("x", "c")]), "c": of("Source", &[]),
    }));
    let w = walk.index("w");
    assert_eq!(walk.next().unwrap(), "w");
    walk.schedule.ask(w, &["a".into()]);
    assert_eq!(walk.next().unwrap(), "c");
    walk.finish("c");
    assert_eq!(walk.next().unwrap(), "w");
    walk.schedule.ask(w, &["b".into()]);
    assert_eq!(walk.next().unwrap(), "p");
    walk.finish("p");
    assert_eq!(walk.next().unwrap(), "w");
    assert!(!walk.schedule.is_undecided(w));
    assert_eq!(walk.schedule.inputs(w).unwrap().len(), 2);
}

#[test]
fn a_missing_value_names_who_should_have_given_it() {
    let mut walk = Walk::new(json!({"s": of("Save", &[("x", "a")]), "a": of("Source", &[])}));
    walk.next();
    walk.schedule.finish(0, given(Vec::new()));
    let error = walk.schedule.inputs(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "node type `Source` of plugin `p` gave no value for its output 0"
    );
}

/// `w` asks for `t` first, which is made of `p`, and for `p` itself later.
fn asks_again() -> serde_json::Value {
    json!({
        "s": of("Save", &[("x", "w")]), "w": of("Switch", &[("a", "p"), ("b", "t")]),
        "t": of("Pass", &[("x", "p")]), "p": of("Pass", &[("x", "a")]), "a": of("Source", &[]),
    })
}

#[test]
fn each_level_keeps_what_it_says_until_somebody_asks_again() {
    for (release, p_is_left, runs) in [
        (Release::KeepAll, true, "w s"),
        (Release::Unreferenced, true, "w s"),
        (Release::AfterUse, false, "a p w s"),
        (Release::Demote, true, "w s"),
    ] {
        let mut walk = Walk::at(release, asks_again());
        let w = walk.index("w");
        assert_eq!(walk.next().unwrap(), "w");
        walk.schedule.ask(w, &["b".into()]);
        walk.run("a");
        assert_eq!(walk.held(), "a", "{release}");
        walk.run("p");
        assert_eq!(walk.held(), "p", "{release}");
        walk.run("t");
        assert_eq!(walk.held(), "t", "{release}");
        let there = if p_is_left { "a p t" } else { "t" };
        assert_eq!(walk.there(), there, "{release}");
        assert_eq!(walk.next().unwrap(), "w");
        walk.schedule.ask(w, &["a".into()]);
        assert_eq!(walk.held(), if p_is_left { "p t" } else { "t" }, "{release}");
        assert_eq!(walk.order(), runs, "{release}");
        let there = match release {
            Release::KeepAll => "a p t w s",
            Release::Unreferenced => "a p t w",
            Release::AfterUse | Release::Demote => "",
        };
        assert_eq!((&*walk.held(), &*walk.there()), ("", there), "{release}");
    }
}

#[test]
fn an_output_without_a_link_goes_at_level_1_and_not_at_level_0() {
    let json = json!({"s": of("Save", &[("x", "t")]), "t": of("Two", &[])});
    for (release, unlinked) in [(Release::KeepAll, true), (Release::Unreferenced, false)] {
        let mut walk = Walk::at(release, json.clone());
        assert_eq!(walk.next().unwrap(), "t");
        let t = walk.index("t");
        let values = vec![Arc::new(Value::Integer(1)), Arc::new(Value::Integer(2))];
        let finished = walk.schedule.finish(t, given(values));
        assert_eq!(finished.take(1).is_some(), unlinked, "{release}");
        walk.run("s");
        assert!(finished.take(0).is_some());
    }
}

/// A run in which `p` and `t` ran for `w`, and the values of `a` and `p`, which may be lost.
fn half_way() -> (Walk, Arc<Value>, Arc<Value>) {
    let mut walk = Walk::new(asks_again());
    let (a, p) = (Arc::new(Value::Integer(1)), Arc::new(Value::Integer(2)));
    assert_eq!(walk.next().unwrap(), "w");
    walk.schedule.ask(walk.index("w"), &["b".into()]);
    assert_eq!(walk.next().unwrap(), "a");
    walk.finish_with("a", a.clone());
    assert_eq!(walk.next().unwrap(), "p");
    walk.finish_with("p", p.clone());
    walk.run("t");
    assert_eq!(walk.next().unwrap(), "w");
    (walk, a, p)
}

#[test]
fn what_was_lost_is_computed_again_and_what_was_not_is_taken() {
    for (a_is_left, p_is_left, runs) in [
        (true, true, "w s"),
        (true, false, "p w s"),
        (false, true, "w s"),
        (false, false, "a p w s"),
    ] {
        let (mut walk, a, p) = half_way();
        let (a, p) = (a_is_left.then_some(a), p_is_left.then_some(p));
        let w = walk.index("w");
        walk.schedule.ask(w, &["a".into()]);
        // What was found is held from then on: nobody else need keep it.
        drop((a, p));
        assert_eq!(walk.order(), runs);
    }
}

#[test]
fn a_node_that_runs_again_replaces_nothing_that_is_held() {
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "w": of("Switch", &[("a", "t")]), "t": of("Two", &[]),
        "j": {"class_type": "Join", "inputs": {"a": ["w", 0], "b": ["t", 1]}},
    }));
    let (w, t) = (walk.index("w"), walk.index("t"));
    let values = || vec![Arc::new(Value::Integer(1)), Arc::new(Value::Integer(2))];
    let first = values();
    assert_eq!(walk.next().unwrap(), "t");
    walk.schedule.finish(t, given(first.clone()));
    let held = Arc::downgrade(&first[1]);
    drop(first);
    assert_eq!(walk.next().unwrap(), "w");
    walk.schedule.ask(w, &["a".into()]);
    assert_eq!(walk.next().unwrap(), "t");
    let finished = walk.schedule.finish(t, given(values()));
    assert!(Arc::ptr_eq(&finished.take(1).unwrap(), &held.upgrade().unwrap()));
    assert_eq!(walk.order(), "w j s");
}

#[test]
fn the_next_use_of_an_output_is_its_earliest_consumer_that_has_not_run() {
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "j": of("Join", &[("a", "k"), ("b", "a")]),
        "k": of("Join", &[("a", "p"), ("b", "w")]), "w": of("Switch", &[("a", "a")]),
        "p": of("Pass", &[("x", "a")]), "a": of("Source", &[]),
    }));
    let next = |walk: &Walk| {
        let slot = walk.schedule.slot(walk.index("a"), 0).unwrap();
        slot.consumers.first().map(|&step| walk.plan.steps[step].id.to_string())
    };
    let w = walk.index("w");
    walk.run("a");
    assert_eq!(next(&walk).unwrap(), "p");
    walk.run("p");
    assert_eq!(next(&walk).unwrap(), "j", "a lazy link that was not asked for is no use");
    assert_eq!(walk.next().unwrap(), "w");
    walk.schedule.ask(w, &["a".into()]);
    assert_eq!(next(&walk).unwrap(), "w");
    walk.run("w");
    walk.run("k");
    assert_eq!(next(&walk).unwrap(), "j");
    walk.run("j");
    assert_eq!(next(&walk), None);
    assert_eq!(walk.order(), "s");
}

#[test]
fn a_result_of_the_same_signature_is_taken_only_if_what_is_needed_is_there() {
    let mut walk = Walk::new(json!({"s": of("Save", &[("x", "a")]), "a": of("Source", &[])}));
    assert_eq!(walk.next().unwrap(), "a");
    let a = walk.index("a");
    let value = Arc::new(Value::Integer(1));
    let finished = Finished::new(&given(vec![value.clone()]), Release::AfterUse, |_| true);
    let finished = Arc::new(finished);
    let lost =
        Finished::new(&given(vec![Arc::new(Value::Integer(1))]), Release::AfterUse, |_| true);
    assert!(!walk.schedule.reuse(a, &Arc::new(lost)));
    assert!(walk.schedule.reuse(a, &finished));
    drop(value);
    assert_eq!(walk.held(), "a");
    assert_eq!(walk.order(), "s");
    assert!(finished.take(0).is_none());
}

mod random;

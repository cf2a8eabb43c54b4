use std::sync::Weak;

use berth_memory::Cancel;
use serde_json::json;

use super::*;
use crate::events::Results;
use crate::registry::Registry;
use crate::testing::{Pack, node, workflow};
use crate::validate::validate;

fn plan(json: serde_json::Value) -> Arc<Plan> {
    let source = node("Source").output("X");
    let pass = node("Pass").socket("x", "*").output("X");
    let join = node("Join").socket("a", "*").socket("b", "*").output("X");
    let switch = node("Switch").lazy("a").lazy("b").output("X");
    let save = node("Save").socket("x", "*").output_node();
    let pack = Pack::new("p").with(source).with(pass).with(join).with(switch).with(save);
    let mut registry = Registry::new();
    registry.add(pack.build()).unwrap();
    Arc::new(validate(&registry, &workflow(json), None, &Cancel::new()).unwrap())
}

fn of(class: &str, links: &[(&str, &str)]) -> serde_json::Value {
    let inputs = links.iter().map(|(name, from)| ((*name).to_owned(), json!([from, 0])));
    json!({"class_type": class, "inputs": inputs.collect::<serde_json::Map<_, _>>()})
}

fn finished() -> Arc<Finished> {
    Arc::new(Finished { outputs: vec![Value::Integer(1)], results: Results::default() })
}

struct Walk {
    plan: Arc<Plan>,
    schedule: Schedule,
}

impl Walk {
    fn new(json: serde_json::Value) -> Self {
        let plan = plan(json);
        Self { schedule: Schedule::new(plan.clone(), Vec::new()), plan }
    }

    fn next(&mut self) -> Option<String> {
        self.schedule.next().map(|index| self.plan.steps[index].id.to_string())
    }

    fn finish(&mut self, id: &str) -> Weak<Finished> {
        let finished = finished();
        let weak = Arc::downgrade(&finished);
        self.schedule.finish(self.index(id), finished);
        weak
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

#[test]
fn what_frees_memory_goes_first() {
    // With `a` and `b` done, `q` frees `b`; `p` frees nothing, since `j` uses `a` too.
    let mut walk = Walk::new(json!({
        "s": of("Save", &[("x", "j")]), "j": of("Join", &[("a", "k"), ("b", "a")]),
        "k": of("Join", &[("a", "p"), ("b", "q")]),
        "p": of("Pass", &[("x", "a")]), "q": of("Pass", &[("x", "b")]),
        "a": of("Source", &[]), "b": of("Source", &[]),
    }));
    let started = [walk.next().unwrap(), walk.next().unwrap()];
    assert_eq!(started, ["a", "b"]);
    walk.finish("a");
    walk.finish("b");
    assert_eq!(walk.next().unwrap(), "q");
}

#[test]
fn a_cached_node_needs_nothing_above_it() {
    let plan = plan(json!({
        "s": of("Save", &[("x", "p")]), "p": of("Pass", &[("x", "a")]), "a": of("Source", &[]),
    }));
    let cached: Vec<_> = plan.steps.iter().map(|step| (&*step.id != "s").then(finished)).collect();
    let weak: Vec<_> = cached.iter().map(|c| c.as_ref().map(Arc::downgrade)).collect();
    let schedule = Schedule::new(plan.clone(), cached);
    let mut walk = Walk { plan, schedule };
    assert!(weak[0].as_ref().unwrap().upgrade().is_none(), "nobody needs the source");
    assert!(weak[1].as_ref().unwrap().upgrade().is_some());
    assert_eq!(walk.order(), "s");
    assert!(weak[1].as_ref().unwrap().upgrade().is_none());
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
    assert!(c.upgrade().is_some(), "the other branch may still be asked for");
    assert_eq!(walk.next().unwrap(), "w");
    assert_eq!(walk.schedule.inputs(w).unwrap().len(), 1);
    walk.finish("w");
    assert!(c.upgrade().is_none(), "now it cannot");
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
    let empty = Finished { outputs: Vec::new(), results: Results::default() };
    walk.schedule.finish(0, Arc::new(empty));
    let error = walk.schedule.inputs(1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "node type `Source` of plugin `p` gave no value for its output 0"
    );
}

//! Random graphs, random lazy links, random losses: whatever happens, every node gets what a
//! plain evaluation of the graph would give it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use proptest::prelude::*;

use super::*;

/// Values that something beside the schedule keeps, and may lose.
type Shelf = HashMap<(usize, usize), Arc<Value>>;

/// One node: the nodes and outputs that it is linked to. A node asks for a lazy input in round
/// 1 or 2, or never (0).
#[derive(Debug, Clone)]
struct Drawn {
    eager: Vec<(usize, usize)>,
    lazy: Vec<(usize, usize, u8)>,
    is_output: bool,
    /// Whether the cache knows it, and which of its outputs it has.
    cached: Option<[bool; 2]>,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let link = || (0usize..100, 0usize..2);
    let eager = prop::collection::vec(link(), 0..=2);
    let lazy = prop::collection::vec((0usize..100, 0usize..2, 0u8..3), 0..=2);
    let cached = prop::option::weighted(0.3, any::<[bool; 2]>());
    (eager, lazy, prop::bool::weighted(0.2), cached)
        .prop_map(|(eager, lazy, is_output, cached)| Drawn { eager, lazy, is_output, cached })
}

fn graph(nodes: &mut [Drawn]) -> Arc<Plan> {
    let mut pack = Pack::new("p");
    for (eager, lazy, is_output) in
        (0..3).flat_map(|e| (0..3).flat_map(move |l| [(e, l, false), (e, l, true)]))
    {
        let mut built = node(&format!("N{eager}{lazy}{is_output}")).output("X").output("X");
        built = (0..eager).fold(built, |built, at| built.socket(&format!("e{at}"), "*"));
        built = (0..lazy).fold(built, |built, at| built.lazy(&format!("l{at}")));
        pack = pack.with(if is_output { built.output_node() } else { built });
    }
    let mut registry = Registry::new();
    registry.add(pack.build()).unwrap();
    let mut json = serde_json::Map::new();
    nodes.last_mut().unwrap().is_output = true;
    for (index, drawn) in nodes.iter_mut().enumerate() {
        if index == 0 {
            drawn.eager.clear();
            drawn.lazy.clear();
        }
        drawn.eager.iter_mut().for_each(|(from, _)| *from %= index);
        drawn.lazy.iter_mut().for_each(|(from, ..)| *from %= index);
        let mut inputs = serde_json::Map::new();
        for (at, (from, slot)) in drawn.eager.iter().enumerate() {
            inputs.insert(format!("e{at}"), json!([from.to_string(), slot]));
        }
        for (at, (from, slot, _)) in drawn.lazy.iter().enumerate() {
            inputs.insert(format!("l{at}"), json!([from.to_string(), slot]));
        }
        let class = format!("N{}{}{}", drawn.eager.len(), drawn.lazy.len(), drawn.is_output);
        json.insert(index.to_string(), json!({"class_type": class, "inputs": inputs}));
    }
    Arc::new(validate(&registry, &workflow(json.into()), None, &Cancel::new()).unwrap())
}

/// What a node makes of what it is given.
fn outputs(node: usize, mut inputs: Vec<(String, i128)>) -> [i128; 2] {
    inputs.sort();
    [0, 1].map(|slot: usize| {
        let mut hasher = DefaultHasher::new();
        (node, slot, &inputs).hash(&mut hasher);
        i128::from(hasher.finish())
    })
}

/// The outputs of every node, computed one after another.
fn plain(nodes: &[Drawn]) -> Vec<[i128; 2]> {
    let mut all: Vec<[i128; 2]> = Vec::new();
    for (index, drawn) in nodes.iter().enumerate() {
        let eager = drawn.eager.iter().enumerate();
        let mut inputs: Vec<_> =
            eager.map(|(at, (from, slot))| (format!("e{at}"), all[*from][*slot])).collect();
        for (at, (from, slot, round)) in drawn.lazy.iter().enumerate() {
            if *round > 0 {
                inputs.push((format!("l{at}"), all[*from][*slot]));
            }
        }
        all.push(outputs(index, inputs));
    }
    all
}

struct Trial {
    nodes: Vec<Drawn>,
    expected: Vec<[i128; 2]>,
    plan: Arc<Plan>,
    schedule: Schedule,
    shelf: Shelf,
    running: Vec<usize>,
    /// Lazy inputs that were asked for, by step.
    asked: HashSet<(usize, String)>,
    runs: usize,
}

impl Trial {
    fn new(mut nodes: Vec<Drawn>) -> Self {
        let plan = graph(&mut nodes);
        let expected = plain(&nodes);
        let mut shelf = Shelf::new();
        let mut cached = Vec::new();
        for (step, node) in plan.steps.iter().map(|step| node_of(&step.id)).enumerate() {
            let values = expected[node].map(|value| Arc::new(Value::Integer(value)));
            let finished = Finished::new(&given(values.to_vec()), Release::AfterUse, |_| true);
            let there = nodes[node].cached;
            cached.push(there.map(|_| Arc::new(finished)));
            for (slot, value) in values.into_iter().enumerate() {
                if there.is_some_and(|there| there[slot]) {
                    shelf.insert((step, slot), value);
                }
            }
        }
        let schedule = Schedule::new(plan.clone(), Release::AfterUse, &cached);
        let (running, asked) = (Vec::new(), HashSet::new());
        Self { nodes, expected, plan, schedule, shelf, running, asked, runs: 0 }
    }

    /// Starts a step if one is ready. A node runs only for what is not there.
    fn start(&mut self) -> bool {
        let Some(step) = self.schedule.next() else { return false };
        let state = &self.schedule.states[step];
        let again = state.slots.iter().enumerate().filter(|(_, slot)| !slot.consumers.is_empty());
        for (number, slot) in again {
            let kept = self.shelf.contains_key(&(step, number));
            assert!(slot.held.is_some() || !kept, "step {step} runs for output {number}");
        }
        self.running.push(step);
        true
    }

    /// A running step asks for the lazy inputs of its next round, or finishes.
    fn go_on(&mut self, which: usize) {
        let step = self.running.swap_remove(which % self.running.len());
        let node = node_of(&self.plan.steps[step].id);
        let inputs = self.schedule.inputs(step).unwrap();
        let given_now = |name: &String| inputs.iter().any(|(given, _)| given == name);
        for round in [1, 2] {
            let lazy = self.nodes[node].lazy.iter().enumerate();
            let names: Vec<String> = lazy
                .filter(|(_, (.., wanted))| *wanted == round)
                .map(|(at, _)| format!("l{at}"))
                .filter(|name| !given_now(name))
                .collect();
            if !names.is_empty() {
                assert!(self.schedule.is_undecided(step));
                for name in &names {
                    assert!(self.asked.insert((step, name.clone())), "it asked before");
                }
                return self.schedule.ask(step, &names);
            }
        }
        let inputs = inputs.into_iter().map(|(name, value)| match value {
            Value::Integer(value) => (name, value),
            other => panic!("{other:?}"),
        });
        let values = outputs(node, inputs.collect());
        assert_eq!(values, self.expected[node], "the inputs of node {node}");
        let values = values.map(|value| Arc::new(Value::Integer(value)));
        let finished = self.schedule.finish(step, given(values.to_vec()));
        for slot in 0..2 {
            self.shelf.insert((step, slot), finished.take(slot).unwrap());
        }
        self.runs += 1;
    }

    fn lose(&mut self, which: usize) {
        let mut keys: Vec<_> = self.shelf.keys().copied().collect();
        keys.sort_unstable();
        if let Some(key) = keys.get(which % keys.len().max(1)) {
            self.shelf.remove(key);
        }
    }

    /// What a pending step needs is held, or a step is pending that will give it. Nothing else
    /// is held.
    fn check(&self) {
        for (index, state) in self.schedule.states.iter().enumerate() {
            for slot in &state.slots {
                assert!(slot.held.is_none() || !slot.consumers.is_empty());
            }
            if state.phase.is_pending() {
                for (upstream, number) in self.schedule.links(index, true) {
                    let slot = self.schedule.slot(upstream, number).unwrap();
                    assert!(slot.consumers.contains(&index));
                    assert!(slot.held.is_some() || self.schedule.is_pending(upstream));
                }
            }
        }
    }
}

fn node_of(id: &str) -> usize {
    id.parse().unwrap()
}

proptest! {
    #[test]
    fn whatever_is_lost_every_node_gets_what_it_should(
        nodes in prop::collection::vec(drawn(), 1..12),
        choices in prop::collection::vec(any::<u8>(), 1..100),
    ) {
        let mut trial = Trial::new(nodes);
        for choice in choices.into_iter().cycle() {
            let which = usize::from(choice / 4);
            if choice & 1 == 1 {
                trial.lose(which);
            }
            let wait = choice & 2 == 2 && !trial.running.is_empty();
            if wait || trial.running.len() >= 3 || !trial.start() {
                if trial.running.is_empty() {
                    break;
                }
                trial.go_on(which);
            }
            trial.check();
        }
        prop_assert!(trial.schedule.is_done());
        let lazy: usize = trial.nodes.iter().map(|node| node.lazy.len()).sum();
        let demands = trial.plan.outputs.len() + lazy;
        prop_assert!(trial.runs <= demands * trial.plan.steps.len());
        let held = |slot: &Slot| slot.held.is_some();
        prop_assert!(!trial.schedule.states.iter().any(|state| state.slots.iter().any(held)));
    }
}

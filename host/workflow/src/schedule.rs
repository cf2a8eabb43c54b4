//! Which node is next, and what is held for whom.
//!
//! Pure bookkeeping over a [`Plan`]: no threads, no time, no plugins, so its order can be tested.
//! Outputs demand what they depend on; what the cache still has demands nothing.
//!
//! A step that was demanded is a consumer of the outputs that its links lead to, until it has
//! run. A lazy link makes it one only when it is asked for. An output that has consumers is
//! held, from the moment it is computed, or taken from where it was kept, until the last of
//! them has run. What is left of it then is what the release level keeps ([`Finished`]). Where
//! that is nothing, and a lazy link leads back to it, its node runs again, with all that it
//! needs in turn. What is left goes too when no lazy link can lead back any more.
//!
//! This ends. Whatever a demanded step needs is held at once, or is computed by a step that is
//! demanded with it and held from then on. So nothing is lost before its consumer has run, and
//! a step runs again only for a new demand, of which there are no more than outputs and lazy
//! links.
//!
//! Of the nodes that are ready, the one that is the last consumer of most bytes goes first, then
//! the one that comes first in depth-first order: a branch ends before the next one begins.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use berth_sandbox::{FunctionValue, Value};

use crate::cache::{Finished, Given};
use crate::error::WorkflowError;
use crate::foresight::Foresight;
use crate::plan::{Bound, Plan, Source};
use crate::registry::Inputs;
use crate::release::Release;

/// How far a run has come.
pub(crate) struct Schedule {
    plan: Arc<Plan>,
    release: Release,
    states: Vec<State>,
    ready: BinaryHeap<Ready>,
    foresight: Foresight,
}

/// One step's state.
#[derive(Default)]
struct State {
    phase: Phase,
    /// Its outputs, up to the last that a link leads to.
    slots: Vec<Slot>,
    /// Outputs that it waits for.
    missing: usize,
    /// Lazy inputs that the node asked for, by position.
    asked: Vec<usize>,
    /// Bytes that nobody needs any more when it has run, as far as that is known.
    frees: u64,
    /// Whether somebody may still ask for it: a lazy link that was not followed yet leads to it.
    open: bool,
    /// What is left of its outputs for those who may still ask.
    kept: Option<Arc<Finished>>,
}

/// One output of a step.
#[derive(Default)]
struct Slot {
    linked: bool,
    /// Steps that were demanded, need it, and have not run.
    consumers: BTreeSet<usize>,
    /// There whenever it was computed and has consumers.
    held: Option<Held>,
}

/// A value, and what is in it.
struct Held {
    value: Arc<Value>,
    bytes: u64,
    functions: Vec<Arc<FunctionValue>>,
}

impl From<Arc<Value>> for Held {
    fn from(value: Arc<Value>) -> Self {
        Self { bytes: value.bytes(), functions: value.functions(), value }
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum Phase {
    /// Nobody has asked for it.
    #[default]
    Idle,
    Waiting,
    Ready,
    Running,
    Done,
}

impl Phase {
    /// Whether it was demanded and has not run since.
    fn is_pending(self) -> bool {
        matches!(self, Self::Waiting | Self::Ready | Self::Running)
    }
}

/// A step that can run; the greatest goes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    frees: u64,
    position: Reverse<usize>,
}

impl Schedule {
    /// A schedule where some steps are done from the start.
    pub(crate) fn new(plan: Arc<Plan>, release: Release, cached: &[Option<Arc<Finished>>]) -> Self {
        let mut states: Vec<State> = plan.steps.iter().map(|_| State::default()).collect();
        for (state, finished) in states.iter_mut().zip(cached) {
            if finished.is_some() {
                state.phase = Phase::Done;
                state.kept.clone_from(finished);
            }
        }
        let inputs = plan.steps.iter().flat_map(|step| &step.inputs);
        for (upstream, slot) in inputs.filter_map(Bound::link) {
            let Some(State { slots, .. }) = states.get_mut(upstream) else { continue };
            if slots.len() <= slot {
                slots.resize_with(slot.saturating_add(1), Slot::default);
            }
            if let Some(slot) = slots.get_mut(slot) {
                slot.linked = true;
            }
        }
        let (ready, foresight) = (BinaryHeap::new(), Foresight::default());
        let mut schedule = Self { plan: plan.clone(), release, states, ready, foresight };
        for &output in &plan.outputs {
            if schedule.phase(output) == Phase::Idle {
                schedule.demand(vec![output]);
            }
        }
        schedule.reconsider();
        schedule
    }

    /// Whether a step was demanded and has not run since.
    pub(crate) fn is_pending(&self, index: usize) -> bool {
        self.phase(index).is_pending()
    }

    /// The step to start now, if one can.
    pub(crate) fn next(&mut self) -> Option<usize> {
        loop {
            let Ready { frees, position: Reverse(index) } = self.ready.pop()?;
            let state = self.states.get_mut(index)?;
            // A step that was ranked again is there more than once.
            if state.phase == Phase::Ready && state.frees == frees {
                state.phase = Phase::Running;
                return Some(index);
            }
        }
    }

    /// What a step is given, in the order of its inputs; lazy ones only if it asked for them.
    pub(crate) fn inputs(&self, index: usize) -> Result<Inputs, WorkflowError> {
        let (Some(step), Some(state)) = (self.plan.steps.get(index), self.states.get(index)) else {
            return Ok(Inputs::new());
        };
        let mut inputs = Inputs::with_capacity(step.inputs.len());
        for (position, input) in step.inputs.iter().enumerate() {
            let value = match &input.source {
                _ if input.lazy && !state.asked.contains(&position) => continue,
                Source::Constant(constant) => constant.to_value(),
                Source::Link { step, slot } => self.output(*step, *slot)?,
            };
            inputs.push((input.name.clone(), value));
        }
        Ok(inputs)
    }

    fn output(&self, index: usize, slot: usize) -> Result<Value, WorkflowError> {
        let held = self.slot(index, slot).and_then(|slot| slot.held.as_ref());
        held.map(|held| Value::clone(&held.value)).ok_or_else(|| {
            let step = self.plan.steps.get(index);
            WorkflowError::MissingOutput {
                plugin: step.map(|step| step.plugin().to_owned()).unwrap_or_default(),
                class: step.map(|step| step.class().to_owned()).unwrap_or_default(),
                slot,
            }
        })
    }

    /// Whether a step has lazy inputs that it has not asked for.
    pub(crate) fn is_undecided(&self, index: usize) -> bool {
        !self.links(index, false).is_empty()
    }

    /// A running step needs more of its lazy inputs: it becomes ready again when they are there.
    pub(crate) fn ask(&mut self, index: usize, names: &[String]) {
        let mut links = Vec::new();
        if let (Some(step), Some(state)) = (self.plan.steps.get(index), self.states.get_mut(index))
        {
            for (position, input) in step.inputs.iter().enumerate() {
                let is_new = input.lazy && !state.asked.contains(&position);
                if is_new && names.contains(&input.name) {
                    state.asked.push(position);
                    links.extend(input.link());
                }
            }
        }
        links.sort_unstable();
        links.dedup();
        let absent = self.consume(index, links);
        self.demand(absent);
        self.reconsider();
    }

    /// A step has run. Gives what the release level keeps of that.
    pub(crate) fn finish(&mut self, index: usize, mut given: Given) -> Arc<Finished> {
        // Of a node that ran again, what was not lost stays: nothing is there twice.
        for (slot, new) in given.outputs.iter_mut().enumerate() {
            if let Some(old) = self.take(index, slot) {
                *new = old;
            }
        }
        let linked = |slot| self.slot(index, slot).is_some_and(|slot| slot.linked);
        let finished = Arc::new(Finished::new(&given, self.release, linked));
        self.done(index, finished.clone(), |slot| given.outputs.get(slot).cloned());
        finished
    }

    /// A step that was to run takes what a node of the same signature gave, if everything
    /// that is needed of it is still there.
    pub(crate) fn reuse(&mut self, index: usize, finished: &Arc<Finished>) -> bool {
        let Some(State { slots, .. }) = self.states.get(index) else { return false };
        let mut found = Vec::with_capacity(slots.len());
        for (number, slot) in slots.iter().enumerate() {
            let needed = slot.held.is_none() && !slot.consumers.is_empty();
            let value = needed.then(|| finished.take(number)).flatten();
            if needed && value.is_none() {
                return false;
            }
            found.push(value);
        }
        self.done(index, finished.clone(), |slot| found.get(slot).cloned().flatten());
        true
    }

    /// Whether every output is done.
    pub(crate) fn is_done(&self) -> bool {
        self.plan.outputs.iter().all(|&output| self.phase(output) == Phase::Done)
    }

    fn phase(&self, index: usize) -> Phase {
        self.states.get(index).map_or(Phase::Done, |state| state.phase)
    }

    fn slot(&self, index: usize, slot: usize) -> Option<&Slot> {
        self.states.get(index)?.slots.get(slot)
    }

    /// The outputs that a step's links lead to, each once: those that it needs, or those
    /// that it may still ask for.
    fn links(&self, index: usize, needed: bool) -> Vec<(usize, usize)> {
        let (Some(step), Some(state)) = (self.plan.steps.get(index), self.states.get(index)) else {
            return Vec::new();
        };
        let inputs = step.inputs.iter().enumerate();
        let is_needed = |(position, input): &(usize, &Bound)| {
            (!input.lazy || state.asked.contains(position)) == needed
        };
        let mut links: Vec<_> =
            inputs.filter(is_needed).filter_map(|(_, input)| input.link()).collect();
        links.sort_unstable();
        links.dedup();
        links
    }

    fn with(&mut self, index: usize, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.states.get_mut(index) {
            change(state);
        }
    }

    /// Has steps run, and all that they need for that.
    fn demand(&mut self, mut open: Vec<usize>) {
        while let Some(index) = open.pop() {
            if !self.is_pending(index) {
                let links = self.links(index, true);
                open.extend(self.consume(index, links));
            }
        }
    }

    /// Makes a step a consumer of outputs, and has it wait until they are held. Gives the
    /// steps that must run for that.
    fn consume(&mut self, index: usize, mut links: Vec<(usize, usize)>) -> Vec<usize> {
        links.retain(|&(upstream, slot)| !self.hold(upstream, slot, index));
        self.with(index, |state| {
            state.phase = Phase::Waiting;
            state.missing = links.len();
        });
        self.make_ready(index);
        links.into_iter().map(|(upstream, _)| upstream).collect()
    }

    /// Gives an output one more consumer. Whether it is there.
    fn hold(&mut self, index: usize, number: usize, consumer: usize) -> bool {
        let found = self.take(index, number);
        let state = self.states.get_mut(index);
        let Some(slot) = state.and_then(|state| state.slots.get_mut(number)) else { return false };
        // With consumers it is held, or they wait for the step to run.
        if slot.consumers.is_empty() {
            slot.held = found.map(Held::from);
        }
        let is_new = slot.consumers.insert(consumer);
        let Some(held) = &slot.held else { return false };
        if is_new {
            self.foresight.add(&held.functions, consumer);
        }
        self.rank_consumers(index, number);
        true
    }

    /// A step needs an output no more. Without consumers it is held no more.
    fn let_go(&mut self, index: usize, number: usize, consumer: usize) {
        let state = self.states.get_mut(index);
        let Some(slot) = state.and_then(|state| state.slots.get_mut(number)) else { return };
        if !slot.consumers.remove(&consumer) {
            return;
        }
        if let Some(held) = &slot.held {
            self.foresight.remove(&held.functions, consumer);
        }
        if slot.consumers.is_empty() {
            slot.held = None;
        } else {
            self.rank_consumers(index, number);
        }
    }

    /// An output, if it is there.
    fn take(&self, index: usize, number: usize) -> Option<Arc<Value>> {
        match self.slot(index, number).and_then(|slot| slot.held.as_ref()) {
            Some(held) => Some(held.value.clone()),
            None => self.states.get(index)?.kept.as_ref()?.take(number),
        }
    }

    /// A step is done: who waits for its outputs has them, and it needs nothing any more.
    fn done(
        &mut self,
        index: usize,
        finished: Arc<Finished>,
        output: impl Fn(usize) -> Option<Arc<Value>>,
    ) {
        let links = self.links(index, true);
        let Some(state) = self.states.get_mut(index) else { return };
        state.phase = Phase::Done;
        state.kept = may_keep(self.release, state.open).then_some(finished);
        let mut waiting = Vec::new();
        for (number, slot) in state.slots.iter_mut().enumerate() {
            if slot.held.is_some() || slot.consumers.is_empty() {
                continue;
            }
            slot.held = output(number).map(Held::from);
            for &consumer in &slot.consumers {
                if let Some(held) = &slot.held {
                    self.foresight.add(&held.functions, consumer);
                }
                waiting.push(consumer);
            }
        }
        for (upstream, number) in links {
            self.let_go(upstream, number, index);
        }
        for consumer in waiting {
            self.with(consumer, |state| state.missing = state.missing.saturating_sub(1));
            self.make_ready(consumer);
        }
        let step = self.plan.steps.get(index);
        if step.is_some_and(|step| step.inputs.iter().any(|input| input.lazy)) {
            self.reconsider();
        }
    }

    fn make_ready(&mut self, index: usize) {
        let Some(state) = self.states.get_mut(index) else { return };
        if state.phase == Phase::Waiting && state.missing == 0 {
            state.phase = Phase::Ready;
            self.rank(index);
        }
    }

    /// Gives a step that is ready its place among the others.
    fn rank(&mut self, index: usize) {
        if self.phase(index) != Phase::Ready {
            return;
        }
        let mut frees = 0_u64;
        for (upstream, number) in self.links(index, true) {
            let Some(slot) = self.slot(upstream, number) else { continue };
            if let (1, Some(held)) = (slot.consumers.len(), &slot.held) {
                frees = frees.saturating_add(held.bytes);
            }
        }
        self.with(index, |state| state.frees = frees);
        self.ready.push(Ready { frees, position: Reverse(index) });
    }

    /// Ranks those anew to whom it matters that an output has one consumer more or fewer.
    fn rank_consumers(&mut self, index: usize, number: usize) {
        let Some(slot) = self.slot(index, number) else { return };
        if slot.consumers.len() <= 2 {
            for consumer in slot.consumers.iter().copied().collect::<Vec<_>>() {
                self.rank(consumer);
            }
        }
    }

    /// Finds out whom somebody may still ask for: all that the lazy links of pending steps lead
    /// to. What is left of the others is of no use to this run.
    fn reconsider(&mut self) {
        let pending = (0..self.states.len()).filter(|&index| self.is_pending(index));
        let asked = pending.flat_map(|index| self.links(index, false));
        let mut open: Vec<usize> = asked.map(|(upstream, _)| upstream).collect();
        let mut found = vec![false; self.states.len()];
        while let Some(index) = open.pop() {
            let Some(found) = found.get_mut(index) else { continue };
            if !std::mem::replace(found, true) {
                open.extend(self.plan.steps.get(index).into_iter().flat_map(|s| &s.upstream));
            }
        }
        for (state, found) in self.states.iter_mut().zip(found) {
            state.open = found;
            if !may_keep(self.release, found) {
                state.kept = None;
            }
        }
    }
}

/// Whether a run holds on to what is left of a step's outputs.
fn may_keep(release: Release, open: bool) -> bool {
    open || matches!(release, Release::KeepAll | Release::Unreferenced)
}

#[cfg(test)]
mod tests;

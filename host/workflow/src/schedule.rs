//! Which node is next, and whose values can go.
//!
//! Pure bookkeeping over a [`Plan`]: no threads, no time, no plugins, so its order can be tested.
//! Outputs demand what they depend on; a node that is in the cache demands nothing.
//! A value is kept for the nodes that *may* still use it: also for those behind a lazy input
//! that was not asked for yet, until it is certain that nobody will.
//!
//! Of the nodes that are ready, the one that frees most values goes first, then the one
//! that comes first in depth-first order: a branch ends before the next one begins.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use berth_sandbox::Value;

use crate::cache::Finished;
use crate::error::WorkflowError;
use crate::plan::{Plan, Source};
use crate::registry::Inputs;

/// How far a run has come.
pub(crate) struct Schedule {
    plan: Arc<Plan>,
    states: Vec<State>,
    ready: BinaryHeap<Ready>,
}

/// One step's state.
#[derive(Default)]
struct State {
    phase: Phase,
    /// Steps that may still use its values.
    users: usize,
    /// Steps that it waits for.
    missing: usize,
    /// Steps that wait for it.
    waiting: Vec<usize>,
    /// Lazy inputs that the node asked for, by position.
    asked: Vec<usize>,
    finished: Option<Arc<Finished>>,
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

/// A step that can run; the greatest goes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ready {
    freed: isize,
    position: Reverse<usize>,
}

impl Schedule {
    /// A schedule where some steps are done from the start.
    pub(crate) fn new(plan: Arc<Plan>, mut cached: Vec<Option<Arc<Finished>>>) -> Self {
        let states = plan.steps.iter().map(|_| State::default()).collect();
        let outputs = plan.outputs.clone();
        let mut schedule = Self { plan: plan.clone(), states, ready: BinaryHeap::new() };
        // Everything that may run, and who may use it.
        let mut seen = vec![false; plan.steps.len()];
        let mut open = outputs.clone();
        while let Some(index) = open.pop() {
            match seen.get_mut(index) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            if let Some(finished) = cached.get_mut(index).and_then(Option::take) {
                schedule.with(index, |state| {
                    state.phase = Phase::Done;
                    state.finished = Some(finished);
                });
                continue;
            }
            for &upstream in plan.steps.get(index).map_or(&[][..], |step| &step.upstream) {
                schedule.with(upstream, |state| state.users += 1);
                open.push(upstream);
            }
        }
        for index in outputs {
            schedule.demand(index);
        }
        schedule
    }

    /// The step to start now, if one can.
    pub(crate) fn next(&mut self) -> Option<usize> {
        let Ready { position: Reverse(index), .. } = self.ready.pop()?;
        self.with(index, |state| state.phase = Phase::Running);
        Some(index)
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
        let finished = self.states.get(index).and_then(|state| state.finished.as_ref());
        let value = finished.and_then(|finished| finished.outputs.get(slot).cloned());
        value.ok_or_else(|| {
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
        let (Some(step), Some(state)) = (self.plan.steps.get(index), self.states.get(index)) else {
            return false;
        };
        step.inputs.iter().filter(|input| input.lazy).count() > state.asked.len()
    }

    /// A running step needs more of its lazy inputs: it becomes ready again when they are there.
    pub(crate) fn ask(&mut self, index: usize, names: &[String]) {
        let plan = self.plan.clone();
        let Some(step) = plan.steps.get(index) else { return };
        let mut links = Vec::new();
        for (position, input) in step.inputs.iter().enumerate() {
            if input.lazy && names.contains(&input.name) {
                self.with(index, |state| state.asked.push(position));
                links.extend(input.link());
            }
        }
        self.wait(index, links);
        self.demand_missing(index);
    }

    /// A step is done. Frees what nobody can use any more.
    pub(crate) fn finish(&mut self, index: usize, finished: Arc<Finished>) {
        let mut waiting = Vec::new();
        self.with(index, |state| {
            state.phase = Phase::Done;
            state.finished = (state.users > 0).then_some(finished);
            waiting = std::mem::take(&mut state.waiting);
        });
        let plan = self.plan.clone();
        for &upstream in plan.steps.get(index).map_or(&[][..], |step| &step.upstream) {
            self.release(upstream);
        }
        for waiting in waiting {
            self.with(waiting, |state| state.missing = state.missing.saturating_sub(1));
            self.make_ready(waiting);
        }
    }

    /// Whether every output is done.
    pub(crate) fn is_done(&self) -> bool {
        self.plan.outputs.iter().all(|&output| self.phase(output) == Phase::Done)
    }

    fn phase(&self, index: usize) -> Phase {
        self.states.get(index).map_or(Phase::Done, |state| state.phase)
    }

    fn with(&mut self, index: usize, change: impl FnOnce(&mut State)) {
        if let Some(state) = self.states.get_mut(index) {
            change(state);
        }
    }

    /// Has a step run, and all that it needs for that.
    fn demand(&mut self, index: usize) {
        let plan = self.plan.clone();
        let mut open = vec![index];
        while let Some(index) = open.pop() {
            let Some(step) = plan.steps.get(index) else { continue };
            if self.phase(index) != Phase::Idle {
                continue;
            }
            let links: Vec<usize> = step.eager().collect();
            open.extend(self.wait(index, links));
        }
    }

    fn demand_missing(&mut self, index: usize) {
        let plan = self.plan.clone();
        let upstream = plan.steps.get(index).map_or(&[][..], |step| &step.upstream);
        for &upstream in upstream {
            let awaited =
                self.states.get(upstream).is_some_and(|state| state.waiting.contains(&index));
            if awaited {
                self.demand(upstream);
            }
        }
    }

    /// Makes a step wait for others, or ready if all of them are done. Gives those it waits for.
    fn wait(&mut self, index: usize, mut links: Vec<usize>) -> Vec<usize> {
        links.sort_unstable();
        links.dedup();
        links.retain(|&link| self.phase(link) != Phase::Done);
        self.with(index, |state| {
            state.phase = Phase::Waiting;
            state.missing = links.len();
        });
        for &link in &links {
            self.with(link, |state| state.waiting.push(index));
        }
        self.make_ready(index);
        links
    }

    fn make_ready(&mut self, index: usize) {
        let Some(state) = self.states.get_mut(index) else { return };
        if state.phase != Phase::Waiting || state.missing > 0 {
            return;
        }
        state.phase = Phase::Ready;
        let Some(step) = self.plan.steps.get(index) else { return };
        let last_user =
            |&&upstream: &&usize| self.states.get(upstream).is_some_and(|state| state.users == 1);
        let freed = step.upstream.iter().filter(last_user).count();
        let kept = usize::from(!step.registered.node_type.outputs.is_empty());
        let freed = freed.cast_signed().saturating_sub(kept.cast_signed());
        self.ready.push(Ready { freed, position: Reverse(index) });
    }

    /// One user of a step fewer. Without any its values go, and if it never ran it
    /// uses nothing itself.
    fn release(&mut self, index: usize) {
        let plan = self.plan.clone();
        let mut open = vec![index];
        while let Some(index) = open.pop() {
            let Some(state) = self.states.get_mut(index) else { continue };
            state.users = state.users.saturating_sub(1);
            if state.users > 0 {
                continue;
            }
            state.finished = None;
            if state.phase == Phase::Idle {
                open.extend(plan.steps.get(index).into_iter().flat_map(|step| &step.upstream));
            }
        }
    }
}

#[cfg(test)]
mod tests;

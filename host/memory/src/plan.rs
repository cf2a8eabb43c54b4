//! What a call of a function leases, step by step, learned from the last one.
//!
//! A sampler calls the same function at every step, and the function walks the same
//! weights in the same order. So the second call is known: which weight comes next, and how
//! much room everything else takes meanwhile. A plan only says what would be good to
//! have early; a call that departs from it runs as if there were none, and its own
//! steps are the next plan.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::entry::{AllocationId, GroupId};
use crate::list::Key;

/// The most steps that are remembered of one call: real models have some thousands.
const LONGEST: usize = 100_000;

/// One call's leases, in order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Bytes of all its weights, each once.
    pub(crate) weights: u64,
}

/// One lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    /// Its clean inputs.
    pub(crate) uses: SmallVec<[Use; 2]>,
    /// Bytes of the device that hold no weights: activations, outputs, workspace.
    pub(crate) others: u64,
}

/// A weight that a step needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) key: Key,
    /// Keys are used again, so an id says whether it is still the same.
    pub(crate) id: AllocationId,
    pub(crate) bytes: u64,
}

impl Plan {
    pub(crate) fn new(steps: Vec<Step>) -> Self {
        let mut all: Vec<Use> = steps.iter().flat_map(|step| step.uses.iter().copied()).collect();
        all.sort_unstable_by_key(|used| used.id);
        all.dedup_by_key(|used| used.id);
        let weights = all.iter().fold(0_u64, |sum, used| sum.saturating_add(used.bytes));
        Self { steps, weights }
    }

    /// The steps from a position on, and then from the beginning, each once.
    pub(crate) fn from(&self, position: usize) -> impl Iterator<Item = &Step> {
        let position = position.min(self.steps.len());
        let (before, after) = self.steps.split_at(position);
        after.iter().chain(before)
    }
}

/// A call on its way.
pub(crate) struct Running {
    pub(crate) group: GroupId,
    /// What it has done so far.
    steps: Vec<Step>,
    /// What it should do.
    plan: Option<Arc<Plan>>,
    /// How far along the plan it is; `None` once it departed.
    position: Option<usize>,
}

impl Running {
    pub(crate) fn new(group: GroupId, plan: Option<Arc<Plan>>) -> Self {
        Self { group, steps: Vec::new(), position: plan.is_some().then_some(0), plan }
    }

    /// Notes a lease.
    pub(crate) fn advance(&mut self, step: Step) {
        let as_planned = self.plan.as_ref().zip(self.position).is_some_and(|(plan, position)| {
            plan.steps.get(position).is_some_and(|planned| planned.uses == step.uses)
        });
        self.position = self.position.filter(|_| as_planned).map(|position| position + 1);
        if self.steps.len() < LONGEST {
            self.steps.push(step);
        }
    }

    /// What comes next, while it keeps to its plan.
    pub(crate) fn ahead(&self) -> Option<(&Arc<Plan>, usize)> {
        self.plan.as_ref().zip(self.position)
    }

    /// Something that was brought early could not be: from here on nothing is.
    pub(crate) fn give_up(&mut self) {
        self.position = None;
    }

    /// What the next call should do. A call that ended early, but did nothing else
    /// than was planned, changes nothing.
    pub(crate) fn learned(self) -> Option<Arc<Plan>> {
        let kept_to_it = self.plan.as_ref().is_some_and(|plan| {
            self.steps.len() <= plan.steps.len()
                && self
                    .steps
                    .iter()
                    .zip(&plan.steps)
                    .all(|(done, planned)| done.uses == planned.uses)
        });
        if kept_to_it || self.steps.is_empty() {
            return self.plan;
        }
        Some(Arc::new(Plan::new(self.steps)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(ids: &[u64]) -> Step {
        let uses = ids.iter().map(|&id| Use { key: id as usize, id: AllocationId(id), bytes: 10 });
        Step { uses: uses.collect(), others: 0 }
    }

    fn run(plan: Option<Arc<Plan>>, steps: &[&[u64]]) -> Running {
        let mut running = Running::new(1, plan);
        steps.iter().for_each(|ids| running.advance(step(ids)));
        running
    }

    #[test]
    fn the_second_call_knows_what_comes_next() {
        let first = run(None, &[&[1], &[], &[2, 3], &[1]]);
        assert!(first.ahead().is_none());
        let plan = first.learned().unwrap();
        assert_eq!((plan.steps.len(), plan.weights), (4, 30));
        let second = run(Some(plan.clone()), &[&[1], &[]]);
        let (ahead, position) = second.ahead().unwrap();
        let next: Vec<u64> =
            ahead.from(position).flat_map(|step| &step.uses).map(|used| used.id.0).collect();
        assert_eq!(next, [2, 3, 1, 1]);
        assert!(Arc::ptr_eq(&second.learned().unwrap(), &plan), "it only ended early");
    }

    #[test]
    fn a_call_that_departs_is_the_next_plan() {
        let plan = run(None, &[&[1], &[2]]).learned();
        let departed = run(plan.clone(), &[&[1], &[3]]);
        assert!(departed.ahead().is_none());
        let learned = departed.learned().unwrap();
        assert_eq!(learned.steps.last().unwrap().uses.first().unwrap().id, AllocationId(3));
        let longer = run(plan, &[&[1], &[2], &[3]]);
        assert_eq!(longer.learned().unwrap().steps.len(), 3);
    }
}

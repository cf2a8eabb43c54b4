//! What a call of a function leases, step by step, learned from the last one.
//!
//! A sampler calls the same function at every step, and the function walks the same
//! weights in the same order. So the second call is known: which weight comes next, and how
//! much room everything else takes meanwhile. A plan only says what would be good to
//! have early; a call that departs from it runs as if there were none, and its own
//! steps are the next plan.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::entry::{AllocationId, GroupId};
use crate::list::Key;

/// The most steps that are remembered of one call: real models have some thousands.
const LONGEST: usize = 100_000;

/// The part of a call's weights that may wait on the device for their use, as one in so many.
pub(crate) const WINDOW: u64 = 100;

/// What room for early weights may cost, as a part of all weights: one in so many.
const SLACK: u64 = 50;

/// How many of the largest that come and go are looked at a second time.
const LOOK_BACK: usize = 32;

/// One call's leases, in order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Bytes of all its weights, each once.
    pub(crate) weights: u64,
    /// The most that its steps need beside weights.
    pub(crate) others: u64,
    /// What there was of the device when it was made.
    pub(crate) capacity: u64,
    /// The weights that come and go; the others stay.
    pub(crate) streamed: Vec<Use>,
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

/// The part of all weights below which one is not worth moving, as one in so many.
const TINY: u64 = 2000;

impl Plan {
    /// For a device that gives a call `capacity` bytes.
    pub(crate) fn new(steps: Vec<Step>, capacity: u64) -> Self {
        let mut all: Vec<Use> = steps.iter().flat_map(|step| step.uses.iter().copied()).collect();
        all.sort_unstable_by_key(|used| used.id);
        all.dedup_by_key(|used| used.id);
        let weights = all.iter().fold(0_u64, |sum, used| sum.saturating_add(used.bytes));
        let others = steps.iter().map(|step| step.others).max().unwrap_or(0);
        let mut plan = Self { steps, weights, others, capacity, streamed: Vec::new() };
        if weights.saturating_add(others) > capacity {
            let bytes =
                |uses: &[Use]| uses.iter().fold(0_u64, |sum, used| sum.saturating_add(used.bytes));
            plan.streamed = plan.choose(all.clone(), true);
            let least = weights.saturating_add(others).saturating_sub(capacity);
            if bytes(&plan.streamed) > least.saturating_add(weights / SLACK) {
                let alone = plan.choose(all, false);
                if bytes(&alone) < bytes(&plan.streamed) {
                    plan.streamed = alone;
                }
            }
        }
        plan
    }

    /// Which weights come and go: as few bytes as can be. One of them must find room beside all
    /// that stay, and so must the next one if it is to come `early`. So those are chosen that are used
    /// where activations leave room, then small ones: room for two large ones would be room
    /// for weights that stay.
    fn choose(&self, mut all: Vec<Use>, early: bool) -> Vec<Use> {
        let tiny = self.weights / TINY;
        let excess = self.excess();
        let beyond = |used: &Use| excess.get(&used.id).copied().unwrap_or(0);
        all.sort_by_key(|used| (used.bytes < tiny, beyond(used), used.bytes, used.id));
        let count = {
            let (mut too_few, mut enough) = (0, all.len());
            while too_few + 1 < enough {
                let middle = too_few.midpoint(enough);
                if self.fits(all.get(..middle).unwrap_or_default(), early) {
                    enough = middle;
                } else {
                    too_few = middle;
                }
            }
            enough
        };
        all.truncate(count);
        // What the last one made superfluous.
        for index in (0..all.len()).rev().take(LOOK_BACK) {
            let mut without = all.clone();
            without.remove(index);
            if self.fits(&without, early) {
                all = without;
            }
        }
        all
    }

    /// What each weight takes of the room for those that stay when it comes and goes: nothing, if
    /// it is used where activations leave as much room.
    fn excess(&self) -> HashMap<AllocationId, u64> {
        let mut excess = HashMap::new();
        for step in &self.steps {
            for used in &step.uses {
                let beyond = step.others.saturating_add(used.bytes).saturating_sub(self.others);
                let most: &mut u64 = excess.entry(used.id).or_default();
                *most = beyond.max(*most);
            }
        }
        excess
    }

    /// Whether every step finds room when these weights come and go.
    fn fits(&self, streamed: &[Use], early: bool) -> bool {
        let mut ids: Vec<AllocationId> = streamed.iter().map(|used| used.id).collect();
        ids.sort_unstable();
        let gone = streamed.iter().fold(0_u64, |sum, used| sum.saturating_add(used.bytes));
        let stays = self.weights.saturating_sub(gone);
        let mut before = 0_u64;
        self.steps.iter().all(|step| {
            let comes = step
                .uses
                .iter()
                .filter(|used| ids.binary_search(&used.id).is_ok())
                .fold(0_u64, |sum, used| sum.saturating_add(used.bytes));
            let needed =
                stays.saturating_add(comes).saturating_add(before).saturating_add(step.others);
            // The next one comes while this one is in use.
            if comes > 0 && early {
                before = comes.min(self.weights / WINDOW);
            }
            needed <= self.capacity
        })
    }

    /// Whether it would be the plan of these steps, which use the same weights.
    fn is_of(&self, steps: &[Step], capacity: u64) -> bool {
        let others = steps.iter().map(|step| step.others).max().unwrap_or(0);
        // What differs less than a weight that comes early is not worth a new plan.
        let differs = others.abs_diff(self.others);
        self.capacity == capacity && differs <= self.weights / WINDOW
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
    /// Room in which nothing that is missing fits.
    pub(crate) no_fill: Option<u64>,
}

impl Running {
    pub(crate) fn new(group: GroupId, plan: Option<Arc<Plan>>) -> Self {
        Self {
            group,
            steps: Vec::new(),
            position: plan.is_some().then_some(0),
            plan,
            no_fill: None,
        }
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
    pub(crate) fn learned(self, capacity: u64) -> Option<Arc<Plan>> {
        let kept_to_it = self.plan.as_ref().is_some_and(|plan| {
            self.steps.len() <= plan.steps.len()
                && self
                    .steps
                    .iter()
                    .zip(&plan.steps)
                    .all(|(done, planned)| done.uses == planned.uses)
        });
        match self.plan {
            Some(plan) if kept_to_it && self.steps.len() < plan.steps.len() => Some(plan),
            // The same weights beside other activations, or in another room, are another plan.
            Some(plan) if kept_to_it && plan.is_of(&self.steps, capacity) => Some(plan),
            plan if self.steps.is_empty() => plan,
            _ => Some(Arc::new(Plan::new(self.steps, capacity))),
        }
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
        let plan = first.learned(1000).unwrap();
        assert_eq!((plan.steps.len(), plan.weights), (4, 30));
        let second = run(Some(plan.clone()), &[&[1], &[]]);
        let (ahead, position) = second.ahead().unwrap();
        let next: Vec<u64> =
            ahead.from(position).flat_map(|step| &step.uses).map(|used| used.id.0).collect();
        assert_eq!(next, [2, 3, 1, 1]);
        assert!(Arc::ptr_eq(&second.learned(1000).unwrap(), &plan), "it only ended early");
    }

    #[test]
    fn a_call_that_departs_is_the_next_plan() {
        let plan = run(None, &[&[1], &[2]]).learned(1000);
        let departed = run(plan.clone(), &[&[1], &[3]]);
        assert!(departed.ahead().is_none());
        let learned = departed.learned(1000).unwrap();
        assert_eq!(learned.steps.last().unwrap().uses.first().unwrap().id, AllocationId(3));
        let longer = run(plan, &[&[1], &[2], &[3]]);
        assert_eq!(longer.learned(1000).unwrap().steps.len(), 3);
    }
}

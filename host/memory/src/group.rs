//! What leaves together: the weights that the calls of one site use.
//!
//! A group is known by a number that is never used again, so what stays behind when its
//! site is gone stands for a function that nobody can call: the first to go.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use crate::entry::{GroupId, NO_GROUP, STREAMED};
use crate::plan::Plan;
use crate::setup::{MoveRule, Rules};

/// What is known of one site.
pub(crate) struct Group {
    /// Whose functions these are.
    pub(crate) record: usize,
    label: String,
    role: Option<String>,
    /// Calls that run.
    pub(crate) calls: u32,
    /// What the graph says.
    next_use: NextUse,
    /// When it was last called.
    last_call: u64,
    never: bool,
    always: bool,
    /// What a call leases, once one was seen to its end.
    pub(crate) plan: Option<Arc<Plan>>,
}

/// When the graph calls a site again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextUse {
    Unknown,
    After(u32),
    Never,
}

/// How soon a group is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    running: bool,
    /// Whether it comes and goes, while others of its group stay.
    streamed: bool,
    /// Larger is later.
    distance: u64,
    last_call: u64,
    /// Whether it should stay whatever happens.
    pub(crate) never: bool,
}

impl Standing {
    /// Whether one of its calls runs.
    pub(crate) fn is_running(&self) -> bool {
        self.running
    }

    /// Whether no node that is left to run can call it.
    pub(crate) fn is_worthless(&self) -> bool {
        !self.running && !self.never && self.distance > u64::from(u32::MAX)
    }

    /// The smallest leaves first.
    pub(crate) fn order(&self) -> (bool, Reverse<u64>, u64, bool) {
        (self.running, Reverse(self.distance), self.last_call, !self.streamed)
    }
}

/// All groups.
pub(crate) struct Groups {
    groups: HashMap<GroupId, Group>,
    rules: Rules,
    next: GroupId,
    clock: u64,
}

impl Groups {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { groups: HashMap::new(), rules, next: NO_GROUP + 1, clock: 0 }
    }

    pub(crate) fn add(&mut self, record: usize, label: &str) -> GroupId {
        let id = self.next;
        self.next += 1;
        let named = |names: &[String]| names.iter().any(|name| !name.is_empty() && name == label);
        let (never, always) = (named(&self.rules.never), named(&self.rules.always));
        let group = Group {
            record,
            label: label.to_owned(),
            role: None,
            calls: 0,
            next_use: NextUse::Unknown,
            last_call: 0,
            never,
            always,
            plan: None,
        };
        self.groups.insert(id, group);
        id
    }

    pub(crate) fn remove(&mut self, id: GroupId) -> Option<Group> {
        self.groups.remove(&id)
    }

    pub(crate) fn get(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: GroupId) -> Option<&mut Group> {
        self.groups.get_mut(&id)
    }

    /// Which role a group has; the first counts. A model whose label says so is a refiner.
    pub(crate) fn set_role(&mut self, id: GroupId, role: &str) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if group.role.is_some() {
            return;
        }
        let label = group.label.to_lowercase();
        let says_so =
            |name: &String| !name.is_empty() && label.contains(name.to_lowercase().as_str());
        let refines = role == MODEL && self.rules.refiners.iter().any(says_so);
        let role = if refines { REFINER } else { role };
        let named = |names: &[String]| names.iter().any(|name| name == role);
        group.never |= named(&self.rules.never);
        group.always |= named(&self.rules.always);
        group.role = Some(role.to_owned());
    }

    pub(crate) fn set_next_use(&mut self, id: GroupId, next: Option<u32>) {
        if let Some(group) = self.groups.get_mut(&id) {
            group.next_use = next.map_or(NextUse::Never, NextUse::After);
        }
    }

    /// A call begins. Gives the groups that the rules have leave the device now.
    pub(crate) fn begin(&mut self, id: GroupId) -> Vec<GroupId> {
        self.clock += 1;
        let Some(group) = self.groups.get_mut(&id) else { return Vec::new() };
        group.calls += 1;
        group.last_call = self.clock;
        let role = group.role.clone().unwrap_or_default();
        let rules = &self.rules.moves;
        let leaves = |other: &Group| match other.role.as_deref() {
            Some(MODEL) => {
                role == REFINER && rules.contains(&MoveRule::BaseForRefiner)
                    || role == VAE && rules.contains(&MoveRule::BaseForVae)
            }
            Some(REFINER) => {
                rules.contains(&MoveRule::RefinerWhenIdle)
                    || role == VAE && rules.contains(&MoveRule::BaseForVae)
            }
            _ => false,
        };
        self.groups
            .iter()
            .filter(|(other, group)| **other != id && group.calls == 0 && leaves(group))
            .map(|(other, _)| *other)
            .collect()
    }

    /// A call ends. Whether the rules have the group leave the device now.
    pub(crate) fn end(&mut self, id: GroupId) -> bool {
        let Some(group) = self.groups.get_mut(&id) else { return false };
        group.calls = group.calls.saturating_sub(1);
        group.calls == 0 && group.always
    }

    pub(crate) fn standing(&self, id: GroupId) -> Standing {
        let streamed = id & STREAMED != 0;
        match self.groups.get(&(id & !STREAMED)) {
            Some(group) => Standing {
                streamed,
                running: group.calls > 0,
                distance: match group.next_use {
                    NextUse::Unknown => 0,
                    NextUse::After(distance) => u64::from(distance),
                    NextUse::Never => u64::from(u32::MAX) + 1,
                },
                last_call: group.last_call,
                never: group.never,
            },
            // Weights that no function used: of a node that computes itself, now perhaps.
            None if id == NO_GROUP => Standing {
                streamed,
                running: false,
                distance: 0,
                last_call: u64::MAX,
                never: false,
            },
            // Nobody can call it any more.
            None => Standing {
                streamed,
                running: false,
                distance: u64::MAX,
                last_call: 0,
                never: false,
            },
        }
    }
}

const MODEL: &str = "model";
const REFINER: &str = "refiner";
const VAE: &str = "vae";

//! Functions that use the same weights each time they are called.
//!
//! A layer above makes a site for every function value and says when its calls begin and
//! end. That is all that this crate needs to learn what a model is: the weights that one
//! site's calls lease are one group, and the order of its leases is its plan.

use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::ahead;
use crate::entry::{GroupId, NO_GROUP, STREAMED};
use crate::list::Key;
use crate::plan::{Plan, Running, Step, Use};
use crate::state::State;
use crate::sync::Guard;
use crate::{Account, Device, Handle, Memory, Tier};

/// A function whose calls are watched: what one call leased tells what the next will need.
///
/// Clones are the same site.
pub struct Site<D: Device>(Arc<Watched<D>>);

struct Watched<D: Device> {
    memory: Memory<D>,
    account: Account,
    group: GroupId,
    label: String,
}

impl<D: Device> Clone for Site<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Device> fmt::Debug for Site<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Site({})", self.0.label)
    }
}

impl<D: Device> Memory<D> {
    /// A site of an account. `label` is the model file's, for rules and messages.
    #[must_use]
    pub fn site(&self, account: &Account, label: &str) -> Site<D> {
        let mut state = self.0.lock();
        let record = state.ledger.record(account);
        let group = state.ledger.groups.add(record, label);
        drop(state);
        let (memory, account, label) = (self.clone(), account.clone(), label.to_owned());
        Site(Arc::new(Watched { memory, account, group, label }))
    }
}

impl<D: Device> Site<D> {
    /// What the function is part of: `model`, `clip` or `vae`. The first role counts.
    pub fn set_role(&self, role: &str) {
        self.0.memory.0.lock().ledger.groups.set_role(self.0.group, role);
    }

    /// Where in the order of the graph the next node is that may call it; `None` when no
    /// node that is left to run can. Of two sites the one with the larger place leaves first.
    pub fn set_next_use(&self, next: Option<u32>) {
        self.0.memory.0.lock().ledger.groups.set_next_use(self.0.group, next);
    }

    /// The weights that its calls used, as its account holds them: those whose last user it
    /// was. Empty before its first call.
    #[must_use]
    pub fn weights(&self) -> Vec<Handle<D>> {
        let Watched { memory, account, group, .. } = &*self.0;
        let mut state = memory.0.lock();
        let record = state.ledger.record(account);
        let members = state
            .ledger
            .entries
            .iter()
            .filter(|(_, entry)| entry.group & !STREAMED == *group && entry.is_clean())
            .filter(|(_, entry)| entry.holder(record).is_some())
            .map(|(key, _)| key)
            .collect();
        memory.held(state, account, record, members)
    }

    /// A call begins. It ends when the last clone is dropped.
    #[must_use]
    pub fn call(&self) -> Call<D> {
        let Watched { memory, group, .. } = &*self.0;
        let shared = &*memory.0;
        let mut state = shared.lock();
        let leave = state.ledger.groups.begin(*group);
        let plan = state.ledger.groups.get(*group).and_then(|group| group.plan.clone());
        let key = state.calls.insert(Running::new(*group, plan));
        drop(state);
        for group in leave {
            memory.send_away(group);
        }
        ahead::wake(shared);
        Call(Arc::new(Begun { site: self.clone(), key }))
    }
}

impl<D: Device> Drop for Watched<D> {
    fn drop(&mut self) {
        let removed = self.memory.0.lock().ledger.groups.remove(self.group);
        // A plan can be long; it goes without the lock.
        drop(removed);
    }
}

/// One call of a site, which its leases are part of. Clones are the same call.
pub struct Call<D: Device>(Arc<Begun<D>>);

struct Begun<D: Device> {
    site: Site<D>,
    key: usize,
}

impl<D: Device> Call<D> {
    pub(crate) fn key(&self) -> usize {
        self.0.key
    }

    pub(crate) fn is_of(&self, memory: &Memory<D>) -> bool {
        Arc::ptr_eq(&self.0.site.0.memory.0, &memory.0)
    }
}

impl<D: Device> Clone for Call<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Device> fmt::Debug for Call<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.0.site.0.label)
    }
}

impl<D: Device> Drop for Begun<D> {
    fn drop(&mut self) {
        let Watched { memory, group, .. } = &*self.site.0;
        let mut state = memory.0.lock();
        let running = state.calls.try_remove(self.key);
        let leaves = state.ledger.groups.end(*group);
        let record = state.ledger.record(&self.site.0.account);
        let quota = state.ledger.records.get(record).and_then(|record| record.quota.device);
        let capacity = state.ledger.limit(Tier::Device).min(quota.unwrap_or(u64::MAX));
        drop(state);
        if let Some(learned) = running.and_then(|running| running.learned(capacity)) {
            memory.adopt(*group, learned);
        }
        if leaves {
            memory.send_away(*group);
        }
    }
}

impl<D: Device> State<D> {
    /// The group of a call; what belongs to none for no call.
    pub(crate) fn group_of(&self, call: Option<usize>) -> GroupId {
        let running = call.and_then(|key| self.calls.get(key));
        running.map_or(NO_GROUP, |running| running.group)
    }

    /// Notes what a lease of a call uses, after it was admitted.
    pub(crate) fn advance(&mut self, call: usize, inputs: &[&Handle<D>]) {
        let ledger = &self.ledger;
        let mut uses: SmallVec<[Use; 2]> = SmallVec::new();
        for input in inputs {
            let key = input.key();
            let entry = ledger.entry(key);
            if entry.is_clean() && uses.iter().all(|known| known.key != key) {
                uses.push(Use { key, id: entry.id, bytes: entry.bytes });
            }
        }
        let others = ledger.besides_weights();
        if let Some(running) = self.calls.get_mut(call) {
            running.advance(Step { uses, others });
        }
    }
}

impl<D: Device> Memory<D> {
    /// Makes a plan that of a group, if it is not that already.
    fn adopt(&self, group: GroupId, plan: Arc<Plan>) {
        let mut state = self.0.lock();
        let ledger = &mut state.ledger;
        let Some(known) = ledger.groups.get_mut(group) else { return };
        if known.plan.as_ref().is_some_and(|known| Arc::ptr_eq(known, &plan)) {
            return;
        }
        let old = known.plan.replace(plan.clone());
        let mut mark = |used: &Use, streams: bool| {
            let entry = ledger.entries.get(used.key);
            if entry.is_some_and(|entry| entry.id == used.id && entry.group & !STREAMED == group) {
                ledger.stream(used.key, streams);
            }
        };
        if let Some(old) = &old {
            old.streamed.iter().for_each(|used| mark(used, false));
        }
        plan.streamed.iter().for_each(|used| mark(used, true));
        drop(state);
        // A plan can be long; it goes without the lock.
        drop(old);
    }

    /// Handles of an account, whose record this is, to allocations that live while the lock is held.
    fn held(
        &self,
        mut state: Guard<'_, State<D>>,
        account: &Account,
        record: usize,
        keys: Vec<Key>,
    ) -> Vec<Handle<D>> {
        let hold = |key| {
            state.ledger.hold(key, record);
            let entry = state.ledger.entry(key);
            (key, entry.id, entry.bytes, entry.content.format)
        };
        let held: Vec<_> = keys.into_iter().map(hold).collect();
        drop(state);
        let handle =
            |(key, id, bytes, format)| Handle::new(self, account, record, key, id, bytes, format);
        held.into_iter().map(handle).collect()
    }

    /// Has what a group has on the device go to the host, as far as it is not in use.
    /// What finds no room there is dropped: it is clean.
    fn send_away(&self, group: GroupId) {
        let state = self.0.lock();
        let Some(record) = state.ledger.groups.get(group).map(|group| group.record) else { return };
        let Some(account) = state.ledger.records.get(record).map(|record| record.account.clone())
        else {
            return;
        };
        let members = state.members(record, group);
        let held = self.held(state, &account, record, members);
        for handle in &held {
            if self.stow(&[handle]).is_err()
                && let Err(error) = self.offload(&[handle])
            {
                tracing::warn!(%error, "a model stays on the device");
            }
        }
    }
}

impl<D: Device> State<D> {
    /// What a group has on the device of what an account holds.
    fn members(&self, record: usize, group: GroupId) -> Vec<Key> {
        let Some(lists) = self.ledger.records.get(record) else { return Vec::new() };
        let mut members = Vec::new();
        for lists in [&lists.own.device, &lists.shared.device] {
            for (_, list) in lists.free.iter().filter(|(known, _)| known & !STREAMED == group) {
                let mut next = list.oldest();
                while let Some(key) = next {
                    members.push(key);
                    let links = self.ledger.entry(key).holder(record).map(|holder| holder.links);
                    next = links.and_then(|links| links.get(Tier::Device).newer());
                }
            }
        }
        members
    }
}

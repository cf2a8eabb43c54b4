//! Results of nodes, kept for the next run.
//!
//! What is kept of a node's outputs is what the release level leaves of them:
//! - Level 0 keeps the values. They are handles to allocations that their plugin is charged for
//!   and that can be moved off the device like any other, so keeping them costs no VRAM.
//! - Level 1 keeps those that a link of the workflow leads to.
//! - Level 2 keeps none: another node of the same signature finds a value as long as a run holds
//!   it for its consumers, and nothing after that.
//! - `demote` shelves them: they are the first to leave the device and the host, and may be lost.
//!
//! So a result that is found may lack the output that is needed, and then its node runs again.
//! What a node showed is kept at every level; these are a few texts.
//!
//! The bound is a number of results, since whether one is a text or a model says nothing
//! about what it is worth; the one unused for longest goes first.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use berth_sandbox::{ShelvedValue, Value};
use hashlink::LruCache;

use crate::events::Results;
use crate::release::Release;
use crate::signature::Signature;

/// What a node gave.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) outputs: Vec<Arc<Value>>,
    pub(crate) results: Results,
}

/// What is kept of what a node gave.
#[derive(Debug)]
pub(crate) struct Finished {
    outputs: Vec<Kept>,
    pub(crate) results: Results,
}

/// What is kept of one output.
#[derive(Debug)]
enum Kept {
    Value(Arc<Value>),
    Shelved(ShelvedValue),
    /// Nothing but where it is while somebody else holds it.
    Weak(Weak<Value>),
}

impl Finished {
    /// What a release level keeps. `linked` says whether a link leads to an output.
    pub(crate) fn new(given: &Given, release: Release, linked: impl Fn(usize) -> bool) -> Self {
        let keep = |(slot, value): (usize, &Arc<Value>)| match release {
            Release::KeepAll => Kept::Value(value.clone()),
            Release::Unreferenced if linked(slot) => Kept::Value(value.clone()),
            Release::Unreferenced | Release::AfterUse => Kept::Weak(Arc::downgrade(value)),
            Release::Demote => Kept::Shelved(value.shelve()),
        };
        let outputs = given.outputs.iter().enumerate().map(keep).collect();
        Self { outputs, results: given.results.clone() }
    }

    /// An output, if it is still there.
    pub(crate) fn take(&self, slot: usize) -> Option<Arc<Value>> {
        match self.outputs.get(slot)? {
            Kept::Value(value) => Some(value.clone()),
            Kept::Shelved(value) => value.take().map(Arc::new),
            Kept::Weak(value) => value.upgrade(),
        }
    }
}

/// Results by signature.
pub(crate) struct ResultCache {
    /// `None` when nothing is kept.
    entries: Option<Mutex<LruCache<Signature, Arc<Finished>>>>,
}

impl ResultCache {
    /// A cache of this many results; none when 0.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: (capacity > 0).then(|| Mutex::new(LruCache::new(capacity))) }
    }

    pub(crate) fn is_on(&self) -> bool {
        self.entries.is_some()
    }

    pub(crate) fn get(&self, signature: &Signature) -> Option<Arc<Finished>> {
        let entries = self.entries.as_ref()?;
        entries.lock().unwrap_or_else(PoisonError::into_inner).get(signature).cloned()
    }

    pub(crate) fn insert(&self, signature: Signature, finished: Arc<Finished>) {
        let Some(entries) = &self.entries else { return };
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        // What goes is freed after the lock: it may be gigabytes.
        let mut gone = Vec::new();
        gone.extend(entries.insert(signature, finished));
        while entries.len() > entries.capacity() {
            gone.extend(entries.remove_lru().map(|(_, finished)| finished));
        }
        drop(entries);
    }

    pub(crate) fn clear(&self) {
        let Some(entries) = &self.entries else { return };
        let mut entries = entries.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = LruCache::new(entries.capacity());
        let gone = std::mem::replace(&mut *entries, empty);
        drop(entries);
        drop(gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished() -> Arc<Finished> {
        Arc::new(kept(Release::KeepAll, Vec::new()))
    }

    fn kept(release: Release, outputs: Vec<Arc<Value>>) -> Finished {
        Finished::new(&Given { outputs, results: Results::default() }, release, |slot| slot == 0)
    }

    #[test]
    fn each_level_keeps_what_it_says() {
        for (release, linked, unlinked) in [
            (Release::KeepAll, true, true),
            (Release::Unreferenced, true, false),
            (Release::AfterUse, false, false),
            (Release::Demote, true, true),
        ] {
            let values = vec![Arc::new(Value::Integer(1)), Arc::new(Value::Integer(2))];
            let kept = kept(release, values.clone());
            assert!(kept.take(0).is_some() && kept.take(1).is_some(), "{release}: it is held");
            drop(values);
            let there = (kept.take(0).is_some(), kept.take(1).is_some());
            assert_eq!(there, (linked, unlinked), "{release}");
            assert!(kept.take(2).is_none());
        }
    }

    #[test]
    fn the_result_unused_for_longest_goes_first_and_is_freed() {
        let cache = ResultCache::new(2);
        let first = finished();
        let weak = Arc::downgrade(&first);
        cache.insert(Signature::of(b"1"), finished());
        cache.insert(Signature::of(b"2"), first);
        assert!(cache.get(&Signature::of(b"1")).is_some());
        cache.insert(Signature::of(b"3"), finished());
        assert!(cache.get(&Signature::of(b"2")).is_none() && weak.upgrade().is_none());
        assert!(cache.get(&Signature::of(b"1")).is_some());
        cache.clear();
        assert!(cache.get(&Signature::of(b"1")).is_none());
    }

    #[test]
    fn a_cache_of_nothing_keeps_nothing() {
        let cache = ResultCache::new(0);
        cache.insert(Signature::of(b"1"), finished());
        assert!(!cache.is_on() && cache.get(&Signature::of(b"1")).is_none());
    }
}

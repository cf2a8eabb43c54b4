//! Results of nodes, kept for the next run.
//!
//! A result is values, and values are handles: what is kept here is an allocation that
//! its plugin is charged for and that can be moved off the device like any other, so keeping it
//! costs no VRAM. The bound is a number of results, since whether one is a
//! text or a model says nothing about what it is worth; the one unused for longest goes first.

use std::sync::{Arc, Mutex, PoisonError};

use berth_sandbox::Value;
use hashlink::LruCache;

use crate::events::Results;
use crate::signature::Signature;

/// What a node gave.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) outputs: Vec<Value>,
    pub(crate) results: Results,
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
        Arc::new(Finished { outputs: Vec::new(), results: Results::default() })
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

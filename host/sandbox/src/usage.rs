//! What a run has used of its limits, however deep in function calls.
//!
//! A function call has a store of its own, but it belongs to the run that made it: a plugin that
//! calls itself gets no second output and no second memory. Each plugin in a run has its own
//! count, since each has its own limits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use berth_memory::AccountId;

/// The counts of one run.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<Vec<(AccountId, Arc<Used>)>>);

/// What one plugin used in one run.
#[derive(Debug, Default)]
pub(crate) struct Used {
    /// Bytes of what it gave.
    given: AtomicU64,
    /// Bytes of linear memory that its instances have now.
    memory: AtomicU64,
}

impl Usage {
    /// The count of a plugin.
    pub(crate) fn of(&self, plugin: AccountId) -> Arc<Used> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, used)) = known.iter().find(|(other, _)| *other == plugin) {
            return used.clone();
        }
        let used = Arc::<Used>::default();
        known.push((plugin, used.clone()));
        used
    }
}

impl Used {
    /// Counts what is given. Whether it may be.
    pub(crate) fn give(&self, bytes: u64, limit: u64) -> bool {
        take(&self.given, bytes, limit)
    }

    /// Counts memory. Whether there may be so much.
    pub(crate) fn grow(&self, bytes: u64, limit: u64) -> bool {
        take(&self.memory, bytes, limit)
    }

    /// An instance is gone, with its memory.
    pub(crate) fn shrink(&self, bytes: u64) {
        self.memory.fetch_sub(bytes, Ordering::Relaxed);
    }
}

fn take(count: &AtomicU64, more: u64, limit: u64) -> bool {
    let within = |now: u64| now.checked_add(more).filter(|total| *total <= limit);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_shared_and_given_back() {
        let used = Used::default();
        assert!(used.grow(60, 100) && !used.grow(60, 100) && used.grow(40, 100));
        used.shrink(60);
        assert!(used.grow(60, 100) && !used.grow(1, 100));
        assert!(used.give(u64::MAX, u64::MAX) && !used.give(1, u64::MAX));
    }
}

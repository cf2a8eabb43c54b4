//! A token that stops what waits for memory.
//!
//! It is asked, never told: a waiting lease looks at it every few milliseconds.
//! So cancelling costs one store, from any thread, and nothing has to be
//! registered or unregistered by whoever can be cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Says whether work should stop. Clones are the same token.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Token>);

#[derive(Debug, Default)]
struct Token {
    cancelled: AtomicBool,
    parent: Option<Cancel>,
}

impl Cancel {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that is cancelled together with this one, but not the reverse.
    #[must_use]
    pub fn child(&self) -> Self {
        Self(Arc::new(Token { cancelled: AtomicBool::new(false), parent: Some(self.clone()) }))
    }

    /// Cancels this token and its children, for good.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
    }

    /// Whether this token or one that it descends from was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let mut token = Some(self);
        while let Some(Cancel(inner)) = token {
            if inner.cancelled.load(Ordering::Acquire) {
                return true;
            }
            token = inner.parent.as_ref();
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_cancelled_with_its_parent_and_not_the_reverse() {
        let parent = Cancel::new();
        let first = parent.child();
        let second = parent.child().child();
        first.cancel();
        assert!(first.is_cancelled() && !parent.is_cancelled() && !second.is_cancelled());
        parent.cancel();
        assert!(second.is_cancelled());
    }
}

//! A token that stops what waits for memory.
//!
//! It is asked, never told: a waiting lease looks at it every few milliseconds.
//! So cancelling costs one store, from any thread, and nothing has to be
//! registered or unregistered by whoever can be cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Says whether work should stop. Clones are the same token.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Token>);

#[derive(Debug, Default)]
struct Token {
    cancelled: AtomicBool,
    deadline: Option<Instant>,
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
        Self(Arc::new(Token { parent: Some(self.clone()), ..Token::default() }))
    }

    /// A child that is cancelled in any case from a point in time on.
    #[must_use]
    pub fn child_until(&self, deadline: Instant) -> Self {
        let parent = Some(self.clone());
        Self(Arc::new(Token { deadline: Some(deadline), parent, ..Token::default() }))
    }

    /// Cancels this token and its children, for good.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
    }

    /// Whether this token or one that it descends from was cancelled, or its time is over.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.any(|token| token.was_told() || token.is_late())
    }

    /// Whether nobody cancelled it: only its time is over.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.any(Token::is_late) && !self.any(Token::was_told)
    }

    fn any(&self, is: impl Fn(&Token) -> bool) -> bool {
        let mut token = Some(self);
        while let Some(Cancel(inner)) = token {
            if is(inner) {
                return true;
            }
            token = inner.parent.as_ref();
        }
        false
    }
}

impl Token {
    fn was_told(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
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

    #[test]
    fn a_deadline_is_told_from_a_cancellation() {
        let parent = Cancel::new();
        let late = parent.child_until(Instant::now()).child();
        let early = parent.child_until(Instant::now() + std::time::Duration::from_secs(3600));
        assert!(late.is_cancelled() && late.is_expired());
        assert!(!early.is_cancelled() && !early.is_expired() && !parent.is_cancelled());
        parent.cancel();
        assert!(late.is_cancelled() && !late.is_expired());
    }
}

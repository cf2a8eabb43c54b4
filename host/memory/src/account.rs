//! Who answers for bytes.
//!
//! An account is a name that the host gave out, not something that a plugin can
//! choose: two accounts of one name are two accounts. What it is charged is kept
//! by each memory, under that memory's lock, so that a charge and the bytes it
//! stands for can never disagree.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Which account: unique in this process, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(u64);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One plugin's account. Clones are the same account.
///
/// Made by [`Memory::account`](crate::Memory::account).
#[derive(Debug, Clone)]
pub struct Account(Arc<Identity>);

#[derive(Debug)]
struct Identity {
    id: AccountId,
    name: String,
    /// Where the memory that made it keeps its record; only a hint to others.
    hint: usize,
}

impl Account {
    pub(crate) fn new(name: &str, hint: usize) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = AccountId(NEXT.fetch_add(1, Ordering::Relaxed));
        Self(Arc::new(Identity { id, name: name.to_owned(), hint }))
    }

    /// Which account this is.
    #[must_use]
    pub fn id(&self) -> AccountId {
        self.0.id
    }

    /// The name it was made with, for messages and statistics.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn hint(&self) -> usize {
        self.0.hint
    }

    /// Whether this is the last clone, so that nobody can use the account any more.
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for Account {}

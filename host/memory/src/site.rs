//! Functions that use the same weights each time they are called.

use std::fmt;
use std::sync::Arc;

use crate::{Account, Device, Memory};

/// A function whose calls are watched: what one call leased tells what the next will need.
///
/// Clones are the same site.
pub struct Site<D: Device>(Arc<Known<D>>);

struct Known<D: Device> {
    _memory: Memory<D>,
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
    pub fn site(&self, _account: &Account, label: &str) -> Site<D> {
        Site(Arc::new(Known { _memory: self.clone(), label: label.to_owned() }))
    }
}

impl<D: Device> Site<D> {
    /// What the function is part of: `model`, `clip` or `vae`. The first role counts.
    pub fn set_role(&self, _role: &str) {}

    /// How soon the graph will call it again, 0 being next; `None` when no node that is
    /// left to run can.
    pub fn set_next_use(&self, _next: Option<u32>) {}

    /// A call begins. It ends when the last clone is dropped.
    #[must_use]
    pub fn call(&self) -> Call<D> {
        Call(Arc::new(self.clone()))
    }
}

/// One call of a site, which its leases are part of. Clones are the same call.
pub struct Call<D: Device>(Arc<Site<D>>);

impl<D: Device> Clone for Call<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Device> fmt::Debug for Call<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.0.0.label)
    }
}

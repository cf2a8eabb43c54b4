//! What goes wrong.

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match *self {}
    }
}

//! Where clean bytes come from.

use std::fmt::Debug;

use crate::MemoryError;

/// Bytes that stand somewhere else already, such as in a model file, and that
/// can be read again at any time.
///
/// A source must give the same bytes each time, or an error. It is shared by
/// pointer: the same range of the same `Arc<dyn Source>` is one allocation,
/// whoever asks for it.
pub trait Source: Send + Sync + Debug + 'static {
    /// Fills `into` with the bytes from `offset` on. Never called with a lock held.
    ///
    /// # Errors
    /// One of the `File…` variants of [`MemoryError`], or [`MemoryError::Source`].
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError>;

    /// What it is, for messages: a path, say.
    fn describe(&self) -> String;
}

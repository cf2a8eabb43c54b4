//! What this crate asks of a device.
//!
//! Two copies are all that moving bytes needs. Everything else about a device
//! (kernels, dtypes, streams) is the business of the layer above, so a format
//! is carried here without being understood.

use std::fmt::Debug;

use crate::MemoryError;

/// A memory that operations compute in.
///
/// Calls come from many threads at once, never with a lock of this crate held,
/// and never while they would pass the device limit.
pub trait Device: Send + Sync + 'static {
    /// Bytes on the device. Dropping it frees them before `drop` returns.
    type Buffer: Send + Sync + 'static;

    /// What a buffer's bytes mean, such as a dtype. Opaque here.
    type Format: Copy + PartialEq + Debug + Send + Sync + 'static;

    /// A new buffer of `bytes` bytes. `fill` is called once, with all of
    /// them, unless they are a ghost's.
    ///
    /// # Errors
    /// What `fill` returned, or [`MemoryError::Device`]; no buffer is left behind.
    fn create(
        &self,
        bytes: u64,
        format: Self::Format,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), MemoryError>,
    ) -> Result<Self::Buffer, MemoryError>;

    /// Bytes that the device could still give, whoever took the rest; `None` if it
    /// does not say. Asked often: it must be cheap.
    fn available(&self) -> Option<u64> {
        None
    }

    /// Whether its memory is the host's own, so that what it takes is missing there.
    fn is_in_dram(&self) -> bool {
        false
    }

    /// Whether what has this size has no bytes, wherever it is, as in a rehearsal. Then nothing is
    /// filled, read, copied or spilled for it, and all is counted as if it were. It is read as zeros.
    fn is_ghost(&self, _bytes: u64) -> bool {
        false
    }

    /// Copies `into.len()` bytes out of a buffer, from byte `offset` on.
    ///
    /// # Errors
    /// [`MemoryError::Device`].
    fn read(&self, buffer: &Self::Buffer, offset: u64, into: &mut [u8]) -> Result<(), MemoryError>;
}

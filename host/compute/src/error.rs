//! Why an operation was not done.

use berth_memory::MemoryError;

/// Why an operation was not done. Nothing was changed by it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// Memory could not be had or read.
    #[error(transparent)]
    Memory(MemoryError),

    /// A shape, dtype or value does not fit; `reason` says which, and what is expected.
    #[error("{operation}: {reason}")]
    InvalidArgument {
        /// The operation, as the contract names it.
        operation: &'static str,
        /// Which argument is wrong, and what is expected.
        reason: String,
    },

    /// Right, but this device has no kernel for it.
    #[error("{operation}: {reason}")]
    Unsupported {
        /// The operation, as the contract names it.
        operation: &'static str,
        /// What it cannot do, and what to do instead.
        reason: String,
    },

    /// The scope's token was cancelled.
    #[error("the operation was cancelled")]
    Cancelled,

    /// A promise between this crate's own parts was broken: a defect to report.
    #[error("{operation}: internal error ({reason}); please report it")]
    Internal {
        /// The operation, as the contract names it.
        operation: &'static str,
        /// Which promise.
        reason: &'static str,
    },
}

impl From<MemoryError> for ComputeError {
    fn from(error: MemoryError) -> Self {
        match error {
            MemoryError::Cancelled => Self::Cancelled,
            other => Self::Memory(other),
        }
    }
}

/// An [`ComputeError::InvalidArgument`], for `map_err` and `ok_or_else`.
pub(crate) fn invalid(operation: &'static str, reason: impl Into<String>) -> ComputeError {
    ComputeError::InvalidArgument { operation, reason: reason.into() }
}

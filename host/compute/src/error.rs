//! Why an operation was not done.

use berth_memory::MemoryError;

use crate::DType;

/// Why an operation was not done. Nothing was changed by it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComputeError {
    /// Memory could not be had or read, or the scope was cancelled.
    #[error(transparent)]
    Memory(#[from] MemoryError),

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

    /// A promise between this crate's own parts was broken: a defect to report.
    #[error("{operation}: internal error ({reason}); please report it")]
    Internal {
        /// The operation, as the contract names it.
        operation: &'static str,
        /// Which promise.
        reason: &'static str,
    },
}

/// An [`ComputeError::InvalidArgument`], for `map_err` and `ok_or_else`.
pub(crate) fn invalid(operation: &'static str, reason: impl Into<String>) -> ComputeError {
    ComputeError::InvalidArgument { operation, reason: reason.into() }
}

/// A dtype that `argument` cannot have here.
pub(crate) fn unsupported(
    operation: &'static str,
    argument: &'static str,
    dtype: DType,
) -> ComputeError {
    let reason = format!("{argument} is {dtype}, which is not computed in; cast it first");
    ComputeError::Unsupported { operation, reason }
}

pub(crate) fn internal(operation: &'static str, reason: &'static str) -> ComputeError {
    ComputeError::Internal { operation, reason }
}

//! Why something was not done.
//!
//! The contract's errors are data that travel between plugins and the host, so
//! this enum has exactly the contract's cases: whatever a node returns, the next
//! plugin and the operator can still tell a wrong argument from a lack of memory.

use crate::bindings::berth::node::types;

/// What every fallible function of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation was not done. Nothing was changed by it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument is wrong; the text says which, and what is expected.
    #[error("{0}")]
    InvalidArgument(String),
    /// The plugin was not granted this.
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// No such model, key, field or file.
    #[error("not found: {0}")]
    NotFound(String),
    /// One operation's own inputs, outputs and workspace are over the plugin's quota.
    #[error("over the plugin's quota: {0}")]
    QuotaExceeded(Shortage),
    /// One operation's own inputs, outputs and workspace are over the machine's limit.
    #[error("out of memory: {0}")]
    OutOfMemory(Shortage),
    /// Right, but not provided by this host.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The run was cancelled. Return at once.
    #[error("cancelled")]
    Cancelled,
    /// In the node's own words.
    #[error("{0}")]
    Failed(Failure),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// An error of a node's own, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of error it is, for programs, such as `model-not-found`.
    pub code: String,
    /// What went wrong, as people read it.
    pub message: String,
    /// What they can do about it; may be empty.
    pub hint: String,
}

/// What did not fit, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an operation needs {requested} bytes on the {tier}, where {limit} are allowed and {used} are taken"
)]
pub struct Shortage {
    /// Where it did not fit.
    pub tier: Tier,
    /// What the operation would have held.
    pub requested: u64,
    /// The limit or quota it met.
    pub limit: u64,
    /// What is held already, and cannot leave.
    pub used: u64,
}

/// A place where bytes can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// The accelerator's memory.
    Device,
    /// The machine's memory.
    Host,
    /// A model's own file, or a spill file.
    Disk,
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Device => "device",
            Self::Host => "host",
            Self::Disk => "disk",
        })
    }
}

impl Error {
    /// An [`Error::InvalidArgument`].
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidArgument(reason.into())
    }

    /// An [`Error::Other`].
    pub fn other(reason: impl std::fmt::Display) -> Self {
        Self::Other(reason.to_string())
    }

    /// An [`Error::Failed`].
    pub fn failed(code: &str, message: &str, hint: impl Into<String>) -> Self {
        Self::Failed(Failure { code: code.into(), message: message.into(), hint: hint.into() })
    }

    /// The same error, with `place` before its text. Errors without a text, or with one of their
    /// own, stay as they are.
    #[must_use]
    pub fn at(self, place: impl std::fmt::Display) -> Self {
        let before = |text: String| format!("{place}: {text}");
        match self {
            Self::InvalidArgument(text) => Self::InvalidArgument(before(text)),
            Self::AccessDenied(text) => Self::AccessDenied(before(text)),
            Self::NotFound(text) => Self::NotFound(before(text)),
            Self::Unsupported(text) => Self::Unsupported(before(text)),
            Self::Other(text) => Self::Other(before(text)),
            Self::QuotaExceeded(_) | Self::OutOfMemory(_) | Self::Cancelled | Self::Failed(_) => {
                self
            }
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        match error {
            types::Error::InvalidArgument(text) => Self::InvalidArgument(text),
            types::Error::AccessDenied(text) => Self::AccessDenied(text),
            types::Error::NotFound(text) => Self::NotFound(text),
            types::Error::QuotaExceeded(shortage) => Self::QuotaExceeded(shortage.into()),
            types::Error::OutOfMemory(shortage) => Self::OutOfMemory(shortage.into()),
            types::Error::Unsupported(text) => Self::Unsupported(text),
            types::Error::Cancelled => Self::Cancelled,
            types::Error::Failed(types::Failure { code, message, hint }) => {
                Self::Failed(Failure { code, message, hint })
            }
            types::Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidArgument(text) => Self::InvalidArgument(text),
            Error::AccessDenied(text) => Self::AccessDenied(text),
            Error::NotFound(text) => Self::NotFound(text),
            Error::QuotaExceeded(shortage) => Self::QuotaExceeded(shortage.into()),
            Error::OutOfMemory(shortage) => Self::OutOfMemory(shortage.into()),
            Error::Unsupported(text) => Self::Unsupported(text),
            Error::Cancelled => Self::Cancelled,
            Error::Failed(Failure { code, message, hint }) => {
                Self::Failed(types::Failure { code, message, hint })
            }
            Error::Other(text) => Self::Other(text),
        }
    }
}

impl From<types::Tier> for Tier {
    fn from(tier: types::Tier) -> Self {
        match tier {
            types::Tier::Device => Self::Device,
            types::Tier::Host => Self::Host,
            types::Tier::Disk => Self::Disk,
        }
    }
}

impl From<Tier> for types::Tier {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Device => Self::Device,
            Tier::Host => Self::Host,
            Tier::Disk => Self::Disk,
        }
    }
}

impl From<types::Shortage> for Shortage {
    fn from(shortage: types::Shortage) -> Self {
        Self {
            tier: shortage.tier.into(),
            requested: shortage.requested,
            limit: shortage.limit,
            used: shortage.used,
        }
    }
}

impl From<Shortage> for types::Shortage {
    fn from(shortage: Shortage) -> Self {
        Self {
            tier: shortage.tier.into(),
            requested: shortage.requested,
            limit: shortage.limit,
            used: shortage.used,
        }
    }
}

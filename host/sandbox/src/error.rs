//! What can go wrong in the sandbox, told so that the person who runs a workflow
//! knows which plugin it was and what to do.
//!
//! [`GuestError`] mirrors `error` in `wit/types.wit`: it is data that crosses the
//! boundary in both directions. [`SandboxError`] is what the layers above see.

use std::path::PathBuf;
use std::time::Duration;

use berth_compute::ComputeError;
use berth_memory::{AccountUse, MemoryError, Stats, Tier};
use thiserror::Error;

use crate::policy::Digest;
use crate::reading::Misread;
use crate::rights::{Denied, MissingKey, Right};

/// What did not fit, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// Where.
    pub tier: Tier,
    /// What the operation would have held.
    pub requested: u64,
    /// The limit or quota it met.
    pub limit: u64,
    /// What is held already and cannot leave.
    pub used: u64,
    /// Who holds it, the largest part first. A guest is not told.
    pub holders: Vec<(String, u64)>,
}

impl std::fmt::Display for Shortage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { tier, requested, limit, used, holders } = self;
        write!(f, "{requested} bytes needed on the {tier}, {used} in use, limit {limit}")?;
        for (index, (name, bytes)) in holders.iter().enumerate() {
            let before = if index == 0 { "; held by " } else { ", " };
            write!(f, "{before}{name} ({bytes})")?;
        }
        Ok(())
    }
}

/// An error in a plugin's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error it is, for programs.
    pub code: String,
    /// What went wrong, as people read it.
    pub message: String,
    /// What they can do about it; may be empty.
    pub hint: String,
}

/// An error as the contract has it: returned by the host to a guest, or by a guest
/// to the host.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GuestError {
    /// An argument is wrong.
    #[error("{0}")]
    InvalidArgument(String),
    /// The plugin was not granted this.
    #[error("access denied: {0}")]
    AccessDenied(String),
    /// No such model, key, field or file.
    #[error("not found: {0}")]
    NotFound(String),
    /// One operation is over the plugin's quota by itself.
    #[error("quota exceeded: {0}")]
    QuotaExceeded(Shortage),
    /// One operation is over the machine's limit by itself.
    #[error("out of memory: {0}")]
    OutOfMemory(Shortage),
    /// Right, but not provided.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// What a node says itself, with what to do about it.
    #[error("{}", .0.message)]
    Failed(Box<Failure>),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// What helps when the spill file is full.
const MORE_SPILL: &str = "raise `--spill-limit`, name a larger disk with `--spill-dir`, or give \
                          DRAM more room with `--dram`";

/// An error of memory, with all that the system said, and what to do about it.
fn failed(code: &str, error: &MemoryError, hint: &str) -> GuestError {
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        message.push_str(&format!(": {error}"));
        cause = error.source();
    }
    GuestError::Failed(Box::new(Failure { code: code.into(), message, hint: hint.into() }))
}

/// How an operator gives a right.
fn how_to_grant(plugin: &str, right: &Right) -> String {
    format!("if you trust it with this, grant it with `--grant {plugin}={right}`")
}

impl GuestError {
    /// A right is missing.
    pub(crate) fn denied(plugin: &str, denied: &Denied) -> Self {
        let Denied { right, missing } = denied;
        Self::AccessDenied(match missing {
            MissingKey::Request => {
                format!("plugin `{plugin}` does not request `{right}` in its manifest")
            }
            MissingKey::Grant => {
                let how = how_to_grant(plugin, right);
                format!("plugin `{plugin}` requests `{right}`, but is not granted it; {how}")
            }
        })
    }

    /// Whether a guest that was given this and passed it on would give that.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let figures = |short: &Shortage| (short.tier, short.requested, short.limit, short.used);
        match (self, other) {
            (Self::OutOfMemory(a), Self::OutOfMemory(b)) => figures(a) == figures(b),
            _ => self == other,
        }
    }

    /// With those who hold what is short, as far as it does not say so itself.
    pub(crate) fn with_holders(mut self, stats: impl FnOnce() -> Stats) -> Self {
        if let Self::OutOfMemory(short) = &mut self
            && short.holders.is_empty()
        {
            let of = |account: AccountUse| (account.name, *account.charge.get(short.tier));
            let all = stats().accounts.into_iter().map(of);
            short.holders = all.filter(|(_, bytes)| *bytes > 0).collect();
            short.holders.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        }
        self
    }
}

impl From<MemoryError> for GuestError {
    fn from(error: MemoryError) -> Self {
        match error {
            MemoryError::QuotaExceeded { tier, requested, limit, used, .. } => {
                Self::QuotaExceeded(Shortage { tier, requested, limit, used, holders: Vec::new() })
            }
            MemoryError::OutOfMemory { tier, requested, limit, used, holders } => {
                Self::OutOfMemory(Shortage { tier, requested, limit, used, holders })
            }
            MemoryError::Cancelled => Self::Cancelled,
            MemoryError::FileUnavailable { .. } | MemoryError::FileRead { .. } => {
                failed("model-file", &error, "check that the file is there and can be read")
            }
            MemoryError::FileTruncated { .. } => {
                failed("model-file", &error, "download the model again, and run the workflow again")
            }
            MemoryError::FileChanged { .. } => {
                failed("model-file", &error, "run the workflow again, once the file is at rest")
            }
            MemoryError::SpillUnavailable { .. }
            | MemoryError::SpillFull { .. }
            | MemoryError::SpillFailed { .. }
            | MemoryError::SpillCorrupted { .. } => failed(
                "spill",
                &error,
                "free space on that disk, name another with `--spill-dir`, or give DRAM more room \
                 with `--dram`",
            ),
            MemoryError::SpillLimit { .. } => failed("spill", &error, MORE_SPILL),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<ComputeError> for GuestError {
    fn from(error: ComputeError) -> Self {
        match error {
            ComputeError::Memory(error) => error.into(),
            ComputeError::InvalidArgument { .. } => Self::InvalidArgument(error.to_string()),
            ComputeError::Unsupported { .. } => Self::Unsupported(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

/// Why a plugin was not loaded, or a node of it did not run.
#[derive(Debug, Error)]
pub enum SandboxError {
    /// The bytes are not a component of this contract.
    #[error("plugin `{plugin}` is not a node component: {reason}")]
    NotAComponent {
        /// The plugin.
        plugin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The component asks for something that no plugin is given.
    #[error("plugin `{plugin}` imports what no plugin is given: {imports}")]
    UnknownImport {
        /// The plugin.
        plugin: String,
        /// The imports that were refused, escaped.
        imports: String,
    },
    /// Compiling the component took longer than it may.
    #[error("compiling plugin `{plugin}` took longer than {limit:?}")]
    CompileTimedOut {
        /// The plugin.
        plugin: String,
        /// The limit.
        limit: Duration,
    },
    /// Compiling the component took more memory than it may.
    #[error("compiling plugin `{plugin}` took more than {limit} bytes of memory")]
    CompileMemory {
        /// The plugin.
        plugin: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The compiler failed at the component.
    #[error("plugin `{plugin}` could not be compiled: {reason}")]
    CompileFailed {
        /// The plugin.
        plugin: String,
        /// What the compiler said.
        reason: String,
    },
    /// The component imports something that its manifest does not request.
    #[error("plugin `{plugin}` imports what needs the right `{right}`, which it does not request")]
    NotRequested {
        /// The plugin.
        plugin: String,
        /// What it would have to request.
        right: Right,
    },
    /// The component requests something that the operator did not grant it.
    #[error("plugin `{plugin}` requests the right `{right}`, which it is not granted")]
    NotGranted {
        /// The plugin.
        plugin: String,
        /// What it requests.
        right: Right,
    },
    /// The plugin's manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] Box<Misread>),
    /// The file of a plugin's manifest cannot be read.
    #[error("cannot read the manifest {}", path.display())]
    ManifestFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The component is another one than the operator named.
    #[error(
        "plugin `{plugin}` is another component than it should be: {found} instead of {pinned}"
    )]
    WrongDigest {
        /// The plugin.
        plugin: String,
        /// What the operator named.
        pinned: Digest,
        /// What is there.
        found: Digest,
    },
    /// The manifest is of a plugin with another name.
    #[error("plugin `{plugin}` has the manifest of `{claims}`")]
    WrongName {
        /// The plugin.
        plugin: String,
        /// Who its manifest says that it is.
        claims: String,
    },
    /// Another component has this name.
    #[error("another plugin is called `{plugin}` already")]
    NameTaken {
        /// The plugin.
        plugin: String,
    },
    /// The component is there under another name.
    #[error("plugin `{plugin}` is the same component as `{other}`")]
    LoadedTwice {
        /// The plugin.
        plugin: String,
        /// The other name.
        other: String,
    },
    /// The host runs as many instances as it can at a time.
    #[error("plugin `{plugin}` found no room: as many instances run as the host has places for")]
    TooManyRuns {
        /// The plugin.
        plugin: String,
    },
    /// The run gave more than it may: files, texts, lists of bytes.
    #[error("plugin `{plugin}` gave more than the {limit} bytes of output that a run may give")]
    TooMuchOutput {
        /// The plugin.
        plugin: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The plugin's own description is not usable.
    #[error("plugin `{plugin}` describes itself wrongly: {reason}")]
    BadDescription {
        /// The plugin.
        plugin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The guest, or the host on its behalf, returned an error.
    #[error("{error}")]
    Guest {
        /// The plugin.
        plugin: String,
        /// What it returned.
        error: GuestError,
    },
    /// The guest trapped.
    #[error("plugin `{plugin}` crashed: {reason}")]
    Trapped {
        /// The plugin.
        plugin: String,
        /// What the trap was.
        reason: String,
        /// The end of what the guest wrote to its standard error, escaped.
        stderr: String,
    },
    /// The guest grew past its limit of linear memory.
    #[error("plugin `{plugin}` asked for more than its {limit} bytes of linear memory")]
    GuestMemory {
        /// The plugin.
        plugin: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The guest grew past its limit of table elements.
    #[error("plugin `{plugin}` asked for more than its {limit} elements of tables")]
    GuestTables {
        /// The plugin.
        plugin: String,
        /// The limit in elements.
        limit: u64,
    },
    /// The guest passed more to the host in one call than it may.
    #[error("plugin `{plugin}` passed more than {limit} bytes to the host in one call")]
    TooMuchAtOnce {
        /// The plugin.
        plugin: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The guest ran longer than it may.
    #[error("plugin `{plugin}` ran longer than {limit:?}")]
    TimedOut {
        /// The plugin.
        plugin: String,
        /// The limit.
        limit: Duration,
    },
    /// The run was cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The guest gave values that are not what its description says.
    #[error("node `{node}` of plugin `{plugin}` returned {got} values instead of {expected}")]
    WrongOutputs {
        /// The plugin.
        plugin: String,
        /// The node type.
        node: String,
        /// How many came.
        got: usize,
        /// How many outputs it has.
        expected: usize,
    },
    /// A folder of the operator's cannot be used.
    #[error("cannot use the {what} folder {}", path.display())]
    Folder {
        /// Which one.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The WebAssembly engine could not be started.
    #[error("cannot start the WebAssembly engine: {0}")]
    Engine(String),
}

impl SandboxError {
    /// Whether nothing is wrong but that somebody stopped it.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Guest { error: GuestError::Cancelled, .. })
    }

    /// The plugin that the error is about.
    pub fn plugin(&self) -> Option<&str> {
        match self {
            Self::NotAComponent { plugin, .. }
            | Self::UnknownImport { plugin, .. }
            | Self::CompileTimedOut { plugin, .. }
            | Self::CompileMemory { plugin, .. }
            | Self::CompileFailed { plugin, .. }
            | Self::NotRequested { plugin, .. }
            | Self::NotGranted { plugin, .. }
            | Self::WrongDigest { plugin, .. }
            | Self::WrongName { plugin, .. }
            | Self::NameTaken { plugin }
            | Self::LoadedTwice { plugin, .. }
            | Self::TooMuchOutput { plugin, .. }
            | Self::TooManyRuns { plugin }
            | Self::BadDescription { plugin, .. }
            | Self::Guest { plugin, .. }
            | Self::Trapped { plugin, .. }
            | Self::GuestMemory { plugin, .. }
            | Self::GuestTables { plugin, .. }
            | Self::TooMuchAtOnce { plugin, .. }
            | Self::TimedOut { plugin, .. }
            | Self::WrongOutputs { plugin, .. } => Some(plugin),
            Self::Manifest(_)
            | Self::ManifestFile { .. }
            | Self::Cancelled
            | Self::Folder { .. }
            | Self::Engine(_) => None,
        }
    }

    /// What the person who runs the workflow can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotAComponent { .. } => Some(
                "build the plugin with `berth plugin build`, or componentize it \
                 against the world `berth:node/node`"
                    .into(),
            ),
            Self::UnknownImport { .. } => Some(
                "plugins get the `berth:node` interfaces and those of WASI 0.2 that languages ask \
                 for; build it without the others"
                    .into(),
            ),
            Self::CompileTimedOut { .. } | Self::CompileMemory { .. } => Some(
                "the compiler was ended; the largest language runtimes take a sixth of that, so \
                 a component that takes more is broken or made to: leave it out, and tell its \
                 author"
                    .into(),
            ),
            Self::CompileFailed { .. } => Some(
                "if other plugins load, this component is one that the compiler has a defect \
                 with: leave it out, and tell its author"
                    .into(),
            ),
            Self::NotRequested { right, .. } => {
                Some(format!("its author has to request `{right}` in its `plugin.toml`"))
            }
            Self::NotGranted { plugin, right } => Some(how_to_grant(plugin, right)),
            Self::Manifest(misread) => misread.hint.clone(),
            Self::ManifestFile { .. } => {
                Some("it has to be a text file in TOML that can be read".into())
            }
            Self::WrongDigest { .. } => Some(
                "if you replaced it yourself, write the new digest into `berth.toml`; otherwise \
                 do not run it"
                    .into(),
            ),
            Self::WrongName { claims, .. } => {
                Some(format!("put it under the name `{claims}`, which its quotas and grants go by"))
            }
            Self::TooManyRuns { .. } => Some(
                "run fewer workflows at a time, or lower `concurrency` in the plugins' limits"
                    .into(),
            ),
            Self::NameTaken { .. } => Some("give one of them another name".into()),
            Self::LoadedTwice { .. } => {
                Some("leave one of them out: under two names it would have two quotas".into())
            }
            Self::BadDescription { .. } | Self::WrongOutputs { .. } => {
                Some("this is a defect of the plugin: tell its author".into())
            }
            Self::Trapped { stderr, .. } => Some(if stderr.is_empty() {
                "this is a defect of the plugin: tell its author".into()
            } else {
                format!("this is a defect of the plugin: tell its author what it said: {stderr}")
            }),
            Self::Guest {
                error: GuestError::OutOfMemory(Shortage { tier: Tier::Host, .. }),
                ..
            } => Some(
                "give the host's memory more room with `--dram`, or let it spill: `--spill-limit`"
                    .into(),
            ),
            Self::Guest {
                error: GuestError::OutOfMemory(Shortage { tier: Tier::Disk, .. }),
                ..
            } => Some(MORE_SPILL.into()),
            Self::Guest { error: GuestError::OutOfMemory(short), .. }
                if short.requested <= short.limit =>
            {
                Some(
                    "let what is not in use leave the device with `--offload planned`, or give it \
                     more room with `--vram`"
                        .into(),
                )
            }
            Self::Guest { error: GuestError::OutOfMemory(_), .. } => Some(
                "give the host more room with `--vram`, or use a smaller image or batch".into(),
            ),
            Self::Guest { plugin, error: GuestError::QuotaExceeded(_) } => {
                Some(format!("raise its quota with `--quota {plugin}=SIZE`"))
            }
            Self::Guest { error: GuestError::Failed(failure), .. } => {
                Some(failure.hint.clone()).filter(|hint| !hint.is_empty())
            }
            Self::Guest { .. } | Self::Cancelled => None,
            Self::GuestMemory { .. }
            | Self::GuestTables { .. }
            | Self::TooMuchAtOnce { .. }
            | Self::TimedOut { .. }
            | Self::TooMuchOutput { .. } => Some(
                "the plugin used more than a node may; if that is its purpose, raise the limit"
                    .into(),
            ),
            Self::Folder { .. } => Some("check that it exists and that you may write to it".into()),
            Self::Engine(_) => None,
        }
    }
}

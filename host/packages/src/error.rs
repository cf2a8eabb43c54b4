//! What goes wrong between a project, a registry and a plugin folder.
//!
//! What a registry says is quoted in these messages, so it is made safe to show where they are made.

use std::io;
use std::path::PathBuf;

use berth_sandbox::{Digest, SandboxError};
use berth_workflow::{ConfigError, WorkflowError};

use crate::credentials::PASSWORD;

/// Why a plugin was not packed, sent or installed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no component where a project or a plugin has one.
    #[error("there is nothing to pack in {}: {reason}", path.display())]
    NothingToPack {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// What is packed would be overwritten by its package.
    #[error("{} is what is packed, and would be replaced by its package", path.display())]
    Onto {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A manifest is none, or cannot be read.
    #[error(transparent)]
    Manifest(#[from] SandboxError),
    /// The bytes are no component.
    #[error("{what} is no usable component: {reason}")]
    Component {
        /// Where they are from.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// No host would load it.
    #[error("{what} would be refused: {error}")]
    Refused {
        /// What was looked at.
        what: String,
        /// Why.
        error: Box<WorkflowError>,
    },
    /// A component without a manifest is no package.
    #[error("{what} has no manifest inside of it")]
    NotPacked {
        /// What was looked at.
        what: String,
    },
    /// A text does not say what in which registry.
    #[error("`{text}` is no reference: {reason}")]
    Reference {
        /// What was given.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// A user is named, but not the password.
    #[error("there is no password for the user `{username}`")]
    NoPassword {
        /// The user.
        username: String,
    },
    /// What Docker knows of a registry cannot be used.
    #[error("Docker's credentials for {registry} cannot be used: {reason}")]
    Credentials {
        /// The registry.
        registry: String,
        /// Why.
        reason: String,
    },
    /// Nobody answers, or not to the end.
    #[error("cannot {doing} {registry}: {reason}")]
    Network {
        /// What was done.
        doing: &'static str,
        /// The registry.
        registry: String,
        /// What happened.
        reason: String,
    },
    /// It answers with a refusal or a failure.
    #[error("cannot {doing} {registry}: it answers {status}{says}")]
    Status {
        /// What was done.
        doing: &'static str,
        /// The registry.
        registry: String,
        /// The answer's code.
        status: u16,
        /// What it says about it.
        says: String,
    },
    /// It gives more than there may be.
    #[error("{registry} gives {what} of {size}, and {most} are the most")]
    TooLarge {
        /// The registry.
        registry: String,
        /// Of what.
        what: &'static str,
        /// How much it is.
        size: String,
        /// How much it may be.
        most: u64,
    },
    /// It gives other bytes than it says, or than was asked for.
    #[error("{registry} gives another {what} than it should: {found} instead of {expected}")]
    Altered {
        /// The registry.
        registry: String,
        /// Of what.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// What the reference names is something else.
    #[error("{reference} is no plugin: {reason}")]
    NoPlugin {
        /// What was asked for.
        reference: String,
        /// What it is instead.
        reason: String,
    },
    /// A plugin that comes with Berth has the name.
    #[error("`{name}` is the name of a plugin that comes with Berth")]
    StockName {
        /// The name.
        name: String,
    },
    /// Another plugin of the name is installed.
    #[error("plugin `{name}` is installed from {installed}, and this is {wanted}")]
    Taken {
        /// The name.
        name: String,
        /// Where the other is from.
        installed: String,
        /// Where this one is from.
        wanted: String,
    },
    /// Something that nobody installed has the name.
    #[error("there is a plugin `{name}` already that was not installed: {}", path.display())]
    InTheWay {
        /// The name.
        name: String,
        /// What is there.
        path: PathBuf,
        /// Whether it is where this one would be.
        replaceable: bool,
    },
    /// It would be written elsewhere than the lock may say.
    #[error(
        "plugin `{name}` would be {}, which is not below the folder of berth.lock, or behind a \
         symbolic link",
        path.display()
    )]
    Outside {
        /// The name.
        name: String,
        /// Where it would be.
        path: PathBuf,
    },
    /// What is in the plugin's place is something else.
    #[error("{} is not the plugin `{name}`, and is left as it is", path.display())]
    NotIt {
        /// The name.
        name: String,
        /// What is there.
        path: PathBuf,
    },
    /// The folder is a plugin's own.
    #[error("{} has a plugin.toml, which would count for what is installed there", folder.display())]
    PluginFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// The configuration says where the plugin is.
    #[error("the configuration says that plugin `{name}` is {}: what is installed would not count", path.display())]
    OwnPath {
        /// The name.
        name: String,
        /// What the configuration says.
        path: PathBuf,
    },
    /// The configuration pins another component.
    #[error("the configuration pins plugin `{name}` to the digest {pinned}, and this has {found}")]
    Pinned {
        /// The name.
        name: String,
        /// What the configuration says.
        pinned: Digest,
        /// What this is.
        found: Digest,
    },
    /// The lock cannot be read.
    #[error("{0}")]
    Lock(Box<ConfigError>),
    /// There is no lock to install from.
    #[error("nothing is locked: there is no {}", path.display())]
    NothingLocked {
        /// Where it would be.
        path: PathBuf,
    },
    /// A registry's bytes are not what the lock pins.
    #[error(
        "plugin `{name}` from {source_} is another component than berth.lock pins: it has the \
         digest {found}, the lock has {locked}"
    )]
    NotAsLocked {
        /// The plugin.
        name: String,
        /// Where it is from.
        source_: String,
        /// What the lock says.
        locked: Digest,
        /// What it is.
        found: Digest,
    },
    /// The system does not do its part.
    #[error("cannot start to speak to registries: {0}")]
    Start(String),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NothingToPack { .. } => {
                "build it with `berth plugin build`, or name the folder of a project or plugin"
                    .into()
            }
            Self::Onto { .. } => "name another file with -o".into(),
            Self::Read { .. } => "check that it exists and can be read".into(),
            Self::Write { .. } => "name a place that can be written to".into(),
            Self::Manifest(error) => return error.hint(),
            Self::Component { .. } => "build it again, or get it again".into(),
            Self::Refused { error, .. } => return error.hint(),
            Self::NotPacked { .. } => "make a package of it with `berth plugin pack`".into(),
            Self::Reference { .. } => {
                "write REGISTRY/REPOSITORY:TAG, such as ghcr.io/me/grade:1.2.0, or …@sha256:…"
                    .into()
            }
            Self::NoPassword { .. } => {
                format!("put it into the variable {PASSWORD}; it is never an argument")
            }
            Self::Credentials { registry, .. } => {
                format!("log in again with `docker login {registry}`, or use --username")
            }
            Self::Network { .. } => {
                "check the registry's name and the network; --plain-http if it has no TLS".into()
            }
            Self::Status { status: 401 | 403, .. } => format!(
                "log in with `docker login`; or, for one reference, name a user with --username and \
                 put the password into the variable {PASSWORD}"
            ),
            Self::Status { status: 404, .. } => {
                "check the repository and the tag; some registries say this where a login is missing"
                    .into()
            }
            Self::Status { status: 429, .. } => "wait a while, or log in".into(),
            Self::Status { .. } => "try again later, or tell who runs the registry".into(),
            Self::TooLarge { .. } | Self::Altered { .. } => {
                "do not trust what this registry gives; tell who runs it".into()
            }
            Self::NoPlugin { .. } => "plugins are sent with `berth plugin publish`".into(),
            Self::StockName { .. } => "give it another with --name".into(),
            Self::Taken { .. } => {
                "if this one is meant, say --replace; to have both, name this one with --name".into()
            }
            Self::InTheWay { replaceable: true, .. } => {
                "if it is to go, say --replace; to have both, name this one with --name".into()
            }
            Self::InTheWay { .. } => {
                "if it is to go, remove it; to have both, name this one with --name".into()
            }
            Self::Outside { .. } => {
                "plugins are installed below the configuration's folder: name one there with --to"
                    .into()
            }
            Self::NotIt { .. } => {
                "if it is to go, remove it; if berth.lock is not your own, look at what it says"
                    .into()
            }
            Self::PluginFolder { .. } => "name another folder with --to".into(),
            Self::OwnPath { name, .. } => format!("take `path` out of [plugins.{name}]"),
            Self::Pinned { name, .. } => {
                format!("if this one is meant, take `digest` out of [plugins.{name}]")
            }
            Self::Lock(error) => return error.hint(),
            Self::NothingLocked { .. } => "name what to install: REGISTRY/REPOSITORY:TAG".into(),
            Self::NotAsLocked { .. } => {
                "do not run it; if the change is known, move on with `berth plugin install --update`"
                    .into()
            }
            Self::Start(_) => return None,
        })
    }
}

//! What goes wrong.

use std::io;
use std::path::PathBuf;

use berth_compute::ComputeError;
use berth_sandbox::SandboxError;
use berth_sandbox::reading::Misread;
use thiserror::Error as ThisError;

use crate::fault::Fault;

/// Why something was not done.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Nothing at a path is a plugin.
    #[error("there is no plugin at {}", path.display())]
    NoPlugin {
        /// The path.
        path: PathBuf,
    },
    /// No stock plugin has a node.
    #[error("there is no plugin here, and no stock plugin has a node `{node}`")]
    NotStock {
        /// What was asked for.
        node: String,
        /// The nearest node of a stock plugin.
        nearest: Option<String>,
    },
    /// A project was not built yet.
    #[error("the project `{name}` in {} is not built", folder.display())]
    NotBuilt {
        /// What it is called.
        name: String,
        /// Where it is.
        folder: PathBuf,
    },
    /// A project's manifest is not the one that it was built with.
    #[error("plugin.toml of `{name}` changed since it was built")]
    Changed {
        /// What it is called.
        name: String,
        /// Where it is.
        folder: PathBuf,
    },
    /// A folder holds several components.
    #[error("{} has {found} components, and should have one", path.display())]
    NotOneComponent {
        /// The folder.
        path: PathBuf,
        /// How many there are.
        found: usize,
    },
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds nothing that can be used.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A plugin cannot be loaded, or an image not be read.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A file of tests is wrong.
    #[error(transparent)]
    Misread(#[from] Box<Misread>),
    /// A right is granted in a way that gives nothing.
    #[error("the right `{right}` names no folder")]
    NoFolder {
        /// The right.
        right: String,
    },
    /// A plugin has no such node.
    #[error("plugin `{plugin}` has no node `{node}`; it has {known}")]
    UnknownNode {
        /// The plugin.
        plugin: String,
        /// What was asked for.
        node: String,
        /// The nodes that it has.
        known: String,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// A node has no such input.
    #[error("node `{node}` has no input `{input}`")]
    UnknownInput {
        /// The node.
        node: String,
        /// What was given.
        input: String,
        /// The nearest input that it has.
        nearest: Option<String>,
        /// What it takes.
        takes: String,
    },
    /// An input is given twice.
    #[error("the input `{input}` is given twice")]
    InputTwice {
        /// Which.
        input: String,
    },
    /// A node needs more than it is given.
    #[error("node `{node}` lacks {missing}")]
    MissingInputs {
        /// The node.
        node: String,
        /// What is missing.
        missing: String,
        /// What it takes.
        takes: String,
    },
    /// An input does not take what it is given.
    #[error("{message}")]
    Input {
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// A node says itself that its inputs are wrong.
    #[error("node `{node}` does not take this: {reason}")]
    Refused {
        /// The node.
        node: String,
        /// What it says.
        reason: String,
    },
    /// A project has no tests.
    #[error("there are no tests in {}", folder.display())]
    NoTests {
        /// Where they would be.
        folder: PathBuf,
    },
    /// A project has more files of tests than are read.
    #[error("there are {found} files of tests in {}, more than {most}", folder.display())]
    TooManyFiles {
        /// Where they are.
        folder: PathBuf,
        /// How many there are.
        found: usize,
        /// How many there can be.
        most: usize,
    },
    /// No test has such a name.
    #[error("no test of {all} has `{filter}` in its name")]
    NoSuchTest {
        /// What was asked for.
        filter: String,
        /// How many tests there are.
        all: usize,
    },
    /// Tests did not pass.
    #[error("{failed} of {all} tests failed")]
    Failed {
        /// How many did not pass.
        failed: usize,
        /// How many ran.
        all: usize,
    },
    /// Somebody stopped it.
    #[error("interrupted")]
    Interrupted,
    /// A tensor cannot be made or read.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// The system does not do its part.
    #[error("cannot {what}")]
    System {
        /// What it was to do.
        what: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The host itself failed.
    #[error("the host failed: {0}")]
    Host(String),
}

impl Error {
    pub(crate) fn of_input(fault: Fault) -> Self {
        Self::Input { message: fault.message, hint: fault.hint }
    }

    pub(crate) fn of_file(path: impl Into<PathBuf>, fault: Fault) -> Self {
        Self::File { path: path.into(), reason: fault.message, hint: fault.hint }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let it_takes = |nearest: &Option<String>, takes: &str| {
            let near = nearest.as_ref().map(|near| format!("did you mean `{near}`?\n"));
            format!("{}{takes}", near.unwrap_or_default())
        };
        match self {
            Self::NoPlugin { .. } => Some(
                "name a project that was built, a plugin's folder or a component; `berth plugin \
                 new` starts a project"
                    .into(),
            ),
            Self::NotStock { nearest: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::NotStock { nearest: None, .. } => Some(
                "name a project that was built, a plugin's folder or a component with `--plugin`; \
                 `berth nodes` lists the stock plugins' nodes"
                    .into(),
            ),
            Self::NotBuilt { .. } => Some("build it with `berth plugin build`".into()),
            Self::Changed { folder, .. } => {
                Some(format!("build it again: `berth plugin build {}`", folder.display()))
            }
            Self::NotOneComponent { .. } => Some("name one of them, a .wasm file".into()),
            Self::Read { .. } => Some("check that it exists and can be read".into()),
            Self::Write { .. } => {
                Some("choose a folder that can be written to with `--output`".into())
            }
            Self::File { hint, .. } | Self::Input { hint, .. } => hint.clone(),
            Self::Sandbox(SandboxError::NotGranted { right, .. }) => {
                Some(format!("if you trust it with this, grant it with `--grant {right}`"))
            }
            Self::Sandbox(error) => error.hint(),
            Self::Misread(misread) => misread.hint.clone(),
            Self::NoFolder { right } => Some(format!("write `{right}=DIR`")),
            Self::UnknownNode { nearest, .. } => {
                nearest.as_ref().map(|nearest| format!("did you mean `{nearest}`?"))
            }
            Self::UnknownInput { nearest, takes, .. } => Some(it_takes(nearest, takes)),
            Self::MissingInputs { takes, .. } => Some(takes.clone()),
            Self::InputTwice { .. } => Some("leave one of them out".into()),
            Self::NoTests { folder } => Some(format!(
                "a test is a table in a file such as {}:\n\n  [[test]]\n  name = \"black turns \
                 white\"\n  node = \"Negative\"\n  inputs = {{ image = {{ full = 0.0, shape = [1, \
                 2, 3, 3] }}, strength = 1.0 }}\n  outputs = [{{ min = 1.0, max = 1.0 }}]",
                folder.join("negative.toml").display()
            )),
            Self::TooManyFiles { .. } => Some("a file can have many tests: join some".into()),
            Self::NoSuchTest { .. } => {
                Some("a name may be given in part; without `--filter` all tests run".into())
            }
            Self::Host(_) => Some("this is a defect of Berth: please report it".into()),
            Self::Refused { .. }
            | Self::Failed { .. }
            | Self::Interrupted
            | Self::Compute(_)
            | Self::System { .. } => None,
        }
    }

    /// The file that is wrong, if one was read.
    #[must_use]
    pub fn misread(&self) -> Option<&Misread> {
        match self {
            Self::Misread(misread) | Self::Sandbox(SandboxError::Manifest(misread)) => {
                Some(misread)
            }
            _ => None,
        }
    }
}

//! What goes wrong when a plugin is written, as its author reads it.

use std::io;
use std::path::PathBuf;

use berth_sandbox::SandboxError;
use berth_workflow::WorkflowError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no SDK for a language.
    #[error("there is no SDK for `{language}`")]
    UnknownLanguage {
        /// Which.
        language: String,
        /// Those there are.
        known: Vec<String>,
    },
    /// An SDK's own recipe is wrong.
    #[error("the recipe of the SDK for {language} cannot be read")]
    Recipe {
        /// Which.
        language: String,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// A manifest does not say how the project is built.
    #[error("{} does not say which language the plugin is written in", path.display())]
    NoLanguage {
        /// The manifest.
        path: PathBuf,
    },
    /// A folder is no project.
    #[error("{} is no plugin's project: it has no plugin.toml", path.display())]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// A new project's folder has something in it.
    #[error("{} is there already, and not empty", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A name is none for a plugin.
    #[error("`{name}` is no name for a plugin")]
    Name {
        /// The name.
        name: String,
    },
    /// A program is not installed.
    #[error("{missing} is needed to build plugins in {language}, and is not installed")]
    Missing {
        /// Which.
        missing: String,
        /// What for.
        language: String,
        /// The command that installs it.
        install: String,
        /// Where to call that.
        folder: PathBuf,
    },
    /// A program cannot be started.
    #[error("`{program}` cannot be started")]
    Start {
        /// Which.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// A command failed.
    #[error("`{command}` failed; its own messages are above")]
    Failed {
        /// Its first words.
        command: String,
    },
    /// The commands did not leave what they should.
    #[error("the build left no {}", path.display())]
    NoOutput {
        /// What should be there.
        path: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// What a compiler made becomes no component.
    #[error("{} does not become a component: {reason}", path.display())]
    NoComponent {
        /// The module.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// No file has the pattern that a recipe names.
    #[error("the project has no `{pattern}`")]
    NoSources {
        /// The pattern.
        pattern: String,
    },
    /// A project was not built yet.
    #[error("{} is not there", path.display())]
    NotBuilt {
        /// The component.
        path: PathBuf,
    },
    /// A manifest was changed since the project was built.
    #[error("{} was changed since the plugin was built", path.display())]
    OldBuild {
        /// The manifest.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder cannot be watched.
    #[error("cannot watch {}", path.display())]
    Watch {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: Box<notify::Error>,
    },
    /// A check found what has to be mended.
    #[error("{} of plugin `{plugin}` {to} to be mended", count(*errors, "thing"), to = if *errors == 1 { "has" } else { "have" })]
    Check {
        /// The plugin.
        plugin: String,
        /// How many.
        errors: usize,
    },
    /// The host does not do its part.
    #[error(transparent)]
    Host(#[from] WorkflowError),
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownLanguage { known, .. } => format!("there are {}", known.join(", ")),
            Self::Recipe { .. } => "this is a defect of Berth: please report it".into(),
            Self::NoLanguage { .. } => {
                "add to it: [build] and language = \"rust\", or another one".into()
            }
            Self::NoProject { .. } => {
                "name a project's folder, or start one: berth plugin new NAME --lang rust".into()
            }
            Self::NotEmpty { .. } => "choose another name, or another folder with --path".into(),
            Self::Name { .. } => {
                "use lower-case letters, digits and dashes, a letter first, at most 64".into()
            }
            Self::Missing { .. } => "install it, and build again:".into(),
            Self::NoComponent { .. } => {
                "what it imports must be the contract's or WASI's: see plugin-sdk's README".into()
            }
            Self::NoSources { .. } => "keep the sources where the template has them".into(),
            Self::NotBuilt { .. } => "build it: berth plugin build".into(),
            Self::OldBuild { .. } => "build it again: berth plugin build".into(),
            Self::Host(error) => return error.hint(),
            Self::Start { .. }
            | Self::Failed { .. }
            | Self::NoOutput { .. }
            | Self::Write { .. }
            | Self::Watch { .. }
            | Self::Check { .. } => return None,
        })
    }
}

impl Error {
    /// The command that mends it, for a line of its own.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        let Self::Missing { install, folder, .. } = self else { return None };
        Some(match folder.to_str() {
            Some("" | ".") | None => install.clone(),
            Some(folder) => format!("cd {} && {install}", quoted(folder)),
        })
    }
}

impl From<SandboxError> for Error {
    fn from(error: SandboxError) -> Self {
        Self::Host(error.into())
    }
}

/// A path as a shell takes it.
#[must_use]
pub fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

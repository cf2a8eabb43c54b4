//! What goes wrong, as a person reads it: what, where, and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use berth_sandbox::SandboxError;
use berth_sandbox::reading::Misread;
use berth_workflow::{ConfigError, Invalid, NodeProblems, Plan, Problem, RunError, WorkflowError};
use miette::{Diagnostic, LabeledSpan, NamedSource};
use thiserror::Error;

/// The exit code of a run that was interrupted: 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;

/// Why a command did not do what it was asked to.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    /// The workflow's file cannot be read.
    #[error("cannot read the workflow {}", path.display())]
    ReadWorkflow {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The workflow's file is no workflow, or a change to it does not fit.
    #[error("{}: {error}", path.display())]
    Workflow { path: PathBuf, error: Box<WorkflowError> },
    /// The workflow cannot run.
    #[error("{} cannot run{why}", path.display())]
    Invalid { path: PathBuf, why: String, help: Option<String>, parts: Vec<Part> },
    /// Some outputs of the workflow cannot be computed.
    #[error("some outputs of {} cannot be computed", path.display())]
    PartlyInvalid { path: PathBuf, parts: Vec<Part> },
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(Box<ConfigError>),
    /// A file about the run cannot be written.
    #[error("cannot write the {what} {}", path.display())]
    Write {
        what: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A folder that was named is not there.
    #[error("the {what} folder {} does not exist", path.display())]
    NoFolder { what: &'static str, path: PathBuf },
    /// A node type that was asked for is not there.
    #[error("there is no node type `{name}`")]
    NoNodeType { name: String, nearest: Option<String> },
    /// The filter for logs is not one.
    #[error("`{filter}` is no level or filter for logs: {reason}")]
    LogFilter { filter: String, reason: String },
    /// The host does not start.
    #[error(transparent)]
    Host(#[from] WorkflowError),
    /// A plugin that was looked at would not be loaded.
    #[error("this plugin would be refused: {0}")]
    Refused(Box<WorkflowError>),
    /// Something would be denied in a run.
    #[error("{rights} of the rights that plugins need or request would be denied")]
    Denied { rights: usize },
    /// A project cannot be made, built or checked.
    #[error(transparent)]
    Authoring(#[from] berth_authoring::Error),
    /// A node cannot be run alone, or a test did not pass.
    #[error(transparent)]
    Trial(#[from] berth_trial::Error),
    /// A plugin cannot be packed, sent or got.
    #[error(transparent)]
    Package(#[from] berth_packages::Error),
    /// The run did not come to its end.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The system does not do its part.
    #[error("cannot {what}")]
    System {
        what: &'static str,
        #[source]
        source: io::Error,
    },
    /// Standard output cannot be written to.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

/// One problem of a workflow.
#[derive(Debug, Error)]
pub(crate) struct Part {
    message: String,
    help: Option<String>,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Diagnostic for Part {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

impl CliError {
    /// A workflow that cannot run, each problem as a part.
    pub(crate) fn invalid(path: PathBuf, invalid: Invalid) -> Self {
        let parts = parts(&invalid.node_errors);
        // Each part says what is wrong and what to do; the whole adds to them only if alone.
        let (why, help) = match parts.len() {
            0 => {
                let help = invalid.error.hint().map(str::to_owned);
                (format!(": {}", invalid.error.message), help)
            }
            1 => (String::new(), None),
            several => (format!(": it has {several} problems"), None),
        };
        Self::Invalid { path, why, help, parts }
    }

    /// What is wrong with the outputs that a plan leaves out, if anything.
    pub(crate) fn partly_invalid(path: PathBuf, plan: &Plan) -> Result<(), Self> {
        match parts(plan.node_errors()) {
            parts if parts.is_empty() => Ok(()),
            parts => Err(Self::PartlyInvalid { path, parts }),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::ReadWorkflow { .. }
            | Self::Workflow { .. }
            | Self::Invalid { .. }
            | Self::PartlyInvalid { .. }
            | Self::NoFolder { .. }
            | Self::Config(_)
            | Self::NoNodeType { .. }
            | Self::LogFilter { .. } => 2,
            Self::Host(error) => match error {
                WorkflowError::Sandbox(
                    SandboxError::Manifest(_) | SandboxError::ManifestFile { .. },
                ) => 2,
                WorkflowError::Sandbox(_) | WorkflowError::PluginFile { .. } => 1,
                _ => 2,
            },
            Self::Run(RunError::Interrupted) => INTERRUPTED,
            Self::Refused(_) | Self::Denied { .. } => 1,
            Self::Authoring(_) | Self::Trial(_) | Self::Package(_) => 1,
            Self::Run(_) | Self::Write { .. } | Self::System { .. } | Self::Output(_) => 1,
        }
    }

    /// Shows it on standard error. A command that mends it is not broken into lines.
    pub(crate) fn tell(self) {
        let command = match &self {
            Self::Authoring(error) => error.command(),
            _ => None,
        };
        self.reports().iter().for_each(|report| eprintln!("{report:?}"));
        if let Some(command) = command {
            eprintln!("    {command}\n");
        }
    }

    /// The error as it is shown: the whole first, then its parts.
    fn reports(mut self) -> Vec<miette::Report> {
        let parts = match &mut self {
            Self::Invalid { parts, .. } | Self::PartlyInvalid { parts, .. } => parts.split_off(0),
            _ => Vec::new(),
        };
        let parts = parts.into_iter().map(miette::Report::new);
        let text =
            self.misread().map(|misread| NamedSource::new(&misread.name, misread.text.clone()));
        let whole = miette::Report::new(self);
        let whole = match text {
            Some(text) => whole.with_source_code(text),
            None => whole,
        };
        std::iter::once(whole).chain(parts).collect()
    }

    /// The file that is wrong, if one was read.
    fn misread(&self) -> Option<&Misread> {
        match self {
            Self::Config(error) => match &**error {
                ConfigError::Content(misread) => Some(misread),
                _ => None,
            },
            Self::Host(WorkflowError::Sandbox(SandboxError::Manifest(misread))) => Some(misread),
            Self::Trial(error) => error.misread(),
            _ => None,
        }
    }

    /// Whether only the reader of standard output has gone, as `| head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl Diagnostic for CliError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = match self {
            Self::ReadWorkflow { .. } => {
                Some("name a file that holds a workflow in API format".into())
            }
            Self::Workflow { error, .. } => error.hint(),
            Self::Host(error) => error.hint(),
            Self::Refused(error) => error.hint(),
            Self::Denied { .. } => Some("grant what you trust the plugin with".into()),
            Self::Invalid { help, .. } => help.clone(),
            Self::PartlyInvalid { .. } => None,
            Self::Config(error) => error.hint(),
            Self::Authoring(error) => error.hint(),
            Self::Trial(error) => error.hint(),
            Self::Package(error) => error.hint(),
            Self::Write { .. } => Some("name a file in a folder that can be written to".into()),
            Self::NoFolder { what: "models", .. } => {
                Some("make it, or name another with `--models`".into())
            }
            Self::NoFolder { .. } => Some("name one that exists".into()),
            Self::NoNodeType { nearest: Some(near), .. } => Some(format!("did you mean `{near}`?")),
            Self::NoNodeType { .. } => Some("`berth nodes` lists those there are".into()),
            Self::LogFilter { .. } => {
                Some("use error, warn, info, debug, trace, or crate=level".into())
            }
            Self::Run(RunError::Node(failed)) => failed.error.hint(),
            Self::Run(RunError::Host(_)) => {
                Some("this is a defect of Berth: please report it".into())
            }
            Self::Run(RunError::Interrupted) | Self::System { .. } | Self::Output(_) => None,
        };
        help.map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(None, self.misread()?.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<SandboxError> for CliError {
    fn from(error: SandboxError) -> Self {
        Self::Host(error.into())
    }
}

/// Every problem of every node.
fn parts<'a>(nodes: impl IntoIterator<Item = (&'a String, &'a NodeProblems)>) -> Vec<Part> {
    let part = |id: &str, node: &NodeProblems, problem: &Problem| {
        let of = node.plugin.as_deref().map(|plugin| format!(" of plugin `{plugin}`"));
        let describes = || {
            let class = &node.class_type;
            of.is_some().then(|| format!("`berth nodes {class}` says what the node takes"))
        };
        Part {
            message: format!(
                "node {}{}: {}",
                node.label(id),
                of.as_deref().unwrap_or_default(),
                problem.message
            ),
            help: problem.hint().map(str::to_owned).or_else(describes),
        }
    };
    nodes
        .into_iter()
        .flat_map(|(id, node)| node.errors.iter().map(move |problem| part(id, node, problem)))
        .collect()
}

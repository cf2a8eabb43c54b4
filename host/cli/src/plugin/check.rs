//! `berth plugin check`: what there is to mend, and what must be granted.

use std::path::{Path, PathBuf};

use berth_authoring::{Checked, Finding, Project, Severity};
use berth_sandbox::Manifest;
use berth_workflow::Config;
use clap::Args;

use crate::error::CliError;
use crate::inspect::page;
use crate::output::line;
use crate::settings::looking;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,

    /// The configuration. By default ./berth.toml, if it exists.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let project = Project::open(&arguments.project)?;
    let checked = project.check(&looking(arguments.config, Config::default())?)?;
    page(&checked.inspected)?;
    grants(project.manifest())?;
    line("")?;
    report(&project, checked)
}

/// What an operator writes who wants to give the plugin all that it asks for.
fn grants(manifest: &Manifest) -> Result<(), CliError> {
    if manifest.requests.rights().is_empty() {
        return Ok(line("\nit asks for nothing that must be granted")?);
    }
    line("\nwhoever runs it has to grant, in berth.toml or as")?;
    for right in manifest.requests.rights() {
        line(format_args!("  --grant {}={right}", manifest.name))?;
    }
    Ok(())
}

/// What was found; an error if something would not work.
pub(crate) fn report(project: &Project, checked: Checked) -> Result<(), CliError> {
    if let Some(error) = checked.inspected.refused {
        return Err(CliError::Refused(Box::new(error)));
    }
    for Finding { severity, place, message, hint } in &checked.findings {
        let word = match severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        line(format_args!("{word}: {place}: {message}\n  {hint}"))?;
    }
    let is_error = |finding: &&Finding| finding.severity == Severity::Error;
    match checked.findings.iter().filter(is_error).count() {
        0 => {
            let name = &project.manifest().name;
            Ok(line(format_args!("{name} is fine: {}", shown(&project.built())))?)
        }
        errors => {
            let plugin = project.manifest().name.clone();
            Err(berth_authoring::Error::Check { plugin, errors }.into())
        }
    }
}

fn shown(path: &Path) -> std::path::Display<'_> {
    path.strip_prefix(".").unwrap_or(path).display()
}

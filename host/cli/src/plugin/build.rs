//! `berth plugin build`: from a project to a component.

use std::path::PathBuf;

use berth_authoring::{Built, Project};
use berth_sandbox::reading::Size;
use clap::Args;

use crate::error::CliError;
use crate::output::line;
use crate::view::duration;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let project = Project::open(&arguments.project)?;
    Ok(line(report(&project.build()?))?)
}

/// What was built, in a line.
pub(crate) fn report(built: &Built) -> String {
    let Built { component, size, time } = built;
    let size = Size(*size as u64);
    let component = component.strip_prefix(".").unwrap_or(component).display();
    format!("built {component} ({size}) in {}", duration(time.as_secs_f64()))
}

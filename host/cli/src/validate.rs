//! `berth validate`: whether a workflow can run, and if not, everything that is wrong.

use std::path::PathBuf;

use berth_memory::Cancel;
use berth_workflow::Config;

use crate::args::ValidateArguments;
use crate::error::CliError;
use crate::output::line;
use crate::settings::{open, settings, workflow};

pub(crate) fn validate(arguments: ValidateArguments) -> Result<(), CliError> {
    let path = arguments.workflow;
    let host = open(settings(arguments.folders, Config::default(), PathBuf::new())?)?;
    let workflow = workflow(&path, &arguments.changes, &host)?;
    let plan = host
        .runner()
        .validate(&workflow, None, &Cancel::new())
        .map_err(|invalid| CliError::invalid(path.clone(), *invalid))?;
    CliError::partly_invalid(path.clone(), &plan)?;
    let (all, needed) = (workflow.nodes().len(), plan.nodes().count());
    line(format_args!("{}: valid, {needed} of {all} nodes are needed", path.display()))?;
    Ok(())
}

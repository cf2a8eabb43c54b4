//! `berth test`.

use clap::Args;

use crate::error::CliError;

#[derive(Debug, Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments) -> Result<(), CliError> {
    Ok(())
}

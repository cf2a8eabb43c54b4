//! `berth plugin publish`.

use std::path::PathBuf;

use berth_packages::{Access, PASSWORD, publish};
use clap::Args;

use super::pack::{looking, told};
use crate::error::CliError;
use crate::output::line;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The packed plugin, as `berth plugin pack` makes it.
    file: PathBuf,

    /// Where to: REGISTRY/REPOSITORY:TAG, such as ghcr.io/me/grade:1.2.0.
    reference: String,

    #[command(flatten)]
    access: AccessArguments,
}

/// How a registry is spoken to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(crate) struct AccessArguments {
    /// Speak without TLS. On localhost that is the default.
    #[arg(long)]
    plain_http: bool,

    // A password is for one registry, and a lock may name several.
    #[arg(long, value_name = "NAME", requires = "reference", help = format!(
        "Log in to the reference's registry as this user, with the password of the variable \
         {PASSWORD}. By default what `docker login` knows is used"
    ))]
    username: Option<String>,
}

impl From<AccessArguments> for Access {
    fn from(arguments: AccessArguments) -> Self {
        Self { plain_http: arguments.plain_http, username: arguments.username }
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let access = arguments.access.into();
    let published =
        publish(&looking(), &arguments.file, &arguments.reference, &access).map_err(told)?;
    let manifest = &published.manifest;
    line(format_args!("published {} {}", manifest.name, manifest.version))?;
    line(format_args!("digest    {}", published.digest))?;
    line(format_args!("reference {}", published.reference))?;
    Ok(line(format_args!("manifest  {}", published.oci_manifest))?)
}

//! `berth plugin install`.

use std::path::{Path, PathBuf};

use berth_packages::{Install, Installed, Outcome, grants};
use berth_sandbox::rights::{Grants, Rights};
use berth_sandbox::text::{self, plain};
use berth_workflow::{Config, LOCK, Locked};
use clap::Args;

use super::pack::{looking, told};
use super::publish::AccessArguments;
use crate::denials::how;
use crate::error::CliError;
use crate::output::line;

/// Gets plugins from registries, and pins them in berth.lock.
///
/// With a reference, that plugin is installed. Without one, exactly what berth.lock pins is: a tag
/// that moved changes nothing, and other bytes are an error. Nothing is granted by installing.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What to install: REGISTRY/REPOSITORY:TAG, or …@sha256:…
    reference: Option<String>,

    /// Move what berth.lock has to what its references name now.
    #[arg(long, conflicts_with_all = ["reference", "name", "to", "replace", "username"])]
    update: bool,

    /// What the plugin is called here, instead of its own name.
    #[arg(long, value_name = "NAME", requires = "reference")]
    name: Option<String>,

    /// The folder for it, below the configuration's. By default `plugins` in that.
    #[arg(long, value_name = "DIR", requires = "reference")]
    to: Option<PathBuf>,

    /// Replace a plugin of this name that is from elsewhere.
    #[arg(long, requires = "reference")]
    replace: bool,

    /// The configuration, which berth.lock is beside of. By default ./berth.toml.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    access: AccessArguments,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let config = Config::find(arguments.config.as_deref())?;
    let folder = arguments.config.as_deref().and_then(Path::parent).map(Path::to_owned);
    let stock = berth_stock_plugins::components().iter();
    let install = Install {
        settings: &looking(),
        config: &config,
        folder: folder.unwrap_or_default(),
        stock: stock.map(|(name, ..)| *name).collect(),
        access: arguments.access.into(),
        to: arguments.to,
        name: arguments.name,
        replace: arguments.replace,
    };
    match &arguments.reference {
        Some(reference) => {
            let installed = install.install(reference).map_err(told)?;
            short(&installed)?;
            long(&installed, &config)?;
        }
        None if arguments.update => {
            for installed in install.update().map_err(told)? {
                short(&installed)?;
                if matches!(installed.outcome, Outcome::Moved(_)) {
                    long(&installed, &config)?;
                }
            }
        }
        None => {
            for installed in install.restore().map_err(told)? {
                short(&installed)?;
            }
        }
    }
    Ok(())
}

/// What was done, in a line.
fn short(installed: &Installed) -> Result<(), CliError> {
    let Installed { locked, path, outcome, .. } = installed;
    let (name, version) = (plain(&locked.name), plain(&locked.version));
    let path = text::line(&path.display().to_string());
    match outcome {
        Outcome::New => line(format_args!("{name} {version}: installed as {path}"))?,
        Outcome::Restored => line(format_args!("{name} {version}: installed again as {path}"))?,
        Outcome::Same => line(format_args!("{name} {version}: is there, {path}"))?,
        Outcome::Moved(before) => {
            let from = plain(&before.version);
            line(format_args!("{name} {from} → {version}: installed as {path}"))?;
        }
    }
    Ok(())
}

/// What it is and was, and what it would have to be granted.
fn long(installed: &Installed, config: &Config) -> Result<(), CliError> {
    let Installed { locked, outcome, manifest, .. } = installed;
    let Locked { source, manifest: oci_manifest, digest, .. } = locked;
    let from = |before: &str, now: &str| match before == now {
        true => now.to_owned(),
        false => format!("{} → {now}", plain(before)),
    };
    let (source, oci_manifest, digest) = match outcome {
        Outcome::Moved(before) => (
            from(&before.source, source),
            from(&before.manifest, oci_manifest),
            from(&before.digest.to_string(), &digest.to_string()),
        ),
        _ => (source.clone(), oci_manifest.clone(), digest.to_string()),
    };
    line(format_args!("  digest    {digest}"))?;
    line(format_args!("  source    {source}"))?;
    line(format_args!("  manifest  {oci_manifest}"))?;
    line(format_args!("  pinned in {LOCK}"))?;
    let Some(manifest) = manifest else { return Ok(()) };
    if !manifest.description.is_empty() {
        line(format_args!("  about     {}", plain(&manifest.description)))?;
    }
    let own = config.plugins.get(&manifest.name).cloned().unwrap_or_default();
    let rights = Rights::new(manifest.requests.clone(), Grants::from(own.grants));
    let settled = rights.settled();
    if settled.is_empty() {
        return Ok(line("\nit requests nothing beyond computing")?);
    }
    line("\nit requests")?;
    for (right, verdict) in &settled {
        match verdict {
            Ok(()) => line(format_args!("  {right}: granted"))?,
            Err(denied) => line(format_args!("  {right}: {}", how(&manifest.name, denied)))?,
        }
    }
    let denied = settled.iter().any(|(_, verdict)| verdict.is_err());
    if let Some(table) = grants(&manifest.name, &manifest.requests).filter(|_| denied) {
        line(format_args!("\nto grant all of it, write into berth.toml:\n\n{table}"))?;
    }
    Ok(())
}

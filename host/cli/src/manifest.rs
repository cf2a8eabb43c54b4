//! `berth plugin manifest` and `berth plugin schema`: for those who write a plugin.
//!
//! A manifest is checked as the host will check it, before there is a component.

use berth_sandbox::Manifest;
use serde_json::Value;

use crate::args::ManifestArguments;
use crate::error::CliError;
use crate::output::line;

pub(crate) fn check(arguments: ManifestArguments) -> Result<(), CliError> {
    let manifest = Manifest::read(&arguments.file)?;
    line(format_args!("name     {}", manifest.name))?;
    line(format_args!("version  {}", manifest.version))?;
    line(format_args!("contract {}", manifest.contract))?;
    for right in manifest.requests.rights() {
        line(format_args!("requests {right}"))?;
    }
    if let Ok(Value::Object(limits)) = serde_json::to_value(&manifest.limits) {
        for (limit, value) in limits {
            match value {
                Value::String(value) => line(format_args!("limit    {limit} {value}"))?,
                value => line(format_args!("limit    {limit} {value}"))?,
            }
        }
    }
    Ok(())
}

pub(crate) fn schema() -> Result<(), CliError> {
    Ok(line(format_args!("{:#}", Manifest::schema()))?)
}

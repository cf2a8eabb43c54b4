//! `berth plugin pack`.

use std::path::PathBuf;

use berth_packages::{Error, Packed, pack};
use berth_sandbox::Folders;
use berth_sandbox::reading::Size;
use berth_workflow::Settings;
use clap::Args;

use crate::compiler;
use crate::error::CliError;
use crate::output::line;
use crate::settings::cache_folder;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The project, whose component is built, or a folder with a component and its plugin.toml.
    #[arg(default_value = ".")]
    project: PathBuf,

    /// The file to write. By default NAME.wasm, the name by which a plugin folder takes it.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let Packed { path, manifest, size, digest } =
        pack(&looking(), &arguments.project, arguments.output.as_deref()).map_err(told)?;
    line(format_args!("name      {}", manifest.name))?;
    line(format_args!("version   {}", manifest.version))?;
    line(format_args!("size      {}", Size(size as u64)))?;
    line(format_args!("digest    {digest}"))?;
    Ok(line(format_args!("file      {}", path.display()))?)
}

/// Settings that are enough to look at a plugin.
pub(crate) fn looking() -> Settings {
    let nowhere = || PathBuf::new();
    let folders = Folders { output: nowhere(), temporary: nowhere(), input: nowhere() };
    Settings {
        compiled_cache: cache_folder(),
        compiler: compiler::compiler(),
        ..Settings::new(folders)
    }
}

/// An error as it is told elsewhere too: a file with its line.
pub(crate) fn told(error: Error) -> CliError {
    match error {
        Error::Manifest(error) => error.into(),
        Error::Lock(error) => (*error).into(),
        error => error.into(),
    }
}

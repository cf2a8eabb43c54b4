//! From arguments to a host.

use std::error::Error as _;
use std::path::{Path, PathBuf};

use berth_sandbox::Folders;
use berth_workflow::{Config, Host, Settings, Workflow, WorkflowError};
use tempfile::TempDir;

use crate::args::{Changes, FolderArguments};
use crate::compiler;
use crate::error::CliError;

/// Where models are when nobody says.
const MODELS: &str = "models";

/// Settings for a host that runs nothing, or one workflow: no result is kept for a next run.
/// Arguments stand over the configuration.
pub(crate) fn settings(
    folders: FolderArguments,
    arguments: Config,
    temporary: PathBuf,
) -> Result<Settings, CliError> {
    let file = Config::find(folders.config.as_deref())?;
    let mut models = folders.models;
    if let Some(path) = models.iter().find(|path| !path.is_dir()) {
        return Err(CliError::NoFolder { what: "models", path: path.clone() });
    }
    if models.is_empty() && Path::new(MODELS).is_dir() {
        models.push(MODELS.into());
    }
    let places = Folders { output: folders.output, temporary, input: folders.input };
    let mut settings = Settings::new(places);
    arguments.over(file).apply(&mut settings)?;
    settings.models = models;
    settings.plugins.extend(folders.plugins);
    settings.compiled_cache = cache_folder();
    settings.compiler = compiler::compiler();
    Ok(settings)
}

/// Settings for a host that only looks at plugins.
pub(crate) fn looking(config: Option<PathBuf>, arguments: Config) -> Result<Settings, CliError> {
    let folders = FolderArguments {
        config,
        models: Vec::new(),
        plugins: Vec::new(),
        input: PathBuf::new(),
        output: PathBuf::new(),
    };
    settings(folders, arguments, PathBuf::new())
}

/// A folder that goes with whoever holds it.
pub(crate) fn temporary() -> Result<TempDir, CliError> {
    tempfile::Builder::new()
        .prefix("berth-")
        .tempdir()
        .map_err(|source| CliError::System { what: "make a temporary folder", source })
}

/// Starts a host, and says which plugins are broken.
pub(crate) fn open(settings: Settings) -> Result<Host, CliError> {
    let host = Host::open(settings, berth_stock_plugins::components())?;
    warn_of_broken(&host);
    Ok(host)
}

/// Says which plugins are broken.
pub(crate) fn warn_of_broken(host: &Host) {
    for broken in host.broken() {
        let (plugin, error) = (&broken.name, &broken.error);
        let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
        let why = error.source().map(|why| format!(": {why}")).unwrap_or_default();
        let path = broken.path.display();
        tracing::warn!(%path, "plugin `{plugin}` is left out: {error}{why}{hint}");
    }
}

/// Reads a workflow and changes it.
pub(crate) fn workflow(path: &Path, changes: &Changes, host: &Host) -> Result<Workflow, CliError> {
    let text = std::fs::read(path)
        .map_err(|source| CliError::ReadWorkflow { path: path.to_owned(), source })?;
    let failed =
        |error: WorkflowError| CliError::Workflow { path: path.to_owned(), error: Box::new(error) };
    let mut workflow = Workflow::parse(&text).map_err(failed)?;
    for (target, value) in &changes.set {
        workflow.set(&host.runner().registry(), target, value).map_err(failed)?;
    }
    Ok(workflow)
}

/// The user's own folder for what can be made again. Where there is none, nothing is kept.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    cache_folder_in(std::env::var_os("XDG_CACHE_HOME").map(Into::into), std::env::home_dir())
}

fn cache_folder_in(cache: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    // The XDG specification has relative paths ignored.
    let cache = cache.filter(|path| path.is_absolute());
    let home = home.filter(|path| path.is_absolute()).map(|home| home.join(".cache"));
    cache.or(home).map(|cache| cache.join("berth"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiled_code_goes_to_the_users_own_cache() {
        let found = |cache: Option<&str>, home: Option<&str>| {
            cache_folder_in(cache.map(Into::into), home.map(Into::into))
        };
        assert_eq!(found(Some("/c"), Some("/h")), Some("/c/berth".into()));
        assert_eq!(found(Some("c"), Some("/h")), Some("/h/.cache/berth".into()));
        assert_eq!(found(None, Some("/h")), Some("/h/.cache/berth".into()));
        assert_eq!(found(None, None), None);
    }
}

//! `berth plugin watch`: builds, loads and tests a project whenever it is saved.
//!
//! The host beside it runs on while plugins change in it, as a server's does: with `--workflow` it
//! also shows that workflow again with each new build. A mistake leaves the last good one in place.

use std::path::PathBuf;
use std::sync::Arc;

use berth_authoring::{Error, Project, Watcher};
use berth_memory::Cancel;
use berth_trial::suite;
use berth_workflow::{Event, Host, Refreshed, Run, RunError, WorkflowError, runtime};
use clap::Args;

use crate::args::{Changes, FolderArguments, MemoryArguments};
use crate::compiler::compiler;
use crate::error::CliError;
use crate::output::line;
use crate::plugin::test::Lines;
use crate::plugin::{build, check};
use crate::settings::{cache_folder, open, settings, temporary, workflow};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,

    /// Run this workflow after each build, in a host that runs on and in which the plugin is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) workflow: Option<PathBuf>,

    /// End after this many builds.
    #[arg(long, value_name = "COUNT", hide = true)]
    pub(crate) builds: Option<u32>,

    #[command(flatten)]
    pub(crate) memory: MemoryArguments,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let Arguments { project: folder, workflow, builds, memory, folders } = arguments;
    let project = Project::open(&folder)?;
    let mut watcher = Watcher::new(&project)?;
    let temporary = temporary()?;
    let mut settings = settings(folders, memory.config(), temporary.path().into())?;
    settings.plugins.push(project.plugins());
    let mut stage = Stage { workflow, settings, host: None };
    let mut built = 0u32;
    loop {
        let round = round(&folder, &mut stage);
        built = built.saturating_add(1);
        if builds.is_some_and(|most| built >= most) {
            return round;
        }
        if let Err(error) = round {
            // A mistake is what the author mends next.
            error.tell();
        }
        line("\nwatching; Ctrl-C ends it")?;
        let Some(changed) = watcher.saved()? else { return Ok(()) };
        let changed: Vec<_> = changed.iter().map(|path| path.display().to_string()).collect();
        line(format_args!("\nsaved {}", changed.join(", ")))?;
    }
}

/// All that is done for one save.
fn round(folder: &std::path::Path, stage: &mut Stage) -> Result<(), CliError> {
    let project = Project::open(folder)?;
    line(build::report(&project.build()?))?;
    check::report(&project, project.check(&stage.settings)?)?;
    let options = suite::Options {
        compiled_cache: cache_folder(),
        compiler: compiler(),
        ..suite::Options::default()
    };
    match suite::run(folder, &options, &Lines::new()) {
        Ok(summary) => summary.verdict()?,
        Err(berth_trial::Error::NoTests { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    stage.show(&project)
}

/// A host that runs on, with a workflow to show.
struct Stage {
    workflow: Option<PathBuf>,
    settings: berth_workflow::Settings,
    host: Option<Host>,
}

impl Stage {
    /// Puts the plugin as it is now into the host, and runs the workflow.
    fn show(&mut self, project: &Project) -> Result<(), CliError> {
        let Some(path) = &self.workflow else { return Ok(()) };
        let name = &project.manifest().name;
        let host = match &mut self.host {
            Some(host) => {
                for change in host.refresh()? {
                    match change {
                        Refreshed::Added(plugin) => line(format_args!("{plugin} was added"))?,
                        Refreshed::Replaced(plugin) => line(format_args!("{plugin} was replaced"))?,
                        Refreshed::Removed(plugin) => line(format_args!("{plugin} was removed"))?,
                        Refreshed::Broken(_) => crate::settings::warn_of_broken(host),
                    }
                }
                host
            }
            none => none.insert(open(self.settings.clone())?),
        };
        if host.plugins().iter().all(|plugin| plugin.name() != name) {
            return Err(Error::NotBuilt { path: project.component() }.into());
        }
        let workflow = workflow(path, &Changes { set: Vec::new() }, host)?;
        let plan = host.runner().validate(&workflow, None, &Cancel::new());
        let plan = Arc::new(plan.map_err(|invalid| CliError::invalid(path.clone(), *invalid))?);
        host.folders().check().map_err(WorkflowError::from)?;
        let observer = Arc::new(|_: Event| {});
        let runtime =
            runtime().map_err(|source| CliError::System { what: "start threads", source })?;
        let prompt_id = uuid::Uuid::new_v4().to_string().into();
        let run = Run { prompt_id, cancel: Cancel::new(), observer };
        let outcome: Result<_, RunError> = runtime.block_on(host.runner().run(plan, run));
        for (node, results) in &outcome?.results {
            for file in &results.artifacts {
                line(format_args!("node {node} wrote {}", file.name))?;
            }
            for text in &results.texts {
                line(format_args!("node {node} shows {text}"))?;
            }
        }
        Ok(())
    }
}

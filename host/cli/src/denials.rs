//! `berth run --dry-run`: what plugins would be denied in a run, and how to grant it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use berth_sandbox::Enforcement;
use berth_sandbox::rights::{Denied, INPUT, MissingKey, OUTPUT, Right};
use berth_workflow::{Host, RunError};
use comfy_table::Table;
use serde_json::{Value as Json, json};

use crate::args::RunArguments;
use crate::error::CliError;
use crate::output::line;
use crate::plan::{open, predict};
use crate::settings::settings;
use crate::table::table;

/// How often a right of a plugin was denied: when it was loaded, and after that.
type Counts = BTreeMap<(String, Denied), (u64, u64)>;

pub(crate) fn rehearse(arguments: RunArguments) -> Result<(), CliError> {
    let path = arguments.workflow;
    let memory = arguments.memory.config();
    let mut settings = settings(arguments.folders, memory, PathBuf::new())?;
    settings.enforcement = Enforcement::Count;
    let rehearsal = open(settings)?;
    let at_load = rehearsal.host().denials();
    let (plan, prediction) = predict(&rehearsal, &path, &arguments.changes)?;
    let counts = count(at_load, rehearsal.host());
    if arguments.seeing.json {
        line(format_args!("{:#}", json!({ "denied": json(&counts) })))?;
    } else if counts.is_empty() {
        line("nothing would be denied")?;
    } else {
        line(rows(&counts))?;
    }
    if let Some(failure) = prediction.failure {
        return Err(RunError::Node(failure).into());
    }
    if !counts.is_empty() {
        return Err(CliError::Denied { rights: counts.len() });
    }
    CliError::partly_invalid(path, &plan)
}

/// What was denied so far, told apart from what was when plugins were loaded.
fn count(at_load: Vec<(String, Denied, u64)>, host: &Host) -> Counts {
    let mut counts: Counts = host
        .denials()
        .into_iter()
        .map(|(plugin, denied, all)| ((plugin, denied), (0, all)))
        .collect();
    for (plugin, denied, times) in at_load {
        if let Some((loading, running)) = counts.get_mut(&(plugin, denied)) {
            *loading = times;
            *running = running.saturating_sub(times);
        }
    }
    counts
}

fn rows(counts: &Counts) -> Table {
    let mut table = table(&["plugin", "right", "missing", "needed", "to get it"], 5);
    for ((plugin, denied), (loading, running)) in counts {
        let times = match (running, loading, denied.missing) {
            // What is requested is looked up once; what the code imports, once more.
            (0, 1, MissingKey::Grant) => "requested only".to_owned(),
            (0, ..) => "to be loaded".to_owned(),
            (1, ..) => "once".to_owned(),
            (times, ..) => format!("{times} times"),
        };
        let right = denied.right.to_string();
        let (key, how) = (key(denied.missing).to_owned(), how(plugin, denied));
        table.add_row([plugin.clone(), right, key, times, how]);
    }
    table
}

fn json(counts: &Counts) -> Json {
    let row = |((plugin, denied), (loading, running)): (&(String, Denied), &(u64, u64))| {
        json!({
            "plugin": plugin,
            "right": denied.right.to_string(),
            "missing": key(denied.missing),
            "when_loaded": loading,
            "in_run": running,
            "help": how(plugin, denied),
        })
    };
    counts.iter().map(row).collect()
}

/// The key that is missing, in a word.
pub(crate) fn key(missing: MissingKey) -> &'static str {
    match missing {
        MissingKey::Request => "request",
        MissingKey::Grant => "grant",
    }
}

/// How the missing key is had.
pub(crate) fn how(plugin: &str, denied: &Denied) -> String {
    let Denied { right, missing } = denied;
    match (missing, right) {
        (MissingKey::Request, _) => format!("its author requests `{right}` in plugin.toml"),
        (MissingKey::Grant, Right::Read(label) | Right::Write(label))
            if label != INPUT && label != OUTPUT =>
        {
            format!("--grant {plugin}={right}=DIR")
        }
        (MissingKey::Grant, _) => format!("--grant {plugin}={right}"),
    }
}

//! `berth run`: from a file to files.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use berth_memory::{Cancel, Stats};
use berth_sandbox::reading::Size;
use berth_sandbox::{Artifact, Folders, Place};
use berth_workflow::{Event, Host, Observer, Outcome, Plan, Run, RunError, runtime};
use indicatif::MultiProgress;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::args::RunArguments;
use crate::denials::rehearse;
use crate::error::{CliError, INTERRUPTED};
use crate::output::line;
use crate::progress::{Progress, Written};
use crate::seeing::Seeing;
use crate::settings::{open, settings, temporary, workflow};
use crate::view::{Bars, Json, Lines, View, duration};

pub(crate) fn run(arguments: RunArguments, bars: MultiProgress) -> Result<(), CliError> {
    if arguments.dry_run {
        return rehearse(arguments);
    }
    let path = arguments.workflow;
    let begun = Instant::now();
    let temporary = temporary()?;
    let settings = settings(arguments.folders, arguments.memory.config(), temporary.path().into())?;
    let mode = settings.offload;
    let host = Arc::new(open(settings)?);
    let workflow = workflow(&path, &arguments.changes, &host)?;
    let cancel = Cancel::new();
    let plan = host.runner().validate(&workflow, None, &cancel).map_err(|invalid| {
        if arguments.seeing.json {
            // The same object that a client of ComfyUI gets.
            let _ = line(json!({ "type": "validation_failed", "data": &*invalid }));
        }
        CliError::invalid(path.clone(), *invalid)
    })?;
    host.folders().check().map_err(berth_workflow::WorkflowError::from)?;
    let plan = Arc::new(plan);
    let seeing = Seeing::begin(&arguments.seeing, &plan, &host)?;
    let view: Box<dyn View> = if arguments.seeing.json {
        Box::new(Json)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bars::new(bars.clone()))
    } else {
        Box::new(Lines::default())
    };
    let progress = Arc::new(Progress::new(view, &plan));
    let temporary_path = temporary.path().to_owned();
    let exit = move || {
        // Goes only when it is empty.
        let _ = std::fs::remove_dir(&temporary_path);
        std::process::exit(INTERRUPTED.into())
    };
    let (shown, timeline) = (progress.clone(), seeing.timeline.clone());
    let observer = Arc::new(move |event: Event| {
        timeline.event(event.clone());
        shown.event(event);
    });
    let result = execute(&host, plan.clone(), observer, cancel, bars, exit)?;
    let sight = seeing.end(&host);
    let written = progress.take();
    let kept = keep(temporary, &written)?;
    let seconds = begun.elapsed().as_secs_f64();
    let report = Report {
        seconds,
        memory: &sight.stats,
        figures: seeing.figures(&sight),
        files: written.artifacts.iter().map(|file| place(file, host.folders(), &kept)).collect(),
        texts: written.texts,
    };
    if arguments.seeing.json {
        report.json(result.is_ok())?;
    } else {
        report.lines(result.as_ref().err())?;
        seeing.tables(&sight);
    }
    let seen = seeing.write(&sight, mode, &path, seconds, &result);
    if let (Err(_), Err(error)) = (&result, &seen) {
        // What went wrong with the run counts more, and is told last.
        tracing::error!("{error}");
    }
    result?;
    seen?;
    CliError::partly_invalid(path, &plan)
}

/// Runs a plan; the first Ctrl-C cancels it, the second ends the process by `exit`.
fn execute(
    host: &Arc<Host>,
    plan: Arc<Plan>,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
    bars: MultiProgress,
    exit: impl FnOnce() + Send + 'static,
) -> Result<Result<Outcome, RunError>, CliError> {
    let runtime = runtime().map_err(|source| CliError::System { what: "start threads", source })?;
    let stop = cancel.clone();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
            bars.suspend(|| eprintln!("stopping; Ctrl-C again exits at once"));
            if tokio::signal::ctrl_c().await.is_ok() {
                exit();
            }
        }
    });
    let prompt_id = uuid::Uuid::new_v4().to_string().into();
    let run = Run { prompt_id, cancel, observer };
    let host = host.clone();
    Ok(runtime.block_on(async move { host.runner().run(plan, run).await }))
}

/// Keeps the temporary folder if something is in it that a person may want to see.
fn keep(temporary: TempDir, written: &Written) -> Result<PathBuf, CliError> {
    if written.artifacts.iter().any(|file| file.place == Place::Temporary) {
        return Ok(temporary.keep());
    }
    let path = temporary.path().to_owned();
    temporary
        .close()
        .map_err(|source| CliError::System { what: "remove the temporary folder", source })?;
    Ok(path)
}

/// Where a file is.
fn place(file: &Artifact, folders: &Folders, temporary: &Path) -> PathBuf {
    let root = match file.place {
        Place::Output => &folders.output,
        Place::Temporary => temporary,
    };
    root.join(&file.subfolder).join(&file.name)
}

/// What is told at the end.
struct Report<'a> {
    seconds: f64,
    memory: &'a Stats,
    figures: Option<Value>,
    files: Vec<PathBuf>,
    /// What nodes say, and which.
    texts: Vec<(String, String)>,
}

impl Report<'_> {
    fn lines(&self, error: Option<&RunError>) -> Result<(), CliError> {
        for (node, text) in &self.texts {
            // Indented, so that no node speaks as the host does.
            line(format_args!("{node}:"))?;
            for text in text.lines() {
                line(format_args!("  {text}"))?;
            }
        }
        for file in &self.files {
            line(format_args!("wrote {}", file.display()))?;
        }
        let how = match error {
            None => "done in",
            Some(RunError::Interrupted) => "interrupted after",
            Some(_) => "failed after",
        };
        let device = &self.memory.tiers.device;
        let limit = device.limit.map_or_else(String::new, |limit| format!(" of {}", Size(limit)));
        eprintln!(
            "{how} {}, at most {}{limit} on the device",
            duration(self.seconds),
            Size(device.peak)
        );
        Ok(())
    }

    fn json(&self, success: bool) -> Result<(), CliError> {
        let device = &self.memory.tiers.device;
        let mut data = json!({
            "success": success,
            "seconds": self.seconds,
            "device_peak": device.peak,
            "device_limit": device.limit,
            "moved_to_device": self.memory.moved.to_device,
            "files": self.files,
        });
        if let (Some(figures), Some(data)) = (&self.figures, data.as_object_mut()) {
            data.insert("memory".into(), figures.clone());
        }
        line(json!({ "type": "summary", "data": data }))?;
        Ok(())
    }
}

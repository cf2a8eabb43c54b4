//! `berth plugin run`: one node alone, from files to files.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use berth_memory::{Cancel, OffloadModeName};
use berth_sandbox::reading::Size;
use berth_sandbox::rights::{Grant, Grants};
use berth_sandbox::{Artifact, Folders, NodeType, Place};
use berth_trial::{Bench, Error, Found, Project, Settings, Shown, Trial, show};
use berth_workflow::{RunError, runtime};
use clap::Args;
use indicatif::MultiProgress;
use serde_json::json;

use crate::compiler::compiler;
use crate::error::CliError;
use crate::output::line;
use crate::progress::Progress;
use crate::settings::{cache_folder, temporary};
use crate::view::{Bars, Json, Lines, View, duration};

/// Where models are when nobody says.
const MODELS: &str = "models";

/// What is shown of a value for each that it lies inside of.
const INDENT: &str = "    ";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The node, by the name that workflows use. The stock plugins' nodes are there too.
    node: String,

    /// Give an input a value: a number, a text, or a file (photo.png, x.npy, x.safetensors#key).
    /// Can be repeated.
    #[arg(long = "input", short = 'i', value_name = "NAME=VALUE", value_parser = assignment)]
    inputs: Vec<(String, String)>,

    /// The plugin: a project that was built, a plugin's folder, or a component. By default the
    /// project in the current folder.
    #[arg(long, value_name = "PATH")]
    plugin: Option<PathBuf>,

    /// A folder of models, with ComfyUI's subfolders. Can be repeated. By default ./models, if it
    /// exists.
    #[arg(long, value_name = "DIR")]
    models: Vec<PathBuf>,

    /// The folder that what the node gives is written to: NODE-1.png or NODE-1.npy for its first
    /// output, and so on. Files of these names are replaced.
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    output: PathBuf,

    /// Give the plugin a right that it requests: memory, clock, randomness, models:CATEGORY/LABEL,
    /// read:LABEL[=DIR], write:LABEL[=DIR], network:HOST:PORT, environment:NAME. Can be repeated.
    #[arg(long, value_name = "RIGHT", value_parser = right)]
    grant: Vec<Grant>,

    /// The most that tensors may take on the device, such as 512MiB.
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    vram: Option<Size>,

    /// What stays on the device: none, model, sequential, balanced, planned (the default).
    #[arg(long, value_name = "MODE")]
    offload: Option<OffloadModeName>,

    /// The most that the plugin may take on the device; PLUGIN=SIZE is understood as well.
    #[arg(long, value_name = "SIZE", value_parser = quota)]
    quota: Option<Size>,

    /// Print every event, and in the end what the node gave, as a line of JSON each.
    #[arg(long)]
    json: bool,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let wrong = "write NAME=VALUE, such as image=photo.png or strength=0.5";
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(wrong)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A right, also as a whole run has it: with the plugin's name before it.
fn right(text: &str) -> Result<Grant, <Grant as std::str::FromStr>::Err> {
    match text.split_once('=') {
        Some((plugin, right)) if !plugin.contains(':') => right.parse(),
        _ => text.parse(),
    }
}

fn quota(text: &str) -> Result<Size, <Size as std::str::FromStr>::Err> {
    Size::positive(text.rsplit_once('=').map_or(text, |(_plugin, size)| size))
}

pub(crate) fn run(arguments: Arguments, bars: MultiProgress) -> Result<(), CliError> {
    let begun = Instant::now();
    let temporary = temporary()?;
    let settings = settings(&arguments, temporary.path())?;
    let bench = Bench::new(settings.compiled_cache.clone(), settings.compiler.clone());
    let trial = open(&arguments, &settings)?;
    let inputs = trial.inputs(&bench, &arguments.node, &arguments.inputs)?;
    trial.folders().check()?;
    let ready = trial.prepare(&arguments.node, inputs)?;
    let view: Box<dyn View> = if arguments.json {
        Box::new(Json)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bars::new(bars.clone()))
    } else {
        Box::new(Lines::default())
    };
    let progress = Arc::new(Progress::new(view, ready.plan()));
    let cancel = stop_at_interrupt(bars)?;
    let prompt_id = uuid::Uuid::new_v4().to_string().into();
    let values = ready.run(prompt_id, cancel, progress.clone());
    let written = progress.take();
    let node = trial.node(&arguments.node)?;
    let shown = match &values {
        Ok(values) => show(&bench, node, values, &arguments.output)?,
        Err(_) => Vec::new(),
    };
    drop(bench);
    let path = |file: &Artifact| place(file, &settings.folders);
    let files: Vec<PathBuf> = written.artifacts.iter().map(path).collect();
    if written.artifacts.iter().any(|file| file.place == Place::Temporary) {
        // Somebody may want to see what lies there.
        let _ = temporary.keep();
    }
    let report = Report {
        node,
        plugin: trial.plugin().name(),
        shown: &shown,
        files: &files,
        texts: &written.texts,
        seconds: begun.elapsed().as_secs_f64(),
        peak: trial.memory().tiers.device.peak,
        error: values.as_ref().err(),
    };
    if arguments.json {
        report.json()?
    } else {
        report.lines()?
    }
    values?;
    Ok(())
}

fn settings(arguments: &Arguments, temporary: &Path) -> Result<Settings, CliError> {
    let mut models = arguments.models.clone();
    if let Some(path) = models.iter().find(|path| !path.is_dir()) {
        return Err(CliError::NoFolder { what: "models", path: path.clone() });
    }
    if models.is_empty() && Path::new(MODELS).is_dir() {
        models.push(MODELS.into());
    }
    let folders = Folders {
        output: arguments.output.clone(),
        temporary: temporary.to_owned(),
        input: PathBuf::from("."),
    };
    let grants: Grants = Settings::grants(arguments.grant.clone())?;
    Ok(Settings {
        vram: arguments.vram.map(|Size(bytes)| bytes),
        offload: arguments.offload.unwrap_or(OffloadModeName::Planned),
        quota: arguments.quota.map(|Size(bytes)| bytes),
        models,
        grants: Some(grants),
        compiled_cache: cache_folder(),
        compiler: compiler(),
        ..Settings::new(folders)
    })
}

/// The plugin that is named, else the project here, else the stock plugin with that node.
fn open(arguments: &Arguments, settings: &Settings) -> Result<Trial, Error> {
    let here = match &arguments.plugin {
        Some(path) => return Trial::open(&Project::find(path)?, settings),
        None => Project::find(Path::new(".")),
    };
    let here = here.and_then(|project| Trial::open(&project, settings));
    let lacks = match &here {
        Ok(trial) => trial.node(&arguments.node).is_err(),
        Err(error) => matches!(
            error,
            Error::NoPlugin { .. } | Error::NotBuilt { .. } | Error::NotOneComponent { .. }
        ),
    };
    if !lacks {
        return here;
    }
    match (Trial::open_stock(&arguments.node, settings), here) {
        // What is wrong here is more than that it is no stock node.
        (Err(Error::NotStock { .. }), here) if !matches!(here, Err(Error::NoPlugin { .. })) => here,
        (stock, _) => stock,
    }
}

/// The first Ctrl-C stops the node, the second ends the process.
pub(super) fn stop_at_interrupt(bars: MultiProgress) -> Result<Cancel, CliError> {
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let listen = move || {
        let Ok(runtime) = runtime() else { return };
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.cancel();
                bars.suspend(|| eprintln!("stopping; Ctrl-C again exits at once"));
                if tokio::signal::ctrl_c().await.is_ok() {
                    std::process::exit(crate::error::INTERRUPTED.into());
                }
            }
        });
    };
    std::thread::Builder::new()
        .name("berth-stop".into())
        .spawn(listen)
        .map_err(|source| CliError::System { what: "start a thread", source })?;
    Ok(cancel)
}

/// Where a file is that the node wrote itself.
fn place(file: &Artifact, folders: &Folders) -> PathBuf {
    let root = match file.place {
        Place::Output => &folders.output,
        Place::Temporary => &folders.temporary,
    };
    root.join(&file.subfolder).join(&file.name)
}

/// What is told at the end.
struct Report<'a> {
    node: &'a NodeType,
    plugin: &'a str,
    shown: &'a [Shown],
    /// Files that the node wrote itself.
    files: &'a [PathBuf],
    texts: &'a [(String, String)],
    seconds: f64,
    peak: u64,
    error: Option<&'a RunError>,
}

impl Report<'_> {
    fn lines(&self) -> Result<(), CliError> {
        for (_, text) in self.texts {
            // Indented, so that no node speaks as the host does.
            line(format_args!("{} says:", self.node.name))?;
            for text in text.lines() {
                line(format_args!("  {text}"))?;
            }
        }
        let width = self.shown.iter().map(|shown| shown.name.chars().count()).max().unwrap_or(0);
        for shown in self.shown {
            let mut text = format!("{:width$}  ", shown.name);
            let mut found = told(&shown.found, INDENT);
            // An output that is called like its type says it once.
            if let Some(rest) =
                found.strip_prefix(&shown.name).filter(|rest| rest.starts_with('\n'))
            {
                found = rest.to_owned();
                text.truncate(text.trim_end().len());
            }
            let is_told = shown.name == shown.type_name
                || matches!(&shown.found, Found::Object(name, _) if *name == shown.type_name);
            if !is_told {
                let _ = write!(text, "{}  ", shown.type_name);
            }
            line((text + &found).trim_end())?;
            if let Some(remark) = &shown.remark {
                line(format_args!("{INDENT}! {remark}"))?;
            }
        }
        let ours = self.shown.iter().flat_map(|shown| shown.found.files());
        for file in ours.chain(self.files.iter().map(PathBuf::as_path)) {
            line(format_args!("wrote {}", file.strip_prefix(".").unwrap_or(file).display()))?;
        }
        let how = match self.error {
            None => "done in",
            Some(RunError::Interrupted) => "interrupted after",
            Some(_) => "failed after",
        };
        let (time, peak) = (duration(self.seconds), Size(self.peak));
        eprintln!("{how} {time}, at most {peak} on the device");
        Ok(())
    }

    fn json(&self) -> Result<(), CliError> {
        let data = json!({
            "success": self.error.is_none(),
            "node": self.node.name,
            "plugin": self.plugin,
            "outputs": self.shown.iter().map(Shown::json).collect::<Vec<_>>(),
            "files": self.files,
            "seconds": self.seconds,
            "device_peak": self.peak,
        });
        line(json!({ "type": "result", "data": data }))?;
        Ok(())
    }
}

/// A value in words, what lies in it on lines of its own.
fn told(found: &Found, indent: &str) -> String {
    match found {
        Found::Tensor { kind, figures, .. } => match figures {
            Some(figures) => {
                let mut text = format!(
                    "{kind}  min {}  mean {}  max {}",
                    short(figures.min),
                    short(figures.mean),
                    short(figures.max)
                );
                if figures.nan > 0 {
                    let _ = write!(text, "  ! {} NaN", figures.nan);
                }
                text
            }
            None => format!("{kind}  empty"),
        },
        Found::Plain(serde_json::Value::String(text)) if text.contains('\n') => {
            let lines = text.lines().map(|text| format!("\n{indent}{text}"));
            lines.collect()
        }
        Found::Plain(value) => value.to_string(),
        Found::Object(type_name, fields) => {
            let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            let mut text = type_name.clone();
            for (name, found) in fields {
                let found = told(found, &format!("{indent}{INDENT}"));
                let _ = write!(text, "\n{indent}{name:width$}  {found}");
            }
            text
        }
        Found::Items(items) => {
            let mut text = format!("{} items", items.len());
            for (index, found) in items.iter().enumerate() {
                let found = told(found, &format!("{indent}{INDENT}"));
                let _ = write!(text, "\n{indent}{index}  {found}");
            }
            text
        }
        Found::Other(text) => text.clone(),
    }
}

/// A number in few digits.
fn short(number: f64) -> String {
    let size = number.abs();
    if number.fract() == 0.0 && size < 1e15 {
        format!("{number}")
    } else if (1e-3..1e6).contains(&size) {
        format!("{number:.4}").trim_end_matches('0').to_owned()
    } else {
        format!("{number:.3e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let pairs = [
            (0.0, "0"),
            (0.5, "0.5"),
            (1.0 / 3.0, "0.3333"),
            (-2.0, "-2"),
            (1e-9, "1.000e-9"),
            (1e20, "1.000e20"),
            (f64::NAN, "NaN"),
        ];
        for (number, text) in pairs {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn an_input_is_a_name_and_a_value() {
        assert_eq!(assignment("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(assignment("a="), Ok(("a".into(), String::new())));
        assert!(assignment("=b").is_err() && assignment("a").is_err());
    }
}

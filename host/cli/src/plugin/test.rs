//! `berth test`: a plugin's own tests, a line for each.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Mutex;

use berth_trial::Error;
use berth_trial::suite::{Begun, Ended, Options, Reporter, Summary, run as run_tests};
use berth_workflow::RunError;
use clap::Args;
use indicatif::MultiProgress;
use serde_json::json;

use crate::compiler::compiler;
use crate::error::CliError;
use crate::output::line;
use crate::plugin::one::stop_at_interrupt;
use crate::settings::cache_folder;
use crate::view::duration;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The project: a folder with the tests in tests/*.toml, and the component, or build/NAME/ with
    /// it.
    #[arg(default_value = ".")]
    project: PathBuf,

    /// Run only tests with this in their names.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,

    /// Print each test, and in the end the summary, as a line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: Arguments, bars: MultiProgress) -> Result<(), CliError> {
    let options = Options {
        filter: arguments.filter,
        cancel: stop_at_interrupt(bars)?,
        compiled_cache: cache_folder(),
        compiler: compiler(),
    };
    let summary = if arguments.json {
        let lines = JsonLines::default();
        let summary = run_tests(&arguments.project, &options, &lines);
        written(&lines.failed)?;
        summary
    } else {
        let lines = Lines::new();
        let summary = run_tests(&arguments.project, &options, &lines);
        written(&lines.failed)?;
        summary
    };
    let summary = match summary {
        Err(Error::Interrupted) => return Err(RunError::Interrupted.into()),
        summary => summary?,
    };
    if arguments.json {
        let Summary { passed, failed, left_out, seconds } = summary;
        let data = json!({
            "passed": passed, "failed": failed, "left_out": left_out, "seconds": seconds,
        });
        line(json!({ "type": "summary", "data": data }))?;
    } else {
        line(format_args!("\n{}", in_words(&summary)))?;
    }
    Ok(summary.verdict()?)
}

fn in_words(summary: &Summary) -> String {
    let Summary { passed, failed, left_out, seconds } = *summary;
    let failed = if failed > 0 { format!(", {failed} FAILED") } else { String::new() };
    let left_out = if left_out > 0 { format!(", {left_out} left out") } else { String::new() };
    format!("{passed} ok{failed}{left_out} in {}", duration(seconds))
}

/// Whether standard output took everything.
type Failed = Mutex<Option<std::io::Error>>;

/// What standard output did not take.
fn written(failed: &Failed) -> Result<(), CliError> {
    let failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    failed.map_or(Ok(()), |error| Err(error.into()))
}

fn say(failed: &Failed, text: impl std::fmt::Display) {
    if let Err(error) = line(text) {
        *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    }
}

/// For people.
pub(crate) struct Lines {
    colors: bool,
    failed: Failed,
}

impl Lines {
    pub(crate) fn new() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|text| !text.is_empty());
        Self { colors: !plain && std::io::stdout().is_terminal(), failed: Failed::default() }
    }

    fn colored(&self, color: u8, text: &str) -> String {
        if self.colors { format!("\u{1b}[{color}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

const RED: u8 = 31;
const GREEN: u8 = 32;
const DIM: u8 = 2;

impl Reporter for Lines {
    fn begins(&self, begun: Begun<'_>) {
        let tests = if begun.tests == 1 { "test" } else { "tests" };
        say(&self.failed, format_args!("{}: {} {tests}\n", begun.plugin, begun.tests));
    }

    fn ended(&self, ended: Ended<'_>) {
        let passed = ended.problems.is_empty();
        let verdict = match passed {
            true => self.colored(GREEN, "ok    "),
            false => self.colored(RED, "FAILED"),
        };
        let name = berth_sandbox::text::plain(ended.name);
        let place = format!("{}, {}, {}", ended.node, ended.file, duration(ended.seconds));
        say(&self.failed, format_args!("{verdict}  {name}  {}", self.colored(DIM, &place)));
        for problem in ended.problems.iter().flat_map(|problem| problem.lines()) {
            say(&self.failed, format_args!("          {problem}"));
        }
        if !passed && !ended.said.is_empty() {
            say(&self.failed, "          it said:");
            for said in ended.said {
                say(&self.failed, format_args!("            {said}"));
            }
        }
    }
}

/// For programs.
#[derive(Default)]
struct JsonLines {
    failed: Failed,
}

impl Reporter for JsonLines {
    fn begins(&self, begun: Begun<'_>) {
        let Begun { plugin, tests, left_out } = begun;
        let data = json!({ "plugin": plugin, "tests": tests, "left_out": left_out });
        say(&self.failed, json!({ "type": "begin", "data": data }));
    }

    fn ended(&self, ended: Ended<'_>) {
        let data = json!({
            "file": ended.file,
            "name": ended.name,
            "node": ended.node,
            "passed": ended.problems.is_empty(),
            "problems": ended.problems,
            "said": ended.said,
            "seconds": ended.seconds,
        });
        say(&self.failed, json!({ "type": "test", "data": data }));
    }
}

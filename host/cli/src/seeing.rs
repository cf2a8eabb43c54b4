//! What is shown of a run beside its results: figures, a trace, a page.
//!
//! Files are made before the run, so that a path that cannot be written to costs nobody the
//! run; what fails later is told after the results, which count more.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use berth_memory::{OffloadModeName, Recording, Stats};
use berth_workflow::report::{self, End, Seen, Timeline};
use berth_workflow::{Host, Outcome, Plan, RunError};

use crate::args::SeeingArguments;
use crate::error::CliError;
use crate::table::Tables;

/// What a run is watched for.
pub(crate) struct Seeing {
    stats: bool,
    trace: Option<Target>,
    page: Option<Target>,
    begun: Instant,
    pub(crate) timeline: Arc<Timeline>,
}

/// A file that is written in the end.
struct Target {
    what: &'static str,
    path: PathBuf,
    file: File,
}

/// What was seen.
pub(crate) struct Sight {
    recording: Recording,
    pub(crate) stats: Stats,
}

impl Seeing {
    /// Makes the files, and begins to record if somebody wants to know.
    pub(crate) fn begin(
        arguments: &SeeingArguments,
        plan: &Plan,
        host: &Host,
    ) -> Result<Self, CliError> {
        let seeing = Self {
            stats: arguments.stats,
            trace: Target::make("trace", arguments.trace.as_deref())?,
            page: Target::make("report", arguments.report.as_deref())?,
            begun: Instant::now(),
            timeline: Arc::new(Timeline::new(plan)),
        };
        if seeing.stats || seeing.trace.is_some() || seeing.page.is_some() {
            host.record(report::EVENTS);
        }
        Ok(seeing)
    }

    /// How memory stands now, and what was recorded.
    pub(crate) fn end(&self, host: &Host) -> Sight {
        Sight { recording: host.recording(), stats: host.memory() }
    }

    /// Memory's figures for a program, if they are wanted.
    pub(crate) fn figures(&self, sight: &Sight) -> Option<serde_json::Value> {
        let peaks = || report::account_peaks(&sight.recording);
        self.stats.then(|| report::figures(&sight.stats, &peaks()))
    }

    /// Memory's figures for a person, if they are wanted.
    pub(crate) fn tables(&self, sight: &Sight) {
        if self.stats {
            let peaks = report::account_peaks(&sight.recording);
            eprintln!("{}", Tables { stats: &sight.stats, peaks: &peaks });
        }
    }

    /// Writes the files, all that can be.
    pub(crate) fn write(
        self,
        sight: &Sight,
        mode: OffloadModeName,
        workflow: &Path,
        seconds: f64,
        result: &Result<Outcome, RunError>,
    ) -> Result<(), CliError> {
        let origin = sight.recording.began.unwrap_or(self.begun);
        let name = workflow.file_name().unwrap_or(workflow.as_os_str()).to_string_lossy();
        let nodes = self.timeline.nodes(origin);
        let seen = Seen {
            workflow: &name,
            mode,
            end: match result {
                Ok(_) => End::Done,
                Err(RunError::Interrupted) => End::Stopped,
                Err(_) => End::Failed,
            },
            seconds,
            stats: &sight.stats,
            recording: &sight.recording,
            nodes: &nodes,
        };
        let trace = self.trace.map_or(Ok(()), |target| target.write(|f| report::trace(&seen, f)));
        let page = self.page.map_or(Ok(()), |target| target.write(|f| report::page(&seen, f)));
        trace.and(page)
    }
}

impl Target {
    fn make(what: &'static str, path: Option<&Path>) -> Result<Option<Self>, CliError> {
        let Some(path) = path.map(Path::to_owned) else { return Ok(None) };
        match File::create(&path) {
            Ok(file) => Ok(Some(Self { what, path, file })),
            Err(source) => Err(CliError::Write { what, path, source }),
        }
    }

    fn write(
        self,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
    ) -> Result<(), CliError> {
        let Self { what, path, file } = self;
        write(&mut BufWriter::new(file)).map_err(|source| CliError::Write { what, path, source })
    }
}

//! Logs go to standard error, above the bars that may be there; the audit trail also to a file.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use berth_sandbox::audit::TARGET;
use indicatif::MultiProgress;
use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, registry};

use crate::error::CliError;

/// The variable that says what to log.
const VARIABLE: &str = "BERTH_LOG";

/// What is logged when nobody says.
const DEFAULT: &str = "warn";

/// Starts logging, and the audit trail if it has a file.
pub(crate) fn start(
    filter: Option<&str>,
    audit: Option<&Path>,
    bars: &MultiProgress,
) -> Result<(), CliError> {
    let variable = std::env::var(VARIABLE).ok().filter(|filter| !filter.is_empty());
    let filter = filter.map(str::to_owned).or(variable).unwrap_or_else(|| DEFAULT.into());
    let parsed = EnvFilter::builder().parse(&filter).map_err(|error| CliError::LogFilter {
        filter: filter.clone(),
        reason: error.to_string(),
    })?;
    let log = layer()
        .with_writer(AboveBars(bars.clone()))
        .with_ansi(std::io::IsTerminal::is_terminal(&io::stderr()))
        .without_time()
        .with_filter(parsed);
    registry().with(log).with(audit.map(trail).transpose()?).init();
    Ok(())
}

/// Adds the audit trail to a file, which its owner alone can read.
fn trail<S: tracing::Subscriber + for<'a> LookupSpan<'a>>(
    path: &Path,
) -> Result<impl Layer<S> + use<S>, CliError> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path);
    let failed = |source| CliError::Write { what: "audit trail", path: path.to_owned(), source };
    let layer = layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(Mutex::new(Trail { file: file.map_err(failed)?, failed: false }));
    Ok(layer
        .with_filter(filter_fn(|event| event.target() == TARGET).with_max_level_hint(Level::INFO)))
}

/// The audit trail's file. What cannot be written to it is told, once.
struct Trail {
    file: std::fs::File,
    failed: bool,
}

impl Write for Trail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let Err(error) = &written
            && !std::mem::replace(&mut self.failed, true)
        {
            eprintln!("the audit trail cannot be written: {error}");
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Takes the bars away while a line is written.
#[derive(Clone)]
struct AboveBars(MultiProgress);

impl Write for AboveBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AboveBars {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

//! Logs go to standard error, above the bars that may be there.

use std::io::{self, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::error::CliError;

/// The variable that says what to log.
const VARIABLE: &str = "BERTH_LOG";

/// What is logged when nobody says.
const DEFAULT: &str = "warn";

/// Starts logging.
pub(crate) fn start(filter: Option<&str>, bars: &MultiProgress) -> Result<(), CliError> {
    let variable = std::env::var(VARIABLE).ok().filter(|filter| !filter.is_empty());
    let filter = filter.map(str::to_owned).or(variable).unwrap_or_else(|| DEFAULT.into());
    let parsed = EnvFilter::builder().parse(&filter).map_err(|error| CliError::LogFilter {
        filter: filter.clone(),
        reason: error.to_string(),
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(parsed)
        .with_writer(AboveBars(bars.clone()))
        .with_ansi(std::io::IsTerminal::is_terminal(&io::stderr()))
        .without_time()
        .init();
    Ok(())
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

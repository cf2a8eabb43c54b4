//! The run that a node is part of: progress, messages, previews, files.

use crate::bindings::berth::node::context as host;
use crate::{Result, Tensor};

/// How much a message matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For who follows every step.
    Trace,
    /// For who looks for a fault.
    Debug,
    /// For the operator.
    Info,
    /// Something is off, and the run goes on.
    Warn,
    /// Something failed.
    Error,
}

/// Says something to the operator.
pub fn log(level: Level, message: &str) {
    let level = match level {
        Level::Trace => host::Level::Trace,
        Level::Debug => host::Level::Debug,
        Level::Info => host::Level::Info,
        Level::Warn => host::Level::Warn,
        Level::Error => host::Level::Error,
    };
    host::log(level, message);
}

/// `value` of `total` steps of this node are done.
pub fn progress(value: usize, total: usize) {
    let steps = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    host::progress(steps(value), steps(total));
}

/// Shows an intermediate image [height, width, 3], `f32`, 0…1, with the progress. The host may drop it.
///
/// # Errors
/// `InvalidArgument` for a tensor that is no such image, `Cancelled`.
pub fn preview(image: &Tensor) -> Result<()> {
    Ok(host::preview(&image.raw)?)
}

/// Whether the run was cancelled. Every operation fails with `Cancelled` from then on.
pub fn cancelled() -> bool {
    host::cancelled()
}

/// Shows a text as a result of this node.
pub fn show_text(text: &str) {
    host::show_text(text);
}

/// Where a file goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The operator's output folder.
    Output,
    /// A folder that the operator empties.
    Temporary,
}

/// A file that was written. The name was chosen by the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its name.
    pub name: String,
    /// The folder inside the place, or empty.
    pub subfolder: String,
    /// Where it is.
    pub place: Place,
}

/// Writes `data` as `PREFIX_00001_.EXTENSION` with the next free number, and shows it as a
/// result of this node. `prefix` may name folders with `/`; it never leads out of the place.
/// `kind` is how a client shows it: `images`, `audio`, `files`.
///
/// # Errors
/// `InvalidArgument`; `Other` when the file cannot be written.
pub fn save(
    place: Place,
    kind: &str,
    prefix: &str,
    extension: &str,
    data: &[u8],
) -> Result<Artifact> {
    let place = match place {
        Place::Output => host::Place::Output,
        Place::Temporary => host::Place::Temporary,
    };
    let artifact = host::save(place, kind, prefix, extension, data)?;
    Ok(Artifact {
        name: artifact.name,
        subfolder: artifact.subfolder,
        place: match artifact.place {
            host::Place::Output => Place::Output,
            host::Place::Temporary => Place::Temporary,
        },
    })
}

/// A file of the operator's input folder.
///
/// # Errors
/// `NotFound`, `InvalidArgument`.
pub fn read_input(name: &str) -> Result<Vec<u8>> {
    Ok(host::read_input(name)?)
}

/// A digest of a file of the input folder that changes when its content does.
///
/// # Errors
/// `NotFound`, `InvalidArgument`.
pub fn input_fingerprint(name: &str) -> Result<String> {
    Ok(host::input_fingerprint(name)?)
}

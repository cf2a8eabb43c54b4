//! What a node shows while it runs, on its way to whoever watches.
//!
//! Guests are not trusted with a terminal: texts are capped and their control
//! characters escaped, and how many there are is limited, before any observer sees them.

use berth_compute::Tensor;
use serde::Serialize;

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// For the author of the plugin.
    Trace,
    /// For finding a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Probably not what was meant.
    Warn,
    /// Wrong.
    Error,
}

/// Where a written file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Place {
    /// In the output folder.
    #[serde(rename = "output")]
    Output,
    /// In the folder of temporary files.
    #[serde(rename = "temp")]
    Temporary,
}

/// A file that a node wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// How a client shows it: `images`, `audio`, `files`.
    #[serde(skip)]
    pub kind: String,
    /// The file's name.
    #[serde(rename = "filename")]
    pub name: String,
    /// The folder inside the place, or empty.
    pub subfolder: String,
    /// The folder it is under.
    #[serde(rename = "type")]
    pub place: Place,
}

/// Watches one node run. Called from the thread that the node runs on; must not block.
pub trait NodeEvents: Send + Sync {
    /// Which node it is, for those who know several.
    fn node(&self) -> &str {
        ""
    }
    /// `value` of `total` steps are done.
    fn progress(&self, _value: u32, _total: u32) {}
    /// The node says something.
    fn log(&self, _level: Level, _message: &str) {}
    /// The node wrote a file.
    fn artifact(&self, _artifact: &Artifact) {}
    /// The node shows a text as a result.
    fn text(&self, _text: &str) {}
    /// The node shows an intermediate image [height, width, 3], `f32`, 0…1.
    fn preview(&self, _image: &Tensor) {}
    /// The node asks that results which were kept for later runs be forgotten. Only a plugin
    /// with the right `memory` can.
    fn clear_results(&self) {}
}

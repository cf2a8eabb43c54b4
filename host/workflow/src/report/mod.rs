//! Seeing a run: what memory did while which node ran.
//!
//! Memory records its own events, an observer sees nodes begin and end, and neither knows of
//! the other. Here they meet, on the clock of the recording ([`Seen`]), and become a trace
//! for Perfetto ([`trace`]), a page for a browser ([`page`]) or figures for programs
//! ([`figures`]). A plugin is known by its name; what is shared counts for each of its holders,
//! as it does where it is charged.

mod figures;
mod page;
mod peaks;
mod series;
#[cfg(test)]
pub(crate) mod testing;
mod timeline;
mod trace;

use std::collections::HashMap;

use berth_memory::{AccountId, OffloadModeName, Recording, Stats};

pub use self::figures::figures;
pub use self::page::page;
pub use self::peaks::account_peaks;
pub use self::series::place;
pub use self::timeline::{End, NodeSpan, Timeline};
pub use self::trace::trace;

/// The most events that a run should record: some minutes of work, in less than 200 MB. Those
/// that come after are counted, and missing in what is shown.
pub const EVENTS: usize = 1 << 20;

/// A run, as it was seen.
#[derive(Debug)]
pub struct Seen<'a> {
    /// What people call the workflow.
    pub workflow: &'a str,
    /// What stayed on the device.
    pub mode: OffloadModeName,
    /// How it ended.
    pub end: End,
    /// How long it took.
    pub seconds: f64,
    /// How memory stood at the end.
    pub stats: &'a Stats,
    /// What memory did.
    pub recording: &'a Recording,
    /// When nodes ran, on the recording's clock.
    pub nodes: &'a [NodeSpan],
}

impl Seen<'_> {
    fn names(&self) -> HashMap<AccountId, &str> {
        let recorded = self.recording.accounts.iter().map(|(id, name)| (*id, name.as_str()));
        let known = self.stats.accounts.iter().map(|account| (account.id, account.name.as_str()));
        recorded.chain(known).collect()
    }
}

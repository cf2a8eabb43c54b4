//! The audit trail: what was granted and denied, which quotas were hit, and what was ended.
//!
//! Every entry is a `tracing` event of the target [`TARGET`] with the same fields, so that an
//! operator can send them where logs go and count them: `what` happened to which `plugin`, known
//! by its `digest`, about which `right` or limit. Texts of guests are escaped before they
//! come here. Denials are also counted, by plugin and right: that is what a dry run shows.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::error::{GuestError, SandboxError};
use crate::policy::Digest;
use crate::rights::{Denied, Right};

/// The target of all events of the trail.
pub const TARGET: &str = "berth::audit";

/// How often something was denied.
#[derive(Debug, Default)]
pub struct Denials(Mutex<BTreeMap<String, Counts>>);

/// The denials of one plugin.
#[derive(Debug, Default)]
struct Counts {
    known: BTreeMap<Denied, u64>,
    /// Those that are not told apart any more.
    others: u64,
}

/// Most denials of one plugin that are told apart: a guest chooses the names in some of them.
const MOST_DENIALS: usize = 1_000;

impl Denials {
    /// Counts one more. Gives how many there are.
    fn add(&self, plugin: &str, denied: &Denied) -> u64 {
        let mut plugins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = plugins.entry(plugin.to_owned()).or_default();
        let full = counts.known.len() >= MOST_DENIALS && !counts.known.contains_key(denied);
        let count =
            if full { &mut counts.others } else { counts.known.entry(denied.clone()).or_default() };
        *count = count.saturating_add(1);
        *count
    }

    /// What was denied to which plugin, and how often.
    #[must_use]
    pub fn counted(&self) -> Vec<(String, Denied, u64)> {
        let plugins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |(plugin, counts): (&String, &Counts)| {
            let entry = |(denied, count): (&Denied, &u64)| (plugin.clone(), denied.clone(), *count);
            counts.known.iter().map(entry).collect::<Vec<_>>()
        };
        plugins.iter().flat_map(of).collect()
    }
}

/// Who an entry is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) plugin: &'a str,
    pub(crate) digest: Digest,
}

impl Subject<'_> {
    /// A plugin was loaded.
    pub(crate) fn loaded(self) {
        let Self { plugin, digest } = self;
        tracing::info!(target: TARGET, what = "loaded", plugin, %digest);
    }

    /// A plugin was not loaded.
    pub(crate) fn refused(self, error: &SandboxError) {
        let Self { plugin, digest } = self;
        tracing::info!(target: TARGET, what = "refused", plugin, %digest, %error);
    }

    /// A right is there.
    pub(crate) fn granted(self, right: &Right) {
        let Self { plugin, digest } = self;
        tracing::info!(target: TARGET, what = "granted", plugin, %digest, %right);
    }

    /// A right is not there, and was needed.
    pub(crate) fn denied(self, denied: &Denied, denials: &Denials) {
        let Self { plugin, digest } = self;
        let Denied { right, missing } = denied;
        let times = denials.add(plugin, denied);
        // A guest that asks for ever fills no log.
        if times.is_power_of_two() {
            tracing::info!(target: TARGET, what = "denied", plugin, %digest, %right, ?missing, times);
        }
    }

    /// Texts were left out because there were too many.
    pub(crate) fn silenced(self, texts: u64) {
        let Self { plugin, digest } = self;
        tracing::info!(target: TARGET, what = "silenced", plugin, %digest, texts);
    }

    /// How a run ended, if that is for the trail.
    pub(crate) fn ended(self, error: &SandboxError) {
        let Self { plugin, digest } = self;
        let what = match error {
            SandboxError::Guest { error: GuestError::QuotaExceeded(_), .. } => "quota",
            SandboxError::Guest { error: GuestError::OutOfMemory(_), .. } => "out-of-memory",
            SandboxError::GuestMemory { .. }
            | SandboxError::GuestTables { .. }
            | SandboxError::TooMuchAtOnce { .. }
            | SandboxError::TooMuchOutput { .. }
            | SandboxError::TimedOut { .. }
            | SandboxError::Trapped { .. } => "killed",
            SandboxError::Cancelled => "cancelled",
            _ => return,
        };
        tracing::info!(target: TARGET, what, plugin, %digest, %error);
    }
}

//! What a store holds while one node runs.

use std::sync::Arc;

use berth_compute::Scope;
use wasmtime::component::ResourceTable;

use crate::error::{GuestError, SandboxError};
use crate::limiter::Limiter;
use crate::plugin::{Plugin, RunContext};
use crate::usage::Used;
use crate::voice::Voice;
use crate::wasi::{Tail, Wasi};

/// One run's state.
pub(crate) struct State {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) scope: Scope,
    pub(crate) context: RunContext,
    pub(crate) table: ResourceTable,
    pub(crate) limiter: Limiter,
    pub(crate) stderr: Tail,
    /// The last error that a called function returned, and its plugin.
    pub(crate) blame: Option<(String, GuestError)>,
    /// Bytes in uploads that are not finished.
    pub(crate) uploading: u64,
    /// How much it says.
    pub(crate) voice: Voice,
    used: Arc<Used>,
    pub(crate) wasi: Wasi,
}

impl State {
    /// The state of a run that begins now.
    ///
    /// # Errors
    /// When something that the plugin was granted is not there.
    pub(crate) fn new(plugin: Arc<Plugin>, context: RunContext) -> Result<Self, SandboxError> {
        let stderr = Tail::default();
        let mut table = ResourceTable::new();
        table.set_max_capacity(plugin.limits().handles as usize);
        let used = context.usage.of(plugin.account().id());
        Ok(Self {
            scope: Scope {
                account: plugin.account().clone(),
                cancel: context.cancel.clone(),
                call: context.call.clone(),
            },
            limiter: Limiter::new(plugin.limits(), used.clone()),
            wasi: Wasi::new(&plugin, &stderr)?,
            plugin,
            context,
            table,
            stderr,
            blame: None,
            uploading: 0,
            voice: Voice::default(),
            used,
        })
    }

    /// Counts what the run gives: files, texts, lists of bytes, and values of any kind.
    ///
    /// # Errors
    /// The end of the run, when that is more than it may.
    pub(crate) fn give_bytes(&mut self, bytes: usize) -> wasmtime::Result<()> {
        if self.used.give(bytes as u64, self.plugin.limits().output) {
            Ok(())
        } else {
            Err(wasmtime::Error::from(TooMuchOutput))
        }
    }
}

/// What a file counts for at least, in bytes: the block that it takes on a disk, so that a flood
/// of empty files ends too.
pub(crate) const LEAST_FILE: usize = 4096;

/// The run gave more than it may.
#[derive(Debug, thiserror::Error)]
#[error("it gave more than it may")]
pub(crate) struct TooMuchOutput;

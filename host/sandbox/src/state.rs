//! What a store holds while one node runs.

use std::sync::Arc;

use berth_compute::Scope;
use wasmtime::component::ResourceTable;

use crate::error::{GuestError, SandboxError};
use crate::limiter::Limiter;
use crate::plugin::{Plugin, RunContext};
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
    /// Bytes of files, texts and lists of bytes that it gave.
    given: u64,
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
        Ok(Self {
            scope: Scope {
                account: plugin.account().clone(),
                cancel: context.cancel.clone(),
                call: context.call.clone(),
            },
            limiter: Limiter::new(plugin.limits()),
            wasi: Wasi::new(&plugin, &stderr)?,
            plugin,
            context,
            table,
            stderr,
            blame: None,
            uploading: 0,
            voice: Voice::default(),
            given: 0,
        })
    }

    /// Counts what the run gives: files, texts, lists of bytes.
    ///
    /// # Errors
    /// The end of the run, when that is more than it may.
    pub(crate) fn give_bytes(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.given = self.given.saturating_add(bytes as u64);
        if self.given > self.plugin.limits().output {
            return Err(wasmtime::Error::from(TooMuchOutput));
        }
        Ok(())
    }
}

/// The run gave more than it may.
#[derive(Debug, thiserror::Error)]
#[error("it gave more than it may")]
pub(crate) struct TooMuchOutput;

//! What a store holds while one node runs.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use berth_compute::Scope;
use bytes::Bytes;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{Deterministic, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait};

use crate::error::GuestError;
use crate::limiter::Limiter;
use crate::plugin::{Plugin, RunContext};
use crate::text::page;
use crate::voice::Voice;

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
    wasi: WasiCtx,
}

impl State {
    /// The state of a run that begins now.
    pub(crate) fn new(plugin: Arc<Plugin>, context: RunContext) -> Self {
        let stderr = Tail::default();
        let mut table = ResourceTable::new();
        table.set_max_capacity(plugin.limits().handles as usize);
        let mut wasi = WasiCtx::builder();
        // Whoever asks for randomness without the right to it gets the same
        // bytes each time: hash maps work, and results stay reproducible.
        let unchanging = || Deterministic::new((0..64).collect());
        wasi.secure_random(unchanging()).insecure_random(unchanging()).insecure_random_seed(0);
        wasi.wall_clock(Standing);
        wasi.allow_tcp(false).allow_udp(false).stderr(stderr.clone()).stdout(stderr.clone());
        Self {
            scope: Scope {
                account: plugin.account().clone(),
                cancel: context.cancel.clone(),
                call: context.call.clone(),
            },
            limiter: Limiter::new(plugin.limits()),
            wasi: wasi.build(),
            plugin,
            context,
            table,
            stderr,
            blame: None,
            uploading: 0,
            voice: Voice::default(),
            given: 0,
        }
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

/// A clock that stands at the epoch: the time is an input that no workflow names, and
/// a result that depends on it could not be cached or repeated.
struct Standing;

impl HostWallClock for Standing {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// How much of a guest's standard error is kept, in bytes: a panic message and
/// some of what came before it.
const TAIL: usize = 4096;

/// The end of what a guest wrote to its standard output and error. It takes
/// everything and keeps little, so that a guest which floods it slows only itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tail(Arc<Mutex<VecDeque<u8>>>);

impl Tail {
    /// What is kept, safe to show.
    pub(crate) fn text(&self) -> String {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        page(String::from_utf8_lossy(bytes.make_contiguous()).trim())
    }

    fn push(&self, bytes: &[u8]) {
        let kept = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = (tail.len() + kept.len()).saturating_sub(TAIL);
        tail.drain(..over);
        tail.extend(kept);
    }
}

impl IsTerminal for Tail {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Tail {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Tail {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Tail {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_flood_is_kept() {
        let tail = Tail::default();
        for _ in 0..100 {
            tail.push(&[b'x'; 3 * TAIL / 4]);
        }
        tail.push(b"the panic\x1b");
        assert_eq!(tail.0.lock().unwrap().len(), TAIL);
        assert!(tail.text().ends_with("the panic\\u{1b}"));
    }
}

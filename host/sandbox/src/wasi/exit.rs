//! `wasi:cli/exit`: a guest that ends itself ends its run, and nothing else.

use wasmtime_wasi::p2::bindings::cli::exit;

use crate::state::State;

/// The guest called `exit`.
#[derive(Debug, thiserror::Error)]
#[error("it ended itself with exit status {0}, instead of returning")]
struct Exited(u8);

impl exit::Host for State {
    fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
        self.exit_with_code(u8::from(status.is_err()))
    }

    fn exit_with_code(&mut self, status: u8) -> wasmtime::Result<()> {
        Err(wasmtime::Error::from(Exited(status)))
    }
}

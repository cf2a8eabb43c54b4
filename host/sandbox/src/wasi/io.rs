//! `wasi:io`: polls, streams and their errors, all of which end with the run.
//!
//! What wasmtime-wasi bounds is left to it: a read gives 64 KiB at the most, and zeroes are written
//! only as far as `check-write` allowed. What goes into a file counts as output of the run.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, DynPollable, IoError, StreamError, StreamResult,
};
use wasmtime_wasi_io::bindings::wasi::io::{error, poll as waiting, streams as flowing};

use super::wait::wait;
use crate::state::State;
use crate::text::plain;

/// What one poll may name: more than a run can have open, many times over.
const MOST_POLLED: usize = 10_000;

/// The guest polls more than it can mean.
#[derive(Debug, thiserror::Error)]
#[error("it polls {0} things at once, more than {MOST_POLLED}")]
struct TooManyPolled(usize);

impl State {
    /// What a stream's future gives, unless the run ends before.
    fn flow<T>(
        &mut self,
        call: impl AsyncFnOnce(&mut wasmtime::component::ResourceTable) -> StreamResult<T>,
    ) -> StreamResult<T> {
        wait(&self.context.cancel, call(&mut self.table)).map_err(StreamError::Trap)?
    }

    /// Counts what goes through a stream, if that leads to a file.
    fn flown(&mut self, stream: &Resource<DynOutputStream>, bytes: u64) -> StreamResult<()> {
        if !self.wasi.writes_file.contains(&stream.rep()) {
            return Ok(());
        }
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        self.give_bytes(bytes).map_err(StreamError::Trap)
    }
}

impl poll::Host for State {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        if pollables.len() > MOST_POLLED {
            return Err(wasmtime::Error::from(TooManyPolled(pollables.len())));
        }
        wait(&self.context.cancel, waiting::Host::poll(&mut self.table, pollables))?
    }
}

impl poll::HostPollable for State {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        wait(&self.context.cancel, waiting::HostPollable::ready(&mut self.table, pollable))?
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        wait(&self.context.cancel, waiting::HostPollable::block(&mut self.table, pollable))?
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        waiting::HostPollable::drop(&mut self.table, pollable)
    }
}

impl error::Host for State {}

impl error::HostError for State {
    /// The error's own words, and not the host's trace of where it came from.
    fn to_debug_string(&mut self, error: Resource<IoError>) -> wasmtime::Result<String> {
        Ok(plain(&self.table.get(&error)?.to_string()).into_owned())
    }

    fn drop(&mut self, error: Resource<IoError>) -> wasmtime::Result<()> {
        error::HostError::drop(&mut self.table, error)
    }
}

impl streams::Host for State {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(&mut self.table, error)
    }
}

impl streams::HostInputStream for State {
    fn read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        streams::HostInputStream::read(&mut self.table, stream, len)
    }

    fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<Vec<u8>> {
        self.flow(async |table| flowing::HostInputStream::blocking_read(table, stream, len).await)
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        streams::HostInputStream::skip(&mut self.table, stream, len)
    }

    fn blocking_skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        self.flow(async |table| flowing::HostInputStream::blocking_skip(table, stream, len).await)
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynInputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostInputStream::subscribe(&mut self.table, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        wait(&self.context.cancel, flowing::HostInputStream::drop(&mut self.table, stream))?
    }
}

impl streams::HostOutputStream for State {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        streams::HostOutputStream::check_write(&mut self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        self.flown(&stream, bytes.len() as u64)?;
        streams::HostOutputStream::write(&mut self.table, stream, bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        self.flown(&stream, bytes.len() as u64)?;
        self.flow(async |table| {
            flowing::HostOutputStream::blocking_write_and_flush(table, stream, bytes).await
        })
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        self.flown(&stream, len)?;
        streams::HostOutputStream::write_zeroes(&mut self.table, stream, len)
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        self.flown(&stream, len)?;
        self.flow(async |table| {
            flowing::HostOutputStream::blocking_write_zeroes_and_flush(table, stream, len).await
        })
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        streams::HostOutputStream::flush(&mut self.table, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        self.flow(async |table| flowing::HostOutputStream::blocking_flush(table, stream).await)
    }

    fn splice(
        &mut self,
        into: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        let stream = Resource::new_borrow(into.rep());
        let moved = streams::HostOutputStream::splice(&mut self.table, into, from, len)?;
        self.flown(&stream, moved)?;
        Ok(moved)
    }

    fn blocking_splice(
        &mut self,
        into: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        let stream = Resource::new_borrow(into.rep());
        let moved = self.flow(async |table| {
            flowing::HostOutputStream::blocking_splice(table, into, from, len).await
        })?;
        self.flown(&stream, moved)?;
        Ok(moved)
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        streams::HostOutputStream::subscribe(&mut self.table, stream)
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        self.wasi.writes_file.remove(&stream.rep());
        wait(&self.context.cancel, flowing::HostOutputStream::drop(&mut self.table, stream))?
    }
}

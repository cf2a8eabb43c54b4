//! Standard output and error: taken whole, and only the end of it kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::text::page;

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

    /// Adds to it.
    pub(crate) fn push(&self, bytes: &[u8]) {
        let kept = bytes.get(bytes.len().saturating_sub(TAIL)..).unwrap_or_default();
        let mut tail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let over = tail.len().saturating_add(kept.len()).saturating_sub(TAIL);
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

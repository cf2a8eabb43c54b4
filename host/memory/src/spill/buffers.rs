//! The buffers that bytes pass through on their way to the spill file.
//!
//! Spilling begins when memory is short, so it must not need much itself: there are four
//! buffers, and who finds them all in use waits. They stay once they were made, since
//! memory that is short is a bad thing to ask for again and again.

use std::ops::{Deref, DerefMut};

use super::CHUNK;
use crate::sync::Monitor;

/// Enough to keep a disk busy while some of the writers wait for a device: 16 MiB in all.
const MOST: usize = 4;

/// Buffers that are made when they are needed.
pub(super) struct Buffers(Monitor<Pool>);

#[derive(Default)]
struct Pool {
    idle: Vec<Box<[u8]>>,
    made: usize,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self(Monitor::new(Pool::default()))
    }

    /// A buffer of one chunk, with whatever is in it. Waits until there is one.
    pub(super) fn take(&self) -> Buffer<'_> {
        let mut pool = self.0.lock();
        loop {
            if let Some(bytes) = pool.idle.pop() {
                return Buffer { home: self, bytes };
            }
            if pool.made < MOST {
                pool.made += 1;
                drop(pool);
                return Buffer { home: self, bytes: vec![0; CHUNK].into_boxed_slice() };
            }
            pool = self.0.wait(pool);
        }
    }
}

/// A buffer in use. It goes back when it is dropped.
pub(super) struct Buffer<'a> {
    home: &'a Buffers,
    bytes: Box<[u8]>,
}

impl Deref for Buffer<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        self.home.0.lock().idle.push(std::mem::take(&mut self.bytes));
        self.home.0.notify();
    }
}

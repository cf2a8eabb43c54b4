//! How much linear memory and how many tables one run may have.
//!
//! wasmtime's own `StoreLimits` checks each memory alone, so a component with many
//! small memories slips through; this one counts all memories of a store together,
//! and remembers the most there was.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::limits::RunLimits;
use crate::usage::Used;

/// What grew too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Memory,
    Tables,
}

/// Counts what a store has grown to.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: u64,
    most_elements: usize,
    /// What the plugin has in this run, in other instances too.
    used: Arc<Used>,
    memory: u64,
    table: usize,
    /// The last growth that was refused.
    pub(crate) exceeded: Option<Exceeded>,
}

impl Limiter {
    /// Allows as much over all memories, and over all tables.
    pub(crate) fn new(limits: &RunLimits, used: Arc<Used>) -> Self {
        Self {
            limit: limits.linear_memory,
            most_elements: usize::try_from(limits.table_elements).unwrap_or(usize::MAX),
            used,
            memory: 0,
            table: 0,
            exceeded: None,
        }
    }

    /// Bytes of linear memory. Memories only grow, so this is also the peak.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.used.shrink(self.memory);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current) as u64;
        if !self.used.grow(more, self.limit) {
            self.exceeded = Some(Exceeded::Memory);
            return Ok(false);
        }
        self.memory = self.memory.saturating_add(more);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.table.saturating_add(desired.saturating_sub(current));
        if total > self.most_elements {
            self.exceeded = Some(Exceeded::Tables);
            return Ok(false);
        }
        self.table = total;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_memories_count_together() {
        let limits = RunLimits { linear_memory: 100, ..RunLimits::default() };
        let mut limiter = Limiter::new(&limits, Arc::default());
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 100, None).unwrap());
        assert_eq!((limiter.memory(), limiter.exceeded), (100, Some(Exceeded::Memory)));
    }
}

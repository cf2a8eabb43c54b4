//! How much linear memory and how many tables one run may have.
//!
//! wasmtime's own `StoreLimits` checks each memory alone, so a component with many
//! small memories slips through; this one counts all memories of a store together,
//! and remembers the most there was.

use wasmtime::ResourceLimiter;

use crate::limits::RunLimits;

/// What grew too far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Memory,
    Tables,
}

/// Counts what a store has grown to.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: usize,
    most_elements: usize,
    memory: usize,
    table: usize,
    /// The last growth that was refused.
    pub(crate) exceeded: Option<Exceeded>,
}

impl Limiter {
    /// Allows as much over all memories, and over all tables.
    pub(crate) fn new(limits: &RunLimits) -> Self {
        let words = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            limit: words(limits.linear_memory),
            most_elements: words(limits.table_elements),
            memory: 0,
            table: 0,
            exceeded: None,
        }
    }

    /// Bytes of linear memory. Memories only grow, so this is also the peak.
    pub(crate) fn memory(&self) -> u64 {
        self.memory as u64
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.limit {
            self.exceeded = Some(Exceeded::Memory);
            return Ok(false);
        }
        self.memory = total;
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
        let mut limiter = Limiter::new(&RunLimits { linear_memory: 100, ..RunLimits::default() });
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 100, None).unwrap());
        assert_eq!((limiter.memory(), limiter.exceeded), (100, Some(Exceeded::Memory)));
    }
}

//! How much linear memory and how many tables one run may have.
//!
//! wasmtime's own `StoreLimits` checks each memory alone, so a component with many
//! small memories slips through; this one counts all memories of a store together,
//! and remembers the most there was.

use wasmtime::ResourceLimiter;

use crate::limits::RunLimits;

/// Counts what a store has grown to.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: usize,
    most_elements: usize,
    memory: usize,
    table: usize,
    /// Whether a growth was refused.
    pub(crate) exceeded: bool,
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
            exceeded: false,
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
            self.exceeded = true;
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
        let allowed = total <= self.most_elements;
        if allowed {
            self.table = total;
        }
        Ok(allowed)
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
        assert_eq!((limiter.memory(), limiter.exceeded), (100, true));
    }
}

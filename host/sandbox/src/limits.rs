//! How much linear memory and how many tables one run may have.
//!
//! wasmtime's own `StoreLimits` checks each memory alone, so a component with many
//! small memories slips through; this one counts all memories of a store together,
//! and remembers the most there was.

use wasmtime::ResourceLimiter;

/// The most table elements a store may have: ample for every language's runtime
/// (7,700 were seen), and 16 MiB of host memory at the very most.
const TABLE_ELEMENTS: usize = 1_000_000;

/// Counts what a store has grown to.
#[derive(Debug)]
pub(crate) struct Limiter {
    limit: usize,
    memory: usize,
    table: usize,
    /// Whether a growth was refused.
    pub(crate) exceeded: bool,
}

impl Limiter {
    /// Allows `limit` bytes of linear memory over all memories.
    pub(crate) fn new(limit: u64) -> Self {
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
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
        let allowed = total <= TABLE_ELEMENTS;
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
        let mut limiter = Limiter::new(100);
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(!limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(60, 100, None).unwrap());
        assert_eq!((limiter.memory(), limiter.exceeded), (100, true));
    }
}

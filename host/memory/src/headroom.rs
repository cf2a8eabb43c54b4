//! How much memory the machine could still give.
//!
//! A limit says what the host may take; it does not know what other programs take
//! meanwhile. A gauge does. It is a trait because how to ask differs from system to
//! system, and because tests need a machine that is short when they say so.

/// Watches the machine's memory.
pub trait Gauge: Send + Sync + 'static {
    /// Bytes of DRAM that the machine (or the cgroup, whichever is less) could still
    /// give to this process, or `None` if unknown.
    ///
    /// It is asked often, so it must be quick, and may be a few ten milliseconds old: what the
    /// caller itself has taken since then, it does not know.
    fn available(&self) -> Option<u64>;
}

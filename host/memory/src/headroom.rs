//! What the machine has left to give.

/// Says how much DRAM there still is, whoever took the rest.
pub trait Gauge: Send + Sync + 'static {
    /// Bytes of DRAM that the machine, or the container if that is less, could still
    /// give to this process; `None` if that is unknown. Called often: it must be cheap.
    fn available(&self) -> Option<u64>;
}

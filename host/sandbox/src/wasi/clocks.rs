//! Time, for those who may know it and for those who may not.
//!
//! With the right `clock` both clocks are the system's. Without it, time is an input that no
//! workflow names, and a result that depends on it could not be cached or repeated. But a guest
//! that sleeps, or waits for a clock to move, must not wait for ever. So without the right a run
//! has a time of its own: it begins at the epoch, goes on by what the run sleeps and by a
//! microsecond each time it is asked for, and is the same in each run. A sleep returns at once,
//! unless the run has a peer on the network, for which it then really waits: a time-out that
//! struck at once would be one of every read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::component::Resource;
use wasmtime_wasi::clocks::WasiClocksView;
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, Pollable, subscribe};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock, async_trait};

use crate::state::State;

/// What a look at the clock takes, in nanoseconds: who waits for it to move waits not for ever.
const LOOK: u64 = 1_000;

/// A run's own time, in nanoseconds since its beginning. Clones are the same time.
#[derive(Debug, Clone)]
pub(super) struct Slept {
    nanos: Arc<AtomicU64>,
    /// Whether a sleep takes as long as it says.
    really: bool,
}

impl Slept {
    pub(super) fn new(really: bool) -> Self {
        Self { nanos: Arc::default(), really }
    }

    fn look(&self) -> u64 {
        self.nanos.fetch_add(LOOK, Ordering::Relaxed)
    }

    fn timer(&self, nanos: u64) -> Timer {
        let now = self.nanos.load(Ordering::Relaxed);
        Timer {
            slept: self.clone(),
            // Half of all there is: after it the clock can still be looked at.
            until: now.saturating_add(nanos).min(u64::MAX / 2),
            really: if self.really {
                Instant::now().checked_add(Duration::from_nanos(nanos))
            } else {
                None
            },
        }
    }
}

impl HostWallClock for Slept {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(LOOK)
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.look())
    }
}

impl HostMonotonicClock for Slept {
    fn resolution(&self) -> u64 {
        LOOK
    }

    fn now(&self) -> u64 {
        self.look()
    }
}

/// A sleep in a run's own time.
struct Timer {
    slept: Slept,
    until: u64,
    really: Option<Instant>,
}

#[async_trait]
impl Pollable for Timer {
    async fn ready(&mut self) {
        if let Some(end) = self.really {
            tokio::time::sleep_until(end).await;
        }
        self.slept.nanos.fetch_max(self.until, Ordering::Relaxed);
    }
}

impl monotonic_clock::Host for State {
    fn now(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::now(&mut self.clocks())
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        monotonic_clock::Host::resolution(&mut self.clocks())
    }

    fn subscribe_instant(&mut self, when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        match &self.wasi.slept {
            Some(slept) => {
                let now = slept.nanos.load(Ordering::Relaxed);
                monotonic_clock::Host::subscribe_duration(self, when.saturating_sub(now))
            }
            None => monotonic_clock::Host::subscribe_instant(&mut self.clocks(), when),
        }
    }

    fn subscribe_duration(&mut self, nanos: u64) -> wasmtime::Result<Resource<DynPollable>> {
        match &self.wasi.slept {
            Some(slept) => {
                let timer = slept.timer(nanos);
                let timer = self.table.push(timer)?;
                subscribe(&mut self.table, timer)
            }
            None => monotonic_clock::Host::subscribe_duration(&mut self.clocks(), nanos),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_what_is_slept() {
        let slept = Slept::new(false);
        let mut timer = slept.timer(3_600_000_000_000);
        wasmtime_wasi::runtime::in_tokio(timer.ready());
        assert_eq!(HostWallClock::now(&slept), Duration::from_secs(3600));
        assert_eq!(HostMonotonicClock::now(&slept), 3_600_000_000_000 + LOOK);
        let mut never = slept.timer(u64::MAX);
        wasmtime_wasi::runtime::in_tokio(never.ready());
    }
}

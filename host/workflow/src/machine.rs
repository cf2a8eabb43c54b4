//! What the machine has, and how a host uses it when nobody says otherwise.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use berth_memory::{Gauge, Limits};
use berth_sandbox::STACK_SIZE;
use rustix::process::Resource;
use tokio::runtime::{Builder, Runtime};

use crate::cgroup::Cgroups;

/// What is left of the machine's memory for everything that is no tensor: the program,
/// guests' own memory, other programs. In percent.
const HEADROOM: u64 = 5;

/// What the program itself and guests' own memory take, in bytes.
const PROGRAM: u64 = 96 << 20;

/// A machine in which that is more than a few percent, in bytes.
const SMALL: u64 = 4 << 30;

/// Memory to assume where the system does not say how much it has.
const UNKNOWN_MEMORY: u64 = 8 << 30;

/// How old a [`RamGauge`]'s reading may be. Asking the kernel takes longer than most
/// allocations; other programs do not take gigabytes in this time.
const MAX_AGE: Duration = Duration::from_millis(50);

/// A runtime whose threads have room for nested guests.
///
/// # Errors
/// The system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("berth")
        .thread_stack_size(STACK_SIZE)
        .build()
}

/// Limits for the tiers. The device's is 75% of the memory of the machine or of the container
/// (cgroup) unless given: the CPU device computes in the machine's own memory. The host's is what remains
/// of 95%, and at least 5%, unless given.
pub fn default_limits(device: Option<u64>, host: Option<u64>) -> Limits {
    limits(total_memory(), device, host)
}

fn limits(memory: u64, device: Option<u64>, host: Option<u64>) -> Limits {
    // In a small machine or container the program itself counts.
    let program = if memory < SMALL { PROGRAM.min(memory / 2) } else { 0 };
    let memory = memory - program;
    let percent = |percent: u64| memory / 100 * percent;
    let device = device.unwrap_or_else(|| percent(75));
    let rest = percent(100 - HEADROOM).saturating_sub(device).max(percent(HEADROOM));
    Limits { device, host: host.unwrap_or(rest) }
}

/// What to leave to other programs, in bytes, of a machine or cgroup with `memory` bytes: 10%,
/// at least 2 GiB and at most 10 GiB, but not more than half.
pub fn default_headroom(memory: u64) -> u64 {
    (memory / 10).clamp(2 << 30, 10 << 30).min(memory / 2)
}

/// Bytes of memory that this process may use: the machine's, or its cgroup's limit or its own
/// resource limits (`ulimit -d`, `-v`) if those are less.
pub fn total_memory() -> u64 {
    let machine = refreshed().map(|system| system.total_memory());
    let known = [machine, Cgroups::of_this_process().limit(), rlimit()];
    known.into_iter().flatten().min().unwrap_or(UNKNOWN_MEMORY)
}

/// The least of this process's limits on its data and its address space.
fn rlimit() -> Option<u64> {
    let limit = |resource| rustix::process::getrlimit(resource).current;
    let limits = [limit(Resource::Data), limit(Resource::As)];
    limits.into_iter().flatten().min()
}

fn refreshed() -> Option<sysinfo::System> {
    let mut system = sysinfo::System::new().ok()?;
    system.refresh_memory();
    (system.total_memory() > 0).then_some(system)
}

/// Watches what the machine's memory and the cgroup's limit leave, page cache
/// counted as free. Most calls cost two atomic loads and a look at the clock.
#[derive(Debug)]
pub struct RamGauge {
    cgroups: Cgroups,
    made: Instant,
    /// When to look again, in nanoseconds after it was made.
    next: AtomicU64,
    available: AtomicU64,
}

impl RamGauge {
    /// Stands for what is not known.
    const UNKNOWN: u64 = u64::MAX;

    /// Looks for the first time.
    #[must_use]
    pub fn new() -> Self {
        let gauge = Self {
            cgroups: Cgroups::of_this_process(),
            made: Instant::now(),
            next: AtomicU64::new(nanoseconds(MAX_AGE)),
            available: AtomicU64::new(Self::UNKNOWN),
        };
        gauge.look();
        gauge
    }

    fn look(&self) {
        let machine = refreshed().map(|system| system.available_memory());
        let available = [machine, self.cgroups.available()].into_iter().flatten().min();
        self.available.store(available.unwrap_or(Self::UNKNOWN), Relaxed);
    }
}

impl Default for RamGauge {
    fn default() -> Self {
        Self::new()
    }
}

impl Gauge for RamGauge {
    fn available(&self) -> Option<u64> {
        let now = nanoseconds(self.made.elapsed());
        let next = self.next.load(Relaxed);
        let then = now.saturating_add(nanoseconds(MAX_AGE));
        // One of several threads looks; the others take what is known.
        if now >= next && self.next.compare_exchange(next, then, Relaxed, Relaxed).is_ok() {
            self.look();
        }
        Some(self.available.load(Relaxed)).filter(|bytes| *bytes != Self::UNKNOWN)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tiers_fit_the_machine_by_default() {
        let all = 100 << 30;
        let found = limits(all, None, None);
        assert_eq!((found.device, found.host), (75 << 30, 20 << 30));
        assert_eq!(limits(all, Some(1 << 30), None).host, 94 << 30);
        assert_eq!(limits(all, Some(200 << 30), None).host, 5 << 30);
        assert_eq!(limits(all, Some(1), Some(2)), Limits { device: 1, host: 2 });
        assert!(total_memory() > 64 << 20);
    }

    #[test]
    fn headroom_is_a_tenth_within_bounds() {
        let gib = 1 << 30;
        let cases = [(64, 6), (40, 4), (20, 2), (8, 2), (4, 2), (100, 10), (1000, 10)];
        for (memory, headroom) in cases {
            assert_eq!(default_headroom(memory * gib) / gib, headroom, "of {memory} GiB");
        }
        assert_eq!(default_headroom(2 * gib), gib);
        assert_eq!(default_headroom(0), 0);
    }

    #[test]
    fn memory_that_is_taken_is_seen_soon() {
        let gauge = RamGauge::new();
        // Other programs give and take meanwhile, so it may need more than one look.
        let seen = (0..20).any(|_| {
            std::thread::sleep(2 * MAX_AGE);
            let before = gauge.available().unwrap();
            assert!(before <= total_memory());
            let taken = vec![1_u8; 256 << 20];
            std::thread::sleep(2 * MAX_AGE);
            let after = gauge.available().unwrap();
            std::hint::black_box(&taken);
            (128..512).contains(&(before.saturating_sub(after) >> 20))
        });
        assert!(seen);
    }

    #[test]
    fn a_gauge_is_read_far_more_often_than_it_looks() {
        let gauge = RamGauge::new();
        gauge.next.store(u64::MAX, Relaxed);
        gauge.available.store(7, Relaxed);
        assert_eq!(gauge.available(), Some(7));
        gauge.next.store(0, Relaxed);
        assert_ne!(gauge.available(), Some(7));
        assert!(gauge.next.load(Relaxed) > 0);
        gauge.next.store(u64::MAX, Relaxed);
        gauge.available.store(RamGauge::UNKNOWN, Relaxed);
        assert_eq!(gauge.available(), None);
    }
}

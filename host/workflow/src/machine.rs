//! What the machine has, and how a host uses it when nobody says otherwise.

use std::io;

use berth_memory::Limits;
use berth_sandbox::STACK_SIZE;
use tokio::runtime::{Builder, Runtime};

/// What is left of the machine's memory for everything that is no tensor: the program,
/// guests' own memory, other programs. In percent.
const HEADROOM: u64 = 5;

/// Memory to assume where the system does not say how much it has.
const UNKNOWN_MEMORY: u64 = 8 << 30;

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
    limits(memory(), device, host)
}

fn limits(memory: u64, device: Option<u64>, host: Option<u64>) -> Limits {
    let percent = |percent: u64| memory / 100 * percent;
    let device = device.unwrap_or_else(|| percent(75));
    let rest = percent(100 - HEADROOM).saturating_sub(device).max(percent(HEADROOM));
    Limits { device, host: host.unwrap_or(rest) }
}

/// Bytes of memory that this process may use.
fn memory() -> u64 {
    let Ok(mut system) = sysinfo::System::new() else { return UNKNOWN_MEMORY };
    system.refresh_memory();
    let container = system.cgroup_limits().map(|limits| limits.total_memory);
    let known = [Some(system.total_memory()), container];
    known.into_iter().flatten().filter(|&bytes| bytes > 0).min().unwrap_or(UNKNOWN_MEMORY)
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
        assert!(memory() > 64 << 20);
    }
}

//! What all benchmarks measure with.

use std::time::Duration;

/// Keeps freed pages, as the command line does: pages that are given back to the system cost more
/// than kernels. To be called first.
pub fn keep_freed_pages() {
    for (parameter, value) in
        [(libc::M_MMAP_MAX, 0), (libc::M_ARENA_MAX, 1), (libc::M_TRIM_THRESHOLD, i32::MAX)]
    {
        // SAFETY: nothing else runs yet, and these only change what `free` keeps.
        unsafe { libc::mallopt(parameter, value) };
    }
}

/// The middle one.
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

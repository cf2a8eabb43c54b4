//! Keeps pages that tensors leave behind.
//!
//! A sampler allocates and frees the same sizes at every step. By default glibc gives large blocks
//! back to the system at once, and the next step pays for every page again: first
//! touch fills memory at some 2.5 GB/s, a fraction of what the kernels need.

/// Blocks up to this size come from the heap, which keeps them: the most that glibc allows.
#[cfg(target_env = "gnu")]
const LARGEST_HEAP_BLOCK: i32 = 32 << 20;

/// Free memory at the heap's end that is not given back.
#[cfg(target_env = "gnu")]
const KEPT: i32 = i32::MAX;

/// Tells the allocator to keep pages that were freed. To be called first.
pub(crate) fn keep_freed_pages() {
    #[cfg(target_env = "gnu")]
    for (parameter, value) in
        [(libc::M_MMAP_THRESHOLD, LARGEST_HEAP_BLOCK), (libc::M_TRIM_THRESHOLD, KEPT)]
    {
        // SAFETY: `mallopt` takes two integers and changes only the allocator's
        // settings; no other thread runs yet. A refusal costs speed alone.
        unsafe { libc::mallopt(parameter, value) };
    }
}

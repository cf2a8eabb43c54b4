//! Everything that can be let go, let go.

use berth_sdk::{Tier, memory, prelude::*};

use crate::order::{each_time, passed};
use crate::report::report;

/// Frees what nobody uses at the moment. What is needed later comes back by itself, or
/// is computed again.
#[node(
    name = "MemoryCleanup",
    display_name = "Memory Cleanup",
    category = "memory",
    outputs(
        "memory_stats" = "Where memory is now, as a text.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("free memory", "free vram", "empty cache", "purge vram", "unload models", "garbage collect"),
    output_node,
    fingerprint = each_time
)]
pub fn memory_cleanup(
    /// Models that a loader keeps in VRAM or DRAM may leave again.
    #[input(default = false)]
    unpin: bool,
    /// Models that Offload nodes put aside are dropped.
    #[input(default = false)]
    clear_dram_cache: bool,
    /// What no running operation uses leaves VRAM.
    #[input(default = true)]
    clear_vram: bool,
    /// Results of nodes that were kept for later runs are forgotten.
    #[input(default = false)]
    clear_results: bool,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<(String, Any)> {
    if unpin {
        memory::keep_nothing();
    }
    if clear_dram_cache {
        memory::forget_all();
    }
    if clear_results {
        memory::clear_results();
    }
    // Last: what was dropped before need not be moved.
    if clear_vram {
        memory::make_free(Tier::Device, u64::MAX)?;
    }
    Ok((report(), passed(trigger)?))
}

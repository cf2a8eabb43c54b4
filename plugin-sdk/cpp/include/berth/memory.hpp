/// Where bytes are, and moving them, which takes a right.
///
/// A plugin that calls anything here says `memory = true` under `[requests]` in its `plugin.toml`, and is only loaded where
/// the operator granted it. What an object *reaches* are the tensors in it and what its functions need. Nothing here
/// changes a result, only how soon it is there.
#pragma once

#include "values.hpp"

#include <array>

namespace berth::memory {

/// What one plugin holds, in bytes. The arrays are indexed by `berth_tier`.
struct PluginUse {
    /// Its name.
    std::string plugin;
    /// What it is charged on each tier.
    std::array<std::uint64_t, 3> charge;
    /// The most that it may hold on each tier, or `BERTH_UNLIMITED`.
    std::array<std::uint64_t, 3> quota;
    /// What it keeps of the device while others need room.
    std::uint64_t share;
};

/// How things stand at one moment.
struct Statistics {
    /// Use and limit of each tier, indexed by `berth_tier`: `used`, `peak`, and `limit` or `BERTH_UNLIMITED`.
    std::array<berth_tier_use, 3> tiers;
    /// What each plugin holds.
    std::vector<PluginUse> plugins;
    /// Bytes of cached results that no running node needs, on any tier.
    std::uint64_t cached_results;
    /// Bytes in the host's memory of what the DRAM cache reaches.
    std::uint64_t dram_cache;
};

/// How things stand.
inline Statistics snapshot() {
    berth_statistics found = berth_memory_snapshot();
    Statistics made{{found.tiers[0], found.tiers[1], found.tiers[2]}, {}, found.cached_results, found.dram_cache};
    for (std::size_t i = 0; i < found.plugin_count; i++) {
        const berth_plugin_use &use = found.plugins[i];
        made.plugins.push_back({use.plugin, std::to_array(use.charge), std::to_array(use.quota), use.share});
    }
    return made;
}

/// What the object reaches leaves the device now and stays in the host's memory. Gives the bytes that left.
/// Errors: `BERTH_OUT_OF_MEMORY` and `BERTH_QUOTA_EXCEEDED` when the host's memory has no room.
inline std::uint64_t offload(const Object &target) { return berth_memory_offload(target.raw()); }
/// What the object reaches comes to the device, as far as there is room without anything else leaving. Gives the bytes that came.
inline std::uint64_t restore(const Object &target) { return berth_memory_restore(target.raw()); }
/// Keeps the object in the DRAM cache, beyond this run. Gives its id, which an equal object has in every host.
/// Error: `BERTH_OTHER` when the cache is full.
inline std::string remember(const Object &target) { return detail::taken(berth_memory_remember(target.raw())); }
/// The object that the DRAM cache keeps under an id. Error: `BERTH_NOT_FOUND`.
inline Object recall(const std::string &id) { return Object(berth_memory_recall(id.c_str())); }
/// Drops an object from the DRAM cache. Gives whether it was there.
inline bool forget(const std::string &id) { return berth_memory_forget(id.c_str()); }
/// Drops everything from the DRAM cache. Gives how many objects there were.
inline std::uint32_t forget_all() { return berth_memory_forget_all(); }
/// Whether what the object reaches leaves a tier only when an operation could not run otherwise.
/// Error: `BERTH_INVALID_ARGUMENT` for the disk.
inline void keep(const Object &target, berth_tier tier, bool keep) { berth_memory_keep(target.raw(), tier, keep); }
/// Ends every `keep`, whoever asked for it.
inline void keep_nothing() { berth_memory_keep_nothing(); }
/// What no running operation uses leaves a tier until this many bytes are free there, as far as it can. Gives the bytes that
/// left. Error: `BERTH_INVALID_ARGUMENT` for the disk.
inline std::uint64_t make_free(berth_tier tier, std::uint64_t bytes) { return berth_memory_make_free(tier, bytes); }
/// Forgets the results of nodes that were kept for later runs.
inline void clear_results() { berth_memory_clear_results(); }

} // namespace berth::memory

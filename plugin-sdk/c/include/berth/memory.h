/// Where bytes are, and moving them, which takes a right.
///
/// A plugin that calls anything here says `memory = true` under `[requests]` in its `plugin.toml`, and
/// is only loaded where the operator granted it. What an object *reaches* are the tensors in it and what
/// its functions need. Nothing here changes a result, only how soon it is there.
#ifndef BERTH_MEMORY_H
#define BERTH_MEMORY_H

#include "values.h"

#ifdef __cplusplus
extern "C" {
#endif

/// In a limit or a quota: there is none.
#define BERTH_UNLIMITED UINT64_MAX

/// Use and limit of one tier, in bytes.
typedef struct berth_tier_use {
    /// In use now; on disk, what is spilled.
    uint64_t used;
    /// The most that was ever in use.
    uint64_t peak;
    /// The most that may be in use, or `BERTH_UNLIMITED`.
    uint64_t limit;
} berth_tier_use;

/// What one plugin holds, in bytes. The arrays are indexed by `berth_tier`.
typedef struct berth_plugin_use {
    /// Its name.
    const char *plugin;
    /// What it is charged on each tier.
    uint64_t charge[3];
    /// The most that it may hold on each tier, or `BERTH_UNLIMITED`.
    uint64_t quota[3];
    /// What it keeps of the device while others need room.
    uint64_t share;
} berth_plugin_use;

/// How things stand at one moment.
typedef struct berth_statistics {
    /// Use and limit of each tier, indexed by `berth_tier`.
    berth_tier_use tiers[3];
    /// How many plugins there are.
    size_t plugin_count;
    /// What each of them holds.
    const berth_plugin_use *plugins;
    /// Bytes of cached results that no running node needs, on any tier.
    uint64_t cached_results;
    /// Bytes in the host's memory of what the DRAM cache reaches.
    uint64_t dram_cache;
} berth_statistics;

/// How things stand.
berth_statistics berth_memory_snapshot(void);

/// What the object reaches leaves the device now and stays in the host's memory. Gives the bytes that left.
/// Errors: `BERTH_OUT_OF_MEMORY` and `BERTH_QUOTA_EXCEEDED` when the host's memory has no room.
uint64_t berth_memory_offload(const berth_object *target);

/// What the object reaches comes to the device, as far as there is room without anything else leaving.
/// Gives the bytes that came.
uint64_t berth_memory_restore(const berth_object *target);

/// Keeps the object in the DRAM cache, beyond this run. Gives its id, which an equal object has in every
/// host. Error: `BERTH_OTHER` when the cache is full.
const char *berth_memory_remember(const berth_object *target);

/// The object that the DRAM cache keeps under an id. Error: `BERTH_NOT_FOUND`.
berth_object *berth_memory_recall(const char *id);

/// Drops an object from the DRAM cache. Gives whether it was there.
bool berth_memory_forget(const char *id);

/// Drops everything from the DRAM cache. Gives how many objects there were.
uint32_t berth_memory_forget_all(void);

/// Whether what the object reaches leaves a tier only when an operation could not run otherwise.
/// Error: `BERTH_INVALID_ARGUMENT` for the disk.
void berth_memory_keep(const berth_object *target, berth_tier tier, bool keep);

/// Ends every `berth_memory_keep`, whoever asked for it.
void berth_memory_keep_nothing(void);

/// What no running operation uses leaves a tier until this many bytes are free there, as far as it can.
/// Gives the bytes that left. Error: `BERTH_INVALID_ARGUMENT` for the disk.
uint64_t berth_memory_make_free(berth_tier tier, uint64_t bytes);

/// Forgets the results of nodes that were kept for later runs.
void berth_memory_clear_results(void);

#ifdef __cplusplus
}
#endif
#endif

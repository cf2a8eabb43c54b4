// Where bytes are, and moving them. The linker leaves this out of a plugin that does not call it.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define OBJECT(x) BTH_HANDLE(berth_node_values_borrow_object_t, x)

static uint64_t limit(memory_node_option_u64_t from) { return from.is_some ? from.val : BERTH_UNLIMITED; }

berth_statistics berth_memory_snapshot(void) {
    berth_node_memory_statistics_t found;
    berth_node_memory_snapshot(&found);
    berth_statistics statistics = {.cached_results = found.cached_results, .dram_cache = found.dram_cache};
    for (size_t i = 0; i < found.tiers.len; i++) {
        berth_node_memory_tier_usage_t *use = &found.tiers.ptr[i];
        if (use->tier <= BERTH_DISK) statistics.tiers[use->tier] = (berth_tier_use){use->used, use->peak, limit(use->limit)};
    }
    berth_plugin_use *plugins = berth_alloc(found.plugins.len * sizeof *plugins);
    for (size_t i = 0; i < found.plugins.len; i++) {
        berth_node_memory_plugin_usage_t *use = &found.plugins.ptr[i];
        char *name = berth_alloc(use->plugin.len + 1);
        if (use->plugin.len) memcpy(name, use->plugin.ptr, use->plugin.len);
        plugins[i] = (berth_plugin_use){
            .plugin = name,
            .charge = {use->charge.device, use->charge.host, use->charge.disk},
            .quota = {limit(use->quota.device), limit(use->quota.host), limit(use->quota.disk)},
            .share = use->share,
        };
    }
    statistics.plugin_count = found.plugins.len;
    statistics.plugins = plugins;
    berth_node_memory_statistics_free(&found);
    return statistics;
}

static uint64_t bytes(bool done, uint64_t moved, bth_error *error) {
    if (done) return moved;
    bth_raise(error);
    return 0;
}

uint64_t berth_memory_offload(const berth_object *target) {
    BTH_NEED(0, target);
    uint64_t moved;
    bth_error error;
    return bytes(berth_node_memory_offload(OBJECT(target), &moved, &error), moved, &error);
}

uint64_t berth_memory_restore(const berth_object *target) {
    BTH_NEED(0, target);
    uint64_t moved;
    bth_error error;
    return bytes(berth_node_memory_restore(OBJECT(target), &moved, &error), moved, &error);
}

const char *berth_memory_remember(const berth_object *target) {
    BTH_NEED("", target);
    bth_string id;
    bth_error error;
    if (berth_node_memory_remember(OBJECT(target), &id, &error)) return bth_take_text(&id);
    bth_raise(&error);
    return "";
}

berth_object *berth_memory_recall(const char *id) {
    BTH_NEED(NULL, id);
    bth_string name = bth_text(id);
    berth_node_values_own_object_t made;
    bth_error error;
    if (berth_node_memory_recall(&name, &made, &error)) return bth_new(BTH_OBJECT, sizeof(berth_object), made.__handle);
    bth_raise(&error);
    return NULL;
}

bool berth_memory_forget(const char *id) {
    BTH_NEED(false, id);
    bth_string name = bth_text(id);
    return berth_node_memory_forget(&name);
}

uint32_t berth_memory_forget_all(void) { return berth_failed() ? 0 : berth_node_memory_forget_all(); }

void berth_memory_keep(const berth_object *target, berth_tier tier, bool keep) {
    BTH_NEED(, target);
    bth_error error;
    if (!berth_node_memory_keep(OBJECT(target), (berth_node_types_tier_t)tier, keep, &error)) bth_raise(&error);
}

void berth_memory_keep_nothing(void) {
    if (!berth_failed()) berth_node_memory_keep_nothing();
}

uint64_t berth_memory_make_free(berth_tier tier, uint64_t wanted) {
    if (berth_failed()) return 0;
    uint64_t moved;
    bth_error error;
    return bytes(berth_node_memory_make_free((berth_node_types_tier_t)tier, wanted, &moved, &error), moved, &error);
}

void berth_memory_clear_results(void) {
    if (!berth_failed()) berth_node_memory_clear_results();
}

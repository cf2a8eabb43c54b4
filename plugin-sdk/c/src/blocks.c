// How long things live: one list of all that was made, newest first.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

// Both ends of the list. What lives as long as the run is at the older end.
static bth_block *newest, *oldest;
static uint64_t made;

void *bth_malloc(size_t size) {
    void *memory = calloc(1, size ? size : 1);
    if (!memory) __builtin_trap();
    return memory;
}

static void link_newest(bth_block *block) {
    block->older = newest;
    block->newer = NULL;
    if (newest) newest->newer = block;
    else oldest = block;
    newest = block;
}

static void unlink_block(bth_block *block) {
    if (block->newer) block->newer->older = block->older;
    else newest = block->older;
    if (block->older) block->older->newer = block->newer;
    else oldest = block->newer;
}

void *bth_new(bth_kind kind, size_t size, int32_t handle) {
    bth_block *block = bth_malloc(size);
    block->kind = kind;
    block->handle = handle;
    block->serial = ++made;
    link_newest(block);
    return block;
}

/// Gives the handle back to the host and frees what the block has beside itself.
static void empty(bth_block *block) {
    switch (block->kind) {
    case BTH_MEMORY:
        break;
    case BTH_TENSOR:
        berth_node_tensors_tensor_drop_own((berth_node_tensors_own_tensor_t){block->handle});
        break;
    case BTH_MODEL:
        berth_node_models_model_drop_own((berth_node_models_own_model_t){block->handle});
        break;
    case BTH_FUNCTION:
        berth_node_values_function_drop_own((berth_node_values_own_function_t){block->handle});
        break;
    case BTH_OBJECT:
        berth_node_values_object_drop_own((berth_node_values_own_object_t){block->handle});
        break;
    case BTH_ITEMS:
        berth_node_values_value_list_drop_own((berth_node_values_own_value_list_t){block->handle});
        break;
    case BTH_GENERATOR:
        berth_node_tensors_generator_drop_own((berth_node_tensors_own_generator_t){block->handle});
        break;
    case BTH_UPLOAD:
        berth_node_tensors_upload_drop_own((berth_node_tensors_own_upload_t){block->handle});
        break;
    case BTH_FIELDS: {
        berth_fields *fields = (berth_fields *)block;
        for (size_t i = 0; i < fields->count; i++) free(fields->at[i].name);
        free(fields->at);
        free(fields->place);
        break;
    }
    }
}

static void drop(bth_block *block) {
    unlink_block(block);
    empty(block);
    free(block);
}

/// The block of what was handed to an author: memory begins after its block, handles with it.
static bth_block *block_of(const void *made_before) {
    // Memory is handed out behind its block, and no handle can lie there: look for it in the list.
    for (bth_block *block = newest; block; block = block->older) {
        if (block == made_before) return block;
        if (block->kind == BTH_MEMORY && block + 1 == made_before) return block;
    }
    return NULL;
}

void berth_drop(void *made_before) {
    bth_block *block = made_before ? block_of(made_before) : NULL;
    if (block) drop(block);
}

void *berth_share(const void *made_before) {
    bth_block *block = made_before && !berth_failed() ? block_of(made_before) : NULL;
    bth_value shared;
    berth_value value = {.kind = BERTH_NOTHING};
    if (!block) return NULL;
    switch (block->kind) {
    case BTH_TENSOR:
        value = berth_tensor_value((berth_tensor *)block);
        break;
    case BTH_MODEL:
        value = berth_model_value((berth_model *)block);
        break;
    case BTH_FUNCTION:
        value = berth_function_value((berth_function *)block);
        break;
    case BTH_OBJECT:
        value = berth_object_value((berth_object *)block);
        break;
    case BTH_ITEMS:
        value = berth_items_value((berth_items *)block);
        break;
    default:
        return NULL;
    }
    // Values are given to the host as second handles: this one stays here. All handles are at one place.
    bth_give_value(value, &shared);
    return bth_new(block->kind, sizeof(bth_block), shared.val.tensor.__handle);
}

void *berth_alloc(size_t size) {
    if (size > SIZE_MAX - sizeof(bth_block)) __builtin_trap();
    bth_block *block = bth_new(BTH_MEMORY, sizeof(bth_block) + size, 0);
    return block + 1;
}

berth_scope berth_begin(void) { return (berth_scope){made}; }

void *berth_end_keeping(berth_scope scope, void *kept) {
    for (bth_block *block = newest, *older; block && block->serial > scope.made; block = older) {
        older = block->older;
        bool keep = (void *)block == kept || (block->kind == BTH_MEMORY && (void *)(block + 1) == kept);
        if (!keep) drop(block);
    }
    return kept;
}

const char *bth_copy_for_run(const char *text, size_t size) {
    bth_block *block = bth_malloc(sizeof(bth_block) + size + 1);
    block->kind = BTH_MEMORY;
    block->newer = oldest;
    if (oldest) oldest->older = block;
    else newest = block;
    oldest = block;
    memcpy(block + 1, text, size);
    return (const char *)(block + 1);
}

void bth_end_run(void) {
    while (newest) drop(newest);
    berth_catch();
}

char *bth_copy(const char *text, size_t size) {
    char *copy = bth_malloc(size + 1);
    if (size) memcpy(copy, text, size);
    return copy;
}

const char *berth_format(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = berth_alloc((size > 0 ? (size_t)size : 0) + 1);
    if (size > 0) vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return text;
}

/// What the files of the SDK share. Nothing here is for a plugin's author.
#ifndef BERTH_INTERNAL_H
#define BERTH_INTERNAL_H

#include <stdarg.h>

#include "berth.h"

#include "../bindings/memory_node.h"

// Shorter names of the bindings' types.
typedef memory_node_string_t bth_string;
typedef memory_node_list_string_t bth_strings;
typedef memory_node_list_u32_t bth_u32s;
typedef berth_node_types_error_t bth_error;
typedef berth_node_values_value_t bth_value;
typedef berth_node_values_list_named_value_t bth_named;
typedef berth_node_tensors_own_tensor_t bth_own_tensor;
typedef berth_node_tensors_borrow_tensor_t bth_borrow_tensor;

/// What a block holds, and so how it is dropped.
typedef enum bth_kind {
    BTH_MEMORY,
    BTH_TENSOR,
    BTH_MODEL,
    BTH_FUNCTION,
    BTH_OBJECT,
    BTH_ITEMS,
    BTH_GENERATOR,
    BTH_UPLOAD,
    BTH_FIELDS,
} bth_kind;

/// What every handle and all memory begins with: a link of the list of all that lives, newest first.
typedef struct bth_block {
    _Alignas(16) struct bth_block *older;
    struct bth_block *newer;
    /// Counts up; 0 for what lives as long as the run.
    uint64_t serial;
    bth_kind kind;
    /// The contract's handle.
    int32_t handle;
} bth_block;

struct berth_tensor { bth_block block; };
struct berth_model { bth_block block; };
struct berth_function { bth_block block; };
struct berth_object { bth_block block; };
struct berth_items { bth_block block; };
struct berth_generator { bth_block block; };
struct berth_upload { bth_block block; };

/// One field.
typedef struct bth_field {
    char *name;
    berth_value value;
} bth_field;

struct berth_fields {
    bth_block block;
    /// What errors say before a field's name; may be NULL.
    char *place;
    size_t count;
    bth_field *at;
};

/// The contract's handle in a type of the bindings.
#define BTH_HANDLE(type, x) ((type){(x)->block.handle})

// blocks.c

/// A block of `size` bytes, zeroed, in the list.
void *bth_new(bth_kind kind, size_t size, int32_t handle);
/// Drops all that lives and forgets the error: an export's end.
void bth_end_run(void);
/// Memory that stops the plugin where there is none.
void *bth_malloc(size_t size);
/// A copy of a text in memory of `bth_malloc`, with a 0 after it.
char *bth_copy(const char *text, size_t size);
/// A copy in a block that lives as long as the run.
const char *bth_copy_for_run(const char *text, size_t size);

// error.c

/// Makes the host's error pending, and frees its texts.
void bth_raise(bth_error *error);
/// The pending error as the contract has it, in memory that the bindings free.
void bth_pending_error(bth_error *error);
/// Whether an operation can be done: no error is pending, and no operand is NULL, which is an error.
bool bth_ready(const char *operation, const void *const *operands, size_t count);
/// Makes an invalid argument pending whose text begins with `place: ` and `` `name`: ``, either may be NULL.
void bth_invalid_at(const char *place, const char *name, const char *text);

/// Gives `otherwise` unless all operands are there and no error is pending.
#define BTH_NEED(otherwise, ...) \
    do { \
        const void *operands[] = {__VA_ARGS__}; \
        if (!bth_ready(__func__, operands, sizeof operands / sizeof *operands)) return otherwise; \
    } while (0)

// texts.c

/// A text that the host only reads.
bth_string bth_text(const char *text);
/// A text that the bindings will free.
bth_string bth_owned_text(const char *text);
/// The host's text in a block, with a 0 after it; the host's memory is freed.
const char *bth_take_text(bth_string *text);
/// The host's texts in blocks; the host's memory is freed.
berth_texts bth_take_texts(bth_strings *texts);

// tensor.c

/// The tensor as an operand of the host's functions.
static inline bth_borrow_tensor bth_borrow(const berth_tensor *x) { return BTH_HANDLE(bth_borrow_tensor, x); }
/// The tensor of an operation that was done, or NULL with its error pending.
berth_tensor *bth_made(bool done, bth_own_tensor *tensor, bth_error *error);
/// Dimensions that the host only reads.
bth_u32s bth_dims(berth_dims *dims);
/// The dimensions of a list, which is freed.
berth_dims bth_take_dims(bth_u32s *list);

// values.c

/// A value with the host's handle in a block, and its texts copied; the host's memory is freed.
berth_value bth_take_value(bth_value *value);
/// The host's named values as fields; the host's memory is freed.
berth_fields *bth_take_fields(bth_named *named, const char *place);
/// A value for the host, with second handles and copied texts. Gives false for no value.
bool bth_give_value(berth_value value, bth_value *given);
/// Fields for the host, with second handles and copied texts.
bth_named bth_give_fields(const berth_fields *fields);
/// Frees what `bth_give_fields` allocated. The handles went to the host.
void bth_free_named(bth_named *named);

#endif

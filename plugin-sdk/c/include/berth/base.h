/// Types that everything else uses, errors, and how long things live.
#ifndef BERTH_BASE_H
#define BERTH_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// An immutable array of numbers. The host owns its bytes and computes; this is a handle.
typedef struct berth_tensor berth_tensor;
/// An open model file.
typedef struct berth_model berth_model;
/// A function of a plugin, with values captured.
typedef struct berth_function berth_function;
/// Named values under a type name, held by the host. Immutable.
typedef struct berth_object berth_object;
/// Values in order, held by the host. Immutable.
typedef struct berth_items berth_items;
/// A source of random numbers.
typedef struct berth_generator berth_generator;
/// A tensor that is written piece by piece.
typedef struct berth_upload berth_upload;
/// Named values in order: a node's inputs, a function's arguments, an object's fields.
typedef struct berth_fields berth_fields;

/// An integer that holds every signed and every unsigned 64-bit number.
__extension__ typedef __int128 berth_wide;

/// Element type of a tensor. The `Q` types are the block-quantized formats of GGUF: only a weight
/// given to `berth_linear`, `berth_conv2d` or `berth_embedding`, and the operand of `berth_cast`,
/// may have one.
typedef enum berth_dtype {
    BERTH_U8,
    BERTH_U32,
    BERTH_I32,
    BERTH_I64,
    BERTH_F16,
    BERTH_BF16,
    BERTH_F32,
    BERTH_F64,
    BERTH_F8_E4M3,
    BERTH_F8_E5M2,
    BERTH_Q4_0,
    BERTH_Q4_1,
    BERTH_Q5_0,
    BERTH_Q5_1,
    BERTH_Q8_0,
    BERTH_Q8_1,
    BERTH_Q2_K,
    BERTH_Q3_K,
    BERTH_Q4_K,
    BERTH_Q5_K,
    BERTH_Q6_K,
    BERTH_Q8_K,
} berth_dtype;

/// Bytes of one element, or 0 for a block-quantized type.
size_t berth_dtype_size(berth_dtype dtype);

/// What people call the type, such as `f32`.
const char *berth_dtype_name(berth_dtype dtype);

/// The most dimensions that a tensor has.
#define BERTH_MAX_RANK 8

/// Dimensions, outermost first; with a count of 0, those of a scalar. Axes for `berth_permute` too.
typedef struct berth_dims {
    /// How many there are, at most `BERTH_MAX_RANK`.
    uint32_t count;
    /// They themselves.
    uint32_t at[BERTH_MAX_RANK];
} berth_dims;

/// Dimensions by their values: `BERTH_DIMS(1, height, width, 3)`.
#define BERTH_DIMS(...) \
    ((berth_dims){sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), {__VA_ARGS__}})

/// The dimensions of a scalar: none.
#define BERTH_SCALAR ((berth_dims){0, {0}})

/// Texts in order.
typedef struct berth_texts {
    /// How many there are.
    size_t count;
    /// They themselves.
    const char *const *at;
} berth_texts;

/// Whether a text is among them.
bool berth_contains(berth_texts texts, const char *text);

// Errors

/// Why something was not done.
typedef enum berth_error_kind {
    /// There is no error.
    BERTH_NO_ERROR,
    /// An argument is wrong; the text says which, and what is expected.
    BERTH_INVALID_ARGUMENT,
    /// The plugin was not granted this.
    BERTH_ACCESS_DENIED,
    /// No such model, key, field or file.
    BERTH_NOT_FOUND,
    /// One operation's own inputs, outputs and workspace are over the plugin's quota.
    BERTH_QUOTA_EXCEEDED,
    /// One operation's own inputs, outputs and workspace are over the machine's limit.
    BERTH_OUT_OF_MEMORY,
    /// Right, but not provided by this host.
    BERTH_UNSUPPORTED,
    /// The run was cancelled; the node should return at once.
    BERTH_CANCELLED,
    /// What a node says itself, with what to do about it.
    BERTH_FAILED,
    /// Anything else.
    BERTH_OTHER,
} berth_error_kind;

/// A place where bytes can be.
typedef enum berth_tier {
    /// The memory of the device that computes.
    BERTH_DEVICE,
    /// The host's memory.
    BERTH_HOST,
    /// Model files, and the file that the host spills to.
    BERTH_DISK,
} berth_tier;

/// What did not fit, in bytes.
typedef struct berth_shortage {
    /// Where it did not fit.
    berth_tier tier;
    /// What the operation would have held.
    uint64_t requested;
    /// The limit or quota it met.
    uint64_t limit;
    /// What is held already, and cannot leave.
    uint64_t used;
} berth_shortage;

/// One error, with all that the contract says of it.
typedef struct berth_error {
    /// What kind it is; `BERTH_NO_ERROR` when there is none.
    berth_error_kind kind;
    /// What went wrong, as people read it; never NULL.
    const char *message;
    /// For programs, such as `model-not-found`; empty unless the kind is `BERTH_FAILED`.
    const char *code;
    /// What people can do about it; may be empty.
    const char *hint;
    /// For `BERTH_QUOTA_EXCEEDED` and `BERTH_OUT_OF_MEMORY`.
    berth_shortage shortage;
} berth_error;

/// Whether an error is pending. Calls do nothing while there is one.
bool berth_failed(void);

/// The pending error, which stays pending.
const berth_error *berth_pending(void);

/// Takes the pending error back, so that calls work again. Its kind is `BERTH_NO_ERROR` when there
/// was none. Its texts live as long as the run.
berth_error berth_catch(void);

/// Makes an error pending, unless one is.
void berth_raise(const berth_error *error);

/// Makes an error of a kind pending, with a text as `printf` formats it, unless one is.
__attribute__((format(printf, 2, 3))) void berth_fail(berth_error_kind kind, const char *format, ...);

/// Makes an error in the node's own words pending, unless one is.
/// `code` is for programs, `message` and `hint` (which may be empty) are for people.
void berth_failure(const char *code, const char *message, const char *hint);

// How long things live

/// A point in time, for `berth_end`.
typedef struct berth_scope {
    /// Counts what was made so far.
    uint64_t made;
} berth_scope;

/// Begins a piece of work whose handles and memory go when `berth_end` ends it.
berth_scope berth_begin(void);

/// Drops all that was made since `berth_begin`, but `kept`, which may be NULL, and gives `kept`.
/// Of a `berth_fields`, its values are dropped unless they are older.
void *berth_end_keeping(berth_scope scope, void *kept);

#ifndef __cplusplus
/// Drops all that was made since `berth_begin`, but one handle: `x = berth_end(scope, x);`.
#define berth_end(scope, kept) ((__typeof__(kept))berth_end_keeping(scope, kept))
#endif

/// Drops one handle, or memory of `berth_alloc`, at once. NULL is nothing to drop.
void berth_drop(void *made);

/// A second handle to a tensor, a model file, a function, an object or a list, which costs no memory and is
/// dropped for itself: for what is to stay when the first one goes. NULL for anything else.
void *berth_share(const void *made);

/// Memory of this many bytes, filled with zeros, which is freed with the scope or the run it was made in.
void *berth_alloc(size_t size);

/// A text as `printf` makes it, which lives as memory of `berth_alloc` does.
__attribute__((format(printf, 1, 2))) const char *berth_format(const char *format, ...);

#ifdef __cplusplus
}
#endif
#endif

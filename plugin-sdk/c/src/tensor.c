// Tensors: made, written and read.

#include <stdlib.h>
#include <string.h>

#include "internal.h"

_Static_assert(BERTH_Q8_K == BERTH_NODE_TYPES_DTYPE_Q8_K && BERTH_F32 == BERTH_NODE_TYPES_DTYPE_F32,
               "element types are numbered as the contract numbers them");

/// Bytes that cross between guest and host at once: a list exists twice while it crosses.
enum { PIECE = 1 << 20 };

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    {"u8", 1},   {"u32", 4},  {"i32", 4},     {"i64", 8},     {"f16", 2},  {"bf16", 2}, {"f32", 4},  {"f64", 8},
    {"f8_e4m3", 1}, {"f8_e5m2", 1}, {"q4_0", 0}, {"q4_1", 0}, {"q5_0", 0}, {"q5_1", 0}, {"q8_0", 0}, {"q8_1", 0},
    {"q2_k", 0}, {"q3_k", 0}, {"q4_k", 0},    {"q5_k", 0},    {"q6_k", 0}, {"q8_k", 0},
};

size_t berth_dtype_size(berth_dtype dtype) { return dtype <= BERTH_Q8_K ? dtypes[dtype].size : 0; }

const char *berth_dtype_name(berth_dtype dtype) { return dtype <= BERTH_Q8_K ? dtypes[dtype].name : "?"; }

berth_tensor *bth_made(bool done, bth_own_tensor *tensor, bth_error *error) {
    if (done) return bth_new(BTH_TENSOR, sizeof(berth_tensor), tensor->__handle);
    bth_raise(error);
    return NULL;
}

bth_u32s bth_dims(berth_dims *dims) {
    if (dims->count > BERTH_MAX_RANK) dims->count = BERTH_MAX_RANK;
    return (bth_u32s){dims->at, dims->count};
}

berth_dims bth_take_dims(bth_u32s *list) {
    berth_dims dims = {.count = list->len < BERTH_MAX_RANK ? list->len : BERTH_MAX_RANK};
    for (uint32_t i = 0; i < dims.count; i++) dims.at[i] = list->ptr[i];
    memory_node_list_u32_free(list);
    return dims;
}

berth_dtype berth_dtype_of(const berth_tensor *x) {
    BTH_NEED(BERTH_U8, x);
    return berth_node_tensors_method_tensor_dtype(bth_borrow(x));
}

berth_dims berth_shape(const berth_tensor *x) {
    BTH_NEED(BERTH_SCALAR, x);
    bth_u32s list;
    berth_node_tensors_method_tensor_shape(bth_borrow(x), &list);
    return bth_take_dims(&list);
}

uint32_t berth_rank(const berth_tensor *x) { return berth_shape(x).count; }

uint32_t berth_dim(const berth_tensor *x, int32_t axis) {
    BTH_NEED(0, x);
    berth_dims shape = berth_shape(x);
    int32_t place = axis < 0 ? axis + (int32_t)shape.count : axis;
    if (place >= 0 && place < (int32_t)shape.count) return shape.at[place];
    berth_fail(BERTH_INVALID_ARGUMENT, "%s has no axis %d", berth_describe_value(berth_tensor_value((berth_tensor *)x)),
               (int)axis);
    return 0;
}

static uint64_t product(berth_dims shape) {
    uint64_t elements = 1;
    for (uint32_t i = 0; i < shape.count; i++) elements *= shape.at[i];
    return elements;
}

uint64_t berth_elements(const berth_tensor *x) {
    BTH_NEED(0, x);
    return product(berth_shape(x));
}

/// Bytes of a dense tensor, as far as they can be in a plugin's memory. Otherwise an error.
static bool dense_bytes(berth_dtype dtype, berth_dims shape, size_t *bytes) {
    *bytes = berth_dtype_size(dtype);
    for (uint32_t i = 0; i < shape.count; i++) {
        if (!__builtin_mul_overflow(*bytes, (size_t)shape.at[i], bytes)) continue;
        berth_fail(BERTH_INVALID_ARGUMENT, "a tensor is larger than a plugin's memory");
        return false;
    }
    return true;
}

berth_tensor *berth_from_bytes(berth_dtype dtype, berth_dims shape, const void *data, size_t size) {
    BTH_NEED(NULL, size ? data : "");
    size_t expected;
    if (!dense_bytes(dtype, shape, &expected)) return NULL;
    if (size != expected || !berth_dtype_size(dtype)) {
        berth_fail(BERTH_INVALID_ARGUMENT, "a %s tensor of this shape has %zu bytes, not %zu", berth_dtype_name(dtype),
                   expected, size);
        return NULL;
    }
    if (size > PIECE) {
        berth_upload *upload = berth_upload_begin(dtype, shape);
        berth_upload_write(upload, 0, data, size);
        berth_tensor *made = berth_upload_finish(upload);
        berth_drop(upload);
        return made;
    }
    bth_u32s dims = bth_dims(&shape);
    memory_node_list_u8_t bytes = {(uint8_t *)data, size};
    bth_own_tensor tensor;
    bth_error error;
    return bth_made(berth_node_tensors_from_bytes(dtype, &dims, &bytes, &tensor, &error), &tensor, &error);
}

berth_tensor *berth_full(berth_dtype dtype, berth_dims shape, double value) {
    if (berth_failed()) return NULL;
    bth_u32s dims = bth_dims(&shape);
    bth_own_tensor tensor;
    bth_error error;
    return bth_made(berth_node_tensors_full(dtype, &dims, value, &tensor, &error), &tensor, &error);
}

berth_tensor *berth_zeros(berth_dtype dtype, berth_dims shape) { return berth_full(dtype, shape, 0); }

berth_tensor *berth_ones(berth_dtype dtype, berth_dims shape) { return berth_full(dtype, shape, 1); }

berth_tensor *berth_arange(berth_dtype dtype, double start, double step, uint32_t count) {
    if (berth_failed()) return NULL;
    bth_own_tensor tensor;
    bth_error error;
    return bth_made(berth_node_tensors_arange(dtype, start, step, count, &tensor, &error), &tensor, &error);
}

berth_upload *berth_upload_begin(berth_dtype dtype, berth_dims shape) {
    if (berth_failed()) return NULL;
    bth_u32s dims = bth_dims(&shape);
    berth_node_tensors_own_upload_t upload;
    bth_error error;
    if (berth_node_tensors_static_upload_begin(dtype, &dims, &upload, &error)) {
        return bth_new(BTH_UPLOAD, sizeof(berth_upload), upload.__handle);
    }
    bth_raise(&error);
    return NULL;
}

void berth_upload_write(berth_upload *upload, uint64_t offset, const void *data, size_t size) {
    BTH_NEED(, upload, size ? data : "");
    berth_node_tensors_borrow_upload_t handle = {upload->block.handle};
    for (size_t done = 0; done < size; done += PIECE) {
        memory_node_list_u8_t piece = {(uint8_t *)data + done, size - done < PIECE ? size - done : PIECE};
        bth_error error;
        if (!berth_node_tensors_method_upload_write(handle, offset + done, &piece, &error)) {
            bth_raise(&error);
            return;
        }
    }
}

berth_tensor *berth_upload_finish(berth_upload *upload) {
    BTH_NEED(NULL, upload);
    berth_node_tensors_borrow_upload_t handle = {upload->block.handle};
    bth_own_tensor tensor;
    bth_error error;
    return bth_made(berth_node_tensors_method_upload_finish(handle, &tensor, &error), &tensor, &error);
}

berth_generator *berth_seeded(uint64_t seed) {
    berth_node_types_wide_integer_t wide = {false, (uint32_t)(seed >> 32), (uint32_t)seed};
    berth_node_tensors_own_generator_t made = berth_node_tensors_static_generator_seeded(&wide);
    return bth_new(BTH_GENERATOR, sizeof(berth_generator), made.__handle);
}

berth_tensor *berth_normal(berth_generator *generator, berth_dims shape) {
    BTH_NEED(NULL, generator);
    berth_node_tensors_borrow_generator_t handle = {generator->block.handle};
    bth_u32s dims = bth_dims(&shape);
    bth_own_tensor tensor;
    bth_error error;
    return bth_made(berth_node_tensors_method_generator_normal(handle, &dims, &tensor, &error), &tensor, &error);
}

berth_tensor *berth_uniform(berth_generator *generator, berth_dims shape) {
    BTH_NEED(NULL, generator);
    berth_node_tensors_borrow_generator_t handle = {generator->block.handle};
    bth_u32s dims = bth_dims(&shape);
    bth_own_tensor tensor;
    bth_error error;
    return bth_made(berth_node_tensors_method_generator_uniform(handle, &dims, &tensor, &error), &tensor, &error);
}

bool berth_read(const berth_tensor *x, uint64_t offset, void *target, size_t size) {
    BTH_NEED(false, x, size ? target : "");
    for (size_t done = 0; done < size; done += PIECE) {
        size_t wanted = size - done < PIECE ? size - done : PIECE;
        memory_node_list_u8_t piece;
        bth_error error;
        if (!berth_node_tensors_method_tensor_read(bth_borrow(x), offset + done, (uint32_t)wanted, &piece, &error)) {
            bth_raise(&error);
            return false;
        }
        size_t got = piece.len;
        if (got == wanted) memcpy((uint8_t *)target + done, piece.ptr, got);
        memory_node_list_u8_free(&piece);
        if (got == wanted) continue;
        berth_fail(BERTH_OTHER, "the host gave %zu bytes where %zu were asked for", got, wanted);
        return false;
    }
    return true;
}

void *berth_to_bytes(const berth_tensor *x, size_t *size) {
    if (size) *size = 0;
    BTH_NEED(NULL, x);
    berth_dtype dtype = berth_dtype_of(x);
    if (!berth_dtype_size(dtype)) {
        berth_fail(BERTH_UNSUPPORTED, "reading %s blocks; cast them first", berth_dtype_name(dtype));
        return NULL;
    }
    size_t total;
    if (!dense_bytes(dtype, berth_shape(x), &total)) return NULL;
    void *bytes = berth_alloc(total);
    if (!berth_read(x, 0, bytes, total)) return NULL;
    if (size) *size = total;
    return bytes;
}

/// All elements of a type, cast by the host when they are of another.
static void *elements_as(berth_tensor *x, berth_dtype dtype, size_t *count) {
    if (count) *count = 0;
    BTH_NEED(NULL, x);
    berth_tensor *same = berth_dtype_of(x) == dtype ? x : berth_cast(x, dtype);
    size_t size;
    void *bytes = berth_to_bytes(same, &size);
    if (same != x) berth_drop(same);
    if (count) *count = size / berth_dtype_size(dtype);
    return bytes;
}

float *berth_to_f32(berth_tensor *x, size_t *count) { return elements_as(x, BERTH_F32, count); }

double *berth_to_f64(berth_tensor *x, size_t *count) { return elements_as(x, BERTH_F64, count); }

uint8_t *berth_to_u8(berth_tensor *x, size_t *count) { return elements_as(x, BERTH_U8, count); }

uint32_t *berth_to_u32(berth_tensor *x, size_t *count) { return elements_as(x, BERTH_U32, count); }

int32_t *berth_to_i32(berth_tensor *x, size_t *count) { return elements_as(x, BERTH_I32, count); }

int64_t *berth_to_i64(berth_tensor *x, size_t *count) { return elements_as(x, BERTH_I64, count); }

double berth_number_of(berth_tensor *x) {
    BTH_NEED(0, x);
    if (berth_elements(x) != 1) {
        berth_fail(BERTH_INVALID_ARGUMENT, "one element was expected, not %s",
                   berth_describe_value(berth_tensor_value(x)));
        return 0;
    }
    double *number = berth_to_f64(x, NULL);
    return number ? *number : 0;
}

/// Tensors: how they are made, and read.
#ifndef BERTH_TENSOR_H
#define BERTH_TENSOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

// Looking at a tensor

/// The element type.
berth_dtype berth_dtype_of(const berth_tensor *x);

/// The dimensions, outermost first.
berth_dims berth_shape(const berth_tensor *x);

/// How many dimensions there are.
uint32_t berth_rank(const berth_tensor *x);

/// One dimension; `axis` −1 is the last. Error: `BERTH_INVALID_ARGUMENT` when there is no such axis.
uint32_t berth_dim(const berth_tensor *x, int32_t axis);

/// How many elements there are.
uint64_t berth_elements(const berth_tensor *x);

// Making a tensor

/// A tensor of `size` bytes, row-major and little-endian, sent in pieces where they are many.
/// Error: `BERTH_INVALID_ARGUMENT` when `size` is not what `dtype` and `shape` say.
berth_tensor *berth_from_bytes(berth_dtype dtype, berth_dims shape, const void *data, size_t size);

#ifndef __cplusplus
/// A tensor of `count` numbers, whose C type is the element type: `uint8_t`, `uint32_t`, `int32_t`,
/// `int64_t`, `float` or `double`. Errors as `berth_from_bytes`.
#define berth_from(shape, data, count) \
    berth_from_bytes(BERTH_DTYPE(*(data)), shape, data, (count) * sizeof *(data))

/// The element type of a C number.
#define BERTH_DTYPE(number) \
    _Generic((number), unsigned char: BERTH_U8, unsigned int: BERTH_U32, unsigned long: BERTH_U32, int: BERTH_I32, \
             long: sizeof(long) == 4 ? BERTH_I32 : BERTH_I64, long long: BERTH_I64, float: BERTH_F32, double: BERTH_F64)
#endif

/// A tensor whose every element is `value`, converted to `dtype`.
berth_tensor *berth_full(berth_dtype dtype, berth_dims shape, double value);

/// A tensor of zeros.
berth_tensor *berth_zeros(berth_dtype dtype, berth_dims shape);

/// A tensor of ones.
berth_tensor *berth_ones(berth_dtype dtype, berth_dims shape);

/// The 1-D tensor start, start + step, … of `count` elements, computed in `f64`.
berth_tensor *berth_arange(berth_dtype dtype, double start, double step, uint32_t count);

/// Begins a tensor that is written piece by piece, filled with zeros.
berth_upload *berth_upload_begin(berth_dtype dtype, berth_dims shape);

/// Writes `size` bytes from byte `offset` on.
/// Error: `BERTH_INVALID_ARGUMENT` when they do not lie inside the tensor, or after the upload's end.
void berth_upload_write(berth_upload *upload, uint64_t offset, const void *data, size_t size);

/// Ends the upload and gives the tensor.
berth_tensor *berth_upload_finish(berth_upload *upload);

// Random numbers

/// PyTorch's CPU generator, bit for bit: a seed gives the noise that `torch.manual_seed(seed)` and
/// `torch.randn` give.
berth_generator *berth_seeded(uint64_t seed);

/// The next standard normals, as `f32`. Advances the generator as `torch.randn` does.
berth_tensor *berth_normal(berth_generator *generator, berth_dims shape);

/// The next uniforms in [0, 1), as `f32`. Advances the generator as `torch.rand` does.
berth_tensor *berth_uniform(berth_generator *generator, berth_dims shape);

// Reading a tensor

/// Copies `size` bytes from byte `offset` on to `target`, in pieces. Gives whether it did.
/// Error: `BERTH_INVALID_ARGUMENT` when they do not lie inside the tensor.
bool berth_read(const berth_tensor *x, uint64_t offset, void *target, size_t size);

/// All bytes, in memory as `berth_alloc` gives it; `size` (may be NULL) is set to how many.
/// Error: `BERTH_UNSUPPORTED` for a quantized tensor; cast it first.
void *berth_to_bytes(const berth_tensor *x, size_t *size);

/// All elements as `float`, cast by the host when they are of another type, in memory as `berth_alloc`
/// gives it; `count` (may be NULL) is set to how many. So do the others, for their types.
float *berth_to_f32(berth_tensor *x, size_t *count);
/// All elements as `double`.
double *berth_to_f64(berth_tensor *x, size_t *count);
/// All elements as `uint8_t`.
uint8_t *berth_to_u8(berth_tensor *x, size_t *count);
/// All elements as `uint32_t`.
uint32_t *berth_to_u32(berth_tensor *x, size_t *count);
/// All elements as `int32_t`.
int32_t *berth_to_i32(berth_tensor *x, size_t *count);
/// All elements as `int64_t`.
int64_t *berth_to_i64(berth_tensor *x, size_t *count);

/// The only element of a tensor, as a number. Error: `BERTH_INVALID_ARGUMENT` when it has more, or none.
double berth_number_of(berth_tensor *x);

#ifdef __cplusplus
}
#endif
#endif

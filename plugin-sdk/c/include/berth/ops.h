/// Operations on tensors. Each makes a new tensor and leaves its operands as they were.
///
/// Binary operations broadcast as NumPy does; their operands have one dtype. An axis may be negative:
/// −1 is the last. A float operation computes in the dtype of its first operand, and converts weights
/// of another float type, or quantized, as it uses them.
///
/// All fail alike: `BERTH_INVALID_ARGUMENT` for shapes, dtypes or values that do not fit,
/// `BERTH_QUOTA_EXCEEDED` and `BERTH_OUT_OF_MEMORY` when the operation's own operands do not fit,
/// `BERTH_UNSUPPORTED` for a dtype that the host cannot compute in, `BERTH_CANCELLED`.
#ifndef BERTH_OPS_H
#define BERTH_OPS_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

// Arithmetic

/// A tensor or a number, as an operand.
typedef struct berth_operand {
    /// The tensor; NULL for a number.
    const berth_tensor *tensor;
    /// The number.
    double number;
    /// Whether it is the number.
    bool is_number;
} berth_operand;

/// A tensor as an operand.
berth_operand berth_tensor_operand(const berth_tensor *x);

/// A number as an operand.
berth_operand berth_number_operand(double x);

/// A function of two elements; the result has their dtype.
typedef enum berth_binary {
    BERTH_ADD,
    BERTH_SUB,
    BERTH_MUL,
    BERTH_DIV,
    BERTH_MINIMUM,
    BERTH_MAXIMUM,
} berth_binary;

/// Applies a function to each pair of elements, broadcasting. A number takes the tensor's dtype;
/// one of the two is a tensor.
berth_tensor *berth_combine(berth_binary function, berth_operand a, berth_operand b);

/// A comparison of two elements.
typedef enum berth_comparison {
    BERTH_EQ,
    BERTH_NE,
    BERTH_LT,
    BERTH_LE,
    BERTH_GT,
    BERTH_GE,
} berth_comparison;

/// 1 where the comparison holds, otherwise 0, as `u8`; broadcasting.
berth_tensor *berth_compare(berth_comparison comparison, berth_operand a, berth_operand b);

#ifndef __cplusplus
/// A tensor or a number, as an operand.
#define BERTH_OPERAND(x) \
    _Generic((x), berth_tensor *: berth_tensor_operand, const berth_tensor *: berth_tensor_operand, \
             default: berth_number_operand)(x)
/// a + b, of tensors and numbers.
#define berth_add(a, b) berth_combine(BERTH_ADD, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// a − b, of tensors and numbers.
#define berth_sub(a, b) berth_combine(BERTH_SUB, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// a · b, of tensors and numbers.
#define berth_mul(a, b) berth_combine(BERTH_MUL, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// a / b, of tensors and numbers. Integers truncate.
#define berth_div(a, b) berth_combine(BERTH_DIV, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// The smaller of each pair; NaN when either is.
#define berth_minimum(a, b) berth_combine(BERTH_MINIMUM, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// The larger of each pair; NaN when either is.
#define berth_maximum(a, b) berth_combine(BERTH_MAXIMUM, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// 1 where a = b.
#define berth_eq(a, b) berth_compare(BERTH_EQ, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// 1 where a ≠ b.
#define berth_ne(a, b) berth_compare(BERTH_NE, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// 1 where a < b.
#define berth_lt(a, b) berth_compare(BERTH_LT, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// 1 where a ≤ b.
#define berth_le(a, b) berth_compare(BERTH_LE, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// 1 where a > b.
#define berth_gt(a, b) berth_compare(BERTH_GT, BERTH_OPERAND(a), BERTH_OPERAND(b))
/// 1 where a ≥ b.
#define berth_ge(a, b) berth_compare(BERTH_GE, BERTH_OPERAND(a), BERTH_OPERAND(b))
#endif

/// scale·x + shift, element by element.
berth_tensor *berth_affine(const berth_tensor *x, double scale, double shift);

/// x to the power `exponent`, element by element.
berth_tensor *berth_power(const berth_tensor *x, double exponent);

/// Each element limited to low ≤ x ≤ high.
berth_tensor *berth_clamp(const berth_tensor *x, double low, double high);

/// `a` where `condition` (`u8`) is not 0, otherwise `b`; broadcasting.
berth_tensor *berth_choose(const berth_tensor *condition, const berth_tensor *a, const berth_tensor *b);

/// Converts each element. Floats to integers truncate and saturate; quantized tensors convert to a
/// float type.
berth_tensor *berth_cast(const berth_tensor *x, berth_dtype dtype);

// Functions of each element of a float tensor

/// −x.
berth_tensor *berth_neg(const berth_tensor *x);
/// |x|.
berth_tensor *berth_abs(const berth_tensor *x);
/// −1, 0 or 1.
berth_tensor *berth_sign(const berth_tensor *x);
/// 1/x.
berth_tensor *berth_recip(const berth_tensor *x);
/// √x.
berth_tensor *berth_sqrt(const berth_tensor *x);
/// 1/√x.
berth_tensor *berth_rsqrt(const berth_tensor *x);
/// eˣ.
berth_tensor *berth_exp(const berth_tensor *x);
/// The natural logarithm.
berth_tensor *berth_ln(const berth_tensor *x);
/// The sine of x radians.
berth_tensor *berth_sin(const berth_tensor *x);
/// The cosine of x radians.
berth_tensor *berth_cos(const berth_tensor *x);
/// The hyperbolic tangent.
berth_tensor *berth_tanh(const berth_tensor *x);
/// The error function.
berth_tensor *berth_erf(const berth_tensor *x);
/// The largest integer that is not above x.
berth_tensor *berth_floor(const berth_tensor *x);
/// The smallest integer that is not below x.
berth_tensor *berth_ceil(const berth_tensor *x);
/// The nearest integer, halves to the even one.
berth_tensor *berth_round(const berth_tensor *x);
/// max(x, 0).
berth_tensor *berth_relu(const berth_tensor *x);
/// 1/(1 + e⁻ˣ).
berth_tensor *berth_sigmoid(const berth_tensor *x);
/// x·sigmoid(x).
berth_tensor *berth_silu(const berth_tensor *x);
/// x·Φ(x), by the error function (Hendrycks & Gimpel 2016).
berth_tensor *berth_gelu(const berth_tensor *x);
/// The tanh approximation of `berth_gelu`.
berth_tensor *berth_gelu_tanh(const berth_tensor *x);
/// x·sigmoid(1.702·x), as CLIP has it.
berth_tensor *berth_gelu_quick(const berth_tensor *x);
/// log(1 + eˣ).
berth_tensor *berth_softplus(const berth_tensor *x);
/// x·tanh(softplus(x)).
berth_tensor *berth_mish(const berth_tensor *x);

// Products and convolutions

/// `a · b`: [.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast.
berth_tensor *berth_matmul(const berth_tensor *a, const berth_tensor *b);

/// `x · weightᵀ + bias`: x [.., in], weight [out, in], bias [out] (may be NULL) → [.., out].
berth_tensor *berth_linear(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias);

/// How a convolution walks: the same in every spatial dimension. A 0 stands for what most
/// convolutions have: `(berth_walk){.padding = 1}`.
typedef struct berth_walk {
    /// Elements from one position to the next; 0 stands for 1.
    uint32_t stride;
    /// Zeros before and after each spatial dimension; a transposed convolution cuts as many off.
    uint32_t padding;
    /// Elements from one of the kernel's taps to the next; 0 stands for 1.
    uint32_t dilation;
    /// Groups of channels that are convolved apart, which divides both channel counts; 0 stands for 1.
    uint32_t groups;
} berth_walk;

/// x [n, c, l], weight [out, c / groups, k], bias [out] (may be NULL) → [n, out, l'].
berth_tensor *berth_conv1d(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                           berth_walk walk);

/// x [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] (may be NULL) → [n, out, h', w'].
berth_tensor *berth_conv2d(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                           berth_walk walk);

/// Transposed: x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] (may be NULL) → [n, out, h', w'],
/// h' = (h − 1)·stride − 2·padding + dilation·(kh − 1) + output_padding + 1.
berth_tensor *berth_conv_transpose2d(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                                     berth_walk walk, uint32_t output_padding);

/// What an attention needs beside its operands: `(berth_attention_options){.heads = 8}`.
typedef struct berth_attention_options {
    /// Heads side by side in the last dimension; 0 stands for 1.
    uint32_t heads;
    /// Broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides. May be NULL.
    const berth_tensor *mask;
    /// Hides the keys after each query.
    bool causal;
    /// The factor of q·kᵀ; 0 stands for 1/√d.
    float scale;
} berth_attention_options;

/// Softmax(q·kᵀ·scale + mask)·v with heads side by side in the last dimension:
/// q [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e]. Vaswani et al. 2017.
berth_tensor *berth_attention(const berth_tensor *q, const berth_tensor *k, const berth_tensor *v,
                              berth_attention_options options);

/// Rotary position embedding of x [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021).
/// `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2.
berth_tensor *berth_rotary(const berth_tensor *x, const berth_tensor *cosines, const berth_tensor *sines,
                           bool interleaved);

/// Rows of weight [rows, c] by indices [..] (`u32` or `i64`) → [.., c], of weight's dtype, or `f32`
/// when weight is quantized.
berth_tensor *berth_embedding(const berth_tensor *indices, const berth_tensor *weight);

// Normalization

/// Normalizes x [n, c, ..] over each of `groups` groups of channels, then scales and shifts by channel
/// (weight [c], bias [c]; either may be NULL). Wu & He 2018.
berth_tensor *berth_group_norm(const berth_tensor *x, uint32_t groups, const berth_tensor *weight,
                               const berth_tensor *bias, float epsilon);

/// Normalizes x [.., c] over its last dimension, then scales and shifts (weight [c], bias [c]; either
/// may be NULL). Ba, Kiros & Hinton 2016.
berth_tensor *berth_layer_norm(const berth_tensor *x, const berth_tensor *weight, const berth_tensor *bias,
                               float epsilon);

/// x [.., c] / √(mean(x²) + epsilon), times weight [c] (may be NULL). Zhang & Sennrich 2019.
berth_tensor *berth_rms_norm(const berth_tensor *x, const berth_tensor *weight, float epsilon);

/// Softmax along one axis.
berth_tensor *berth_softmax(const berth_tensor *x, int32_t axis);

// Along axes

/// Axes of a reduction, which may be negative; with a count of 0, all of them.
typedef struct berth_axes {
    /// How many there are.
    uint32_t count;
    /// They themselves.
    int32_t at[BERTH_MAX_RANK];
} berth_axes;

/// Axes by their values: `BERTH_AXES(-2, -1)`.
#define BERTH_AXES(...) \
    ((berth_axes){sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t), {__VA_ARGS__}})

/// All axes.
#define BERTH_ALL_AXES ((berth_axes){0, {0}})

/// The sum over axes. With `keep`, here and below, reduced axes stay as dimensions of 1. NaN propagates.
berth_tensor *berth_sum(const berth_tensor *x, berth_axes axes, bool keep);
/// The arithmetic mean over axes.
berth_tensor *berth_mean(const berth_tensor *x, berth_axes axes, bool keep);
/// The largest element over axes.
berth_tensor *berth_max(const berth_tensor *x, berth_axes axes, bool keep);
/// The smallest element over axes.
berth_tensor *berth_min(const berth_tensor *x, berth_axes axes, bool keep);
/// The index of the largest element along one axis, the first of equals, as `u32`.
berth_tensor *berth_argmax(const berth_tensor *x, int32_t axis, bool keep);
/// The index of the smallest element along one axis, the first of equals, as `u32`.
berth_tensor *berth_argmin(const berth_tensor *x, int32_t axis, bool keep);

/// The indices, as `u32` and of x's shape, that put one axis in order: `berth_gather` by them gives it
/// sorted. Equal elements keep their order in both directions; NaN is greater than every number.
berth_tensor *berth_argsort(const berth_tensor *x, int32_t axis, bool descending);

/// The running sum along one axis.
berth_tensor *berth_cumulative_sum(const berth_tensor *x, int32_t axis);

// Shape and place

/// The same elements under another shape. Costs no memory.
berth_tensor *berth_reshape(const berth_tensor *x, berth_dims shape);

/// Dimension i of the result is dimension `axes.at[i]` of x.
berth_tensor *berth_permute(const berth_tensor *x, berth_dims axes);

/// Indices start, start + 1, … below `end` of one axis.
berth_tensor *berth_slice(const berth_tensor *x, int32_t axis, uint32_t start, uint32_t end);

/// Indices start, start + step, … below `end` of one axis.
berth_tensor *berth_slice_step(const berth_tensor *x, int32_t axis, uint32_t start, uint32_t end, uint32_t step);

/// `count` tensors one after another along an axis; their other dimensions are equal.
berth_tensor *berth_concat(const berth_tensor *const *tensors, size_t count, int32_t axis);

/// x repeated to a shape that it broadcasts to.
berth_tensor *berth_broadcast(const berth_tensor *x, berth_dims shape);

/// The axis backwards.
berth_tensor *berth_flip(const berth_tensor *x, int32_t axis);

/// What lies outside of a padded tensor.
typedef enum berth_padding {
    /// A value.
    BERTH_PAD_CONSTANT,
    /// The nearest element.
    BERTH_PAD_EDGE,
    /// The tensor mirrored, without repeating its edge.
    BERTH_PAD_REFLECT,
    /// The tensor again, from its other end.
    BERTH_PAD_WRAP,
} berth_padding;

/// How many elements an axis is padded by.
typedef struct berth_margin {
    /// Before its first element.
    uint32_t before;
    /// After its last one.
    uint32_t after;
} berth_margin;

/// One margin for each dimension: `BERTH_MARGINS({0, 0}, {2, 2})`.
#define BERTH_MARGINS(...) ((const berth_margin[]){__VA_ARGS__})

/// Pads each axis: as many margins as x has dimensions. `value` counts for `BERTH_PAD_CONSTANT` only.
berth_tensor *berth_pad(const berth_tensor *x, const berth_margin *margins, berth_padding padding, double value);

/// result[.., i, ..] = x[.., indices[.., i, ..], ..] along one axis (`u32` or `i64`); indices has x's
/// rank, and its shape except along the axis.
berth_tensor *berth_gather(const berth_tensor *x, int32_t axis, const berth_tensor *indices);

/// Whole slices of one axis, by a 1-D tensor of indices (`u32` or `i64`).
berth_tensor *berth_index_select(const berth_tensor *x, int32_t axis, const berth_tensor *indices);

/// How `berth_interpolate` finds a sample, as PyTorch's `interpolate` of that name, with
/// `align_corners=False` and no antialiasing; Lanczos is Pillow's antialiased filter of radius 3.
typedef enum berth_sampling {
    BERTH_NEAREST,
    BERTH_NEAREST_EXACT,
    BERTH_BILINEAR,
    BERTH_BICUBIC,
    BERTH_AREA,
    BERTH_LANCZOS,
} berth_sampling;

/// Resizes x [n, c, h, w] to [n, c, height, width].
berth_tensor *berth_interpolate(const berth_tensor *x, uint32_t height, uint32_t width, berth_sampling sampling);

#ifdef __cplusplus
}
#endif
#endif

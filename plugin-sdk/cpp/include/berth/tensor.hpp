/// Tensors: arithmetic by operators, all operations as methods.
///
/// Binary operations broadcast as NumPy does; their operands have one dtype, and a number takes the tensor's. An axis
/// may be negative: −1 is the last. A float operation computes in the dtype of its first operand, and converts
/// weights of another float type, or quantized, as it uses them.
///
/// All fail alike: `BERTH_INVALID_ARGUMENT` for shapes, dtypes or values that do not fit, `BERTH_QUOTA_EXCEEDED` and
/// `BERTH_OUT_OF_MEMORY` when the operation's own operands do not fit, `BERTH_UNSUPPORTED` for a dtype that the host
/// cannot compute in, `BERTH_CANCELLED`.
#pragma once

#include "core.hpp"

#include <span>

namespace berth {

/// Element type of a tensor. The `Q` types are GGUF's: only a weight given to `linear`, `conv2d` or `embedding`, and
/// the operand of `cast`, may have one.
using DType = berth_dtype;

/// How a convolution walks: the same in every spatial dimension. `{.padding = 1}`.
struct Walk {
    /// Elements from one position to the next.
    std::uint32_t stride = 1;
    /// Zeros before and after each spatial dimension; a transposed convolution cuts as many off.
    std::uint32_t padding = 0;
    /// Elements from one of the kernel's taps to the next.
    std::uint32_t dilation = 1;
    /// Groups of channels that are convolved apart, which divides both channel counts.
    std::uint32_t groups = 1;
};

/// What lies outside of a padded tensor.
using Padding = berth_padding;

/// How many elements an axis is padded by: `{before, after}`.
using Margin = berth_margin;

/// How `interpolate` finds a sample.
using Sampling = berth_sampling;

/// Axes of a reduction, which may be negative; without any, all of them.
using Axes = std::initializer_list<std::int32_t>;

class Tensor;

/// What an attention needs beside its operands.
struct AttentionOptions {
    /// Heads side by side in the last dimension.
    std::uint32_t heads = 1;
    /// Broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides; may be null.
    const Tensor *mask = nullptr;
    /// Hides the keys after each query.
    bool causal = false;
    /// The factor of q·kᵀ; 0 stands for 1/√d.
    float scale = 0;
};

namespace detail {

/// The element type of a C++ number.
template <class T> consteval DType dtype_of() {
    if constexpr (std::is_same_v<T, float>) return BERTH_F32;
    else if constexpr (std::is_same_v<T, double>) return BERTH_F64;
    else {
        static_assert(std::is_integral_v<T>, "tensors are made of and read as numbers");
        if constexpr (sizeof(T) == 1 && std::is_unsigned_v<T>) return BERTH_U8;
        else if constexpr (sizeof(T) == 4) return std::is_unsigned_v<T> ? BERTH_U32 : BERTH_I32;
        else {
            static_assert(sizeof(T) == 8 && std::is_signed_v<T>, "no tensor has elements of this type");
            return BERTH_I64;
        }
    }
}

inline berth_walk walk_of(const Walk &walk) { return {walk.stride, walk.padding, walk.dilation, walk.groups}; }

inline berth_axes axes_of(Axes axes) {
    berth_axes made{};
    for (std::int32_t axis : axes) {
        if (made.count < BERTH_MAX_RANK) made.at[made.count++] = axis;
    }
    return made;
}

} // namespace detail

/// An immutable array of numbers. The host owns its bytes and computes; this is a handle.
class Tensor : public Handle<berth_tensor> {
public:
    using Handle::Handle;

    // Making a tensor

    /// A tensor of these numbers, of their own element type: `uint8_t`, `uint32_t`, `int32_t`, `int64_t`, `float` or
    /// `double`. Error: `BERTH_INVALID_ARGUMENT` when there are not as many as the shape says.
    template <class T> static Tensor of(Shape shape, std::span<const T> numbers) {
        return bytes(detail::dtype_of<T>(), shape, std::as_bytes(numbers));
    }
    /// A tensor of these numbers.
    template <class T> static Tensor of(Shape shape, const std::vector<T> &numbers) {
        return of(shape, std::span<const T>(numbers));
    }
    /// A tensor of these numbers: `Tensor::of<float>({2}, {0.5f, 1})`.
    template <class T> static Tensor of(Shape shape, std::initializer_list<T> numbers) {
        return of(shape, std::span<const T>(numbers.begin(), numbers.size()));
    }
    /// A tensor of these bytes, row-major and little-endian, sent in pieces where they are many.
    static Tensor bytes(DType dtype, Shape shape, std::span<const std::byte> data) {
        return Tensor(berth_from_bytes(dtype, shape.raw(), data.data(), data.size()));
    }
    /// A tensor whose every element is `value`, converted to `dtype`.
    static Tensor full(DType dtype, Shape shape, double value) { return Tensor(berth_full(dtype, shape.raw(), value)); }
    /// A tensor of zeros.
    static Tensor zeros(DType dtype, Shape shape) { return full(dtype, shape, 0); }
    /// A tensor of ones.
    static Tensor ones(DType dtype, Shape shape) { return full(dtype, shape, 1); }
    /// The 1-D tensor start, start + step, … of `count` elements, computed in `f64`.
    static Tensor arange(DType dtype, double start, double step, std::uint32_t count) {
        return Tensor(berth_arange(dtype, start, step, count));
    }
    /// Tensors one after another along an axis; their other dimensions are equal.
    static Tensor concat(const std::vector<Tensor> &tensors, std::int32_t axis) {
        std::vector<const berth_tensor *> raws;
        for (const Tensor &tensor : tensors) raws.push_back(tensor.raw());
        return Tensor(berth_concat(raws.data(), raws.size(), axis));
    }

    // Looking at a tensor, and reading it

    /// The element type.
    DType dtype() const { return berth_dtype_of(raw()); }
    /// The dimensions, outermost first.
    Shape shape() const { return berth_shape(raw()); }
    /// How many dimensions there are.
    std::size_t rank() const { return shape().size(); }
    /// One dimension; `axis` −1 is the last. Error: `BERTH_INVALID_ARGUMENT` when there is no such axis.
    std::uint32_t dim(std::int32_t axis) const { return berth_dim(raw(), axis); }
    /// How many elements there are.
    std::uint64_t elements() const { return berth_elements(raw()); }
    /// All elements as `T`, cast by the host when they are of another type.
    template <class T> std::vector<T> to() const {
        if (dtype() != detail::dtype_of<T>()) {
            Tensor same = cast(detail::dtype_of<T>());
            return failed() ? std::vector<T>() : same.to<T>();
        }
        std::vector<T> numbers(static_cast<std::size_t>(elements()));
        if (!berth_read(raw(), 0, numbers.data(), numbers.size() * sizeof(T))) numbers.clear();
        return numbers;
    }
    /// All bytes. Error: `BERTH_UNSUPPORTED` for a quantized tensor; cast it first.
    std::vector<std::byte> to_bytes() const {
        std::size_t size;
        auto *data = static_cast<std::byte *>(berth_to_bytes(raw(), &size));
        std::vector<std::byte> made(data, data + size);
        berth_drop(data);
        return made;
    }
    /// Copies bytes from byte `offset` on, as many as the target has: for data that a plugin works through in bands.
    bool read(std::uint64_t offset, std::span<std::byte> target) const {
        return berth_read(raw(), offset, target.data(), target.size());
    }
    /// The only element, as a number. Error: `BERTH_INVALID_ARGUMENT` when there are more, or none.
    double number() const { return berth_number_of(raw()); }

    // Arithmetic

    /// The smaller of each pair; NaN when either is.
    friend Tensor minimum(const Tensor &a, const Tensor &b) { return combine(BERTH_MINIMUM, a, b); }
    friend Tensor minimum(const Tensor &a, double b) { return combine(BERTH_MINIMUM, a, b); }
    /// The larger of each pair; NaN when either is.
    friend Tensor maximum(const Tensor &a, const Tensor &b) { return combine(BERTH_MAXIMUM, a, b); }
    friend Tensor maximum(const Tensor &a, double b) { return combine(BERTH_MAXIMUM, a, b); }
    /// −x.
    Tensor operator-() const { return Tensor(berth_neg(raw())); }
    /// scale·x + shift.
    Tensor affine(double scale, double shift) const { return Tensor(berth_affine(raw(), scale, shift)); }
    /// x to the power `exponent`.
    Tensor power(double exponent) const { return Tensor(berth_power(raw(), exponent)); }
    /// Limited to low ≤ x ≤ high.
    Tensor clamp(double low, double high) const { return Tensor(berth_clamp(raw(), low, high)); }
    /// `a` where this (`u8`) is not 0, otherwise `b`; broadcasting.
    Tensor choose(const Tensor &a, const Tensor &b) const { return Tensor(berth_choose(raw(), a.raw(), b.raw())); }
    /// Converts each element. Floats to integers truncate and saturate; quantized tensors convert to a float type.
    Tensor cast(DType dtype) const { return Tensor(berth_cast(raw(), dtype)); }

    // Functions of each element of a float tensor

    /// |x|.
    Tensor abs() const { return Tensor(berth_abs(raw())); }
    /// −1, 0 or 1.
    Tensor sign() const { return Tensor(berth_sign(raw())); }
    /// 1/x.
    Tensor recip() const { return Tensor(berth_recip(raw())); }
    /// √x.
    Tensor sqrt() const { return Tensor(berth_sqrt(raw())); }
    /// 1/√x.
    Tensor rsqrt() const { return Tensor(berth_rsqrt(raw())); }
    /// eˣ.
    Tensor exp() const { return Tensor(berth_exp(raw())); }
    /// The natural logarithm.
    Tensor log() const { return Tensor(berth_ln(raw())); }
    /// The sine of x radians.
    Tensor sin() const { return Tensor(berth_sin(raw())); }
    /// The cosine of x radians.
    Tensor cos() const { return Tensor(berth_cos(raw())); }
    /// The hyperbolic tangent.
    Tensor tanh() const { return Tensor(berth_tanh(raw())); }
    /// The error function.
    Tensor erf() const { return Tensor(berth_erf(raw())); }
    /// The largest integer that is not above x.
    Tensor floor() const { return Tensor(berth_floor(raw())); }
    /// The smallest integer that is not below x.
    Tensor ceil() const { return Tensor(berth_ceil(raw())); }
    /// The nearest integer, halves to the even one.
    Tensor round() const { return Tensor(berth_round(raw())); }
    /// max(x, 0).
    Tensor relu() const { return Tensor(berth_relu(raw())); }
    /// 1/(1 + e⁻ˣ).
    Tensor sigmoid() const { return Tensor(berth_sigmoid(raw())); }
    /// x·sigmoid(x).
    Tensor silu() const { return Tensor(berth_silu(raw())); }
    /// x·Φ(x), by the error function (Hendrycks & Gimpel 2016).
    Tensor gelu() const { return Tensor(berth_gelu(raw())); }
    /// The tanh approximation of `gelu`.
    Tensor gelu_tanh() const { return Tensor(berth_gelu_tanh(raw())); }
    /// x·sigmoid(1.702·x), as CLIP has it.
    Tensor gelu_quick() const { return Tensor(berth_gelu_quick(raw())); }
    /// log(1 + eˣ).
    Tensor softplus() const { return Tensor(berth_softplus(raw())); }
    /// x·tanh(softplus(x)).
    Tensor mish() const { return Tensor(berth_mish(raw())); }

    // Products and convolutions; an empty bias stands for none

    /// [.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast.
    Tensor matmul(const Tensor &other) const { return Tensor(berth_matmul(raw(), other.raw())); }
    /// `x · weightᵀ + bias`: x [.., in], weight [out, in], bias [out] → [.., out].
    Tensor linear(const Tensor &weight, const Tensor &bias = {}) const {
        return Tensor(berth_linear(raw(), weight.raw(), bias.raw()));
    }
    /// x [n, c, l], weight [out, c / groups, k], bias [out] → [n, out, l'].
    Tensor conv1d(const Tensor &weight, const Tensor &bias = {}, const Walk &walk = {}) const {
        return Tensor(berth_conv1d(raw(), weight.raw(), bias.raw(), detail::walk_of(walk)));
    }
    /// x [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] → [n, out, h', w'].
    Tensor conv2d(const Tensor &weight, const Tensor &bias = {}, const Walk &walk = {}) const {
        return Tensor(berth_conv2d(raw(), weight.raw(), bias.raw(), detail::walk_of(walk)));
    }
    /// Transposed: x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] → [n, out, h', w'],
    /// h' = (h − 1)·stride − 2·padding + dilation·(kh − 1) + output_padding + 1.
    Tensor conv_transpose2d(const Tensor &weight, const Tensor &bias = {}, const Walk &walk = {},
                            std::uint32_t output_padding = 0) const {
        return Tensor(berth_conv_transpose2d(raw(), weight.raw(), bias.raw(), detail::walk_of(walk), output_padding));
    }
    /// Softmax(x·kᵀ·scale + mask)·v with heads side by side in the last dimension:
    /// x [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e]. Vaswani et al. 2017.
    Tensor attention(const Tensor &k, const Tensor &v, const AttentionOptions &options = {}) const {
        const berth_tensor *mask = options.mask ? options.mask->raw() : nullptr;
        return Tensor(berth_attention(raw(), k.raw(), v.raw(), {options.heads, mask, options.causal, options.scale}));
    }
    /// Rotary position embedding of [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021).
    /// `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2.
    Tensor rotary(const Tensor &cosines, const Tensor &sines, bool interleaved) const {
        return Tensor(berth_rotary(raw(), cosines.raw(), sines.raw(), interleaved));
    }
    /// Rows of weight [rows, c] by these indices [..] (`u32` or `i64`) → [.., c], of weight's dtype, or `f32` when it is
    /// quantized.
    Tensor embedding(const Tensor &weight) const { return Tensor(berth_embedding(raw(), weight.raw())); }

    // Normalization; an empty weight or bias stands for none

    /// Normalizes [n, c, ..] over each of `groups` groups of channels, then scales and shifts by channel
    /// (weight [c], bias [c]). Wu & He 2018.
    Tensor group_norm(std::uint32_t groups, const Tensor &weight, const Tensor &bias, float epsilon) const {
        return Tensor(berth_group_norm(raw(), groups, weight.raw(), bias.raw(), epsilon));
    }
    /// Normalizes [.., c] over its last dimension, then scales and shifts (weight [c], bias [c]). Ba, Kiros & Hinton 2016.
    Tensor layer_norm(const Tensor &weight, const Tensor &bias, float epsilon) const {
        return Tensor(berth_layer_norm(raw(), weight.raw(), bias.raw(), epsilon));
    }
    /// [.., c] / √(mean(x²) + epsilon), times weight [c]. Zhang & Sennrich 2019.
    Tensor rms_norm(const Tensor &weight, float epsilon) const {
        return Tensor(berth_rms_norm(raw(), weight.raw(), epsilon));
    }
    /// Softmax along one axis.
    Tensor softmax(std::int32_t axis) const { return Tensor(berth_softmax(raw(), axis)); }

    // Along axes; with `keep`, reduced axes stay as dimensions of 1

    /// The sum over axes, over all of them by default. NaN propagates.
    Tensor sum(Axes axes = {}, bool keep = false) const { return Tensor(berth_sum(raw(), detail::axes_of(axes), keep)); }
    /// The arithmetic mean over axes.
    Tensor mean(Axes axes = {}, bool keep = false) const { return Tensor(berth_mean(raw(), detail::axes_of(axes), keep)); }
    /// The largest element over axes.
    Tensor max(Axes axes = {}, bool keep = false) const { return Tensor(berth_max(raw(), detail::axes_of(axes), keep)); }
    /// The smallest element over axes.
    Tensor min(Axes axes = {}, bool keep = false) const { return Tensor(berth_min(raw(), detail::axes_of(axes), keep)); }
    /// The index of the largest element along one axis, the first of equals, as `u32`.
    Tensor argmax(std::int32_t axis, bool keep = false) const { return Tensor(berth_argmax(raw(), axis, keep)); }
    /// The index of the smallest element along one axis, the first of equals, as `u32`.
    Tensor argmin(std::int32_t axis, bool keep = false) const { return Tensor(berth_argmin(raw(), axis, keep)); }
    /// The indices, as `u32`, that put one axis in order: `gather` by them gives it sorted. Equal elements keep their order;
    /// NaN is greater than every number.
    Tensor argsort(std::int32_t axis, bool descending = false) const { return Tensor(berth_argsort(raw(), axis, descending)); }
    /// The running sum along one axis.
    Tensor cumulative_sum(std::int32_t axis) const { return Tensor(berth_cumulative_sum(raw(), axis)); }

    // Shape and place

    /// The same elements under another shape. Costs no memory.
    Tensor reshape(Shape shape) const { return Tensor(berth_reshape(raw(), shape.raw())); }
    /// Dimension i of the result is dimension `axes[i]` of this.
    Tensor permute(Shape axes) const { return Tensor(berth_permute(raw(), axes.raw())); }
    /// Indices start, start + step, … below `end` of one axis.
    Tensor slice(std::int32_t axis, std::uint32_t start, std::uint32_t end, std::uint32_t step = 1) const {
        return Tensor(berth_slice_step(raw(), axis, start, end, step));
    }
    /// Repeated to a shape that it broadcasts to.
    Tensor broadcast(Shape shape) const { return Tensor(berth_broadcast(raw(), shape.raw())); }
    /// One axis backwards.
    Tensor flip(std::int32_t axis) const { return Tensor(berth_flip(raw(), axis)); }
    /// Pads each axis: as many margins as there are dimensions. `value` counts for `BERTH_PAD_CONSTANT` only.
    Tensor pad(std::initializer_list<Margin> margins, Padding padding, double value = 0) const {
        if (!failed() && margins.size() != rank()) invalid("pad: there is one margin for each dimension");
        return Tensor(berth_pad(raw(), margins.begin(), padding, value));
    }
    /// result[.., i, ..] = x[.., indices[.., i, ..], ..] along one axis (`u32` or `i64`); indices has this rank, and this
    /// shape except along the axis.
    Tensor gather(std::int32_t axis, const Tensor &indices) const { return Tensor(berth_gather(raw(), axis, indices.raw())); }
    /// Whole slices of one axis, by a 1-D tensor of indices (`u32` or `i64`).
    Tensor index_select(std::int32_t axis, const Tensor &indices) const {
        return Tensor(berth_index_select(raw(), axis, indices.raw()));
    }
    /// Resizes [n, c, h, w] to [n, c, height, width].
    Tensor interpolate(std::uint32_t height, std::uint32_t width, Sampling sampling) const {
        return Tensor(berth_interpolate(raw(), height, width, sampling));
    }

private:
    static berth_operand operand(const Tensor &x) { return berth_tensor_operand(x.raw()); }
    static berth_operand operand(double x) { return berth_number_operand(x); }
    template <class A, class B> static Tensor combine(berth_binary function, const A &a, const B &b) {
        return Tensor(berth_combine(function, operand(a), operand(b)));
    }
    template <class A, class B> static Tensor compare(berth_comparison comparison, const A &a, const B &b) {
        return Tensor(berth_compare(comparison, operand(a), operand(b)));
    }

public:
    // Operators: a comparison is 1 where it holds, otherwise 0, as `u8`

#define BERTH_OPERATOR(symbol, way, function) \
    friend Tensor operator symbol(const Tensor &a, const Tensor &b) { return way(function, a, b); } \
    friend Tensor operator symbol(const Tensor &a, double b) { return way(function, a, b); } \
    friend Tensor operator symbol(double a, const Tensor &b) { return way(function, a, b); }
    BERTH_OPERATOR(+, combine, BERTH_ADD)
    BERTH_OPERATOR(-, combine, BERTH_SUB)
    BERTH_OPERATOR(*, combine, BERTH_MUL)
    BERTH_OPERATOR(/, combine, BERTH_DIV)
    BERTH_OPERATOR(==, compare, BERTH_EQ)
    BERTH_OPERATOR(!=, compare, BERTH_NE)
    BERTH_OPERATOR(<, compare, BERTH_LT)
    BERTH_OPERATOR(<=, compare, BERTH_LE)
    BERTH_OPERATOR(>, compare, BERTH_GT)
    BERTH_OPERATOR(>=, compare, BERTH_GE)
#undef BERTH_OPERATOR
};

/// A tensor that is written piece by piece, filled with zeros at first.
class Upload : public Handle<berth_upload> {
public:
    /// Begins one.
    Upload(DType dtype, Shape shape) : Handle(berth_upload_begin(dtype, shape.raw())) {}
    /// Writes bytes from byte `offset` on. Error: `BERTH_INVALID_ARGUMENT` when they do not lie inside the tensor.
    void write(std::uint64_t offset, std::span<const std::byte> data) {
        berth_upload_write(raw(), offset, data.data(), data.size());
    }
    /// Ends it and gives the tensor.
    Tensor finish() { return Tensor(berth_upload_finish(raw())); }
};

/// PyTorch's CPU generator, bit for bit: a seed gives the noise that `torch.manual_seed(seed)` and `torch.randn` give.
class Generator : public Handle<berth_generator> {
public:
    /// A generator at the beginning of a seed's sequence.
    explicit Generator(std::uint64_t seed) : Handle(berth_seeded(seed)) {}
    /// The next standard normals, as `f32`. Advances the generator as `torch.randn` does.
    Tensor normal(Shape shape) { return Tensor(berth_normal(raw(), shape.raw())); }
    /// The next uniforms in [0, 1), as `f32`. Advances the generator as `torch.rand` does.
    Tensor uniform(Shape shape) { return Tensor(berth_uniform(raw(), shape.raw())); }
};

} // namespace berth

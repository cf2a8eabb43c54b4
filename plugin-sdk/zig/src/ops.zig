//! The operations, as methods of `Tensor`. Binary operations broadcast as NumPy does and take operands
//! of one dtype; an axis may be negative, -1 is the last. A failed operand gives a failed tensor.

const std = @import("std");
const c = @import("bindings.zig");
const failure = @import("failure.zig");
const tensor = @import("tensor.zig");
const Tensor = tensor.Tensor;
const DType = tensor.DType;
const lendList = tensor.lendList;

const Borrow = c.berth_node_ops_borrow_tensor_t;

/// Calls a function of the bindings that gives a tensor.
pub fn result(comptime function: anytype, args: anytype) Tensor {
    var own: c.berth_node_tensors_own_tensor_t = .{};
    var err: c.berth_node_types_error_t = .{};
    if (!@call(.auto, function, args ++ .{ &own, &err })) {
        const known = failure.fromHost(&err);
        failure.note(known);
        return .{ .handle = 0, .failure = known };
    }
    return .own(own.__handle);
}

/// The first operand that failed, if one did.
fn broken(operands: anytype) ?Tensor {
    inline for (operands) |one| {
        const there: ?Tensor = one;
        if (there) |x| _ = x.check() catch |err| return .broken(err);
    }
    return null;
}

/// An operand that may be left out, as the bindings take it.
fn option(x: ?Tensor, place: *Borrow) ?*Borrow {
    place.* = (x orelse return null).borrow();
    return place;
}

/// How a convolution walks, the same in every spatial dimension.
pub const Walk = struct {
    /// Elements from one position to the next.
    stride: u32 = 1,
    /// Zeros before and after; a transposed convolution cuts as many off.
    padding: u32 = 0,
    /// Elements from one of the kernel's taps to the next.
    dilation: u32 = 1,
    /// Groups of channels that are convolved apart.
    groups: u32 = 1,

    fn raw(walk: Walk) c.berth_node_ops_walk_t {
        return .{ .stride = walk.stride, .padding = walk.padding, .dilation = walk.dilation, .groups = walk.groups };
    }
};

/// x [.., m, k] · other [.., k, n] → [.., m, n]; leading dimensions broadcast.
pub fn matmul(x: Tensor, other: Tensor) Tensor {
    return broken(.{ x, other }) orelse result(c.berth_node_ops_matmul, .{ x.borrow(), other.borrow() });
}

/// x · weightᵀ + bias: x [.., in], weight [out, in], bias [out] → [.., out].
pub fn linear(x: Tensor, weight: Tensor, bias: ?Tensor) Tensor {
    var b: Borrow = .{};
    return broken(.{ x, weight, bias }) orelse
        result(c.berth_node_ops_linear, .{ x.borrow(), weight.borrow(), option(bias, &b) });
}

/// x [n, c, l], weight [out, c/groups, k], bias [out] → [n, out, l'].
pub fn conv1d(x: Tensor, weight: Tensor, bias: ?Tensor, walk: Walk) Tensor {
    var b: Borrow = .{};
    var w = walk.raw();
    return broken(.{ x, weight, bias }) orelse
        result(c.berth_node_ops_conv1d, .{ x.borrow(), weight.borrow(), option(bias, &b), &w });
}

/// x [n, c, h, w], weight [out, c/groups, kh, kw], bias [out] → [n, out, h', w'].
pub fn conv2d(x: Tensor, weight: Tensor, bias: ?Tensor, walk: Walk) Tensor {
    var b: Borrow = .{};
    var w = walk.raw();
    return broken(.{ x, weight, bias }) orelse
        result(c.berth_node_ops_conv2d, .{ x.borrow(), weight.borrow(), option(bias, &b), &w });
}

/// Transposed: x [n, c, h, w], weight [c, out/groups, kh, kw], bias [out] → [n, out, h', w'],
/// h' = (h - 1)·stride - 2·padding + dilation·(kh - 1) + output_padding + 1.
pub fn convTranspose2d(x: Tensor, weight: Tensor, bias: ?Tensor, walk: Walk, output_padding: u32) Tensor {
    var b: Borrow = .{};
    var w = walk.raw();
    return broken(.{ x, weight, bias }) orelse
        result(c.berth_node_ops_conv_transpose2d, .{ x.borrow(), weight.borrow(), option(bias, &b), &w, output_padding });
}

/// Normalizes x [n, c, ..] over each of `groups` groups of channels, then scales and shifts by channel
/// (weight [c], bias [c]). Wu & He 2018.
pub fn groupNorm(x: Tensor, groups: u32, weight: ?Tensor, bias: ?Tensor, epsilon: f32) Tensor {
    var w: Borrow = .{};
    var b: Borrow = .{};
    return broken(.{ x, weight, bias }) orelse
        result(c.berth_node_ops_group_norm, .{ x.borrow(), groups, option(weight, &w), option(bias, &b), epsilon });
}

/// Normalizes x [.., c] over its last dimension, then scales and shifts (weight [c], bias [c]).
/// Ba, Kiros & Hinton 2016.
pub fn layerNorm(x: Tensor, weight: ?Tensor, bias: ?Tensor, epsilon: f32) Tensor {
    var w: Borrow = .{};
    var b: Borrow = .{};
    return broken(.{ x, weight, bias }) orelse
        result(c.berth_node_ops_layer_norm, .{ x.borrow(), option(weight, &w), option(bias, &b), epsilon });
}

/// x [.., c] / √(mean(x²) + epsilon), times weight [c]. Zhang & Sennrich 2019.
pub fn rmsNorm(x: Tensor, weight: ?Tensor, epsilon: f32) Tensor {
    var w: Borrow = .{};
    return broken(.{ x, weight }) orelse
        result(c.berth_node_ops_rms_norm, .{ x.borrow(), option(weight, &w), epsilon });
}

/// What an attention needs beside its operands.
pub const Attend = struct {
    /// Heads side by side in the last dimension.
    heads: u32 = 1,
    /// Broadcasts to [b, heads, n, m]: an addend of q's dtype, or u8 where 0 hides.
    mask: ?Tensor = null,
    /// Hides the keys after each query.
    causal: bool = false,
    /// The factor of q·kᵀ; 1/√d where there is none.
    scale: ?f32 = null,
};

/// Softmax(x·kᵀ·scale + mask)·v with heads side by side in the last dimension: x [b, n, heads·d],
/// k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e]. Vaswani et al. 2017.
pub fn attention(x: Tensor, k: Tensor, v: Tensor, attend: Attend) Tensor {
    var m: Borrow = .{};
    var scale: f32 = attend.scale orelse 0;
    return broken(.{ x, k, v, attend.mask }) orelse result(c.berth_node_ops_attention, .{
        x.borrow(),              k.borrow(),    v.borrow(),                                             attend.heads,
        option(attend.mask, &m), attend.causal, if (attend.scale == null) @as(?*f32, null) else &scale,
    });
}

/// Rotary position embedding of x [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021).
/// `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2.
pub fn rotary(x: Tensor, cosines: Tensor, sines: Tensor, interleaved: bool) Tensor {
    return broken(.{ x, cosines, sines }) orelse
        result(c.berth_node_ops_rotary, .{ x.borrow(), cosines.borrow(), sines.borrow(), interleaved });
}

/// Rows of weight [rows, c] by the indices x [..] (u32 or i64) → [.., c], of weight's dtype, or f32
/// when weight is quantized.
pub fn embedding(x: Tensor, weight: Tensor) Tensor {
    return broken(.{ x, weight }) orelse result(c.berth_node_ops_embedding, .{ x.borrow(), weight.borrow() });
}

/// Softmax along one axis.
pub fn softmax(x: Tensor, axis: i32) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_softmax, .{ x.borrow(), axis });
}

/// A function of each element of a float tensor; each is a method of `Tensor` too, such as `relu` and
/// `geluTanh`.
pub const Unary = enum(u8) {
    /// -x.
    neg,
    /// |x|.
    abs,
    /// -1, 0 or 1.
    sign,
    /// 1/x.
    recip,
    /// √x.
    sqrt,
    /// 1/√x.
    rsqrt,
    /// eˣ.
    exp,
    /// The natural logarithm.
    log,
    /// The sine of x radians.
    sin,
    /// The cosine of x radians.
    cos,
    /// The hyperbolic tangent.
    tanh,
    /// The error function.
    erf,
    /// The largest integer that is not above x.
    floor,
    /// The smallest integer that is not below x.
    ceil,
    /// The nearest integer, halves to the even one.
    round,
    /// max(x, 0).
    relu,
    /// 1/(1 + e⁻ˣ).
    sigmoid,
    /// x·sigmoid(x).
    silu,
    /// x·Φ(x), by the error function (Hendrycks & Gimpel 2016).
    gelu,
    /// The tanh approximation of `gelu`.
    gelu_tanh,
    /// x·sigmoid(1.702·x), as CLIP has it.
    gelu_quick,
    /// log(1 + eˣ).
    softplus,
    /// x·tanh(softplus(x)).
    mish,
};

/// Applies a function to each element.
pub fn map(x: Tensor, function: Unary) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_map, .{ x.borrow(), @backingInt(function) });
}

pub fn unary(comptime function: Unary) fn (Tensor) Tensor {
    return struct {
        fn method(x: Tensor) Tensor {
            return map(x, function);
        }
    }.method;
}

/// scale·x + shift, element by element.
pub fn affine(x: Tensor, scale: f64, shift: f64) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_affine, .{ x.borrow(), scale, shift });
}

/// x to the power `exponent`, element by element.
pub fn power(x: Tensor, exponent: f64) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_power, .{ x.borrow(), exponent });
}

/// Each element limited to low ≤ x ≤ high.
pub fn clamp(x: Tensor, low: f64, high: f64) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_clamp, .{ x.borrow(), low, high });
}

const Binary = enum(u8) { add, sub, mul, div, minimum, maximum };

fn combine(x: Tensor, other: Tensor, function: Binary) Tensor {
    return broken(.{ x, other }) orelse
        result(c.berth_node_ops_combine, .{ x.borrow(), other.borrow(), @backingInt(function) });
}

fn isNumber(comptime T: type) bool {
    return switch (@typeInfo(T)) {
        .int, .comptime_int, .float, .comptime_float => true,
        else => false,
    };
}

fn double(number: anytype) f64 {
    return switch (@typeInfo(@TypeOf(number))) {
        .int, .comptime_int => @floatFromInt(number),
        else => @floatCast(number),
    };
}

/// A tensor as it is; a number as a scalar of x's dtype.
fn operand(x: Tensor, other: anytype) Tensor {
    if (comptime isNumber(@TypeOf(other))) {
        if (broken(.{x})) |failed| return failed;
        return .full(x.dtype(), &.{}, double(other));
    }
    return plain(other);
}

/// The tensor of a tensor, or of a wire that is one.
fn plain(other: anytype) Tensor {
    return if (@TypeOf(other) == Tensor) other else other.tensor;
}

/// x + other, a tensor or a number.
pub fn add(x: Tensor, other: anytype) Tensor {
    if (comptime isNumber(@TypeOf(other))) return affine(x, 1, double(other));
    return combine(x, plain(other), .add);
}

/// x - other, a tensor or a number.
pub fn sub(x: Tensor, other: anytype) Tensor {
    if (comptime isNumber(@TypeOf(other))) return affine(x, 1, -double(other));
    return combine(x, plain(other), .sub);
}

/// x · other, a tensor or a number, element by element.
pub fn mul(x: Tensor, other: anytype) Tensor {
    if (comptime isNumber(@TypeOf(other))) return affine(x, double(other), 0);
    return combine(x, plain(other), .mul);
}

/// x / other, a tensor or a number. A number divides, and is no product with its reciprocal.
pub fn div(x: Tensor, other: anytype) Tensor {
    return combine(x, operand(x, other), .div);
}

/// number - x.
pub fn subFrom(x: Tensor, number: f64) Tensor {
    return affine(x, -1, number);
}

/// number / x.
pub fn divInto(x: Tensor, number: f64) Tensor {
    return combine(operand(x, number), x, .div);
}

/// The smaller of each pair, NaN when either is. The other is a tensor or a number.
pub fn minimum(x: Tensor, other: anytype) Tensor {
    return combine(x, operand(x, other), .minimum);
}

/// The larger of each pair, NaN when either is. The other is a tensor or a number.
pub fn maximum(x: Tensor, other: anytype) Tensor {
    return combine(x, operand(x, other), .maximum);
}

const Comparison = enum(u8) { eq, ne, lt, le, gt, ge };

/// Methods `eq`, `ne`, `lt`, `le`, `gt` and `ge`: 1 where the comparison of x with a tensor or a number
/// holds, otherwise 0, as u8; broadcasting.
pub fn comparison(comptime which: Comparison) fn (Tensor, anytype) Tensor {
    return struct {
        fn method(x: Tensor, other: anytype) Tensor {
            const right = operand(x, other);
            return broken(.{ x, right }) orelse
                result(c.berth_node_ops_compare, .{ x.borrow(), right.borrow(), @backingInt(which) });
        }
    }.method;
}

/// `a` where x (u8) is not 0, otherwise `b`; broadcasting.
pub fn choose(x: Tensor, a: Tensor, b: Tensor) Tensor {
    return broken(.{ x, a, b }) orelse
        result(c.berth_node_ops_choose, .{ x.borrow(), a.borrow(), b.borrow() });
}

const Reduction = enum(u8) { sum, mean, max, min, argmax, argmin };

fn reduce(x: Tensor, which: Reduction, axes: []const i32, keep: bool) Tensor {
    var list = lendList(c.memory_node_list_s32_t, axes);
    return broken(.{x}) orelse
        result(c.berth_node_ops_reduce, .{ x.borrow(), @backingInt(which), &list, keep });
}

/// Whether reduced axes go, or stay as dimensions of 1.
pub const Axes = enum { drop, keep };

/// Methods `sum`, `mean`, `max` and `min`, over these axes, or all of them where the list is empty. NaN
/// propagates.
pub fn reduction(comptime which: Reduction) fn (Tensor, []const i32, Axes) Tensor {
    return struct {
        fn method(x: Tensor, axes: []const i32, rest: Axes) Tensor {
            return reduce(x, which, axes, rest == .keep);
        }
    }.method;
}

/// Methods `argmax` and `argmin`: the index of the largest or smallest element along one axis, the first
/// of equals, as u32.
pub fn argReduction(comptime which: Reduction) fn (Tensor, i32, Axes) Tensor {
    return struct {
        fn method(x: Tensor, axis: i32, rest: Axes) Tensor {
            return reduce(x, which, &.{axis}, rest == .keep);
        }
    }.method;
}

/// The order of `argsort`.
pub const Order = enum { ascending, descending };

/// The indices, as u32 and of x's shape, that put one axis in order: `gather` by them gives it sorted.
/// Equal elements keep their order; NaN is greater than every number.
pub fn argsort(x: Tensor, axis: i32, order: Order) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_argsort, .{ x.borrow(), axis, order == .descending });
}

/// The running sum along one axis.
pub fn cumulativeSum(x: Tensor, axis: i32) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_cumulative_sum, .{ x.borrow(), axis });
}

/// The same elements under another shape. Costs no memory.
pub fn reshape(x: Tensor, shape: []const u32) Tensor {
    var list = lendList(c.memory_node_list_u32_t, shape);
    return broken(.{x}) orelse result(c.berth_node_ops_reshape, .{ x.borrow(), &list });
}

/// Dimension i of the result is dimension axes[i] of x.
pub fn permute(x: Tensor, axes: []const u32) Tensor {
    var list = lendList(c.memory_node_list_u32_t, axes);
    return broken(.{x}) orelse result(c.berth_node_ops_permute, .{ x.borrow(), &list });
}

/// The indices start ≤ i < end of one axis; without an end, up to its last.
pub fn slice(x: Tensor, axis: i32, start: u32, end: ?u32) Tensor {
    return sliceStep(x, axis, start, end, 1);
}

/// The indices start, start + step, … below `end` of one axis; without an end, up to its last.
pub fn sliceStep(x: Tensor, axis: i32, start: u32, end: ?u32, step: u32) Tensor {
    return broken(.{x}) orelse
        result(c.berth_node_ops_slice, .{ x.borrow(), axis, start, end orelse x.dim(axis), step });
}

/// The tensors one after another along an axis; their other dimensions are equal.
pub fn concat(axis: i32, tensors: []const Tensor) Tensor {
    const list = failure.allocator.alloc(Borrow, tensors.len) catch @panic("the plugin's memory is full");
    defer failure.allocator.free(list);
    for (tensors, list) |x, *place| {
        if (broken(.{x})) |failed| return failed;
        place.* = x.borrow();
    }
    var lent = lendList(c.berth_node_ops_list_borrow_tensor_t, list);
    return result(c.berth_node_ops_concat, .{ &lent, axis });
}

/// x repeated to a shape that it broadcasts to.
pub fn broadcast(x: Tensor, shape: []const u32) Tensor {
    var list = lendList(c.memory_node_list_u32_t, shape);
    return broken(.{x}) orelse result(c.berth_node_ops_broadcast, .{ x.borrow(), &list });
}

/// One axis backwards.
pub fn flip(x: Tensor, axis: i32) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_flip, .{ x.borrow(), axis });
}

/// What lies outside of a padded tensor: a value, the nearest element, the tensor mirrored without
/// repeating its edge, or the tensor again from its other end.
pub const Padding = union(enum) { constant: f64, edge, reflect, wrap };

/// Pads each axis by .{ before, after }; one pair for each dimension of x.
pub fn pad(x: Tensor, padding: Padding, amounts: []const [2]u32) Tensor {
    var raw: c.berth_node_ops_padding_t = .{ .tag = @backingInt(padding) };
    if (padding == .constant) raw.val.constant = padding.constant;
    var list: c.memory_node_list_tuple2_u32_u32_t = if (amounts.len == 0) .{} else .{ .ptr = @ptrCast(@constCast(amounts.ptr)), .len = amounts.len };
    return broken(.{x}) orelse result(c.berth_node_ops_pad, .{ x.borrow(), &list, &raw });
}

/// result[.., i, ..] = x[.., indices[.., i, ..], ..] along one axis; indices (u32 or i64) has x's rank,
/// and its shape except along the axis.
pub fn gather(x: Tensor, axis: i32, indices: Tensor) Tensor {
    return broken(.{ x, indices }) orelse
        result(c.berth_node_ops_gather, .{ x.borrow(), axis, indices.borrow() });
}

/// Whole slices of one axis, by a 1-D tensor of indices (u32 or i64).
pub fn indexSelect(x: Tensor, axis: i32, indices: Tensor) Tensor {
    return broken(.{ x, indices }) orelse
        result(c.berth_node_ops_index_select, .{ x.borrow(), axis, indices.borrow() });
}

/// How `interpolate` finds a sample, as PyTorch's `interpolate` of that name, with align_corners=False
/// and no antialiasing; `lanczos` is Pillow's antialiased filter of radius 3.
pub const Sampling = enum(u8) { nearest, nearest_exact, bilinear, bicubic, area, lanczos };

/// Resizes x [n, c, h, w] to [n, c, height, width].
pub fn interpolate(x: Tensor, height: u32, width: u32, sampling: Sampling) Tensor {
    return broken(.{x}) orelse
        result(c.berth_node_ops_interpolate, .{ x.borrow(), height, width, @backingInt(sampling) });
}

/// Converts each element. Floats to integers truncate and saturate; quantized tensors convert to a
/// float type.
pub fn cast(x: Tensor, dtype: DType) Tensor {
    return broken(.{x}) orelse result(c.berth_node_ops_cast, .{ x.borrow(), @backingInt(dtype) });
}

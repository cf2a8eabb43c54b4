//! Tensors by handle: how they are made, read and given back. The operations are in ops.zig.

const std = @import("std");
const c = @import("bindings.zig");
const failure = @import("failure.zig");
const ops = @import("ops.zig");
const Error = failure.Error;

/// Element type of a tensor. The `q` types are GGUF's block-quantized formats: only a weight given to
/// `linear`, `conv2d` or `embedding`, and the operand of `cast`, may have one.
pub const DType = enum(u8) {
    u8,
    u32,
    i32,
    i64,
    f16,
    bf16,
    f32,
    f64,
    f8_e4m3,
    f8_e5m2,
    q4_0,
    q4_1,
    q5_0,
    q5_1,
    q8_0,
    q8_1,
    q2_k,
    q3_k,
    q4_k,
    q5_k,
    q6_k,
    q8_k,

    /// Bytes of one element, or 0 for a block-quantized type.
    pub fn size(dtype: DType) usize {
        return switch (dtype) {
            .u8, .f8_e4m3, .f8_e5m2 => 1,
            .f16, .bf16 => 2,
            .u32, .i32, .f32 => 4,
            .i64, .f64 => 8,
            else => 0,
        };
    }

    /// The element type of Zig's numbers u8, u32, i32, i64, f16, f32 and f64.
    pub fn of(comptime T: type) DType {
        return @field(DType, @typeName(T));
    }
};

/// Bytes that cross between plugin and host at once.
const piece = 1 << 20;

// The handles of all tensors that were made, for scopes to give back.
var made: std.ArrayList(i32) = .empty;

/// Gives back the tensors of a loop's earlier turns, which would otherwise stay until the run ends.
///
/// ```zig
/// const scope = berth.Scope.begin();
/// for (sigmas) |sigma| x = scope.keep(x.mul(sigma).add(noise));
/// ```
pub const Scope = struct {
    start: usize,

    /// What is made from here on belongs to the scope. Scopes nest.
    pub fn begin() Scope {
        return .{ .start = made.items.len };
    }

    /// Closes all tensors that were made since `begin` but those that are kept: a tensor, or a struct, a
    /// slice or an optional of tensors. It can be called again and again.
    pub fn keep(scope: Scope, kept: anytype) @TypeOf(kept) {
        var length = scope.start;
        for (made.items[scope.start..]) |handle| {
            if (holds(kept, handle)) {
                made.items[length] = handle;
                length += 1;
            } else if (handle != 0) {
                c.berth_node_tensors_tensor_drop_own(.{ .__handle = handle });
            }
        }
        made.shrinkRetainingCapacity(length);
        return kept;
    }

    fn holds(kept: anytype, handle: i32) bool {
        if (@TypeOf(kept) == Tensor) return kept.handle == handle;
        switch (@typeInfo(@TypeOf(kept))) {
            .@"struct" => |info| inline for (info.field_names) |name| {
                if (holds(@field(kept, name), handle)) return true;
            },
            .array, .pointer => for (kept) |one| if (holds(one, handle)) return true,
            .optional => return if (kept) |one| holds(one, handle) else false,
            else => {},
        }
        return false;
    }
};

/// An immutable array that the host holds: a handle, and nothing else. Elements are row-major.
///
/// An operation that fails gives a failed tensor, and every operation on that fails alike. So a
/// formula of many operations has no `try` in it, and its result is checked once: by `check`, or by
/// the SDK when a node returns it. Nothing has to be freed: all handles end with the run, and those
/// of a loop by its `Scope`.
pub const Tensor = struct {
    handle: i32,
    failure: ?*const failure.Failure = null,

    pub const wire_type = "*";

    /// A failed tensor, of the latest error.
    pub fn broken(err: Error) Tensor {
        const known = failure.latest() orelse failure.keep(.{ .kind = err });
        return .{ .handle = 0, .failure = known };
    }

    pub fn own(handle: i32) Tensor {
        made.append(failure.allocator, handle) catch @panic("the plugin's memory is full");
        return .{ .handle = handle };
    }

    /// The tensor, or the error of a failed one.
    pub fn check(x: Tensor) Error!Tensor {
        if (x.failure) |known| return failure.set(known);
        if (x.handle == 0) return failure.invalid("a tensor was used after it was closed", .{});
        return x;
    }

    pub fn borrow(x: Tensor) c.berth_node_tensors_borrow_tensor_t {
        return .{ .__handle = x.handle };
    }

    /// A second handle, which belongs to whom it is given to.
    pub fn share(x: Tensor) Error!i32 {
        return c.berth_node_tensors_method_tensor_share((try x.check()).borrow()).__handle;
    }

    /// Gives the tensor back now. It cannot be used any more, and what was made of it stays.
    pub fn close(x: *Tensor) void {
        if (x.handle == 0) return;
        if (std.mem.lastIndexOfScalar(i32, made.items, x.handle)) |at| made.items[at] = 0;
        c.berth_node_tensors_tensor_drop_own(.{ .__handle = x.handle });
        x.handle = 0;
    }

    /// The element type; of a failed tensor, f32.
    pub fn dtype(x: Tensor) DType {
        if (x.handle == 0) return .f32;
        return @fromBackingInt(@intCast(c.berth_node_tensors_method_tensor_dtype(x.borrow())));
    }

    /// The dimensions, outermost first: none for a scalar, and none for a failed tensor.
    pub fn shape(x: Tensor) []const u32 {
        if (x.handle == 0) return &.{};
        var list: c.memory_node_list_u32_t = .{};
        c.berth_node_tensors_method_tensor_shape(x.borrow(), &list);
        return if (list.len == 0) &.{} else list.ptr[0..list.len];
    }

    /// The dimensions of a tensor that has `n` of them.
    pub fn dims(x: Tensor, comptime n: usize) Error![n]u32 {
        const found = (try x.check()).shape();
        if (found.len != n) return failure.invalid("a tensor of {d} dimensions is expected, not one of {any}", .{ n, found });
        return found[0..n].*;
    }

    /// One dimension; axis -1 is the last. 0 where there is no such axis.
    pub fn dim(x: Tensor, axis: i32) u32 {
        const found = x.shape();
        const place = if (axis < 0) axis + @as(i32, @intCast(found.len)) else axis;
        return if (place < 0 or place >= found.len) 0 else found[@intCast(place)];
    }

    /// How many elements there are; of a failed tensor, 0.
    pub fn elements(x: Tensor) usize {
        if (x.handle == 0) return 0;
        var count: usize = 1;
        for (x.shape()) |one| count *= one;
        return count;
    }

    /// A tensor of these bytes, little-endian, exactly as many as dtype and shape say.
    pub fn fromBytes(kind: DType, dimensions: []const u32, data: []const u8) Tensor {
        if (data.len > piece) {
            var upload = Upload.begin(kind, dimensions) catch |err| return broken(err);
            upload.write(0, data) catch |err| return broken(err);
            return upload.finish();
        }
        var list = lendList(c.memory_node_list_u32_t, dimensions);
        var bytes = lendList(c.memory_node_list_u8_t, data);
        return ops.result(c.berth_node_tensors_from_bytes, .{ @backingInt(kind), &list, &bytes });
    }

    /// A tensor of these numbers, of their own element type; as many as the shape says.
    pub fn fromSlice(comptime T: type, dimensions: []const u32, data: []const T) Tensor {
        return fromBytes(.of(T), dimensions, std.mem.sliceAsBytes(data));
    }

    /// A tensor whose every element is `value`, converted to the dtype.
    pub fn full(kind: DType, dimensions: []const u32, value: f64) Tensor {
        var list = lendList(c.memory_node_list_u32_t, dimensions);
        return ops.result(c.berth_node_tensors_full, .{ @backingInt(kind), &list, value });
    }

    /// A tensor of zeros.
    pub fn zeros(kind: DType, dimensions: []const u32) Tensor {
        return full(kind, dimensions, 0);
    }

    /// A tensor of ones.
    pub fn ones(kind: DType, dimensions: []const u32) Tensor {
        return full(kind, dimensions, 1);
    }

    /// The 1-D tensor start, start + step, … of `count` elements, computed in f64.
    pub fn arange(kind: DType, start: f64, step: f64, count: u32) Tensor {
        return ops.result(c.berth_node_tensors_arange, .{ @backingInt(kind), start, step, count });
    }

    /// `length` bytes from byte `offset` on, little-endian, of `berth.allocator`.
    pub fn readRange(x: Tensor, offset: u64, length: u32) Error![]u8 {
        const known = try x.check();
        var bytes: c.memory_node_list_u8_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_tensors_method_tensor_read(known.borrow(), offset, length, &bytes, &err))
            return failure.set(failure.fromHost(&err));
        return if (bytes.len == 0) &.{} else bytes.ptr[0..bytes.len];
    }

    /// All elements as T, cast by the host when they are of another type, of `berth.allocator`.
    pub fn read(x: Tensor, comptime T: type) Error![]T {
        const known = try x.check();
        if (known.dtype() != DType.of(T)) return known.cast(.of(T)).read(T);
        const numbers = failure.allocator.alloc(T, known.elements()) catch return failure.raise(.{ .kind = error.Other, .message = "the plugin's memory is full" });
        const bytes = std.mem.sliceAsBytes(numbers);
        var offset: usize = 0;
        while (offset < bytes.len) {
            const part = try known.readRange(offset, @intCast(@min(piece, bytes.len - offset)));
            defer failure.allocator.free(part);
            @memcpy(bytes[offset..][0..part.len], part);
            offset += part.len;
        }
        return numbers;
    }

    /// The one element of a tensor that has one, as f64.
    pub fn scalar(x: Tensor) Error!f64 {
        const numbers = try x.read(f64);
        if (numbers.len != 1) return failure.invalid("a tensor of one element is expected, not one of {d}", .{numbers.len});
        return numbers[0];
    }

    pub const matmul = ops.matmul;
    pub const linear = ops.linear;
    pub const conv1d = ops.conv1d;
    pub const conv2d = ops.conv2d;
    pub const convTranspose2d = ops.convTranspose2d;
    pub const groupNorm = ops.groupNorm;
    pub const layerNorm = ops.layerNorm;
    pub const rmsNorm = ops.rmsNorm;
    pub const attention = ops.attention;
    pub const rotary = ops.rotary;
    pub const embedding = ops.embedding;
    pub const softmax = ops.softmax;
    pub const map = ops.map;
    pub const neg = ops.unary(.neg);
    pub const abs = ops.unary(.abs);
    pub const sign = ops.unary(.sign);
    pub const recip = ops.unary(.recip);
    pub const sqrt = ops.unary(.sqrt);
    pub const rsqrt = ops.unary(.rsqrt);
    pub const exp = ops.unary(.exp);
    pub const log = ops.unary(.log);
    pub const sin = ops.unary(.sin);
    pub const cos = ops.unary(.cos);
    pub const tanh = ops.unary(.tanh);
    pub const erf = ops.unary(.erf);
    pub const floor = ops.unary(.floor);
    pub const ceil = ops.unary(.ceil);
    pub const round = ops.unary(.round);
    pub const relu = ops.unary(.relu);
    pub const sigmoid = ops.unary(.sigmoid);
    pub const silu = ops.unary(.silu);
    pub const gelu = ops.unary(.gelu);
    pub const geluTanh = ops.unary(.gelu_tanh);
    pub const geluQuick = ops.unary(.gelu_quick);
    pub const softplus = ops.unary(.softplus);
    pub const mish = ops.unary(.mish);
    pub const affine = ops.affine;
    pub const power = ops.power;
    pub const clamp = ops.clamp;
    pub const add = ops.add;
    pub const sub = ops.sub;
    pub const mul = ops.mul;
    pub const div = ops.div;
    pub const subFrom = ops.subFrom;
    pub const divInto = ops.divInto;
    pub const minimum = ops.minimum;
    pub const maximum = ops.maximum;
    pub const eq = ops.comparison(.eq);
    pub const ne = ops.comparison(.ne);
    pub const lt = ops.comparison(.lt);
    pub const le = ops.comparison(.le);
    pub const gt = ops.comparison(.gt);
    pub const ge = ops.comparison(.ge);
    pub const choose = ops.choose;
    pub const sum = ops.reduction(.sum);
    pub const mean = ops.reduction(.mean);
    pub const max = ops.reduction(.max);
    pub const min = ops.reduction(.min);
    pub const argmax = ops.argReduction(.argmax);
    pub const argmin = ops.argReduction(.argmin);
    pub const argsort = ops.argsort;
    pub const cumulativeSum = ops.cumulativeSum;
    pub const reshape = ops.reshape;
    pub const permute = ops.permute;
    pub const slice = ops.slice;
    pub const sliceStep = ops.sliceStep;
    pub const broadcast = ops.broadcast;
    pub const flip = ops.flip;
    pub const pad = ops.pad;
    pub const gather = ops.gather;
    pub const indexSelect = ops.indexSelect;
    pub const interpolate = ops.interpolate;
    pub const cast = ops.cast;
};

/// A slice lent to the host for a call. The host checks the place of an empty one too, so it has none.
pub fn lendList(comptime List: type, slice: anytype) List {
    return if (slice.len == 0) .{} else .{ .ptr = @constCast(slice.ptr), .len = slice.len };
}

/// A tensor being written piece by piece, for data too large to hold at once.
pub const Upload = struct {
    handle: i32,

    /// Begins a tensor of this type and shape, filled with zeros.
    pub fn begin(kind: DType, dimensions: []const u32) Error!Upload {
        var list = lendList(c.memory_node_list_u32_t, dimensions);
        var own: c.berth_node_tensors_own_upload_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_tensors_static_upload_begin(@backingInt(kind), &list, &own, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .handle = own.__handle };
    }

    /// Writes data, little-endian, from byte `offset` on. It must lie inside the tensor.
    pub fn write(upload: Upload, offset: u64, data: []const u8) Error!void {
        var start: usize = 0;
        while (start < data.len) : (start += piece) {
            var bytes = lendList(c.memory_node_list_u8_t, data[start..@min(start + piece, data.len)]);
            var err: c.berth_node_types_error_t = .{};
            if (!c.berth_node_tensors_method_upload_write(.{ .__handle = upload.handle }, offset + start, &bytes, &err))
                return failure.set(failure.fromHost(&err));
        }
    }

    /// The tensor. No more can be written.
    pub fn finish(upload: Upload) Tensor {
        defer c.berth_node_tensors_upload_drop_own(.{ .__handle = upload.handle });
        return ops.result(c.berth_node_tensors_method_upload_finish, .{c.berth_node_tensors_borrow_upload_t{ .__handle = upload.handle }});
    }
};

/// PyTorch's CPU generator (MT19937), bit for bit: a seed gives the noise that torch.manual_seed(seed)
/// and torch.randn give.
pub const Generator = struct {
    handle: i32,

    /// A generator at the beginning of a seed's sequence.
    pub fn seeded(seed: u64) Generator {
        var wide: c.berth_node_types_wide_integer_t = .{ .high = @intCast(seed >> 32), .low = @truncate(seed) };
        return .{ .handle = c.berth_node_tensors_static_generator_seeded(@as(*c.berth_node_types_wide_integer_t, &wide)).__handle };
    }

    /// The next standard normals, as f32, as torch.randn gives them.
    pub fn normal(generator: Generator, dimensions: []const u32) Tensor {
        var list = lendList(c.memory_node_list_u32_t, dimensions);
        return ops.result(c.berth_node_tensors_method_generator_normal, .{ c.berth_node_tensors_borrow_generator_t{ .__handle = generator.handle }, &list });
    }

    /// The next uniforms in [0, 1), as f32, as torch.rand gives them.
    pub fn uniform(generator: Generator, dimensions: []const u32) Tensor {
        var list = lendList(c.memory_node_list_u32_t, dimensions);
        return ops.result(c.berth_node_tensors_method_generator_uniform, .{ c.berth_node_tensors_borrow_generator_t{ .__handle = generator.handle }, &list });
    }

    /// Gives the generator back now.
    pub fn close(generator: Generator) void {
        c.berth_node_tensors_generator_drop_own(.{ .__handle = generator.handle });
    }
};

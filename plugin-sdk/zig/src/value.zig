//! Values: how Zig's types cross to the host and back. Nothing is converted on the way: a number is not
//! an integer, even where it has no fraction.

const std = @import("std");
const c = @import("bindings.zig");
const failure = @import("failure.zig");
const object = @import("object.zig");
const tensor = @import("tensor.zig");
const Error = failure.Error;
const Raw = c.berth_node_values_value_t;

/// Whatever is on a wire. An input or output of this type connects to all.
pub const Any = union(enum) {
    boolean: bool,
    /// An integer of up to 64 bits, signed or unsigned.
    integer: i128,
    number: f64,
    text: []const u8,
    bytes: Bytes,
    tensor: tensor.Tensor,
    model: object.ModelFile,
    function: object.Function,
    object: object.Object,
    items: object.List,

    pub const wire_type = "*";

    /// The value as a T, as inputs of that type are taken.
    /// Errors: `InvalidArgument` for a value of another type.
    pub fn as(any: Any, comptime T: type) Error!T {
        return decode(T, any);
    }

    fn name(any: Any) []const u8 {
        return switch (any) {
            .boolean => "a boolean",
            .integer => "an integer",
            .number => "a number",
            .text => "a text",
            .bytes => "bytes",
            .tensor => |x| failure.print("a {t} tensor of {any}", .{ x.dtype(), x.shape() }),
            .model => "a model file",
            .function => "a function",
            .object => |o| failure.print("a {s}", .{o.typeName()}),
            .items => "a list",
        };
    }
};

/// Bytes as they are. (A `[]const u8` is a text.)
pub const Bytes = struct { data: []const u8 };

pub fn fromHost(raw: Raw) Any {
    return switch (raw.tag) {
        0 => .{ .boolean = raw.val.boolean },
        1 => .{ .integer = integer(raw.val.integer) },
        2 => .{ .number = raw.val.number },
        3 => .{ .text = failure.text(raw.val.text) },
        4 => .{ .bytes = .{ .data = if (raw.val.bytes.len == 0) "" else raw.val.bytes.ptr[0..raw.val.bytes.len] } },
        5 => .{ .tensor = .own(raw.val.tensor.__handle) },
        6 => .{ .model = .{ .handle = raw.val.model.__handle } },
        7 => .{ .function = .{ .handle = raw.val.function.__handle } },
        8 => .{ .object = .{ .handle = raw.val.object.__handle } },
        else => .{ .items = .{ .handle = raw.val.items.__handle } },
    };
}

fn integer(wide: c.berth_node_types_wide_integer_t) i128 {
    const magnitude = @as(i128, wide.high) << 32 | wide.low;
    return if (wide.negative) -magnitude else magnitude;
}

pub fn wideInteger(number: i128) c.berth_node_types_wide_integer_t {
    const magnitude: u64 = @truncate(@abs(number));
    return .{ .negative = number < 0, .high = @intCast(magnitude >> 32), .low = @truncate(magnitude) };
}

pub fn mismatch(expected: []const u8, any: Any) Error {
    return failure.invalid("expected {s}, got {s}", .{ expected, any.name() });
}

/// Whether a type is one of the SDK's that wrap another: it has `fromAny` and `toAny`.
fn isWire(comptime T: type) bool {
    return @typeInfo(T) == .@"struct" and @hasDecl(T, "fromAny");
}

const unfit = "a value is a bool, an integer, a float, []const u8, an enum, a wire such as berth.Image, a slice or an optional of these, and cannot be taken as ";

/// A value as a T.
pub fn decode(comptime T: type, any: Any) Error!T {
    switch (T) {
        Any => return any,
        Bytes => return if (any == .bytes) any.bytes else mismatch("bytes", any),
        []const u8 => return if (any == .text) any.text else mismatch("a text", any),
        tensor.Tensor => return if (any == .tensor) any.tensor else mismatch("a tensor", any),
        object.ModelFile => return if (any == .model) any.model else mismatch("a model file", any),
        object.Function => return if (any == .function) any.function else mismatch("a function", any),
        object.Object => return if (any == .object) any.object else mismatch("an object", any),
        object.List => return if (any == .items) any.items else mismatch("a list", any),
        else => {},
    }
    switch (@typeInfo(T)) {
        .bool => return if (any == .boolean) any.boolean else mismatch("a boolean", any),
        .int => {
            if (any != .integer) return mismatch("an integer", any);
            return std.math.cast(T, any.integer) orelse
                failure.invalid("{d} is not between {d} and {d}", .{ any.integer, std.math.minInt(T), std.math.maxInt(T) });
        },
        .float => return if (any == .number) @floatCast(any.number) else mismatch("a number", any),
        .@"enum" => {
            if (any != .text) return mismatch("a text", any);
            return std.meta.stringToEnum(T, any.text) orelse
                failure.invalid("`{s}` is not one of {s}", .{ any.text, comptime names(T) });
        },
        .optional => |info| return try decode(info.child, any),
        .pointer => |info| {
            if (info.size != .slice) @compileError(unfit ++ @typeName(T));
            if (any != .items) return mismatch("a list", any);
            return any.items.read(info.child);
        },
        else => {},
    }
    if (comptime isWire(T)) return T.fromAny(any);
    @compileError(unfit ++ @typeName(T));
}

fn names(comptime T: type) []const u8 {
    var list: []const u8 = "";
    for (@typeInfo(T).@"enum".field_names, 0..) |name, i| list = list ++ (if (i == 0) "" else ", ") ++ name;
    return list;
}

/// The contract's value of a Zig value. Handles are shared, texts and bytes copied: the host's side of
/// a call only borrows them, but what an export returns is freed after it.
pub fn encode(value: anytype) Error!Raw {
    const T = @TypeOf(value);
    switch (T) {
        Any => switch (value) {
            inline else => |inner| return encode(inner),
        },
        i128 => return .{ .tag = 1, .val = .{ .integer = wideInteger(value) } },
        Bytes => {
            const copy = failure.give(value.data);
            return .{ .tag = 4, .val = .{ .bytes = .{ .ptr = copy.ptr, .len = copy.len } } };
        },
        tensor.Tensor => return .{ .tag = 5, .val = .{ .tensor = .{ .__handle = try value.share() } } },
        object.ModelFile => return .{ .tag = 6, .val = .{ .model = .{ .__handle = value.share() } } },
        object.Function => return .{ .tag = 7, .val = .{ .function = .{ .__handle = value.share() } } },
        object.Object => return .{ .tag = 8, .val = .{ .object = .{ .__handle = value.share() } } },
        object.List => return .{ .tag = 9, .val = .{ .items = .{ .__handle = value.share() } } },
        else => {},
    }
    switch (@typeInfo(T)) {
        .bool => return .{ .tag = 0, .val = .{ .boolean = value } },
        .int, .comptime_int => return .{ .tag = 1, .val = .{ .integer = wideInteger(value) } },
        .float, .comptime_float => return .{ .tag = 2, .val = .{ .number = value } },
        .@"enum" => return encode(@as([]const u8, @tagName(value))),
        .pointer => |info| {
            if (comptime isText(T)) return .{ .tag = 3, .val = .{ .text = failure.give(value) } };
            if (info.size == .slice or @typeInfo(info.child) == .array)
                return .{ .tag = 9, .val = .{ .items = .{ .__handle = (try object.List.create(value)).share() } } };
        },
        else => {},
    }
    if (comptime isWire(T)) return encode(try value.toAny());
    @compileError("a value of " ++ @typeName(T) ++ " cannot travel on a wire");
}

/// Whether a type is that of a text: a slice of u8, or a literal.
fn isText(comptime T: type) bool {
    const info = @typeInfo(T).pointer;
    if (info.size == .slice) return info.child == u8;
    return @typeInfo(info.child) == .array and @typeInfo(info.child).array.child == u8;
}

/// A field's name as the contract writes names: with hyphens.
pub fn hyphens(comptime name: []const u8) []const u8 {
    comptime {
        var out: [name.len]u8 = undefined;
        for (name, &out) |letter, *place| place.* = if (letter == '_') '-' else letter;
        const final = out;
        return &final;
    }
}

/// A struct's fields as named values; fields that are null are left out.
pub fn encodeFields(fields: anytype) Error!c.berth_node_values_list_named_value_t {
    const info = @typeInfo(@TypeOf(fields)).@"struct";
    const list = failure.allocator.alloc(c.berth_node_values_named_value_t, info.field_names.len) catch @panic("the plugin's memory is full");
    var count: usize = 0;
    inline for (info.field_names, info.field_types) |name, Field| {
        const field = @field(fields, name);
        if (comptime @typeInfo(Field) == .optional) {
            if (field) |there| {
                list[count] = .{ .name = failure.give(comptime hyphens(name)), .value = try encode(there) };
                count += 1;
            }
        } else {
            list[count] = .{ .name = failure.give(comptime hyphens(name)), .value = try encode(field) };
            count += 1;
        }
    }
    return if (count == 0) .{} else .{ .ptr = list.ptr, .len = count };
}

//! What travels by handle beside tensors: objects, lists, functions and model files.

const std = @import("std");
const c = @import("bindings.zig");
const failure = @import("failure.zig");
const tensor = @import("tensor.zig");
const value = @import("value.zig");
const Error = failure.Error;

/// Named values that a function was given or gave.
pub const Fields = struct {
    list: []const c.berth_node_values_named_value_t,

    /// One of them as a T.
    /// Errors: `InvalidArgument` that names the field, when it is missing or of another type.
    pub fn get(fields: Fields, comptime T: type, name: []const u8) Error!T {
        return try fields.find(T, name) orelse failure.invalid("`{s}` is missing", .{name});
    }

    /// One of them as a T, or null where there is none.
    pub fn find(fields: Fields, comptime T: type, name: []const u8) Error!?T {
        for (fields.list) |field| {
            if (std.mem.eql(u8, failure.text(field.name), name))
                return value.decode(T, value.fromHost(field.value)) catch |err| return at(err, name);
        }
        return null;
    }
};

/// The same error, with a name before its text.
pub fn at(err: Error, name: []const u8) Error {
    const known = failure.latest() orelse return err;
    if (known.kind != err or err != error.InvalidArgument) return err;
    return failure.invalid("`{s}`: {s}", .{ name, known.message });
}

/// Named values under a type name, held by the host. Immutable.
pub const Object = struct {
    handle: i32,

    pub const wire_type = "*";

    /// An object of a struct's fields: a field `latent_scale` is called `latent-scale`, and one that is
    /// null is left out.
    pub fn create(type_name: []const u8, fields: anytype) Error!Object {
        var name = failure.lend(type_name);
        var list = try value.encodeFields(fields);
        var own: c.berth_node_values_own_object_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_values_static_object_create(&name, &list, &own, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .handle = own.__handle };
    }

    pub fn borrow(o: Object) c.berth_node_values_borrow_object_t {
        return .{ .__handle = o.handle };
    }

    pub fn share(o: Object) i32 {
        return c.berth_node_values_method_object_share(o.borrow()).__handle;
    }

    /// The type name.
    pub fn typeName(o: Object) []const u8 {
        var name: c.memory_node_string_t = .{};
        c.berth_node_values_method_object_type_name(o.borrow(), &name);
        return failure.text(name);
    }

    /// The names of the fields, in the order that they were given in.
    pub fn fieldNames(o: Object) []const []const u8 {
        var list: c.memory_node_list_string_t = .{};
        c.berth_node_values_method_object_field_names(o.borrow(), &list);
        return texts(list);
    }

    /// One field as a T.
    /// Errors: `InvalidArgument` that names the field, when it is missing or of another type.
    pub fn get(o: Object, comptime T: type, name: []const u8) Error!T {
        return try o.find(T, name) orelse failure.invalid("{s}: `{s}` is missing", .{ o.typeName(), name });
    }

    /// One field as a T, or null where there is none.
    pub fn find(o: Object, comptime T: type, name: []const u8) Error!?T {
        var lent = failure.lend(name);
        var raw: c.berth_node_values_value_t = .{};
        if (!c.berth_node_values_method_object_get(o.borrow(), &lent, &raw)) return null;
        return value.decode(T, value.fromHost(raw)) catch |err| return at(err, name);
    }

    /// A copy in which these fields are set, and all others as they were.
    pub fn replace(o: Object, fields: anytype) Error!Object {
        var list = try value.encodeFields(fields);
        var own: c.berth_node_values_own_object_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_values_method_object_replace(o.borrow(), &list, &own, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .handle = own.__handle };
    }

    /// Gives the handle back now.
    pub fn close(o: Object) void {
        c.berth_node_values_object_drop_own(.{ .__handle = o.handle });
    }
};

pub fn texts(list: c.memory_node_list_string_t) []const []const u8 {
    const out = failure.allocator.alloc([]const u8, list.len) catch @panic("the plugin's memory is full");
    for (out, 0..) |*place, i| place.* = failure.text(list.ptr[i]);
    return out;
}

/// Values in order, held by the host. Immutable. An input or a field of a slice's type takes it too.
pub const List = struct {
    handle: i32,

    pub const wire_type = "*";

    /// A list of a slice's elements, or of a tuple's.
    pub fn create(items: anytype) Error!List {
        const is_tuple = @typeInfo(@TypeOf(items)) == .@"struct";
        const length = if (is_tuple) @typeInfo(@TypeOf(items)).@"struct".field_names.len else items.len;
        const raw = failure.allocator.alloc(c.berth_node_values_value_t, length) catch @panic("the plugin's memory is full");
        if (is_tuple) {
            inline for (0..length) |i| raw[i] = try value.encode(items[i]);
        } else for (items, raw) |item, *place| {
            place.* = try value.encode(item);
        }
        var list = tensor.lendList(c.berth_node_values_list_value_t, raw);
        var own: c.berth_node_values_own_value_list_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_values_static_value_list_create(&list, &own, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .handle = own.__handle };
    }

    fn borrow(l: List) c.berth_node_values_borrow_value_list_t {
        return .{ .__handle = l.handle };
    }

    pub fn share(l: List) i32 {
        return c.berth_node_values_method_value_list_share(l.borrow()).__handle;
    }

    /// How many there are.
    pub fn len(l: List) u32 {
        return c.berth_node_values_method_value_list_length(l.borrow());
    }

    /// One of them as a T. Errors: `NotFound` past the end.
    pub fn get(l: List, comptime T: type, index: u32) Error!T {
        var raw: c.berth_node_values_value_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_values_method_value_list_get(l.borrow(), index, &raw, &err))
            return failure.set(failure.fromHost(&err));
        return value.decode(T, value.fromHost(raw)) catch |e| return at(e, failure.print("item {d}", .{index}));
    }

    /// All of them as Ts.
    pub fn read(l: List, comptime T: type) Error![]T {
        const items = failure.allocator.alloc(T, l.len()) catch @panic("the plugin's memory is full");
        for (items, 0..) |*item, i| item.* = try l.get(T, @intCast(i));
        return items;
    }

    /// Gives the handle back now.
    pub fn close(l: List) void {
        c.berth_node_values_value_list_drop_own(.{ .__handle = l.handle });
    }
};

/// A function of a plugin with values captured. Whoever holds it can call it, from any plugin; it runs
/// in a fresh instance of the plugin that made it.
pub const Function = struct {
    handle: i32,

    pub const wire_type = "*";

    /// This plugin's function of a name in `functions`, with a struct of captures.
    pub fn create(name: []const u8, captures: anytype) Error!Function {
        var lent = failure.lend(name);
        var list = try value.encodeFields(captures);
        var own: c.berth_node_values_own_function_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_values_static_function_create(&lent, &list, &own, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .handle = own.__handle };
    }

    pub fn share(f: Function) i32 {
        return c.berth_node_values_method_function_share(.{ .__handle = f.handle }).__handle;
    }

    /// Calls it with a struct of arguments, and waits for what it returns. Errors: the function's own.
    pub fn call(f: Function, arguments: anytype) Error!Fields {
        var list = try value.encodeFields(arguments);
        var results: c.berth_node_values_list_named_value_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_values_method_function_call(.{ .__handle = f.handle }, &list, &results, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .list = if (results.len == 0) &.{} else results.ptr[0..results.len] };
    }

    /// Gives the handle back now.
    pub fn close(f: Function) void {
        c.berth_node_values_function_drop_own(.{ .__handle = f.handle });
    }
};

/// An open model file. Opening reads its header; a weight is read when an operation first needs it.
pub const ModelFile = struct {
    handle: i32,

    pub const wire_type = "*";

    /// Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`.
    /// Errors: `NotFound`, `AccessDenied`, `InvalidArgument` for a file that is no model.
    pub fn open(category: []const u8, name: []const u8) Error!ModelFile {
        var lent_category = failure.lend(category);
        var lent_name = failure.lend(name);
        var own: c.berth_node_models_own_model_t = .{};
        var err: c.berth_node_types_error_t = .{};
        if (!c.berth_node_models_static_model_open(&lent_category, &lent_name, &own, &err))
            return failure.set(failure.fromHost(&err));
        return .{ .handle = own.__handle };
    }

    /// The labels of a category that this plugin may open, sorted.
    pub fn available(category: []const u8) []const []const u8 {
        var lent = failure.lend(category);
        var list: c.memory_node_list_string_t = .{};
        c.berth_node_models_available(&lent, &list);
        return texts(list);
    }

    fn borrow(m: ModelFile) c.berth_node_models_borrow_model_t {
        return .{ .__handle = m.handle };
    }

    pub fn share(m: ModelFile) i32 {
        return c.berth_node_models_method_model_share(m.borrow()).__handle;
    }

    /// The label it was opened by.
    pub fn label(m: ModelFile) []const u8 {
        var name: c.memory_node_string_t = .{};
        c.berth_node_models_method_model_label(m.borrow(), &name);
        return failure.text(name);
    }

    /// One entry of the file's metadata, or null.
    pub fn metadata(m: ModelFile, name: []const u8) ?[]const u8 {
        var lent = failure.lend(name);
        var found: c.memory_node_string_t = .{};
        return if (c.berth_node_models_method_model_metadata(m.borrow(), &lent, &found)) failure.text(found) else null;
    }

    /// The names of the file's metadata.
    pub fn metadataNames(m: ModelFile) []const []const u8 {
        var list: c.memory_node_list_string_t = .{};
        c.berth_node_models_method_model_metadata_names(m.borrow(), &list);
        return texts(list);
    }

    /// The keys of all tensors, sorted.
    pub fn keys(m: ModelFile) []const []const u8 {
        var list: c.memory_node_list_string_t = .{};
        c.berth_node_models_method_model_keys(m.borrow(), &list);
        return texts(list);
    }

    /// What a model's header says of one tensor.
    pub const Info = struct { dtype: tensor.DType, shape: []const u32 };

    /// dtype and shape of one tensor, without reading it, or null.
    pub fn info(m: ModelFile, key: []const u8) ?Info {
        var lent = failure.lend(key);
        var found: c.berth_node_models_tensor_info_t = .{};
        if (!c.berth_node_models_method_model_info(m.borrow(), &lent, &found)) return null;
        return .{ .dtype = @fromBackingInt(@intCast(found.dtype)), .shape = if (found.shape.len == 0) &.{} else found.shape.ptr[0..found.shape.len] };
    }

    /// The tensor of a key, by handle. Nothing is read yet. Where there is none, it is a failed tensor
    /// with `NotFound`.
    pub fn weight(m: ModelFile, key: []const u8) tensor.Tensor {
        var lent = failure.lend(key);
        return @import("ops.zig").result(c.berth_node_models_method_model_weight, .{ m.borrow(), &lent });
    }

    /// Gives the handle back now.
    pub fn close(m: ModelFile) void {
        c.berth_node_models_model_drop_own(.{ .__handle = m.handle });
    }
};

//! Nodes: how a struct becomes a node's description, and how its functions are called.
//!
//! A node is a struct. Its fields are the inputs, with their defaults; `about` is what people read;
//! `inputs` and `outputs` say more of some of them; `run` gives the outputs.

const std = @import("std");
const c = @import("bindings.zig");
const failure = @import("failure.zig");
const object = @import("object.zig");
const value = @import("value.zig");
const Error = failure.Error;
const Named = c.berth_node_values_list_named_value_t;

/// What people read of a node, and how a client shows it: the declaration `about` of a node's struct.
pub const About = struct {
    /// The class name that workflows use; that of the struct where it is empty.
    name: []const u8 = "",
    /// What people read; the name where it is empty.
    display_name: []const u8 = "",
    /// Folders in a menu, separated by `/`.
    category: []const u8 = "",
    /// What it does, in a sentence or more.
    description: []const u8 = "",
    /// It runs for its effect: a workflow is run for its output nodes.
    output_node: bool = false,
    /// It is kept for old workflows only.
    deprecated: bool = false,
    /// It may still change.
    experimental: bool = false,
    /// Other words that a search should find it by.
    search_aliases: []const []const u8 = &.{},
};

/// As an input's type: the node's id in the workflow, which the host gives without a wire.
pub const UniqueId = Hidden("unique-id", 0);
/// As an input's type: the workflow in API format, which the host gives without a wire.
pub const Prompt = Hidden("prompt", 1);
/// As an input's type: what the client sent along to be stored in images, a JSON object. The host gives
/// it without a wire; it is empty where there is none.
pub const ExtraPngInfo = Hidden("extra-pnginfo", 2);

fn Hidden(comptime key: []const u8, comptime tag: u8) type {
    return struct {
        text: []const u8,

        pub const hidden_key = key;
        pub const hidden_tag = tag;
    };
}

fn isHidden(comptime T: type) bool {
    return @typeInfo(T) == .@"struct" and @hasDecl(T, "hidden_key");
}

/// The class name of a node's struct.
pub fn nameOf(comptime Node: type) []const u8 {
    if (Node.about.name.len > 0) return Node.about.name;
    const full = @typeName(Node);
    return full[if (std.mem.lastIndexOfScalar(u8, full, '.')) |dot| dot + 1 else 0..];
}

/// The options of one input or output, or none.
fn options(comptime Node: type, comptime list: []const u8, comptime name: []const u8) type {
    if (@hasDecl(Node, list) and @hasField(@TypeOf(@field(Node, list)), name))
        return struct {
            const all = @field(@field(Node, list), name);
        };
    return struct {
        const all = .{};
    };
}

fn has(comptime all: anytype, comptime key: []const u8) bool {
    return @hasField(@TypeOf(all), key);
}

/// Names, for a text of the compiler's.
fn among(comptime list: anytype) []const u8 {
    var text: []const u8 = "";
    for (list, 0..) |name, i| text = text ++ (if (i > 0) ", " else " ") ++ name;
    return text;
}

/// Refuses options that do not exist, and options of what does not exist.
fn checkOptions(comptime Node: type, comptime Of: type, comptime list: []const u8, comptime known: []const []const u8) void {
    if (!@hasDecl(Node, list)) return;
    const all = @field(Node, list);
    for (@typeInfo(@TypeOf(all)).@"struct".field_names) |name| {
        if (!@hasField(Of, name)) @compileError(nameOf(Node) ++ ": `" ++ list ++ "` has `" ++ name ++ "`, which is no field; there are" ++ among(@typeInfo(Of).@"struct".field_names));
        for (@typeInfo(@TypeOf(@field(all, name))).@"struct".field_names) |key| {
            var found = false;
            for (known) |one| found = found or std.mem.eql(u8, one, key);
            if (!found) @compileError(nameOf(Node) ++ ": `" ++ name ++ "` has the option `" ++ key ++ "`, which does not exist; there are" ++ among(known));
        }
    }
}

fn Base(comptime T: type) type {
    return if (@typeInfo(T) == .optional) @typeInfo(T).optional.child else T;
}

/// The type of the wire that carries a Zig type.
fn wireOf(comptime T: type, comptime all: anytype) []const u8 {
    if (comptime has(all, "type")) return all.type;
    if (T == []const u8) return "STRING";
    if (@typeInfo(T) == .pointer) return "*";
    if (@typeInfo(T) == .@"struct" or @typeInfo(T) == .@"union") return T.wire_type;
    return switch (@typeInfo(T)) {
        .bool => "BOOLEAN",
        .int => "INT",
        .float => "FLOAT",
        .@"enum" => "STRING",
        else => @compileError(@typeName(T) ++ " cannot travel on a wire"),
    };
}

fn optional(comptime Option: type, given: anytype) Option {
    return if (given) |there| .{ .is_some = true, .val = there } else .{};
}

const OptionWide = @FieldType(c.exports_berth_node_nodes_integer_port_t, "min");
const OptionDouble = @FieldType(c.exports_berth_node_nodes_number_port_t, "min");
const OptionText = @FieldType(c.exports_berth_node_nodes_text_port_t, "default_");

fn wide(comptime all: anytype, comptime key: []const u8) OptionWide {
    return if (comptime has(all, key)) .{ .is_some = true, .val = value.wideInteger(@field(all, key)) } else .{};
}

fn number(comptime all: anytype, comptime key: []const u8) OptionDouble {
    return if (comptime has(all, key)) .{ .is_some = true, .val = @field(all, key) } else .{};
}

fn listOf(comptime List: type, comptime Item: type, items: []const Item) List {
    if (items.len == 0) return .{};
    const copy = failure.allocator.dupe(Item, items) catch @panic("the plugin's memory is full");
    return .{ .ptr = copy.ptr, .len = copy.len };
}

fn textList(items: []const []const u8) c.memory_node_list_string_t {
    if (items.len == 0) return .{};
    const copy = failure.allocator.alloc(c.memory_node_string_t, items.len) catch @panic("the plugin's memory is full");
    for (items, copy) |item, *place| place.* = failure.give(item);
    return .{ .ptr = copy.ptr, .len = copy.len };
}

fn portOf(comptime T: type, comptime all: anytype, default: ?Base(T)) c.exports_berth_node_nodes_port_t {
    const B = Base(T);
    if (comptime !has(all, "type")) switch (@typeInfo(B)) {
        .bool => return .{ .tag = 0, .val = .{ .boolean = .{ .default_ = optional(@FieldType(c.exports_berth_node_nodes_boolean_port_t, "default_"), default) } } },
        .int => return .{ .tag = 1, .val = .{ .integer = .{
            .default_ = if (default) |d| .{ .is_some = true, .val = value.wideInteger(d) } else .{},
            .min = wide(all, "min"),
            .max = wide(all, "max"),
            .step = if (comptime has(all, "step")) .{ .is_some = true, .val = all.step } else .{},
            .seed = comptime has(all, "seed") and all.seed,
        } } },
        .float => return .{ .tag = 2, .val = .{ .number = .{
            .default_ = if (default) |d| .{ .is_some = true, .val = d } else .{},
            .min = number(all, "min"),
            .max = number(all, "max"),
            .step = number(all, "step"),
        } } },
        .@"enum" => |info| {
            var names: [info.field_names.len][]const u8 = undefined;
            inline for (info.field_names, 0..) |name, i| names[i] = name;
            return .{ .tag = 4, .val = .{ .choice = .{
                .choices = .{ .tag = 0, .val = .{ .fixed = textList(&names) } },
                .default_ = if (default) |d| .{ .is_some = true, .val = failure.give(@tagName(d)) } else .{},
            } } };
        },
        else => {},
    };
    if (B == []const u8 and comptime !has(all, "type")) {
        const start: OptionText = if (default) |d| .{ .is_some = true, .val = failure.give(d) } else .{};
        if (comptime has(all, "models"))
            return .{ .tag = 4, .val = .{ .choice = .{ .choices = .{ .tag = 1, .val = .{ .models = failure.give(all.models) } }, .default_ = start } } };
        if (comptime has(all, "images"))
            return .{ .tag = 4, .val = .{ .choice = .{ .choices = .{ .tag = 2 }, .default_ = start } } };
        if (comptime has(all, "choices"))
            return .{ .tag = 4, .val = .{ .choice = .{ .choices = .{ .tag = 0, .val = .{ .fixed = textList(all.choices) } }, .default_ = start } } };
        return .{ .tag = 3, .val = .{ .text = .{ .default_ = start, .multiline = comptime has(all, "multiline") and all.multiline } } };
    }
    return .{ .tag = 5, .val = .{ .socket = failure.give(comptime wireOf(B, all)) } };
}

/// What `run` gives, without the error.
fn Payload(comptime function: anytype) type {
    const Return = @typeInfo(@TypeOf(function)).@"fn".return_type.?;
    return if (@typeInfo(Return) == .error_union) @typeInfo(Return).error_union.payload else Return;
}

/// Whether what `run` gives is a struct of outputs, and no output itself.
fn isOutputs(comptime T: type) bool {
    return T != void and @typeInfo(T) == .@"struct" and !@hasDecl(T, "wire_type");
}

fn outputCount(comptime T: type) usize {
    if (T == void) return 0;
    return if (isOutputs(T)) @typeInfo(T).@"struct".field_names.len else 1;
}

fn output(comptime Node: type, comptime T: type, comptime field: []const u8) c.exports_berth_node_nodes_output_t {
    const all = options(Node, "outputs", field).all;
    const wire = comptime wireOf(Base(T), all);
    return .{
        .name = failure.give(if (comptime has(all, "name")) all.name else wire),
        .type_name = failure.give(wire),
        .tooltip = if (comptime has(all, "tooltip")) failure.give(all.tooltip) else .{},
        .passes = if (comptime has(all, "passes")) .{ .is_some = true, .val = failure.give(all.passes) } else .{},
    };
}

/// The description of a node's struct.
pub fn describe(comptime Node: type) c.exports_berth_node_nodes_node_type_t {
    const info = @typeInfo(Node).@"struct";
    const Out = Payload(Node.run);
    comptime checkOptions(Node, Node, "inputs", &.{ "tooltip", "min", "max", "step", "seed", "multiline", "choices", "models", "images", "type", "lazy" });
    if (comptime isOutputs(Out)) comptime checkOptions(Node, Out, "outputs", &.{ "name", "tooltip", "type", "passes" });
    const about: About = Node.about;
    const name = comptime nameOf(Node);

    var inputs: [info.field_names.len]c.exports_berth_node_nodes_input_t = undefined;
    var hidden: [info.field_names.len]u8 = undefined;
    var input_count: usize = 0;
    var hidden_count: usize = 0;
    inline for (info.field_names, info.field_types, info.field_attrs) |field, T, attrs| {
        const B = Base(T);
        if (comptime isHidden(B)) {
            hidden[hidden_count] = B.hidden_tag;
            hidden_count += 1;
        } else {
            const all = options(Node, "inputs", field).all;
            const default: ?B = if (attrs.default_value_ptr) |ptr| @as(*const T, @ptrCast(@alignCast(ptr))).* else null;
            inputs[input_count] = .{
                .name = failure.give(field),
                .port = portOf(T, all, default),
                .optional = @typeInfo(T) == .optional,
                .lazy = comptime has(all, "lazy") and all.lazy,
                .tooltip = if (comptime has(all, "tooltip")) failure.give(all.tooltip) else .{},
            };
            input_count += 1;
        }
    }
    const count = comptime outputCount(Out);
    var outputs: [count]c.exports_berth_node_nodes_output_t = undefined;
    if (comptime isOutputs(Out)) {
        const out = @typeInfo(Out).@"struct";
        inline for (out.field_names, out.field_types, 0..) |field, T, i| outputs[i] = output(Node, T, field);
    } else if (Out != void) {
        outputs[0] = output(Node, Out, "output");
    }
    var checks: u8 = 0;
    if (@hasDecl(Node, "needs")) checks |= 1;
    if (@hasDecl(Node, "fingerprint")) checks |= 2;
    if (@hasDecl(Node, "validate")) checks |= 4;
    return .{
        .name = failure.give(name),
        .display_name = failure.give(if (about.display_name.len > 0) about.display_name else name),
        .category = failure.give(about.category),
        .description = failure.give(about.description),
        .inputs = listOf(c.exports_berth_node_nodes_list_input_t, c.exports_berth_node_nodes_input_t, inputs[0..input_count]),
        .outputs = listOf(c.exports_berth_node_nodes_list_output_t, c.exports_berth_node_nodes_output_t, &outputs),
        .hidden = listOf(c.exports_berth_node_nodes_list_hidden_t, u8, hidden[0..hidden_count]),
        .output_node = about.output_node,
        .checks = checks,
        .deprecated = about.deprecated,
        .experimental = about.experimental,
        .search_aliases = textList(about.search_aliases),
    };
}

/// A struct of the inputs that were given. Of a check, those that were not given have their default or
/// are null, and a required one without a default is undefined: checks look at constant inputs only.
pub fn fill(comptime T: type, given: object.Fields, comptime hyphened: bool) Error!T {
    const info = @typeInfo(T).@"struct";
    var out: T = undefined;
    inline for (info.field_names, info.field_types) |field, F| {
        if (comptime isHidden(Base(F))) {
            const text = try given.find([]const u8, Base(F).hidden_key);
            @field(out, field) = .{ .text = text orelse "" };
        } else {
            const key = if (hyphened) comptime value.hyphens(field) else field;
            if (comptime @typeInfo(F) == .optional) {
                @field(out, field) = try given.find(Base(F), key);
            } else {
                @field(out, field) = try given.get(F, key);
            }
        }
    }
    return out;
}

/// What a check is given: each input as an optional value.
pub fn Given(comptime Node: type) type {
    return struct {
        fields: object.Fields,

        /// The input of this name, or null where it is not there yet: not constant, or not computed.
        pub fn get(given: @This(), comptime name: std.meta.FieldEnum(Node)) Error!?Base(@FieldType(Node, @tagName(name))) {
            return given.fields.find(Base(@FieldType(Node, @tagName(name))), @tagName(name));
        }
    };
}

/// Runs a node. Gives one value for each output.
pub fn run(comptime Node: type, given: object.Fields) anyerror!c.exports_berth_node_nodes_list_value_t {
    const in = fill(Node, given, false) catch |err| return object.at(err, comptime nameOf(Node));
    const Out = Payload(Node.run);
    const out: Out = if (@typeInfo(@typeInfo(@TypeOf(Node.run)).@"fn".return_type.?) == .error_union) try Node.run(in) else Node.run(in);
    const count = comptime outputCount(Out);
    var values: [count]c.berth_node_values_value_t = undefined;
    if (comptime isOutputs(Out)) {
        inline for (@typeInfo(Out).@"struct".field_names, 0..) |field, i| values[i] = try value.encode(@field(out, field));
    } else if (Out != void) {
        values[0] = try value.encode(out);
    }
    return listOf(c.exports_berth_node_nodes_list_value_t, c.berth_node_values_value_t, &values);
}

/// Calls one of the plugin's functions: fn (Captures, Arguments) !Results, all of them structs.
pub fn call(comptime function: anytype, captures: object.Fields, arguments: object.Fields) anyerror!Named {
    const params = @typeInfo(@TypeOf(function)).@"fn".param_types;
    const results = function(try fill(params[0].?, captures, true), try fill(params[1].?, arguments, true));
    return value.encodeFields(if (@typeInfo(@TypeOf(results)) == .error_union) try results else results);
}

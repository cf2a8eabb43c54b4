//! The component: the contract's exports, as look-ups in the plugin's `nodes` and `functions`.

const std = @import("std");
const berth = @import("berth");
const plugin = @import("plugin");
const c = berth.bindings;
const failure = berth.internal.failure;
const node = berth.internal.node;

const nodes = if (@hasDecl(plugin, "nodes"))
    plugin.nodes
else
    @compileError("src/nodes.zig has no `pub const nodes = .{ … };`, which lists the nodes");

const Named = c.exports_berth_node_nodes_list_named_value_t;
const Values = c.exports_berth_node_nodes_list_value_t;
const Fault = c.exports_berth_node_nodes_error_t;
const Text = c.memory_node_string_t;

/// A panic says what it is to the operator, and ends the node.
pub const panic = std.debug.FullPanic(struct {
    fn call(message: []const u8, _: ?usize) noreturn {
        berth.context.log(.err, "panic: {s}", .{message});
        @trap();
    }
}.call);

fn fields(list: [*c]Named) berth.Fields {
    const named = list.*;
    return .{ .list = if (named.len == 0) &.{} else @as([*]const c.berth_node_values_named_value_t, @ptrCast(named.ptr))[0..named.len] };
}

fn settle(result: anytype, ret: anytype, err: [*c]Fault) bool {
    ret.* = result catch |reason| {
        err.* = failure.toHost(reason);
        return false;
    };
    return true;
}

export fn exports_berth_node_nodes_describe(ret: [*c]c.exports_berth_node_nodes_list_node_type_t) void {
    const count = nodes.len;
    const list = berth.allocator.alloc(c.exports_berth_node_nodes_node_type_t, count) catch @panic("the plugin's memory is full");
    inline for (nodes, 0..) |Node, i| list[i] = node.describe(Node);
    ret.* = if (count == 0) .{} else .{ .ptr = list.ptr, .len = list.len };
}

fn noNode(name: []const u8) berth.Error {
    return berth.invalid("this plugin has no node `{s}`", .{name});
}

fn run(name: []const u8, inputs: berth.Fields) anyerror!Values {
    inline for (nodes) |Node| {
        if (std.mem.eql(u8, name, comptime node.nameOf(Node))) return node.run(Node, inputs);
    }
    return noNode(name);
}

export fn exports_berth_node_nodes_run(name: [*c]Text, inputs: [*c]Named, ret: [*c]Values, err: [*c]Fault) bool {
    return settle(run(failure.text(name.*), fields(inputs)), ret, err);
}

fn call(name: []const u8, captures: berth.Fields, arguments: berth.Fields) anyerror!Named {
    if (@hasDecl(plugin, "functions")) {
        inline for (@typeInfo(@TypeOf(plugin.functions)).@"struct".field_names) |known| {
            if (std.mem.eql(u8, name, known)) {
                const results = try node.call(@field(plugin.functions, known), captures, arguments);
                return .{ .ptr = results.ptr, .len = results.len };
            }
        }
    }
    return berth.invalid("this plugin has no function `{s}` in `functions`", .{name});
}

export fn exports_berth_node_nodes_call(name: [*c]Text, captures: [*c]Named, arguments: [*c]Named, ret: [*c]Named, err: [*c]Fault) bool {
    return settle(call(failure.text(name.*), fields(captures), fields(arguments)), ret, err);
}

fn needs(name: []const u8, inputs: berth.Fields) anyerror!c.memory_node_list_string_t {
    inline for (nodes) |Node| {
        if (@hasDecl(Node, "needs") and std.mem.eql(u8, name, comptime node.nameOf(Node))) {
            const names: []const []const u8 = try Node.needs(.{ .fields = inputs });
            const list = berth.allocator.alloc(Text, names.len) catch @panic("the plugin's memory is full");
            for (names, list) |needed, *place| place.* = failure.give(needed);
            return if (list.len == 0) .{} else .{ .ptr = list.ptr, .len = list.len };
        }
    }
    return noNode(name);
}

export fn exports_berth_node_nodes_needs(name: [*c]Text, inputs: [*c]Named, ret: [*c]c.memory_node_list_string_t, err: [*c]Fault) bool {
    return settle(needs(failure.text(name.*), fields(inputs)), ret, err);
}

fn fingerprint(name: []const u8, inputs: berth.Fields) anyerror!Text {
    inline for (nodes) |Node| {
        if (@hasDecl(Node, "fingerprint") and std.mem.eql(u8, name, comptime node.nameOf(Node)))
            return failure.give(try Node.fingerprint(.{ .fields = inputs }));
    }
    return noNode(name);
}

export fn exports_berth_node_nodes_fingerprint(name: [*c]Text, inputs: [*c]Named, ret: [*c]Text, err: [*c]Fault) bool {
    return settle(fingerprint(failure.text(name.*), fields(inputs)), ret, err);
}

fn validate(name: []const u8, inputs: berth.Fields) anyerror!c.memory_node_option_string_t {
    inline for (nodes) |Node| {
        if (@hasDecl(Node, "validate") and std.mem.eql(u8, name, comptime node.nameOf(Node))) {
            const wrong: ?[]const u8 = try Node.validate(.{ .fields = inputs });
            return if (wrong) |text| .{ .is_some = true, .val = failure.give(text) } else .{};
        }
    }
    return noNode(name);
}

export fn exports_berth_node_nodes_validate(name: [*c]Text, inputs: [*c]Named, ret: [*c]c.memory_node_option_string_t, err: [*c]Fault) bool {
    return settle(validate(failure.text(name.*), fields(inputs)), ret, err);
}

//! The run that a node is part of: messages, progress, previews, files.

const c = @import("bindings.zig");
const failure = @import("failure.zig");
const tensor = @import("tensor.zig");
const Error = failure.Error;

/// How much a message matters.
pub const Level = enum(u8) { trace, debug, info, warn, err };

/// Says something to the operator. The text is formatted.
pub fn log(level: Level, comptime format: []const u8, args: anytype) void {
    var text = failure.lend(failure.print(format, args));
    c.berth_node_context_log(@backingInt(level), &text);
}

/// `value` of `total` steps of this node are done.
pub fn progress(value: u32, total: u32) void {
    c.berth_node_context_progress(value, total);
}

/// Shows an intermediate image [height, width, 3], f32, 0…1, with the progress. The host may drop it.
pub fn preview(image: tensor.Tensor) Error!void {
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_context_preview((try image.check()).borrow(), &err)) return failure.set(failure.fromHost(&err));
}

/// Whether the run was cancelled. Every operation fails with `Cancelled` from then on.
pub fn cancelled() bool {
    return c.berth_node_context_cancelled();
}

/// Shows a text as a result of this node.
pub fn showText(text: []const u8) void {
    var lent = failure.lend(text);
    c.berth_node_context_show_text(&lent);
}

/// Where a file goes: the operator's output folder, or a folder that the operator empties.
pub const Place = enum(u8) { output, temporary };

/// A file that was written. The name was chosen by the host.
pub const Artifact = struct {
    /// With its extension and without a folder.
    name: []const u8,
    /// The folder inside the place, or empty.
    subfolder: []const u8,
    place: Place,
};

/// Writes `data` as PREFIX_00001_.EXTENSION with the next free number, and shows it as a result of this
/// node. `prefix` may name folders with `/`. `kind` is how a client shows it: images, audio, files.
pub fn save(place: Place, kind: []const u8, prefix: []const u8, extension: []const u8, data: []const u8) Error!Artifact {
    var lent = [_]c.memory_node_string_t{ failure.lend(kind), failure.lend(prefix), failure.lend(extension) };
    var bytes = tensor.lendList(c.memory_node_list_u8_t, data);
    var saved: c.berth_node_context_artifact_t = .{};
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_context_save(@backingInt(place), &lent[0], &lent[1], &lent[2], &bytes, &saved, &err))
        return failure.set(failure.fromHost(&err));
    return .{ .name = failure.text(saved.name), .subfolder = failure.text(saved.subfolder), .place = @fromBackingInt(@intCast(saved.place)) };
}

/// A file of the operator's input folder. Errors: `NotFound`, `InvalidArgument`.
pub fn readInput(name: []const u8) Error![]const u8 {
    var lent = failure.lend(name);
    var bytes: c.memory_node_list_u8_t = .{};
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_context_read_input(&lent, &bytes, &err)) return failure.set(failure.fromHost(&err));
    return if (bytes.len == 0) "" else bytes.ptr[0..bytes.len];
}

/// A digest of a file of the input folder that changes when its content does.
pub fn inputFingerprint(name: []const u8) Error![]const u8 {
    var lent = failure.lend(name);
    var digest: c.memory_node_string_t = .{};
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_context_input_fingerprint(&lent, &digest, &err)) return failure.set(failure.fromHost(&err));
    return failure.text(digest);
}

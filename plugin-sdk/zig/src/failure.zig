//! Why something was not done. A Zig error has no text, so the text of the latest one lies beside
//! it: `latest()` gives it, and a node that returns the error returns its text too.

const std = @import("std");
const c = @import("bindings.zig");

/// What functions of this SDK fail with: the contract's cases.
pub const Error = error{
    /// An argument is wrong; the text says which, and what is expected.
    InvalidArgument,
    /// The plugin was not granted this.
    AccessDenied,
    /// No such model, key, field or file.
    NotFound,
    /// One operation's own operands are over the plugin's quota.
    QuotaExceeded,
    /// One operation's own operands are over the machine's limit.
    OutOfMemory,
    /// Right, but not provided by this host.
    Unsupported,
    /// The run was cancelled: return at once.
    Cancelled,
    /// What a node says itself, with a code and a hint.
    Failed,
    /// Anything else.
    Other,
};

/// A place where bytes can be.
pub const Tier = enum(u8) { device, host, disk };

/// What did not fit, in bytes.
pub const Shortage = struct {
    /// Where it did not fit.
    tier: Tier,
    /// What the operation would have held.
    requested: u64,
    /// The limit or quota it met.
    limit: u64,
    /// What is held already, and cannot leave.
    used: u64,
};

/// What is known of an error.
pub const Failure = struct {
    /// Which error it is.
    kind: Error,
    /// As people read it.
    message: []const u8 = "",
    /// Of `Failed`: what kind of error it is, for programs, such as `model-not-found`.
    code: []const u8 = "",
    /// Of `Failed`: what people can do about it; may be empty.
    hint: []const u8 = "",
    /// Of `QuotaExceeded` and `OutOfMemory`.
    shortage: ?Shortage = null,
};

/// What nodes allocate from. Everything in it ends with the run.
pub const allocator = std.heap.c_allocator;

var current: ?*const Failure = null;

/// What is known of the latest error, or null where nothing failed yet.
pub fn latest() ?*const Failure {
    return current;
}

/// Keeps a failure, and gives its error.
pub fn raise(failure: Failure) Error {
    return set(keep(failure));
}

pub fn keep(failure: Failure) *const Failure {
    const kept = allocator.create(Failure) catch return &no_room;
    kept.* = failure;
    return kept;
}

/// Makes a failure the latest.
pub fn note(failure: *const Failure) void {
    current = failure;
}

pub fn set(failure: *const Failure) Error {
    note(failure);
    return failure.kind;
}

pub fn clear() void {
    current = null;
}

const no_room: Failure = .{ .kind = error.Other, .message = "the plugin's memory is full" };

/// An error about something that the user can set right. The text is formatted.
pub fn invalid(comptime format: []const u8, args: anytype) Error {
    return raise(.{ .kind = error.InvalidArgument, .message = print(format, args) });
}

/// An error of a node's own: a code for programs, what went wrong, and what people can do about it.
pub fn failed(code: []const u8, message: []const u8, hint: []const u8) Error {
    return raise(.{ .kind = error.Failed, .code = code, .message = message, .hint = hint });
}

/// Formatted text that lives as long as the run.
pub fn print(comptime format: []const u8, args: anytype) []const u8 {
    return std.fmt.allocPrint(allocator, format, args) catch "the plugin's memory is full";
}

pub fn text(s: c.memory_node_string_t) []const u8 {
    return if (s.len == 0) "" else s.ptr[0..s.len];
}

/// A text lent to the host for a call.
pub fn lend(s: []const u8) c.memory_node_string_t {
    return if (s.len == 0) .{} else .{ .ptr = @constCast(s.ptr), .len = s.len };
}

/// A text given to the host, which frees it.
pub fn give(s: []const u8) c.memory_node_string_t {
    if (s.len == 0) return .{};
    const copy = allocator.dupe(u8, s) catch @panic("the plugin's memory is full");
    return .{ .ptr = copy.ptr, .len = copy.len };
}

/// What is known of the contract's error.
pub fn fromHost(err: *const c.berth_node_types_error_t) *const Failure {
    const short = struct {
        fn of(s: c.berth_node_types_shortage_t) Shortage {
            return .{ .tier = @fromBackingInt(@intCast(s.tier)), .requested = s.requested, .limit = s.limit, .used = s.used };
        }
    }.of;
    return keep(switch (err.tag) {
        0 => .{ .kind = error.InvalidArgument, .message = text(err.val.invalid_argument) },
        1 => .{ .kind = error.AccessDenied, .message = text(err.val.access_denied) },
        2 => .{ .kind = error.NotFound, .message = text(err.val.not_found) },
        3 => .{ .kind = error.QuotaExceeded, .message = "over the plugin's quota", .shortage = short(err.val.quota_exceeded) },
        4 => .{ .kind = error.OutOfMemory, .message = "out of memory", .shortage = short(err.val.out_of_memory) },
        5 => .{ .kind = error.Unsupported, .message = text(err.val.unsupported) },
        6 => .{ .kind = error.Cancelled, .message = "the run was cancelled" },
        7 => .{ .kind = error.Failed, .message = text(err.val.failed.message), .code = text(err.val.failed.code), .hint = text(err.val.failed.hint) },
        else => .{ .kind = error.Other, .message = text(err.val.other) },
    });
}

/// The contract's error of any Zig error. What is known of the latest one goes with it.
pub fn toHost(err: anyerror) c.berth_node_types_error_t {
    const failure: Failure = found: {
        if (current) |failure| if (failure.kind == err) break :found failure.*;
        break :found .{ .kind = error.Other, .message = @errorName(err) };
    };
    const message = give(failure.message);
    var s: c.berth_node_types_shortage_t = .{};
    if (failure.shortage) |short| {
        s = .{ .tier = @backingInt(short.tier), .requested = short.requested, .limit = short.limit, .used = short.used };
    }
    var out: c.berth_node_types_error_t = .{};
    switch (failure.kind) {
        error.InvalidArgument => out = .{ .tag = 0, .val = .{ .invalid_argument = message } },
        error.AccessDenied => out = .{ .tag = 1, .val = .{ .access_denied = message } },
        error.NotFound => out = .{ .tag = 2, .val = .{ .not_found = message } },
        error.QuotaExceeded => out = .{ .tag = 3, .val = .{ .quota_exceeded = s } },
        error.OutOfMemory => if (failure.shortage != null) {
            out = .{ .tag = 4, .val = .{ .out_of_memory = s } };
        } else {
            out = .{ .tag = 8, .val = .{ .other = give("the plugin's own memory is full") } };
        },
        error.Unsupported => out = .{ .tag = 5, .val = .{ .unsupported = message } },
        error.Cancelled => out.tag = 6,
        error.Failed => out = .{ .tag = 7, .val = .{ .failed = .{ .code = give(failure.code), .message = message, .hint = give(failure.hint) } } },
        error.Other => out = .{ .tag = 8, .val = .{ .other = message } },
    }
    return out;
}

//! Where bytes are, and moving them, which takes the right `memory`. Only a plugin that calls something
//! here imports it. What an object reaches are the tensors in it and what its functions need. Nothing
//! here changes a result, only how soon it is there.

const c = @import("bindings.zig");
const failure = @import("failure.zig");
const Error = failure.Error;
const Object = @import("object.zig").Object;
const Tier = failure.Tier;

/// Use and limit of one tier, in bytes.
pub const TierUse = struct {
    tier: Tier,
    /// In use now; on disk, what is spilled.
    used: u64,
    /// The most that was ever in use.
    peak: u64,
    /// The most that may be in use, or null.
    limit: ?u64,
};

/// What one plugin holds, in bytes. A quota of null is none.
pub const PluginUse = struct {
    plugin: []const u8,
    charge: struct { device: u64, host: u64, disk: u64 },
    quota: struct { device: ?u64, host: ?u64, disk: ?u64 },
    /// What it keeps of the device while others need room.
    share: u64,
};

/// How things stand at one moment.
pub const Statistics = struct {
    tiers: []const TierUse,
    plugins: []const PluginUse,
    /// Bytes of cached results that no running node needs, on any tier.
    cached_results: u64,
    /// Bytes in the host's memory of what the DRAM cache reaches.
    dram_cache: u64,
};

fn option(o: c.memory_node_option_u64_t) ?u64 {
    return if (o.is_some) o.val else null;
}

/// How things stand.
pub fn snapshot() Statistics {
    var found: c.berth_node_memory_statistics_t = .{};
    c.berth_node_memory_snapshot(&found);
    const tiers = failure.allocator.alloc(TierUse, found.tiers.len) catch @panic("the plugin's memory is full");
    for (tiers, 0..) |*place, i| {
        const t = found.tiers.ptr[i];
        place.* = .{ .tier = @fromBackingInt(@intCast(t.tier)), .used = t.used, .peak = t.peak, .limit = option(t.limit) };
    }
    const plugins = failure.allocator.alloc(PluginUse, found.plugins.len) catch @panic("the plugin's memory is full");
    for (plugins, 0..) |*place, i| {
        const p = found.plugins.ptr[i];
        place.* = .{
            .plugin = failure.text(p.plugin),
            .charge = .{ .device = p.charge.device, .host = p.charge.host, .disk = p.charge.disk },
            .quota = .{ .device = option(p.quota.device), .host = option(p.quota.host), .disk = option(p.quota.disk) },
            .share = p.share,
        };
    }
    return .{ .tiers = tiers, .plugins = plugins, .cached_results = found.cached_results, .dram_cache = found.dram_cache };
}

fn moved(comptime function: anytype, target: Object) Error!u64 {
    var bytes: u64 = 0;
    var err: c.berth_node_types_error_t = .{};
    if (!function(target.borrow(), &bytes, &err)) return failure.set(failure.fromHost(&err));
    return bytes;
}

/// What the object reaches leaves the device now and stays in the host's memory. Gives the bytes that
/// left. Errors: `OutOfMemory` and `QuotaExceeded` when the host's memory has no room.
pub fn offload(target: Object) Error!u64 {
    return moved(c.berth_node_memory_offload, target);
}

/// What the object reaches comes to the device, as far as there is room. Gives the bytes that came.
pub fn restore(target: Object) Error!u64 {
    return moved(c.berth_node_memory_restore, target);
}

/// Keeps the object in the DRAM cache, beyond this run. Gives its id, which an equal object has in
/// every host. Errors: `Other` when the cache is full.
pub fn remember(target: Object) Error![]const u8 {
    var id: c.memory_node_string_t = .{};
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_memory_remember(target.borrow(), &id, &err)) return failure.set(failure.fromHost(&err));
    return failure.text(id);
}

/// The object that the DRAM cache keeps under an id. Errors: `NotFound`.
pub fn recall(id: []const u8) Error!Object {
    var lent = failure.lend(id);
    var own: c.berth_node_values_own_object_t = .{};
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_memory_recall(&lent, &own, &err)) return failure.set(failure.fromHost(&err));
    return .{ .handle = own.__handle };
}

/// Drops an object from the DRAM cache. Gives whether it was there.
pub fn forget(id: []const u8) bool {
    var lent = failure.lend(id);
    return c.berth_node_memory_forget(&lent);
}

/// Drops everything from the DRAM cache. Gives how many objects there were.
pub fn forgetAll() u32 {
    return c.berth_node_memory_forget_all();
}

/// Whether what the object reaches leaves a tier only when an operation could not run otherwise.
/// Errors: `InvalidArgument` for the disk.
pub fn keep(target: Object, tier: Tier, kept: bool) Error!void {
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_memory_keep(target.borrow(), @backingInt(tier), kept, &err)) return failure.set(failure.fromHost(&err));
}

/// Ends every `keep`, whoever asked for it.
pub fn keepNothing() void {
    c.berth_node_memory_keep_nothing();
}

/// What no running operation uses leaves a tier until this many bytes are free there. Gives the bytes
/// that left. Errors: `InvalidArgument` for the disk.
pub fn makeFree(tier: Tier, bytes: u64) Error!u64 {
    var left: u64 = 0;
    var err: c.berth_node_types_error_t = .{};
    if (!c.berth_node_memory_make_free(@backingInt(tier), bytes, &left, &err)) return failure.set(failure.fromHost(&err));
    return left;
}

/// Forgets the results of nodes that were kept for later runs.
pub fn clearResults() void {
    c.berth_node_memory_clear_results();
}

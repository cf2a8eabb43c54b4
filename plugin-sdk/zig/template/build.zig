//! For editors: it tells the language server where the SDK is. `berth plugin build` does the building.

const std = @import("std");

pub fn build(b: *std.Build) void {
    const target = b.resolveTargetQuery(.{ .cpu_arch = .wasm32, .os_tag = .wasi });
    const sdk = b.createModule(.{ .root_source_file = b.path(".berth/sdk/zig/src/berth.zig"), .target = target });
    const plugin = b.createModule(.{ .root_source_file = b.path("src/nodes.zig"), .target = target });
    plugin.addImport("berth", sdk);
    const check = b.addObject(.{ .name = "nodes", .root_module = plugin });
    b.step("check", "Compile the nodes without making a component").dependOn(&check.step);
}

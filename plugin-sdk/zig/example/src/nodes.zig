//! Two real nodes: a filter, and a small network.

const std = @import("std");
const berth = @import("berth");
const Tensor = berth.Tensor;

pub const nodes = .{ Sharpen, Upscale };

const Sharpen = struct {
    image: berth.Image,
    amount: f64 = 1.0,

    pub const about: berth.About = .{
        .category = "image/filters",
        .description = "Makes the edges of an image clearer, by what a slight blur takes away.",
    };

    pub const inputs = .{
        .image = .{ .tooltip = "The image to sharpen." },
        .amount = .{ .min = 0, .max = 5, .step = 0.01, .tooltip = "0 leaves it as it is." },
    };

    pub fn run(in: Sharpen) !berth.Image {
        const channels = (try in.image.size())[3];
        const x = in.image.tensor.permute(&.{ 0, 3, 1, 2 });
        // Pascal's fifth row, in both directions: the binomial blur.
        const row = [_]f32{ 1, 4, 6, 4, 1 };
        var taps: [25]f32 = undefined;
        for (&taps, 0..) |*tap, i| tap.* = row[i / 5] * row[i % 5] / 256;
        const kernel = Tensor.fromSlice(f32, &.{ 1, 1, 5, 5 }, &taps).broadcast(&.{ channels, 1, 5, 5 });
        const padded = x.pad(.edge, &.{ .{ 0, 0 }, .{ 0, 0 }, .{ 2, 2 }, .{ 2, 2 } });
        const blurred = padded.conv2d(kernel, null, .{ .groups = channels });
        const sharp = x.add(x.sub(blurred).mul(in.amount));
        return .of(sharp.permute(&.{ 0, 2, 3, 1 }).clamp(0, 1));
    }
};

const Upscale = struct {
    image: berth.Image,
    model_name: []const u8,

    pub const about: berth.About = .{
        .category = "image/upscaling",
        .description = "Enlarges an image by a network of convolutions whose last one gives several pixels for each " ++
            "(Shi et al. 2016).",
    };

    pub const inputs = .{
        .image = .{ .tooltip = "The image to enlarge." },
        .model_name = .{
            .models = "upscale_models",
            .tooltip = "The network: convolutions `0`, `1`, … with `weight` and `bias`.",
        },
    };

    pub fn run(in: Upscale) !berth.Image {
        const model = try berth.ModelFile.open("upscale_models", in.model_name);
        const layers = countLayers(model.keys());
        const batch, const height, const width, const channels = try in.image.size();
        var x = in.image.tensor.permute(&.{ 0, 3, 1, 2 });
        for (0..layers) |i| {
            const weight = model.weight(berth.print("{d}.weight", .{i}));
            const bias = model.weight(berth.print("{d}.bias", .{i}));
            x = x.conv2d(weight, bias, .{ .padding = weight.dim(2) / 2 });
            if (i + 1 < layers) x = x.relu();
            berth.context.progress(@intCast(i + 1), @intCast(layers));
        }
        const made = (try x.check()).dim(1);
        var factor: u32 = 1;
        while (factor <= made and factor * factor * channels != made) factor += 1;
        if (layers == 0 or factor > made) return berth.failed(
            "not-an-upscaler",
            berth.print("`{s}` is no network that enlarges images of {d} channels", .{ in.model_name, channels }),
            "choose a model with the tensors 0.weight, 0.bias, 1.weight, …",
        );
        const pixels = x
            .reshape(&.{ batch, channels, factor, factor, height, width })
            .permute(&.{ 0, 1, 4, 2, 5, 3 })
            .reshape(&.{ batch, channels, height * factor, width * factor });
        return .of(pixels.permute(&.{ 0, 2, 3, 1 }).clamp(0, 1));
    }

    /// How many of `0.weight`, `1.weight`, … there are before the first that is missing.
    fn countLayers(keys: []const []const u8) usize {
        var layers: usize = 0;
        next: while (true) : (layers += 1) {
            const wanted = berth.print("{d}.weight", .{layers});
            for (keys) |key| if (std.mem.eql(u8, key, wanted)) continue :next;
            return layers;
        }
    }
};

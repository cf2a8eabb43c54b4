//! The nodes of {{name}}.

const berth = @import("berth");

pub const nodes = .{Negative};

/// A field is an input, its default is what the widget starts with, and `inputs` says more of it.
const Negative = struct {
    image: berth.Image,
    strength: f64 = 1.0,

    pub const about: berth.About = .{
        .category = "image",
        .description = "Turns images into their negatives.",
    };

    pub const inputs = .{
        .image = .{ .tooltip = "The images to turn into their negatives." },
        .strength = .{ .min = 0, .max = 1, .step = 0.01, .tooltip = "0 leaves the images as they are, 1 makes black white." },
    };

    pub const outputs = .{
        .image = .{ .tooltip = "The negatives." },
    };

    pub fn run(in: Negative) !struct { image: berth.Image } {
        const image = in.image.tensor;
        const kept = image.mul(1 - in.strength);
        const turned = image.subFrom(1).mul(in.strength);
        return .{ .image = try .of(kept.add(turned)) };
    }
};

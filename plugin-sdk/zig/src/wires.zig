//! The wires whose meaning the contract fixes, as types. They are checked when they are made and when
//! they come in.

const failure = @import("failure.zig");
const object = @import("object.zig");
const tensor = @import("tensor.zig");
const value = @import("value.zig");
const Any = value.Any;
const Error = failure.Error;
const Function = object.Function;
const Object = object.Object;
const Tensor = tensor.Tensor;

fn shaped(x: Tensor, rank: usize, expected: []const u8) Error!Tensor {
    const known = try x.check();
    if (known.dtype() == .f32 and known.shape().len == rank) return known;
    return value.mismatch(expected, .{ .tensor = known });
}

/// A batch of images: a tensor [batch, height, width, channels], f32, 0…1.
pub const Image = struct {
    tensor: Tensor,

    pub const wire_type = "IMAGE";
    const expected = "a f32 tensor [batch, height, width, channels]";

    /// A tensor as images. Errors: `InvalidArgument` when its dtype or its number of dimensions is
    /// another; the error of a failed tensor.
    pub fn of(x: Tensor) Error!Image {
        return .{ .tensor = try shaped(x, 4, expected) };
    }

    /// [batch, height, width, channels].
    pub fn size(image: Image) Error![4]u32 {
        return image.tensor.dims(4);
    }

    pub fn fromAny(any: Any) Error!Image {
        return if (any == .tensor) of(any.tensor) else value.mismatch(expected, any);
    }

    pub fn toAny(image: Image) Error!Any {
        return .{ .tensor = try shaped(image.tensor, 4, expected) };
    }
};

/// A batch of masks: a tensor [batch, height, width], f32, 0…1.
pub const Mask = struct {
    tensor: Tensor,

    pub const wire_type = "MASK";
    const expected = "a f32 tensor [batch, height, width]";

    /// A tensor as masks. Errors: as those of `Image.of`.
    pub fn of(x: Tensor) Error!Mask {
        return .{ .tensor = try shaped(x, 3, expected) };
    }

    /// [batch, height, width].
    pub fn size(mask: Mask) Error![3]u32 {
        return mask.tensor.dims(3);
    }

    pub fn fromAny(any: Any) Error!Mask {
        return if (any == .tensor) of(any.tensor) else value.mismatch(expected, any);
    }

    pub fn toAny(mask: Mask) Error!Any {
        return .{ .tensor = try shaped(mask.tensor, 3, expected) };
    }
};

fn objectOf(any: Any, comptime type_name: []const u8) Error!Object {
    if (any == .object and @import("std").mem.eql(u8, any.object.typeName(), type_name)) return any.object;
    return value.mismatch("a " ++ type_name, any);
}

/// A batch of latents, and the mask of what a sampler may change in them.
pub const Latent = struct {
    object: Object,

    pub const wire_type = "LATENT";

    /// Latents [batch, channels, h, w] as the VAE has them, without a mask.
    pub fn create(latents: Tensor) Error!Latent {
        return .{ .object = try .create(wire_type, .{ .samples = latents }) };
    }

    /// The latents, [batch, channels, h, w].
    pub fn samples(latent: Latent) Error!Tensor {
        return latent.object.get(Tensor, "samples");
    }

    /// 1 where a sampler may change the latents, and 0 where it must not; or null.
    pub fn noiseMask(latent: Latent) Error!?Tensor {
        return latent.object.find(Tensor, "noise-mask");
    }

    /// The same with other latents.
    pub fn withSamples(latent: Latent, latents: Tensor) Error!Latent {
        return .{ .object = try latent.object.replace(.{ .samples = latents }) };
    }

    /// The same with this mask.
    pub fn withNoiseMask(latent: Latent, mask: Tensor) Error!Latent {
        return .{ .object = try latent.object.replace(.{ .noise_mask = mask }) };
    }

    pub fn fromAny(any: Any) Error!Latent {
        return .{ .object = try objectOf(any, wire_type) };
    }

    pub fn toAny(latent: Latent) Error!Any {
        return .{ .object = latent.object };
    }
};

/// One embedding of a `Conditioning`.
pub const Entry = struct {
    object: Object,

    /// An embedding [batch, tokens, width], and what its encoder pooled it to, or null.
    pub fn create(embedded: Tensor, pooled_to: ?Tensor) Error!Entry {
        return .{ .object = try .create("CONDITIONING_ENTRY", .{ .embedding = embedded, .pooled = pooled_to }) };
    }

    /// The embedding, [batch, tokens, width].
    pub fn embedding(entry: Entry) Error!Tensor {
        return entry.object.get(Tensor, "embedding");
    }

    /// The pooled embedding, or null.
    pub fn pooled(entry: Entry) Error!?Tensor {
        return entry.object.find(Tensor, "pooled");
    }

    pub fn fromAny(any: Any) Error!Entry {
        return if (any == .object) .{ .object = any.object } else value.mismatch("an object", any);
    }

    pub fn toAny(entry: Entry) Error!Any {
        return .{ .object = entry.object };
    }
};

/// What steers a model: one or more embeddings.
pub const Conditioning = struct {
    object: Object,

    pub const wire_type = "CONDITIONING";

    /// A conditioning of these embeddings.
    pub fn create(list: []const Entry) Error!Conditioning {
        return .{ .object = try .create(wire_type, .{ .entries = list }) };
    }

    /// Its embeddings, in order.
    pub fn entries(conditioning: Conditioning) Error![]const Entry {
        return conditioning.object.get([]const Entry, "entries");
    }

    pub fn fromAny(any: Any) Error!Conditioning {
        return .{ .object = try objectOf(any, wire_type) };
    }

    pub fn toAny(conditioning: Conditioning) Error!Any {
        return .{ .object = conditioning.object };
    }
};

/// What a denoiser predicts: the noise (Ho et al. 2020), the velocity √ᾱ·ε - √(1-ᾱ)·x₀ (Salimans & Ho
/// 2022), or the flow from the noise to the image (Lipman et al. 2023).
pub const Prediction = enum { epsilon, v, flow };

/// A denoiser, and what a sampler must know of it.
pub const Model = struct {
    object: Object,

    pub const wire_type = "MODEL";

    /// What a model is made of.
    pub const Parts = struct {
        /// `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor [b, tokens, width],
        /// `pooled` tensor (optional) → `prediction` tensor [b, c, h, w].
        denoise: Function,
        prediction: Prediction,
        /// [steps] f64: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020.
        alphas: Tensor,
        latent_channels: u32,
        /// A sampler's latent is (the VAE's latent - latent_shift) · latent_scale.
        latent_scale: f64,
        latent_shift: f64,
    };

    /// A model of these parts.
    pub fn create(of: Parts) Error!Model {
        return .{ .object = try .create(wire_type, of) };
    }

    /// What the model is made of.
    pub fn parts(model: Model) Error!Parts {
        return partsOf(Parts, model.object);
    }

    /// What the model predicts for a latent [b, c, h, w] at a timestep, under a conditioning
    /// [b, tokens, width] and, where the model takes it, a pooled one → [b, c, h, w].
    pub fn denoise(model: Model, latent: Tensor, timestep: f64, conditioning: Tensor, pooled: ?Tensor) Error!Tensor {
        const function = try model.object.get(Function, "denoise");
        const results = try function.call(.{ .latent = latent, .timestep = timestep, .conditioning = conditioning, .pooled = pooled });
        return results.get(Tensor, "prediction");
    }

    pub fn fromAny(any: Any) Error!Model {
        return .{ .object = try objectOf(any, wire_type) };
    }

    pub fn toAny(model: Model) Error!Any {
        return .{ .object = model.object };
    }
};

fn partsOf(comptime Parts: type, from: Object) Error!Parts {
    const info = @typeInfo(Parts).@"struct";
    var out: Parts = undefined;
    inline for (info.field_names, info.field_types) |name, Field| {
        @field(out, name) = try from.get(Field, comptime value.hyphens(name));
    }
    return out;
}

/// A text encoder.
pub const Clip = struct {
    object: Object,

    pub const wire_type = "CLIP";

    /// A text encoder of this function: `text` text → `conditioning` object.
    pub fn create(function: Function) Error!Clip {
        return .{ .object = try .create(wire_type, .{ .encode = function }) };
    }

    /// The conditioning of a text.
    pub fn encode(clip: Clip, text: []const u8) Error!Conditioning {
        const function = try clip.object.get(Function, "encode");
        return (try function.call(.{ .text = text })).get(Conditioning, "conditioning");
    }

    pub fn fromAny(any: Any) Error!Clip {
        return .{ .object = try objectOf(any, wire_type) };
    }

    pub fn toAny(clip: Clip) Error!Any {
        return .{ .object = clip.object };
    }
};

/// The autoencoder between images and latents.
pub const Vae = struct {
    object: Object,

    pub const wire_type = "VAE";

    /// What an autoencoder is made of.
    pub const Parts = struct {
        /// `image` tensor [b, h, w, 3], -1…1 → `latent` tensor [b, c, h', w'].
        encode: Function,
        /// `latent` tensor [b, c, h', w'] → `image` tensor [b, h, w, 3], -1…1.
        decode: Function,
        /// A sampler's latent is (the VAE's latent - latent_shift) · latent_scale.
        latent_scale: f64,
        latent_shift: f64,
        /// Pixels along a side of one latent element.
        downscale: u32,
    };

    /// An autoencoder of these parts.
    pub fn create(of: Parts) Error!Vae {
        return .{ .object = try .create(wire_type, of) };
    }

    /// What the autoencoder is made of.
    pub fn parts(vae: Vae) Error!Parts {
        return partsOf(Parts, vae.object);
    }

    /// The latent [b, c, h', w'] of an image [b, h, w, 3] in -1…1.
    pub fn encode(vae: Vae, image: Tensor) Error!Tensor {
        const function = try vae.object.get(Function, "encode");
        return (try function.call(.{ .image = image })).get(Tensor, "latent");
    }

    /// The image [b, h, w, 3] in -1…1 of a latent [b, c, h', w'] as the VAE has it.
    pub fn decode(vae: Vae, latent: Tensor) Error!Tensor {
        const function = try vae.object.get(Function, "decode");
        return (try function.call(.{ .latent = latent })).get(Tensor, "image");
    }

    pub fn fromAny(any: Any) Error!Vae {
        return .{ .object = try objectOf(any, wire_type) };
    }

    pub fn toAny(vae: Vae) Error!Any {
        return .{ .object = vae.object };
    }
};

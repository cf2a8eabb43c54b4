/// The wires whose meaning the contract fixes, as types that are checked when they are made.
///
/// A sampler's latent = (the VAE's latent − latent_shift) · latent_scale.
#pragma once

#include "values.hpp"

namespace berth {

namespace detail {

/// A tensor of so many dimensions; otherwise an error.
inline const Tensor &ranked(const char *what, const Tensor &x, std::size_t rank) {
    if (!failed() && x && x.rank() != rank) {
        invalid(std::string(what) + ": expected a tensor of " + std::to_string(rank) + " dimensions, got " +
                Value(x).describe());
    }
    return x;
}

} // namespace detail

/// A batch of images: a tensor [batch, height, width, channels], `f32`, 0…1.
class Image : public Tensor {
public:
    /// The wire's type.
    static constexpr const char *wire = "IMAGE";
    /// An empty handle.
    Image() = default;
    /// A tensor as `IMAGE`. Error: `BERTH_INVALID_ARGUMENT` when its dtype or its number of dimensions is another.
    Image(Tensor x) : Tensor(std::move(x)) {
        if (!failed()) berth_as_image(berth_tensor_value(raw()));
    }
};

/// A batch of masks: a tensor [batch, height, width], `f32`, 0…1.
class Mask : public Tensor {
public:
    /// The wire's type.
    static constexpr const char *wire = "MASK";
    /// An empty handle.
    Mask() = default;
    /// A tensor as `MASK`. Error: `BERTH_INVALID_ARGUMENT` when its dtype or its number of dimensions is another.
    Mask(Tensor x) : Tensor(std::move(x)) {
        if (!failed()) berth_as_mask(berth_tensor_value(raw()));
    }
};

/// A batch of latents, and the mask of what a sampler may change in them.
class Latent : public Object {
public:
    using Object::Object;
    /// The wire's type.
    static constexpr const char *wire = "LATENT";
    /// Latents [batch, channels, h, w], and a mask, 1 where a sampler may change them.
    explicit Latent(const Tensor &samples, const Tensor &noise_mask = {})
        : Object(berth_latent_new(samples.raw(), noise_mask.raw())) {}
    /// The latents, [batch, channels, h, w].
    Tensor samples() const { return get<Tensor>("samples"); }
    /// Where a sampler may change the latents, if not everywhere.
    std::optional<Tensor> noise_mask() const { return find<Tensor>("noise-mask"); }
    /// Integers, whose noise of a batch each latent gets.
    std::optional<Items> batch_index() const { return find<Items>("batch-index"); }
    /// The same with other latents.
    Latent with_samples(const Tensor &samples) const {
        return Latent(replace({{"samples", detail::ranked("LATENT `samples`", samples, 4)}}));
    }
    /// The same with this mask.
    Latent with_noise_mask(const Tensor &mask) const { return Latent(replace({{"noise-mask", mask}})); }

private:
    explicit Latent(Object &&object) : Object(std::move(object)) {}
};

/// One embedding of a `Conditioning`.
struct Entry {
    /// [batch, tokens, width].
    Tensor embedding;
    /// What its encoder pooled it to; empty if it does not.
    Tensor pooled{};
    /// The object that it was read from, with fields that are not here. Not used when a conditioning is made.
    Object object{};
};

/// What steers a model: one or more embeddings.
class Conditioning : public Object {
public:
    using Object::Object;
    /// The wire's type.
    static constexpr const char *wire = "CONDITIONING";
    /// A conditioning of these embeddings.
    explicit Conditioning(const std::vector<Entry> &entries) : Object(make(entries)) {}
    /// Its embeddings, in order.
    std::vector<Entry> entries() const {
        std::vector<Entry> made;
        std::uint32_t count = berth_conditioning_count(raw());
        for (std::uint32_t i = 0; i < count; i++) {
            berth_entry entry = berth_conditioning_entry(raw(), i);
            made.push_back({Tensor(entry.embedding), Tensor(entry.pooled), Object(entry.object)});
        }
        return made;
    }

private:
    static berth_object *make(const std::vector<Entry> &entries) {
        std::vector<berth_entry> raws;
        for (const Entry &entry : entries) raws.push_back({entry.embedding.raw(), entry.pooled.raw(), nullptr});
        return berth_conditioning_new(raws.data(), raws.size());
    }
};

/// What a `ModelWire` is made of.
struct Denoiser {
    /// `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor [b, tokens, width], `pooled` tensor (optional)
    /// → `prediction` tensor [b, c, h, w].
    Function denoise;
    /// What is predicted: `epsilon` (Ho et al. 2020), `v` (Salimans & Ho 2022) or `flow` (Lipman et al. 2023).
    std::string prediction = "epsilon";
    /// [steps] `f64`: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020.
    Tensor alphas;
    /// Channels of a latent.
    std::uint32_t latent_channels = 4;
    /// The factor of a sampler's latent.
    double latent_scale = 1;
    /// The shift of a sampler's latent.
    double latent_shift = 0;
};

/// A denoiser, and what a sampler must know of it.
class ModelWire : public Object {
public:
    using Object::Object;
    /// The wire's type.
    static constexpr const char *wire = "MODEL";
    /// A model of these parts. Error: `BERTH_INVALID_ARGUMENT` for an unknown prediction.
    explicit ModelWire(const Denoiser &parts) : Object(make(parts)) {}
    /// Its parts.
    Denoiser parts() const {
        return {get<Function>("denoise"), get<std::string>("prediction"), get<Tensor>("alphas"),
                get<std::uint32_t>("latent-channels"), get<double>("latent-scale"), get<double>("latent-shift")};
    }
    /// What it predicts for a latent [b, c, h, w] at a timestep, under a conditioning [b, tokens, width] and a pooled one.
    /// Errors: the model's own.
    Tensor denoise(const Tensor &latent, double timestep, const Tensor &conditioning, const Tensor &pooled = {}) const {
        return Tensor(berth_denoise(raw(), latent.raw(), timestep, conditioning.raw(), pooled.raw()));
    }

private:
    static berth_object *make(const Denoiser &parts) {
        berth_denoiser raw{parts.denoise.raw(), parts.prediction.c_str(), parts.alphas.raw(),
                           parts.latent_channels, parts.latent_scale, parts.latent_shift};
        return berth_model_wire_new(&raw);
    }
};

/// A text encoder.
class Clip : public Object {
public:
    using Object::Object;
    /// The wire's type.
    static constexpr const char *wire = "CLIP";
    /// A text encoder of this function: `text` text → `conditioning` object.
    explicit Clip(const Function &encode) : Object(berth_clip_new(encode.raw())) {}
    /// The conditioning of a text. Errors: the encoder's own.
    Conditioning encode(const std::string &text) const {
        return Conditioning(berth_clip_encode(raw(), text.c_str()));
    }
};

/// What a `Vae` is made of.
struct Autoencoder {
    /// `image` tensor [b, h, w, 3], −1…1 → `latent` tensor [b, c, h', w'].
    Function encode;
    /// `latent` tensor [b, c, h', w'] as the VAE has it → `image` tensor [b, h, w, 3], −1…1.
    Function decode;
    /// The factor of a sampler's latent.
    double latent_scale = 1;
    /// The shift of a sampler's latent.
    double latent_shift = 0;
    /// Pixels along a side of one latent element.
    std::uint32_t downscale = 8;
};

/// The autoencoder between images and latents.
class Vae : public Object {
public:
    using Object::Object;
    /// The wire's type.
    static constexpr const char *wire = "VAE";
    /// An autoencoder of these parts.
    explicit Vae(const Autoencoder &parts) : Object(make(parts)) {}
    /// Its parts.
    Autoencoder parts() const {
        return {get<Function>("encode"), get<Function>("decode"), get<double>("latent-scale"), get<double>("latent-shift"),
                get<std::uint32_t>("downscale")};
    }
    /// The latent [b, c, h', w'], as the VAE has it, of an image [b, h, w, 3] in −1…1. Errors: the VAE's own.
    Tensor encode(const Tensor &image) const { return Tensor(berth_vae_encode(raw(), image.raw())); }
    /// The image [b, h, w, 3] in −1…1 of a latent [b, c, h', w'] as the VAE has it. Errors: the VAE's own.
    Tensor decode(const Tensor &latent) const { return Tensor(berth_vae_decode(raw(), latent.raw())); }

private:
    static berth_object *make(const Autoencoder &parts) {
        berth_autoencoder raw{parts.encode.raw(), parts.decode.raw(), parts.latent_scale, parts.latent_shift, parts.downscale};
        return berth_vae_new(&raw);
    }
};

} // namespace berth

/// The wires whose meaning the contract fixes. `IMAGE` and `MASK` are tensors (`berth_get_image`,
/// `berth_get_mask`); those here are objects of the type that is named, and `berth_get_object` checks it.
///
/// A sampler's latent = (the VAE's latent − latent_shift) · latent_scale.
#ifndef BERTH_WIRES_H
#define BERTH_WIRES_H

#include "values.h"

#ifdef __cplusplus
extern "C" {
#endif

// LATENT

/// A `LATENT`: samples [batch, channels, h, w], and a mask, 1 where a sampler may change them, or NULL.
berth_object *berth_latent_new(berth_tensor *samples, berth_tensor *noise_mask);

/// The latents, [batch, channels, h, w].
berth_tensor *berth_latent_samples(const berth_object *latent);

/// Where a sampler may change the latents, or NULL for everywhere.
berth_tensor *berth_latent_noise_mask(const berth_object *latent);

/// Integers, whose noise of a batch each latent gets, or NULL.
berth_items *berth_latent_batch_index(const berth_object *latent);

// CONDITIONING

/// One embedding of a `CONDITIONING`.
typedef struct berth_entry {
    /// [batch, tokens, width].
    berth_tensor *embedding;
    /// What its encoder pooled it to, or NULL.
    berth_tensor *pooled;
    /// The object that it was read from, with fields that this struct does not have. Not used when
    /// a conditioning is made.
    berth_object *object;
} berth_entry;

/// A `CONDITIONING` of `count` embeddings.
berth_object *berth_conditioning_new(const berth_entry *entries, size_t count);

/// How many embeddings there are.
uint32_t berth_conditioning_count(const berth_object *conditioning);

/// One of them. Error: `BERTH_NOT_FOUND` past the end.
berth_entry berth_conditioning_entry(const berth_object *conditioning, uint32_t index);

// MODEL

/// What a `MODEL` is made of.
typedef struct berth_denoiser {
    /// `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor [b, tokens, width],
    /// `pooled` tensor (optional) → `prediction` tensor [b, c, h, w].
    berth_function *denoise;
    /// What is predicted: `epsilon` (Ho et al. 2020), `v` (Salimans & Ho 2022) or `flow` (Lipman et al. 2023).
    const char *prediction;
    /// [steps] `f64`: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020.
    berth_tensor *alphas;
    /// Channels of a latent.
    uint32_t latent_channels;
    /// The factor of a sampler's latent.
    double latent_scale;
    /// The shift of a sampler's latent.
    double latent_shift;
} berth_denoiser;

/// A `MODEL` of these parts. Error: `BERTH_INVALID_ARGUMENT` for an unknown prediction.
berth_object *berth_model_wire_new(const berth_denoiser *parts);

/// The parts of a `MODEL`.
berth_denoiser berth_denoiser_of(const berth_object *model);

/// What a `MODEL` predicts for a latent [b, c, h, w] at a timestep, under a conditioning
/// [b, tokens, width] and a pooled one, or NULL. Errors: the model's own.
berth_tensor *berth_denoise(const berth_object *model, berth_tensor *latent, double timestep,
                            berth_tensor *conditioning, berth_tensor *pooled);

// CLIP

/// A `CLIP` of this function: `text` text → `conditioning` object.
berth_object *berth_clip_new(berth_function *encode);

/// The `CONDITIONING` of a text. Errors: the encoder's own.
berth_object *berth_clip_encode(const berth_object *clip, const char *text);

// VAE

/// What a `VAE` is made of.
typedef struct berth_autoencoder {
    /// `image` tensor [b, h, w, 3], −1…1 → `latent` tensor [b, c, h', w'].
    berth_function *encode;
    /// `latent` tensor [b, c, h', w'] as the VAE has it → `image` tensor [b, h, w, 3], −1…1.
    berth_function *decode;
    /// The factor of a sampler's latent.
    double latent_scale;
    /// The shift of a sampler's latent.
    double latent_shift;
    /// Pixels along a side of one latent element.
    uint32_t downscale;
} berth_autoencoder;

/// A `VAE` of these parts.
berth_object *berth_vae_new(const berth_autoencoder *parts);

/// The parts of a `VAE`.
berth_autoencoder berth_autoencoder_of(const berth_object *vae);

/// The latent [b, c, h', w'], as the VAE has it, of an image [b, h, w, 3] in −1…1. Errors: the VAE's own.
berth_tensor *berth_vae_encode(const berth_object *vae, berth_tensor *image);

/// The image [b, h, w, 3] in −1…1 of a latent [b, c, h', w'] as the VAE has it. Errors: the VAE's own.
berth_tensor *berth_vae_decode(const berth_object *vae, berth_tensor *latent);

#ifdef __cplusplus
}
#endif
#endif

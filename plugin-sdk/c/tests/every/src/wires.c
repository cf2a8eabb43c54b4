#include "check.h"

void run_wires(const berth_fields *inputs, berth_outputs *outputs) {
    (void)inputs;
    berth_tensor *samples = berth_ones(BERTH_F32, BERTH_DIMS(1, 4, 2, 2));
    berth_object *plain = berth_latent_new(samples, NULL), *latent = berth_latent_new(samples, berth_ones(BERTH_F32, BERTH_DIMS(1, 2, 2)));
    CHECK(berth_rank(berth_latent_samples(latent)) == 4 && berth_rank(berth_latent_noise_mask(latent)) == 3);
    CHECK(!berth_latent_noise_mask(plain) && !berth_latent_batch_index(plain));
    berth_latent_new(berth_ones(BERTH_F32, BERTH_DIMS(2)), NULL);
    CHECK(caught(BERTH_INVALID_ARGUMENT, "LATENT `samples`: expected a tensor of 4 dimensions, got a f32 tensor of [2]"));
    berth_tensor *embedding = berth_ones(BERTH_F32, BERTH_DIMS(1, 2, 3)), *pooled = berth_ones(BERTH_F32, BERTH_DIMS(1, 3));
    berth_object *conditioning = berth_conditioning_new((berth_entry[]){{.embedding = embedding}, {embedding, pooled, NULL}}, 2);
    CHECK(berth_conditioning_count(conditioning) == 2 && !berth_conditioning_entry(conditioning, 0).pooled);
    CHECK(berth_rank(berth_conditioning_entry(conditioning, 1).pooled) == 2 && berth_conditioning_entry(conditioning, 1).object);
    berth_conditioning_entry(conditioning, 2);
    CHECK(caught(BERTH_NOT_FOUND, ""));

    berth_fields *captures = berth_fields_new();
    berth_set(captures, "scale", 3.0);
    berth_denoiser parts = {berth_function_new("denoise", captures), "epsilon", berth_ones(BERTH_F64, BERTH_DIMS(10)), 4, 0.5, 0.25};
    berth_object *model = berth_model_wire_new(&parts);
    berth_denoiser back = berth_denoiser_of(model);
    CHECK(back.latent_channels == 4 && back.latent_scale == 0.5 && back.latent_shift == 0.25 && berth_rank(back.alphas) == 1);
    CHECK(strcmp(back.prediction, "epsilon") == 0 && back.denoise);
    CHECK(berth_number_of(berth_mean(berth_denoise(model, samples, 2.0, embedding, NULL), BERTH_ALL_AXES, false)) == 6);
    CHECK(berth_number_of(berth_mean(berth_denoise(model, samples, 2.0, embedding, pooled), BERTH_ALL_AXES, false)) == 7);
    parts.prediction = "x";
    berth_model_wire_new(&parts);
    CHECK(caught(BERTH_INVALID_ARGUMENT, "`x` is not"));
    berth_object *clip = berth_clip_new(berth_function_new("encode-text", NULL));
    CHECK(berth_dim(berth_conditioning_entry(berth_clip_encode(clip, "four"), 0).embedding, 1) == 4);
    berth_autoencoder coder = {berth_function_new("encode", NULL), berth_function_new("decode", NULL), 2, 1, 1};
    berth_object *vae = berth_vae_new(&coder);
    CHECK(berth_autoencoder_of(vae).downscale == 1 && berth_autoencoder_of(vae).latent_scale == 2);
    berth_tensor *image = berth_ones(BERTH_F32, BERTH_DIMS(1, 2, 2, 3));
    berth_tensor *coded = berth_vae_encode(vae, image);
    CHECK(berth_dim(coded, 1) == 3 && berth_dim(berth_vae_decode(vae, coded), 3) == 3);
    berth_get_object(berth_fields_of(vae), "encode", "X");
    CHECK(caught(BERTH_INVALID_ARGUMENT, "VAE: `encode`: expected a X, got a function"));
    berth_give(outputs, model);
    berth_give(outputs, clip);
    berth_give(outputs, vae);
    berth_give(outputs, latent);
    berth_give(outputs, conditioning);
}

// The wires of the contract: objects whose fields have fixed names.

#include <string.h>

#include "internal.h"

/// Whether a tensor has so many dimensions; otherwise, an error. NULL is left to who uses it.
static bool has_rank(const char *what, const berth_tensor *x, uint32_t rank) {
    if (berth_failed()) return false;
    if (!x || berth_rank(x) == rank) return !berth_failed();
    berth_fail(BERTH_INVALID_ARGUMENT, "%s: expected a tensor of %u dimensions, got %s", what, (unsigned)rank,
               berth_describe_value(berth_tensor_value((berth_tensor *)x)));
    return false;
}

/// A field of an object that may be missing.
static berth_fields *one(const berth_object *object, const char *name) {
    bth_named none = {NULL, 0};
    berth_fields *fields = bth_take_fields(&none, berth_failed() || !object ? NULL : berth_type_name(object));
    berth_set_value(fields, name, berth_object_find(object, name));
    return fields;
}

static berth_tensor *optional_tensor(const berth_object *object, const char *name) {
    berth_scope scope = berth_begin();
    berth_fields *fields = one(object, name);
    return berth_end(scope, berth_has(fields, name) ? berth_get_tensor(fields, name) : NULL);
}

// LATENT

berth_object *berth_latent_new(berth_tensor *samples, berth_tensor *noise_mask) {
    BTH_NEED(NULL, samples);
    if (!has_rank("LATENT `samples`", samples, 4)) return NULL;
    berth_fields *fields = berth_fields_new();
    berth_set(fields, "samples", samples);
    berth_set(fields, "noise-mask", noise_mask);
    return berth_object_new("LATENT", fields);
}

berth_tensor *berth_latent_samples(const berth_object *latent) {
    berth_scope scope = berth_begin();
    return berth_end(scope, berth_get_tensor(one(latent, "samples"), "samples"));
}

berth_tensor *berth_latent_noise_mask(const berth_object *latent) { return optional_tensor(latent, "noise-mask"); }

berth_items *berth_latent_batch_index(const berth_object *latent) {
    berth_fields *fields = one(latent, "batch-index");
    return berth_has(fields, "batch-index") ? berth_get_items(fields, "batch-index") : NULL;
}

// CONDITIONING

berth_object *berth_conditioning_new(const berth_entry *entries, size_t count) {
    BTH_NEED(NULL, entries);
    berth_value *values = berth_alloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        if (!bth_ready(__func__, (const void *[]){entries[i].embedding}, 1)) return NULL;
        if (!has_rank("CONDITIONING `embedding`", entries[i].embedding, 3)) return NULL;
        berth_fields *fields = berth_fields_new();
        berth_set(fields, "embedding", entries[i].embedding);
        berth_set(fields, "pooled", entries[i].pooled);
        values[i] = berth_object_value(berth_object_new("CONDITIONING_ENTRY", fields));
    }
    berth_fields *fields = berth_fields_new();
    berth_set(fields, "entries", berth_items_new(values, count));
    return berth_object_new("CONDITIONING", fields);
}

static berth_items *entries_of(const berth_object *conditioning) {
    return berth_get_items(one(conditioning, "entries"), "entries");
}

uint32_t berth_conditioning_count(const berth_object *conditioning) { return berth_length(entries_of(conditioning)); }

berth_entry berth_conditioning_entry(const berth_object *conditioning, uint32_t index) {
    berth_object *entry = berth_as_object(berth_item(entries_of(conditioning), index), NULL);
    return (berth_entry){
        .embedding = berth_get_tensor(one(entry, "embedding"), "embedding"),
        .pooled = optional_tensor(entry, "pooled"),
        .object = entry,
    };
}

// MODEL

berth_object *berth_model_wire_new(const berth_denoiser *parts) {
    BTH_NEED(NULL, parts);
    BTH_NEED(NULL, parts->denoise, parts->prediction, parts->alphas);
    static const char *const known[] = {"epsilon", "v", "flow"};
    if (!berth_contains((berth_texts){3, known}, parts->prediction)) {
        berth_fail(BERTH_INVALID_ARGUMENT, "MODEL `prediction`: `%s` is not `epsilon`, `v` or `flow`", parts->prediction);
    }
    if (!has_rank("MODEL `alphas`", parts->alphas, 1)) return NULL;
    berth_fields *fields = berth_fields_new();
    berth_set(fields, "denoise", parts->denoise);
    berth_set(fields, "prediction", parts->prediction);
    berth_set(fields, "alphas", parts->alphas);
    berth_set(fields, "latent-channels", parts->latent_channels);
    berth_set(fields, "latent-scale", parts->latent_scale);
    berth_set(fields, "latent-shift", parts->latent_shift);
    return berth_object_new("MODEL", fields);
}

berth_denoiser berth_denoiser_of(const berth_object *model) {
    berth_fields *fields = berth_fields_of(model);
    return (berth_denoiser){
        .denoise = berth_get_function(fields, "denoise"),
        .prediction = berth_get_text(fields, "prediction"),
        .alphas = berth_get_tensor(fields, "alphas"),
        .latent_channels = (uint32_t)berth_get_uint(fields, "latent-channels"),
        .latent_scale = berth_get_number(fields, "latent-scale"),
        .latent_shift = berth_get_number(fields, "latent-shift"),
    };
}

berth_tensor *berth_denoise(const berth_object *model, berth_tensor *latent, double timestep,
                            berth_tensor *conditioning, berth_tensor *pooled) {
    BTH_NEED(NULL, model, latent, conditioning);
    berth_scope scope = berth_begin();
    berth_fields *arguments = berth_fields_new();
    berth_set(arguments, "latent", latent);
    berth_set(arguments, "timestep", timestep);
    berth_set(arguments, "conditioning", conditioning);
    berth_set(arguments, "pooled", pooled);
    berth_function *denoise = berth_get_function(one(model, "denoise"), "denoise");
    return berth_end(scope, berth_get_tensor(berth_call(denoise, arguments), "prediction"));
}

// CLIP

berth_object *berth_clip_new(berth_function *encode) {
    BTH_NEED(NULL, encode);
    berth_fields *fields = berth_fields_new();
    berth_set(fields, "encode", encode);
    return berth_object_new("CLIP", fields);
}

berth_object *berth_clip_encode(const berth_object *clip, const char *text) {
    BTH_NEED(NULL, clip, text);
    berth_scope scope = berth_begin();
    berth_fields *arguments = berth_fields_new();
    berth_set(arguments, "text", text);
    berth_function *encode = berth_get_function(one(clip, "encode"), "encode");
    return berth_end(scope, berth_get_object(berth_call(encode, arguments), "conditioning", "CONDITIONING"));
}

// VAE

berth_object *berth_vae_new(const berth_autoencoder *parts) {
    BTH_NEED(NULL, parts);
    BTH_NEED(NULL, parts->encode, parts->decode);
    berth_fields *fields = berth_fields_new();
    berth_set(fields, "encode", parts->encode);
    berth_set(fields, "decode", parts->decode);
    berth_set(fields, "latent-scale", parts->latent_scale);
    berth_set(fields, "latent-shift", parts->latent_shift);
    berth_set(fields, "downscale", parts->downscale);
    return berth_object_new("VAE", fields);
}

berth_autoencoder berth_autoencoder_of(const berth_object *vae) {
    berth_fields *fields = berth_fields_of(vae);
    return (berth_autoencoder){
        .encode = berth_get_function(fields, "encode"),
        .decode = berth_get_function(fields, "decode"),
        .latent_scale = berth_get_number(fields, "latent-scale"),
        .latent_shift = berth_get_number(fields, "latent-shift"),
        .downscale = (uint32_t)berth_get_uint(fields, "downscale"),
    };
}

/// Calls a VAE's function of one tensor, which gives one.
static berth_tensor *coded(const berth_object *vae, const char *name, const char *from, berth_tensor *x, const char *to) {
    if (!bth_ready(name, (const void *[]){vae, x}, 2)) return NULL;
    berth_scope scope = berth_begin();
    berth_fields *arguments = berth_fields_new();
    berth_set(arguments, from, x);
    return berth_end(scope, berth_get_tensor(berth_call(berth_get_function(one(vae, name), name), arguments), to));
}

berth_tensor *berth_vae_encode(const berth_object *vae, berth_tensor *image) {
    return coded(vae, "encode", "image", image, "latent");
}

berth_tensor *berth_vae_decode(const berth_object *vae, berth_tensor *latent) {
    return coded(vae, "decode", "latent", latent, "image");
}

#include "check.hpp"

const Node wires = {
    .name = "Wires", .category = "test", .description = "Tests.",
    .run = []() -> std::tuple<ModelWire, Clip, Vae, Latent, Conditioning, Image, Mask> {
        Tensor samples = Tensor::ones(BERTH_F32, {1, 4, 2, 2}), embedding = Tensor::ones(BERTH_F32, {1, 2, 3}), pooled = Tensor::ones(BERTH_F32, {1, 3});
        Latent plain(samples), latent = plain.with_noise_mask(Tensor::ones(BERTH_F32, {1, 2, 2}));
        CHECK(latent.samples().rank() == 4 && latent.noise_mask()->rank() == 3 && !plain.noise_mask() && !plain.batch_index());
        CHECK(has(latent.with_samples(samples + 1).samples().mean(), {2}));
        Latent(Tensor::ones(BERTH_F32, {2}));
        CHECK(was(BERTH_INVALID_ARGUMENT, "LATENT `samples`: expected a tensor of 4 dimensions, got a f32 tensor of [2]"));
        plain.with_samples(embedding);
        CHECK(was(BERTH_INVALID_ARGUMENT, "LATENT `samples`: expected a tensor of 4 dimensions"));
        Conditioning conditioning(std::vector<Entry>{{embedding}, {embedding, pooled}});
        auto entries = conditioning.entries();
        CHECK(entries.size() == 2 && !entries[0].pooled && entries[1].pooled.rank() == 2 && entries[0].object);
        ModelWire model(Denoiser{.denoise = Function::create("denoise", {{"scale", 3.0}}), .alphas = Tensor::ones(BERTH_F64, {10}), .latent_scale = .5});
        Denoiser parts = model.parts();
        CHECK(parts.prediction == "epsilon" && parts.latent_channels == 4 && parts.latent_scale == .5 && parts.alphas.rank() == 1);
        CHECK(has(model.denoise(samples, 2, embedding).mean(), {6}) && has(model.denoise(samples, 2, embedding, pooled).mean(), {7}));
        parts.prediction = "x";
        ModelWire wrong(parts);
        CHECK(was(BERTH_INVALID_ARGUMENT, "`x` is not"));
        Clip clip(Function::create("encode-text"));
        CHECK(clip.encode("four").entries()[0].embedding.dim(1) == 4);
        Vae vae(Autoencoder{.encode = Function::create("encode"), .decode = Function::create("decode"), .downscale = 1});
        Image image = Tensor::ones(BERTH_F32, {1, 2, 2, 3});
        CHECK(vae.parts().downscale == 1 && vae.decode(vae.encode(image)).dim(3) == 3);
        Image bad = samples.cast(BERTH_F16);
        CHECK(was(BERTH_INVALID_ARGUMENT, "expected a f32 tensor [batch, height, width, channels]"));
        return {model, clip, vae, latent, conditioning, image, Mask(image.slice(3, 0, 1).reshape({1, 2, 2}))};
    },
};

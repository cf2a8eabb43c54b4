// Two real nodes: a filter, and a small network.

#include <algorithm>
#include <berth.hpp>

using namespace berth;

static const Node sharpen = {
    .name = "Sharpen",
    .category = "image/filters",
    .description = "Makes the edges of an image clearer, by what a slight blur takes away.",
    .inputs = {{"image", "The image to sharpen."},
               {.name = "amount", .tooltip = "0 leaves it as it is.", .initial = 1.0, .min = 0.0, .max = 5.0, .step = 0.01}},
    .run = [](Image image, double amount) -> Image {
        std::uint32_t channels = image.dim(3);
        Tensor x = image.permute({0, 3, 1, 2});
        // Pascal's fifth row, in both directions: the binomial blur.
        const float row[] = {1, 4, 6, 4, 1};
        std::vector<float> taps;
        for (float a : row) {
            for (float b : row) taps.push_back(a * b / 256);
        }
        Tensor kernel = Tensor::of({1, 1, 5, 5}, taps).broadcast({channels, 1, 5, 5});
        Tensor padded = x.pad({{0, 0}, {0, 0}, {2, 2}, {2, 2}}, BERTH_PAD_EDGE);
        Tensor blurred = padded.conv2d(kernel, {}, {.groups = channels});
        Tensor sharp = x + (x - blurred) * amount;
        return sharp.permute({0, 2, 3, 1}).clamp(0.0, 1.0);
    },
};

static const Node upscale = {
    .name = "Upscale",
    .category = "image/upscaling",
    .description = "Enlarges an image by a network of convolutions whose last one gives several pixels for each "
                   "(Shi et al. 2016).",
    .inputs = {{"image", "The image to enlarge."},
               {.name = "model_name",
                .tooltip = "The network: convolutions `0`, `1`, … with `weight` and `bias`.",
                .models = "upscale_models"}},
    .run = [](Image image, std::string model_name) -> Image {
        ModelFile model = ModelFile::open("upscale_models", model_name);
        Texts keys = model.keys();
        std::uint32_t layers = 0;
        while (std::ranges::contains(keys, std::to_string(layers) + ".weight")) layers++;
        Shape size = image.shape();
        std::uint32_t batch = size[0], height = size[1], width = size[2], channels = size[3];
        Tensor x = image.permute({0, 3, 1, 2});
        for (std::uint32_t i = 0; i < layers; i++) {
            Tensor weight = model.weight(std::to_string(i) + ".weight");
            Tensor bias = model.weight(std::to_string(i) + ".bias");
            x = x.conv2d(weight, bias, {.padding = weight.dim(2) / 2});
            if (i + 1 < layers) x = x.relu();
            context::progress(i + 1, layers);
        }
        std::uint32_t made = x.dim(1), factor = 1;
        while (factor <= made && factor * factor * channels != made) factor++;
        if (layers == 0 || factor > made) {
            failure("not-an-upscaler",
                    "`" + model_name + "` is no network that enlarges images of " + std::to_string(channels) + " channels",
                    "choose a model with the tensors 0.weight, 0.bias, 1.weight, …");
            return {};
        }
        Tensor pixels = x.reshape({batch, channels, factor, factor, height, width})
                            .permute({0, 1, 4, 2, 5, 3})
                            .reshape({batch, channels, height * factor, width * factor});
        return pixels.permute({0, 2, 3, 1}).clamp(0.0, 1.0);
    },
};

BERTH_PLUGIN(.nodes = {sharpen, upscale});

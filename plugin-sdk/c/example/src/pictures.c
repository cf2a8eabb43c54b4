// Two real nodes: a filter, and a small network.

#include <berth.h>

static void run_sharpen(const berth_fields *inputs, berth_outputs *outputs) {
    berth_tensor *image = berth_get_image(inputs, "image");
    double amount = berth_get_number(inputs, "amount");
    uint32_t channels = berth_dim(image, 3);
    berth_tensor *x = berth_permute(image, BERTH_DIMS(0, 3, 1, 2));
    // Pascal's fifth row, in both directions: the binomial blur.
    const float row[] = {1, 4, 6, 4, 1};
    float taps[25];
    for (int i = 0; i < 25; i++) taps[i] = row[i / 5] * row[i % 5] / 256;
    berth_tensor *tap = berth_from(BERTH_DIMS(1, 1, 5, 5), taps, 25);
    berth_tensor *kernel = berth_broadcast(tap, BERTH_DIMS(channels, 1, 5, 5));
    berth_tensor *padded = berth_pad(x, BERTH_MARGINS({0, 0}, {0, 0}, {2, 2}, {2, 2}), BERTH_PAD_EDGE, 0);
    berth_tensor *blurred = berth_conv2d(padded, kernel, NULL, (berth_walk){.groups = channels});
    berth_tensor *sharp = berth_add(x, berth_mul(berth_sub(x, blurred), amount));
    berth_give(outputs, berth_clamp(berth_permute(sharp, BERTH_DIMS(0, 2, 3, 1)), 0.0, 1.0));
}

static const berth_node sharpen = {
    .name = "Sharpen",
    .category = "image/filters",
    .description = "Makes the edges of an image clearer, by what a slight blur takes away.",
    .inputs = BERTH_INPUTS(
        {"image", BERTH_WIRE("IMAGE"), "The image to sharpen."},
        {"amount", BERTH_NUMBER(.initial = 1.0, .min = 0.0, .max = 5.0, .step = 0.01), "0 leaves it as it is."}),
    .outputs = BERTH_OUTPUTS({"IMAGE"}),
    .run = run_sharpen,
};

static void run_upscale(const berth_fields *inputs, berth_outputs *outputs) {
    berth_tensor *image = berth_get_image(inputs, "image");
    const char *name = berth_get_text(inputs, "model_name");
    berth_model *model = berth_model_open("upscale_models", name);
    berth_texts keys = berth_model_keys(model);
    uint32_t layers = 0;
    while (berth_contains(keys, berth_format("%u.weight", (unsigned)layers))) layers++;
    berth_dims size = berth_shape(image);
    uint32_t batch = size.at[0], height = size.at[1], width = size.at[2], channels = size.at[3];
    berth_tensor *x = berth_permute(image, BERTH_DIMS(0, 3, 1, 2));
    for (uint32_t i = 0; i < layers; i++) {
        berth_scope layer = berth_begin();
        berth_tensor *before = x;
        berth_tensor *weight = berth_model_weight(model, berth_format("%u.weight", (unsigned)i));
        berth_tensor *bias = berth_model_weight(model, berth_format("%u.bias", (unsigned)i));
        x = berth_conv2d(x, weight, bias, (berth_walk){.padding = berth_dim(weight, 2) / 2});
        if (i + 1 < layers) x = berth_relu(x);
        x = berth_end(layer, x);
        berth_drop(before);
        berth_progress(i + 1, layers);
    }
    uint32_t made = berth_dim(x, 1), factor = 1;
    while (factor <= made && factor * factor * channels != made) factor++;
    if (layers == 0 || factor > made) {
        berth_failure("not-an-upscaler",
                      berth_format("`%s` is no network that enlarges images of %u channels", name, (unsigned)channels),
                      "choose a model with the tensors 0.weight, 0.bias, 1.weight, …");
        return;
    }
    x = berth_reshape(x, BERTH_DIMS(batch, channels, factor, factor, height, width));
    x = berth_permute(x, BERTH_DIMS(0, 1, 4, 2, 5, 3));
    x = berth_reshape(x, BERTH_DIMS(batch, channels, height * factor, width * factor));
    berth_give(outputs, berth_clamp(berth_permute(x, BERTH_DIMS(0, 2, 3, 1)), 0.0, 1.0));
}

static const berth_node upscale = {
    .name = "Upscale",
    .category = "image/upscaling",
    .description = "Enlarges an image by a network of convolutions whose last one gives several pixels for each "
                   "(Shi et al. 2016).",
    .inputs = BERTH_INPUTS(
        {"image", BERTH_WIRE("IMAGE"), "The image to enlarge."},
        {"model_name", BERTH_CHOICE(.models = "upscale_models"),
         "The network: convolutions `0`, `1`, … with `weight` and `bias`."}),
    .outputs = BERTH_OUTPUTS({"IMAGE"}),
    .run = run_upscale,
};

BERTH_PLUGIN(.nodes = BERTH_NODES(&sharpen, &upscale));

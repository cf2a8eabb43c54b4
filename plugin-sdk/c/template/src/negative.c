// The nodes of this plugin.

#include <berth.h>

// image·(1 − strength) + (1 − image)·strength
static void run_negative(const berth_fields *inputs, berth_outputs *outputs) {
    berth_tensor *image = berth_get_image(inputs, "image");
    double strength = berth_get_number(inputs, "strength");
    berth_tensor *negative = berth_sub(1.0, image);
    berth_give(outputs, berth_add(berth_mul(image, 1.0 - strength), berth_mul(negative, strength)));
}

static const berth_node negative = {
    .name = "Negative",
    .category = "image",
    .description = "Turns the colours of an image round: what is dark becomes bright.",
    .inputs = BERTH_INPUTS(
        {"image", BERTH_WIRE("IMAGE"), "The image to turn round."},
        {"strength", BERTH_NUMBER(.initial = 1.0, .min = 0.0, .max = 1.0, .step = 0.01),
         "0 leaves it as it is, 1 turns it round wholly."}),
    .outputs = BERTH_OUTPUTS({"IMAGE", .tooltip = "The image, turned round."}),
    .run = run_negative,
};

BERTH_PLUGIN(.nodes = BERTH_NODES(&negative));

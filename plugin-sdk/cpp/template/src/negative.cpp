// The nodes of this plugin.

#include <berth.hpp>

using namespace berth;

static const Node negative = {
    .name = "Negative",
    .category = "image",
    .description = "Turns the colours of an image round: what is dark becomes bright.",
    .inputs = {{"image", "The image to turn round."},
               {.name = "strength",
                .tooltip = "0 leaves it as it is, 1 turns it round wholly.",
                .initial = 1.0,
                .min = 0.0,
                .max = 1.0,
                .step = 0.01}},
    .outputs = {{.tooltip = "The image, turned round."}},
    .run = [](Image image, double strength) -> Image {
        return image * (1.0 - strength) + (1.0 - image) * strength;
    },
};

BERTH_PLUGIN(.nodes = {negative});

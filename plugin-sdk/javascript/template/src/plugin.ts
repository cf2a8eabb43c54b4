// Each exported node is a node of the plugin: the export's name is the one that workflows use.

import { image, node, number, sub } from "@berth/sdk";

export const Negative = node({
  category: "image",
  description: "Turns each colour of an image into its opposite.",
  inputs: {
    image: image({ tooltip: "The image to turn." }),
    strength: number({ default: 1, min: 0, max: 1, step: 0.01, tooltip: "0 leaves it as it is." }),
  },
  outputs: image(),
  run({ image, strength }) {
    return image.mul(1 - strength).add(sub(1, image).mul(strength));
  },
});

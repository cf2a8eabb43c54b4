// Two real nodes: a filter, and a small network.

import { BerthError, context, image, modelChoice, ModelFile, node, number, Tensor } from "@berth/sdk";

export const Sharpen = node({
  category: "image/filters",
  description: "Makes the edges of an image clearer, by what a slight blur takes away.",
  inputs: {
    image: image({ tooltip: "The image to sharpen." }),
    amount: number({ default: 1, min: 0, max: 5, step: 0.01, tooltip: "0 leaves it as it is." }),
  },
  outputs: image(),
  run({ image, amount }) {
    const [, , , channels] = image.size;
    const x = image.permute([0, 3, 1, 2]);
    // Pascal's fifth row, in both directions: the binomial blur.
    const row = [1, 4, 6, 4, 1];
    const taps = row.flatMap((a) => row.map((b) => (a * b) / 256));
    const kernel = Tensor.from([1, 1, 5, 5], taps).broadcast([channels, 1, 5, 5]);
    const padded = x.pad(
      [
        [0, 0],
        [0, 0],
        [2, 2],
        [2, 2],
      ],
      "edge",
    );
    const blurred = padded.conv2d(kernel, undefined, { groups: channels });
    const sharp = x.add(x.sub(blurred).mul(amount));
    return sharp.permute([0, 2, 3, 1]).clamp(0, 1);
  },
});

export const Upscale = node({
  category: "image/upscaling",
  description:
    "Enlarges an image by a network of convolutions whose last one gives several pixels for each (Shi et al. 2016).",
  inputs: {
    image: image({ tooltip: "The image to enlarge." }),
    model_name: modelChoice("upscale_models", {
      tooltip: "The network: convolutions `0`, `1`, … with `weight` and `bias`.",
    }),
  },
  outputs: image(),
  run({ image, model_name }) {
    const model = ModelFile.open("upscale_models", model_name);
    const keys = new Set(model.keys());
    let layers = 0;
    while (keys.has(`${layers}.weight`)) {
      layers += 1;
    }
    const [batch, height, width, channels] = image.size;
    let x = image.permute([0, 3, 1, 2]);
    for (let i = 0; i < layers; i += 1) {
      const weight = model.weight(`${i}.weight`);
      const bias = model.weight(`${i}.bias`);
      x = x.conv2d(weight, bias, { padding: Math.floor(weight.dim(2) / 2) });
      if (i + 1 < layers) {
        x = x.relu();
      }
      context.progress(i + 1, layers);
    }
    const made = x.dim(1);
    const factor = Math.round(Math.sqrt(made / channels));
    if (layers === 0 || factor === 0 || factor * factor * channels !== made) {
      throw BerthError.failed(
        "not-an-upscaler",
        `\`${model_name}\` is no network that enlarges images of ${channels} channels`,
        "choose a model with the tensors 0.weight, 0.bias, 1.weight, …",
      );
    }
    const pixels = x
      .reshape([batch, channels, factor, factor, height, width])
      .permute([0, 1, 4, 2, 5, 3])
      .reshape([batch, channels, height * factor, width * factor]);
    return pixels.permute([0, 2, 3, 1]).clamp(0, 1);
  },
});

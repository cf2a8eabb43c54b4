// Every kind of input and output, every check, and what goes wrong in a node.

import {
  any,
  BerthError,
  bigInteger,
  boolean,
  choice,
  clip,
  conditioning,
  context,
  extraPngInfo,
  image,
  Image,
  imageChoice,
  integer,
  latent,
  mask,
  model,
  modelChoice,
  node,
  number,
  object,
  prompt,
  seed,
  socket,
  Tensor,
  tensor,
  text,
  uniqueId,
  vae,
} from "@berth/sdk";

export const Inputs = node({
  name: "All Inputs",
  displayName: "Each Input",
  category: "everything",
  description: "All.",
  outputNode: true,
  deprecated: true,
  experimental: true,
  searchAliases: ["alias"],
  inputs: {
    flag: boolean({ default: true, tooltip: "t" }),
    count: integer({ default: 3, min: -5, max: 10, step: 2 }),
    big: bigInteger({ default: -5n }),
    seed: seed(),
    low: bigInteger({ optional: true }),
    x: number({ default: 1.5, min: 0, max: 2, step: 0.5 }),
    words: text({ default: "a\nb", multiline: true }),
    side: choice(["left", "right"], { default: "right" }),
    label: modelChoice("upscale_models", { optional: true }),
    picture: imageChoice({ optional: true }),
    image: image({ optional: true }),
    mask: mask({ optional: true }),
    latent: latent({ optional: true }),
    conditioning: conditioning({ optional: true }),
    model: model({ optional: true }),
    clip: clip({ optional: true }),
    vae: vae({ optional: true }),
    any: any({ optional: true }),
    socket: socket("IMAGE,MASK", { optional: true }),
    own: object("PALETTE", { optional: true }),
    tensor: tensor({ optional: true }),
    lazy: number({ lazy: true }),
    other: number({ lazy: true }),
    id: uniqueId(),
    workflow: prompt(),
    info: extraPngInfo(),
  },
  outputs: {
    flag: boolean(),
    count: integer({ tooltip: "counted" }),
    seed: bigInteger(),
    x: number(),
    words: text(),
    side: choice(["left", "right"]),
    same: any({ passes: "any" }),
  },
  run(inputs) {
    const side: "left" | "right" = inputs.side;
    const maybe: Image | undefined = inputs.image;
    context.log(
      "info",
      `inputs: ${JSON.stringify(inputs, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v))}`,
    );
    void maybe;
    return {
      flag: inputs.flag,
      count: inputs.count,
      seed: inputs.seed,
      x: inputs.x,
      words: inputs.words,
      side,
      same: inputs.any ?? 0n,
    };
  },
  needs: ({ flag, lazy }) => (flag && lazy === undefined ? ["lazy"] : []),
  fingerprint: ({ seed }) => {
    return `f${seed}`;
  },
  validate: ({ count }) => (count === 9 ? "nine is not allowed" : undefined),
});

export const Throw = node({
  category: "everything",
  outputNode: true,
  inputs: { how: text() },
  outputs: image(),
  run({ how }) {
    if (how === "plain") {
      const x: any = null;
      return x.foo;
    }
    if (how === "promise") return Promise.resolve() as never;
    if (how === "nothing") return undefined as never;
    if (how === "failed") throw BerthError.failed("c", "m", "h");
    return Tensor.ones([2]);
  },
});
export const NumberOut = node({
  category: "everything",
  outputs: { x: number() },
  run: () => ({ x: 2 }) as never,
});

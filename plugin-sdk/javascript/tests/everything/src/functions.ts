// Functions that other nodes make values of.

import {
  BerthError,
  bigInteger,
  callable,
  conditioning,
  Conditioning,
  Entry,
  model,
  number,
  Tensor,
  tensor,
  text,
} from "@berth/sdk";

export const double = callable({
  arguments: { x: tensor(), note: text({ optional: true }) },
  captures: { by: number(), big: bigInteger() },
  results: { y: tensor(), note: text(), big: bigInteger() },
  run: ({ x, note }, { by, big }) => ({ y: x.mul(by), note: note ?? "none", big }),
});
export const fail = callable({
  arguments: { kind: text() },
  results: {},
  run({ kind }): {} {
    if (kind === "failed") throw BerthError.failed("my-code", "my message", "my hint");
    if (kind === "plain") throw new TypeError("a plain one");
    if (kind === "text") throw "just text";
    if (kind === "quota-exceeded")
      throw new BerthError("quota-exceeded", "x", {
        shortage: { tier: "device", requested: 2 ** 60, limit: 5, used: 6 },
      });
    throw new BerthError(kind as "other", `a ${kind}`);
  },
});
export const denoise = callable({
  arguments: {
    latent: tensor(),
    timestep: number(),
    conditioning: tensor(),
    pooled: tensor({ optional: true }),
  },
  captures: { model: model({ optional: true }) },
  results: { prediction: tensor() },
  run: ({ latent, timestep, pooled }, { model }) => ({
    prediction: model
      ? model.denoise(latent, timestep, latent).mul(2)
      : latent.mul(timestep).add(pooled ? 100 : 0),
  }),
});
export const encodeText = callable({
  arguments: { text: text() },
  results: { conditioning: conditioning() },
  run: ({ text }) => ({ conditioning: Conditioning.of([Entry.of(Tensor.full([1, 1, 4], text.length))]) }),
});
export const encode = callable({
  arguments: { image: tensor() },
  results: { latent: tensor() },
  run: ({ image }) => ({ latent: image.permute([0, 3, 1, 2]) }),
});
export const decode = callable({
  arguments: { latent: tensor() },
  results: { image: tensor() },
  run: ({ latent }) => ({ image: latent.permute([0, 2, 3, 1]) }),
});

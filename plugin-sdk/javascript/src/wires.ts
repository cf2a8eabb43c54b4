import type { Object as RawObject } from "berth:node/values@0.2.0";

import { BerthError } from "./error";
import { aFunction, aList, anInteger, anObject, aNumber, aTensor, aText, maybe, mismatch } from "./kinds";
import { Tensor } from "./tensor";
import { HostFunction, HostObject, makeObject, type Fields, type Kind, type Value } from "./values";

function checked(tensor: unknown, rank: number, expected: string): Tensor {
  if (tensor instanceof Tensor && tensor.dtype === "f32" && tensor.rank === rank) {
    return tensor;
  }
  throw mismatch(expected, tensor);
}

/** A batch of images: a tensor [batch, height, width, channels], `f32`, 0…1. */
export class Image extends Tensor {
  /**
   * A tensor as images. Throws `invalid-argument` when its dtype or its number of dimensions is another.
   */
  static as(tensor: Value): Image {
    const found = checked(tensor, 4, "a f32 tensor [batch, height, width, channels]");
    return found instanceof Image ? found : new Image(found.raw.share());
  }

  /** [batch, height, width, channels]. */
  get size(): readonly [number, number, number, number] {
    return this.shape as unknown as readonly [number, number, number, number];
  }
}

/** A batch of masks: a tensor [batch, height, width], `f32`, 0…1. */
export class Mask extends Tensor {
  /** A tensor as masks. Throws `invalid-argument` when its dtype or its number of dimensions is another. */
  static as(tensor: Value): Mask {
    const found = checked(tensor, 3, "a f32 tensor [batch, height, width]");
    return found instanceof Mask ? found : new Mask(found.raw.share());
  }

  /** [batch, height, width]. */
  get size(): readonly [number, number, number] {
    return this.shape as unknown as readonly [number, number, number];
  }
}

/** A class of objects of one type name. @internal */
export interface ObjectWire<T extends HostObject> {
  new (raw: RawObject): T;
  readonly wire: string;
}

/** The object of a value, if it is of the class's type. @internal */
export function readObject<T extends HostObject>(type: ObjectWire<T>, value: Value): T {
  if (value instanceof type) {
    return value;
  }
  if (value instanceof HostObject && value.typeName === type.wire) {
    return new type(value.raw.share());
  }
  throw mismatch(`a ${type.wire}`, value);
}

/** A batch of latents, and the mask of what a sampler may change in them. */
export class Latent extends HostObject {
  static readonly wire = "LATENT";

  /**
   * Latents [batch, channels, h, w], and optionally a mask (1 where a sampler may change them) and whose
   * noise of a batch each latent gets.
   */
  static of(
    samples: Tensor,
    more: { noiseMask?: Tensor | undefined; batchIndex?: readonly number[] | undefined } = {},
  ): Latent {
    const batch = more.batchIndex?.map((index) => BigInt(index));
    const fields = { samples, "noise-mask": more.noiseMask, "batch-index": batch };
    return new Latent(makeObject(Latent.wire, fields));
  }

  /** The latents, [batch, channels, h, w]. */
  get samples(): Tensor {
    return this.get("samples", aTensor);
  }

  /** Where a sampler may change the latents: 1 where it may, 0 where it must not. */
  get noiseMask(): Tensor | undefined {
    return this.get("noise-mask", maybe(aTensor));
  }

  /** Whose noise of a batch each latent gets. */
  get batchIndex(): number[] | undefined {
    return this.get("batch-index", maybe(aList))?.toArray(anInteger);
  }

  /** A copy in which these fields are set: `latent.replace({ samples })` keeps the mask. */
  override replace(fields: Fields): Latent {
    return new Latent(this.replaced(fields));
  }
}

/** One embedding of a {@link Conditioning}. */
export class Entry extends HostObject {
  static readonly wire = "CONDITIONING_ENTRY";

  /** An embedding [batch, tokens, width], and what its encoder pooled it to, if it does. */
  static of(embedding: Tensor, pooled?: Tensor): Entry {
    return new Entry(makeObject(Entry.wire, { embedding, pooled }));
  }

  /** The embedding, [batch, tokens, width]. */
  get embedding(): Tensor {
    return this.get("embedding", aTensor);
  }

  /** The pooled embedding, if there is one. */
  get pooled(): Tensor | undefined {
    return this.get("pooled", maybe(aTensor));
  }

  /** A copy in which these fields are set. */
  override replace(fields: Fields): Entry {
    return new Entry(this.replaced(fields));
  }
}

/** What steers a model: one or more embeddings. */
export class Conditioning extends HostObject {
  static readonly wire = "CONDITIONING";

  /** A conditioning of these embeddings. */
  static of(entries: readonly Entry[]): Conditioning {
    return new Conditioning(makeObject(Conditioning.wire, { entries }));
  }

  /** Its embeddings, in order. */
  get entries(): Entry[] {
    const entry: Kind<Entry> = { read: (value) => new Entry(anObject.read(value).raw.share()) };
    return this.get("entries", aList).toArray(entry);
  }

  /** A copy in which these fields are set. */
  override replace(fields: Fields): Conditioning {
    return new Conditioning(this.replaced(fields));
  }
}

/**
 * What a denoiser predicts: the noise, the velocity √ᾱ·ε − √(1−ᾱ)·x₀, or the flow from the noise to the
 * image.
 */
export type Prediction = "epsilon" | "v" | "flow";

/** What a {@link ModelWire} is made of. */
export interface ModelParts {
  /**
   * `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor [b, tokens, width], `pooled`
   * tensor (optional) → `prediction` tensor [b, c, h, w].
   */
  denoise: HostFunction;
  /** What `denoise` predicts. */
  prediction: Prediction;
  /** [steps] `f64`: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020. */
  alphas: Tensor;
  /** Channels of a latent. */
  latentChannels: number;
  /** A sampler's latent = (the VAE's latent − shift) · scale. */
  latentScale: number;
  /** See `latentScale`. */
  latentShift: number;
}

/** A denoiser, and what a sampler must know of it. */
export class ModelWire extends HostObject {
  static readonly wire = "MODEL";

  /** A model of these parts. */
  static of(parts: ModelParts): ModelWire {
    return new ModelWire(
      makeObject(ModelWire.wire, {
        denoise: parts.denoise,
        prediction: parts.prediction,
        alphas: parts.alphas,
        "latent-channels": BigInt(parts.latentChannels),
        "latent-scale": parts.latentScale,
        "latent-shift": parts.latentShift,
      }),
    );
  }

  /**
   * What the model predicts for a latent [b, c, h, w] at a timestep, under a conditioning [b, tokens,
   * width] and, where the model takes it, a pooled one.
   */
  denoise(latent: Tensor, timestep: number, conditioning: Tensor, pooled?: Tensor): Tensor {
    const results = { prediction: aTensor };
    return this.denoiser.call({ latent, timestep, conditioning, pooled }, results).prediction;
  }

  /** The `denoise` function, to wrap it in another. */
  get denoiser(): HostFunction {
    return this.get("denoise", aFunction);
  }

  /** What the model predicts. */
  get prediction(): Prediction {
    const name = this.get("prediction", aText);
    if (name === "epsilon" || name === "v" || name === "flow") {
      return name;
    }
    throw BerthError.invalid(`a MODEL: \`prediction\` is not epsilon, v or flow, but ${name}`);
  }

  /** [steps]: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020. */
  get alphas(): Tensor {
    return this.get("alphas", aTensor);
  }

  /** Channels of a latent. */
  get latentChannels(): number {
    return this.get("latent-channels", anInteger);
  }

  /** A sampler's latent = (the VAE's latent − shift) · scale. */
  get latentScale(): number {
    return this.get("latent-scale", aNumber);
  }

  /** See `latentScale`. */
  get latentShift(): number {
    return this.get("latent-shift", aNumber);
  }

  /** A copy in which these fields are set: `model.replace({ denoise })` puts another function in. */
  override replace(fields: Fields): ModelWire {
    return new ModelWire(this.replaced(fields));
  }
}

/** A text encoder. */
export class Clip extends HostObject {
  static readonly wire = "CLIP";

  /** A text encoder of this function: `text` text → `conditioning` object. */
  static of(encode: HostFunction): Clip {
    return new Clip(makeObject(Clip.wire, { encode }));
  }

  /** The conditioning of a text. */
  encode(text: string): Conditioning {
    const kind: Kind<Conditioning> = { read: (value) => readObject(Conditioning, value) };
    return this.get("encode", aFunction).call({ text }, { conditioning: kind }).conditioning;
  }

  /** A copy in which these fields are set. */
  override replace(fields: Fields): Clip {
    return new Clip(this.replaced(fields));
  }
}

/** What a {@link Vae} is made of. */
export interface VaeParts {
  /** `image` tensor [b, h, w, 3], −1…1 → `latent` tensor [b, c, h', w']. */
  encode: HostFunction;
  /** `latent` tensor [b, c, h', w'] as the VAE has it → `image` tensor [b, h, w, 3], −1…1. */
  decode: HostFunction;
  /** A sampler's latent = (the VAE's latent − shift) · scale. */
  latentScale: number;
  /** See `latentScale`. */
  latentShift: number;
  /** Pixels along a side of one latent element. */
  downscale: number;
}

/** The autoencoder between images and latents. */
export class Vae extends HostObject {
  static readonly wire = "VAE";

  /** An autoencoder of these parts. */
  static of(parts: VaeParts): Vae {
    return new Vae(
      makeObject(Vae.wire, {
        encode: parts.encode,
        decode: parts.decode,
        "latent-scale": parts.latentScale,
        "latent-shift": parts.latentShift,
        downscale: BigInt(parts.downscale),
      }),
    );
  }

  /** The latent [b, c, h', w'], as the VAE has it, of an image [b, h, w, 3] in −1…1. */
  encode(image: Tensor): Tensor {
    return this.get("encode", aFunction).call({ image }, { latent: aTensor }).latent;
  }

  /** The image [b, h, w, 3] in −1…1 of a latent [b, c, h', w'] as the VAE has it. */
  decode(latent: Tensor): Tensor {
    return this.get("decode", aFunction).call({ latent }, { image: aTensor }).image;
  }

  /** A sampler's latent = (the VAE's latent − shift) · scale. */
  get latentScale(): number {
    return this.get("latent-scale", aNumber);
  }

  /** See `latentScale`. */
  get latentShift(): number {
    return this.get("latent-shift", aNumber);
  }

  /** Pixels along a side of one latent element. */
  get downscale(): number {
    return this.get("downscale", anInteger);
  }

  /** A copy in which these fields are set. */
  override replace(fields: Fields): Vae {
    return new Vae(this.replaced(fields));
  }
}

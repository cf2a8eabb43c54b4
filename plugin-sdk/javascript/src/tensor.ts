import * as opsModule from "berth:node/ops@0.2.0";
import type { Padding as RawPadding, Sampling } from "berth:node/ops@0.2.0";
import * as tensorsModule from "berth:node/tensors@0.2.0";
import type { Tensor as Raw } from "berth:node/tensors@0.2.0";

import {
  bytesOf,
  bytesPerElement,
  counts,
  dtypeOf,
  flag,
  float,
  oneOf,
  s32,
  show,
  u32,
  type DType,
} from "./check";
import { asking, BerthError } from "./error";
import { ARRAYS, PIECE, type ArrayDType, type NumberArray } from "./tensor-data";
import { rawOf, TensorMath } from "./tensor-math";
import { Upload } from "./upload";

// The two files need each other, and this one is the first: others import from here.
export { add, div, mul, rawOf, sub } from "./tensor-math";

const ops = asking(opsModule);
const tensors = asking(tensorsModule);

/** Numbers, or arrays of arrays of them: all as long as each other at each depth. */
export type Nested = number | readonly Nested[];

/**
 * How a convolution walks, the same in every spatial dimension: by default one by one, without padding,
 * dilation or groups.
 */
export interface Walk {
  /** Elements from one position to the next. */
  stride?: number;
  /**
   * Zeros before and after each spatial dimension, in elements; a transposed convolution cuts as many off.
   */
  padding?: number;
  /** Elements from one of the kernel's taps to the next. */
  dilation?: number;
  /** Groups of channels that are convolved apart. */
  groups?: number;
}

/** What an attention needs beside its operands. */
export interface AttentionOptions {
  /** Heads side by side in the last dimension; 1 without it. */
  heads?: number;
  /** Broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides. */
  mask?: Tensor | undefined;
  /** Hides the keys after each query. */
  causal?: boolean;
  /** The factor of q·kᵀ; 1/√d without it. */
  scale?: number;
}

/**
 * What lies outside of a padded tensor: this number, the nearest element, the tensor mirrored without
 * repeating its edge, or the tensor again from its other end.
 */
export type Padding = number | "edge" | "reflect" | "wrap";

export type { Sampling };

const SAMPLINGS: readonly Sampling[] = ["nearest", "nearest-exact", "bilinear", "bicubic", "area", "lanczos"];

/**
 * An immutable array that the host holds: a handle, and nothing else. No element crosses into the
 * plugin until it is asked for.
 *
 * Every operation makes a new tensor. Binary ones broadcast as NumPy does, between tensors of one
 * dtype; a number takes the tensor's dtype. An axis may be negative: −1 is the last. All of them
 * throw `invalid-argument` for shapes, dtypes or values that do not fit, `quota-exceeded` and
 * `out-of-memory` when the operands have no room, `unsupported` for a dtype that the host cannot
 * compute in, and `cancelled`.
 */
export class Tensor extends TensorMath {
  /**
   * A tensor of numbers: `Tensor.of([[1, 2], [3, 4]])` has the shape [2, 2]. A typed array is a row of its
   * own element type, unless `dtype` says another.
   */
  static of(data: Nested | NumberArray, dtype?: DType): Tensor {
    if (ArrayBuffer.isView(data)) {
      return Tensor.from([data.length], data, dtype);
    }
    const shape: number[] = [];
    for (let level: Nested = data; Array.isArray(level); level = level[0] as Nested) {
      shape.push(level.length);
      if (level.length === 0) {
        break;
      }
    }
    const flat: number[] = [];
    flatten(data, shape, 0, flat);
    return Tensor.from(shape, flat, dtype);
  }

  /**
   * A tensor of a shape of numbers in a row, row-major: `f32` for an array, its own element type for a
   * typed array, unless `dtype` says another. Throws `invalid-argument` when there are not as many as the
   * shape says.
   */
  static from(shape: readonly number[], data: readonly number[] | NumberArray, dtype?: DType): Tensor {
    const own = ArrayBuffer.isView(data) ? arrayDtype(data) : undefined;
    const numbers = ArrayBuffer.isView(data)
      ? data
      : Float32Array.from(data, (value) => float(value, "data"));
    const made = dtype === undefined || dtype in ARRAYS ? (dtype as ArrayDType | undefined) : "f32";
    const target = made ?? own ?? "f32";
    const converted =
      own === target || (own === undefined && target === "f32") ? numbers : convert(data, target);
    const tensor = Tensor.fromBytes(target, shape, converted);
    return dtype === undefined || dtype === target ? tensor : tensor.cast(dtype);
  }

  /**
   * A tensor of these bytes, little-endian and row-major. Throws `invalid-argument` when there are not
   * exactly as many as dtype and shape say.
   */
  static fromBytes(dtype: DType, shape: readonly number[], data: ArrayBuffer | ArrayBufferView): Tensor {
    const bytes = bytesOf(data, "data");
    const width = bytesPerElement(dtypeOf(dtype));
    const dimensions = counts(shape, "shape");
    if (width === undefined) {
      throw BerthError.invalid(`a ${dtype} tensor cannot be made of bytes: it comes from a model file`);
    }
    const expected = shape.reduce((product, dimension) => product * dimension, width);
    if (bytes.byteLength !== expected) {
      throw BerthError.invalid(
        `a ${dtype} tensor of ${show(shape)} has ${expected} bytes, not ${bytes.byteLength}`,
      );
    }
    if (bytes.byteLength <= PIECE) {
      return new Tensor(tensors.fromBytes(dtype, dimensions, bytes));
    }
    using upload = Upload.begin(dtype, shape);
    for (let offset = 0; offset < expected; offset += PIECE) {
      upload.write(offset, bytes.subarray(offset, offset + PIECE));
    }
    return new Tensor(upload.end());
  }

  /** A tensor whose every element is `value`. */
  static full(shape: readonly number[], value: number, dtype: DType = "f32"): Tensor {
    return new Tensor(tensors.full(dtypeOf(dtype), counts(shape, "shape"), float(value, "value")));
  }

  /** A tensor of zeros. */
  static zeros(shape: readonly number[], dtype: DType = "f32"): Tensor {
    return Tensor.full(shape, 0, dtype);
  }

  /** A tensor of ones. */
  static ones(shape: readonly number[], dtype: DType = "f32"): Tensor {
    return Tensor.full(shape, 1, dtype);
  }

  /** The row start, start + step, … of `count` elements, computed in 64 bits. */
  static arange(count: number, start = 0, step = 1, dtype: DType = "f32"): Tensor {
    return new Tensor(
      tensors.arange(dtypeOf(dtype), float(start, "start"), float(step, "step"), u32(count, "count")),
    );
  }

  /** The tensors one after another along an axis; their other dimensions are equal. */
  static concat(parts: readonly Tensor[], axis = 0): Tensor {
    return new Tensor(
      ops.concat(
        parts.map((part) => rawOf(part, "concat")),
        s32(axis, "axis"),
      ),
    );
  }

  /** A second handle to the same tensor. Costs no memory. */
  share(): Tensor {
    return new Tensor(this.raw.share());
  }

  // Shape and place.

  /**
   * The same elements under another shape, of which one dimension may be −1: what is left. Costs no
   * memory.
   */
  reshape(shape: readonly number[]): Tensor {
    const open = Array.isArray(shape) ? shape.indexOf(-1) : -1;
    if (open >= 0) {
      const known = shape.reduce(
        (product, dimension, place) => (place === open ? product : product * dimension),
        1,
      );
      return this.reshape(shape.with(open, known === 0 ? 0 : this.length / known));
    }
    return new Tensor(ops.reshape(this.raw, counts(shape, "shape")));
  }

  /** Dimension i of the result is dimension `axes[i]` of this. */
  permute(axes: readonly number[]): Tensor {
    return new Tensor(ops.permute(this.raw, counts(axes, "axes")));
  }

  /** Indices start, start + step, … below `end` of one axis. */
  slice(axis: number, start = 0, end = this.dim(axis), step = 1): Tensor {
    return new Tensor(
      ops.slice(this.raw, s32(axis, "axis"), u32(start, "start"), u32(end, "end"), u32(step, "step")),
    );
  }

  /** Repeated to a shape that it broadcasts to. */
  broadcast(shape: readonly number[]): Tensor {
    return new Tensor(ops.broadcast(this.raw, counts(shape, "shape")));
  }

  /** One axis backwards. */
  flip(axis: number): Tensor {
    return new Tensor(ops.flip(this.raw, s32(axis, "axis")));
  }

  /** Each axis padded by [before, after]; one pair for each dimension. */
  pad(amounts: readonly (readonly [number, number])[], padding: Padding = 0): Tensor {
    const raw: RawPadding =
      typeof padding === "number"
        ? { tag: "constant", val: padding }
        : { tag: oneOf(padding, ["edge", "reflect", "wrap"], "padding") };
    const pairs = amounts.map(([before, after]): [number, number] => [
      u32(before, "before"),
      u32(after, "after"),
    ]);
    return new Tensor(ops.pad(this.raw, pairs, raw));
  }

  /**
   * result[.., i, ..] = this[.., indices[.., i, ..], ..] along one axis; indices (`u32` or `i64`) have
   * this tensor's rank, and its shape except along the axis.
   */
  gather(axis: number, indices: Tensor): Tensor {
    return new Tensor(ops.gather(this.raw, s32(axis, "axis"), rawOf(indices, "indices")));
  }

  /** Whole slices of one axis, by a row of indices (`u32` or `i64`). */
  indexSelect(axis: number, indices: Tensor): Tensor {
    return new Tensor(ops.indexSelect(this.raw, s32(axis, "axis"), rawOf(indices, "indices")));
  }

  /**
   * [n, c, h, w] resized to [n, c, height, width], as PyTorch's `interpolate` does; `lanczos` is Pillow's
   * antialiased filter.
   */
  interpolate(height: number, width: number, sampling: Sampling = "bilinear"): Tensor {
    const name = oneOf(sampling, SAMPLINGS, "sampling");
    return new Tensor(ops.interpolate(this.raw, u32(height, "height"), u32(width, "width"), name));
  }

  // Layers of networks. They compute in this tensor's dtype; weights are converted as they are used.

  /** [.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast. */
  matmul(other: Tensor): Tensor {
    return new Tensor(ops.matmul(this.raw, rawOf(other, "matmul")));
  }

  /** this · weightᵀ + bias: [.., in], weight [out, in], bias [out] → [.., out]. */
  linear(weight: Tensor, bias?: Tensor): Tensor {
    return new Tensor(ops.linear(this.raw, rawOf(weight, "weight"), optional(bias, "bias")));
  }

  /** [n, c, l], weight [out, c / groups, k], bias [out] → [n, out, l']. */
  conv1d(weight: Tensor, bias?: Tensor, walk: Walk = {}): Tensor {
    return new Tensor(ops.conv1d(this.raw, rawOf(weight, "weight"), optional(bias, "bias"), steps(walk)));
  }

  /** [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] → [n, out, h', w']. */
  conv2d(weight: Tensor, bias?: Tensor, walk: Walk = {}): Tensor {
    return new Tensor(ops.conv2d(this.raw, rawOf(weight, "weight"), optional(bias, "bias"), steps(walk)));
  }

  /**
   * Transposed: [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] → [n, out, h', w'], h' = (h −
   * 1)·stride − 2·padding + dilation·(kh − 1) + outputPadding + 1.
   */
  convTranspose2d(weight: Tensor, bias?: Tensor, walk: Walk = {}, outputPadding = 0): Tensor {
    const more = u32(outputPadding, "outputPadding");
    return new Tensor(
      ops.convTranspose2d(this.raw, rawOf(weight, "weight"), optional(bias, "bias"), steps(walk), more),
    );
  }

  /**
   * [n, c, ..] normalized over each of `groups` groups of channels, then scaled and shifted by channel
   * (weight [c], bias [c]). Wu & He 2018.
   */
  groupNorm(groups: number, weight?: Tensor, bias?: Tensor, epsilon = 1e-5): Tensor {
    const [w, b] = [optional(weight, "weight"), optional(bias, "bias")];
    return new Tensor(ops.groupNorm(this.raw, u32(groups, "groups"), w, b, float(epsilon, "epsilon")));
  }

  /**
   * [.., c] normalized over its last dimension, then scaled and shifted (weight [c], bias [c]). Ba, Kiros
   * & Hinton 2016.
   */
  layerNorm(weight?: Tensor, bias?: Tensor, epsilon = 1e-5): Tensor {
    const [w, b] = [optional(weight, "weight"), optional(bias, "bias")];
    return new Tensor(ops.layerNorm(this.raw, w, b, float(epsilon, "epsilon")));
  }

  /** [.., c] / √(mean(x²) + epsilon), times weight [c]. Zhang & Sennrich 2019. */
  rmsNorm(weight?: Tensor, epsilon = 1e-6): Tensor {
    return new Tensor(ops.rmsNorm(this.raw, optional(weight, "weight"), float(epsilon, "epsilon")));
  }

  /**
   * Softmax(this·kᵀ·scale + mask)·v with heads side by side in the last dimension: [b, n, heads·d], k [b,
   * m, heads·d], v [b, m, heads·e] → [b, n, heads·e]. Vaswani et al. 2017.
   */
  attention(k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
    const { heads = 1, mask, causal = false, scale } = options;
    const factor = scale === undefined ? null : float(scale, "scale");
    const [keys, values] = [rawOf(k, "k"), rawOf(v, "v")];
    return new Tensor(
      ops.attention(
        this.raw,
        keys,
        values,
        u32(heads, "heads"),
        optional(mask, "mask"),
        flag(causal, "causal"),
        factor,
      ),
    );
  }

  /**
   * Rotary position embedding of [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021). `interleaved`
   * pairs elements 2i and 2i+1, otherwise i and i + d/2.
   */
  rotary(cosines: Tensor, sines: Tensor, interleaved = false): Tensor {
    const [c, s] = [rawOf(cosines, "cosines"), rawOf(sines, "sines")];
    return new Tensor(ops.rotary(this.raw, c, s, flag(interleaved, "interleaved")));
  }

  /**
   * Rows of weight [rows, c] by these indices [..] (`u32` or `i64`) → [.., c], of weight's dtype, or `f32`
   * when weight is quantized.
   */
  embedding(weight: Tensor): Tensor {
    return new Tensor(ops.embedding(this.raw, rawOf(weight, "weight")));
  }
}

function optional(tensor: Tensor | null | undefined, what: string): Raw | null {
  return tensor === undefined || tensor === null ? null : rawOf(tensor, what);
}

function steps(walk: Walk): Required<Walk> {
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = walk;
  return {
    stride: u32(stride, "stride"),
    padding: u32(padding, "padding"),
    dilation: u32(dilation, "dilation"),
    groups: u32(groups, "groups"),
  };
}

function flatten(data: Nested, shape: readonly number[], depth: number, flat: number[]): void {
  if (typeof data === "number" && depth === shape.length) {
    flat.push(data);
  } else if (Array.isArray(data) && data.length === shape[depth]) {
    for (const part of data as readonly Nested[]) {
      flatten(part, shape, depth + 1, flat);
    }
  } else {
    throw BerthError.invalid(
      `data: expected numbers in arrays of ${show(shape)}, got ${show(data)} at depth ${depth}`,
    );
  }
}

function arrayDtype(data: NumberArray): ArrayDType {
  const found = Object.entries(ARRAYS).find(([, kind]) => data instanceof kind);
  if (found === undefined) {
    throw BerthError.invalid(`data: there is no element type for a ${data.constructor.name}`);
  }
  return found[0] as ArrayDType;
}

/** Numbers as an array of another element type. */
function convert(data: readonly number[] | NumberArray, dtype: ArrayDType): NumberArray {
  if (dtype === "i64") {
    return BigInt64Array.from(data as Iterable<number | bigint>, (value) => BigInt(value));
  }
  const kind: { from(data: readonly number[]): NumberArray } = ARRAYS[dtype];
  return kind.from(Array.from(data as Iterable<number | bigint>, Number));
}

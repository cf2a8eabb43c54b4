import type { Tensor as Raw } from "berth:node/tensors@0.2.0";

import { bytesPerElement, count, show, u32, unsigned, type DType } from "./check";
import { ask, BerthError } from "./error";
import { Handle } from "./handle";

/** Bytes that cross between plugin and host at once. @internal */
export const PIECE = 1 << 20;

/** An array of numbers as JavaScript has them. */
export type NumberArray = Uint8Array | Uint32Array | Int32Array | BigInt64Array | Float32Array | Float64Array;

/** What a tensor is read into, by its element type. @internal */
export const ARRAYS = {
  u8: Uint8Array,
  u32: Uint32Array,
  i32: Int32Array,
  i64: BigInt64Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

/** An element type that JavaScript has an array for. */
export type ArrayDType = keyof typeof ARRAYS;

/** The array of an element type. */
export type ArrayOf<D extends ArrayDType> = InstanceType<(typeof ARRAYS)[D]>;

/** What a tensor is, and what is in it: the part of {@link Tensor} that reads. */
export abstract class TensorData extends Handle<Raw> {
  private knownShape: readonly number[] | undefined;
  private knownDtype: DType | undefined;

  /** The same with other elements; see {@link Tensor.cast}. */
  abstract cast(dtype: DType): TensorData;

  /** The element type, such as `f32`. */
  get dtype(): DType {
    this.knownDtype ??= this.raw.dtype();
    return this.knownDtype;
  }

  /** The dimensions, outermost first; empty for a scalar. */
  get shape(): readonly number[] {
    this.knownShape ??= Object.freeze(this.raw.shape().map(unsigned));
    return this.knownShape;
  }

  /** How many dimensions there are. */
  get rank(): number {
    return this.shape.length;
  }

  /** How many elements there are. */
  get length(): number {
    return this.shape.reduce((product, dimension) => product * dimension, 1);
  }

  /** One dimension; axis −1 is the last. Throws `invalid-argument` when there is no such axis. */
  dim(axis: number): number {
    const found = this.shape.at(axis);
    if (found === undefined || !Number.isInteger(axis)) {
      throw BerthError.invalid(`a tensor of ${show(this.shape)} has no axis ${show(axis)}`);
    }
    return found;
  }

  /**
   * `length` bytes from byte `offset` on, little-endian: for data that is worked through piece by piece.
   * Throws `invalid-argument` when they do not lie inside the tensor.
   */
  read(offset: number, length: number): Uint8Array {
    return ask(() => this.raw.read(count(offset, "offset"), u32(length, "length")));
  }

  /**
   * All bytes, little-endian and row-major. Throws `unsupported` for a quantized tensor: `cast` it first.
   */
  bytes(): Uint8Array {
    const width = bytesPerElement(this.dtype);
    if (width === undefined) {
      throw BerthError.unsupported(`reading ${this.dtype} blocks; cast them first`);
    }
    const total = this.length * width;
    if (total <= PIECE) {
      return this.read(0, total);
    }
    const bytes = new Uint8Array(total);
    for (let offset = 0; offset < total; offset += PIECE) {
      bytes.set(this.read(offset, Math.min(PIECE, total - offset)), offset);
    }
    return bytes;
  }

  /** All elements, row-major, as an array of `dtype`: the host casts them when they are of another type. */
  toArray<D extends ArrayDType = "f32">(dtype: D = "f32" as D): ArrayOf<D> {
    const kind = ARRAYS[dtype];
    if (kind === undefined) {
      throw BerthError.invalid(
        `dtype: expected one of ${Object.keys(ARRAYS).join(", ")}, got ${show(dtype)}`,
      );
    }
    if (this.dtype !== dtype) {
      using converted = this.cast(dtype);
      return converted.toArray(dtype);
    }
    const bytes = this.bytes();
    // An array needs its bytes to lie at a multiple of its elements' width.
    const aligned = bytes.byteOffset % kind.BYTES_PER_ELEMENT === 0 ? bytes : bytes.slice();
    return new kind(aligned.buffer as ArrayBuffer, aligned.byteOffset, this.length) as ArrayOf<D>;
  }

  /** The only element of a tensor that has one. Throws `invalid-argument` when it has more or none. */
  item(): number {
    if (this.length !== 1) {
      throw BerthError.invalid(`a tensor of one element is expected, not one of ${show(this.shape)}`);
    }
    return this.toArray("f64")[0] as number;
  }

  /** How errors and messages show it. */
  override toString(): string {
    return `a ${this.dtype} tensor of ${show(this.shape)}`;
  }
}

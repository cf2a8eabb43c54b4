import { Upload as HostUpload } from "berth:node/tensors@0.2.0";
import type { Tensor as RawTensor, Upload as Raw } from "berth:node/tensors@0.2.0";

import { bytesOf, count, counts, dtypeOf, type DType } from "./check";
import { ask } from "./error";
import { Handle } from "./handle";
import { Tensor } from "./tensor";

/**
 * A tensor being written piece by piece, for data that a plugin makes in pieces and never holds whole.
 * `Tensor.fromBytes` does this by itself for data that is there.
 */
export class Upload extends Handle<Raw> {
  /** Begins a tensor of this type and shape, filled with zeros. */
  static begin(dtype: DType, shape: readonly number[]): Upload {
    return new Upload(ask(() => HostUpload.begin(dtypeOf(dtype), counts(shape, "shape"))));
  }

  /**
   * Writes bytes from byte `offset` on. Throws `invalid-argument` when they do not lie inside the tensor.
   */
  write(offset: number, data: ArrayBuffer | ArrayBufferView): void {
    ask(() => this.raw.write(count(offset, "offset"), bytesOf(data, "data")));
  }

  /** The tensor. No more can be written. */
  finish(): Tensor {
    return new Tensor(this.end());
  }

  /** @internal */
  end(): RawTensor {
    return ask(() => this.raw.finish());
  }
}

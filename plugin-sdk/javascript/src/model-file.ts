import { available, Model as HostModel } from "berth:node/models@0.2.0";
import type { Model as Raw } from "berth:node/models@0.2.0";

import { text, unsigned, type DType } from "./check";
import { ask } from "./error";
import { Handle } from "./handle";
import { Tensor } from "./tensor";

/** What a model file's header says of one tensor. */
export interface TensorInfo {
  /** The element type. */
  dtype: DType;
  /** The dimensions, outermost first. */
  shape: readonly number[];
}

/**
 * An open model file. Opening reads its header; a weight is read when an operation first needs it. The
 * manifest must request the model.
 */
export class ModelFile extends Handle<Raw> {
  /**
   * Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`. Throws `not-found`,
   * `access-denied`, and `invalid-argument` for a file that is no model.
   */
  static open(category: string, label: string): ModelFile {
    return new ModelFile(ask(() => HostModel.open(text(category, "category"), text(label, "label"))));
  }

  /** The labels of a category that this plugin may open, sorted. */
  static available(category: string): string[] {
    return ask(() => available(text(category, "category")));
  }

  /** A second handle to the same file. */
  share(): ModelFile {
    return new ModelFile(this.raw.share());
  }

  /** The label it was opened by. */
  get label(): string {
    return this.raw.label();
  }

  /** One entry of the file's metadata, if there is one of this name. */
  metadata(name: string): string | undefined {
    return this.raw.metadata(text(name, "name")) ?? undefined;
  }

  /** The names of the file's metadata. */
  metadataNames(): string[] {
    return this.raw.metadataNames();
  }

  /** The keys of all tensors, sorted. */
  keys(): string[] {
    return this.raw.keys();
  }

  /** Element type and shape of one tensor, without reading it; nothing when there is none of this key. */
  info(key: string): TensorInfo | undefined {
    const found = this.raw.info(text(key, "key"));
    return found ? { dtype: found.dtype, shape: found.shape.map(unsigned) } : undefined;
  }

  /** The tensor of a key, by handle. Nothing is read yet. Throws `not-found`. */
  weight(key: string): Tensor {
    return new Tensor(ask(() => this.raw.weight(text(key, "key"))));
  }
}

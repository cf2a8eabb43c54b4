/** Write Berth nodes in JavaScript and TypeScript. Everything is here, but `@berth/sdk/memory`. */

import "./globals";

export { bytesPerElement, type DType } from "./check";
export * as context from "./context";
export { BerthError, type ErrorKind, type Shortage } from "./error";
export { Generator } from "./generator";
export { Handle, handleCount } from "./handle";
export { ModelFile, type TensorInfo } from "./model-file";
export {
  callable,
  node,
  type Callable,
  type CallableDefinition,
  type Inputs,
  type NodeDefinition,
  type NodeType,
  type Ports,
  type Results,
  type Returned,
} from "./node";
export {
  any,
  bigInteger,
  boolean,
  bytes,
  choice,
  clip,
  conditioning,
  extraPngInfo,
  fn,
  image,
  imageChoice,
  integer,
  latent,
  list,
  mask,
  model,
  modelChoice,
  modelFile,
  number,
  object,
  prompt,
  seed,
  socket,
  tensor,
  text,
  uniqueId,
  vae,
  type BooleanOptions,
  type ChoiceOptions,
  type IntegerOptions,
  type NumberOptions,
  type Options,
  type Port,
  type TextOptions,
} from "./ports";
export {
  add,
  div,
  mul,
  sub,
  Tensor,
  type AttentionOptions,
  type Nested,
  type Padding,
  type Sampling,
  type Walk,
} from "./tensor";
export type { ArrayDType, NumberArray } from "./tensor-data";
export { Upload } from "./upload";
export {
  HostFunction,
  HostList,
  HostObject,
  type Fields,
  type Given,
  type Kind,
  type Read,
  type Value,
  type Values,
} from "./values";
export {
  Clip,
  Conditioning,
  Entry,
  Image,
  Latent,
  Mask,
  ModelWire,
  Vae,
  type ModelParts,
  type Prediction,
  type VaeParts,
} from "./wires";

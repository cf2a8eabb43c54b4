// Generated from the contract in wit/ by tests/src/typescript.rs. Do not edit.

/** Plain data shared by every other interface: element types and errors. */
declare module "berth:node/types@0.2.0" {
  /**
   * Element type of a tensor. The `q*` types are the block-quantized formats of
   * GGUF; only a weight given to `ops.linear`, `ops.conv2d` or `ops.embedding`,
   * and the operand of `ops.cast`, may have one.
   */
  export type Dtype =
    | "u8"
    | "u32"
    | "i32"
    | "i64"
    | "f16"
    | "bf16"
    | "f32"
    | "f64"
    | "f8-e4m3"
    | "f8-e5m2"
    | "q4-0"
    | "q4-1"
    | "q5-0"
    | "q5-1"
    | "q8-0"
    | "q8-1"
    | "q2-k"
    | "q3-k"
    | "q4-k"
    | "q5-k"
    | "q6-k"
    | "q8-k";
  /**
   * An integer in sign and magnitude: ±(high · 2³² + low). It carries every
   * signed and unsigned 64-bit number, in languages whose numbers are doubles too.
   */
  export interface WideInteger {
    /** Whether the sign is minus. */
    negative: boolean;
    /** The upper 32 bits of the magnitude. */
    high: number;
    /** The lower 32 bits of the magnitude. */
    low: number;
  }
  /** A place where bytes can be. */
  export type Tier =
    /** The memory of the device that computes. */
    | "device"
    /** The host's memory. */
    | "host"
    /** Model files, and the file that the host spills to. */
    | "disk";
  /** What did not fit, in bytes. */
  export interface Shortage {
    /** Where it did not fit. */
    tier: Tier;
    /** What the operation would have held. */
    requested: number;
    /** The limit or quota it met. */
    limit: number;
    /** What is held already, and cannot leave. */
    used: number;
  }
  /** An error of a node's own. */
  export interface Failure {
    /** What kind of error it is, for programs, such as `model-not-found`. */
    code: string;
    /** What went wrong, as people read it. */
    message: string;
    /** What they can do about it; may be empty. */
    hint: string;
  }
  /** Why an operation was not done. Nothing was changed by it. */
  export type Error =
    /** An argument is wrong; the text says which, and what is expected. */
    | { tag: "invalid-argument"; val: string }
    /** The plugin was not granted this. */
    | { tag: "access-denied"; val: string }
    /** No such model, key, field or file. */
    | { tag: "not-found"; val: string }
    /** One operation's own inputs, outputs and workspace are over the plugin's quota. */
    | { tag: "quota-exceeded"; val: Shortage }
    /** One operation's own inputs, outputs and workspace are over the machine's limit. */
    | { tag: "out-of-memory"; val: Shortage }
    /** Right, but not provided by this host. */
    | { tag: "unsupported"; val: string }
    /** The run was cancelled; the guest should return at once. */
    | { tag: "cancelled" }
    /** What a node says itself, with what to do about it. */
    | { tag: "failed"; val: Failure }
    /** Anything else. */
    | { tag: "other"; val: string };
}

/** Tensors by handle: how they are made from bytes, and read. */
declare module "berth:node/tensors@0.2.0" {
  import type { Dtype, Error, WideInteger } from "berth:node/types@0.2.0";
  /**
   * An immutable array. The host owns its bytes and may move them at any time;
   * no operation shows where they are. Elements are row-major and little-endian.
   */
  export class Tensor {
    /** The element type. */
    dtype(): Dtype;
    /** The dimensions, outermost first; empty for a scalar. */
    shape(): Array<number>;
    /** A second handle to the same tensor. Costs no memory. */
    share(): Tensor;
    /**
     * `length` bytes from byte `offset` on.
     * Errors: `invalid-argument` when they do not lie inside the tensor.
     */
    read(offset: number, length: number): Uint8Array;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /** A tensor being written piece by piece, for data too large for one call. */
  export class Upload {
    /** Begins a tensor of this type and shape, filled with zeros. */
    static begin(dtype: Dtype, shape: Array<number>): Upload;
    /**
     * Writes `data` from byte `offset` on.
     * Errors: `invalid-argument` when it does not lie inside the tensor, or after `finish`.
     */
    write(offset: number, data: Uint8Array): void;
    /** The tensor. No more can be written. */
    finish(): Tensor;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /**
   * PyTorch's CPU generator (MT19937), bit for bit: a seed gives the noise that
   * `torch.manual_seed(seed)` and `torch.randn` give.
   */
  export class Generator {
    /** Only the magnitude's low 64 bits count, as in PyTorch. */
    static seeded(seed: WideInteger): Generator;
    /** The next standard normals, as `f32`. Advances the generator as `torch.randn` does. */
    normal(shape: Array<number>): Tensor;
    /** The next uniforms in [0, 1), as `f32`. Advances the generator as `torch.rand` does. */
    uniform(shape: Array<number>): Tensor;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /**
   * A tensor of these bytes.
   * Errors: `invalid-argument` when `data` is not exactly as long as dtype and shape say.
   */
  export function fromBytes(dtype: Dtype, shape: Array<number>, data: Uint8Array): Tensor;
  /** A tensor whose every element is `value`, converted to `dtype`. */
  export function full(dtype: Dtype, shape: Array<number>, value: number): Tensor;
  /** The 1-D tensor start, start + step, … of `count` elements, computed in `f64`. */
  export function arange(dtype: Dtype, start: number, step: number, count: number): Tensor;
}

/**
 * Model files, by label. A label is a name in one of the operator's model
 * folders, never a path of the file system.
 */
declare module "berth:node/models@0.2.0" {
  import type { Tensor } from "berth:node/tensors@0.2.0";
  import type { Dtype, Error } from "berth:node/types@0.2.0";
  /** What a model's header says of one tensor. */
  export interface TensorInfo {
    /** The element type. */
    dtype: Dtype;
    /** The dimensions in elements, outermost first; empty for a scalar. */
    shape: Array<number>;
  }
  /**
   * An open model file. Opening reads its header; a weight is read when an
   * operation first needs it.
   */
  export class Model {
    /**
     * Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`.
     * Errors: `not-found`, `access-denied`, `invalid-argument` for a file that is no model.
     */
    static open(category: string, label: string): Model;
    /** A second handle to the same model. */
    share(): Model;
    /** The label it was opened by. */
    label(): string;
    /** One entry of the file's metadata. */
    metadata(name: string): string | null;
    /** The names of the file's metadata. */
    metadataNames(): Array<string>;
    /** The keys of all tensors, sorted. */
    keys(): Array<string>;
    /** dtype and shape of one tensor, without reading it. */
    info(key: string): TensorInfo | null;
    /**
     * The tensor of a key, by handle. Nothing is read yet.
     * Errors: `not-found`.
     */
    weight(key: string): Tensor;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /** The labels of a category that this plugin may open, sorted. */
  export function available(category: string): Array<string>;
}

/**
 * What travels on a wire between nodes.
 *
 * A wire's type is a name such as `IMAGE` or `MODEL`. These have a fixed meaning:
 *
 * | type           | value                                                                   |
 * |----------------|-------------------------------------------------------------------------|
 * | `IMAGE`        | tensor [batch, height, width, channels], `f32`, 0…1                      |
 * | `MASK`         | tensor [batch, height, width], `f32`, 0…1                                |
 * | `LATENT`       | object: `samples` tensor [batch, channels, h, w] as the VAE has it; optional: `noise-mask` tensor, 1 where the sampler works; `batch-index` items of integers, whose noise of a batch each latent gets |
 * | `CONDITIONING` | object: `entries`, a list of objects with `embedding` tensor [batch, tokens, width] and, optionally, `pooled` |
 * | `MODEL`        | object: `denoise` function and what a sampler must know (listed below)           |
 * | `CLIP`         | object: `encode` function                                               |
 * | `VAE`          | object: `encode` and `decode` functions                                 |
 *
 * Functions on those wires, with their arguments → results:
 *
 * - MODEL `denoise`: `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor
 *   [b, tokens, width], `pooled` tensor (optional) → `prediction` tensor [b, c, h, w].
 *   Fields beside it: `prediction` text (`epsilon`, `v` or `flow`), `alphas` tensor [steps] `f64`
 *   (the cumulative product of the noise schedule, `ᾱ` of Ho et al. 2020),
 *   `latent-channels` integer, `latent-scale` number, `latent-shift` number.
 * - CLIP `encode`: `text` text → `conditioning` object.
 * - VAE `decode`: `latent` tensor [b, c, h, w] as the VAE has it → `image` tensor [b, h, w, 3], −1…1;
 *   `encode`: `image` tensor [b, h, w, 3], −1…1 → `latent` tensor. Fields beside them:
 *   `latent-scale` number, `latent-shift` number, `downscale` integer.
 */
declare module "berth:node/values@0.2.0" {
  import type { Model } from "berth:node/models@0.2.0";
  import type { Tensor } from "berth:node/tensors@0.2.0";
  import type { Error, WideInteger } from "berth:node/types@0.2.0";
  /** Named values under a type name, held by the host. Immutable. */
  export class Object {
    /** Errors: `invalid-argument` when two fields have one name. */
    static create(typeName: string, fields: Array<NamedValue>): Object;
    /** A second handle to the same object. */
    share(): Object;
    /** The type name. */
    typeName(): string;
    /** The names of the fields, in the order they were given. */
    fieldNames(): Array<string>;
    /** One field. */
    get(name: string): Value | null;
    /** A copy in which these fields are set, and all others as they were. */
    replace(fields: Array<NamedValue>): Object;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /** Values in order, held by the host. Immutable. */
  export class ValueList {
    /** A list of these. */
    static create(items: Array<Value>): ValueList;
    /** A second handle to the same list. */
    share(): ValueList;
    /** How many there are. */
    length(): number;
    /** One of them. Errors: `not-found` past the end. */
    get(index: number): Value;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /**
   * A function of a plugin with values captured. Whoever holds it can call it,
   * from any plugin; it runs in a fresh instance of the plugin that made it,
   * under that plugin's identity and quota.
   */
  export class Function {
    /** The calling plugin's own function of this name (see `nodes.call`). */
    static create(name: string, captures: Array<NamedValue>): Function;
    /** A second handle to the same function. */
    share(): Function;
    /**
     * Calls it and waits for what it returns.
     * Errors: the function's own; `other` when its plugin trapped.
     */
    call(arguments_: Array<NamedValue>): Array<NamedValue>;
    private constructor();
    /** Gives the handle back now. */
    [Symbol.dispose](): void;
  }
  /** One value. Its case is its type: nothing is converted on the way. */
  export type Value =
    /** True or false. */
    | { tag: "boolean"; val: boolean }
    /** An integer of up to 64 bits, signed or unsigned. */
    | { tag: "integer"; val: WideInteger }
    /** A floating-point number of 64 bits. */
    | { tag: "number"; val: number }
    /** A text, in Unicode. */
    | { tag: "text"; val: string }
    /** Bytes as they are. */
    | { tag: "bytes"; val: Uint8Array }
    /** A tensor, by handle. */
    | { tag: "tensor"; val: Tensor }
    /** An open model file, by handle. */
    | { tag: "model"; val: Model }
    /** A function of a plugin, by handle. */
    | { tag: "function"; val: Function }
    /** Named values, by handle. */
    | { tag: "object"; val: Object }
    /** Values in order, by handle. */
    | { tag: "items"; val: ValueList };
  /** A value and what it is called. */
  export interface NamedValue {
    /** What it is called. */
    name: string;
    /** The value. */
    value: Value;
  }
}

/**
 * Where things are, and moving them. A capability: only a plugin that the operator
 * granted `memory` can import this interface.
 *
 * What an object reaches are the tensors in it, and what its functions need: the weights that
 * their calls used, or, where that is not known, all weights of the captured
 * models that were ever used. Moving changes no result, only how soon it is there.
 */
declare module "berth:node/memory@0.2.0" {
  import type { Error, Tier } from "berth:node/types@0.2.0";
  import type { Object } from "berth:node/values@0.2.0";
  /** One tier, in bytes. */
  export interface TierUsage {
    /** Which tier. */
    tier: Tier;
    /** Bytes in use now; on disk, those that are spilled. */
    used: number;
    /** The most bytes that were ever in use. */
    peak: number;
    /** The most bytes that may be in use; absent where nothing limits them. */
    limit: number | null;
  }
  /** Bytes on each tier. */
  export interface Charges {
    /** In the device's memory. */
    device: number;
    /** In the host's memory. */
    host: number;
    /** Of model files that are referred to, and of the spill file. */
    disk: number;
  }
  /** The most bytes on each tier; absent where there is no quota. */
  export interface Quotas {
    /** In the device's memory. */
    device: number | null;
    /** In the host's memory. */
    host: number | null;
    /** In the spill file. */
    disk: number | null;
  }
  /** What one plugin holds and may hold. */
  export interface PluginUsage {
    /** The plugin's name. */
    plugin: string;
    /** What it is charged. */
    charge: Charges;
    /** Its quotas. */
    quota: Quotas;
    /** Bytes of the device that it keeps while others need room. */
    share: number;
  }
  /** A snapshot. */
  export interface Statistics {
    /** Use and limit of each tier. */
    tiers: Array<TierUsage>;
    /** What each plugin holds. */
    plugins: Array<PluginUsage>;
    /** Bytes of cached results that no running node needs, on any tier. */
    cachedResults: number;
    /** Bytes in the host's memory of what the DRAM cache reaches. */
    dramCache: number;
  }
  /** How things stand. */
  export function snapshot(): Statistics;
  /**
   * What the object reaches leaves the device now and stays in the host's memory. What a
   * running operation uses stays where it is. Gives the bytes that left.
   * Errors: `out-of-memory` and `quota-exceeded` when the host's memory has no room.
   */
  export function offload(target: Object): number;
  /**
   * What the object reaches comes to the device, as far as there is room without
   * anything else leaving. Gives the bytes that came.
   */
  export function restore(target: Object): number;
  /**
   * Keeps the object in the DRAM cache, which all plugins with this capability share and
   * which outlives the run. Gives its id: equal objects have equal ids, in other hosts too.
   * Errors: `other` when the cache is full.
   */
  export function remember(target: Object): string;
  /**
   * The object that the DRAM cache keeps under an id.
   * Errors: `not-found`.
   */
  export function recall(id: string): Object;
  /** Drops an object from the DRAM cache. Gives whether it was there. */
  export function forget(id: string): boolean;
  /** Drops everything from the DRAM cache. Gives how many objects there were. */
  export function forgetAll(): number;
  /**
   * Whether what the object reaches, with all weights of its models, leaves a tier only when an
   * operation could not run otherwise.
   * Errors: `invalid-argument` for the disk.
   */
  export function keep(target: Object, tier: Tier, keep: boolean): void;
  /** Ends every `keep`, whoever asked for it. */
  export function keepNothing(): void;
  /**
   * What no running operation uses leaves a tier until this many bytes are free there, as far
   * as it can. Gives the bytes that left.
   * Errors: `invalid-argument` for the disk.
   */
  export function makeFree(tier: Tier, bytes: number): number;
  /** Forgets the results of nodes that were kept for later runs. */
  export function clearResults(): void;
}

/**
 * Operations on tensors. Each makes a new tensor and leaves its operands as they were.
 *
 * Rules that hold for all of them:
 * - Binary operations broadcast as NumPy does. Both operands have one dtype,
 *   unless the operation says otherwise.
 * - `linear`, the convolutions, the norms and `attention` compute in the dtype of their
 *   first operand, and accumulate `f16` and `bf16` in `f32`. Weights of another
 *   float type, or quantized, are converted as they are used.
 * - An axis may be negative: −1 is the last.
 * - Errors are `invalid-argument` for shapes, dtypes or values that do not fit,
 *   `quota-exceeded` and `out-of-memory` when the operation's own operands do not
 *   fit, `unsupported` for a dtype that the host cannot compute in, `cancelled`.
 */
declare module "berth:node/ops@0.2.0" {
  import type { Tensor } from "berth:node/tensors@0.2.0";
  import type { Dtype, Error } from "berth:node/types@0.2.0";
  /** How a convolution walks: the same in every spatial dimension. */
  export interface Walk {
    /** Elements from one position to the next; at least 1. */
    stride: number;
    /** Zeros before and after each spatial dimension, in elements; a transposed convolution cuts as many off. */
    padding: number;
    /** Elements from one of the kernel's taps to the next; 1 for a dense kernel. */
    dilation: number;
    /** Groups of channels that are convolved apart; at least 1, and divides both channel counts. */
    groups: number;
  }
  /** A function of each element of a float tensor. */
  export type Unary =
    | "neg"
    | "abs"
    /** −1, 0 or 1. */
    | "sign"
    /** 1 / x. */
    | "recip"
    | "sqrt"
    /** 1 / √x. */
    | "rsqrt"
    | "exp"
    /** The natural logarithm. */
    | "log"
    /** Of x in radians, as `cos`. */
    | "sin"
    | "cos"
    | "tanh"
    /** The error function. */
    | "erf"
    | "floor"
    | "ceil"
    /** To the nearest integer, halves to the even one. */
    | "round"
    /** max(x, 0). */
    | "relu"
    /** 1 / (1 + e⁻ˣ). */
    | "sigmoid"
    /** x·sigmoid(x). */
    | "silu"
    /** x·Φ(x), by the error function (Hendrycks & Gimpel 2016). */
    | "gelu"
    /** The tanh approximation of `gelu`. */
    | "gelu-tanh"
    /** x·sigmoid(1.702·x), as CLIP has it. */
    | "gelu-quick"
    /** log(1 + eˣ). */
    | "softplus"
    /** x·tanh(softplus(x)). */
    | "mish";
  /** A function of two elements; the result has their dtype. */
  export type Binary =
    | "add"
    | "sub"
    | "mul"
    /** Integers truncate; an integer divided by 0 is `invalid-argument`. */
    | "div"
    /** NaN when either is. */
    | "minimum"
    /** NaN when either is. */
    | "maximum";
  /** A comparison of two elements. */
  export type Comparison =
    | "eq"
    | "ne"
    | "lt"
    | "le"
    | "gt"
    | "ge";
  /**
   * How a reduction combines the elements along an axis.
   * `argmax` and `argmin` take one axis and give `u32`, the first of equals.
   */
  export type Reduction =
    | "sum"
    | "mean"
    | "max"
    | "min"
    | "argmax"
    | "argmin";
  /** What lies outside of a padded tensor. */
  export type Padding =
    /** This value. */
    | { tag: "constant"; val: number }
    /** The nearest element. */
    | { tag: "edge" }
    /** The tensor mirrored, without repeating its edge. */
    | { tag: "reflect" }
    /** The tensor again, from its other end. */
    | { tag: "wrap" };
  /**
   * How `interpolate` finds a sample, as PyTorch's `interpolate` of that name,
   * with `align_corners=False` and no antialiasing; `lanczos` is Pillow's
   * antialiased filter of radius 3, on floats.
   */
  export type Sampling =
    | "nearest"
    | "nearest-exact"
    | "bilinear"
    | "bicubic"
    | "area"
    | "lanczos";
  /** `a · b`: [.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast. */
  export function matmul(a: Tensor, b: Tensor): Tensor;
  /** `x · weightᵀ + bias`: x [.., in], weight [out, in], bias [out] → [.., out]. */
  export function linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor;
  /** x [n, c, l], weight [out, c / groups, k], bias [out] → [n, out, l']. */
  export function conv1d(x: Tensor, weight: Tensor, bias: Tensor | null, walk: Walk): Tensor;
  /** x [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] → [n, out, h', w']. */
  export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null, walk: Walk): Tensor;
  /**
   * Transposed: x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] → [n, out, h', w'],
   * h' = (h − 1)·stride − 2·padding + dilation·(kh − 1) + output-padding + 1.
   */
  export function convTranspose2d(x: Tensor, weight: Tensor, bias: Tensor | null, walk: Walk, outputPadding: number): Tensor;
  /**
   * Normalizes x [n, c, ..] over each of `groups` groups of channels, then scales and
   * shifts by channel (weight [c], bias [c]). Wu & He 2018.
   */
  export function groupNorm(x: Tensor, groups: number, weight: Tensor | null, bias: Tensor | null, epsilon: number): Tensor;
  /**
   * Normalizes x [.., c] over its last dimension, then scales and shifts
   * (weight [c], bias [c]). Ba, Kiros & Hinton 2016.
   */
  export function layerNorm(x: Tensor, weight: Tensor | null, bias: Tensor | null, epsilon: number): Tensor;
  /** x [.., c] / √(mean(x²) + epsilon), times weight [c]. Zhang & Sennrich 2019. */
  export function rmsNorm(x: Tensor, weight: Tensor | null, epsilon: number): Tensor;
  /**
   * Softmax(q·kᵀ·scale + mask)·v with `heads` heads side by side in the last
   * dimension: q [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e].
   * `mask` broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides.
   * `causal` hides the keys after each query. `scale` defaults to 1/√d. Vaswani et al. 2017.
   */
  export function attention(q: Tensor, k: Tensor, v: Tensor, heads: number, mask: Tensor | null, causal: boolean, scale: number | null): Tensor;
  /**
   * Rotary position embedding of x [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021).
   * `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2.
   */
  export function rotary(x: Tensor, cosines: Tensor, sines: Tensor, interleaved: boolean): Tensor;
  /**
   * Rows of weight [rows, c] by indices [..] (`u32` or `i64`) → [.., c], of weight's dtype,
   * or `f32` when weight is quantized.
   */
  export function embedding(indices: Tensor, weight: Tensor): Tensor;
  /** Softmax along one axis. */
  export function softmax(x: Tensor, axis: number): Tensor;
  /** Applies `function` to each element. */
  export function map(x: Tensor, function_: Unary): Tensor;
  /** scale·x + shift, element by element. */
  export function affine(x: Tensor, scale: number, shift: number): Tensor;
  /** x to the power `exponent`, element by element. */
  export function power(x: Tensor, exponent: number): Tensor;
  /** Each element limited to low ≤ x ≤ high. */
  export function clamp(x: Tensor, low: number, high: number): Tensor;
  /** Applies `function` to each pair of elements, broadcasting. */
  export function combine(a: Tensor, b: Tensor, function_: Binary): Tensor;
  /** 1 where the comparison holds, otherwise 0, as `u8`; broadcasting. */
  export function compare(a: Tensor, b: Tensor, comparison: Comparison): Tensor;
  /** `a` where `condition` (`u8`) is not 0, otherwise `b`; broadcasting. */
  export function choose(condition: Tensor, a: Tensor, b: Tensor): Tensor;
  /**
   * Reduces the given axes; all of them when the list is empty. With `keep`,
   * they stay as dimensions of 1. NaN propagates.
   */
  export function reduce(x: Tensor, reduction: Reduction, axes: Array<number>, keep: boolean): Tensor;
  /**
   * The indices, as `u32`, that put one axis in order: `gather` by them gives it sorted. The shape is
   * x's. Equal elements keep their order in both directions; NaN is greater than every number.
   */
  export function argsort(x: Tensor, axis: number, descending: boolean): Tensor;
  /** The running sum along one axis. */
  export function cumulativeSum(x: Tensor, axis: number): Tensor;
  /** The same elements under another shape. Costs no memory. */
  export function reshape(x: Tensor, shape: Array<number>): Tensor;
  /** Dimension i of the result is dimension `axes[i]` of x. */
  export function permute(x: Tensor, axes: Array<number>): Tensor;
  /** Indices start, start + step, … below `end` of one axis. */
  export function slice(x: Tensor, axis: number, start: number, end: number, step: number): Tensor;
  /** The tensors one after another along an axis; their other dimensions are equal. */
  export function concat(tensors: Array<Tensor>, axis: number): Tensor;
  /** x repeated to a shape that it broadcasts to. */
  export function broadcast(x: Tensor, shape: Array<number>): Tensor;
  /** The axis backwards. */
  export function flip(x: Tensor, axis: number): Tensor;
  /** Pads each axis by (before, after); one pair for each dimension of x. */
  export function pad(x: Tensor, amounts: Array<[number, number]>, padding: Padding): Tensor;
  /**
   * result[.., i, ..] = x[.., indices[.., i, ..], ..] along one axis (`u32` or `i64`);
   * indices has x's rank, and its shape except along the axis.
   */
  export function gather(x: Tensor, axis: number, indices: Tensor): Tensor;
  /** Whole slices of one axis, by a 1-D tensor of indices (`u32` or `i64`). */
  export function indexSelect(x: Tensor, axis: number, indices: Tensor): Tensor;
  /** Resizes x [n, c, h, w] to [n, c, height, width]. */
  export function interpolate(x: Tensor, height: number, width: number, sampling: Sampling): Tensor;
  /**
   * Converts each element. Floats to integers truncate and saturate; quantized
   * tensors convert to a float type.
   */
  export function cast(x: Tensor, dtype: Dtype): Tensor;
}

/**
 * The run that a guest is part of. Texts are untrusted: the host caps their
 * length and rate, and escapes control characters.
 */
declare module "berth:node/context@0.2.0" {
  import type { Tensor } from "berth:node/tensors@0.2.0";
  import type { Error } from "berth:node/types@0.2.0";
  /** How much a message matters. */
  export type Level =
    | "trace"
    | "debug"
    | "info"
    | "warn"
    | "error";
  /** Where a file goes. */
  export type Place =
    /** The operator's output folder. */
    | "output"
    /** A folder that the operator empties. */
    | "temporary";
  /** A file that was written. The name was chosen by the host. */
  export interface Artifact {
    /** The file name, with its extension and without a folder. */
    name: string;
    /** The folder inside the place, or empty. */
    subfolder: string;
    /** Which of the operator's folders it is in. */
    place: Place;
  }
  /** Says something to the operator. */
  export function log(level: Level, message: string): void;
  /** `value` of `total` steps of this node are done. */
  export function progress(value: number, total: number): void;
  /** Shows an intermediate image [height, width, 3], `f32`, 0…1, with the progress. The host may drop it. */
  export function preview(image: Tensor): void;
  /** Whether the run was cancelled. Every operation returns `cancelled` from then on. */
  export function cancelled(): boolean;
  /** Shows a text as a result of this node. */
  export function showText(text: string): void;
  /**
   * Writes `data` as `PREFIX_00001_.EXTENSION` with the next free number, and shows it
   * as a result of this node. `prefix` may name folders with `/`; it never
   * leads out of the place. `kind` is how a client shows it: `images`, `audio`, `files`.
   * Errors: `invalid-argument`, `other` when the file cannot be written.
   */
  export function save(place: Place, kind: string, prefix: string, extension: string, data: Uint8Array): Artifact;
  /** A file of the operator's input folder. Errors: `not-found`, `invalid-argument`. */
  export function readInput(name: string): Uint8Array;
  /** A digest of a file of the input folder that changes when its content does. */
  export function inputFingerprint(name: string): string;
}

/** What a plugin provides: node types, and the functions behind its function values. */
declare module "berth:node/nodes@0.2.0" {
  import type { Error, WideInteger } from "berth:node/types@0.2.0";
  import type { Value, NamedValue } from "berth:node/values@0.2.0";
  /** What a boolean widget offers. */
  export interface BooleanPort {
    /** What the widget starts with; absent leaves it to the client. */
    default: boolean | null;
  }
  /** What an integer widget offers. */
  export interface IntegerPort {
    /** What the widget starts with; absent leaves it to the client. */
    default: WideInteger | null;
    /** The smallest value allowed; absent for no bound. */
    min: WideInteger | null;
    /** The largest value allowed; absent for no bound. */
    max: WideInteger | null;
    /** The widget's step; absent leaves it to the client. */
    step: number | null;
    /** A seed: the client may change it after each run. */
    seed: boolean;
  }
  /** What a number widget offers. */
  export interface NumberPort {
    /** What the widget starts with; absent leaves it to the client. */
    default: number | null;
    /** The smallest value allowed; absent for no bound. */
    min: number | null;
    /** The largest value allowed; absent for no bound. */
    max: number | null;
    /** The widget's step; absent leaves it to the client. */
    step: number | null;
  }
  /** What a text widget offers. */
  export interface TextPort {
    /** What the widget starts with; absent leaves it to the client. */
    default: string | null;
    /** Whether the widget has several lines. */
    multiline: boolean;
  }
  /** Where the options of a choice come from. */
  export type Choices =
    /** These. */
    | { tag: "fixed"; val: Array<string> }
    /** The labels of a category of models. */
    | { tag: "models"; val: string }
    /** The image files of the operator's input folder. */
    | { tag: "images" };
  /** One of some texts. */
  export interface ChoicePort {
    /** Where the options come from. */
    choices: Choices;
    /** The option that the widget starts with; absent leaves it to the client. */
    default: string | null;
  }
  /** What an input takes. */
  export type Port =
    /** True or false. */
    | { tag: "boolean"; val: BooleanPort }
    /** An integer of up to 64 bits, signed or unsigned. */
    | { tag: "integer"; val: IntegerPort }
    /** A floating-point number. */
    | { tag: "number"; val: NumberPort }
    /** A text. */
    | { tag: "text"; val: TextPort }
    /** One of some texts. */
    | { tag: "choice"; val: ChoicePort }
    /** A wire of this type: `IMAGE`, several as `IMAGE,MASK`, any as `*`. */
    | { tag: "socket"; val: string };
  /** One input. */
  export interface Input {
    /** Its name in a workflow. */
    name: string;
    /** What it takes. */
    port: Port;
    /** Whether the node runs without it. */
    optional: boolean;
    /** Computed only when `needs` asks for it. */
    lazy: boolean;
    /** What it is for, as people read it; may be empty. */
    tooltip: string;
  }
  /** One output. */
  export interface Output {
    /** What people read. */
    name: string;
    /** The wire's type. */
    typeName: string;
    /** What it is, as people read it; may be empty. */
    tooltip: string;
    /**
     * The input whose value it passes on untouched: the wire has the type of what is linked
     * there. Where nothing is, only an input that takes any type can be linked to it.
     */
    passes: string | null;
  }
  /** A value that the host gives without a wire, as text under this name. */
  export type Hidden =
    /** The node's id in the workflow. */
    | "unique-id"
    /** The workflow, in API format. */
    | "prompt"
    /** What the client sent along to be stored in images, a JSON object. */
    | "extra-pnginfo";
  /** The optional checks that a node type has. */
  export interface Checks {
    /** `needs` says which lazy inputs to compute; without it, all of them are computed. */
    needs: boolean;
    /** `fingerprint` says when to run again; without it, only changed inputs do. */
    fingerprint: boolean;
    /** `validate` checks the constant inputs before a run. */
    validate: boolean;
  }
  /** One kind of node. Names are unique within a plugin and do not change. */
  export interface NodeType {
    /** The class name that workflows use. */
    name: string;
    /** What people read. */
    displayName: string;
    /** Folders in a menu, separated by `/`. */
    category: string;
    /** What it does, in a sentence or more. */
    description: string;
    /** In the order of the widgets. */
    inputs: Array<Input>;
    /** In the order of the slots, and of what `run` gives. */
    outputs: Array<Output>;
    /** The values it is given without a wire. */
    hidden: Array<Hidden>;
    /** Runs for its effect: a workflow is run for its output nodes. */
    outputNode: boolean;
    /** Which of the optional checks it has. */
    checks: Checks;
    /** Kept for old workflows only. */
    deprecated: boolean;
    /** May still change. */
    experimental: boolean;
    /** Other words that should find it. */
    searchAliases: Array<string>;
  }
  /** What a component exports under the interface's name. */
  export interface Exports {
    /** The node types of this plugin, always the same. */
    describe(): Array<NodeType>;
    /**
     * Runs a node. Optional inputs that nothing was given for are left out. Gives
     * one value for each output.
     */
    run(node: string, inputs: Array<NamedValue>): Array<Value>;
    /** Runs a function that this plugin made a value of. */
    call(function_: string, captures: Array<NamedValue>, arguments_: Array<NamedValue>): Array<NamedValue>;
    /** Which lazy inputs the node still needs, given those it has. */
    needs(node: string, inputs: Array<NamedValue>): Array<string>;
    /**
     * A text that changes when the node must run again though its inputs are the same.
     * A node that returns an error here runs each time.
     */
    fingerprint(node: string, inputs: Array<NamedValue>): string;
    /** Checks the constant inputs before anything runs. Gives what is wrong with them, or nothing. */
    validate(node: string, inputs: Array<NamedValue>): string | null;
  }
}

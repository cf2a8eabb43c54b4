import * as opsModule from "berth:node/ops@0.2.0";
import type { Binary, Comparison, Reduction, Unary } from "berth:node/ops@0.2.0";
import type { Tensor as Raw } from "berth:node/tensors@0.2.0";

import { axesOf, dtypeOf, flag, float, s32, show, type DType } from "./check";
import { asking, BerthError } from "./error";
import { Tensor } from "./tensor";
import { TensorData } from "./tensor-data";

const ops = asking(opsModule);

/** Arithmetic, functions of elements, and what is computed along axes: a part of {@link Tensor}. */
export abstract class TensorMath extends TensorData {
  // Arithmetic.

  /** this + other. */
  add(other: Tensor | number): Tensor {
    return typeof other === "number" ? this.affine(1, other) : this.combine(other, "add");
  }

  /** this − other. For a number − a tensor there is the function `sub`. */
  sub(other: Tensor | number): Tensor {
    return typeof other === "number" ? this.affine(1, -other) : this.combine(other, "sub");
  }

  /** this · other. */
  mul(other: Tensor | number): Tensor {
    return typeof other === "number" ? this.affine(other, 0) : this.combine(other, "mul");
  }

  /** this / other. Integers truncate. For a number / a tensor there is the function `div`. */
  div(other: Tensor | number): Tensor {
    return this.combine(other, "div");
  }

  /** The smaller of each pair; NaN when either is. */
  minimum(other: Tensor | number): Tensor {
    return this.combine(other, "minimum");
  }

  /** The larger of each pair; NaN when either is. */
  maximum(other: Tensor | number): Tensor {
    return this.combine(other, "maximum");
  }

  /** scale·x + shift. */
  affine(scale: number, shift: number): Tensor {
    return new Tensor(ops.affine(this.raw, float(scale, "scale"), float(shift, "shift")));
  }

  /** x to the power `exponent`. */
  pow(exponent: number): Tensor {
    return new Tensor(ops.power(this.raw, float(exponent, "exponent")));
  }

  /** Each element limited to low ≤ x ≤ high. */
  clamp(low: number, high: number): Tensor {
    return new Tensor(ops.clamp(this.raw, float(low, "low"), float(high, "high")));
  }

  // Functions of each element of a float tensor.

  /** −x. */
  neg(): Tensor {
    return this.map("neg");
  }
  /** |x|. */
  abs(): Tensor {
    return this.map("abs");
  }
  /** −1, 0 or 1. */
  sign(): Tensor {
    return this.map("sign");
  }
  /** 1/x. */
  recip(): Tensor {
    return this.map("recip");
  }
  /** √x. */
  sqrt(): Tensor {
    return this.map("sqrt");
  }
  /** 1/√x. */
  rsqrt(): Tensor {
    return this.map("rsqrt");
  }
  /** eˣ. */
  exp(): Tensor {
    return this.map("exp");
  }
  /** The natural logarithm. */
  log(): Tensor {
    return this.map("log");
  }
  /** The sine of x radians. */
  sin(): Tensor {
    return this.map("sin");
  }
  /** The cosine of x radians. */
  cos(): Tensor {
    return this.map("cos");
  }
  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return this.map("tanh");
  }
  /** The error function. */
  erf(): Tensor {
    return this.map("erf");
  }
  /** The largest integer that is not above x. */
  floor(): Tensor {
    return this.map("floor");
  }
  /** The smallest integer that is not below x. */
  ceil(): Tensor {
    return this.map("ceil");
  }
  /** The nearest integer, halves to the even one. */
  round(): Tensor {
    return this.map("round");
  }
  /** max(x, 0). */
  relu(): Tensor {
    return this.map("relu");
  }
  /** 1/(1 + e⁻ˣ). */
  sigmoid(): Tensor {
    return this.map("sigmoid");
  }
  /** x·sigmoid(x). */
  silu(): Tensor {
    return this.map("silu");
  }
  /** x·Φ(x), by the error function (Hendrycks & Gimpel 2016). */
  gelu(): Tensor {
    return this.map("gelu");
  }
  /** The tanh approximation of `gelu`. */
  geluTanh(): Tensor {
    return this.map("gelu-tanh");
  }
  /** x·sigmoid(1.702·x), as CLIP has it. */
  geluQuick(): Tensor {
    return this.map("gelu-quick");
  }
  /** log(1 + eˣ). */
  softplus(): Tensor {
    return this.map("softplus");
  }
  /** x·tanh(softplus(x)). */
  mish(): Tensor {
    return this.map("mish");
  }

  // Comparisons: 1 where they hold, otherwise 0, as `u8`.

  /** this = other. */
  eq(other: Tensor | number): Tensor {
    return this.compare(other, "eq");
  }
  /** this ≠ other. */
  ne(other: Tensor | number): Tensor {
    return this.compare(other, "ne");
  }
  /** this < other. */
  lt(other: Tensor | number): Tensor {
    return this.compare(other, "lt");
  }
  /** this ≤ other. */
  le(other: Tensor | number): Tensor {
    return this.compare(other, "le");
  }
  /** this > other. */
  gt(other: Tensor | number): Tensor {
    return this.compare(other, "gt");
  }
  /** this ≥ other. */
  ge(other: Tensor | number): Tensor {
    return this.compare(other, "ge");
  }

  /** `a` where this (`u8`) is not 0, otherwise `b`; broadcasting. Two numbers make `f32`. */
  choose(a: Tensor | number, b: Tensor | number): Tensor {
    const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : "f32";
    const [yes, no] = [operand(a, dtype, "choose"), operand(b, dtype, "choose")];
    return new Tensor(ops.choose(this.raw, yes.raw, no.raw));
  }

  /**
   * Each element converted. Floats to integers truncate and saturate; quantized tensors convert to a float
   * type.
   */
  cast(dtype: DType): Tensor {
    return new Tensor(ops.cast(this.raw, dtypeOf(dtype)));
  }

  // Along axes: one, several, or all without any. With `keep`, they stay as dimensions of 1. NaN propagates.

  /** The sum. */
  sum(axes: number | readonly number[] = [], keep = false): Tensor {
    return this.reduce("sum", axes, keep);
  }
  /** The arithmetic mean. */
  mean(axes: number | readonly number[] = [], keep = false): Tensor {
    return this.reduce("mean", axes, keep);
  }
  /** The largest element. */
  max(axes: number | readonly number[] = [], keep = false): Tensor {
    return this.reduce("max", axes, keep);
  }
  /** The smallest element. */
  min(axes: number | readonly number[] = [], keep = false): Tensor {
    return this.reduce("min", axes, keep);
  }
  /** The index of the largest element, the first of equals, as `u32`. */
  argmax(axis: number, keep = false): Tensor {
    return this.reduce("argmax", axis, keep);
  }
  /** The index of the smallest element, the first of equals, as `u32`. */
  argmin(axis: number, keep = false): Tensor {
    return this.reduce("argmin", axis, keep);
  }

  /**
   * The indices that put one axis in order, as `u32`, of this shape: `gather` by them gives it sorted.
   * Equal elements keep their order; NaN is greater than every number.
   */
  argsort(axis = -1, descending = false): Tensor {
    return new Tensor(ops.argsort(this.raw, s32(axis, "axis"), flag(descending, "descending")));
  }

  /** The running sum along one axis. */
  cumulativeSum(axis: number): Tensor {
    return new Tensor(ops.cumulativeSum(this.raw, s32(axis, "axis")));
  }

  /** Softmax along one axis. */
  softmax(axis = -1): Tensor {
    return new Tensor(ops.softmax(this.raw, s32(axis, "axis")));
  }

  private map(name: Unary): Tensor {
    return new Tensor(ops.map(this.raw, name));
  }

  private combine(other: Tensor | number, name: Binary): Tensor {
    return new Tensor(ops.combine(this.raw, operand(other, this.dtype, name).raw, name));
  }

  private compare(other: Tensor | number, name: Comparison): Tensor {
    return new Tensor(ops.compare(this.raw, operand(other, this.dtype, name).raw, name));
  }

  private reduce(name: Reduction, axes: number | readonly number[], keep: boolean): Tensor {
    return new Tensor(ops.reduce(this.raw, name, axesOf(axes), flag(keep, "keep")));
  }
}

/** a + b, of which one may be a number. */
export function add(a: Tensor | number, b: Tensor | number): Tensor {
  return a instanceof Tensor ? a.add(b) : number(b).affine(1, float(a, "add"));
}

/** a − b, of which one may be a number. */
export function sub(a: Tensor | number, b: Tensor | number): Tensor {
  return a instanceof Tensor ? a.sub(b) : number(b).affine(-1, float(a, "sub"));
}

/** a · b, of which one may be a number. */
export function mul(a: Tensor | number, b: Tensor | number): Tensor {
  return a instanceof Tensor ? a.mul(b) : number(b).affine(float(a, "mul"), 0);
}

/** a / b, of which one may be a number. */
export function div(a: Tensor | number, b: Tensor | number): Tensor {
  return a instanceof Tensor ? a.div(b) : operand(a, number(b).dtype, "div").div(b);
}

/** The second operand of an arithmetic function whose first is a number. */
function number(b: Tensor | number): Tensor {
  if (b instanceof Tensor) {
    return b;
  }
  throw BerthError.invalid(`one of two operands must be a tensor, got ${show(b)}`);
}

/** An operand, of which a number becomes a scalar. */
function operand(value: Tensor | number, dtype: DType, what: string): Tensor {
  return typeof value === "number" ? Tensor.full([], value, dtype) : (rawOf(value, what), value);
}

/** A tensor's binding. @internal */
export function rawOf(tensor: Tensor, what: string): Raw {
  if (tensor instanceof Tensor) {
    return tensor.raw;
  }
  throw BerthError.invalid(`${what}: expected a tensor, got ${show(tensor)}`);
}

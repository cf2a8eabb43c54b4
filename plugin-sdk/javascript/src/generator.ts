import { Generator as HostGenerator } from "berth:node/tensors@0.2.0";
import type { Generator as Raw } from "berth:node/tensors@0.2.0";

import { counts } from "./check";
import { ask } from "./error";
import { Handle } from "./handle";
import { toWide } from "./integers";
import { Tensor } from "./tensor";

/**
 * PyTorch's CPU generator, bit for bit: a seed gives the noise that `torch.manual_seed(seed)` and
 * `torch.randn` give.
 */
export class Generator extends Handle<Raw> {
  /** A generator at the beginning of a seed's sequence; of a seed, the magnitude's low 64 bits count. */
  constructor(seed: bigint | number) {
    const wide = toWide(seed, "seed");
    super(ask(() => HostGenerator.seeded(wide)));
  }

  /** The next standard normals, as `f32`. Advances the generator as `torch.randn` does. */
  normal(shape: readonly number[]): Tensor {
    return new Tensor(ask(() => this.raw.normal(counts(shape, "shape"))));
  }

  /** The next uniforms in [0, 1), as `f32`. Advances the generator as `torch.rand` does. */
  uniform(shape: readonly number[]): Tensor {
    return new Tensor(ask(() => this.raw.uniform(counts(shape, "shape"))));
  }
}

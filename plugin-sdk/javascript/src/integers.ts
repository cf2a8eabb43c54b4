import type { WideInteger } from "berth:node/types@0.2.0";

import { show, u32, unsigned } from "./check";
import { BerthError } from "./error";

const LARGEST = 2n ** 64n - 1n;

/** An integer of up to 64 bits, signed or unsigned, as it crosses. @internal */
export function toWide(value: bigint | number, what: string): WideInteger {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
    throw BerthError.invalid(`${what}: expected a bigint or an integer below 2⁵³, got ${show(value)}`);
  }
  const exact = BigInt(value);
  const magnitude = exact < 0n ? -exact : exact;
  if (magnitude > LARGEST) {
    throw BerthError.invalid(`${what}: ${exact} has more than 64 bits`);
  }
  const [high, low] = [Number(magnitude >> 32n), Number(magnitude & 0xffff_ffffn)];
  return { negative: exact < 0n, high: u32(high, what), low: u32(low, what) };
}

/** @internal */
export function fromWide(wide: WideInteger): bigint {
  const magnitude = (BigInt(unsigned(wide.high)) << 32n) | BigInt(unsigned(wide.low));
  return wide.negative ? -magnitude : magnitude;
}

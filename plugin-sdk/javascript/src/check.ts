// What crosses to the host is checked here first: an argument of a wrong kind would end the whole
// plugin there, without saying which it was.

import type { Dtype } from "berth:node/types@0.2.0";

import { BerthError } from "./error";

/**
 * Element type of a tensor. The `q…` types are GGUF's block-quantized formats: only weights have them, and
 * `cast` converts them.
 */
export type DType = Dtype;

/** Bytes of one element, for the types whose elements stand alone. */
const WIDTHS: Partial<Record<DType, number>> = {
  u8: 1,
  u32: 4,
  i32: 4,
  i64: 8,
  f16: 2,
  bf16: 2,
  f32: 4,
  f64: 8,
  "f8-e4m3": 1,
  "f8-e5m2": 1,
};

const QUANTIZED = [
  "q4-0",
  "q4-1",
  "q5-0",
  "q5-1",
  "q8-0",
  "q8-1",
  "q2-k",
  "q3-k",
  "q4-k",
  "q5-k",
  "q6-k",
  "q8-k",
];

/** Every element type. @internal */
export const DTYPES = [...Object.keys(WIDTHS), ...QUANTIZED] as DType[];

/** Bytes of one element of a type, or nothing for a quantized one, whose elements come in blocks. */
export function bytesPerElement(dtype: DType): number | undefined {
  return WIDTHS[dtype];
}

/** How an error shows a value. @internal */
export function show(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value);
  }
  if (typeof value === "bigint") {
    return `${value}n`;
  }
  if (typeof value === "object" && value !== null) {
    return Array.isArray(value)
      ? `[${value.map(show).join(", ")}]`
      : String(value.constructor?.name ?? "object").replace(/^_?/, "a ");
  }
  return String(value);
}

function integer(value: number, what: string, low: number, high: number): number {
  if (!Number.isInteger(value) || value < low || value > high) {
    throw BerthError.invalid(`${what}: expected an integer between ${low} and ${high}, got ${show(value)}`);
  }
  return value;
}

/** 32 bits as they cross: the engine takes and gives them as a signed number. @internal */
export function u32(value: number, what: string): number {
  return integer(value, what, 0, 0xffff_ffff) | 0;
}

/** 32 bits that came. @internal */
export function unsigned(value: number): number {
  return value >>> 0;
}

/** @internal */
export function s32(value: number, what: string): number {
  return integer(value, what, -0x8000_0000, 0x7fff_ffff);
}

/** @internal */
export function count(value: number, what: string): number {
  return integer(value, what, 0, Number.MAX_SAFE_INTEGER);
}

/** @internal */
export function float(value: number, what: string): number {
  if (typeof value !== "number") {
    throw BerthError.invalid(`${what}: expected a number, got ${show(value)}`);
  }
  return value;
}

/** @internal */
export function flag(value: boolean, what: string): boolean {
  if (typeof value !== "boolean") {
    throw BerthError.invalid(`${what}: expected true or false, got ${show(value)}`);
  }
  return value;
}

/** A text, in which halves of characters are replaced: the contract knows whole ones only. @internal */
export function text(value: string, what: string): string {
  if (typeof value !== "string") {
    throw BerthError.invalid(`${what}: expected a text, got ${show(value)}`);
  }
  return value.toWellFormed();
}

/** One of some names. @internal */
export function oneOf<T extends string>(value: T, names: readonly T[], what: string): T {
  if (!names.includes(value)) {
    throw BerthError.invalid(`${what}: expected one of ${names.join(", ")}, got ${show(value)}`);
  }
  return value;
}

/** @internal */
export function dtypeOf(value: DType): DType {
  return oneOf(value, DTYPES, "dtype");
}

/** Dimensions, or other counts, as they cross. @internal */
export function counts(values: readonly number[], what: string): number[] {
  if (!Array.isArray(values)) {
    throw BerthError.invalid(`${what}: expected an array of integers, got ${show(values)}`);
  }
  return values.map((value: number) => u32(value, what));
}

/** Axes: one, several or none for all. @internal */
export function axesOf(values: number | readonly number[]): number[] {
  const list = typeof values === "number" ? [values] : values;
  if (!Array.isArray(list)) {
    throw BerthError.invalid(`axes: expected a number or an array of them, got ${show(values)}`);
  }
  return list.map((value: number) => s32(value, "axes"));
}

/** Bytes, of whatever holds them. @internal */
export function bytesOf(value: ArrayBuffer | ArrayBufferView, what: string): Uint8Array {
  if (value instanceof Uint8Array) {
    return value;
  }
  if (value instanceof ArrayBuffer) {
    return new Uint8Array(value);
  }
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw BerthError.invalid(`${what}: expected bytes, got ${show(value)}`);
}

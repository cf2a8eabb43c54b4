// Kinds of values, by their types alone: ports and the fixed wires are made of them.

import { BerthError } from "./error";
import { ModelFile } from "./model-file";
import { Tensor } from "./tensor";
import { HostFunction, HostList, HostObject, kindOf, type Kind, type Value } from "./values";

/** @internal */
export function mismatch(expected: string, value: unknown): BerthError {
  return BerthError.invalid(`expected ${expected}, got ${kindOf(value)}`);
}

function primitive<T extends Value>(type: string, expected: string): Kind<T> {
  return {
    read(value) {
      if (typeof value === type) {
        return value as T;
      }
      throw mismatch(expected, value);
    },
  };
}

function instance<T extends Value>(
  type: abstract new (...parameters: never[]) => T,
  expected: string,
): Kind<T> {
  return {
    read(value) {
      if (value instanceof type) {
        return value;
      }
      throw mismatch(expected, value);
    },
  };
}

/** @internal */
export const anything: Kind<Value> = { read: (value) => value };
/** @internal */
export const aBoolean = primitive<boolean>("boolean", "a boolean");
/** @internal */
export const aBigInteger = primitive<bigint>("bigint", "an integer");
/** @internal */
export const aNumber = primitive<number>("number", "a number");
/** @internal */
export const aText = primitive<string>("string", "a text");
/** @internal */
export const someBytes = instance<Uint8Array>(Uint8Array, "bytes");
/** @internal */
export const aTensor = instance<Tensor>(Tensor, "a tensor");
/** @internal */
export const aModelFile = instance<ModelFile>(ModelFile, "a model file");
/** @internal */
export const aFunction = instance<HostFunction>(HostFunction, "a function");
/** @internal */
export const anObject = instance<HostObject>(HostObject, "an object");
/** @internal */
export const aList = instance<HostList>(HostList, "a list");

/** An integer that a number holds exactly. @internal */
export const anInteger: Kind<number> = {
  read(value) {
    const exact = aBigInteger.read(value);
    const number = Number(exact);
    if (Number.isSafeInteger(number)) {
      return number;
    }
    throw BerthError.invalid(`${exact} is too large for a number; take it as a bigInteger`);
  },
};

/** The same, but it may be missing. @internal */
export function maybe<T>(kind: Kind<T>): Kind<T | undefined> {
  return { missing: true, read: (value) => kind.read(value) };
}

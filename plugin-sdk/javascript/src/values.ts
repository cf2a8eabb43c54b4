import { Function as HostFunctionType, Object as HostObjectType, ValueList } from "berth:node/values@0.2.0";
import type {
  Function as RawFunction,
  NamedValue,
  Object as RawObject,
  Value as RawValue,
  ValueList as RawList,
} from "berth:node/values@0.2.0";

import { show, text, u32, unsigned } from "./check";
import { ask, BerthError } from "./error";
import { Handle } from "./handle";
import { fromWide, toWide } from "./integers";
import { ModelFile } from "./model-file";
import { Tensor } from "./tensor";

/**
 * What travels on a wire. An integer is a `bigint`, so that 64 bits fit; a `number` is a floating-point
 * number, even where it has no fraction.
 */
export type Value =
  boolean | bigint | number | string | Uint8Array | Tensor | ModelFile | HostFunction | HostObject | HostList;

/** What becomes a value: an array becomes a list. */
export type Given = Value | readonly Given[];

/** Named values that are given; those that are `undefined` are left out. */
export type Fields = { readonly [name: string]: Given | undefined };

/** Named values that were got. */
export type Values = { [name: string]: Value };

/** A kind of value that is expected somewhere: the ports of inputs are kinds. */
export interface Kind<T> {
  /** Whether it may be missing. */
  readonly missing?: boolean;
  /** The value as this kind. Throws `invalid-argument` when it is another. @internal */
  read(value: Value): T;
}

/** What each kind of a record of them gives. */
export type Read<K extends Record<string, Kind<unknown>>> = {
  [N in keyof K]: K[N] extends Kind<infer T> ? T : never;
};

/** Named values under a type name, held by the host. Immutable. */
export class HostObject extends Handle<RawObject> {
  /** An object of these fields: `HostObject.create("PALETTE", { colours: tensor, name: "dusk" })`. */
  static create(typeName: string, fields: Fields): HostObject {
    return new HostObject(makeObject(typeName, fields));
  }

  /** A second handle to the same object. */
  share(): HostObject {
    return new HostObject(this.raw.share());
  }

  /** The type name. */
  get typeName(): string {
    return this.raw.typeName();
  }

  /** The names of the fields, in the order they were given. */
  names(): string[] {
    return this.raw.fieldNames();
  }

  /** One field, or nothing when there is none of this name. */
  get(name: string): Value | undefined;
  /**
   * One field of a kind, such as `tensor()` or `number({ optional: true })`. Throws `invalid-argument`
   * that names the object and the field, when it is missing or of another kind.
   */
  get<T>(name: string, kind: Kind<T>): T;
  get<T>(name: string, kind?: Kind<T>): T | Value | undefined {
    const raw = ask(() => this.raw.get(text(name, "name")));
    const value = raw === null || raw === undefined ? undefined : fromRaw(raw);
    return kind === undefined ? value : readNamed(value, name, kind, `a ${this.typeName}`);
  }

  /** A copy in which these fields are set, and all others as they were. */
  replace(fields: Fields): HostObject {
    return new HostObject(this.replaced(fields));
  }

  /** How errors and messages show it. */
  override toString(): string {
    return `a ${this.typeName}`;
  }

  /** @internal */
  protected replaced(fields: Fields): RawObject {
    return ask(() => this.raw.replace(toNamed(fields)));
  }
}

/** Values in order, held by the host. Immutable. */
export class HostList extends Handle<RawList> implements Iterable<Value> {
  /** A list of these. */
  static create(items: Iterable<Given>): HostList {
    const raw = Array.from(items, (item, index) => toRaw(item, `item ${index}`));
    return new HostList(ask(() => ValueList.create(raw)));
  }

  /** A second handle to the same list. */
  share(): HostList {
    return new HostList(this.raw.share());
  }

  /** How many there are. */
  get length(): number {
    return unsigned(this.raw.length());
  }

  /** One of them. Throws `not-found` past the end. */
  get(index: number): Value;
  /**
   * One of them, of a kind. Throws `not-found` past the end, and `invalid-argument` that names the index
   * when it is of another kind.
   */
  get<T>(index: number, kind: Kind<T>): T;
  get<T>(index: number, kind?: Kind<T>): T | Value {
    const value = fromRaw(ask(() => this.raw.get(u32(index, "index"))));
    return kind === undefined ? value : at(`item ${index}`, () => kind.read(value));
  }

  /** All of them, in order. */
  toArray(): Value[];
  /** All of them, in order, each of a kind. */
  toArray<T>(kind: Kind<T>): T[];
  toArray<T>(kind?: Kind<T>): (T | Value)[] {
    return Array.from({ length: this.length }, (_, index) =>
      kind === undefined ? this.get(index) : this.get(index, kind),
    );
  }

  /** How errors and messages show it. */
  override toString(): string {
    return `a list of ${this.length}`;
  }

  /** All of them, in order. */
  *[Symbol.iterator](): Iterator<Value> {
    for (let index = 0; index < this.length; index += 1) {
      yield this.get(index);
    }
  }
}

/**
 * A function of a plugin with values captured. Whoever holds it can call it, from any plugin; it runs in a
 * fresh instance of the plugin that made it. `callable` makes them.
 */
export class HostFunction extends Handle<RawFunction> {
  /** This plugin's own function of a name; see `callable`. */
  static create(name: string, captures: Fields = {}): HostFunction {
    const named = toNamed(captures);
    return new HostFunction(ask(() => HostFunctionType.create(text(name, "name"), named)));
  }

  /** A second handle to the same function. */
  share(): HostFunction {
    return new HostFunction(this.raw.share());
  }

  /**
   * Calls it and waits for what it returns. Throws the function's own error, and `other` when its plugin
   * crashed.
   */
  call(args: Fields): Values;
  /** Calls it; each result is of a kind: `f.call({ x }, { y: tensor() }).y`. */
  call<K extends Record<string, Kind<unknown>>>(args: Fields, results: K): Read<K>;
  call<K extends Record<string, Kind<unknown>>>(args: Fields, results?: K): Values | Read<K> {
    const named = toNamed(args);
    const values = fromNamed(ask(() => this.raw.call(named)));
    return results === undefined ? values : readAll(values, results, "the function's results");
  }
}

/** @internal */
export function makeObject(typeName: string, fields: Fields): RawObject {
  const named = toNamed(fields);
  return ask(() => HostObjectType.create(text(typeName, "typeName"), named));
}

/** What an error calls a value. @internal */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case "boolean":
      return "a boolean";
    case "bigint":
      return "an integer";
    case "number":
      return "a number";
    case "string":
      return "a text";
    default:
  }
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Tensor) return value.toString();
  if (value instanceof ModelFile) return "a model file";
  if (value instanceof HostFunction) return "a function";
  if (value instanceof HostObject) return `a ${value.typeName}`;
  if (value instanceof HostList || Array.isArray(value)) return "a list";
  return show(value);
}

/** A value as it crosses. Handles stay the giver's: what crosses is a second one. @internal */
export function toRaw(value: Given, what: string): RawValue {
  switch (typeof value) {
    case "boolean":
      return { tag: "boolean", val: value };
    case "bigint":
      return { tag: "integer", val: toWide(value, what) };
    case "number":
      return { tag: "number", val: value };
    case "string":
      return { tag: "text", val: value.toWellFormed() };
    default:
  }
  if (value instanceof Uint8Array) return { tag: "bytes", val: value };
  if (value instanceof Tensor) return { tag: "tensor", val: value.raw.share() };
  if (value instanceof ModelFile) return { tag: "model", val: value.raw.share() };
  if (value instanceof HostFunction) return { tag: "function", val: value.raw.share() };
  if (value instanceof HostObject) return { tag: "object", val: value.raw.share() };
  if (value instanceof HostList) return { tag: "items", val: value.raw.share() };
  if (Array.isArray(value)) return { tag: "items", val: HostList.create(value as Given[]).raw.share() };
  throw BerthError.invalid(`${what}: expected a value that can travel on a wire, got ${show(value)}`);
}

/** @internal */
export function fromRaw(raw: RawValue): Value {
  switch (raw.tag) {
    case "integer":
      return fromWide(raw.val);
    case "tensor":
      return new Tensor(raw.val);
    case "model":
      return new ModelFile(raw.val);
    case "function":
      return new HostFunction(raw.val);
    case "object":
      return new HostObject(raw.val);
    case "items":
      return new HostList(raw.val);
    default:
      return raw.val;
  }
}

/** @internal */
export function toNamed(fields: Fields): NamedValue[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name: name.toWellFormed(), value: toRaw(value, `\`${name}\``) }],
  );
}

/** @internal */
export function fromNamed(named: readonly NamedValue[]): Values {
  return Object.fromEntries(named.map(({ name, value }) => [name, fromRaw(value)]));
}

/** Runs `body`; its errors say the place. @internal */
export function at<T>(place: string, body: () => T): T {
  try {
    return body();
  } catch (thrown) {
    throw thrown instanceof BerthError ? thrown.at(place) : thrown;
  }
}

/** A named value of a kind. @internal */
export function readNamed<T>(value: Value | undefined, name: string, kind: Kind<T>, place: string): T {
  if (value !== undefined) {
    return at(place, () => at(`\`${name}\``, () => kind.read(value)));
  }
  if (kind.missing === true) {
    return undefined as T;
  }
  throw BerthError.invalid(`${place}: \`${name}\` is missing`);
}

/** Named values, each of its kind. @internal */
export function readAll<K extends Record<string, Kind<unknown>>>(
  values: Values,
  kinds: K,
  place: string,
): Read<K> {
  const read = Object.entries(kinds).map(([name, kind]) => [
    name,
    readNamed(values[name], name, kind, place),
  ]);
  return Object.fromEntries(read) as Read<K>;
}

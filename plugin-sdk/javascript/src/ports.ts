import type { Choices, Hidden, Port as RawPort } from "berth:node/nodes@0.2.0";

import { flag, float, oneOf, show, text as checkedText, u32 } from "./check";
import { BerthError } from "./error";
import { toWide } from "./integers";
import {
  aBigInteger,
  aBoolean,
  aFunction,
  aList,
  aModelFile,
  anInteger,
  anObject,
  aNumber,
  anything,
  aTensor,
  aText,
  someBytes,
} from "./kinds";
import type { ModelFile } from "./model-file";
import type { Tensor } from "./tensor";
import type { Given, HostFunction, HostList, HostObject, Kind, Value } from "./values";
import {
  Clip,
  Conditioning,
  Image,
  Latent,
  Mask,
  ModelWire,
  readObject,
  Vae,
  type ObjectWire,
} from "./wires";

/** What every input and output can be told. */
export interface Options {
  /** What it is for, as people read it. */
  tooltip?: string;
  /** An input: the node runs without it, and then gets `undefined`. */
  optional?: boolean;
  /** An input: computed only when the node's `needs` asks for it; `undefined` where it did not. */
  lazy?: boolean;
  /** An output: the name of the input whose value it passes on untouched. */
  passes?: string;
}

/** Options of {@link boolean}. */
export interface BooleanOptions extends Options {
  /** What the widget starts with. */
  default?: boolean;
}

/** Options of {@link integer}, {@link bigInteger} and {@link seed}. */
export interface IntegerOptions extends Options {
  /** What the widget starts with. */
  default?: number | bigint;
  /** The smallest value allowed. */
  min?: number | bigint;
  /** The largest value allowed. */
  max?: number | bigint;
  /** The widget's step. */
  step?: number;
  /** A seed: the client may change it after each run. */
  seed?: boolean;
}

/** Options of {@link number}. */
export interface NumberOptions extends Options {
  /** What the widget starts with. */
  default?: number;
  /** The smallest value allowed. */
  min?: number;
  /** The largest value allowed. */
  max?: number;
  /** The widget's step. */
  step?: number;
}

/** Options of {@link text}. */
export interface TextOptions extends Options {
  /** What the widget starts with. */
  default?: string;
  /** Whether the widget has several lines. */
  multiline?: boolean;
}

/** Options of {@link choice}, {@link modelChoice} and {@link imageChoice}. */
export interface ChoiceOptions extends Options {
  /** The option that the widget starts with. */
  default?: string;
}

/** What a node gets of a port: possibly nothing, where it is optional or lazy. */
export type Maybe<T, O> = O extends { optional: true } | { lazy: true } ? T | undefined : T;

/** Options, and nothing that is none. */
export type Only<O, Known> = O & { [N in Exclude<keyof O, keyof Known>]: "there is no such option" };

/** How a port is described. @internal */
export interface Form {
  /** As an input. */
  port: RawPort;
  /** As an output. */
  typeName: string;
  /** Given by the host without a wire. */
  hidden?: Hidden;
}

/**
 * What an input takes, an output gives, a function's argument is, or a field holds. `Out` is what it can
 * be made of.
 */
export class Port<In, Out = In> implements Kind<In> {
  /** @internal */
  readonly missing: boolean;

  /** @internal */
  constructor(
    /** @internal */ readonly form: Form,
    /** @internal */ readonly options: Options,
    private readonly kind: Kind<unknown>,
    private readonly made: (given: Out) => Given = (given) => given as Given,
  ) {
    this.missing = options.optional === true || options.lazy === true;
  }

  /** @internal */
  read(value: Value): In {
    return this.kind.read(value) as In;
  }

  /** What is given for it, if it is of its kind. @internal */
  give(given: Out): Given {
    const value = this.made(given);
    return this.kind === aList && Array.isArray(value) ? value : (this.kind.read(value as Value), value);
  }
}

/** Says which option there is not, or is of another type, for authors without types. */
function known<O extends Options>(options: O, port: string, names: readonly string[] = []): O {
  for (const name of Object.keys(options)) {
    oneOf(name, ["tooltip", "optional", "lazy", "passes", ...names], `option of ${port}()`);
  }
  const { tooltip, optional, lazy, passes } = options;
  given(tooltip, checkedText, `${port}: tooltip`);
  given(optional, flag, `${port}: optional`);
  given(lazy, flag, `${port}: lazy`);
  given(passes, checkedText, `${port}: passes`);
  return options;
}

/** An option, checked; absent where there is none. */
function given<T, R>(value: T | undefined, check: (value: T, what: string) => R, what: string): R | null {
  return value === undefined ? null : check(value, what);
}

/** True or false. */
export function boolean<const O extends BooleanOptions = {}>(
  options: Only<O, BooleanOptions> = {} as never,
): Port<Maybe<boolean, O>, boolean> {
  known(options, "boolean", ["default"]);
  const val = { default: given((options as BooleanOptions).default, flag, "boolean: default") };
  return new Port({ port: { tag: "boolean", val }, typeName: "BOOLEAN" }, options, aBoolean);
}

function integerForm(options: IntegerOptions, name: string): Form {
  known(options, name, ["default", "min", "max", "step", "seed"]);
  const val = {
    default: given(options.default, toWide, `${name}: default`),
    min: given(options.min, toWide, `${name}: min`),
    max: given(options.max, toWide, `${name}: max`),
    step: given(options.step, u32, `${name}: step`),
    seed: flag(options.seed ?? false, `${name}: seed`),
  };
  return { port: { tag: "integer", val }, typeName: "INT" };
}

/** An integer that a number holds exactly: below 2⁵³. */
export function integer<const O extends IntegerOptions = {}>(
  options: Only<O, IntegerOptions> = {} as never,
): Port<Maybe<number, O>, number | bigint> {
  return new Port(integerForm(options, "integer"), options, anInteger, BigInt);
}

/** An integer of up to 64 bits, signed or unsigned, as a `bigint`. */
export function bigInteger<const O extends IntegerOptions = {}>(
  options: Only<O, IntegerOptions> = {} as never,
): Port<Maybe<bigint, O>, number | bigint> {
  return new Port(integerForm(options, "bigInteger"), options, aBigInteger, BigInt);
}

/** A seed of 64 bits, which the client may change after each run. */
export function seed<const O extends IntegerOptions = {}>(
  options: Only<O, IntegerOptions> = {} as never,
): Port<Maybe<bigint, O>, number | bigint> {
  const all = { default: 0n, min: 0n, max: 2n ** 64n - 1n, seed: true, ...(options as IntegerOptions) };
  return new Port(integerForm(all, "seed"), options, aBigInteger, BigInt);
}

/** A floating-point number. */
export function number<const O extends NumberOptions = {}>(
  options: Only<O, NumberOptions> = {} as never,
): Port<Maybe<number, O>, number> {
  known(options, "number", ["default", "min", "max", "step"]);
  const { default: start, min, max, step } = options as NumberOptions;
  const val = {
    default: given(start, float, "number: default"),
    min: given(min, float, "number: min"),
    max: given(max, float, "number: max"),
    step: given(step, float, "number: step"),
  };
  return new Port({ port: { tag: "number", val }, typeName: "FLOAT" }, options, aNumber);
}

/** A text. */
export function text<const O extends TextOptions = {}>(
  options: Only<O, TextOptions> = {} as never,
): Port<Maybe<string, O>, string> {
  known(options, "text", ["default", "multiline"]);
  const { default: start, multiline = false } = options as TextOptions;
  const val = {
    default: given(start, checkedText, "text: default"),
    multiline: flag(multiline, "text: multiline"),
  };
  return new Port({ port: { tag: "text", val }, typeName: "STRING" }, options, aText);
}

function chosen(choices: Choices, options: ChoiceOptions, name: string): Form {
  known(options, name, ["default"]);
  const start = given(options.default, checkedText, `${name}: default`);
  return { port: { tag: "choice", val: { choices, default: start } }, typeName: "STRING" };
}

/** One of these texts: `choice(["outside", "inside"])` gives `"outside" | "inside"`. */
export function choice<const C extends readonly string[], const O extends ChoiceOptions = {}>(
  choices: C,
  options: Only<O, ChoiceOptions> = {} as never,
): Port<Maybe<C[number], O>, C[number]> {
  const kind: Kind<string> = { read: (value) => oneOf(aText.read(value), choices, "choice") };
  return new Port(
    chosen({ tag: "fixed", val: choices.map((name) => checkedText(name, "choice")) }, options, "choice"),
    options,
    kind,
  );
}

/** The label of a model of a category, such as `loras`. */
export function modelChoice<const O extends ChoiceOptions = {}>(
  category: string,
  options: Only<O, ChoiceOptions> = {} as never,
): Port<Maybe<string, O>, string> {
  return new Port(
    chosen({ tag: "models", val: checkedText(category, "category") }, options, "modelChoice"),
    options,
    aText,
  );
}

/** The name of an image file in the operator's input folder. */
export function imageChoice<const O extends ChoiceOptions = {}>(
  options: Only<O, ChoiceOptions> = {} as never,
): Port<Maybe<string, O>, string> {
  return new Port(chosen({ tag: "images" }, options, "imageChoice"), options, aText);
}

function wire(typeName: string): Form {
  return { port: { tag: "socket", val: checkedText(typeName, "typeName") }, typeName };
}

function objectWire<T extends HostObject, O extends Options>(
  type: ObjectWire<T>,
  options: O,
): Port<Maybe<T, O>, T> {
  known(options, type.wire.toLowerCase());
  return new Port(wire(type.wire), options, { read: (value) => readObject(type, value) });
}

/** Images: an {@link Image} is got, a tensor [batch, height, width, channels] of `f32` can be given. */
export function image<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Image, O>, Tensor> {
  return new Port(wire("IMAGE"), known(options, "image"), { read: Image.as });
}

/** Masks: a {@link Mask} is got, a tensor [batch, height, width] of `f32` can be given. */
export function mask<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Mask, O>, Tensor> {
  return new Port(wire("MASK"), known(options, "mask"), { read: Mask.as });
}

/** A {@link Latent}. */
export function latent<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Latent, O>, Latent> {
  return objectWire<Latent, O>(Latent, options);
}

/** A {@link Conditioning}. */
export function conditioning<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Conditioning, O>, Conditioning> {
  return objectWire<Conditioning, O>(Conditioning, options);
}

/** A {@link ModelWire}. */
export function model<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<ModelWire, O>, ModelWire> {
  return objectWire<ModelWire, O>(ModelWire, options);
}

/** A {@link Clip}. */
export function clip<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Clip, O>, Clip> {
  return objectWire<Clip, O>(Clip, options);
}

/** A {@link Vae}. */
export function vae<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Vae, O>, Vae> {
  return objectWire<Vae, O>(Vae, options);
}

/** Whatever is on the wire: it connects to all. */
export function any<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Value, O>, Given> {
  return new Port(wire("*"), known(options, "any"), anything);
}

/** A wire of a type of your own, such as `PALETTE`, or of several, such as `IMAGE,MASK`. */
export function socket<const O extends Options = {}>(
  typeName: string,
  options: Only<O, Options> = {} as never,
): Port<Maybe<Value, O>, Given> {
  return new Port(wire(typeName), known(options, "socket"), anything);
}

/** An object of a type of your own, such as `PALETTE`. */
export function object<const O extends Options = {}>(
  typeName: string,
  options: Only<O, Options> = {} as never,
): Port<Maybe<HostObject, O>, HostObject> {
  const kind: Kind<HostObject> = {
    read(value) {
      const found = anObject.read(value);
      if (found.typeName === typeName) {
        return found;
      }
      throw BerthError.invalid(`expected a ${typeName}, got a ${found.typeName}`);
    },
  };
  return new Port(wire(typeName), known(options, "object"), kind);
}

/** A tensor of any meaning. As an input, it connects to all wires. */
export function tensor<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Tensor, O>, Tensor> {
  return new Port(wire("*"), known(options, "tensor"), aTensor);
}

/** A list of values; it can be given as an array. */
export function list<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<HostList, O>, HostList | readonly Given[]> {
  return new Port(wire("*"), known(options, "list"), aList);
}

/** A function. */
export function fn<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<HostFunction, O>, HostFunction> {
  return new Port(wire("*"), known(options, "fn"), aFunction);
}

/** An open model file. */
export function modelFile<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<ModelFile, O>, ModelFile> {
  return new Port(wire("*"), known(options, "modelFile"), aModelFile);
}

/** Bytes. */
export function bytes<const O extends Options = {}>(
  options: Only<O, Options> = {} as never,
): Port<Maybe<Uint8Array, O>, Uint8Array> {
  return new Port(wire("*"), known(options, "bytes"), someBytes);
}

function hiddenPort<T>(hidden: Hidden): Port<T> {
  return new Port<T>({ ...wire("STRING"), hidden }, { optional: true }, aText);
}

/** The node's id in the workflow, which the host gives without a wire. */
export function uniqueId(): Port<string | undefined> {
  return hiddenPort("unique-id");
}

/** The workflow in API format, a JSON object, which the host gives without a wire. */
export function prompt(): Port<string | undefined> {
  return hiddenPort("prompt");
}

/**
 * What the client sent along to be stored in images, a JSON object, which the host gives without a wire,
 * if there is any.
 */
export function extraPngInfo(): Port<string | undefined> {
  return hiddenPort("extra-pnginfo");
}

/** @internal */
export function isPort(value: unknown): value is Port<unknown> {
  return value instanceof Port;
}

/** @internal */
export function portOf(value: unknown, what: string): Port<unknown> {
  if (isPort(value)) {
    return value;
  }
  throw BerthError.invalid(`${what}: expected a port such as image() or number(), got ${show(value)}`);
}

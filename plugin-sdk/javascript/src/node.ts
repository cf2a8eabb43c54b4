import type { Input, NodeType as Description, Output } from "berth:node/nodes@0.2.0";
import type { NamedValue, Value as RawValue } from "berth:node/values@0.2.0";

import { flag, oneOf, show, text } from "./check";
import { BerthError } from "./error";
import { isPort, portOf, type Port } from "./ports";
import {
  at,
  fromNamed,
  HostFunction,
  readNamed,
  toNamed,
  toRaw,
  type Fields,
  type Given,
  type Values,
} from "./values";

// What a port gives and takes matters to each port alone: here they are of any kind.
type AnyPort = Port<any, any>;

/** Ports by name, in the order of the widgets or slots. */
export type Ports = { readonly [name: string]: AnyPort };

/** What a node's `run` gets: each input under its name. */
export type Inputs<P> = { [N in keyof P]: P[N] extends Port<infer In, infer _> ? In : never };

/** What is given for a port. */
export type Made<P> =
  P extends Port<infer In, infer Out> ? (undefined extends In ? Out | undefined : Out) : never;

/** What is given for each of several ports. */
export type Results<P> = { [N in keyof P as undefined extends Made<P[N]> ? never : N]: Made<P[N]> } & {
  [N in keyof P as undefined extends Made<P[N]> ? N : never]?: Made<P[N]>;
};

type Union<T, All = T> = [T] extends [never]
  ? "none"
  : T extends unknown
    ? [All] extends [T]
      ? "one"
      : "several"
    : never;

/**
 * What a node's `run` gives: nothing without outputs, the value of its only output, or an object with a
 * value for each output.
 */
export type Returned<O> = O extends AnyPort
  ? Made<O>
  : { none: void; one: Made<O[keyof O]>; several: Results<O> }[Union<keyof O>];

/** One kind of node. */
export interface NodeDefinition<I extends Ports, O extends Ports | AnyPort> {
  /**
   * The class name that workflows use; without it, the name under which the node is exported. It must not
   * change.
   */
  name?: string;
  /** What people read; without it, the name in words. */
  displayName?: string;
  /** Folders in a menu, separated by `/`. */
  category: string;
  /** What it does, in a sentence or more. */
  description?: string;
  /** In the order of the widgets. */
  inputs?: I;
  /** In the order of the slots: ports by name, or one port, whose name is its type's. */
  outputs?: O;
  /** It runs for its effect: a workflow is run for its output nodes. */
  outputNode?: boolean;
  /** It is kept for old workflows only. */
  deprecated?: boolean;
  /** It may still change. */
  experimental?: boolean;
  /** Other words that should find it. */
  searchAliases?: readonly string[];
  /** Runs it. */
  run(inputs: Inputs<I>): Returned<O>;
  /** Which lazy inputs it still needs, given those it has. Without it, all of them are computed. */
  needs?(inputs: Partial<Inputs<I>>): readonly (keyof I & string)[];
  /**
   * A text that changes when it must run again though its inputs are the same. When this throws, it runs
   * each time.
   */
  fingerprint?(inputs: Partial<Inputs<I>>): string;
  /** What is wrong with the constant inputs, or nothing. Those with a wire are not there. */
  validate?(inputs: Partial<Inputs<I>>): string | undefined;
}

const OPTIONS = [
  "name",
  "displayName",
  "category",
  "description",
  "inputs",
  "outputs",
  "outputNode",
  "deprecated",
  "experimental",
  "searchAliases",
  "run",
  "needs",
  "fingerprint",
  "validate",
];

/** A node as the host sees it. `node` makes it. */
export class NodeType {
  /** @internal */
  constructor(private readonly definition: NodeDefinition<Ports, Ports>) {}

  /** The name that it was given, if any. @internal */
  get name(): string | undefined {
    return this.definition.name;
  }

  /** @internal */
  describe(name: string): Description {
    const { definition } = this;
    const inputs: Input[] = [];
    const hidden: Description["hidden"] = [];
    for (const [input, port] of Object.entries(definition.inputs ?? {})) {
      const { form, options } = portOf(port, `${name}: input ${input}`);
      if (form.hidden !== undefined) {
        hidden.push(form.hidden);
        continue;
      }
      const { optional = false, lazy = false, tooltip = "" } = options;
      inputs.push({ name: input, port: form.port, optional, lazy, tooltip });
    }
    return {
      name,
      displayName: text(definition.displayName ?? inWords(name), `${name}: displayName`),
      category: text(definition.category, `${name}: category`),
      description: text(definition.description ?? "", `${name}: description`),
      inputs,
      outputs: this.outputs(name).map(([output, port]): Output => {
        const { tooltip = "", passes = null } = port.options;
        return { name: output, typeName: port.form.typeName, tooltip, passes };
      }),
      hidden,
      outputNode: flag(definition.outputNode ?? false, `${name}: outputNode`),
      checks: {
        needs: definition.needs !== undefined,
        fingerprint: definition.fingerprint !== undefined,
        validate: definition.validate !== undefined,
      },
      deprecated: flag(definition.deprecated ?? false, `${name}: deprecated`),
      experimental: flag(definition.experimental ?? false, `${name}: experimental`),
      searchAliases: (definition.searchAliases ?? []).map((alias) => text(alias, `${name}: searchAliases`)),
    };
  }

  /** @internal */
  run(name: string, inputs: readonly NamedValue[]): RawValue[] {
    const returned = this.definition.run(this.read(name, inputs, false) as never) as unknown;
    if (returned instanceof Promise) {
      throw BerthError.other(`${name}: run gave a promise, but nodes do not wait: it must not be async`);
    }
    const outputs = this.outputs(name);
    const given = outputs.length === 1 ? { [outputs[0]![0]]: this.only(outputs[0]![0], returned) } : returned;
    return outputs.map(([output, port]) => {
      const value = (given as Record<string, unknown> | undefined)?.[output];
      if (value === undefined) {
        throw BerthError.other(`${name}: run gave nothing for the output ${show(output)}`);
      }
      return at(`${name}: output \`${output}\``, () => toRaw(port.give(value), output));
    });
  }

  /** @internal */
  needs(name: string, inputs: readonly NamedValue[]): string[] {
    const needed = this.definition.needs?.(this.read(name, inputs, true)) ?? [];
    return needed.map((input) => text(input, `${name}: needs`));
  }

  /** @internal */
  fingerprint(name: string, inputs: readonly NamedValue[]): string {
    return String(this.definition.fingerprint?.(this.read(name, inputs, true)) ?? "").toWellFormed();
  }

  /** @internal */
  validate(name: string, inputs: readonly NamedValue[]): string | null {
    const wrong = this.definition.validate?.(this.read(name, inputs, true)) ?? null;
    return wrong === null ? null : text(wrong, `${name}: validate`);
  }

  /** Outputs by name. */
  private outputs(name: string): [string, AnyPort][] {
    const found: unknown = this.definition.outputs;
    if (isPort(found)) {
      return [[found.form.typeName, found]];
    }
    const ports = Object.entries((found ?? {}) as Record<string, unknown>);
    return ports.map(([output, port]) => [output, portOf(port, `${name}: output ${output}`)]);
  }

  /** The value of the only output: given as it is, or under its name. */
  private only(output: string, returned: unknown): unknown {
    const named =
      typeof returned === "object" &&
      returned !== null &&
      Object.getPrototypeOf(returned) === Object.prototype &&
      output in returned;
    return named ? (returned as Record<string, unknown>)[output] : returned;
  }

  /** The inputs, each of its port's kind. With `some`, those that are not there are left out. */
  private read(name: string, named: readonly NamedValue[], some: boolean): Record<string, unknown> {
    const values = fromNamed(named);
    const inputs: Record<string, unknown> = {};
    for (const [input, port] of Object.entries(this.definition.inputs ?? {})) {
      const value = values[port.form.hidden ?? input];
      if (value !== undefined || !some) {
        inputs[input] = readNamed(value, input, port, name);
      }
    }
    return inputs;
  }
}

/**
 * Defines a node. Export what it gives: the name of the export is the node's.
 *
 * ```ts
 * export const Negative = node({
 *   category: "image",
 *   inputs: { image: image(), strength: number({ default: 1, min: 0, max: 1, step: 0.01 }) },
 *   outputs: image(),
 *   run({ image, strength }) {
 *     return image.mul(1 - strength).add(sub(1, image).mul(strength));
 *   },
 * });
 * ```
 */
export function node<I extends Ports = {}, O extends Ports | AnyPort = {}>(
  definition: NodeDefinition<I, O>,
): NodeType {
  if (typeof definition?.run !== "function") {
    throw BerthError.invalid("node: a definition needs `run`");
  }
  for (const option of Object.keys(definition)) {
    oneOf(option, OPTIONS, "part of a node's definition");
  }
  return new NodeType(definition as unknown as NodeDefinition<Ports, Ports>);
}

/** A function that can become a value. */
export interface CallableDefinition<A extends Ports, C extends Ports, R extends Ports> {
  /** Its name inside of the plugin; without it, the name under which it is exported. */
  name?: string;
  /** What its caller gives. */
  arguments?: A;
  /** What was captured when the value was made. */
  captures?: C;
  /** What it gives. */
  results?: R;
  /** Runs it. */
  run(args: Inputs<A>, captures: Inputs<C>): Results<R>;
}

/** A function of this plugin that can become a value. `callable` makes it. */
export class Callable<C extends Ports> {
  /** Under which name it was exported. @internal */
  exported: string | undefined;

  /** @internal */
  constructor(private readonly definition: CallableDefinition<Ports, C, Ports>) {}

  /** The name that it was given, if any. @internal */
  get name(): string | undefined {
    return this.definition.name;
  }

  /** A value of it that captures these values. */
  make(captures: Results<C>): HostFunction {
    const name = this.name ?? this.exported;
    if (name === undefined) {
      throw BerthError.other(
        "a callable must be exported by the plugin's main file before a value is made of it",
      );
    }
    return HostFunction.create(name, given(captures, this.definition.captures ?? {}, `captures of ${name}`));
  }

  /** @internal */
  call(name: string, captures: readonly NamedValue[], args: readonly NamedValue[]): NamedValue[] {
    const { definition } = this;
    const read = (ports: Ports, values: Values, what: string): never => {
      const found = Object.entries(ports).map(([key, port]) => [
        key,
        readNamed(values[key], key, port, what),
      ]);
      return Object.fromEntries(found) as never;
    };
    const returned = definition.run(
      read(definition.arguments ?? {}, fromNamed(args), name),
      read(definition.captures ?? {}, fromNamed(captures), `${name}: captures`),
    );
    return toNamed(given(returned ?? {}, definition.results ?? {}, name));
  }
}

/**
 * Defines a function of which values can be made: they travel on wires, and any plugin can call them. Export
 * what it gives.
 *
 * ```ts
 * export const brighten = callable({
 *   arguments: { image: tensor() },
 *   captures: { amount: number() },
 *   results: { image: tensor() },
 *   run: ({ image }, { amount }) => ({ image: image.mul(amount) }),
 * });
 * // In a node: brighten.make({ amount: 2 }) is a HostFunction.
 * ```
 */
export function callable<A extends Ports = {}, C extends Ports = {}, R extends Ports = {}>(
  definition: CallableDefinition<A, C, R>,
): Callable<C> {
  if (typeof definition?.run !== "function") {
    throw BerthError.invalid("callable: a definition needs `run`");
  }
  return new Callable<C>(definition as unknown as CallableDefinition<Ports, C, Ports>);
}

/** Values for ports, each of its port's kind. */
function given(values: object, ports: Ports, place: string): Fields {
  const fields: Record<string, Given> = {};
  for (const [name, port] of Object.entries(ports)) {
    const value = (values as Record<string, unknown>)[name];
    if (value !== undefined) {
      fields[name] = at(`${place}: \`${name}\``, () => port.give(value));
    } else if (!port.missing) {
      throw BerthError.other(`${place}: \`${name}\` is missing`);
    }
  }
  return fields;
}

/** `ImageVignette` as `Image Vignette`. */
function inWords(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
}

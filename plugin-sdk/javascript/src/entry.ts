// The component: what the plugin's main file exports, as the contract's interface `nodes`.

import type { Exports } from "berth:node/nodes@0.2.0";

import * as plugin from "@berth/plugin";

import { BerthError, started, toContract } from "./error";
import { Callable, NodeType } from "./node";

const types = new Map<string, NodeType>();
const callables = new Map<string, Callable<never>>();

function take<T>(table: Map<string, T>, name: string, value: T): void {
  if (table.has(name)) {
    throw BerthError.invalid(`the plugin exports ${name} twice`);
  }
  table.set(name, value);
}

// This runs while the component is built: what is wrong here is an error of the build.
for (const [exported, value] of Object.entries(plugin as Record<string, unknown>)) {
  if (value instanceof NodeType) {
    take(types, value.name ?? exported, value);
  } else if (value instanceof Callable) {
    value.exported = exported;
    take(callables, value.name ?? exported, value as Callable<never>);
  }
}
if (types.size === 0) {
  throw BerthError.invalid("src/plugin exports no node: export const NAME = node({ … })");
}
const descriptions = Array.from(types, ([name, type]) => type.describe(name));

/** Whatever is thrown becomes the contract's error. */
function answering<T>(body: () => T): T {
  started();
  try {
    return body();
  } catch (thrown) {
    if (thrown instanceof Error && (thrown as BerthError).kind !== "cancelled") {
      console.debug(thrown);
    }
    throw toContract(thrown);
  }
}

function typeOf(name: string): NodeType {
  const found = types.get(name);
  if (found === undefined) {
    throw BerthError.invalid(`this plugin has no node \`${name}\``);
  }
  return found;
}

export const nodes: Exports = {
  describe: () => descriptions,
  run: (node, inputs) => answering(() => typeOf(node).run(node, inputs)),
  call: (name, captures, args) =>
    answering(() => {
      const found = callables.get(name);
      if (found === undefined) {
        throw BerthError.invalid(`this plugin exports no callable \`${name}\``);
      }
      return found.call(name, captures, args);
    }),
  needs: (node, inputs) => answering(() => typeOf(node).needs(node, inputs)),
  fingerprint: (node, inputs) => answering(() => typeOf(node).fingerprint(node, inputs)),
  validate: (node, inputs) => answering(() => typeOf(node).validate(node, inputs)),
};

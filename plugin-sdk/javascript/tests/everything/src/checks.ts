// What is so, or else the node fails.

import { BerthError, Tensor } from "@berth/sdk";

/** How many checks were made. */
export let checks = 0;

/** It is so. */
export function ok(condition: boolean, what: string) {
  checks += 1;
  if (!condition) throw new Error(`not so: ${what}`);
}

/** Both are the same as JSON, in which bigints are texts and typed arrays are arrays. */
export function same(found: unknown, expected: unknown, what = "") {
  const s = (v: unknown) =>
    JSON.stringify(v, (_, x: unknown) =>
      typeof x === "bigint"
        ? `${x}n`
        : ArrayBuffer.isView(x)
          ? Array.from(x as unknown as number[], (y) => (typeof y === "bigint" ? `${y}n` : y))
          : x,
    );
  ok(s(found) === s(expected), `${what}: ${s(found)} is not ${s(expected)}`);
}

/** The elements are these numbers, but for roundings. */
export function near(found: Tensor, expected: number[], what: string) {
  const a = Array.from(found.toArray("f64"));
  ok(
    a.length === expected.length &&
      a.every((x, i) => Math.abs(x - expected[i]!) < 1e-4 || (Number.isNaN(x) && Number.isNaN(expected[i]!))),
    `${what}: ${a.join()} is not ${expected.join()}`,
  );
}

/** It throws an error of this kind with this part of a text, which it gives. */
export function fails(kind: string, part: string, body: () => unknown) {
  try {
    body();
  } catch (e) {
    ok(
      e instanceof BerthError && e.kind === kind && e.message.includes(part),
      `${kind} ${part}: ${String(e)} ${(e as BerthError).kind}`,
    );
    return e as BerthError;
  }
  throw new Error(`no ${kind} ${part}`);
}

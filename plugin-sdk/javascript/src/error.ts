import type { Error as Raw, Shortage as RawShortage, Tier } from "berth:node/types@0.2.0";

/**
 * What kind of error it is. These are the contract's cases, so that the next plugin and the operator can
 * tell them apart.
 */
export type ErrorKind = Raw["tag"];

/** What did not fit, in bytes. Numbers above 2⁵³ are rounded. */
export interface Shortage {
  /** Where it did not fit. */
  tier: Tier;
  /** What the operation would have held. */
  requested: number;
  /** The limit or quota it met. */
  limit: number;
  /** What is held already, and cannot leave. */
  used: number;
}

/**
 * Why something was not done. Everything of this SDK throws it, and a node that throws it ends with
 * exactly this error. Any other exception that leaves a node becomes one of the kind `other`.
 */
export class BerthError extends Error {
  /**
   * `invalid-argument`, `access-denied`, `not-found`, `quota-exceeded`, `out-of-memory`, `unsupported`,
   * `cancelled`, `failed` or `other`.
   */
  readonly kind: ErrorKind;
  /** For programs, such as `model-not-found`; empty unless the kind is `failed`. */
  readonly code: string;
  /** What people can do about it; empty unless the kind is `failed`. */
  readonly hint: string;
  /** What did not fit; only of the kinds `quota-exceeded` and `out-of-memory`. */
  readonly shortage: Shortage | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    more: { code?: string; hint?: string; shortage?: Shortage } = {},
  ) {
    super(message);
    this.name = "BerthError";
    this.kind = kind;
    this.code = more.code ?? "";
    this.hint = more.hint ?? "";
    this.shortage = more.shortage;
  }

  /** An argument is wrong: say which, and what is expected. */
  static invalid(message: string): BerthError {
    return new BerthError("invalid-argument", message);
  }

  /** An error of the node's own: a code for programs, what went wrong, and what people can do about it. */
  static failed(code: string, message: string, hint = ""): BerthError {
    return new BerthError("failed", message, { code, hint });
  }

  /** No such model, key, field or file. */
  static notFound(message: string): BerthError {
    return new BerthError("not-found", message);
  }

  /** The plugin was not granted this. */
  static accessDenied(message: string): BerthError {
    return new BerthError("access-denied", message);
  }

  /** Right, but not provided. */
  static unsupported(message: string): BerthError {
    return new BerthError("unsupported", message);
  }

  /** The run was cancelled. */
  static cancelled(): BerthError {
    return new BerthError("cancelled", "cancelled");
  }

  /** Anything else. */
  static other(message: string): BerthError {
    return new BerthError("other", message);
  }

  /**
   * The same error with `place` before its text. Errors without a text, or with one of their own, stay as
   * they are.
   */
  at(place: string): BerthError {
    switch (this.kind) {
      case "quota-exceeded":
      case "out-of-memory":
      case "cancelled":
      case "failed":
        return this;
      default:
        return new BerthError(this.kind, `${place}: ${this.message}`);
    }
  }
}

/** A number of bytes as it crosses: 64 bits come as a signed number. */
function unsigned(bytes: number): number {
  return bytes < 0 ? bytes + 2 ** 64 : bytes;
}

/** The contract's error as an exception. @internal */
export function fromContract(raw: Raw): BerthError {
  switch (raw.tag) {
    case "quota-exceeded":
    case "out-of-memory": {
      const { tier } = raw.val;
      const [requested, limit, used] = [raw.val.requested, raw.val.limit, raw.val.used].map(unsigned) as [
        number,
        number,
        number,
      ];
      const text = `${requested} bytes are needed on the ${tier}, where ${limit} are allowed and ${used} are taken`;
      return new BerthError(raw.tag, text, { shortage: { tier, requested, limit, used } });
    }
    case "cancelled":
      return BerthError.cancelled();
    case "failed":
      return BerthError.failed(raw.val.code, raw.val.message, raw.val.hint);
    default:
      return new BerthError(raw.tag, raw.val);
  }
}

/** Whatever was thrown, as the contract's error. @internal */
export function toContract(thrown: unknown): Raw {
  if (!(thrown instanceof BerthError)) {
    return { tag: "other", val: describe(thrown).toWellFormed() };
  }
  const message = thrown.message.toWellFormed();
  switch (thrown.kind) {
    case "quota-exceeded":
    case "out-of-memory": {
      const found = thrown.shortage ?? { tier: "host", requested: 0, limit: 0, used: 0 };
      const exact = (bytes: number) => Math.min(Math.max(Math.trunc(bytes), 0), Number.MAX_SAFE_INTEGER);
      const val: RawShortage = {
        tier: found.tier,
        requested: exact(found.requested),
        limit: exact(found.limit),
        used: exact(found.used),
      };
      return { tag: thrown.kind, val };
    }
    case "cancelled":
      return { tag: "cancelled" };
    case "failed":
      return {
        tag: "failed",
        val: { code: thrown.code.toWellFormed(), message, hint: thrown.hint.toWellFormed() },
      };
    default:
      return { tag: thrown.kind, val: message };
  }
}

/** What a defect's exception says, with the place where it was thrown. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    return `the plugin threw ${String(thrown)}`;
  }
  const place = thrown.stack?.trim().split("\n")[0]?.trim();
  return `${thrown.name}: ${thrown.message}${place ? ` (${place})` : ""}`;
}

let running = false;

/** From now on there is a host. @internal */
export function started(): void {
  running = true;
}

/** Whether there is a host; there is none while the component is built. @internal */
export function isRunning(): boolean {
  return running;
}

/** Calls the host, and throws its errors as {@link BerthError}. @internal */
export function ask<T>(call: () => T): T {
  if (!running) {
    throw BerthError.unsupported(
      "tensors, models and all else of the host are not there while the plugin is built: use them inside of run",
    );
  }
  try {
    return call();
  } catch (thrown) {
    const payload = (thrown as { payload?: Raw } | undefined)?.payload;
    throw payload === undefined ? thrown : fromContract(payload);
  }
}

/** The functions of one of the host's interfaces, whose errors are {@link BerthError}. @internal */
export function asking<T extends object>(module: T): T {
  const functions: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(module)) {
    if (typeof value === "function") {
      functions[name] = (...parameters: unknown[]) => ask(() => value(...parameters) as unknown);
    }
  }
  return functions as T;
}

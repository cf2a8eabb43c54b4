// The host keeps what a handle stands for until the handle is given back. JavaScript has no
// destructors, but this engine counts references: a weak one is empty at once when the last strong
// one is gone. So what nothing refers to any more is given back whenever a new handle is made.

interface Raw {
  [Symbol.dispose](): void;
}

/** Handles, and who wraps them. */
const held: { owner: WeakRef<object>; raw: Raw }[] = [];

/** With so few handles, all of them are looked through each time. */
const FEW = 32;

/** How many more are taken before those that nobody refers to are given back. */
let credit = 0;

function sweep(): void {
  let kept = 0;
  for (const entry of held) {
    if (entry.owner.deref() === undefined) {
      entry.raw[Symbol.dispose]();
    } else {
      held[kept] = entry;
      kept += 1;
    }
  }
  held.length = kept;
  // The more there are, the rarer they are looked through: eight for each new one.
  credit = kept < FEW ? 0 : kept >> 3;
}

/**
 * Something that the host holds. It is given back when nothing refers to it any more; `using` or
 * `dispose()` gives it back sooner.
 */
export abstract class Handle<T extends Raw> {
  /** The binding's own handle. @internal */
  readonly raw: T;

  /** @internal */
  constructor(raw: T) {
    this.raw = raw;
    credit -= 1;
    if (credit < 0) {
      sweep();
    }
    held.push({ owner: new WeakRef(this), raw });
  }

  /** Gives the handle back now. It cannot be used any more. A second time does nothing. */
  dispose(): void {
    this.raw[Symbol.dispose]();
  }

  /** How errors and messages show it. */
  toJSON(): string {
    return this.toString();
  }

  /** What `using` calls. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** How many handles this run holds: for tests that look for leaks. */
export function handleCount(): number {
  sweep();
  return held.length;
}

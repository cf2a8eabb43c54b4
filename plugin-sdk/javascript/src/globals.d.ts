// What an author expects to be there, and this engine does not have: see globals.ts.

/** Says something to the operator, by level. */
interface BerthConsole {
  trace(...parts: unknown[]): void;
  debug(...parts: unknown[]): void;
  log(...parts: unknown[]): void;
  info(...parts: unknown[]): void;
  warn(...parts: unknown[]): void;
  error(...parts: unknown[]): void;
}

declare var console: BerthConsole;

/** Texts as UTF-8. */
declare class TextEncoder {
  encode(text?: string): Uint8Array;
}

/** UTF-8 as texts; what is none becomes U+FFFD. */
declare class TextDecoder {
  decode(bytes?: ArrayBuffer | ArrayBufferView): string;
}

/** The engine's own clock, in milliseconds; it needs the right `clock`. */
declare var performance: { now(): number };

/** Base64 of a text of bytes, and back. */
declare function btoa(bytes: string): string;
declare function atob(base64: string): string;

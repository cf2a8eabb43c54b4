// What an author expects to be there, and this engine does not have: `console`, whose messages
// are the operator's, and UTF-8. While the component is built there is no host to tell.

import { log, type Level } from "./context";
import { isRunning } from "./error";


function readable(part: unknown): string {
  if (typeof part === "string") return part;
  if (part instanceof Error) return `${part.name}: ${part.message}\n${part.stack ?? ""}`.trimEnd();
  if (
    typeof part === "object" &&
    part !== null &&
    Object.getPrototypeOf(part) !== Object.prototype &&
    !Array.isArray(part)
  ) {
    return ArrayBuffer.isView(part) ? `${part.constructor.name} [${String(part)}]` : String(part);
  }
  try {
    return (
      JSON.stringify(part, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) ??
      String(part)
    );
  } catch {
    return String(part);
  }
}

function at(level: Level): (...parts: unknown[]) => void {
  return (...parts) => {
    if (isRunning()) {
      log(level, parts.map(readable).join(" "));
    }
  };
}

class Encoder {
  encode(text = ""): Uint8Array {
    // Escapes are the text's bytes in UTF-8.
    const escaped = encodeURIComponent(text.toWellFormed());
    const bytes = new Uint8Array(escaped.length);
    let length = 0;
    for (let place = 0; place < escaped.length; place += 1, length += 1) {
      if (escaped[place] === "%") {
        bytes[length] = parseInt(escaped.slice(place + 1, place + 3), 16);
        place += 2;
      } else {
        bytes[length] = escaped.charCodeAt(place);
      }
    }
    return bytes.slice(0, length);
  }
}

class Decoder {
  decode(data: ArrayBuffer | ArrayBufferView = new Uint8Array()): string {
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data);
    const parts: string[] = [];
    for (let place = 0; place < bytes.length;) {
      const [point, width] = character(bytes, place);
      parts.push(String.fromCodePoint(point));
      place += width;
    }
    return parts.join("");
  }
}

/** The character at a place, and how many bytes it has. */
function character(bytes: Uint8Array, place: number): [number, number] {
  const first = bytes[place]!;
  if (first < 0x80) return [first, 1];
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  let point = first & (0x7f >> width);
  for (let next = 1; next < width; next += 1) {
    const byte = bytes[place + next];
    if (byte === undefined || (byte & 0xc0) !== 0x80) return [0xfffd, next];
    point = (point << 6) | (byte & 0x3f);
  }
  const least = [0, 0, 0x80, 0x800, 0x10000][width]!;
  const valid =
    first >= 0xc2 && first <= 0xf4 && point >= least && point <= 0x10ffff && (point & ~0x7ff) !== 0xd800;
  return valid ? [point, width] : [0xfffd, first < 0xc2 || first > 0xf4 ? 1 : width];
}

const globals: Record<string, unknown> = {
  console: {
    trace: at("trace"),
    debug: at("debug"),
    log: at("info"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  },
  TextEncoder: Encoder,
  TextDecoder: Decoder,
};
for (const [name, value] of Object.entries(globals)) {
  if (!(name in globalThis)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

import * as contextModule from "berth:node/context@0.2.0";
import type { Artifact, Level, Place } from "berth:node/context@0.2.0";

import { bytesOf, oneOf, text as checkedText, u32 } from "./check";
import { asking } from "./error";
import { rawOf, type Tensor } from "./tensor";

const host = asking(contextModule);

export type { Artifact, Level, Place };

/** Says something to the operator. `console` does too. */
export function log(level: Level, message: string): void {
  host.log(
    oneOf(level, ["trace", "debug", "info", "warn", "error"], "level"),
    checkedText(message, "message"),
  );
}

/** `value` of `total` steps of this node are done. */
export function progress(value: number, total: number): void {
  host.progress(u32(value, "value"), u32(total, "total"));
}

/** Shows an intermediate image [height, width, 3], `f32`, 0…1, with the progress. The host may drop it. */
export function preview(image: Tensor): void {
  host.preview(rawOf(image, "image"));
}

/** Whether the run was cancelled. Every operation throws `cancelled` from then on. */
export function cancelled(): boolean {
  return host.cancelled();
}

/** Shows a text as a result of this node. */
export function showText(text: string): void {
  host.showText(checkedText(text, "text"));
}

/** A file to be written. */
export interface File {
  /** The operator's output folder, or a `temporary` one; `output` without it. */
  place?: Place;
  /** How a client shows it: `images`, `audio`, or `files` without it. */
  kind?: string;
  /** The beginning of its name, which may name folders with `/`. */
  prefix: string;
  /** The end of its name, without a dot. */
  extension: string;
  /** What is in it; a text is written as UTF-8. */
  data: ArrayBuffer | ArrayBufferView | string;
}

/**
 * Writes `PREFIX_00001_.EXTENSION` with the next free number, and shows it as a result of this node. Gives
 * where it is. Throws `invalid-argument`, and `other` when it cannot be written.
 */
export function save(file: File): Artifact {
  const { place = "output", kind = "files", prefix, extension, data } = file;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : bytesOf(data, "data");
  return host.save(
    oneOf(place, ["output", "temporary"], "place"),
    checkedText(kind, "kind"),
    checkedText(prefix, "prefix"),
    checkedText(extension, "extension"),
    bytes,
  );
}

/** A file of the operator's input folder. Throws `not-found` and `invalid-argument`. */
export function readInput(name: string): Uint8Array {
  return host.readInput(checkedText(name, "name"));
}

/**
 * A digest of a file of the input folder that changes when its content does: for a node's `fingerprint`.
 */
export function inputFingerprint(name: string): string {
  return host.inputFingerprint(checkedText(name, "name"));
}

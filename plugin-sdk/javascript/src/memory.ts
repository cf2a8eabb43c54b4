/*
 * Where bytes are, and moving them: `import * as memory from "@berth/sdk/memory"`.
 *
 * It takes a right: `memory = true` under `[requests]` in plugin.toml, and the operator's grant. What
 * an object reaches are the tensors in it and what its functions need. Moving changes no result,
 * only how soon it is there. Bytes are numbers; above 2⁵³ they are rounded.
 */

import * as memoryModule from "berth:node/memory@0.2.0";
import type { Charges, PluginUsage, Quotas, Statistics, TierUsage } from "berth:node/memory@0.2.0";
import type { Tier } from "berth:node/types@0.2.0";

import { count, flag, oneOf, show, text, unsigned } from "./check";
import { asking, BerthError } from "./error";
import { HostObject } from "./values";

const host = asking(memoryModule);

export type { Charges, PluginUsage, Quotas, Statistics, Tier, TierUsage };

const TIERS: readonly Tier[] = ["device", "host", "disk"];

function rawObject(target: HostObject) {
  if (target instanceof HostObject) {
    return target.raw;
  }
  throw BerthError.invalid(`target: expected an object, got ${show(target)}`);
}

/** How things stand: bytes on each tier, what each plugin holds, and what caches hold. */
export function snapshot(): Statistics {
  return host.snapshot();
}

/**
 * What the object reaches leaves the device now and stays in the host's memory. Gives the bytes that left.
 * Throws `out-of-memory` and `quota-exceeded` when the host's memory has no room.
 */
export function offload(target: HostObject): number {
  return host.offload(rawObject(target));
}

/**
 * What the object reaches comes to the device, as far as there is room without anything else leaving.
 * Gives the bytes that came.
 */
export function restore(target: HostObject): number {
  return host.restore(rawObject(target));
}

/**
 * Keeps the object in the DRAM cache, beyond this run. Gives its id, which an equal object has in every
 * host. Throws `other` when the cache is full.
 */
export function remember(target: HostObject): string {
  return host.remember(rawObject(target));
}

/** The object that the DRAM cache keeps under an id. Throws `not-found`. */
export function recall(id: string): HostObject {
  return new HostObject(host.recall(text(id, "id")));
}

/** Drops an object from the DRAM cache. Gives whether it was there. */
export function forget(id: string): boolean {
  return host.forget(text(id, "id"));
}

/** Drops everything from the DRAM cache. Gives how many objects there were. */
export function forgetAll(): number {
  return unsigned(host.forgetAll());
}

/**
 * Whether what the object reaches, with all weights of its models, leaves a tier only when an operation
 * could not run otherwise. Throws `invalid-argument` for the disk.
 */
export function keep(target: HostObject, tier: Tier, on = true): void {
  host.keep(rawObject(target), oneOf(tier, TIERS, "tier"), flag(on, "on"));
}

/** Ends every `keep`, whoever asked for it. */
export function keepNothing(): void {
  host.keepNothing();
}

/**
 * What no running operation uses leaves a tier until this many bytes are free there, as far as it can.
 * Gives the bytes that left. Throws `invalid-argument` for the disk.
 */
export function makeFree(tier: Tier, bytes: number): number {
  return host.makeFree(oneOf(tier, TIERS, "tier"), count(bytes, "bytes"));
}

/** Forgets the results of nodes that were kept for later runs. */
export function clearResults(): void {
  host.clearResults();
}

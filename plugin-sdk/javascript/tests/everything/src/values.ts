// Objects, lists, functions, model files, fixed wires, errors, context and memory.

import {
  any,
  bigInteger,
  bytes,
  Clip,
  Conditioning,
  context,
  Entry,
  fn,
  HostFunction,
  HostList,
  HostObject,
  Image,
  integer,
  Latent,
  list,
  Mask,
  ModelFile,
  modelFile,
  ModelWire,
  node,
  number,
  object,
  Tensor,
  tensor,
  text,
  Vae,
} from "@berth/sdk";
import * as memory from "@berth/sdk/memory";
import { ok, same, fails, checks } from "./checks";
import { double, fail, denoise, encodeText, encode, decode } from "./functions";

export const Values = node({
  category: "everything",
  outputNode: true,
  outputs: { any: any(), big: bigInteger() },
  run() {
    const t = Tensor.of([1, 2]);
    const o = HostObject.create("PALETTE", {
      b: true,
      i: -(2n ** 63n),
      u: 2n ** 64n - 1n,
      n: 3,
      s: "x\ud83d",
      y: new Uint8Array([1, 2]),
      t,
      f: double.make({ by: 3, big: 2n ** 64n - 1n }),
      o: HostObject.create("INNER", {}),
      l: [1n, "two", [3]],
      none: undefined,
      m: ModelFile.open("upscale_models", "tiny-upscaler.safetensors"),
    });
    same(o.typeName, "PALETTE");
    same(o.names(), ["b", "i", "u", "n", "s", "y", "t", "f", "o", "l", "m"]);
    same(o.get("b"), true);
    same(o.get("i"), "-9223372036854775808n");
    same(o.get("u", bigInteger()) === 2n ** 64n - 1n, true);
    same(o.get("n", number()), 3);
    same(o.get("s"), "x\ufffd");
    same(o.get("y", bytes()), [1, 2]);
    same(o.get("t", tensor()).toArray(), [1, 2]);
    same(o.get("zzz") === undefined, true);
    same(o.get("zzz", number({ optional: true })) === undefined, true);
    fails("invalid-argument", "a PALETTE: `zzz` is missing", () => o.get("zzz", number()));
    fails("invalid-argument", "a PALETTE: `n`: expected a text, got a number", () => o.get("n", text()));
    fails("invalid-argument", "too large for a number", () => o.get("u", integer()));
    fails("invalid-argument", "expected a PALETTE, got a INNER", () => o.get("o", object("PALETTE")));
    fails("invalid-argument", "travel", () => HostObject.create("X", { a: Symbol as never }));
    fails("invalid-argument", "64 bits", () => HostObject.create("X", { a: 2n ** 64n }));
    const r = o.replace({ n: 4 });
    same(r.get("n"), 4);
    same(o.share().get("n"), 3);
    same(t.toArray(), [1, 2]);
    const l = o.get("l", list());
    same(l.length, 3);
    same(l.get(0), "1n");
    same(l.get(0, integer()), 1);
    same([...l].length, 3);
    fails("not-found", "", () => l.get(9));
    fails("invalid-argument", "item 0: expected a number", () => l.toArray(number()));
    same(l.share().toArray().length, 3);
    same(HostList.create(new Set([1, 2])).toArray(number()), [1, 2]);
    same((l.get(2) as HostList).get(0), 3);
    const f = o.get("f", fn());
    const { y, note, big } = f.call({ x: t }, { y: tensor(), note: text(), big: bigInteger() });
    same(y.toArray(), [3, 6]);
    same(note, "none");
    ok(big === 2n ** 64n - 1n, "big");
    same(f.share().call({ x: t, note: "n" }).note, "n");
    fails("invalid-argument", "double: `x` is missing", () => f.call({}));
    fails("invalid-argument", "expected a tensor, got a number", () => f.call({ x: 3 }));
    fails("invalid-argument", "zz", () => HostFunction.create("zz").call({}));
    const q = fails("failed", "my message", () => fail.make({}).call({ kind: "failed" }));
    same([q.code, q.hint], ["my-code", "my hint"]);
    fails("other", "TypeError: a plain one", () => fail.make({}).call({ kind: "plain" }));
    fails("other", "just text", () => fail.make({}).call({ kind: "text" }));
    for (const kind of ["invalid-argument", "access-denied", "not-found", "unsupported", "other"])
      fails(kind, `a ${kind}`, () => fail.make({}).call({ kind }));
    const sh = fails("quota-exceeded", "", () => fail.make({}).call({ kind: "quota-exceeded" })).shortage!;
    same([sh.tier, sh.limit, sh.used], ["device", 5, 6]);
    ok(sh.requested === Number.MAX_SAFE_INTEGER, `${sh.requested}`);
    fails("cancelled", "", () => fail.make({}).call({ kind: "cancelled" }));
    fails("out-of-memory", "", () => fail.make({}).call({ kind: "out-of-memory" }));
    const m = o.get("m", modelFile());
    same(m.label, "tiny-upscaler.safetensors");
    ok(m.keys().includes("0.weight"), "keys");
    same(m.info("0.weight")!.dtype, "f32");
    same(m.info("0.weight")!.shape.length, 4);
    same(m.info("zz") === undefined, true);
    same(m.weight("0.bias").rank, 1);
    fails("not-found", "", () => m.weight("zz"));
    same(m.metadata("zz") === undefined, true);
    ok(Array.isArray(m.metadataNames()), "names");
    same(m.share().label, m.label);
    same(ModelFile.available("upscale_models"), ["tiny-upscaler.safetensors"]);
    fails("not-found", "", () => ModelFile.open("upscale_models", "zz.safetensors"));
    fails("access-denied", "", () => ModelFile.open("checkpoints", "tiny-sd-digits.safetensors"));
    // Wires.
    fails(
      "invalid-argument",
      "expected a f32 tensor [batch, height, width, channels], got a f32 tensor of [2]",
      () => Image.as(t),
    );
    same(Image.as(Tensor.ones([1, 2, 3, 3])).size, [1, 2, 3, 3]);
    same(Mask.as(Tensor.ones([1, 2, 3])).size, [1, 2, 3]);
    fails("invalid-argument", "u8", () => Mask.as(Tensor.ones([1, 2, 3], "u8")));
    const la = Latent.of(Tensor.ones([1, 4, 2, 2]), { noiseMask: Tensor.ones([1, 2, 2]), batchIndex: [5] });
    same(la.samples.shape, [1, 4, 2, 2]);
    same(la.noiseMask!.rank, 3);
    same(la.batchIndex, [5]);
    same(la.replace({ samples: t }).samples.shape, [2]);
    same(Latent.of(t).noiseMask === undefined && Latent.of(t).batchIndex === undefined, true);
    const c = Conditioning.of([
      Entry.of(Tensor.ones([1, 2, 3]), Tensor.ones([1, 3])),
      Entry.of(Tensor.ones([1, 2, 3])),
    ]);
    same(c.entries.length, 2);
    same(c.entries[0]!.pooled!.shape, [1, 3]);
    same(c.entries[1]!.pooled === undefined, true);
    same(c.entries[0]!.embedding.rank, 3);
    same(c.entries[0]!.replace({ strength: 2 }).get("strength"), 2);
    same(c.replace({ z: 1 }).get("z"), 1);
    const mo = ModelWire.of({
      denoise: denoise.make({}),
      prediction: "v",
      alphas: Tensor.ones([3], "f64"),
      latentChannels: 4,
      latentScale: 0.5,
      latentShift: 0,
    });
    same(mo.denoise(t, 3, t).toArray(), [3, 6]);
    same(mo.denoise(t, 3, t, t).toArray(), [103, 106]);
    same(
      [mo.prediction, mo.latentChannels, mo.latentScale, mo.latentShift, mo.alphas.dtype],
      ["v", 4, 0.5, 0, "f64"],
    );
    const wrapped = mo.replace({ denoise: denoise.make({ model: mo }) });
    same(wrapped.denoise(t, 3, t).toArray(), [6, 12]);
    fails("invalid-argument", "prediction", () => mo.replace({ prediction: "w" }).prediction);
    const cl = Clip.of(encodeText.make({}));
    same(cl.encode("abc").entries[0]!.embedding.toArray(), [3, 3, 3, 3]);
    same(cl.replace({}).encode("a").typeName, "CONDITIONING");
    const va = Vae.of({
      encode: encode.make({}),
      decode: decode.make({}),
      latentScale: 1,
      latentShift: 2,
      downscale: 8,
    });
    same(va.encode(Tensor.ones([1, 2, 4, 3])).shape, [1, 3, 2, 4]);
    same(va.decode(Tensor.ones([1, 3, 2, 4])).shape, [1, 2, 4, 3]);
    same([va.latentScale, va.latentShift, va.downscale], [1, 2, 8]);
    same(va.replace({ downscale: 4n }).downscale, 4);
    // Context.
    for (const level of ["trace", "debug", "info", "warn", "error"] as const)
      context.log(level, `a ${level}`);
    fails("invalid-argument", "level", () => context.log("loud" as "info", ""));
    context.progress(1, 2);
    context.preview(Tensor.ones([4, 4, 3]));
    fails("invalid-argument", "", () => context.preview(t));
    same(context.cancelled(), false);
    context.showText("a text");
    const file = context.save({ prefix: "everything/x", extension: "txt", data: "grüße" });
    same(file, { name: "x_00001_.txt", subfolder: "everything", place: "output" });
    same(
      context.save({
        place: "temporary",
        kind: "files",
        prefix: "y",
        extension: "bin",
        data: new Uint8Array(3),
      }).place,
      "temporary",
    );
    fails("invalid-argument", "", () => context.save({ prefix: "../x", extension: "t/x", data: "" }));
    ok(context.readInput("x.png").length > 100, "read");
    ok(context.inputFingerprint("x.png").length > 5, "fingerprint");
    fails("not-found", "", () => context.readInput("zz.png"));
    // Memory.
    const stats = memory.snapshot();
    ok(stats.tiers.length > 0 && stats.plugins.some((p) => p.plugin === "everything"), "snapshot");
    ok(memory.offload(o) >= 0, "offload");
    ok(memory.restore(o) >= 0, "restore");
    const palette = HostObject.create("P", { t });
    const id = memory.remember(palette);
    same(memory.recall(id).typeName, "P");
    same(memory.forget(id), true);
    same(memory.forget(id), false);
    fails("not-found", "", () => memory.recall(id));
    memory.remember(palette);
    same(memory.forgetAll(), 1);
    memory.keep(palette, "device");
    memory.keep(palette, "host", false);
    fails("invalid-argument", "", () => memory.keep(palette, "disk"));
    memory.keepNothing();
    ok(memory.makeFree("device", 10) >= 0, "free");
    memory.clearResults();
    fails("invalid-argument", "tier", () => memory.makeFree("moon" as "disk", 1));
    fails("invalid-argument", "object", () => memory.offload(t as never));
    context.log("info", `values: ${checks} checks`);
    return { any: o, big: 2n ** 64n - 1n };
  },
});

// Every operation, creation and reading, once.

import {
  add,
  bytesPerElement,
  context,
  div,
  Generator,
  handleCount,
  mul,
  node,
  sub,
  Tensor,
  Upload,
  type Sampling,
} from "@berth/sdk";
import { ok, same, near, fails, checks } from "./checks";

export const Tensors = node({
  category: "everything",
  outputNode: true,
  run() {
    const t = Tensor.of([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    same(t.shape, [2, 3]);
    same(t.dtype, "f32");
    same(t.rank, 2);
    same(t.length, 6);
    same(t.dim(-1), 3);
    fails("invalid-argument", "axis 2", () => t.dim(2));
    same(t.read(4, 4), new Uint8Array(new Float32Array([2]).buffer));
    same(t.bytes().length, 24);
    same(t.toArray(), [1, 2, 3, 4, 5, 6]);
    same(
      t.toArray("i64"),
      [1n, 2n, 3n, 4n, 5n, 6n].map(String).map((x) => x + "n"),
    );
    same(t.toArray("u8"), [1, 2, 3, 4, 5, 6]);
    same(t.toArray("u32"), [1, 2, 3, 4, 5, 6]);
    same(t.toArray("i32").length, 6);
    same(Tensor.of(5).item(), 5);
    same(Tensor.of(5).shape, []);
    fails("invalid-argument", "one element", () => t.item());
    same(Tensor.of(new Uint8Array([1, 2])).dtype, "u8");
    same(Tensor.of(new Uint32Array([1, 2]), "f32").toArray(), [1, 2]);
    same(Tensor.of([1, 2], "f16").dtype, "f16");
    same(Tensor.of([1, 2], "i64").toArray("i64"), ["1n", "2n"]);
    same(Tensor.of(new BigInt64Array([-5n])).item(), -5);
    same(Tensor.of([4294967295], "u32").toArray("u32"), [4294967295]);
    same(Tensor.of(new BigInt64Array([-5n]), "f64").toArray("f64"), [-5]);
    same(Tensor.of([[]]).shape, [1, 0]);
    fails("invalid-argument", "depth", () => Tensor.of([[1], [2, 3]]));
    fails("invalid-argument", "8 bytes, not 12", () => Tensor.from([2], [1, 2, 3]));
    fails("invalid-argument", "dtype", () => Tensor.full([1], 1, "f33" as "f32"));
    fails("invalid-argument", "shape: expected an integer", () => Tensor.full([-1], 1));
    fails("invalid-argument", "got 2.5", () => Tensor.full([2.5], 1));
    fails("invalid-argument", "expected a number", () => Tensor.full([2], "3" as unknown as number));
    fails("invalid-argument", "expected a tensor", () => t.matmul(3 as unknown as Tensor));
    fails("invalid-argument", "shape", () => t.add(Tensor.ones([5])));
    fails("invalid-argument", "model file", () => Tensor.fromBytes("q4-0", [32], new Uint8Array(18)));
    same(Tensor.fromBytes("u8", [2], new Uint8Array([9, 8, 7, 6]).subarray(1, 3)).toArray("u8"), [8, 7]);
    same(Tensor.fromBytes("f32", [1], new Float32Array([3])).item(), 3);
    const large = new Float32Array(700_000).map((_, i) => i);
    const up = Tensor.from([700, 1000], large);
    const down = up.toArray();
    ok(down.length === 700_000 && down[699_999] === 699_999 && down[262_144] === 262_144, "large");
    using upload = Upload.begin("u8", [4]);
    upload.write(1, new Uint8Array([7, 8]));
    fails("invalid-argument", "", () => upload.write(3, new Uint8Array(2)));
    same(upload.finish().toArray("u8"), [0, 7, 8, 0]);
    fails("invalid-argument", "", () => upload.write(0, new Uint8Array(1)));
    same(Tensor.zeros([2]).toArray(), [0, 0]);
    same(Tensor.ones([2], "u8").toArray("u8"), [1, 1]);
    same(Tensor.arange(3).toArray(), [0, 1, 2]);
    same(Tensor.arange(3, 1, 0.5, "f64").toArray("f64"), [1, 1.5, 2]);
    same(Tensor.concat([t, t], 1).shape, [2, 6]);
    same(t.share().toArray(), t.toArray());
    same(bytesPerElement("bf16"), 2);
    same(bytesPerElement("q8-k") === undefined, true);
    same(Tensor.zeros([3e9, 0]).shape, [3e9, 0]);
    // Arithmetic.
    const a = Tensor.of([1, 4]),
      b = Tensor.of([2, 8]);
    same(a.add(b).toArray(), [3, 12]);
    same(a.add(1).toArray(), [2, 5]);
    same(a.sub(b).toArray(), [-1, -4]);
    same(a.sub(1).toArray(), [0, 3]);
    same(a.mul(b).toArray(), [2, 32]);
    same(a.mul(2).toArray(), [2, 8]);
    same(a.div(b).toArray(), [0.5, 0.5]);
    same(a.div(2).toArray(), [0.5, 2]);
    same(add(1, a).toArray(), [2, 5]);
    same(sub(1, a).toArray(), [0, -3]);
    same(mul(3, a).toArray(), [3, 12]);
    same(div(4, a).toArray(), [4, 1]);
    same(add(a, b).toArray(), [3, 12]);
    same(sub(a, 1).toArray(), [0, 3]);
    same(mul(a, b).toArray(), [2, 32]);
    same(div(a, 2).toArray(), [0.5, 2]);
    fails("invalid-argument", "one of two", () => add(1, 2));
    same(a.minimum(2).toArray(), [1, 2]);
    same(a.maximum(b).toArray(), [2, 8]);
    same(a.affine(2, 1).toArray(), [3, 9]);
    same(a.pow(2).toArray(), [1, 16]);
    same(a.clamp(2, 3).toArray(), [2, 3]);
    // Functions.
    const x = Tensor.of([-1.5, 0.5]);
    near(x.neg(), [1.5, -0.5], "neg");
    near(x.abs(), [1.5, 0.5], "abs");
    near(x.sign(), [-1, 1], "sign");
    near(x.recip(), [-1 / 1.5, 2], "recip");
    near(a.sqrt(), [1, 2], "sqrt");
    near(a.rsqrt(), [1, 0.5], "rsqrt");
    near(x.exp(), [Math.exp(-1.5), Math.exp(0.5)], "exp");
    near(a.log(), [0, Math.log(4)], "log");
    near(x.sin(), [Math.sin(-1.5), Math.sin(0.5)], "sin");
    near(x.cos(), [Math.cos(-1.5), Math.cos(0.5)], "cos");
    near(x.tanh(), [Math.tanh(-1.5), Math.tanh(0.5)], "tanh");
    near(x.erf(), [-0.966105, 0.5205], "erf");
    near(x.floor(), [-2, 0], "floor");
    near(x.ceil(), [-1, 1], "ceil");
    near(x.round(), [-2, 0], "round");
    near(x.relu(), [0, 0.5], "relu");
    const s = (v: number) => 1 / (1 + Math.exp(-v));
    near(x.sigmoid(), [s(-1.5), s(0.5)], "sigmoid");
    near(x.silu(), [-1.5 * s(-1.5), 0.5 * s(0.5)], "silu");
    near(x.gelu(), [-0.10021, 0.34573], "gelu");
    near(x.geluTanh(), [-0.10043, 0.34571], "geluTanh");
    near(x.geluQuick(), [-1.5 * s(-1.5 * 1.702), 0.5 * s(0.851)], "quick");
    const sp = (v: number) => Math.log(1 + Math.exp(v));
    near(x.softplus(), [sp(-1.5), sp(0.5)], "softplus");
    near(x.mish(), [-1.5 * Math.tanh(sp(-1.5)), 0.5 * Math.tanh(sp(0.5))], "mish");
    same(a.eq(b).toArray("u8"), [0, 0]);
    same(a.ne(1).toArray("u8"), [0, 1]);
    same(a.lt(2).toArray("u8"), [1, 0]);
    same(a.le(4).toArray("u8"), [1, 1]);
    same(a.gt(b).toArray("u8"), [0, 0]);
    same(a.ge(4).toArray("u8"), [0, 1]);
    same(a.gt(2).choose(a, b).toArray(), [2, 4]);
    same(a.gt(2).choose(0, 1).toArray(), [1, 0]);
    same(a.gt(2).choose(a, 9).toArray(), [9, 4]);
    same(a.cast("u8").dtype, "u8");
    // Along axes.
    same(t.sum().item(), 21);
    same(t.sum(0).toArray(), [5, 7, 9]);
    same(t.mean([1], true).shape, [2, 1]);
    same(t.max(-1).toArray(), [3, 6]);
    same(t.min().item(), 1);
    same(t.argmax(1).toArray("u32"), [2, 2]);
    same(t.argmin(0, true).shape, [1, 3]);
    const m = Tensor.of([3, 1, 2]);
    same(m.argsort().toArray("u32"), [1, 2, 0]);
    same(m.argsort(0, true).toArray("u32"), [0, 2, 1]);
    same(m.gather(0, m.argsort()).toArray(), [1, 2, 3]);
    same(m.cumulativeSum(0).toArray(), [3, 4, 6]);
    near(Tensor.of([0, 0]).softmax(), [0.5, 0.5], "softmax");
    same(t.reshape([3, 2]).shape, [3, 2]);
    same(t.reshape([-1, 2]).shape, [3, 2]);
    fails("invalid-argument", "", () => t.reshape([-1, 4]));
    same(t.permute([1, 0]).toArray(), [1, 4, 2, 5, 3, 6]);
    same(t.slice(1, 1).toArray(), [2, 3, 5, 6]);
    same(t.slice(1, 0, 3, 2).toArray(), [1, 3, 4, 6]);
    same(Tensor.ones([1, 3]).broadcast([2, 3]).shape, [2, 3]);
    same(m.flip(0).toArray(), [2, 1, 3]);
    same(m.pad([[1, 1]]).toArray(), [0, 3, 1, 2, 0]);
    same(m.pad([[1, 1]], 7).toArray(), [7, 3, 1, 2, 7]);
    same(m.pad([[1, 1]], "edge").toArray(), [3, 3, 1, 2, 2]);
    same(m.pad([[1, 1]], "reflect").toArray(), [1, 3, 1, 2, 1]);
    same(m.pad([[1, 1]], "wrap").toArray(), [2, 3, 1, 2, 3]);
    fails("invalid-argument", "padding", () => m.pad([[1, 1]], "edgy" as "edge"));
    same(m.indexSelect(0, Tensor.of(new Uint32Array([2, 2]))).toArray(), [2, 2]);
    const p = Tensor.of([
      [
        [
          [0, 1],
          [2, 3],
        ],
      ],
    ]);
    for (const how of ["nearest", "nearest-exact", "bilinear", "bicubic", "area", "lanczos"] as Sampling[])
      same(p.interpolate(4, 6, how).shape, [1, 1, 4, 6]);
    // Layers.
    same(t.matmul(t.permute([1, 0])).toArray(), [14, 32, 32, 77]);
    same(t.linear(t).shape, [2, 2]);
    same(t.linear(t, Tensor.of([1, 2])).toArray(), [15, 34, 33, 79]);
    same(
      Tensor.ones([1, 1, 5])
        .conv1d(Tensor.ones([1, 1, 3]))
        .toArray(),
      [3, 3, 3],
    );
    same(
      p.conv2d(Tensor.ones([2, 1, 1, 1]), Tensor.of([1, 2]), { stride: 2, padding: 1 }).shape,
      [1, 2, 2, 2],
    );
    same(p.convTranspose2d(Tensor.ones([1, 1, 2, 2]), undefined, { stride: 2 }, 1).shape, [1, 1, 5, 5]);
    same(Tensor.ones([1, 4, 2]).groupNorm(2).shape, [1, 4, 2]);
    same(
      Tensor.ones([1, 4, 2])
        .groupNorm(2, Tensor.ones([4]), Tensor.zeros([4]))
        .sum()
        .item(),
      0,
    );
    near(a.layerNorm(), [-1, 1], "layerNorm");
    near(a.layerNorm(Tensor.of([2, 2]), Tensor.of([1, 1])), [-1, 3], "layerNorm2");
    near(a.rmsNorm(), [1 / Math.sqrt(8.5), 4 / Math.sqrt(8.5)], "rms");
    near(a.rmsNorm(Tensor.of([2, 2]), 0), [2 / Math.sqrt(8.5), 8 / Math.sqrt(8.5)], "rms2");
    const q = Tensor.ones([1, 3, 4]);
    near(
      q.attention(q, q, { heads: 2, causal: true, scale: 0.5, mask: Tensor.zeros([1, 2, 3, 3]) }),
      Array(12).fill(1),
      "attention",
    );
    same(q.attention(q, q).shape, [1, 3, 4]);
    same(q.rotary(Tensor.ones([3, 2]), Tensor.zeros([3, 2])).toArray(), Array(12).fill(1));
    same(q.rotary(Tensor.ones([3, 2]), Tensor.zeros([3, 2]), true).shape, [1, 3, 4]);
    same(
      Tensor.of(new Uint32Array([1, 0]))
        .embedding(t)
        .toArray(),
      [4, 5, 6, 1, 2, 3],
    );
    // Generators: torch.manual_seed(0); torch.rand(2)
    near(new Generator(0).uniform([2]), [0.496256, 0.768222], "uniform");
    near(new Generator(0n).normal([2]), [1.541, -0.29343], "normal");
    const g = new Generator(2n ** 64n - 1n);
    same(g.normal([3]).shape, [3]);
    same(g.uniform([1]).shape, [1]);
    fails("invalid-argument", "64 bits", () => new Generator(2n ** 64n));
    fails("invalid-argument", "2⁵³", () => new Generator(0.5));
    // Handles.
    const before = handleCount();
    let y = Tensor.ones([4]);
    for (let i = 0; i < 5000; i += 1) y = y.mul(1).add(0);
    ok(handleCount() - before < 5, `handles ${handleCount()} ${before}`);
    {
      using z = Tensor.ones([1]);
      z.add(1);
    }
    const gone = Tensor.ones([1]);
    gone.dispose();
    gone.dispose();
    const text = "é😀\u0000ab€";
    same(new TextDecoder().decode(new TextEncoder().encode(text)), text);
    same(new TextEncoder().encode("a%é"), [97, 37, 195, 169]);
    same(new TextDecoder().decode(new Uint8Array([97, 0xff, 0xc3, 98, 0xe2, 0x82])), "a\ufffd\ufffdb\ufffd");
    console.log("hello", { a: 1 }, [1, 2n], new Uint8Array(2), null, undefined, new Error("x").message);
    console.warn("lone \ud83d half");
    console.error(new Error("shown"));
    console.debug(1);
    console.trace(2);
    console.info(t, t.toString());
    context.log("info", `tensors: ${checks} checks`);
  },
});

//! Calls every function of the SDK once, and shows what went wrong as a text.
const std = @import("std");
const berth = @import("berth");
const T = berth.Tensor;

pub const nodes = .{ Everything, Second, LazyOne, Breaks };
pub const functions = .{ .denoise = denoise, .@"encode-text" = encodeText, .enc = enc, .dec = dec, .fails = fails };

fn denoise(c: struct { gain: f64, weight: T }, a: struct { latent: T, timestep: f64, conditioning: T, pooled: ?T }) !struct { prediction: T } {
    var y = a.latent.mul(c.gain).add(a.timestep);
    if (a.pooled) |p| y = y.add(p);
    return .{ .prediction = y };
}
fn encodeText(_: struct {}, a: struct { text: []const u8 }) !struct { conditioning: berth.Conditioning } {
    const e = try berth.Entry.create(T.full(.f32, &.{ 1, 2, 3 }, @floatFromInt(a.text.len)), null);
    return .{ .conditioning = try .create(&.{ e, e }) };
}
fn enc(_: struct {}, a: struct { image: T }) !struct { latent: T } {
    return .{ .latent = a.image.permute(&.{ 0, 3, 1, 2 }) };
}
fn dec(_: struct {}, a: struct { latent: T }) !struct { image: T } {
    if (a.latent.dim(1) != 3) return berth.failed("bad-latent", "bad latent", "use another");
    return .{ .image = a.latent.permute(&.{ 0, 2, 3, 1 }) };
}
const kinds = [_]berth.Error{ error.InvalidArgument, error.AccessDenied, error.NotFound, error.QuotaExceeded, error.OutOfMemory, error.Unsupported, error.Cancelled, error.Failed, error.Other };
fn fails(c: struct { kind: u8 }, _: struct {}) !struct {} {
    if (c.kind == 100) return error.SomethingElse;
    if (c.kind == 101) @panic("a panic");
    if (c.kind == 102) {
        _ = try T.zeros(.f32, &.{2}).add(T.zeros(.f32, &.{3})).check();
    }
    return berth.raise(.{ .kind = kinds[c.kind], .message = "m", .code = "c", .hint = "h", .shortage = .{ .tier = .host, .requested = 1, .limit = 2, .used = 3 } });
}

var problems: std.ArrayList(u8) = .empty;
fn problem(text: []const u8) void {
    problems.appendSlice(berth.allocator, berth.print("{s}; ", .{text})) catch unreachable;
}
fn check(name: []const u8, ok: bool) void {
    if (!ok) problem(name);
}
fn near(name: []const u8, x: T, want: []const f64) void {
    const got = x.read(f64) catch |err| return problem(berth.print("{s} {t} {s}", .{ name, err, berth.latest().?.message }));
    if (got.len != want.len) return problem(berth.print("{s} {any}", .{ name, got }));
    for (got, want) |g, w| if (!(@abs(g - w) < 1e-4)) return problem(berth.print("{s} {any}", .{ name, got }));
}
fn t(v: []const f32) T {
    return .fromSlice(f32, &.{@intCast(v.len)}, v);
}
fn is(result: anytype, err: anyerror) bool {
    _ = result catch |e| return e == err;
    return false;
}

const Mode = enum { a, b };
const Outs = struct { picture: berth.Image, mask: berth.Mask, seed: u64, text: []const u8, thing: berth.Object, list: []const i64, model: berth.Model, clip: berth.Clip, vae: berth.Vae, latent: berth.Latent, cond: berth.Conditioning };

const Everything = struct {
    flag: bool = true,
    seed: u64 = std.math.maxInt(u64),
    low: i64 = std.math.minInt(i64),
    number: f32 = 0.5,
    text: []const u8 = "hi\nthere",
    choice: Mode = .b,
    pick: []const u8 = "two",
    maybe: ?berth.Mask,
    maybe_n: ?f64 = 3,
    img: ?berth.Image,
    id: berth.UniqueId,
    prompt: berth.Prompt,
    extra: berth.ExtraPngInfo,
    whatever: ?berth.Any,

    pub const about: berth.About = .{ .category = "test", .description = "d", .search_aliases = &.{"all"}, .experimental = true, .display_name = "Every thing" };
    pub const inputs = .{ .flag = .{ .tooltip = "flag" }, .seed = .{ .seed = true, .min = 0, .max = std.math.maxInt(u64) }, .low = .{ .min = std.math.minInt(i64), .max = std.math.maxInt(i64), .step = 2 }, .number = .{ .step = 0.1 }, .text = .{ .multiline = true }, .pick = .{ .choices = &.{ "one", "two" } }, .img = .{ .type = "IMAGE,MASK" } };
    pub const outputs = .{ .picture = .{ .name = "picture", .tooltip = "the picture" }, .thing = .{ .type = "THING" }, .list = .{ .type = "LIST" } };

    pub fn validate(given: berth.Given(Everything)) !?[]const u8 {
        if (try given.get(.text)) |text| if (std.mem.eql(u8, text, "bad")) return "the text is bad";
        return null;
    }
    pub fn fingerprint(given: berth.Given(Everything)) ![]const u8 {
        return berth.print("{?d}", .{try given.get(.seed)});
    }

    pub fn run(in: Everything) !Outs {
        const a = t(&.{ 1, 2, 3, 4 });
        const b = t(&.{ 2, 2, 2, 2 });
        near("add", a.add(b), &.{ 3, 4, 5, 6 });
        near("sub", a.sub(b), &.{ -1, 0, 1, 2 });
        near("mul", a.mul(b), &.{ 2, 4, 6, 8 });
        near("div", a.div(b), &.{ 0.5, 1, 1.5, 2 });
        near("addn", a.add(1), &.{ 2, 3, 4, 5 });
        near("subn", a.sub(1.0), &.{ 0, 1, 2, 3 });
        near("muln", a.mul(@as(f32, 2)), &.{ 2, 4, 6, 8 });
        near("divn", a.div(2), &.{ 0.5, 1, 1.5, 2 });
        near("subFrom", a.subFrom(1), &.{ 0, -1, -2, -3 });
        near("divInto", a.divInto(12), &.{ 12, 6, 4, 3 });
        near("min", a.minimum(b), &.{ 1, 2, 2, 2 });
        near("max", a.maximum(2), &.{ 2, 2, 3, 4 });
        near("eq", a.eq(2), &.{ 0, 1, 0, 0 });
        near("ne", a.ne(b), &.{ 1, 0, 1, 1 });
        near("lt", a.lt(b), &.{ 1, 0, 0, 0 });
        near("le", a.le(b), &.{ 1, 1, 0, 0 });
        near("gt", a.gt(b), &.{ 0, 0, 1, 1 });
        near("ge", a.ge(b), &.{ 0, 1, 1, 1 });
        near("choose", a.gt(2).choose(a, b), &.{ 2, 2, 3, 4 });
        near("affine", a.affine(2, 1), &.{ 3, 5, 7, 9 });
        near("power", a.power(2), &.{ 1, 4, 9, 16 });
        near("clamp", a.clamp(2, 3), &.{ 2, 2, 3, 3 });
        const x: f64 = 0.7;
        const one = T.fromSlice(f64, &.{1}, &.{x});
        const sg = 1 / (1 + @exp(-x));
        const sp = @log(1 + @exp(x));
        near("neg", one.neg(), &.{-x});
        near("abs", one.neg().abs(), &.{x});
        near("sign", one.sign(), &.{1});
        near("recip", one.recip(), &.{1 / x});
        near("sqrt", one.sqrt(), &.{@sqrt(x)});
        near("rsqrt", one.rsqrt(), &.{1 / @sqrt(x)});
        near("exp", one.exp(), &.{@exp(x)});
        near("log", one.log(), &.{@log(x)});
        near("sin", one.sin(), &.{@sin(x)});
        near("cos", one.cos(), &.{@cos(x)});
        near("tanh", one.tanh(), &.{std.math.tanh(x)});
        near("erf", one.erf(), &.{0.6778012});
        near("floor", one.floor(), &.{0});
        near("ceil", one.ceil(), &.{1});
        near("round", one.round(), &.{1});
        near("relu", one.neg().relu(), &.{0});
        near("sigmoid", one.sigmoid(), &.{sg});
        near("silu", one.silu(), &.{x * sg});
        near("gelu", one.gelu(), &.{0.5306255});
        near("gelut", one.geluTanh(), &.{0.5 * x * (1 + std.math.tanh(@sqrt(2.0 / std.math.pi) * (x + 0.044715 * x * x * x)))});
        near("geluq", one.geluQuick(), &.{x / (1 + @exp(-1.702 * x))});
        near("softplus", one.softplus(), &.{sp});
        near("mish", one.mish(), &.{x * std.math.tanh(sp)});
        near("map", one.map(.neg), &.{-x});
        const m = a.reshape(&.{ 2, 2 });
        near("matmul", m.matmul(m), &.{ 7, 10, 15, 22 });
        near("linear", m.linear(m, t(&.{ 1, 1 })), &.{ 6, 12, 12, 26 });
        near("linear0", m.linear(m, null), &.{ 5, 11, 11, 25 });
        near("conv1d", a.reshape(&.{ 1, 1, 4 }).conv1d(t(&.{ 1, 1 }).reshape(&.{ 1, 1, 2 }), t(&.{1}), .{ .stride = 2 }), &.{ 4, 8 });
        near("conv2d", a.reshape(&.{ 1, 1, 2, 2 }).conv2d(T.ones(.f32, &.{ 1, 1, 2, 2 }), null, .{}), &.{10});
        check("convt", std.mem.eql(u32, a.reshape(&.{ 1, 1, 2, 2 }).convTranspose2d(T.ones(.f32, &.{ 1, 1, 2, 2 }), t(&.{0}), .{ .stride = 2 }, 1).shape(), &.{ 1, 1, 5, 5 }));
        near("groupnorm", m.reshape(&.{ 1, 2, 2 }).groupNorm(1, null, null, 0), &.{ -1.3416, -0.4472, 0.4472, 1.3416 });
        near("layernorm", m.layerNorm(t(&.{ 1, 1 }), t(&.{ 0, 1 }), 0), &.{ -1, 2, -1, 2 });
        near("rms", m.rmsNorm(null, 0), &.{ 0.63245, 1.26491, 0.848528, 1.13137 });
        const q = a.reshape(&.{ 1, 2, 2 });
        near("attn", q.attention(q, q, .{ .heads = 2, .causal = true }).slice(1, 0, 1), &.{ 1, 2 });
        near("attn1", q.attention(q, q, .{ .mask = .fromSlice(u8, &.{ 1, 1, 1, 2 }, &.{ 0, 1 }), .scale = 1 }).slice(1, 0, 1), &.{ 3, 4 });
        near("rotary", m.rotary(T.ones(.f32, &.{ 2, 1 }), T.zeros(.f32, &.{ 2, 1 }), true), &.{ 1, 2, 3, 4 });
        const idx = T.fromSlice(u32, &.{2}, &.{ 1, 0 });
        near("emb", idx.embedding(m), &.{ 3, 4, 1, 2 });
        near("softmax", t(&.{ 0, 0 }).softmax(-1), &.{ 0.5, 0.5 });
        near("permute", m.permute(&.{ 1, 0 }), &.{ 1, 3, 2, 4 });
        near("slice", a.slice(0, 1, 3), &.{ 2, 3 });
        near("step", a.sliceStep(0, 0, null, 2), &.{ 1, 3 });
        near("concat", berth.concat(0, &.{ t(&.{1}), t(&.{ 2, 3 }) }), &.{ 1, 2, 3 });
        near("broadcast", t(&.{5}).broadcast(&.{3}), &.{ 5, 5, 5 });
        near("flip", a.flip(-1), &.{ 4, 3, 2, 1 });
        near("pad", t(&.{ 1, 2 }).pad(.{ .constant = 9 }, &.{.{ 1, 0 }}), &.{ 9, 1, 2 });
        near("pade", t(&.{ 1, 2 }).pad(.edge, &.{.{ 1, 1 }}), &.{ 1, 1, 2, 2 });
        near("padr", t(&.{ 1, 2 }).pad(.reflect, &.{.{ 1, 1 }}), &.{ 2, 1, 2, 1 });
        near("padw", t(&.{ 1, 2 }).pad(.wrap, &.{.{ 1, 0 }}), &.{ 2, 1, 2 });
        near("gather", m.gather(1, .fromSlice(i64, &.{ 2, 2 }, &.{ 1, 0, 0, 1 })), &.{ 2, 1, 3, 4 });
        near("isel", m.indexSelect(0, idx), &.{ 3, 4, 1, 2 });
        inline for (.{ .nearest, .nearest_exact, .bilinear, .bicubic, .area, .lanczos }) |s| check("interp", m.reshape(&.{ 1, 1, 2, 2 }).interpolate(4, 6, s).elements() == 24);
        near("cast", t(&.{ 1.7, -2.2 }).cast(.i32), &.{ 1, -2 });
        near("sum", m.sum(&.{}, .drop), &.{10});
        near("sum0", m.sum(&.{0}, .keep), &.{ 4, 6 });
        near("mean", m.mean(&.{1}, .drop), &.{ 1.5, 3.5 });
        near("mx", m.max(&.{0}, .drop), &.{ 3, 4 });
        near("mn", m.min(&.{}, .keep), &.{1});
        near("argmax", m.argmax(1, .drop), &.{ 1, 1 });
        near("argmin", m.argmin(1, .keep), &.{ 0, 0 });
        near("argsort", t(&.{ 3, 1, 2 }).argsort(0, .descending), &.{ 0, 2, 1 });
        near("cumsum", a.cumulativeSum(0), &.{ 1, 3, 6, 10 });
        near("arange", .arange(.f32, 1, 0.5, 3), &.{ 1, 1.5, 2 });
        near("full", .full(.i64, &.{1}, 7), &.{7});
        check("scalar", try T.full(.f16, &.{}, 2).scalar() == 2);
        const up = try berth.Upload.begin(.f32, &.{2});
        try up.write(4, &.{ 0, 0, 128, 63 });
        near("upload", up.finish(), &.{ 0, 1 });
        const up2 = try berth.Upload.begin(.f32, &.{1});
        check("over", is(up2.write(2, &.{ 1, 2, 3, 4 }), error.InvalidArgument));
        const big = try berth.allocator.alloc(f32, (3 << 18) + 5);
        for (big, 0..) |*p, i| p.* = @floatFromInt(i);
        const bt = T.fromSlice(f32, &.{@intCast(big.len)}, big);
        check("big", std.mem.eql(f32, try bt.read(f32), big));
        check("range", (try a.readRange(4, 4))[3] == 64);
        check("range2", is(a.readRange(14, 4), error.InvalidArgument));
        const g1 = berth.Generator.seeded(42);
        near("rand42", g1.uniform(&.{2}), &.{ 0.8823, 0.9150 });
        check("n", std.mem.eql(f32, try berth.Generator.seeded(in.seed).normal(&.{3}).read(f32), try berth.Generator.seeded(in.seed).normal(&.{3}).read(f32)));
        g1.close();
        const bad = a.matmul(t(&.{ 1, 2, 3 })).add(a).relu();
        check("sticky", is(bad.check(), error.InvalidArgument) and bad.shape().len == 0);
        check("image", is(berth.Image.of(a), error.InvalidArgument));
        var cl = a.add(0);
        cl.close();
        check("closed", is(cl.add(1).check(), error.InvalidArgument));
        check("in", in.flag and in.seed == std.math.maxInt(u64) and in.low == std.math.minInt(i64) and in.number == 0.5 and std.mem.eql(u8, in.text, "hi\nthere") and in.choice == .b and in.maybe == null and in.maybe_n == null and in.prompt.text.len > 10 and std.mem.eql(u8, in.id.text, "2") and std.mem.eql(u8, in.pick, "two"));
        // Objects.
        const list = try berth.List.create(.{ 1, "two", a, &[_]f64{ 1, 2 }, @as(u64, std.math.maxInt(u64)), @as(i64, std.math.minInt(i64)) });
        var obj = try berth.Object.create("THING", .{ .b = true, .i = -5, .u = @as(u64, std.math.maxInt(u64)), .n = 2.5, .t = "text", .y = berth.Bytes{ .data = &.{ 1, 2 } }, .x = a, .l = list, .e = "", .none = @as(?f64, null), .two_words = 1 });
        obj = try obj.replace(.{ .n = 3.5 });
        check("names", obj.fieldNames().len == 10 and std.mem.eql(u8, obj.typeName(), "THING"));
        check("of", try obj.get(bool, "b") and try obj.get(i8, "i") == -5 and try obj.get(u64, "u") == std.math.maxInt(u64) and try obj.get(f64, "n") == 3.5 and std.mem.eql(u8, try obj.get([]const u8, "t"), "text") and (try obj.get(berth.Bytes, "y")).data[1] == 2 and (try obj.get([]const u8, "e")).len == 0 and try obj.get(u8, "two-words") == 1);
        near("ox", try obj.get(T, "x"), &.{ 1, 2, 3, 4 });
        check("r", is(obj.get(u8, "i"), error.InvalidArgument));
        berth.context.log(.warn, "{s}", .{berth.latest().?.message});
        check("r2", is(obj.get(i32, "n"), error.InvalidArgument));
        berth.context.log(.warn, "{s}", .{berth.latest().?.message});
        check("r3", is(obj.get(i32, "zz"), error.InvalidArgument) and try obj.find(f64, "zz") == null);
        berth.context.log(.warn, "{s}", .{berth.latest().?.message});
        const l = try obj.get(berth.List, "l");
        check("list", l.len() == 6 and try l.get(u64, 4) == std.math.maxInt(u64) and try l.get(i64, 5) == std.math.minInt(i64) and (try l.get([]f64, 3))[1] == 2 and is(l.get(i64, 6), error.NotFound));
        check("any", (try l.get(berth.Any, 1)) == .text and try (try l.get(berth.Any, 0)).as(i32) == 1);
        // Functions and wires.
        const f = try berth.Function.create("denoise", .{ .gain = 2.0, .weight = a });
        const model = try berth.Model.create(.{ .denoise = f, .prediction = .flow, .alphas = .ones(.f64, &.{4}), .latent_channels = 4, .latent_scale = 0.5, .latent_shift = 0.1 });
        near("denoise", try model.denoise(a, 1, b, b), &.{ 5, 7, 9, 11 });
        near("denoise0", try model.denoise(a, 1, b, null), &.{ 3, 5, 7, 9 });
        const p = try model.parts();
        check("parts", p.prediction == .flow and p.latent_channels == 4 and p.latent_scale == 0.5);
        const clip = try berth.Clip.create(try .create("encode-text", .{}));
        const cond = try clip.encode("hello");
        const es = try cond.entries();
        check("es", es.len == 2 and try es[0].pooled() == null);
        near("emb", try es[1].embedding(), &.{ 5, 5, 5, 5, 5, 5 });
        const vae = try berth.Vae.create(.{ .encode = try .create("enc", .{}), .decode = try .create("dec", .{}), .latent_scale = 1, .latent_shift = 0, .downscale = 8 });
        const im = T.ones(.f32, &.{ 1, 2, 2, 3 });
        near("vae", (try vae.decode(try vae.encode(im))).sum(&.{}, .drop), &.{12});
        check("vp", (try vae.parts()).downscale == 8);
        check("failed", is(vae.decode(T.ones(.f32, &.{ 1, 2, 2, 2 })), error.Failed) and std.mem.eql(u8, berth.latest().?.code, "bad-latent") and std.mem.eql(u8, berth.latest().?.hint, "use another"));
        for (0..9) |k| {
            const fk = try berth.Function.create("fails", .{ .kind = k });
            check(berth.print("kind {d}", .{k}), is(fk.call(.{}), kinds[k]));
            berth.context.log(.warn, "{d} {s} {any}", .{ k, berth.latest().?.message, berth.latest().?.shortage });
        }
        for (100..103) |k| {
            const fk = try berth.Function.create("fails", .{ .kind = k });
            _ = fk.call(.{}) catch |e| berth.context.log(.warn, "{d} {t} {s}", .{ k, e, berth.latest().?.message });
            fk.close();
        }
        check("nofn", is((try berth.Function.create("nothing", .{})).call(.{}), error.InvalidArgument));
        var latent = try berth.Latent.create(a.reshape(&.{ 1, 1, 2, 2 }));
        check("nm", try latent.noiseMask() == null);
        latent = try (try latent.withNoiseMask(b)).withSamples(a.reshape(&.{ 1, 4, 1, 1 }));
        near("nm2", (try latent.noiseMask()).?, &.{ 2, 2, 2, 2 });
        near("smp", try latent.samples(), &.{ 1, 2, 3, 4 });
        // Model files.
        const mf = try berth.ModelFile.open("upscale_models", "tiny-upscaler.safetensors");
        check("mf", mf.keys().len == 6 and mf.metadataNames().len == 0 and mf.metadata("no") == null and mf.info("no") == null and mf.info("0.weight").?.shape[0] == 16 and is(mf.weight("no").check(), error.NotFound) and berth.ModelFile.available("upscale_models").len == 1 and mf.label().len == 25);
        check("open", is(berth.ModelFile.open("upscale_models", "no"), error.NotFound) or is(berth.ModelFile.open("upscale_models", "no"), error.InvalidArgument));
        // Context.
        inline for (.{ .trace, .debug, .info, .warn, .err }) |level| berth.context.log(level, "level {s}", .{"x"});
        berth.context.progress(1, 2);
        try berth.context.preview(im.reshape(&.{ 2, 2, 3 }));
        check("prev", is(berth.context.preview(a), error.InvalidArgument));
        check("canc", !berth.context.cancelled());
        const art = try berth.context.save(.temporary, "files", "sub/zig", "txt", "x");
        berth.context.log(.warn, "{s} {s} {t}", .{ art.name, art.subfolder, art.place });
        check("ri", (try berth.context.readInput("x.png")).len > 100 and (try berth.context.inputFingerprint("x.png")).len > 4);
        // Memory.
        const st = berth.memory.snapshot();
        check("st", st.tiers.len == 3 and st.plugins.len > 0 and st.tiers[0].limit != null);
        berth.context.log(.warn, "{d} {d}", .{ try berth.memory.offload(obj), try berth.memory.restore(obj) });
        const id = try berth.memory.remember(obj);
        check("ro", std.mem.eql(u8, (try berth.memory.recall(id)).typeName(), "THING"));
        try berth.memory.keep(obj, .host, true);
        check("keep", is(berth.memory.keep(obj, .disk, true), error.InvalidArgument));
        berth.memory.keepNothing();
        _ = try berth.memory.makeFree(.device, 1);
        check("forget", berth.memory.forget(id) and berth.memory.forgetAll() == 0 and is(berth.memory.recall(id), error.NotFound));
        berth.memory.clearResults();
        // Pressure.
        var pr = T.zeros(.f32, &.{ 1024, 1024, 16 });
        const scope = berth.Scope.begin();
        for (0..300) |_| {
            pr = scope.keep(pr.add(1).mul(2).sub(pr));
        }
        near("pr", pr.slice(0, 0, 1).slice(1, 0, 1).slice(2, 0, 1), &.{600});
        var ab = a;
        const scope2 = berth.Scope.begin();
        for (0..150000) |_| {
            ab = scope2.keep(ab.add(0));
        }
        near("ab", ab, &.{ 1, 2, 3, 4 });
        berth.context.showText(berth.print("problems: {s}", .{problems.items}));
        return .{ .picture = try .of(im), .mask = try .of(im.slice(3, 0, 1).reshape(&.{ 1, 2, 2 })), .seed = in.seed, .text = "text", .thing = obj, .list = &.{ 1, std.math.minInt(i64) }, .model = model, .clip = clip, .vae = vae, .latent = latent, .cond = cond };
    }
};

const Second = struct {
    picture: berth.Image,
    mask: berth.Mask,
    seed: u64,
    text: []const u8,
    thing: berth.Object,
    list: []const i64,
    model: berth.Model,
    clip: berth.Clip,
    vae: berth.Vae,
    latent: berth.Latent,
    cond: berth.Conditioning,
    any: berth.Any,
    low: i64 = 0,
    pub const about: berth.About = .{ .output_node = true };
    pub const inputs = .{ .thing = .{ .type = "THING" }, .list = .{ .type = "LIST" } };
    pub fn run(in: Second) !void {
        near("den", try in.model.denoise(t(&.{1}), 1, t(&.{1}), t(&.{1})), &.{4});
        _ = try in.clip.encode("x");
        near("v", (try in.vae.encode(in.picture.tensor)).sum(&.{}, .drop), &.{12});
        near("l", try in.latent.samples(), &.{ 1, 2, 3, 4 });
        check("s", in.seed == std.math.maxInt(u64) and in.list[1] == std.math.minInt(i64) and in.low == std.math.minInt(i64) and in.any.integer == std.math.maxInt(u64));
        berth.context.showText(berth.print("second: {s}", .{problems.items}));
    }
};
const LazyOne = struct {
    which: bool,
    a: ?berth.Any,
    b: ?berth.Any,
    pub const about: berth.About = .{};
    pub const inputs = .{ .a = .{ .lazy = true }, .b = .{ .lazy = true } };
    pub const outputs = .{ .out = .{ .passes = "a" } };
    pub fn needs(given: berth.Given(LazyOne)) ![]const []const u8 {
        return if ((try given.get(.which)).?) &.{"a"} else &.{"b"};
    }
    pub fn run(in: LazyOne) !struct { out: berth.Any } {
        return .{ .out = if (in.which) in.a.? else in.b.? };
    }
};
const Breaks = struct {
    how: u8 = 0,
    pub const about: berth.About = .{ .output_node = true };
    pub fn run(in: Breaks) !void {
        switch (in.how) {
            0 => return berth.failed("code", "message", "hint"),
            1 => @panic("at the disco"),
            2 => _ = try T.zeros(.f32, &.{2}).add(T.zeros(.f32, &.{3})).check(),
            else => return error.PlainZigError,
        }
    }
};

// Every calls every function of the SDK once, and shows what went wrong as a text.
package main

import (
	"errors"
	"fmt"
	"math"

	"berth"
	"berth/memory"
)

type everything struct {
	Flag     bool         `default:"true" tooltip:"flag"`
	Seed     uint64       `seed:"true" default:"18446744073709551615" max:"18446744073709551615" min:"0"`
	Low      int64        `default:"-9223372036854775808" min:"-9223372036854775808" max:"9223372036854775807"`
	Number   float32      `default:"0.5" step:"0.1"`
	Text     string       `multiline:"true" default:"hi\nthere"`
	Choice   string       `choices:"a|b" default:"b"`
	Maybe    *berth.Mask  `tooltip:"left out"`
	MaybeN   *float64     `default:"3"`
	Img      *berth.Image `type:"IMAGE,MASK"`
	ID       berth.UniqueID
	Prompt   berth.Prompt
	Extra    berth.ExtraPNGInfo
	Whatever *berth.Any
}
type outs struct {
	Picture berth.Image `name:"picture" tooltip:"the picture"`
	Mask    berth.Mask
	Seed    uint64
	Text    string
	Thing   *berth.Object `type:"THING"`
	List    []int64       `type:"LIST"`
	Model   berth.Model
	Clip    berth.CLIP
	Vae     berth.VAE
	Latent  berth.Latent
	Cond    berth.Conditioning
}

func (e everything) Validate() error {
	if e.Text == "bad" {
		return errors.New("the text is bad")
	}
	return nil
}
func (e everything) Fingerprint() (string, error) { return fmt.Sprint("fp", e.Seed), nil }

var _ = berth.Node("Everything", berth.About{Category: "test", Description: "d", Aliases: []string{"all"}, Experimental: true, DisplayName: "Every thing"}, run)

type capd struct {
	Gain   float64
	Weight *berth.Tensor
}
type dargs struct {
	Latent       *berth.Tensor
	Timestep     float64
	Conditioning *berth.Tensor
	Pooled       *berth.Tensor `name:"pooled"`
}
type dres struct{ Prediction *berth.Tensor }

var denoise = berth.Func("denoise", func(c capd, a dargs) (dres, error) {
	return dres{a.Latent.MulN(c.Gain).AddN(a.Timestep).Add(a.Pooled)}, nil
})
var encodeText = berth.Func("encode-text", func(c struct{}, a struct{ Text string }) (struct{ Conditioning berth.Conditioning }, error) {
	var r struct{ Conditioning berth.Conditioning }
	e, err := berth.NewEntry(berth.Full(berth.F32, float64(len(a.Text)), 1, 2, 3), nil)
	if err != nil {
		return r, err
	}
	r.Conditioning, err = berth.NewConditioning(e, e)
	return r, err
})
var enc = berth.Func("enc", func(c struct{}, a struct{ Image *berth.Tensor }) (struct{ Latent *berth.Tensor }, error) {
	return struct{ Latent *berth.Tensor }{a.Image.Permute(0, 3, 1, 2)}, nil
})
var dec = berth.Func("dec", func(c struct{}, a struct{ Latent *berth.Tensor }) (struct{ Image *berth.Tensor }, error) {
	if a.Latent.Dim(1) != 3 {
		return struct{ Image *berth.Tensor }{}, berth.Failed("bad-latent", "bad latent", "use another")
	}
	return struct{ Image *berth.Tensor }{a.Latent.Permute(0, 2, 3, 1)}, nil
})
var fails = berth.Func("fails", func(c struct{ Kind int }, a struct{}) (struct{}, error) {
	s := berth.Shortage{Tier: berth.Host, Requested: 1, Limit: 2, Used: 3}
	if c.Kind == 100 {
		var p []int
		_ = p[c.Kind]
	}
	if c.Kind == 101 {
		x := berth.Zeros(berth.F32, 2).MatMul(berth.Zeros(berth.F32, 3))
		_ = x.Shape()[1]
	}
	if c.Kind == 102 {
		return struct{}{}, errors.New("plain")
	}
	return struct{}{}, fmt.Errorf("w: %w", &berth.Error{Kind: berth.Kind(c.Kind), Message: "m", Code: "c", Hint: "h", Shortage: s})
})

var problems []string

func check(name string, ok bool) {
	if !ok {
		problems = append(problems, name)
	}
}
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
func near(name string, x *berth.Tensor, want ...float64) {
	got, err := berth.Read[float64](x)
	if err != nil {
		problems = append(problems, name+": "+err.Error())
		return
	}
	if len(got) != len(want) {
		problems = append(problems, fmt.Sprint(name, got, want))
		return
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) < 1e-4 || math.IsNaN(want[i])) {
			problems = append(problems, fmt.Sprint(name, got, want))
			return
		}
	}
}
func t(v ...float32) *berth.Tensor { return berth.FromSlice(v, len(v)) }

func run(in everything) (o outs, err error) {
	problems = nil
	a, b := t(1, 2, 3, 4), t(2, 2, 2, 2)
	near("add", a.Add(b), 3, 4, 5, 6)
	near("sub", a.Sub(b), -1, 0, 1, 2)
	near("mul", a.Mul(b), 2, 4, 6, 8)
	near("div", a.Div(b), .5, 1, 1.5, 2)
	near("addn", a.AddN(1), 2, 3, 4, 5)
	near("subn", a.SubN(1), 0, 1, 2, 3)
	near("nsub", a.NSub(1), 0, -1, -2, -3)
	near("muln", a.MulN(2), 2, 4, 6, 8)
	near("divn", a.DivN(2), .5, 1, 1.5, 2)
	near("ndiv", a.NDiv(12), 12, 6, 4, 3)
	near("min", a.Minimum(b), 1, 2, 2, 2)
	near("max", a.Maximum(b), 2, 2, 3, 4)
	near("eq", a.Eq(b), 0, 1, 0, 0)
	near("ne", a.Ne(b), 1, 0, 1, 1)
	near("lt", a.Lt(b), 1, 0, 0, 0)
	near("le", a.Le(b), 1, 1, 0, 0)
	near("gt", a.Gt(b), 0, 0, 1, 1)
	near("ge", a.Ge(b), 0, 1, 1, 1)
	near("eqn", a.EqN(2), 0, 1, 0, 0)
	near("nen", a.NeN(2), 1, 0, 1, 1)
	near("ltn", a.LtN(2), 1, 0, 0, 0)
	near("len", a.LeN(2), 1, 1, 0, 0)
	near("gtn", a.GtN(2), 0, 0, 1, 1)
	near("gen", a.GeN(2), 0, 1, 1, 1)
	near("choose", a.GtN(2).Choose(a, b), 2, 2, 3, 4)
	near("affine", a.Affine(2, 1), 3, 5, 7, 9)
	near("power", a.Power(2), 1, 4, 9, 16)
	near("clamp", a.Clamp(2, 3), 2, 2, 3, 3)
	x := 0.7
	one := berth.FromSlice([]float64{x}, 1)
	sg := 1 / (1 + math.Exp(-x))
	phi := 0.5 * (1 + math.Erf(x/math.Sqrt2))
	sp := math.Log(1 + math.Exp(x))
	for n, p := range map[string][2]any{"neg": {one.Neg(), -x}, "abs": {one.Neg().Abs(), x}, "sign": {one.Sign(), 1.0}, "recip": {one.Recip(), 1 / x}, "sqrt": {one.Sqrt(), math.Sqrt(x)}, "rsqrt": {one.Rsqrt(), 1 / math.Sqrt(x)}, "exp": {one.Exp(), math.Exp(x)}, "log": {one.Log(), math.Log(x)}, "sin": {one.Sin(), math.Sin(x)}, "cos": {one.Cos(), math.Cos(x)}, "tanh": {one.Tanh(), math.Tanh(x)}, "erf": {one.Erf(), math.Erf(x)}, "floor": {one.Floor(), 0.0}, "ceil": {one.Ceil(), 1.0}, "round": {one.Round(), 1.0}, "relu": {one.Neg().ReLU(), 0.0}, "sigmoid": {one.Sigmoid(), sg}, "silu": {one.SiLU(), x * sg}, "gelu": {one.GELU(), x * phi}, "gelut": {one.GELUTanh(), 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))}, "geluq": {one.GELUQuick(), x / (1 + math.Exp(-1.702*x))}, "softplus": {one.Softplus(), sp}, "mish": {one.Mish(), x * math.Tanh(sp)}} {
		near(n, p[0].(*berth.Tensor), p[1].(float64))
	}
	m := a.Reshape(2, 2)
	near("matmul", m.MatMul(m), 7, 10, 15, 22)
	near("linear", m.Linear(m, t(1, 1)), 6, 12, 12, 26)
	near("linear0", m.Linear(m, nil), 5, 11, 11, 25)
	near("conv1d", a.Reshape(1, 1, 4).Conv1D(t(1, 1).Reshape(1, 1, 2), t(1), berth.Walk{Stride: 2}), 4, 8)
	near("conv2d", a.Reshape(1, 1, 2, 2).Conv2D(t(1, 1, 1, 1).Reshape(1, 1, 2, 2), nil, berth.Walk{Dilation: 1}), 10)
	check("convt", fmt.Sprint(a.Reshape(1, 1, 2, 2).ConvTranspose2D(t(1, 1, 1, 1).Reshape(1, 1, 2, 2), t(0), berth.Walk{Stride: 2}, 1).Shape()) == "[1 1 5 5]")
	near("groupnorm", m.Reshape(1, 2, 2).GroupNorm(1, nil, nil, 0), -1.3416, -.4472, .4472, 1.3416)
	near("layernorm", m.LayerNorm(t(1, 1), t(0, 1), 0), -1, 2, -1, 2)
	near("rms", m.RMSNorm(nil, 0), 0.63245, 1.26491, .848528, 1.13137)
	q := a.Reshape(1, 2, 2)
	check("attn", fmt.Sprint(q.Attention(q, q, berth.Attend{Heads: 2, Causal: true}).Shape()) == "[1 2 2]")
	near("attn1", q.Attention(q, q, berth.Attend{Mask: berth.FromSlice([]uint8{0, 1}, 1, 1, 1, 2), Scale: 1}).Slice(1, 0, 1), 3, 4)
	near("rotary", m.Rotary(t(1, 1).Reshape(2, 1), t(0, 0).Reshape(2, 1), true), 1, 2, 3, 4)
	idx := berth.FromSlice([]uint32{1, 0}, 2)
	near("embedding", idx.Embedding(m), 3, 4, 1, 2)
	near("softmax", t(0, 0).Softmax(-1), .5, .5)
	near("permute", m.Permute(1, 0), 1, 3, 2, 4)
	near("slice", a.Slice(0, 1, 3), 2, 3)
	near("slicestep", a.SliceStep(0, 0, -1, 2), 1, 3)
	near("concat", berth.Concat(0, t(1), t(2, 3)), 1, 2, 3)
	near("broadcast", t(5).Broadcast(3), 5, 5, 5)
	near("flip", a.Flip(-1), 4, 3, 2, 1)
	near("pad", t(1, 2).Pad(berth.Constant(9), [2]int{1, 0}), 9, 1, 2)
	near("pade", t(1, 2).Pad(berth.Edge, [2]int{1, 1}), 1, 1, 2, 2)
	near("padr", t(1, 2).Pad(berth.Reflect, [2]int{1, 1}), 2, 1, 2, 1)
	near("padw", t(1, 2).Pad(berth.Wrap, [2]int{1, 0}), 2, 1, 2)
	near("gather", m.Gather(1, berth.FromSlice([]int64{1, 0, 0, 1}, 2, 2)), 2, 1, 3, 4)
	near("isel", m.IndexSelect(0, idx), 3, 4, 1, 2)
	for s := berth.Nearest; s <= berth.Lanczos; s++ {
		check(fmt.Sprint("interp", s), fmt.Sprint(m.Reshape(1, 1, 2, 2).Interpolate(4, 6, s).Shape()) == "[1 1 4 6]")
	}
	near("cast", t(1.7, -2.2).Cast(berth.I32), 1, -2)
	near("sum", m.Sum(), 10)
	near("sum0", m.Sum(0), 4, 6)
	check("sumk", fmt.Sprint(m.SumKeep(-1).Shape()) == "[2 1]")
	near("mean", m.Mean(1), 1.5, 3.5)
	near("mx", m.Max(0), 3, 4)
	near("mn", m.MinKeep(), 1)
	near("meank", m.MeanKeep(), 2.5)
	near("maxk", m.MaxKeep(0), 3, 4)
	near("min1", m.Min(1), 1, 3)
	near("argmax", m.ArgMax(1, false), 1, 1)
	near("argmin", m.ArgMin(1, true), 0, 0)
	near("argsort", t(3, 1, 2).ArgSort(0, true), 0, 2, 1)
	near("cumsum", a.CumSum(0), 1, 3, 6, 10)
	near("ones", berth.Ones(berth.F16, 2), 1, 1)
	near("full", berth.Full(berth.I64, 7, 1), 7)
	near("arange", berth.Arange(berth.F32, 1, .5, 3), 1, 1.5, 2)
	near("scalar", berth.Full(berth.F32, 2), 2)
	up := berth.NewUpload(berth.F32, 2)
	up.WriteAt([]byte{0, 0, 128, 63}, 4)
	near("upload", up.Finish(), 0, 1)
	up2 := berth.NewUpload(berth.F32, 1)
	up2.Write(make([]byte, 9))
	check("upload over", errors.Is(up2.Finish().Err(), berth.ErrInvalidArgument))
	big := make([]float32, 3<<18+5)
	for i := range big {
		big[i] = float32(i)
	}
	bt := berth.FromSlice(big, len(big))
	back, err := bt.Floats()
	check("big", err == nil && len(back) == len(big) && back[len(big)-1] == big[len(big)-1] && back[1<<18] == big[1<<18])
	bb := must(bt.Bytes())
	check("bytes", len(bb) == 4*len(big))
	rr := must(a.ReadRange(4, 4))
	check("range", len(rr) == 4 && rr[3] == 64)
	g1, g2 := berth.Seeded(in.Seed), berth.Seeded(in.Seed)
	check("gen", fmt.Sprint(must(g1.Normal(3).Floats())) == fmt.Sprint(must(g2.Normal(3).Floats())))
	g3 := berth.Seeded(42)
	near("rand42", g3.Uniform(2), 0.8823, 0.9150)
	_, err = a.ReadRange(14, 4)
	check("read err", errors.Is(err, berth.ErrInvalidArgument))
	check("from err", berth.FromSlice([]float32{1}, 2).Err() != nil)
	check("neg shape", a.Reshape(-1).Err() != nil)
	bad := a.MatMul(t(1, 2, 3)).Add(a).ReLU()
	check("sticky", bad.Err() != nil && len(bad.Shape()) == 0)
	check("image err", berth.NewImage(a).Err() != nil)
	var nilT *berth.Tensor
	check("nil", nilT.AddN(1).Err() != nil && !nilT.Given())
	c := a.AddN(0)
	c.Close()
	check("closed", c.AddN(1).Err() != nil)
	// Inputs.
	check("in", in.Flag && in.Seed == math.MaxUint64 && in.Low == math.MinInt64 && in.Number == 0.5 && in.Text == "hi\nthere" && in.Choice == "b" && in.Maybe == nil && in.MaybeN == nil && in.ID == "2" && len(in.Prompt) > 10)
	// Objects.
	list := must(berth.NewList(1, "two", a, []float64{1, 2}, uint64(math.MaxUint64), int64(math.MinInt64)))
	obj := must(berth.NewObject("THING", berth.Fields{"b": true, "i": -5, "u": uint64(math.MaxUint64), "n": 2.5, "t": "text", "y": []byte{1, 2}, "x": a, "l": list, "e": ""}))
	obj = must(obj.With(berth.Fields{"n": 3.5}))
	check("names", len(obj.Names()) == 9 && obj.TypeName() == "THING")
	check("of", must(berth.Field[bool](obj, "b")) && must(berth.Field[int8](obj, "i")) == -5 && must(berth.Field[uint64](obj, "u")) == math.MaxUint64 && must(berth.Field[float64](obj, "n")) == 3.5 && must(berth.Field[string](obj, "t")) == "text" && len(must(berth.Field[[]byte](obj, "y"))) == 2 && must(berth.Field[string](obj, "e")) == "")
	near("ox", must(berth.Field[*berth.Tensor](obj, "x")), 1, 2, 3, 4)
	_, err = berth.Field[uint8](obj, "i")
	check("range err: "+fmt.Sprint(err), errors.Is(err, berth.ErrInvalidArgument))
	fmt.Println(err)
	_, err = berth.Field[int](obj, "n")
	fmt.Println(err)
	_, err = berth.Field[int](obj, "zz")
	fmt.Println(err)
	_, there := obj.Get("zz")
	check("get", !there)
	l := must(berth.Field[*berth.List](obj, "l"))
	check("list", l.Len() == 6)
	v4 := must(berth.As[uint64](must(l.At(4))))
	v5 := must(berth.As[int64](must(l.At(5))))
	check("v", v4 == math.MaxUint64 && v5 == math.MinInt64)
	check("nested", fmt.Sprint(must(berth.As[[]float64](must(l.At(3))))) == "[1 2]")
	_, err = l.At(6)
	check("at", errors.Is(err, berth.ErrNotFound))
	// Functions and wires.
	fn := must(denoise.With(capd{Gain: 2, Weight: a}))
	o.Model = must(berth.NewModel(berth.ModelParts{Denoise: fn, Prediction: berth.Flow, Alphas: berth.Ones(berth.F64, 4), LatentChannels: 4, LatentScale: .5, LatentShift: .1}))
	near("denoise", o.Model.Denoise(a, 1, b, b), 5, 7, 9, 11)
	p := must(o.Model.Parts())
	check("parts", p.Prediction == berth.Flow && p.LatentChannels == 4 && p.LatentScale == .5)
	o.Clip = must(berth.NewCLIP(must(encodeText.With(struct{}{}))))
	o.Cond = must(o.Clip.Encode("hello"))
	es := must(o.Cond.Entries())
	check("es", len(es) == 2 && es[0].Pooled() == nil)
	near("emb", es[1].Embedding(), 5, 5, 5, 5, 5, 5)
	o.Vae = must(berth.NewVAE(berth.VAEParts{Encode: must(enc.With(struct{}{})), Decode: must(dec.With(struct{}{})), LatentScale: 1, Downscale: 8}))
	im := berth.Ones(berth.F32, 1, 2, 2, 3)
	near("vae", o.Vae.Decode(o.Vae.Encode(im)).Sum(), 12)
	vp := must(o.Vae.Parts())
	check("vp", vp.Downscale == 8)
	fe := o.Vae.Decode(berth.Ones(berth.F32, 1, 2, 2, 2)).Err()
	var be *berth.Error
	check("failed", errors.As(fe, &be) && be.Code == "bad-latent" && be.Hint == "use another")
	for k := 0; k < 9; k++ {
		_, err := must(fails.With(struct{ Kind int }{k})).Call(nil)
		errors.As(err, &be)
		check(fmt.Sprint("kind", k, err), be != nil && be.Kind == berth.Kind(k))
		fmt.Println(k, err)
	}
	for k := 100; k < 103; k++ {
		_, err := must(fails.With(struct{ Kind int }{k})).Call(nil)
		fmt.Println(k, err)
	}
	o.Latent = must(berth.NewLatent(a.Reshape(1, 1, 2, 2)))
	check("nm", o.Latent.NoiseMask() == nil)
	o.Latent = must(must(o.Latent.WithNoiseMask(b)).WithSamples(a.Reshape(1, 4, 1, 1)))
	near("nm2", o.Latent.NoiseMask(), 2, 2, 2, 2)
	near("smp", o.Latent.Samples(), 1, 2, 3, 4)
	// Model files.
	fmt.Println(berth.Models("upscale_models"))
	mf := must(berth.OpenModel("upscale_models", "tiny-upscaler.safetensors"))
	fmt.Println(mf.Label(), mf.Keys(), mf.MetadataNames())
	dt, sh, ok := mf.Info("0.weight")
	fmt.Println(dt, sh, ok, mf.Weight("0.weight"))
	_, _, ok = mf.Info("no")
	check("info", !ok)
	check("now", errors.Is(mf.Weight("no").Err(), berth.ErrNotFound))
	_, ok = mf.Metadata("no")
	check("meta", !ok)
	_, err = berth.OpenModel("upscale_models", "no")
	check("open", err != nil)
	fmt.Println(err)
	// Context.
	for lv := berth.Trace; lv <= berth.Severe; lv++ {
		berth.Log(lv, "level %d", lv)
	}
	berth.Progress(1, 2)
	check("prev", berth.Preview(im.Reshape(2, 2, 3)) == nil)
	check("prev2", berth.Preview(a) != nil)
	check("canc", !berth.IsCancelled())
	art := must(berth.Save(berth.Temporary, "files", "sub/go", "txt", []byte("x")))
	fmt.Println(art)
	ri := must(berth.ReadInput("x.png"))
	fpp := must(berth.InputFingerprint("x.png"))
	check("ri", len(ri) > 100 && len(fpp) > 4)
	// Memory.
	st := memory.Snapshot()
	fmt.Println(len(st.Tiers), st.Plugins, st.Tiers[0].Limit != nil)
	fmt.Println(memory.Offload(obj))
	fmt.Println(memory.Restore(obj))
	id := must(memory.Remember(obj))
	ro := must(memory.Recall(id))
	check("ro", ro.TypeName() == "THING")
	check("keep", memory.Keep(obj, berth.Host, true) == nil && memory.Keep(obj, berth.Disk, true) != nil)
	memory.KeepNothing()
	fmt.Println(memory.MakeFree(berth.Device, 1))
	check("forget", memory.Forget(id))
	fmt.Println(memory.ForgetAll())
	memory.ClearResults()
	_, err = memory.Recall(id)
	check("recall", errors.Is(err, berth.ErrNotFound))
	o.Picture, o.Mask, o.Seed, o.Text, o.Thing, o.List = berth.NewImage(im), berth.NewMask(im.Slice(3, 0, 1).Reshape(1, 2, 2)), in.Seed, fmt.Sprint(problems), obj, []int64{1, math.MinInt64}
	// Pressure.
	pr := berth.Zeros(berth.F32, 1024, 1024, 16)
	for i := 0; i < 1000; i++ {
		pr = pr.AddN(1)
	}
	near("pr", pr.Slice(0, 0, 1).Slice(1, 0, 1).Slice(2, 0, 1), 1000)
	for i := 0; i < 150000; i++ {
		a = a.AddN(0)
	}
	berth.ShowText(fmt.Sprint("problems: ", problems))
	return o, nil
}

type second struct {
	Picture berth.Image
	Mask    berth.Mask
	Seed    uint64
	Text    string
	Thing   *berth.Object `type:"THING"`
	List    []int64       `type:"LIST"`
	Model   berth.Model
	Clip    berth.CLIP
	Vae     berth.VAE
	Latent  berth.Latent
	Cond    berth.Conditioning
	Any     berth.Any
	Low     int64 `default:"0"`
}

var _ = berth.Node("Second", berth.About{Category: "test", OutputNode: true}, func(in second) (struct{}, error) {
	problems = nil
	near("den", in.Model.Denoise(t(1), 1, t(1), t(1)), 4)
	must(in.Clip.Encode("x"))
	near("v", in.Vae.Encode(in.Picture.Tensor).Sum(), 12)
	near("l", in.Latent.Samples(), 1, 2, 3, 4)
	es := must(in.Cond.Entries())
	check("es", len(es) == 2)
	check("s", in.Seed == math.MaxUint64 && in.List[1] == math.MinInt64 && in.Low == math.MinInt64 && in.Any.Value.(berth.Integer).Magnitude == math.MaxUint64)
	berth.ShowText(fmt.Sprint("second: ", problems, in.Text))
	return struct{}{}, nil
})

type lazy struct {
	Which bool
	A     *berth.Any `lazy:"true"`
	B     *berth.Any `lazy:"true"`
}

func (l lazy) Needs() ([]string, error) {
	if l.Which {
		return []string{"a"}, nil
	}
	return []string{"b"}, nil
}

var _ = berth.Node("LazyOne", berth.About{}, func(in lazy) (struct {
	Out berth.Any `passes:"a"`
}, error) { var o struct {
	Out berth.Any `passes:"a"`
}; if in.Which {
	o.Out = *in.A
	return o, nil
}; o.Out = *in.B; return o, nil })
var _ = berth.Node("Breaks", berth.About{OutputNode: true}, func(in struct {
	How int `default:"0"`
}) (struct{}, error) { switch in.How {
case 0:
	return struct{}{}, berth.Failed("code", "message", "hint")
case 1:
	_ = []int{}[in.How]
case 2:
	return struct{}{}, berth.Zeros(berth.F32, 2).Add(berth.Zeros(berth.F32, 3)).Err()
}; return struct{}{}, errors.New("plain") })

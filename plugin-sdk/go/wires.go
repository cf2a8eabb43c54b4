package berth

import "fmt"

// Image is a batch of images: a tensor [batch, height, width, channels], F32, 0…1.
// Its tensor's methods are all there.
type Image struct{ *Tensor }

// Mask is a batch of masks: a tensor [batch, height, width], F32, 0…1.
type Mask struct{ *Tensor }

// shaped is a tensor of F32 and a rank, or a failed one that says what was expected.
func shaped(x *Tensor, rank int, expected string) *Tensor {
	if x.Err() == nil && (x.DType() != F32 || len(x.Shape()) != rank) {
		return broken(mismatch(expected, x))
	}
	return x
}

const (
	imageShape = "a f32 tensor [batch, height, width, channels]"
	maskShape  = "a f32 tensor [batch, height, width]"
)

// NewImage is a tensor as an image. Where its dtype or its number of dimensions is another, the
// image's tensor is a failed one.
func NewImage(x *Tensor) Image { return Image{shaped(x, 4, imageShape)} }

// NewMask is a tensor as a mask. Where its dtype or its number of dimensions is another, the
// mask's tensor is a failed one.
func NewMask(x *Tensor) Mask { return Mask{shaped(x, 3, maskShape)} }

// Size is the dimensions of the batch; zeros where there is no image.
func (i Image) Size() (batch, height, width, channels int) {
	return i.Dim(0), i.Dim(1), i.Dim(2), i.Dim(3)
}

// Size is the dimensions of the batch; zeros where there is no mask.
func (m Mask) Size() (batch, height, width int) { return m.Dim(0), m.Dim(1), m.Dim(2) }

// WireType is IMAGE.
func (Image) WireType() string { return "IMAGE" }

// ToWire is the tensor.
func (i Image) ToWire() any { return shaped(i.Tensor, 4, imageShape) }

// FromWire takes a tensor of four dimensions, F32.
func (i *Image) FromWire(value any) error { return tensorWire(&i.Tensor, value, 4, imageShape) }

// WireType is MASK.
func (Mask) WireType() string { return "MASK" }

// ToWire is the tensor.
func (m Mask) ToWire() any { return shaped(m.Tensor, 3, maskShape) }

// FromWire takes a tensor of three dimensions, F32.
func (m *Mask) FromWire(value any) error { return tensorWire(&m.Tensor, value, 3, maskShape) }

func tensorWire(target **Tensor, value any, rank int, expected string) error {
	x, ok := value.(*Tensor)
	if !ok {
		return mismatch(expected, value)
	}
	*target = shaped(x, rank, expected)
	return (*target).Err()
}

func objectWire(target **Object, value any, typeName string) error {
	object, ok := value.(*Object)
	if !ok || object.TypeName() != typeName {
		return mismatch("a "+typeName, value)
	}
	*target = object
	return nil
}

// tensorField is a field that is a tensor, as a tensor that may have failed.
func tensorField(o *Object, name string) *Tensor {
	x, err := Field[*Tensor](o, name)
	if err != nil {
		return broken(err)
	}
	return x
}

// optionalTensor is a field that is a tensor, or nil where there is no such field.
func optionalTensor(o *Object, name string) *Tensor {
	if o != nil {
		if _, there := o.Get(name); !there {
			return nil
		}
	}
	return tensorField(o, name)
}

// Latent is a batch of latents, and the mask of what a sampler may change in them. Its object has
// the fields that this type does not know, too.
type Latent struct{ *Object }

// NewLatent is latents [batch, channels, h, w] as the VAE has them, without a mask.
func NewLatent(samples *Tensor) (Latent, error) {
	object, err := NewObject("LATENT", Fields{"samples": samples})
	return Latent{object}, err
}

// Samples is the latents, [batch, channels, h, w].
func (l Latent) Samples() *Tensor { return tensorField(l.Object, "samples") }

// NoiseMask is 1 where a sampler may change the latents, and 0 where it must not; or nil.
func (l Latent) NoiseMask() *Tensor { return optionalTensor(l.Object, "noise-mask") }

// WithSamples is the same with other latents.
func (l Latent) WithSamples(samples *Tensor) (Latent, error) {
	object, err := l.With(Fields{"samples": samples})
	return Latent{object}, err
}

// WithNoiseMask is the same with this mask.
func (l Latent) WithNoiseMask(mask *Tensor) (Latent, error) {
	object, err := l.With(Fields{"noise-mask": mask})
	return Latent{object}, err
}

// WireType is LATENT.
func (Latent) WireType() string { return "LATENT" }

// ToWire is the object.
func (l Latent) ToWire() any { return l.Object }

// FromWire takes an object LATENT.
func (l *Latent) FromWire(value any) error { return objectWire(&l.Object, value, "LATENT") }

// Entry is one embedding of a [Conditioning].
type Entry struct{ *Object }

// NewEntry is an embedding [batch, tokens, width], and what its encoder pooled it to, or nil.
func NewEntry(embedding, pooled *Tensor) (Entry, error) {
	fields := Fields{"embedding": embedding}
	if pooled != nil {
		fields["pooled"] = pooled
	}
	object, err := NewObject("CONDITIONING_ENTRY", fields)
	return Entry{object}, err
}

// Embedding is the embedding, [batch, tokens, width].
func (e Entry) Embedding() *Tensor { return tensorField(e.Object, "embedding") }

// Pooled is the pooled embedding, or nil.
func (e Entry) Pooled() *Tensor { return optionalTensor(e.Object, "pooled") }

// FromWire takes an object.
func (e *Entry) FromWire(value any) (err error) {
	object, ok := value.(*Object)
	if !ok {
		return mismatch("an object", value)
	}
	e.Object = object
	return nil
}

// ToWire is the object.
func (e Entry) ToWire() any { return e.Object }

// WireType is the object's type name.
func (Entry) WireType() string { return "CONDITIONING_ENTRY" }

// Conditioning is what steers a model: one or more embeddings.
type Conditioning struct{ *Object }

// NewConditioning is a conditioning of these embeddings.
func NewConditioning(entries ...Entry) (Conditioning, error) {
	object, err := NewObject("CONDITIONING", Fields{"entries": entries})
	return Conditioning{object}, err
}

// Entries is its embeddings, in order.
func (c Conditioning) Entries() ([]Entry, error) { return Field[[]Entry](c.Object, "entries") }

// WireType is CONDITIONING.
func (Conditioning) WireType() string { return "CONDITIONING" }

// ToWire is the object.
func (c Conditioning) ToWire() any { return c.Object }

// FromWire takes an object CONDITIONING.
func (c *Conditioning) FromWire(value any) error {
	return objectWire(&c.Object, value, "CONDITIONING")
}

// Prediction is what a denoiser predicts.
type Prediction string

// The predictions: the noise (Ho et al. 2020), the velocity √ᾱ·ε − √(1−ᾱ)·x₀ (Salimans & Ho 2022),
// and the flow from the noise to the image (Lipman et al. 2023).
const (
	Epsilon  Prediction = "epsilon"
	Velocity Prediction = "v"
	Flow     Prediction = "flow"
)

// Model is a denoiser, and what a sampler must know of it.
type Model struct{ *Object }

// ModelParts is what a [Model] is made of.
type ModelParts struct {
	// Denoise is a function: `latent` tensor [b, c, h, w], `timestep` number, `conditioning` tensor
	// [b, tokens, width], `pooled` tensor (optional) → `prediction` tensor [b, c, h, w].
	Denoise    *Function
	Prediction Prediction
	// Alphas is [steps] F64: the cumulative product of the noise schedule, ᾱ of Ho et al. 2020.
	Alphas         *Tensor
	LatentChannels int
	// A sampler's latent is (the VAE's latent − LatentShift) · LatentScale.
	LatentScale, LatentShift float64
}

// NewModel is a model of these parts.
func NewModel(p ModelParts) (Model, error) {
	object, err := NewObject("MODEL", Fields{"denoise": p.Denoise, "prediction": p.Prediction,
		"alphas": p.Alphas, "latent-channels": p.LatentChannels, "latent-scale": p.LatentScale,
		"latent-shift": p.LatentShift})
	return Model{object}, err
}

// Parts is what the model is made of.
func (m Model) Parts() (p ModelParts, err error) {
	p.Alphas = tensorField(m.Object, "alphas")
	if p.Denoise, err = Field[*Function](m.Object, "denoise"); err != nil {
		return p, err
	}
	if p.Prediction, err = Field[Prediction](m.Object, "prediction"); err != nil {
		return p, err
	}
	if p.LatentChannels, err = Field[int](m.Object, "latent-channels"); err != nil {
		return p, err
	}
	if p.LatentScale, err = Field[float64](m.Object, "latent-scale"); err != nil {
		return p, err
	}
	if p.LatentShift, err = Field[float64](m.Object, "latent-shift"); err != nil {
		return p, err
	}
	return p, p.Alphas.Err()
}

// Denoise is what the model predicts for a latent [b, c, h, w] at a timestep, under a conditioning
// [b, tokens, width] and, where the model takes it, a pooled one, or nil → [b, c, h, w].
func (m Model) Denoise(latent *Tensor, timestep float64, conditioning, pooled *Tensor) *Tensor {
	arguments := Fields{"latent": latent, "timestep": timestep, "conditioning": conditioning}
	if pooled != nil {
		arguments["pooled"] = pooled
	}
	return callForTensor(m.Object, "denoise", arguments, "prediction")
}

// callForTensor calls a function in a field for one tensor, which may have failed.
func callForTensor(o *Object, function string, arguments Fields, result string) *Tensor {
	f, err := Field[*Function](o, function)
	if err != nil {
		return broken(err)
	}
	results, err := f.Call(arguments)
	if err != nil {
		return broken(err)
	}
	x, err := Get[*Tensor](results, result)
	if err != nil {
		return broken(fmt.Errorf("%s: %w", function, err))
	}
	return x
}

// WireType is MODEL.
func (Model) WireType() string { return "MODEL" }

// ToWire is the object.
func (m Model) ToWire() any { return m.Object }

// FromWire takes an object MODEL.
func (m *Model) FromWire(value any) error { return objectWire(&m.Object, value, "MODEL") }

// CLIP is a text encoder.
type CLIP struct{ *Object }

// NewCLIP is a text encoder of this function: `text` text → `conditioning` object.
func NewCLIP(encode *Function) (CLIP, error) {
	object, err := NewObject("CLIP", Fields{"encode": encode})
	return CLIP{object}, err
}

// Encode is the conditioning of a text.
func (c CLIP) Encode(text string) (Conditioning, error) {
	encode, err := Field[*Function](c.Object, "encode")
	if err != nil {
		return Conditioning{}, err
	}
	results, err := encode.Call(Fields{"text": text})
	if err != nil {
		return Conditioning{}, err
	}
	return Get[Conditioning](results, "conditioning")
}

// WireType is CLIP.
func (CLIP) WireType() string { return "CLIP" }

// ToWire is the object.
func (c CLIP) ToWire() any { return c.Object }

// FromWire takes an object CLIP.
func (c *CLIP) FromWire(value any) error { return objectWire(&c.Object, value, "CLIP") }

// VAE is the autoencoder between images and latents.
type VAE struct{ *Object }

// VAEParts is what a [VAE] is made of.
type VAEParts struct {
	// Encode is a function: `image` tensor [b, h, w, 3], −1…1 → `latent` tensor [b, c, h', w'].
	Encode *Function
	// Decode is a function: `latent` tensor [b, c, h', w'] → `image` tensor [b, h, w, 3], −1…1.
	Decode *Function
	// A sampler's latent is (the VAE's latent − LatentShift) · LatentScale.
	LatentScale, LatentShift float64
	// Downscale is how many pixels a side of one latent element has.
	Downscale int
}

// NewVAE is an autoencoder of these parts.
func NewVAE(p VAEParts) (VAE, error) {
	object, err := NewObject("VAE", Fields{"encode": p.Encode, "decode": p.Decode,
		"latent-scale": p.LatentScale, "latent-shift": p.LatentShift, "downscale": p.Downscale})
	return VAE{object}, err
}

// Parts is what the autoencoder is made of.
func (v VAE) Parts() (p VAEParts, err error) {
	if p.Encode, err = Field[*Function](v.Object, "encode"); err != nil {
		return p, err
	}
	if p.Decode, err = Field[*Function](v.Object, "decode"); err != nil {
		return p, err
	}
	if p.LatentScale, err = Field[float64](v.Object, "latent-scale"); err != nil {
		return p, err
	}
	if p.LatentShift, err = Field[float64](v.Object, "latent-shift"); err != nil {
		return p, err
	}
	p.Downscale, err = Field[int](v.Object, "downscale")
	return p, err
}

// Encode is the latent [b, c, h', w'] of an image [b, h, w, 3] in −1…1.
func (v VAE) Encode(image *Tensor) *Tensor {
	return callForTensor(v.Object, "encode", Fields{"image": image}, "latent")
}

// Decode is the image [b, h, w, 3] in −1…1 of a latent [b, c, h', w'] as the VAE has it.
func (v VAE) Decode(latent *Tensor) *Tensor {
	return callForTensor(v.Object, "decode", Fields{"latent": latent}, "image")
}

// WireType is VAE.
func (VAE) WireType() string { return "VAE" }

// ToWire is the object.
func (v VAE) ToWire() any { return v.Object }

// FromWire takes an object VAE.
func (v *VAE) FromWire(value any) error { return objectWire(&v.Object, value, "VAE") }

package berth

import (
	tensors "wit_component/berth_node_tensors"
	types "wit_component/berth_node_types"
)

// Upload is a tensor being written piece by piece, for data too large to hold at once. It is an
// io.Writer, which writes one piece after another, and an io.WriterAt. An error stays, and
// [Upload.Finish] gives it as a failed tensor.
type Upload struct {
	raw  *tensors.Upload
	next int64
	err  error
}

// NewUpload begins a tensor of this type and shape, filled with zeros.
func NewUpload(dtype DType, shape ...int) *Upload {
	dims, err := dimensions(shape)
	if err != nil {
		return &Upload{err: err}
	}
	raw, err := take(tensors.UploadBegin(uint8(dtype), dims))
	return &Upload{raw: raw, err: err}
}

// Write puts data, little-endian, after what was written last.
func (u *Upload) Write(data []byte) (int, error) {
	n, err := u.WriteAt(data, u.next)
	u.next += int64(n)
	return n, err
}

// WriteAt puts data, little-endian, from byte offset on. It must lie inside the tensor.
func (u *Upload) WriteAt(data []byte, offset int64) (int, error) {
	for start := 0; start < len(data) && u.err == nil; start += piece {
		part := data[start:min(start+piece, len(data))]
		_, u.err = take(u.raw.Write(uint64(offset)+uint64(start), part))
	}
	if u.err != nil {
		return 0, u.err
	}
	return len(data), nil
}

// Finish is the tensor. No more can be written.
func (u *Upload) Finish() *Tensor {
	if u.err != nil {
		return broken(u.err)
	}
	defer u.raw.Drop()
	return made(u.raw.Finish())
}

// Generator is PyTorch's CPU generator (MT19937), bit for bit: a seed gives the noise that
// torch.manual_seed(seed) and torch.randn give.
type Generator struct{ raw *tensors.Generator }

// Seeded is a generator at the beginning of a seed's sequence.
func Seeded(seed uint64) *Generator {
	wide := types.WideInteger{High: uint32(seed >> 32), Low: uint32(seed)}
	return &Generator{tensors.GeneratorSeeded(wide)}
}

// Normal is the next standard normals, as F32, and advances the generator as torch.randn does.
func (g *Generator) Normal(shape ...int) *Tensor {
	dims, err := dimensions(shape)
	if err != nil {
		return broken(err)
	}
	return made(g.raw.Normal(dims))
}

// Uniform is the next uniforms in [0, 1), as F32, and advances the generator as torch.rand does.
func (g *Generator) Uniform(shape ...int) *Tensor {
	dims, err := dimensions(shape)
	if err != nil {
		return broken(err)
	}
	return made(g.raw.Uniform(dims))
}

package berth

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	ops "wit_component/berth_node_ops"
	tensors "wit_component/berth_node_tensors"
)

// Walk is how a convolution walks, the same in every spatial dimension. A stride, dilation or
// groups of 0 stand for 1, so the zero Walk goes step by step, without padding or groups.
type Walk struct {
	Stride   int // Elements from one position to the next.
	Padding  int // Zeros before and after; a transposed convolution cuts as many off.
	Dilation int // Elements from one of the kernel's taps to the next.
	Groups   int // Groups of channels that are convolved apart.
}

func (w Walk) raw() (ops.Walk, error) {
	dims, err := dimensions([]int{max(w.Stride, 1), w.Padding, max(w.Dilation, 1), max(w.Groups, 1)})
	if err != nil {
		return ops.Walk{}, err
	}
	return ops.Walk{Stride: dims[0], Padding: dims[1], Dilation: dims[2], Groups: dims[3]}, nil
}

// Attend is what an attention needs beside its operands. Heads of 0 stand for 1.
type Attend struct {
	Heads  int     // Heads side by side in the last dimension.
	Mask   *Tensor // Broadcasts to [b, heads, n, m]: an addend of q's dtype, or U8 where 0 hides; or nil.
	Causal bool    // Hides the keys after each query.
	Scale  float32 // The factor of q·kᵀ; 0 stands for 1/√d.
}

// option is an operand that may be nil.
func option(x *Tensor) witTypes.Option[*tensors.Tensor] {
	if x == nil {
		return witTypes.None[*tensors.Tensor]()
	}
	return witTypes.Some(x.raw)
}

// with is the operands, and those of the optional ones that are there.
func with(operands []*Tensor, optional ...*Tensor) []*Tensor {
	for _, x := range optional {
		if x != nil {
			operands = append(operands, x)
		}
	}
	return operands
}

// MatMul is x [.., m, k] · other [.., k, n] → [.., m, n]; leading dimensions broadcast.
func (x *Tensor) MatMul(other *Tensor) *Tensor {
	return apply(func() tensorResult { return ops.Matmul(x.raw, other.raw) }, x, other)
}

// Linear is x · weightᵀ + bias: x [.., in], weight [out, in], bias [out] or nil → [.., out].
func (x *Tensor) Linear(weight, bias *Tensor) *Tensor {
	return apply(func() tensorResult { return ops.Linear(x.raw, weight.raw, option(bias)) },
		with([]*Tensor{x, weight}, bias)...)
}

// Conv1D convolves x [n, c, l] by weight [out, c/groups, k], bias [out] or nil → [n, out, l'].
func (x *Tensor) Conv1D(weight, bias *Tensor, walk Walk) *Tensor {
	w, err := walk.raw()
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult { return ops.Conv1d(x.raw, weight.raw, option(bias), w) },
		with([]*Tensor{x, weight}, bias)...)
}

// Conv2D convolves x [n, c, h, w] by weight [out, c/groups, kh, kw], bias [out] or nil
// → [n, out, h', w'].
func (x *Tensor) Conv2D(weight, bias *Tensor, walk Walk) *Tensor {
	w, err := walk.raw()
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult { return ops.Conv2d(x.raw, weight.raw, option(bias), w) },
		with([]*Tensor{x, weight}, bias)...)
}

// ConvTranspose2D is the transposed convolution of x [n, c, h, w] by weight [c, out/groups, kh, kw],
// bias [out] or nil → [n, out, h', w'], h' = (h−1)·stride − 2·padding + dilation·(kh−1) +
// outputPadding + 1.
func (x *Tensor) ConvTranspose2D(weight, bias *Tensor, walk Walk, outputPadding int) *Tensor {
	w, err := walk.raw()
	if err != nil {
		return broken(err)
	}
	extra, err := dimension(outputPadding)
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult {
		return ops.ConvTranspose2d(x.raw, weight.raw, option(bias), w, extra)
	}, with([]*Tensor{x, weight}, bias)...)
}

// GroupNorm normalizes x [n, c, ..] over each of groups groups of channels, then scales and shifts
// by channel (weight [c], bias [c], or nil). Wu & He 2018.
func (x *Tensor) GroupNorm(groups int, weight, bias *Tensor, epsilon float32) *Tensor {
	n, err := dimension(groups)
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult {
		return ops.GroupNorm(x.raw, n, option(weight), option(bias), epsilon)
	}, with([]*Tensor{x}, weight, bias)...)
}

// LayerNorm normalizes x [.., c] over its last dimension, then scales and shifts (weight [c],
// bias [c], or nil). Ba, Kiros & Hinton 2016.
func (x *Tensor) LayerNorm(weight, bias *Tensor, epsilon float32) *Tensor {
	return apply(func() tensorResult {
		return ops.LayerNorm(x.raw, option(weight), option(bias), epsilon)
	}, with([]*Tensor{x}, weight, bias)...)
}

// RMSNorm is x [.., c] / √(mean(x²) + epsilon), times weight [c] or nil. Zhang & Sennrich 2019.
func (x *Tensor) RMSNorm(weight *Tensor, epsilon float32) *Tensor {
	return apply(func() tensorResult { return ops.RmsNorm(x.raw, option(weight), epsilon) },
		with([]*Tensor{x}, weight)...)
}

// Attention is softmax(x·kᵀ·scale + mask)·v with heads side by side in the last dimension:
// x [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e]. Vaswani et al. 2017.
func (x *Tensor) Attention(k, v *Tensor, attend Attend) *Tensor {
	heads, err := dimension(max(attend.Heads, 1))
	if err != nil {
		return broken(err)
	}
	scale := witTypes.None[float32]()
	if attend.Scale != 0 {
		scale = witTypes.Some(attend.Scale)
	}
	return apply(func() tensorResult {
		return ops.Attention(x.raw, k.raw, v.raw, heads, option(attend.Mask), attend.Causal, scale)
	}, with([]*Tensor{x, k, v}, attend.Mask)...)
}

// Rotary is the rotary position embedding of x [.., n, d] by cosines and sines [n, d/2] (Su et al.
// 2021). Interleaved pairs elements 2i and 2i+1, otherwise i and i + d/2.
func (x *Tensor) Rotary(cosines, sines *Tensor, interleaved bool) *Tensor {
	return apply(func() tensorResult {
		return ops.Rotary(x.raw, cosines.raw, sines.raw, interleaved)
	}, x, cosines, sines)
}

// Embedding is rows of weight [rows, c] by the indices x [..] (U32 or I64) → [.., c], of weight's
// dtype, or F32 when weight is quantized.
func (x *Tensor) Embedding(weight *Tensor) *Tensor {
	return apply(func() tensorResult { return ops.Embedding(x.raw, weight.raw) }, x, weight)
}

// Softmax is the softmax along one axis.
func (x *Tensor) Softmax(axis int) *Tensor {
	return apply(func() tensorResult { return ops.Softmax(x.raw, int32(axis)) }, x)
}

// Reshape is the same elements under another shape. It costs no memory.
func (x *Tensor) Reshape(shape ...int) *Tensor {
	dims, err := dimensions(shape)
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult { return ops.Reshape(x.raw, dims) }, x)
}

// Permute has dimension axes[i] of x as its dimension i.
func (x *Tensor) Permute(axes ...int) *Tensor {
	dims, err := dimensions(axes)
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult { return ops.Permute(x.raw, dims) }, x)
}

// Slice is the indices start ≤ i < end of one axis. An end of −1 stands for the axis' length.
func (x *Tensor) Slice(axis, start, end int) *Tensor { return x.SliceStep(axis, start, end, 1) }

// SliceStep is the indices start, start + step, … below end of one axis. An end of −1 stands
// for the axis' length.
func (x *Tensor) SliceStep(axis, start, end, step int) *Tensor {
	if end == -1 {
		end = x.Dim(axis)
	}
	dims, err := dimensions([]int{start, end, step})
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult {
		return ops.Slice(x.raw, int32(axis), dims[0], dims[1], dims[2])
	}, x)
}

// Concat is the tensors one after another along an axis; their other dimensions are equal.
func Concat(axis int, parts ...*Tensor) *Tensor {
	return apply(func() tensorResult {
		raw := make([]*tensors.Tensor, len(parts))
		for i, part := range parts {
			raw[i] = part.raw
		}
		return ops.Concat(raw, int32(axis))
	}, parts...)
}

// Broadcast is x repeated to a shape that it broadcasts to.
func (x *Tensor) Broadcast(shape ...int) *Tensor {
	dims, err := dimensions(shape)
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult { return ops.Broadcast(x.raw, dims) }, x)
}

// Flip is x with one axis backwards.
func (x *Tensor) Flip(axis int) *Tensor {
	return apply(func() tensorResult { return ops.Flip(x.raw, int32(axis)) }, x)
}

// Padding is what lies outside of a padded tensor.
type Padding struct{ raw ops.Padding }

// What lies outside of a padded tensor: the nearest element, the tensor mirrored without
// repeating its edge, or the tensor again from its other end.
var (
	Edge    = Padding{ops.MakePaddingEdge()}
	Reflect = Padding{ops.MakePaddingReflect()}
	Wrap    = Padding{ops.MakePaddingWrap()}
)

// Constant has one value outside of a padded tensor.
func Constant(value float64) Padding { return Padding{ops.MakePaddingConstant(value)} }

// Pad pads each axis by (before, after): one pair for each dimension of x.
func (x *Tensor) Pad(padding Padding, amounts ...[2]int) *Tensor {
	pairs := make([]witTypes.Tuple2[uint32, uint32], len(amounts))
	for i, amount := range amounts {
		dims, err := dimensions(amount[:])
		if err != nil {
			return broken(err)
		}
		pairs[i] = witTypes.Tuple2[uint32, uint32]{F0: dims[0], F1: dims[1]}
	}
	return apply(func() tensorResult { return ops.Pad(x.raw, pairs, padding.raw) }, x)
}

// Gather is result[.., i, ..] = x[.., indices[.., i, ..], ..] along one axis; indices (U32 or I64)
// has x's rank, and its shape except along the axis.
func (x *Tensor) Gather(axis int, indices *Tensor) *Tensor {
	return apply(func() tensorResult { return ops.Gather(x.raw, int32(axis), indices.raw) }, x, indices)
}

// IndexSelect is whole slices of one axis, by a 1-D tensor of indices (U32 or I64).
func (x *Tensor) IndexSelect(axis int, indices *Tensor) *Tensor {
	return apply(func() tensorResult { return ops.IndexSelect(x.raw, int32(axis), indices.raw) }, x, indices)
}

// Sampling is how [Tensor.Interpolate] finds a sample, as PyTorch's interpolate of that name, with
// align_corners=False and no antialiasing; Lanczos is Pillow's antialiased filter of radius 3.
type Sampling uint8

// The samplings.
const (
	Nearest Sampling = iota
	NearestExact
	Bilinear
	Bicubic
	Area
	Lanczos
)

// Interpolate resizes x [n, c, h, w] to [n, c, height, width].
func (x *Tensor) Interpolate(height, width int, sampling Sampling) *Tensor {
	dims, err := dimensions([]int{height, width})
	if err != nil {
		return broken(err)
	}
	return apply(func() tensorResult {
		return ops.Interpolate(x.raw, dims[0], dims[1], uint8(sampling))
	}, x)
}

// Cast converts each element. Floats to integers truncate and saturate; quantized tensors convert
// to a float type.
func (x *Tensor) Cast(dtype DType) *Tensor {
	return apply(func() tensorResult { return ops.Cast(x.raw, uint8(dtype)) }, x)
}

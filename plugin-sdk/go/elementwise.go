package berth

import (
	ops "wit_component/berth_node_ops"
)

// Functions of each element of a float tensor.

func (x *Tensor) each(function ops.Unary) *Tensor {
	return apply(func() tensorResult { return ops.Map(x.raw, function) }, x)
}

// Neg is −x, element by element.
func (x *Tensor) Neg() *Tensor { return x.each(ops.UnaryNeg) }

// Abs is |x|, element by element.
func (x *Tensor) Abs() *Tensor { return x.each(ops.UnaryAbs) }

// Sign is −1, 0 or 1, element by element.
func (x *Tensor) Sign() *Tensor { return x.each(ops.UnarySign) }

// Recip is 1/x, element by element.
func (x *Tensor) Recip() *Tensor { return x.each(ops.UnaryRecip) }

// Sqrt is √x, element by element.
func (x *Tensor) Sqrt() *Tensor { return x.each(ops.UnarySqrt) }

// Rsqrt is 1/√x, element by element.
func (x *Tensor) Rsqrt() *Tensor { return x.each(ops.UnaryRsqrt) }

// Exp is eˣ, element by element.
func (x *Tensor) Exp() *Tensor { return x.each(ops.UnaryExp) }

// Log is the natural logarithm of x, element by element.
func (x *Tensor) Log() *Tensor { return x.each(ops.UnaryLog) }

// Sin is the sine of x radians, element by element.
func (x *Tensor) Sin() *Tensor { return x.each(ops.UnarySin) }

// Cos is the cosine of x radians, element by element.
func (x *Tensor) Cos() *Tensor { return x.each(ops.UnaryCos) }

// Tanh is the hyperbolic tangent of x, element by element.
func (x *Tensor) Tanh() *Tensor { return x.each(ops.UnaryTanh) }

// Erf is the error function of x, element by element.
func (x *Tensor) Erf() *Tensor { return x.each(ops.UnaryErf) }

// Floor is the largest integer that is not above x, element by element.
func (x *Tensor) Floor() *Tensor { return x.each(ops.UnaryFloor) }

// Ceil is the smallest integer that is not below x, element by element.
func (x *Tensor) Ceil() *Tensor { return x.each(ops.UnaryCeil) }

// Round is the nearest integer, halves to the even one, element by element.
func (x *Tensor) Round() *Tensor { return x.each(ops.UnaryRound) }

// ReLU is max(x, 0), element by element.
func (x *Tensor) ReLU() *Tensor { return x.each(ops.UnaryRelu) }

// Sigmoid is 1/(1 + e⁻ˣ), element by element.
func (x *Tensor) Sigmoid() *Tensor { return x.each(ops.UnarySigmoid) }

// SiLU is x·sigmoid(x), element by element.
func (x *Tensor) SiLU() *Tensor { return x.each(ops.UnarySilu) }

// GELU is x·Φ(x), by the error function (Hendrycks & Gimpel 2016), element by element.
func (x *Tensor) GELU() *Tensor { return x.each(ops.UnaryGelu) }

// GELUTanh is the tanh approximation of GELU, element by element.
func (x *Tensor) GELUTanh() *Tensor { return x.each(ops.UnaryGeluTanh) }

// GELUQuick is x·sigmoid(1.702·x), as CLIP has it, element by element.
func (x *Tensor) GELUQuick() *Tensor { return x.each(ops.UnaryGeluQuick) }

// Softplus is log(1 + eˣ), element by element.
func (x *Tensor) Softplus() *Tensor { return x.each(ops.UnarySoftplus) }

// Mish is x·tanh(softplus(x)), element by element.
func (x *Tensor) Mish() *Tensor { return x.each(ops.UnaryMish) }

// Affine is scale·x + shift, element by element.
func (x *Tensor) Affine(scale, shift float64) *Tensor {
	return apply(func() tensorResult { return ops.Affine(x.raw, scale, shift) }, x)
}

// Power is x to the power exponent, element by element.
func (x *Tensor) Power(exponent float64) *Tensor {
	return apply(func() tensorResult { return ops.Power(x.raw, exponent) }, x)
}

// Clamp is each element limited to low ≤ x ≤ high.
func (x *Tensor) Clamp(low, high float64) *Tensor {
	return apply(func() tensorResult { return ops.Clamp(x.raw, low, high) }, x)
}

// Arithmetic between tensors of one dtype, broadcasting as NumPy does.

func (x *Tensor) combine(other *Tensor, function ops.Binary) *Tensor {
	return apply(func() tensorResult { return ops.Combine(x.raw, other.raw, function) }, x, other)
}

// Add is x + other.
func (x *Tensor) Add(other *Tensor) *Tensor { return x.combine(other, ops.BinaryAdd) }

// Sub is x − other.
func (x *Tensor) Sub(other *Tensor) *Tensor { return x.combine(other, ops.BinarySub) }

// Mul is x · other, element by element.
func (x *Tensor) Mul(other *Tensor) *Tensor { return x.combine(other, ops.BinaryMul) }

// Div is x / other; integers truncate.
func (x *Tensor) Div(other *Tensor) *Tensor { return x.combine(other, ops.BinaryDiv) }

// Minimum is the smaller of each pair, NaN when either is.
func (x *Tensor) Minimum(other *Tensor) *Tensor { return x.combine(other, ops.BinaryMinimum) }

// Maximum is the larger of each pair, NaN when either is.
func (x *Tensor) Maximum(other *Tensor) *Tensor { return x.combine(other, ops.BinaryMaximum) }

// Arithmetic with a number, which takes the tensor's dtype. The N stands where the number does:
// SubN is x − n, and NSub is n − x.

func (x *Tensor) number(n float64) *Tensor {
	if err := x.Err(); err != nil {
		return broken(err)
	}
	return Full(x.DType(), n)
}

// AddN is x + n.
func (x *Tensor) AddN(n float64) *Tensor { return x.Affine(1, n) }

// SubN is x − n.
func (x *Tensor) SubN(n float64) *Tensor { return x.Affine(1, -n) }

// NSub is n − x.
func (x *Tensor) NSub(n float64) *Tensor { return x.Affine(-1, n) }

// MulN is x · n.
func (x *Tensor) MulN(n float64) *Tensor { return x.Affine(n, 0) }

// DivN is x / n, and no product with 1/n, which would round twice.
func (x *Tensor) DivN(n float64) *Tensor { return x.Div(x.number(n)) }

// NDiv is n / x.
func (x *Tensor) NDiv(n float64) *Tensor { return x.number(n).Div(x) }

// Comparisons: 1 where they hold, otherwise 0, as U8; broadcasting.

func (x *Tensor) compare(other *Tensor, comparison ops.Comparison) *Tensor {
	return apply(func() tensorResult { return ops.Compare(x.raw, other.raw, comparison) }, x, other)
}

// Eq is 1 where x = other, otherwise 0, as U8.
func (x *Tensor) Eq(other *Tensor) *Tensor { return x.compare(other, ops.ComparisonEq) }

// Ne is 1 where x ≠ other, otherwise 0, as U8.
func (x *Tensor) Ne(other *Tensor) *Tensor { return x.compare(other, ops.ComparisonNe) }

// Lt is 1 where x < other, otherwise 0, as U8.
func (x *Tensor) Lt(other *Tensor) *Tensor { return x.compare(other, ops.ComparisonLt) }

// Le is 1 where x ≤ other, otherwise 0, as U8.
func (x *Tensor) Le(other *Tensor) *Tensor { return x.compare(other, ops.ComparisonLe) }

// Gt is 1 where x > other, otherwise 0, as U8.
func (x *Tensor) Gt(other *Tensor) *Tensor { return x.compare(other, ops.ComparisonGt) }

// Ge is 1 where x ≥ other, otherwise 0, as U8.
func (x *Tensor) Ge(other *Tensor) *Tensor { return x.compare(other, ops.ComparisonGe) }

// EqN is 1 where x = n, otherwise 0, as U8.
func (x *Tensor) EqN(n float64) *Tensor { return x.Eq(x.number(n)) }

// NeN is 1 where x ≠ n, otherwise 0, as U8.
func (x *Tensor) NeN(n float64) *Tensor { return x.Ne(x.number(n)) }

// LtN is 1 where x < n, otherwise 0, as U8.
func (x *Tensor) LtN(n float64) *Tensor { return x.Lt(x.number(n)) }

// LeN is 1 where x ≤ n, otherwise 0, as U8.
func (x *Tensor) LeN(n float64) *Tensor { return x.Le(x.number(n)) }

// GtN is 1 where x > n, otherwise 0, as U8.
func (x *Tensor) GtN(n float64) *Tensor { return x.Gt(x.number(n)) }

// GeN is 1 where x ≥ n, otherwise 0, as U8.
func (x *Tensor) GeN(n float64) *Tensor { return x.Ge(x.number(n)) }

// Choose is a where x (U8) is not 0, otherwise b; broadcasting.
func (x *Tensor) Choose(a, b *Tensor) *Tensor {
	return apply(func() tensorResult { return ops.Choose(x.raw, a.raw, b.raw) }, x, a, b)
}

// Reductions over axes, over all of them where none is named. NaN propagates.

func (x *Tensor) reduce(reduction ops.Reduction, axes []int, keep bool) *Tensor {
	list := make([]int32, len(axes))
	for i, axis := range axes {
		list[i] = int32(axis)
	}
	return apply(func() tensorResult { return ops.Reduce(x.raw, reduction, list, keep) }, x)
}

// Sum is the sum over these axes, which go; over all of them where none is named.
func (x *Tensor) Sum(axes ...int) *Tensor { return x.reduce(ops.ReductionSum, axes, false) }

// SumKeep is the sum over these axes, which stay as dimensions of 1.
func (x *Tensor) SumKeep(axes ...int) *Tensor { return x.reduce(ops.ReductionSum, axes, true) }

// Mean is the arithmetic mean over these axes, which go; over all of them where none is named.
func (x *Tensor) Mean(axes ...int) *Tensor { return x.reduce(ops.ReductionMean, axes, false) }

// MeanKeep is the arithmetic mean over these axes, which stay as dimensions of 1.
func (x *Tensor) MeanKeep(axes ...int) *Tensor { return x.reduce(ops.ReductionMean, axes, true) }

// Max is the largest element over these axes, which go; over all of them where none is named.
func (x *Tensor) Max(axes ...int) *Tensor { return x.reduce(ops.ReductionMax, axes, false) }

// MaxKeep is the largest element over these axes, which stay as dimensions of 1.
func (x *Tensor) MaxKeep(axes ...int) *Tensor { return x.reduce(ops.ReductionMax, axes, true) }

// Min is the smallest element over these axes, which go; over all of them where none is named.
func (x *Tensor) Min(axes ...int) *Tensor { return x.reduce(ops.ReductionMin, axes, false) }

// MinKeep is the smallest element over these axes, which stay as dimensions of 1.
func (x *Tensor) MinKeep(axes ...int) *Tensor { return x.reduce(ops.ReductionMin, axes, true) }

// ArgMax is the index of the largest element along one axis, the first of equals, as U32. With keep the
// axis stays as a dimension of 1.
func (x *Tensor) ArgMax(axis int, keep bool) *Tensor {
	return x.reduce(ops.ReductionArgmax, []int{axis}, keep)
}

// ArgMin is the index of the smallest element along one axis, the first of equals, as U32. With keep the
// axis stays as a dimension of 1.
func (x *Tensor) ArgMin(axis int, keep bool) *Tensor {
	return x.reduce(ops.ReductionArgmin, []int{axis}, keep)
}

// ArgSort is the indices, as U32 and of x's shape, that put one axis in order: [Tensor.Gather] by
// them gives it sorted. Equal elements keep their order; NaN is greater than every number.
func (x *Tensor) ArgSort(axis int, descending bool) *Tensor {
	return apply(func() tensorResult { return ops.Argsort(x.raw, int32(axis), descending) }, x)
}

// CumSum is the running sum along one axis.
func (x *Tensor) CumSum(axis int) *Tensor {
	return apply(func() tensorResult { return ops.CumulativeSum(x.raw, int32(axis)) }, x)
}

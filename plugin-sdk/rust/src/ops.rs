//! The operations, as methods of [`Tensor`]. The host computes; each makes a new
//! tensor and leaves its operands as they were.
//!
//! Rules that hold for all of them: binary operations broadcast as NumPy does and
//! take operands of one dtype; an axis may be negative, −1 is the last; a float
//! operation computes in the dtype of its first operand and converts weights of
//! another float type, or quantized, as it uses them.
//!
//! All of them fail alike: `InvalidArgument` for shapes, dtypes or values that do
//! not fit, `QuotaExceeded` and `OutOfMemory` when the operation's own operands do
//! not fit, `Unsupported` for a dtype that the host cannot compute in, `Cancelled`.
#![expect(clippy::missing_errors_doc, reason = "one paragraph above holds for every operation")]

use std::ops::{Bound, RangeBounds};

use crate::bindings::berth::node::ops::{self, Binary, Comparison, Reduction, Unary};
use crate::tensor::{dimension, dimensions};
use crate::{DType, Error, Result, Tensor};

/// How a convolution walks: the same in every spatial dimension. By default step by
/// step, without padding, dilation or groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Elements from one window to the next.
    pub stride: u32,
    /// Zeros before and after.
    pub padding: u32,
    /// Elements from one tap to the next.
    pub dilation: u32,
    /// Parts that the channels fall into, each convolved alone.
    pub groups: u32,
}

impl Default for Walk {
    fn default() -> Self {
        Self { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

impl Walk {
    /// Step by step, with zeros around.
    pub fn padded(padding: u32) -> Self {
        Self { padding, ..Self::default() }
    }
}

impl From<Walk> for ops::Walk {
    fn from(walk: Walk) -> Self {
        Self {
            stride: walk.stride,
            padding: walk.padding,
            dilation: walk.dilation,
            groups: walk.groups,
        }
    }
}

/// What an attention needs beside its operands. By default one head that sees everything.
#[derive(Clone, Copy, Debug)]
pub struct AttentionOptions<'a> {
    /// Heads side by side in the last dimension.
    pub heads: usize,
    /// Broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides.
    pub mask: Option<&'a Tensor>,
    /// Hides the keys after each query.
    pub causal: bool,
    /// The factor of q·kᵀ; 1/√d when there is none.
    pub scale: Option<f32>,
}

impl Default for AttentionOptions<'_> {
    fn default() -> Self {
        Self { heads: 1, mask: None, causal: false, scale: None }
    }
}

impl AttentionOptions<'_> {
    /// This many heads that see everything.
    pub fn heads(heads: usize) -> Self {
        Self { heads, ..Self::default() }
    }
}

/// What lies outside of a padded tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Padding {
    /// This value.
    Constant(f64),
    /// The nearest element.
    Edge,
    /// The tensor mirrored, without repeating its edge.
    Reflect,
    /// The tensor again, from its other end.
    Wrap,
}

/// How [`Tensor::interpolate`] finds a sample, as PyTorch's `interpolate` of that
/// name, with `align_corners=False` and no antialiasing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// The element that the sample's corner falls in.
    Nearest,
    /// The element that the sample's centre falls in.
    NearestExact,
    /// Linear in both dimensions.
    Bilinear,
    /// Keys' cubic convolution, a = −0.75.
    Bicubic,
    /// The mean over the sample's area.
    Area,
    /// Pillow's antialiased filter of radius 3, on floats.
    Lanczos,
}

impl From<Sampling> for ops::Sampling {
    fn from(sampling: Sampling) -> Self {
        match sampling {
            Sampling::Nearest => Self::Nearest,
            Sampling::NearestExact => Self::NearestExact,
            Sampling::Bilinear => Self::Bilinear,
            Sampling::Bicubic => Self::Bicubic,
            Sampling::Area => Self::Area,
            Sampling::Lanczos => Self::Lanczos,
        }
    }
}

fn bare(tensor: Option<&Tensor>) -> Option<&crate::bindings::berth::node::tensors::Tensor> {
    tensor.map(|tensor| &tensor.raw)
}

/// Products and convolutions.
impl Tensor {
    /// [.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast.
    pub fn matmul(&self, other: &Tensor) -> Result<Tensor> {
        Ok(ops::matmul(&self.raw, &other.raw)?.into())
    }

    /// `self · weightᵀ + bias`: self [.., in], weight [out, in], bias \[out] → [.., out].
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        Ok(ops::linear(&self.raw, &weight.raw, bare(bias))?.into())
    }

    /// self [n, c, l], weight [out, c / groups, k], bias \[out] → [n, out, l'].
    pub fn conv1d(&self, weight: &Tensor, bias: Option<&Tensor>, walk: Walk) -> Result<Tensor> {
        Ok(ops::conv1d(&self.raw, &weight.raw, bare(bias), walk.into())?.into())
    }

    /// self [n, c, h, w], weight [out, c / groups, kh, kw], bias \[out] → [n, out, h', w'].
    pub fn conv2d(&self, weight: &Tensor, bias: Option<&Tensor>, walk: Walk) -> Result<Tensor> {
        Ok(ops::conv2d(&self.raw, &weight.raw, bare(bias), walk.into())?.into())
    }

    /// Transposed: self [n, c, h, w], weight [c, out / groups, kh, kw], bias \[out] → [n, out, h', w'],
    /// h' = (h − 1)·stride − 2·padding + dilation·(kh − 1) + output-padding + 1.
    pub fn conv_transpose2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        walk: Walk,
        output_padding: u32,
    ) -> Result<Tensor> {
        let walk = walk.into();
        Ok(ops::conv_transpose2d(&self.raw, &weight.raw, bare(bias), walk, output_padding)?.into())
    }

    /// Softmax(self·kᵀ·scale + mask)·v with heads side by side in the last dimension:
    /// self [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e].
    /// Vaswani et al. 2017.
    pub fn attention(&self, k: &Tensor, v: &Tensor, options: AttentionOptions) -> Result<Tensor> {
        let AttentionOptions { heads, mask, causal, scale } = options;
        let heads = dimension(heads)?;
        let mask = bare(mask);
        Ok(ops::attention(&self.raw, &k.raw, &v.raw, heads, mask, causal, scale)?.into())
    }

    /// Rotary position embedding of [.., n, d] by cosines and sines [n, d/2] (Su et al. 2021).
    /// `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2.
    pub fn rotary(&self, cosines: &Tensor, sines: &Tensor, interleaved: bool) -> Result<Tensor> {
        Ok(ops::rotary(&self.raw, &cosines.raw, &sines.raw, interleaved)?.into())
    }

    /// Rows of weight [rows, c] by these indices [..] (`u32` or `i64`) → [.., c], of
    /// weight's dtype, or `f32` when weight is quantized.
    pub fn embedding(&self, weight: &Tensor) -> Result<Tensor> {
        Ok(ops::embedding(&self.raw, &weight.raw)?.into())
    }
}

/// Normalization.
impl Tensor {
    /// Normalizes [n, c, ..] over each of `groups` groups of channels, then scales and
    /// shifts by channel (weight \[c], bias \[c]). Wu & He 2018.
    pub fn group_norm(
        &self,
        groups: usize,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f32,
    ) -> Result<Tensor> {
        let groups = dimension(groups)?;
        Ok(ops::group_norm(&self.raw, groups, bare(weight), bare(bias), epsilon)?.into())
    }

    /// Normalizes [.., c] over its last dimension, then scales and shifts
    /// (weight \[c], bias \[c]). Ba, Kiros & Hinton 2016.
    pub fn layer_norm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f32,
    ) -> Result<Tensor> {
        Ok(ops::layer_norm(&self.raw, bare(weight), bare(bias), epsilon)?.into())
    }

    /// [.., c] / √(mean(x²) + epsilon), times weight \[c]. Zhang & Sennrich 2019.
    pub fn rms_norm(&self, weight: Option<&Tensor>, epsilon: f32) -> Result<Tensor> {
        Ok(ops::rms_norm(&self.raw, bare(weight), epsilon)?.into())
    }

    /// Softmax along one axis.
    pub fn softmax(&self, axis: i32) -> Result<Tensor> {
        Ok(ops::softmax(&self.raw, axis)?.into())
    }
}

macro_rules! maps {
    ($($(#[$doc:meta])* $name:ident = $function:ident;)*) => {
        /// Functions of each element of a float tensor.
        impl Tensor {
            $($(#[$doc])*
            pub fn $name(&self) -> Result<Tensor> {
                Ok(ops::map(&self.raw, Unary::$function)?.into())
            })*
        }
    };
}

maps! {
    /// |x|.
    abs = Abs;
    /// −1, 0 or 1.
    sign = Sign;
    /// 1/x.
    recip = Recip;
    /// √x.
    sqrt = Sqrt;
    /// 1/√x.
    rsqrt = Rsqrt;
    /// eˣ.
    exp = Exp;
    /// The natural logarithm.
    log = Log;
    /// The sine of x radians.
    sin = Sin;
    /// The cosine of x radians.
    cos = Cos;
    /// The hyperbolic tangent.
    tanh = Tanh;
    /// The error function.
    erf = Erf;
    /// The largest integer that is not above x.
    floor = Floor;
    /// The smallest integer that is not below x.
    ceil = Ceil;
    /// The nearest integer.
    round = Round;
    /// max(x, 0).
    relu = Relu;
    /// 1/(1 + e⁻ˣ).
    sigmoid = Sigmoid;
    /// x·sigmoid(x).
    silu = Silu;
    /// x·Φ(x), by the error function (Hendrycks & Gimpel 2016).
    gelu = Gelu;
    /// The tanh approximation of `gelu`.
    gelu_tanh = GeluTanh;
    /// x·sigmoid(1.702·x), as CLIP has it.
    gelu_quick = GeluQuick;
    /// log(1 + eˣ).
    softplus = Softplus;
    /// x·tanh(softplus(x)).
    mish = Mish;
}

impl std::ops::Neg for &Tensor {
    type Output = Result<Tensor>;

    fn neg(self) -> Result<Tensor> {
        Ok(ops::map(&self.raw, Unary::Neg)?.into())
    }
}

impl std::ops::Neg for Tensor {
    type Output = Result<Tensor>;

    fn neg(self) -> Result<Tensor> {
        -&self
    }
}

/// Element by element.
impl Tensor {
    /// scale·x + shift.
    pub fn affine(&self, scale: f64, shift: f64) -> Result<Tensor> {
        Ok(ops::affine(&self.raw, scale, shift)?.into())
    }

    /// x to the power `exponent`.
    pub fn power(&self, exponent: f64) -> Result<Tensor> {
        Ok(ops::power(&self.raw, exponent)?.into())
    }

    /// Limited to low ≤ x ≤ high.
    pub fn clamp(&self, low: f64, high: f64) -> Result<Tensor> {
        Ok(ops::clamp(&self.raw, low, high)?.into())
    }

    /// The smaller of each pair, broadcasting.
    pub fn minimum(&self, other: &Tensor) -> Result<Tensor> {
        self.combine(other, Binary::Minimum)
    }

    /// The larger of each pair, broadcasting.
    pub fn maximum(&self, other: &Tensor) -> Result<Tensor> {
        self.combine(other, Binary::Maximum)
    }

    pub(crate) fn combine(&self, other: &Tensor, function: Binary) -> Result<Tensor> {
        Ok(ops::combine(&self.raw, &other.raw, function)?.into())
    }

    /// `a` where this (`u8`) is not 0, otherwise `b`; broadcasting.
    pub fn choose(&self, a: &Tensor, b: &Tensor) -> Result<Tensor> {
        Ok(ops::choose(&self.raw, &a.raw, &b.raw)?.into())
    }

    /// Converts each element. Floats to integers truncate and saturate; quantized
    /// tensors convert to a float type.
    pub fn cast(&self, dtype: DType) -> Result<Tensor> {
        Ok(ops::cast(&self.raw, dtype.into())?.into())
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident = $comparison:ident;)*) => {
        /// Comparisons: 1 where they hold, otherwise 0, as `u8`; broadcasting.
        impl Tensor {
            $($(#[$doc])*
            pub fn $name(&self, other: &Tensor) -> Result<Tensor> {
                Ok(ops::compare(&self.raw, &other.raw, Comparison::$comparison)?.into())
            })*
        }
    };
}

comparisons! {
    /// self = other.
    eq = Eq;
    /// self ≠ other.
    ne = Ne;
    /// self < other.
    lt = Lt;
    /// self ≤ other.
    le = Le;
    /// self > other.
    gt = Gt;
    /// self ≥ other.
    ge = Ge;
}

/// Along axes. An empty list of axes stands for all of them; with `keep`, reduced
/// axes stay as dimensions of 1. NaN propagates.
impl Tensor {
    fn reduce(&self, reduction: Reduction, axes: &[i32], keep: bool) -> Result<Tensor> {
        Ok(ops::reduce(&self.raw, reduction, axes, keep)?.into())
    }

    /// The sum.
    pub fn sum(&self, axes: &[i32], keep: bool) -> Result<Tensor> {
        self.reduce(Reduction::Sum, axes, keep)
    }

    /// The arithmetic mean.
    pub fn mean(&self, axes: &[i32], keep: bool) -> Result<Tensor> {
        self.reduce(Reduction::Mean, axes, keep)
    }

    /// The largest element.
    pub fn max(&self, axes: &[i32], keep: bool) -> Result<Tensor> {
        self.reduce(Reduction::Max, axes, keep)
    }

    /// The smallest element.
    pub fn min(&self, axes: &[i32], keep: bool) -> Result<Tensor> {
        self.reduce(Reduction::Min, axes, keep)
    }

    /// The index of the largest element, the first of equals, as `u32`.
    pub fn argmax(&self, axis: i32, keep: bool) -> Result<Tensor> {
        self.reduce(Reduction::Argmax, &[axis], keep)
    }

    /// The index of the smallest element, the first of equals, as `u32`.
    pub fn argmin(&self, axis: i32, keep: bool) -> Result<Tensor> {
        self.reduce(Reduction::Argmin, &[axis], keep)
    }

    /// The indices that put one axis in order, as `u32`, of this shape: [`Tensor::gather`] by them
    /// gives it sorted. Equal elements keep their order; NaN is greater than every number.
    pub fn argsort(&self, axis: i32, descending: bool) -> Result<Tensor> {
        Ok(ops::argsort(&self.raw, axis, descending)?.into())
    }

    /// The running sum along one axis.
    pub fn cumulative_sum(&self, axis: i32) -> Result<Tensor> {
        Ok(ops::cumulative_sum(&self.raw, axis)?.into())
    }
}

/// Shape and place.
impl Tensor {
    /// The same elements under another shape. Costs no memory.
    pub fn reshape(&self, shape: &[usize]) -> Result<Tensor> {
        Ok(ops::reshape(&self.raw, &dimensions(shape)?)?.into())
    }

    /// Dimension i of the result is dimension `axes[i]` of this.
    pub fn permute(&self, axes: &[usize]) -> Result<Tensor> {
        Ok(ops::permute(&self.raw, &dimensions(axes)?)?.into())
    }

    /// A range of one axis, such as `1..4` or `..2`.
    pub fn slice(&self, axis: i32, range: impl RangeBounds<usize>) -> Result<Tensor> {
        self.slice_step(axis, range, 1)
    }

    /// Every `step`-th index of a range of one axis.
    pub fn slice_step(
        &self,
        axis: i32,
        range: impl RangeBounds<usize>,
        step: usize,
    ) -> Result<Tensor> {
        let after = |index: usize| {
            index.checked_add(1).ok_or_else(|| Error::invalid("a slice goes past every index"))
        };
        let start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => after(before)?,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(&last) => after(last)?,
            Bound::Excluded(&end) => end,
            Bound::Unbounded => self.dim(axis)?,
        };
        let (start, end, step) = (dimension(start)?, dimension(end)?, dimension(step)?);
        Ok(ops::slice(&self.raw, axis, start, end, step)?.into())
    }

    /// The tensors one after another along an axis; their other dimensions are equal.
    pub fn concat(tensors: &[&Tensor], axis: i32) -> Result<Tensor> {
        let raw: Vec<_> = tensors.iter().map(|tensor| &tensor.raw).collect();
        Ok(ops::concat(&raw, axis)?.into())
    }

    /// Repeated to a shape that it broadcasts to.
    pub fn broadcast(&self, shape: &[usize]) -> Result<Tensor> {
        Ok(ops::broadcast(&self.raw, &dimensions(shape)?)?.into())
    }

    /// One axis backwards.
    pub fn flip(&self, axis: i32) -> Result<Tensor> {
        Ok(ops::flip(&self.raw, axis)?.into())
    }

    /// Pads each axis by (before, after); one pair for each dimension.
    pub fn pad(&self, amounts: &[(usize, usize)], padding: Padding) -> Result<Tensor> {
        let amounts = amounts
            .iter()
            .map(|&(before, after)| Ok((dimension(before)?, dimension(after)?)))
            .collect::<Result<Vec<_>>>()?;
        let padding = match padding {
            Padding::Constant(value) => ops::Padding::Constant(value),
            Padding::Edge => ops::Padding::Edge,
            Padding::Reflect => ops::Padding::Reflect,
            Padding::Wrap => ops::Padding::Wrap,
        };
        Ok(ops::pad(&self.raw, &amounts, padding)?.into())
    }

    /// result[.., i, ..] = self[.., indices[.., i, ..], ..] along one axis; indices (`u32`
    /// or `i64`) has this tensor's rank, and its shape except along the axis.
    pub fn gather(&self, axis: i32, indices: &Tensor) -> Result<Tensor> {
        Ok(ops::gather(&self.raw, axis, &indices.raw)?.into())
    }

    /// Whole slices of one axis, by a 1-D tensor of indices (`u32` or `i64`).
    pub fn index_select(&self, axis: i32, indices: &Tensor) -> Result<Tensor> {
        Ok(ops::index_select(&self.raw, axis, &indices.raw)?.into())
    }

    /// Resizes [n, c, h, w] to [n, c, height, width].
    pub fn interpolate(&self, height: usize, width: usize, sampling: Sampling) -> Result<Tensor> {
        let (height, width) = (dimension(height)?, dimension(width)?);
        Ok(ops::interpolate(&self.raw, height, width, sampling.into())?.into())
    }
}

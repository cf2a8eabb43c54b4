//! What operations are told beside tensors: which function, which reduction,
//! how a convolution walks. The names are the contract's.

/// A function of each element of a float tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unary {
    /// −x.
    Neg,
    /// |x|.
    Abs,
    /// −1, 0 or 1; NaN stays.
    Sign,
    /// 1 / x.
    Recip,
    /// √x.
    Sqrt,
    /// 1 / √x.
    Rsqrt,
    /// eˣ.
    Exp,
    /// The natural logarithm.
    Log,
    /// The sine.
    Sin,
    /// The cosine.
    Cos,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// The largest integer ≤ x.
    Floor,
    /// The smallest integer ≥ x.
    Ceil,
    /// The nearest integer, halves to even.
    Round,
    /// max(x, 0).
    Relu,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// x·sigmoid(x).
    Silu,
    /// x·Φ(x), by the error function.
    Gelu,
    /// The tanh approximation of [`Unary::Gelu`].
    GeluTanh,
    /// x·sigmoid(1.702·x).
    GeluQuick,
    /// log(1 + eˣ).
    Softplus,
    /// x·tanh(softplus(x)).
    Mish,
}

impl Unary {
    /// Every function.
    pub const ALL: [Self; 23] = [
        Self::Neg,
        Self::Abs,
        Self::Sign,
        Self::Recip,
        Self::Sqrt,
        Self::Rsqrt,
        Self::Exp,
        Self::Log,
        Self::Sin,
        Self::Cos,
        Self::Tanh,
        Self::Erf,
        Self::Floor,
        Self::Ceil,
        Self::Round,
        Self::Relu,
        Self::Sigmoid,
        Self::Silu,
        Self::Gelu,
        Self::GeluTanh,
        Self::GeluQuick,
        Self::Softplus,
        Self::Mish,
    ];
}

/// A function of two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a · b.
    Mul,
    /// a / b; of integers, truncated.
    Div,
    /// The smaller one; NaN if either is.
    Minimum,
    /// The larger one; NaN if either is.
    Maximum,
}

/// A comparison of two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// a = b.
    Eq,
    /// a ≠ b.
    Ne,
    /// a < b.
    Lt,
    /// a ≤ b.
    Le,
    /// a > b.
    Gt,
    /// a ≥ b.
    Ge,
}

/// How a reduction combines elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// The sum; integers wrap.
    Sum,
    /// The mean, of floats.
    Mean,
    /// The largest element.
    Max,
    /// The smallest element.
    Min,
    /// Where the largest element is, the first of equals.
    Argmax,
    /// Where the smallest element is, the first of equals.
    Argmin,
}

/// What lies outside of a padded tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
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

/// How a resized image finds a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// The pixel at ⌊i · in / out⌋.
    Nearest,
    /// The pixel whose center is nearest.
    NearestExact,
    /// Between two pixels in each direction.
    Bilinear,
    /// By a cubic over four pixels in each direction, a = −0.75.
    Bicubic,
    /// The mean of the pixels that an output pixel covers.
    Area,
    /// Pillow's antialiased filter of radius 3.
    Lanczos,
}

/// How a convolution walks, the same in every spatial dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Walk {
    /// Input elements between neighbouring outputs.
    pub stride: usize,
    /// Zeros around the input, on each side.
    pub padding: usize,
    /// Input elements between neighbouring kernel elements.
    pub dilation: usize,
    /// Groups of channels that see only each other.
    pub groups: usize,
}

impl Default for Walk {
    fn default() -> Self {
        Self { stride: 1, padding: 0, dilation: 1, groups: 1 }
    }
}

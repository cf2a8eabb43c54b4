//! Functions of each element by itself.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::{float, number};
use crate::cpu::{elementwise, map};
use crate::device::{Buffer, unwritten};
use crate::element::{Element, for_element};
use crate::error::{internal, invalid};
use crate::{Compute, ComputeError, DType, Scope, Tensor, Unary};

/// Elements of `f16` and `bf16` that are widened at a time; both copies stay in the first cache.
const PIECE: usize = 2048;

/// Bytes that [`pieces`] allocates.
fn workspace(dtype: DType) -> u64 {
    match dtype {
        DType::F16 | DType::BF16 => (2 * PIECE * size_of::<f32>()) as u64,
        _ => 0,
    }
}

/// Widens piece after piece, computes, and rounds.
fn pieces<T>(
    x: &[T],
    widen: impl Fn(&[T], &mut [f32]),
    function: impl Fn(&[f32], &mut [f32]),
    round: impl Fn(&[f32], &mut [T]),
    out: &mut [T],
) {
    let (mut wide, mut result) = (vec![0.0; PIECE], vec![0.0; PIECE]);
    for (x, out) in x.chunks(PIECE).zip(out.chunks_mut(PIECE)) {
        let (Some(wide), Some(result)) = (wide.get_mut(..x.len()), result.get_mut(..x.len()))
        else {
            return;
        };
        widen(x, wide);
        function(wide, result);
        round(result, out);
    }
}

impl Compute {
    /// Applies `function` to each element.
    ///
    /// # Errors
    /// `InvalidArgument` when x is not of a float type.
    pub fn map(&self, scope: &Scope, x: &Tensor, function: Unary) -> Result<Tensor, ComputeError> {
        const NAME: &str = "map";
        float(NAME, "x", x)?;
        self.each(scope, NAME, x, |x, out| map::map(function, x, out), |x| in_f64(function, x))
    }

    /// scale·x + shift, element by element. Integers are computed in `f64`, and
    /// converted as [`Compute::cast`] does.
    ///
    /// # Errors
    /// `Unsupported` for a dtype that is not computed in.
    pub fn affine(
        &self,
        scope: &Scope,
        x: &Tensor,
        scale: f64,
        shift: f64,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "affine";
        number(NAME, "x", x)?;
        let (narrow_scale, narrow_shift) = (scale as f32, shift as f32);
        self.each(
            scope,
            NAME,
            x,
            |x, out| elementwise::affine(x, narrow_scale, narrow_shift, out),
            |x| scale.mul_add(x, shift),
        )
    }

    /// x to the power `exponent`, element by element.
    ///
    /// # Errors
    /// `InvalidArgument` when x is not of a float type.
    pub fn power(&self, scope: &Scope, x: &Tensor, exponent: f64) -> Result<Tensor, ComputeError> {
        const NAME: &str = "power";
        float(NAME, "x", x)?;
        self.each(scope, NAME, x, |x, out| power(exponent, x, out), |x| x.powf(exponent))
    }

    /// Each element limited to low ≤ x ≤ high. NaN stays.
    ///
    /// # Errors
    /// `InvalidArgument` when low > high, or one is NaN.
    pub fn clamp(
        &self,
        scope: &Scope,
        x: &Tensor,
        low: f64,
        high: f64,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "clamp";
        number(NAME, "x", x)?;
        if low > high || low.is_nan() || high.is_nan() {
            return Err(invalid(NAME, format!("low {low} must be at most high {high}")));
        }
        let output = (x.dtype(), x.shape().into());
        self.begin(scope, NAME, [x], output, 0)?.complete(|job| {
            let x = job.operand(0)?;
            for_element!(job.dtype(), T => {
                let (low, high) = (T::nearest(low), T::nearest(high));
                let mut out = unwritten::<T>(job.count())?;
                for (out, &x) in out.iter_mut().zip(x.slice::<T>()?) {
                    let raised = if x < low { low } else { x };
                    *out = if raised > high { high } else { raised };
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }

    /// A function of each element, by slices of `f32` or, for the wider types, one by one.
    fn each(
        &self,
        scope: &Scope,
        name: &'static str,
        x: &Tensor,
        narrow: impl Fn(&[f32], &mut [f32]),
        wide: impl Fn(f64) -> f64,
    ) -> Result<Tensor, ComputeError> {
        let output = (x.dtype(), x.shape().into());
        self.begin(scope, name, [x], output, workspace(x.dtype()))?.complete(|job| {
            let (x, count) = (job.operand(0)?, job.count());
            match job.dtype() {
                DType::F32 => {
                    let mut out = unwritten(count)?;
                    narrow(x.slice()?, &mut out);
                    Ok(Buffer::of(out)?)
                }
                DType::F16 => {
                    let mut out = unwritten::<f16>(count)?;
                    let round = |from: &[f32], to: &mut [f16]| to.convert_from_f32_slice(from);
                    pieces(x.slice()?, |x, to| x.convert_to_f32_slice(to), narrow, round, &mut out);
                    Ok(Buffer::of(out)?)
                }
                DType::BF16 => {
                    let mut out = unwritten::<bf16>(count)?;
                    let round = |from: &[f32], to: &mut [bf16]| to.convert_from_f32_slice(from);
                    pieces(x.slice()?, |x, to| x.convert_to_f32_slice(to), narrow, round, &mut out);
                    Ok(Buffer::of(out)?)
                }
                dtype => for_element!(dtype, T => {
                    let mut out = unwritten::<T>(count)?;
                    for (out, &x) in out.iter_mut().zip(x.slice::<T>()?) {
                        *out = T::nearest(wide(x.value()));
                    }
                    Ok(Buffer::of(out)?)
                }, Err(internal(name, "a type without elements"))),
            }
        })
    }
}

/// Powers; the common ones without a call for each element.
fn power(exponent: f64, x: &[f32], out: &mut [f32]) {
    fn each(x: &[f32], out: &mut [f32], function: impl Fn(f32) -> f32) {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = function(x);
        }
    }
    let exponent = exponent as f32;
    match exponent {
        2.0 => each(x, out, |x| x * x),
        3.0 => each(x, out, |x| x * x * x),
        0.5 => each(x, out, f32::sqrt),
        -0.5 => each(x, out, |x| 1.0 / x.sqrt()),
        -1.0 => each(x, out, |x| 1.0 / x),
        -2.0 => each(x, out, |x| 1.0 / (x * x)),
        _ => each(x, out, |x| x.powf(exponent)),
    }
}

/// The functions in double precision.
fn in_f64(function: Unary, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() };
    match function {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign => {
            if x == 0.0 || x.is_nan() {
                x
            } else {
                x.signum()
            }
        }
        Unary::Recip => 1.0 / x,
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Exp => x.exp(),
        Unary::Log => x.ln(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
        Unary::Erf => libm::erf(x),
        Unary::Floor => x.floor(),
        Unary::Ceil => x.ceil(),
        Unary::Round => x.round_ties_even(),
        Unary::Relu => {
            if x < 0.0 {
                0.0
            } else {
                x
            }
        }
        Unary::Sigmoid => sigmoid(x),
        Unary::Silu => x * sigmoid(x),
        Unary::Gelu => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        Unary::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            0.5 * x * (1.0 + inner.tanh())
        }
        Unary::GeluQuick => x * sigmoid(1.702 * x),
        Unary::Softplus => softplus(x),
        Unary::Mish => x * softplus(x).tanh(),
    }
}

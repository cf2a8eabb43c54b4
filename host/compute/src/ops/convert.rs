//! Conversion to another dtype.

use float8::{F8E4M3, F8E5M2};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::dense;
use crate::compute::check_cancelled;
use crate::device::{Buffer, unwritten};
use crate::element::{Element, for_element};
use crate::error::{internal, unsupported};
use crate::operand::Operand;
use crate::{Compute, ComputeError, DType, Scope, Tensor};

const NAME: &str = "cast";

impl Compute {
    /// Converts each element. Floats to integers truncate and saturate, and NaN
    /// becomes 0; integers to narrower ones saturate. `f8` converts to and from floats.
    ///
    /// # Errors
    /// `Unsupported` for a pair of dtypes between which there is no conversion.
    pub fn cast(&self, scope: &Scope, x: &Tensor, dtype: DType) -> Result<Tensor, ComputeError> {
        if x.dtype() == dtype {
            check_cancelled(scope)?;
            return Ok(x.clone());
        }
        dense(NAME, "x", x)?;
        let small = |dtype| matches!(dtype, DType::F8E4M3 | DType::F8E5M2);
        if dtype.is_quantized()
            || (small(dtype) && !x.dtype().is_float())
            || (small(x.dtype()) && !dtype.is_float())
        {
            let reason = format!("there is no conversion from {} to {dtype}", x.dtype());
            return Err(ComputeError::Unsupported { operation: NAME, reason });
        }
        let from = x.dtype();
        self.begin(scope, NAME, [x], (dtype, x.shape().into()), 0)?.complete(|job| {
            let x = job.operand(0)?;
            match (from, dtype) {
                (DType::F16 | DType::BF16, DType::F32) => Ok(Buffer::of(x.f32s()?.into_owned())?),
                (DType::F32, DType::F16) => {
                    let mut out = unwritten::<f16>(job.count())?;
                    out.convert_from_f32_slice(x.slice()?);
                    Ok(Buffer::of(out)?)
                }
                (DType::F32, DType::BF16) => {
                    let mut out = unwritten::<bf16>(job.count())?;
                    out.convert_from_f32_slice(x.slice()?);
                    Ok(Buffer::of(out)?)
                }
                (DType::F8E4M3, _) => {
                    widen(x.bytes()?, dtype, |bits| F8E4M3::to_f64(&F8E4M3::from_bits(bits)))
                }
                (DType::F8E5M2, _) => {
                    widen(x.bytes()?, dtype, |bits| F8E5M2::to_f64(&F8E5M2::from_bits(bits)))
                }
                (_, DType::F8E4M3) => narrow(&x, |value| F8E4M3::from_f64(value).to_bits()),
                (_, DType::F8E5M2) => narrow(&x, |value| F8E5M2::from_f64(value).to_bits()),
                _ => for_element!(from, A => for_element!(dtype, B => {
                    convert::<A, B>(&x)
                }, Err(unsupported(NAME, "the dtype", dtype))), Err(unsupported(NAME, "x", from))),
            }
        })
    }
}

fn convert<A: Element, B: Element>(x: &Operand<'_>) -> Result<Buffer, ComputeError> {
    let x = x.slice::<A>()?;
    let mut out = unwritten::<B>(x.len())?;
    let integers = <A as Element>::DTYPE.is_integer();
    for (out, &x) in out.iter_mut().zip(x) {
        // Through i64 an integer keeps every bit.
        *out = if integers { B::from_i64(x.to_i64()) } else { B::nearest(x.value()) };
    }
    Ok(Buffer::of(out)?)
}

/// From one byte to a float.
fn widen(x: &[u8], dtype: DType, value: impl Fn(u8) -> f64) -> Result<Buffer, ComputeError> {
    for_element!(dtype, T => {
        let mut out = unwritten::<T>(x.len())?;
        for (out, &bits) in out.iter_mut().zip(x) {
            *out = T::nearest(value(bits));
        }
        Ok(Buffer::of(out)?)
    }, Err(internal(NAME, "a type without elements")))
}

/// From a float to one byte.
fn narrow(x: &Operand<'_>, bits: impl Fn(f64) -> u8) -> Result<Buffer, ComputeError> {
    for_element!(x.dtype(), T => {
        let values = x.slice::<T>()?;
        let mut out = unwritten::<u8>(values.len())?;
        for (out, &value) in out.iter_mut().zip(values) {
            *out = bits(value.value());
        }
        Ok(Buffer::of(out)?)
    }, Err(internal(NAME, "a type without elements")))
}

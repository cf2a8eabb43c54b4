//! An input as kernels see it: a slice of some type.
//!
//! Kernels compute in `f32` (or `f64`), so `f16` and `bf16` are widened on their
//! way in and rounded once on their way out. What that takes is workspace, and
//! the functions that say how much stand beside those that take it.

use std::borrow::Cow;

use candle_core::WithDType;
use float8::{F8E4M3, F8E5M2};
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::cpu::Floats;
use crate::device::{Buffer, Reading, unwritten};
use crate::error::{internal, unsupported};
use crate::{ComputeError, DType, Tensor};

/// An input whose elements can be looked at.
pub(crate) struct Operand<'a> {
    operation: &'static str,
    tensor: &'a Tensor,
    flat: &'a candle_core::Tensor,
    reading: Reading<'a>,
}

impl<'a> Operand<'a> {
    pub(crate) fn new(
        operation: &'static str,
        tensor: &'a Tensor,
        buffer: &'a Buffer,
    ) -> Result<Self, ComputeError> {
        let flat = buffer.flat().ok_or_else(|| internal(operation, "an input is a ghost"))?;
        Ok(Self { operation, tensor, flat, reading: Reading::of(flat) })
    }

    pub(crate) fn dtype(&self) -> DType {
        self.tensor.dtype()
    }

    pub(crate) fn shape(&self) -> &[usize] {
        self.tensor.shape()
    }

    pub(crate) fn count(&self) -> usize {
        self.tensor.elements()
    }

    fn broken(&self) -> ComputeError {
        internal(self.operation, "a buffer does not hold what its tensor says")
    }

    /// The elements, of the type that the tensor's dtype stands for.
    pub(crate) fn slice<T: WithDType>(&self) -> Result<&[T], ComputeError> {
        let begin = self.tensor.offset();
        let end = begin + self.tensor.elements();
        self.reading.slice().and_then(|all| all.get(begin..end)).ok_or_else(|| self.broken())
    }

    /// The bytes of a dense tensor.
    pub(crate) fn bytes(&self) -> Result<&[u8], ComputeError> {
        let (_, size) = self.tensor.dtype().block();
        let begin = self.tensor.offset() * size;
        let end = begin + self.tensor.elements() * size;
        self.reading.bytes().and_then(|all| all.get(begin..end)).ok_or_else(|| self.broken())
    }

    /// The tensor as candle's, walked as if it had the shape that it broadcasts to.
    pub(crate) fn broadcast(&self, shape: &[usize]) -> Result<candle_core::Tensor, ComputeError> {
        self.flat
            .narrow(0, self.tensor.offset(), self.tensor.elements())
            .and_then(|part| part.reshape(self.tensor.shape())?.broadcast_as(shape))
            .map_err(|_| self.broken())
    }

    /// A float tensor as `f32`: as it is, or widened.
    pub(crate) fn f32s(&self) -> Result<Cow<'_, [f32]>, ComputeError> {
        if self.tensor.dtype() == DType::F32 {
            return self.slice().map(Cow::Borrowed);
        }
        let mut values = unwritten(self.tensor.elements())?;
        self.widen_into(&mut values)?;
        Ok(Cow::Owned(values))
    }

    fn widen_into(&self, into: &mut [f32]) -> Result<(), ComputeError> {
        match self.tensor.dtype() {
            DType::F16 => self.slice::<f16>()?.convert_to_f32_slice(into),
            DType::BF16 => self.slice::<bf16>()?.convert_to_f32_slice(into),
            DType::F32 => into.copy_from_slice(self.slice()?),
            DType::F64 => each(self.slice::<f64>()?, into, |&value| value as f32),
            DType::F8E4M3 => {
                each(self.bytes()?, into, |&bits| F8E4M3::to_f32(&F8E4M3::from_bits(bits)))
            }
            DType::F8E5M2 => {
                each(self.bytes()?, into, |&bits| F8E5M2::to_f32(&F8E5M2::from_bits(bits)))
            }
            other => return Err(unsupported(self.operation, "an operand", other)),
        }
        Ok(())
    }

    /// A float tensor as `f64`: as it is, or widened.
    pub(crate) fn f64s(&self) -> Result<Cow<'_, [f64]>, ComputeError> {
        if self.tensor.dtype() == DType::F64 {
            return self.slice().map(Cow::Borrowed);
        }
        let mut values = unwritten(self.tensor.elements())?;
        match self.tensor.dtype() {
            DType::F16 => each(self.slice::<f16>()?, &mut values, |value| value.to_f64()),
            DType::BF16 => each(self.slice::<bf16>()?, &mut values, |value| value.to_f64()),
            DType::F32 => each(self.slice::<f32>()?, &mut values, |&value| f64::from(value)),
            // By path: candle's trait has methods of these names that call themselves.
            DType::F8E4M3 => {
                each(self.bytes()?, &mut values, |&bits| F8E4M3::to_f64(&F8E4M3::from_bits(bits)))
            }
            DType::F8E5M2 => {
                each(self.bytes()?, &mut values, |&bits| F8E5M2::to_f64(&F8E5M2::from_bits(bits)))
            }
            other => return Err(unsupported(self.operation, "an operand", other)),
        }
        Ok(Cow::Owned(values))
    }

    /// A weight as kernels take it.
    pub(crate) fn weight(&self) -> Result<Weight<'_>, ComputeError> {
        Ok(match self.tensor.dtype() {
            DType::F32 => Weight::Stored(Floats::F32(self.slice()?)),
            DType::F16 => Weight::Stored(Floats::F16(self.slice()?)),
            DType::BF16 => Weight::Stored(Floats::BF16(self.slice()?)),
            _ => Weight::Widened(self.f32s()?),
        })
    }
}

fn each<A, B>(from: &[A], into: &mut [B], convert: impl Fn(&A) -> B) {
    for (into, from) in into.iter_mut().zip(from) {
        *into = convert(from);
    }
}

/// A weight: as it is stored, where kernels widen it tile by tile, or widened whole.
pub(crate) enum Weight<'a> {
    Stored(Floats<'a>),
    Widened(Cow<'a, [f32]>),
}

impl Weight<'_> {
    pub(crate) fn floats(&self) -> Floats<'_> {
        match self {
            Self::Stored(floats) => *floats,
            Self::Widened(values) => Floats::F32(values),
        }
    }
}

/// Bytes that [`Operand::f32s`] allocates.
pub(crate) fn widened(tensor: &Tensor) -> u64 {
    if tensor.dtype() == DType::F32 { 0 } else { 4 * tensor.elements() as u64 }
}

/// Bytes that [`Operand::f64s`] allocates.
pub(crate) fn widened_f64(tensor: &Tensor) -> u64 {
    if tensor.dtype() == DType::F64 { 0 } else { 8 * tensor.elements() as u64 }
}

/// Bytes that [`Operand::weight`] allocates.
pub(crate) fn widened_weight(tensor: &Tensor) -> u64 {
    match tensor.dtype() {
        DType::F32 | DType::F16 | DType::BF16 => 0,
        _ => 4 * tensor.elements() as u64,
    }
}

/// Bytes that a result of `count` elements takes beside the output until it is rounded.
pub(crate) fn unrounded(dtype: DType, count: usize) -> u64 {
    if dtype == DType::F32 { 0 } else { 4 * count as u64 }
}

/// A result that was computed in `f32`, rounded to its type.
pub(crate) fn rounded(
    operation: &'static str,
    dtype: DType,
    values: Vec<f32>,
) -> Result<Buffer, ComputeError> {
    Ok(match dtype {
        DType::F32 => Buffer::of(values)?,
        DType::F16 => {
            let mut out = unwritten::<f16>(values.len())?;
            out.convert_from_f32_slice(&values);
            Buffer::of(out)?
        }
        DType::BF16 => {
            let mut out = unwritten::<bf16>(values.len())?;
            out.convert_from_f32_slice(&values);
            Buffer::of(out)?
        }
        _ => return Err(internal(operation, "a result is of no type that is computed in f32")),
    })
}

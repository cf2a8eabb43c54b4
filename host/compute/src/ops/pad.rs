//! More around a tensor.

use super::dense;
use super::layout::as_units;
use crate::device::Buffer;
use crate::element::{Element, for_element};
use crate::error::{internal, invalid, unsupported};
use crate::shape::{self, Dims, strides};
use crate::{Compute, ComputeError, DType, Padding, Scope, Tensor};

impl Compute {
    /// Pads each axis by (before, after); one pair for each dimension of x.
    ///
    /// # Errors
    /// `InvalidArgument` when there are not as many pairs as dimensions, or x is too
    /// small to be mirrored or repeated that far.
    pub fn pad(
        &self,
        scope: &Scope,
        x: &Tensor,
        amounts: &[(usize, usize)],
        padding: Padding,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "pad";
        dense(NAME, "x", x)?;
        let rank = x.shape().len();
        if amounts.len() != rank {
            let given = amounts.len();
            let reason = format!("amounts has {given} pairs, but x has {rank} dimensions");
            return Err(invalid(NAME, reason));
        }
        let mut shape = Dims::new();
        for (&dim, &(before, after)) in x.shape().iter().zip(amounts) {
            let most = match padding {
                Padding::Constant(_) => usize::MAX,
                Padding::Edge if dim > 0 => usize::MAX,
                Padding::Edge => 0,
                Padding::Reflect => dim.saturating_sub(1),
                Padding::Wrap => dim,
            };
            if before.max(after) > most {
                let reason = format!(
                    "an axis of {dim} elements cannot be padded by ({before}, {after}) this way: \
                     {most} on each side is the most"
                );
                return Err(invalid(NAME, reason));
            }
            let padded = before.checked_add(after).and_then(|sum| sum.checked_add(dim));
            shape.push(padded.ok_or_else(|| invalid(NAME, "amounts are larger than can be"))?);
        }
        shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        if rank == 0 {
            return Ok(x.clone());
        }
        let outside = match padding {
            Padding::Constant(value) => constant(NAME, x.dtype(), value)?,
            _ => [0; 8],
        };
        let (_, size) = x.dtype().block();
        let input = x.shape();
        self.begin(scope, NAME, [x], (x.dtype(), shape), 0)?.complete(|job| {
            let from = job.operand(0)?;
            let from = from.bytes()?;
            let plan = Plan { input, shape: job.shape(), amounts, padding };
            Buffer::written(job.dtype(), job.count(), |out| {
                let padded = match size {
                    1 => as_units::<u8>(from, out, |from, out| plan.fill(from, outside[0], out)),
                    2 => {
                        as_units::<u16>(from, out, |from, out| plan.fill(from, unit(outside), out))
                    }
                    4 => {
                        as_units::<u32>(from, out, |from, out| plan.fill(from, unit(outside), out))
                    }
                    8 => {
                        as_units::<u64>(from, out, |from, out| plan.fill(from, unit(outside), out))
                    }
                    _ => return Err(unsupported(NAME, "x", job.dtype())),
                };
                padded.ok_or_else(|| internal(NAME, "a buffer is not aligned"))
            })
        })
    }
}

/// The bytes of a constant, in front.
fn constant(operation: &'static str, dtype: DType, value: f64) -> Result<[u8; 8], ComputeError> {
    let mut bytes = [0; 8];
    for_element!(dtype, T => {
        let value = T::nearest(value);
        for (to, from) in bytes.iter_mut().zip(bytemuck::bytes_of(&value)) {
            *to = *from;
        }
        Ok(bytes)
    }, {
        // A type without arithmetic can still be padded by zeros.
        if value == 0.0 { Ok(bytes) } else { Err(unsupported(operation, "x", dtype)) }
    })
}

fn unit<U: bytemuck::Pod>(bytes: [u8; 8]) -> U {
    let mut unit = U::zeroed();
    for (to, from) in bytemuck::bytes_of_mut(&mut unit).iter_mut().zip(bytes) {
        *to = from;
    }
    unit
}

struct Plan<'a> {
    input: &'a [usize],
    shape: &'a [usize],
    amounts: &'a [(usize, usize)],
    padding: Padding,
}

impl Plan<'_> {
    /// Where index `at` of a padded axis comes from; `None` outside of a constant's frame.
    fn source(&self, at: usize, dim: usize, before: usize) -> Option<usize> {
        if let Some(inside) = at.checked_sub(before).filter(|&inside| inside < dim) {
            return Some(inside);
        }
        // How far it is in front of the first, or behind the last.
        let (front, behind) = (before.saturating_sub(at), (at + 1).saturating_sub(before + dim));
        match self.padding {
            Padding::Constant(_) => None,
            Padding::Edge => Some(if front > 0 { 0 } else { dim - 1 }),
            Padding::Reflect => Some(if front > 0 { front } else { dim - 1 - behind }),
            Padding::Wrap => Some(if front > 0 { dim - front } else { behind - 1 }),
        }
    }

    /// Fills the padded tensor, row by row of its last axis.
    fn fill<U: bytemuck::Pod>(&self, from: &[U], outside: U, out: &mut [U]) {
        let (Some(&width), Some(&dim), Some(&(before, _))) =
            (self.shape.last(), self.input.last(), self.amounts.last())
        else {
            return;
        };
        let steps = strides(self.input);
        for (row, out) in out.chunks_exact_mut(width).enumerate() {
            let Some(start) = self.row(row, &steps) else {
                out.fill(outside);
                continue;
            };
            let x = from.get(start..start + dim).unwrap_or_default();
            for (at, out) in out.iter_mut().enumerate() {
                if at == before {
                    break;
                }
                let source = self.source(at, dim, before);
                *out = source.and_then(|source| x.get(source)).copied().unwrap_or(outside);
            }
            let (_, rest) = out.split_at_mut(before);
            let (middle, end) = rest.split_at_mut(dim);
            middle.copy_from_slice(x);
            for (at, out) in end.iter_mut().enumerate() {
                let source = self.source(before + dim + at, dim, before);
                *out = source.and_then(|source| x.get(source)).copied().unwrap_or(outside);
            }
        }
    }

    /// Where the row of the input begins that an output row is made of.
    fn row(&self, row: usize, steps: &[isize]) -> Option<usize> {
        let (mut rest, mut start) = (row, 0);
        let outer = self.shape.iter().zip(self.input).zip(self.amounts).zip(steps);
        for (((&size, &dim), &(before, _)), step) in outer.rev().skip(1) {
            let source = self.source(rest % size, dim, before)?;
            start += source * step.cast_unsigned();
            rest /= size;
        }
        Some(start)
    }
}

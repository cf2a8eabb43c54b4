//! The same elements in another order or under another shape.
//!
//! All of these are one walk with steps over the elements of x. Where the walk
//! turns out to be x's own order, the result is a view and costs nothing.

use super::dense;
use crate::compute::check_cancelled;
use crate::device::Buffer;
use crate::error::{internal, invalid, unsupported};
use crate::shape::{self, Dims, Strides, broadcast_strides, strides};
use crate::strided::{copy, is_contiguous};
use crate::{Compute, ComputeError, Scope, Tensor};

impl Compute {
    /// The same elements under another shape. Costs no memory.
    ///
    /// # Errors
    /// `InvalidArgument` when the shape has another number of elements.
    pub fn reshape(
        &self,
        scope: &Scope,
        x: &Tensor,
        shape: &[usize],
    ) -> Result<Tensor, ComputeError> {
        check_cancelled(scope)?;
        x.reshaped("reshape", shape)
    }

    /// Dimension i of the result is dimension `axes[i]` of x.
    ///
    /// # Errors
    /// `InvalidArgument` when `axes` does not name each axis once.
    pub fn permute(
        &self,
        scope: &Scope,
        x: &Tensor,
        axes: &[usize],
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "permute";
        let rank = x.shape().len();
        if axes.len() != rank {
            let reason = format!("{} axes, but x has {rank} dimensions", axes.len());
            return Err(invalid(NAME, reason));
        }
        let steps = strides(x.shape());
        let mut shape = Dims::new();
        let mut permuted = Strides::new();
        let once = |axis: &usize| axes.iter().filter(|other| *other == axis).count() == 1;
        for axis in axes {
            match (x.shape().get(*axis), steps.get(*axis)) {
                (Some(&dim), Some(&step)) if once(axis) => {
                    shape.push(dim);
                    permuted.push(step);
                }
                _ => break,
            }
        }
        if shape.len() != rank {
            let reason = format!("axes {axes:?} do not name each of the {rank} axes of x once");
            return Err(invalid(NAME, reason));
        }
        self.rearrange(scope, NAME, x, shape, 0, &permuted)
    }

    /// Indices start, start + step, … below `end` of one axis.
    ///
    /// # Errors
    /// `InvalidArgument` for a wrong axis, a step of 0, or a range outside of the axis.
    pub fn slice(
        &self,
        scope: &Scope,
        x: &Tensor,
        axis: i32,
        start: usize,
        end: usize,
        step: usize,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "slice";
        let index = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let (_, length, _) = shape::around(x.shape(), index);
        if step == 0 {
            return Err(invalid(NAME, "step is 0, but at least 1 is expected"));
        }
        if start > end || end > length {
            let reason = format!("{start}..{end} does not lie in axis {axis} of {length} elements");
            return Err(invalid(NAME, reason));
        }
        let mut shape = Dims::from_slice(x.shape());
        let mut steps = strides(x.shape());
        let mut first = 0;
        if let (Some(dim), Some(stride)) = (shape.get_mut(index), steps.get_mut(index)) {
            *dim = (end - start).div_ceil(step);
            first = start.cast_signed() * *stride;
            // Beyond one element the step is below the length, so this cannot overflow.
            *stride = if *dim > 1 { *stride * step.cast_signed() } else { 0 };
        }
        self.rearrange(scope, NAME, x, shape, first, &steps)
    }

    /// x repeated to a shape that it broadcasts to.
    ///
    /// # Errors
    /// `InvalidArgument` when it does not broadcast to that shape.
    pub fn broadcast(
        &self,
        scope: &Scope,
        x: &Tensor,
        shape: &[usize],
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "broadcast";
        shape::elements(shape).map_err(|reason| invalid(NAME, reason))?;
        let steps = broadcast_strides(x.shape(), shape).ok_or_else(|| {
            let from = x.shape();
            invalid(NAME, format!("x of shape {from:?} does not broadcast to {shape:?}"))
        })?;
        self.rearrange(scope, NAME, x, shape.into(), 0, &steps)
    }

    /// The axis backwards.
    ///
    /// # Errors
    /// `InvalidArgument` for a wrong axis.
    pub fn flip(&self, scope: &Scope, x: &Tensor, axis: i32) -> Result<Tensor, ComputeError> {
        const NAME: &str = "flip";
        let index = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let mut steps = strides(x.shape());
        let mut first = 0;
        if let (Some(&dim), Some(step)) = (x.shape().get(index), steps.get_mut(index)) {
            first = *step * dim.saturating_sub(1).cast_signed();
            *step = -*step;
        }
        self.rearrange(scope, NAME, x, x.shape().into(), first, &steps)
    }

    /// The elements of x at `start` and by `steps` from there on, under `shape`.
    fn rearrange(
        &self,
        scope: &Scope,
        name: &'static str,
        x: &Tensor,
        shape: Dims,
        start: isize,
        steps: &[isize],
    ) -> Result<Tensor, ComputeError> {
        if is_contiguous(&shape, steps)
            && !shape.contains(&0)
            && shape::bytes(x.dtype(), &shape).is_ok()
        {
            let (block, _) = x.dtype().block();
            if start.cast_unsigned().is_multiple_of(block) {
                check_cancelled(scope)?;
                return Ok(x.view(start.cast_unsigned(), shape));
            }
        }
        dense(name, "x", x)?;
        let (_, size) = x.dtype().block();
        self.begin(scope, name, [x], (x.dtype(), shape), 0)?.complete(|job| {
            let from = job.operand(0)?;
            let from = from.bytes()?;
            Buffer::written(job.dtype(), job.count(), |out| {
                let copied = match size {
                    1 => as_units::<u8>(from, out, |from, out| {
                        copy(from, start, job.shape(), steps, out)
                    }),
                    2 => as_units::<u16>(from, out, |from, out| {
                        copy(from, start, job.shape(), steps, out)
                    }),
                    4 => as_units::<u32>(from, out, |from, out| {
                        copy(from, start, job.shape(), steps, out)
                    }),
                    8 => as_units::<u64>(from, out, |from, out| {
                        copy(from, start, job.shape(), steps, out)
                    }),
                    _ => return Err(unsupported(name, "x", job.dtype())),
                };
                copied.ok_or_else(|| internal(name, "a buffer is not aligned"))
            })
        })
    }
}

/// Bytes as units of a size: what an element means does not matter here.
pub(super) fn as_units<U: bytemuck::Pod>(
    from: &[u8],
    out: &mut [u8],
    work: impl FnOnce(&[U], &mut [U]),
) -> Option<()> {
    let from = bytemuck::try_cast_slice(from).ok()?;
    let out = bytemuck::try_cast_slice_mut(out).ok()?;
    work(from, out);
    Some(())
}

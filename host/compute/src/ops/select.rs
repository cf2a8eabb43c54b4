//! Elements and slices by their indices.

use berth_memory::MemoryError;

use super::layout::as_units;
use super::{dense, dimensions};
use crate::device::{Buffer, unwritten};
use crate::error::{internal, invalid, unsupported};
use crate::operand::Operand;
use crate::shape::{self, Dims};
use crate::{Compute, ComputeError, DType, Scope, Tensor};

impl Compute {
    /// Rows of weight [rows, c] by indices [..] (`u32` or `i64`) → [.., c], of weight's dtype.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit, and an index of no row.
    pub fn embedding(
        &self,
        scope: &Scope,
        indices: &Tensor,
        weight: &Tensor,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "embedding";
        let [_, width] = dimensions(NAME, "weight", weight, "[rows, c]")?;
        let mut shape = Dims::from_slice(indices.shape());
        shape.push(width);
        self.take(scope, NAME, weight, 0, indices, shape)
    }

    /// Whole slices of one axis, by a 1-D tensor of indices (`u32` or `i64`).
    ///
    /// # Errors
    /// `InvalidArgument` for a wrong axis, indices of another type, and an index outside of the axis.
    pub fn index_select(
        &self,
        scope: &Scope,
        x: &Tensor,
        axis: i32,
        indices: &Tensor,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "index-select";
        let axis = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let [count] = dimensions(NAME, "indices", indices, "[n]")?;
        let mut shape = Dims::from_slice(x.shape());
        if let Some(dim) = shape.get_mut(axis) {
            *dim = count;
        }
        self.take(scope, NAME, x, axis, indices, shape)
    }

    fn take(
        &self,
        scope: &Scope,
        name: &'static str,
        x: &Tensor,
        axis: usize,
        indices: &Tensor,
        shape: Dims,
    ) -> Result<Tensor, ComputeError> {
        dense(name, "the tensor", x)?;
        check_indices(name, indices)?;
        shape::elements(&shape).map_err(|reason| invalid(name, reason))?;
        let (_, bound, inner) = shape::around(x.shape(), axis);
        let workspace = (indices.elements() * size_of::<usize>()) as u64;
        let (_, size) = x.dtype().block();
        self.begin(scope, name, [x, indices], (x.dtype(), shape), workspace)?.complete(|job| {
            let (x, indices) = (job.operand(0)?, job.operand(1)?);
            let positions = positions(name, &indices, bound)?;
            let (bytes, width) = (x.bytes()?, inner * size);
            Buffer::written(job.dtype(), job.count(), |out| {
                let blocks = bytes.chunks_exact(bound * width);
                for (block, out) in blocks.zip(out.chunks_exact_mut(positions.len() * width)) {
                    for (&position, out) in positions.iter().zip(out.chunks_exact_mut(width)) {
                        let begin = position * width;
                        out.copy_from_slice(block.get(begin..begin + width).unwrap_or_default());
                    }
                }
                Ok::<_, MemoryError>(())
            })
            .map_err(ComputeError::from)
        })
    }

    /// result[.., i, ..] = x[.., indices[.., i, ..], ..] along one axis (`u32` or `i64`);
    /// indices has x's rank, and its shape except along the axis.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit, and an index outside of the axis.
    pub fn gather(
        &self,
        scope: &Scope,
        x: &Tensor,
        axis: i32,
        indices: &Tensor,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "gather";
        dense(NAME, "x", x)?;
        check_indices(NAME, indices)?;
        let axis = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let fits = x.shape().len() == indices.shape().len()
            && x.shape()
                .iter()
                .zip(indices.shape())
                .enumerate()
                .all(|(i, (a, b))| i == axis || a == b);
        if !fits {
            let (x, indices) = (x.shape(), indices.shape());
            let reason =
                format!("indices {indices:?} must have the shape of x {x:?} beside axis {axis}");
            return Err(invalid(NAME, reason));
        }
        let (_, bound, inner) = shape::around(x.shape(), axis);
        let count = shape::around(indices.shape(), axis).1;
        let workspace = (indices.elements() * size_of::<usize>()) as u64;
        let (_, size) = x.dtype().block();
        let output = (x.dtype(), indices.shape().into());
        self.begin(scope, NAME, [x, indices], output, workspace)?.complete(|job| {
            let (x, indices) = (job.operand(0)?, job.operand(1)?);
            let positions = positions(NAME, &indices, bound)?;
            let from = x.bytes()?;
            let plan = Gather { positions: &positions, count, bound, inner };
            Buffer::written(job.dtype(), job.count(), |out| {
                let gathered = match size {
                    1 => as_units::<u8>(from, out, |from, out| plan.fill(from, out)),
                    2 => as_units::<u16>(from, out, |from, out| plan.fill(from, out)),
                    4 => as_units::<u32>(from, out, |from, out| plan.fill(from, out)),
                    8 => as_units::<u64>(from, out, |from, out| plan.fill(from, out)),
                    _ => return Err(unsupported(NAME, "x", job.dtype())),
                };
                gathered.ok_or_else(|| internal(NAME, "a buffer is not aligned"))
            })
        })
    }
}

struct Gather<'a> {
    positions: &'a [usize],
    count: usize,
    bound: usize,
    inner: usize,
}

impl Gather<'_> {
    fn fill<U: bytemuck::Pod>(&self, from: &[U], out: &mut [U]) {
        for (at, (out, &position)) in out.iter_mut().zip(self.positions).enumerate() {
            let (block, column) = (at / (self.count * self.inner), at % self.inner);
            let read = (block * self.bound + position) * self.inner + column;
            *out = from.get(read).copied().unwrap_or(U::zeroed());
        }
    }
}

fn check_indices(name: &'static str, indices: &Tensor) -> Result<(), ComputeError> {
    match indices.dtype() {
        DType::U32 | DType::I64 => Ok(()),
        other => Err(invalid(name, format!("indices are {other}, but u32 or i64 is expected"))),
    }
}

/// The indices, each below `bound`.
fn positions(
    name: &'static str,
    indices: &Operand<'_>,
    bound: usize,
) -> Result<Vec<usize>, ComputeError> {
    let outside = |index: i64| {
        invalid(name, format!("index {index} does not lie in an axis of {bound} elements"))
    };
    let mut positions = unwritten::<usize>(indices.count())?;
    if indices.dtype() == DType::U32 {
        for (position, &index) in positions.iter_mut().zip(indices.slice::<u32>()?) {
            *position = index as usize;
            if *position >= bound {
                return Err(outside(index.into()));
            }
        }
    } else {
        for (position, &index) in positions.iter_mut().zip(indices.slice::<i64>()?) {
            *position = usize::try_from(index)
                .ok()
                .filter(|&position| position < bound)
                .ok_or_else(|| outside(index))?;
        }
    }
    Ok(positions)
}

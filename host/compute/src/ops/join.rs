//! Tensors one after another.

use super::{dense, same_type};
use crate::device::Buffer;
use crate::error::invalid;
use crate::operand::Operand;
use crate::shape::{self, Dims};
use crate::{Compute, ComputeError, Scope, Tensor};

impl Compute {
    /// The tensors one after another along an axis; their other dimensions are equal.
    ///
    /// # Errors
    /// `InvalidArgument` when there are none, or their dtypes or shapes do not fit.
    pub fn concat(
        &self,
        scope: &Scope,
        tensors: &[&Tensor],
        axis: i32,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "concat";
        let Some((first, rest)) = tensors.split_first() else {
            return Err(invalid(NAME, "there are no tensors"));
        };
        dense(NAME, "a tensor", first)?;
        let axis =
            shape::axis(axis, first.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let mut shape = Dims::from_slice(first.shape());
        for tensor in rest {
            same_type(NAME, first, tensor)?;
            let fits = tensor.shape().len() == shape.len()
                && tensor
                    .shape()
                    .iter()
                    .zip(&shape)
                    .enumerate()
                    .all(|(i, (a, b))| i == axis || a == b);
            let along = shape::around(tensor.shape(), axis).1;
            let total = shape.get_mut(axis).filter(|_| fits);
            let sum = total.as_deref().and_then(|total| total.checked_add(along));
            match (total, sum) {
                (Some(total), Some(sum)) => *total = sum,
                _ => {
                    let (a, b) = (first.shape(), tensor.shape());
                    let reason = format!("the shapes {a:?} and {b:?} differ beside axis {axis}");
                    return Err(invalid(NAME, reason));
                }
            }
        }
        shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        let (_, size) = first.dtype().block();
        let (_, total, inner) = shape::around(&shape, axis);
        // What is kept for each tensor while they are copied.
        let workspace =
            (tensors.len() * (size_of::<Operand<'_>>() + size_of::<(&[u8], usize)>())) as u64;
        let inputs = tensors.iter().copied();
        self.begin(scope, NAME, inputs, (first.dtype(), shape), workspace)?.complete(|job| {
            let operands: Vec<Operand<'_>> =
                (0..tensors.len()).map(|index| job.operand(index)).collect::<Result<_, _>>()?;
            let mut parts: Vec<(&[u8], usize)> = Vec::with_capacity(tensors.len());
            for operand in &operands {
                let width = shape::around(operand.shape(), axis).1 * inner * size;
                parts.push((operand.bytes()?, width));
            }
            parts.retain(|&(_, width)| width > 0);
            Buffer::written(job.dtype(), job.count(), |out| {
                let row = total * inner * size;
                for (row, out) in out.chunks_exact_mut(row).enumerate() {
                    let mut rest = out;
                    for &(bytes, width) in &parts {
                        let (out, after) = rest.split_at_mut(width.min(rest.len()));
                        let from = bytes.get(row * width..).unwrap_or_default();
                        out.copy_from_slice(from.get(..out.len()).unwrap_or_default());
                        rest = after;
                    }
                }
                Ok(())
            })
        })
    }
}

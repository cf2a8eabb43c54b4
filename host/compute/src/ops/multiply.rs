//! Products of matrices.

use smallvec::SmallVec;

use super::{dimensions, float, per_channel, same_type, weight};
use crate::cpu::gemm;
use crate::device::{Buffer, unwritten};
use crate::error::{internal, invalid};
use crate::operand::{rounded, unrounded, widened, widened_f64, widened_weight};
use crate::shape::{self, Dims, broadcast_strides};
use crate::strided::Nest;
use crate::{Compute, ComputeError, DType, Scope, Tensor, double};

impl Compute {
    /// `a · b`: [.., m, k] · [.., k, n] → [.., m, n]; leading dimensions broadcast.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn matmul(&self, scope: &Scope, a: &Tensor, b: &Tensor) -> Result<Tensor, ComputeError> {
        const NAME: &str = "matmul";
        float(NAME, "a", a)?;
        same_type(NAME, a, b)?;
        let ([a_batch @ .., m, k], [b_batch @ .., rows, n]) = (a.shape(), b.shape()) else {
            return Err(invalid(NAME, "a and b need at least two dimensions each"));
        };
        let (m, k, n) = (*m, *k, *n);
        if k != *rows {
            let (a, b) = (a.shape(), b.shape());
            let reason =
                format!("a of shape {a:?} has {k} columns, but b of shape {b:?} {rows} rows");
            return Err(invalid(NAME, reason));
        }
        let batch = shape::broadcast(a_batch, b_batch).map_err(|reason| invalid(NAME, reason))?;
        let mut shape: Dims = batch.clone();
        shape.extend([m, n]);
        let count = shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        let matrices: usize = batch.iter().product();
        let offsets = (matrices * size_of::<(usize, usize)>()) as u64;
        let workspace = if a.dtype() == DType::F64 {
            offsets
        } else {
            offsets
                + widened(a)
                + widened(b)
                + unrounded(a.dtype(), count)
                + gemm::matmul_workspace(matrices, m, k, n)
        };
        self.begin(scope, NAME, [a, b], (a.dtype(), shape), workspace)?.complete(|job| {
            let (a, b) = (job.operand(0)?, job.operand(1)?);
            let strides = |shape| {
                broadcast_strides(shape, &batch)
                    .ok_or_else(|| internal(NAME, "a batch does not broadcast"))
            };
            let nest = Nest::new(&batch, [&strides(a_batch)?, &strides(b_batch)?]);
            let mut offsets: Vec<(usize, usize)> = Vec::with_capacity(matrices);
            let inner = nest.inner();
            nest.rows([0, 0], |[a, b]| {
                for i in 0..inner.count.cast_signed() {
                    let [a_step, b_step] = inner.steps;
                    let (a, b) = (a + i * a_step, b + i * b_step);
                    offsets.push((a.cast_unsigned() * m * k, b.cast_unsigned() * k * n));
                }
            });
            if job.dtype() == DType::F64 {
                let mut out = unwritten::<f64>(count)?;
                double::matmul(a.slice()?, b.slice()?, &offsets, (m, k, n), &mut out);
                return Ok(Buffer::of(out)?);
            }
            let mut out = unwritten(count)?;
            gemm::matmul(&a.f32s()?, &b.f32s()?, &offsets, m, k, n, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }

    /// `x · weightᵀ + bias`: x [.., in], weight [out, in], bias [out] → [.., out].
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn linear(
        &self,
        scope: &Scope,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "linear";
        float(NAME, "x", x)?;
        self::weight(NAME, "weight", weight)?;
        let [out_width, width] = dimensions(NAME, "weight", weight, "[out, in]")?;
        let [outer @ .., last] = x.shape() else {
            return Err(invalid(NAME, "x needs at least one dimension"));
        };
        if *last != width {
            let (x, weight) = (x.shape(), weight.shape());
            let reason = format!(
                "the last dimension of x, of shape {x:?}, is not the {width} of weight, of shape {weight:?}"
            );
            return Err(invalid(NAME, reason));
        }
        per_channel(NAME, "bias", bias, out_width)?;
        let mut shape: Dims = outer.into();
        shape.push(out_width);
        let count = shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        let rows: usize = outer.iter().product();
        let inputs: SmallVec<[&Tensor; 3]> = [x, weight].into_iter().chain(bias).collect();
        let workspace = if x.dtype() == DType::F64 {
            widened_f64(weight) + bias.map_or(0, widened_f64)
        } else {
            widened(x)
                + widened_weight(weight)
                + bias.map_or(0, widened_weight)
                + unrounded(x.dtype(), count)
                + gemm::linear_workspace(rows, width, out_width)
        };
        self.begin(scope, NAME, inputs, (x.dtype(), shape), workspace)?.complete(|job| {
            let (x, weight) = (job.operand(0)?, job.operand(1)?);
            let bias = bias.map(|_| job.operand(2)).transpose()?;
            if job.dtype() == DType::F64 {
                let bias = bias.as_ref().map(|bias| bias.f64s()).transpose()?;
                let mut out = unwritten::<f64>(count)?;
                let sizes = (width, out_width);
                double::linear(x.slice()?, &weight.f64s()?, bias.as_deref(), sizes, &mut out);
                return Ok(Buffer::of(out)?);
            }
            let (x, weight) = (x.f32s()?, weight.weight()?);
            let bias = bias.as_ref().map(|bias| bias.weight()).transpose()?;
            let bias = bias.as_ref().map(|bias| bias.floats());
            let mut out = unwritten(count)?;
            gemm::linear(&x, rows, width, weight.floats(), bias, out_width, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }
}

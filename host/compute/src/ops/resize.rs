//! Images of another size.

use bytemuck::Pod;
use rayon::prelude::*;

use super::layout::as_units;
use super::{dimensions, float};
use crate::cpu::interpolate;
use crate::device::{Buffer, unwritten};
use crate::error::{internal, invalid, unsupported};
use crate::operand::{rounded, unrounded, widened};
use crate::shape::{self, Dims};
use crate::{Compute, ComputeError, DType, Sampling, Scope, Tensor};

impl Compute {
    /// Resizes x [n, c, h, w] to [n, c, height, width], as PyTorch's `interpolate` does
    /// with `align_corners=False` and no antialiasing; `Lanczos` is Pillow's filter.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit, `Unsupported` for `f64`.
    pub fn interpolate(
        &self,
        scope: &Scope,
        x: &Tensor,
        height: usize,
        width: usize,
        sampling: Sampling,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "interpolate";
        float(NAME, "x", x)?;
        if x.dtype() == DType::F64 {
            return Err(unsupported(NAME, "x", x.dtype()));
        }
        let [batch, channels, from_height, from_width] = dimensions(NAME, "x", x, "[n, c, h, w]")?;
        let (from, to) = ((from_height, from_width), (height, width));
        if [from_height, from_width, height, width].contains(&0) {
            let reason = format!("an image of {from:?} cannot become one of {to:?}: 0 is no size");
            return Err(invalid(NAME, reason));
        }
        let shape = Dims::from_slice(&[batch, channels, height, width]);
        let count = shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        let planes = batch * channels;
        let output = (x.dtype(), shape);
        if let Some(factor) = enlarged(sampling, from, to) {
            let (_, size) = x.dtype().block();
            return self.begin(scope, NAME, [x], output, 0)?.complete(|job| {
                let x = job.operand(0)?;
                let x = x.bytes()?;
                Buffer::written(job.dtype(), count, |out| {
                    let written = match size {
                        2 => as_units::<u16>(x, out, |x, out| enlarge(x, from_width, factor, out)),
                        _ => as_units::<u32>(x, out, |x, out| enlarge(x, from_width, factor, out)),
                    };
                    written.ok_or_else(|| internal(NAME, "a buffer is not aligned"))
                })
            });
        }
        let kernel = if count == 0 {
            0
        } else {
            interpolate::interpolate_workspace(sampling, planes, from, to)
        };
        let workspace =
            kernel.saturating_add(widened(x)).saturating_add(unrounded(x.dtype(), count));
        self.begin(scope, NAME, [x], output, workspace)?.complete(|job| {
            let x = job.operand(0)?;
            let mut out = unwritten(count)?;
            interpolate::interpolate(sampling, &x.f32s()?, planes, from, to, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }
}

/// By how much every pixel grows, where that is all that happens: networks double. Of
/// other factors PyTorch rounds the reciprocal, so these are left to the kernel.
fn enlarged(
    sampling: Sampling,
    (height, width): (usize, usize),
    to: (usize, usize),
) -> Option<usize> {
    let nearest = matches!(sampling, Sampling::Nearest | Sampling::NearestExact);
    let factor = to.0.checked_div(height)?;
    let whole = (height.checked_mul(factor)?, width.checked_mul(factor)?) == to;
    (nearest && whole && factor.is_power_of_two()).then_some(factor)
}

/// Makes a square of each pixel.
fn enlarge<U: Pod + Send + Sync>(x: &[U], width: usize, factor: usize, out: &mut [U]) {
    /// Bytes of output from which a second thread is worth it.
    const PARALLEL_BYTES: usize = 1 << 20;
    let row = width * factor;
    let lines = |(x, out): (&[U], &mut [U])| {
        let (first, rest) = out.split_at_mut(row);
        if factor == 2 {
            let (pairs, _) = first.as_chunks_mut::<2>();
            for (&pixel, pair) in x.iter().zip(pairs) {
                *pair = [pixel; 2];
            }
        } else {
            for (&pixel, run) in x.iter().zip(first.chunks_exact_mut(factor)) {
                run.fill(pixel);
            }
        }
        for line in rest.chunks_exact_mut(row) {
            line.copy_from_slice(first);
        }
    };
    if size_of_val(out) < PARALLEL_BYTES {
        x.chunks_exact(width).zip(out.chunks_exact_mut(row * factor)).for_each(lines);
    } else {
        let rows = x.par_chunks_exact(width).zip(out.par_chunks_exact_mut(row * factor));
        rows.with_min_len(64).for_each(lines);
    }
}

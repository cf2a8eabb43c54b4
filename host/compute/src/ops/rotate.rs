//! Rotary position embedding.

use std::ops::{Add, Mul, Sub};

use super::{float, weight};
use crate::device::{Buffer, unwritten};
use crate::error::invalid;
use crate::operand::{rounded, unrounded, widened, widened_f64};
use crate::{Compute, ComputeError, DType, Scope, Tensor};

impl Compute {
    /// Rotary position embedding of x [.., n, d] by cosines and sines [n, d/2].
    /// `interleaved` pairs elements 2i and 2i+1, otherwise i and i + d/2.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn rotary(
        &self,
        scope: &Scope,
        x: &Tensor,
        cosines: &Tensor,
        sines: &Tensor,
        interleaved: bool,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "rotary";
        float(NAME, "x", x)?;
        weight(NAME, "cosines", cosines)?;
        weight(NAME, "sines", sines)?;
        let [.., positions, width] = x.shape() else {
            return Err(invalid(NAME, "x needs at least two dimensions"));
        };
        let (positions, width) = (*positions, *width);
        let table = [positions, width / 2];
        if !width.is_multiple_of(2) || cosines.shape() != table || sines.shape() != table {
            let (x, cosines, sines) = (x.shape(), cosines.shape(), sines.shape());
            let reason = format!(
                "x {x:?}, cosines {cosines:?} and sines {sines:?} do not fit: [.., n, d], [n, d/2] \
                 and [n, d/2] are expected, d even"
            );
            return Err(invalid(NAME, reason));
        }
        let count = x.elements();
        let workspace = match x.dtype() {
            DType::F64 => widened_f64(cosines) + widened_f64(sines),
            dtype => widened(x) + widened(cosines) + widened(sines) + unrounded(dtype, count),
        };
        let output = (x.dtype(), x.shape().into());
        self.begin(scope, NAME, [x, cosines, sines], output, workspace)?.complete(|job| {
            let (x, cosines, sines) = (job.operand(0)?, job.operand(1)?, job.operand(2)?);
            if job.dtype() == DType::F64 {
                let mut out = unwritten::<f64>(count)?;
                rotate(x.slice()?, &cosines.f64s()?, &sines.f64s()?, width, interleaved, &mut out);
                return Ok(Buffer::of(out)?);
            }
            let mut out = unwritten(count)?;
            rotate(&x.f32s()?, &cosines.f32s()?, &sines.f32s()?, width, interleaved, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }
}

fn rotate<T>(x: &[T], cosines: &[T], sines: &[T], width: usize, interleaved: bool, out: &mut [T])
where
    T: Copy + Add<Output = T> + Sub<Output = T> + Mul<Output = T>,
{
    let half = width / 2;
    let angles = cosines.chunks_exact(half).zip(sines.chunks_exact(half)).cycle();
    let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
    for ((x, out), (cosines, sines)) in rows.zip(angles) {
        let angles = cosines.iter().zip(sines);
        if interleaved {
            let (pairs, _) = x.as_chunks::<2>();
            let (results, _) = out.as_chunks_mut::<2>();
            for ((&[a, b], out), (&cosine, &sine)) in pairs.iter().zip(results).zip(angles) {
                *out = [a * cosine - b * sine, a * sine + b * cosine];
            }
        } else {
            let (first, second) = x.split_at(half);
            let (first_out, second_out) = out.split_at_mut(half);
            let pairs = first.iter().zip(second);
            let results = first_out.iter_mut().zip(second_out);
            for (((&a, &b), (x, y)), (&cosine, &sine)) in pairs.zip(results).zip(angles) {
                (*x, *y) = (a * cosine - b * sine, a * sine + b * cosine);
            }
        }
    }
}

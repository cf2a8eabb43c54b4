//! Softmax along one axis of a tensor seen as [outer, axis, inner].
//!
//! The largest element is subtracted first, so no exponential overflows. Along an axis
//! that is not the last, neighbouring columns are computed together.

use super::parallel::for_each_chunk;
use super::{math, reduce, vectorized};

/// Columns that are computed together.
const STRIP: usize = 64;

/// eˣ / Σ eˣ over the middle dimension.
pub(crate) fn softmax(x: &[f32], outer: usize, axis_len: usize, inner: usize, out: &mut [f32]) {
    debug_assert_eq!(x.len(), outer * axis_len * inner);
    for_each_chunk(x, out, axis_len * inner, |_, x, out| {
        if inner == 1 {
            vectorized(|| row(x, out));
        } else {
            vectorized(|| columns(x, inner, out));
        }
    });
}

#[inline(always)]
fn row(x: &[f32], out: &mut [f32]) {
    let largest = reduce::max(x);
    for (out, &x) in out.iter_mut().zip(x) {
        *out = math::exp(x - largest);
    }
    let scale = 1.0 / reduce::sum(out, |x| x) as f32;
    for out in out {
        *out *= scale;
    }
}

#[inline(always)]
fn columns(x: &[f32], inner: usize, out: &mut [f32]) {
    for start in (0..inner).step_by(STRIP) {
        let width = STRIP.min(inner - start);
        let mut largest = [f32::NEG_INFINITY; STRIP];
        let mut sums = [0.0f32; STRIP];
        for row in x.chunks_exact(inner) {
            let row = row.get(start..start + width).unwrap_or_default();
            for (largest, &x) in largest.iter_mut().zip(row) {
                *largest = reduce::larger(x, *largest);
            }
        }
        for (row, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
            let row = row.get(start..start + width).unwrap_or_default();
            let out = out.get_mut(start..start + width).unwrap_or_default();
            for (((out, &x), &largest), sum) in
                out.iter_mut().zip(row).zip(&largest).zip(&mut sums)
            {
                *out = math::exp(x - largest);
                *sum += *out;
            }
        }
        for out in out.chunks_exact_mut(inner) {
            let out = out.get_mut(start..start + width).unwrap_or_default();
            for (out, &sum) in out.iter_mut().zip(&sums) {
                *out /= sum;
            }
        }
    }
}

//! Softmax along one axis of a tensor seen as [outer, axis, inner].
//!
//! The largest element is subtracted first, so no exponential overflows. Along an axis
//! that is not the last, neighbouring columns are computed together.

use super::parallel::{chunk_of_rows, for_each_chunk};
use super::{Kernel, math, reduce, vectorized};

/// Columns that are computed together.
const STRIP: usize = 64;

/// eˣ / Σ eˣ over the middle dimension. Where all elements are −∞, it is NaN.
pub(crate) fn softmax(x: &[f32], outer: usize, axis_len: usize, inner: usize, out: &mut [f32]) {
    debug_assert_eq!(x.len(), outer * axis_len * inner);
    if inner == 1 {
        for_each_chunk(x, out, chunk_of_rows(axis_len), |_, x, out| {
            vectorized(Rows { x, width: axis_len, out });
        });
    } else {
        for_each_chunk(x, out, axis_len * inner, |_, x, out| {
            vectorized(Columns { x, inner, out });
        });
    }
}

struct Rows<'a> {
    x: &'a [f32],
    width: usize,
    out: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { x, width, out } = self;
        for (x, out) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let largest = reduce::max(x);
            for (out, &x) in out.iter_mut().zip(x) {
                *out = math::exp(x - largest);
            }
            let scale = 1.0 / reduce::sum(out, |x| x) as f32;
            for out in out {
                *out *= scale;
            }
        }
    }
}

struct Columns<'a> {
    x: &'a [f32],
    inner: usize,
    out: &'a mut [f32],
}

impl Kernel for Columns<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { x, inner, out } = self;
        for start in (0..inner).step_by(STRIP) {
            let strip = start..inner.min(start + STRIP);
            let mut largest = [f32::NEG_INFINITY; STRIP];
            let mut sums = [0.0f32; STRIP];
            for row in x.chunks_exact(inner) {
                let row = row.get(strip.clone()).unwrap_or_default();
                for (largest, &x) in largest.iter_mut().zip(row) {
                    *largest = reduce::larger(x, *largest);
                }
            }
            for (row, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
                let row = row.get(strip.clone()).unwrap_or_default();
                let out = out.get_mut(strip.clone()).unwrap_or_default();
                for (((out, &x), &largest), sum) in
                    out.iter_mut().zip(row).zip(&largest).zip(&mut sums)
                {
                    *out = math::exp(x - largest);
                    *sum += *out;
                }
            }
            for out in out.chunks_exact_mut(inner) {
                let out = out.get_mut(strip.clone()).unwrap_or_default();
                for (out, &sum) in out.iter_mut().zip(&sums) {
                    *out /= sum;
                }
            }
        }
    }
}

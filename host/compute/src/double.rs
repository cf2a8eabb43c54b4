//! The operations on `f64`, in plain loops.
//!
//! Networks compute in `f32` and narrower; `f64` is asked for where somebody wants
//! to know how far that is off. So nothing here is tiled, threaded or vectorized by
//! hand: each function is its definition. Those whose work grows faster than their output
//! look between two steps whether they are still wanted.
#![expect(
    clippy::indexing_slicing,
    reason = "every index is below a size that was checked against the slice's length"
)]

use crate::cpu::attention::Attention;
use crate::cpu::conv::Conv2d;
use crate::cpu::parallel::is_cancelled;

/// One product for each pair of offsets into a and b.
pub(crate) fn matmul(
    a: &[f64],
    b: &[f64],
    offsets: &[(usize, usize)],
    (m, k, n): (usize, usize, usize),
    out: &mut [f64],
) {
    out.fill(0.0);
    for (&(a_at, b_at), out) in offsets.iter().zip(out.chunks_exact_mut((m * n).max(1))) {
        for (row, out) in out.chunks_exact_mut(n).enumerate() {
            if is_cancelled() {
                return;
            }
            for i in 0..k {
                let a = a[a_at + row * k + i];
                let b = &b[b_at + i * n..][..n];
                for (out, b) in out.iter_mut().zip(b) {
                    *out += a * b;
                }
            }
        }
    }
}

/// x · weightᵀ + bias.
pub(crate) fn linear(
    x: &[f64],
    weight: &[f64],
    bias: Option<&[f64]>,
    (width, out_width): (usize, usize),
    out: &mut [f64],
) {
    for (row, out) in out.chunks_exact_mut(out_width).enumerate() {
        if is_cancelled() {
            return;
        }
        let x = &x[row * width..][..width];
        for (column, out) in out.iter_mut().enumerate() {
            let weight = &weight[column * width..][..width];
            let product: f64 = x.iter().zip(weight).map(|(x, weight)| x * weight).sum();
            *out = product + bias.map_or(0.0, |bias| bias[column]);
        }
    }
}

/// Where kernel element `tap` of output `at` reads, if that is inside of the input.
fn tap(
    at: usize,
    stride: usize,
    tap: usize,
    dilation: usize,
    padding: usize,
    size: usize,
) -> Option<usize> {
    (at * stride + tap * dilation).checked_sub(padding).filter(|&read| read < size)
}

/// Convolution: every output gathers what its kernel covers.
pub(crate) fn conv2d(
    conv: &Conv2d,
    x: &[f64],
    weight: &[f64],
    bias: Option<&[f64]>,
    out: &mut [f64],
) {
    let (depth, group_out) = (conv.channels / conv.groups, conv.out_channels / conv.groups);
    let (kh, kw) = conv.kernel;
    for (plane, out) in out.chunks_exact_mut(conv.out_height * conv.out_width).enumerate() {
        let (image, channel) = (plane / conv.out_channels, plane % conv.out_channels);
        let first = image * conv.channels + channel / group_out * depth;
        out.fill(bias.map_or(0.0, |bias| bias[channel]));
        for c in 0..depth {
            if is_cancelled() {
                return;
            }
            let x = &x[(first + c) * conv.height * conv.width..];
            let weight = &weight[(channel * depth + c) * kh * kw..];
            for (at, out) in out.iter_mut().enumerate() {
                let (oy, ox) = (at / conv.out_width, at % conv.out_width);
                for y in 0..kh {
                    let row =
                        tap(oy, conv.stride.0, y, conv.dilation.0, conv.padding.0, conv.height);
                    let Some(row) = row else { continue };
                    for i in 0..kw {
                        let column =
                            tap(ox, conv.stride.1, i, conv.dilation.1, conv.padding.1, conv.width);
                        if let Some(column) = column {
                            *out += x[row * conv.width + column] * weight[y * kw + i];
                        }
                    }
                }
            }
        }
    }
}

/// Transposed convolution: every input scatters over what its kernel covers.
pub(crate) fn conv_transpose2d(
    conv: &Conv2d,
    x: &[f64],
    weight: &[f64],
    bias: Option<&[f64]>,
    out: &mut [f64],
) {
    let (depth, group_out) = (conv.channels / conv.groups, conv.out_channels / conv.groups);
    let (kh, kw) = conv.kernel;
    for (plane, out) in out.chunks_exact_mut(conv.out_height * conv.out_width).enumerate() {
        let (image, channel) = (plane / conv.out_channels, plane % conv.out_channels);
        let first = channel / group_out * depth;
        out.fill(bias.map_or(0.0, |bias| bias[channel]));
        for c in first..first + depth {
            if is_cancelled() {
                return;
            }
            let size = conv.height * conv.width;
            let x = &x[(image * conv.channels + c) * size..][..size];
            let weight = &weight[(c * group_out + channel % group_out) * kh * kw..];
            for (at, x) in x.iter().enumerate() {
                let (iy, ix) = (at / conv.width, at % conv.width);
                for y in 0..kh {
                    let row =
                        tap(iy, conv.stride.0, y, conv.dilation.0, conv.padding.0, conv.out_height);
                    let Some(row) = row else { continue };
                    for i in 0..kw {
                        let column = tap(
                            ix,
                            conv.stride.1,
                            i,
                            conv.dilation.1,
                            conv.padding.1,
                            conv.out_width,
                        );
                        if let Some(column) = column {
                            out[row * conv.out_width + column] += x * weight[y * kw + i];
                        }
                    }
                }
            }
        }
    }
}

/// Normalizes runs of `width` elements; the parameters' index is that of the
/// run's every `spatial` elements, counted over all runs and modulo their number.
pub(crate) fn normalize(
    x: &[f64],
    width: usize,
    (weight, bias, spatial): (Option<&[f64]>, Option<&[f64]>, usize),
    epsilon: f64,
    centered: bool,
    out: &mut [f64],
) {
    let parameter = |values: Option<&[f64]>, at: usize, default: f64| {
        values.map_or(default, |values| values[at / spatial % values.len()])
    };
    for (run, (x, out)) in x.chunks_exact(width).zip(out.chunks_exact_mut(width)).enumerate() {
        let count = width as f64;
        let mean = if centered { x.iter().sum::<f64>() / count } else { 0.0 };
        let variance = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for (i, (x, out)) in x.iter().zip(out).enumerate() {
            let at = run * width + i;
            *out = (x - mean) * scale * parameter(weight, at, 1.0) + parameter(bias, at, 0.0);
        }
    }
}

/// What is added to the scores, or hides keys.
pub(crate) struct Mask<'a> {
    pub(crate) adds: Option<&'a [f64]>,
    pub(crate) hides: Option<&'a [u8]>,
    pub(crate) strides: [usize; 4],
}

/// Bytes that [`attention`] allocates: the scores of one query.
pub(crate) fn attention_workspace(keys: usize) -> u64 {
    8 * keys as u64
}

/// Attention, one query of one head at a time. `sizes` gives everything but scale and mask.
pub(crate) fn attention(
    sizes: &Attention<'_>,
    scale: f64,
    mask: &Mask<'_>,
    q: &[f64],
    k: &[f64],
    v: &[f64],
    out: &mut [f64],
) {
    let Attention { batch, heads, queries, keys, head_dim, value_dim, causal, .. } = *sizes;
    let (width, value_width) = (heads * head_dim, heads * value_dim);
    let mut scores = vec![0.0; keys];
    for (b, head, i) in
        (0..batch).flat_map(|b| (0..heads).flat_map(move |h| (0..queries).map(move |i| (b, h, i))))
    {
        if is_cancelled() {
            return;
        }
        let q = &q[(b * queries + i) * width + head * head_dim..][..head_dim];
        for (j, score) in scores.iter_mut().enumerate() {
            let [sb, sh, si, sj] = mask.strides;
            let at = b * sb + head * sh + i * si + j * sj;
            let hidden = (causal && j > i) || mask.hides.is_some_and(|hides| hides[at] == 0);
            *score = if hidden {
                f64::NEG_INFINITY
            } else {
                let k = &k[(b * keys + j) * width + head * head_dim..][..head_dim];
                let product: f64 = q.iter().zip(k).map(|(q, k)| q * k).sum();
                product * scale + mask.adds.map_or(0.0, |adds| adds[at])
            };
        }
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let out = &mut out[(b * queries + i) * value_width + head * value_dim..][..value_dim];
        out.fill(0.0);
        if largest == f64::NEG_INFINITY && !scores.iter().any(|score| score.is_nan()) {
            continue;
        }
        let mut total = 0.0;
        for (j, score) in scores.iter().enumerate() {
            let share = (score - largest).exp();
            total += share;
            let v = &v[(b * keys + j) * value_width + head * value_dim..][..value_dim];
            for (out, v) in out.iter_mut().zip(v) {
                *out += share * v;
            }
        }
        for out in out {
            *out /= total;
        }
    }
}

/// Softmax along an axis of `length` elements, `inner` apart.
pub(crate) fn softmax(x: &[f64], length: usize, inner: usize, out: &mut [f64]) {
    let block = length * inner;
    for (x, out) in x.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
        for i in 0..inner {
            let along = || (i..block).step_by(inner);
            let largest = along().map(|at| x[at]).fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = along().map(|at| (x[at] - largest).exp()).sum();
            for at in along() {
                out[at] = (x[at] - largest).exp() / total;
            }
        }
    }
}

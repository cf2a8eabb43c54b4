//! Normalization over groups of channels and over rows.
//!
//! Mean and variance take two passes over the values: the difference of two large sums
//! would lose the variance of values far from 0. Weights are widened as they are used.

use super::parallel::for_each_chunk;
use super::{Floats, reduce, vectorized};

/// Elements of a row whose weights are widened at once.
const STRIP: usize = 256;

/// Normalizes x [batch, channels, spatial] over each group of channels.
#[expect(clippy::too_many_arguments, reason = "the operation's own parameters")]
pub(crate) fn group_norm(
    x: &[f32],
    batch: usize,
    channels: usize,
    spatial: usize,
    groups: usize,
    weight: Option<Floats<'_>>,
    bias: Option<Floats<'_>>,
    epsilon: f32,
    out: &mut [f32],
) {
    if batch == 0 || groups == 0 || out.is_empty() {
        return;
    }
    let group_channels = channels / groups;
    let size = group_channels * spatial;
    for_each_chunk(x, out, size, |index, x, out| {
        let first = index % groups * group_channels;
        vectorized(|| normalize_group(x, spatial, first, weight, bias, epsilon, out));
    });
}

#[inline(always)]
fn normalize_group(
    x: &[f32],
    spatial: usize,
    first: usize,
    weight: Option<Floats<'_>>,
    bias: Option<Floats<'_>>,
    epsilon: f32,
    out: &mut [f32],
) {
    let (mean, deviation) = moments(x, epsilon);
    let channels = x.chunks_exact(spatial).zip(out.chunks_exact_mut(spatial));
    for (channel, (x, out)) in (first..).zip(channels) {
        let scale = weight.map_or(1.0, |weight| weight.at(channel)) / deviation;
        let bias = bias.map_or(0.0, |bias| bias.at(channel));
        for (out, &x) in out.iter_mut().zip(x) {
            *out = (x - mean).mul_add(scale, bias);
        }
    }
}

/// The mean, and √(variance + epsilon).
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let count = x.len() as f64;
    let mean = (reduce::sum(x, |x| x) / count) as f32;
    let variance = reduce::sum(x, |x| (x - mean) * (x - mean)) / count;
    (mean, (variance + f64::from(epsilon)).sqrt() as f32)
}

/// Normalizes each row of x [rows, width].
pub(crate) fn layer_norm(
    x: &[f32],
    rows: usize,
    width: usize,
    weight: Option<Floats<'_>>,
    bias: Option<Floats<'_>>,
    epsilon: f32,
    out: &mut [f32],
) {
    debug_assert_eq!(x.len(), rows * width);
    for_each_chunk(x, out, width, |_, x, out| {
        vectorized(|| {
            let (mean, deviation) = moments(x, epsilon);
            scale_row(x, mean, 1.0 / deviation, weight, bias, out);
        });
    });
}

/// Divides each row of x [rows, width] by its root mean square.
pub(crate) fn rms_norm(
    x: &[f32],
    rows: usize,
    width: usize,
    weight: Option<Floats<'_>>,
    epsilon: f32,
    out: &mut [f32],
) {
    debug_assert_eq!(x.len(), rows * width);
    for_each_chunk(x, out, width, |_, x, out| {
        vectorized(|| {
            let mean = reduce::sum(x, |x| x * x) / x.len() as f64;
            let root = (mean + f64::from(epsilon)).sqrt() as f32;
            scale_row(x, 0.0, 1.0 / root, weight, None, out);
        });
    });
}

/// (x − mean) · factor · weight + bias.
#[inline(always)]
fn scale_row(
    x: &[f32],
    mean: f32,
    factor: f32,
    weight: Option<Floats<'_>>,
    bias: Option<Floats<'_>>,
    out: &mut [f32],
) {
    let mut weights = [1.0f32; STRIP];
    let mut biases = [0.0f32; STRIP];
    let strips = x.chunks(STRIP).zip(out.chunks_mut(STRIP)).enumerate();
    for (strip, (x, out)) in strips {
        let count = x.len();
        let (weights, biases) = (weights.split_at_mut(count).0, biases.split_at_mut(count).0);
        if let Some(weight) = weight {
            weight.widen(strip * STRIP, weights);
        }
        if let Some(bias) = bias {
            bias.widen(strip * STRIP, biases);
        }
        for (((out, &x), &weight), &bias) in out.iter_mut().zip(x).zip(&*weights).zip(&*biases) {
            *out = ((x - mean) * factor).mul_add(weight, bias);
        }
    }
}

//! Normalization over groups of channels and over rows.
//!
//! Mean and variance take two passes over the values: the difference of two large sums
//! would lose the variance of values far from 0. Weights are widened as they are used.

use super::parallel::{chunk_of_rows, for_each_chunk};
use super::{Floats, Kernel, reduce, vectorized};

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
    if groups == 0 || out.is_empty() {
        return;
    }
    debug_assert_eq!(x.len(), batch * channels * spatial);
    let group_channels = channels / groups;
    let scaling = Scaling { weight, bias, epsilon };
    for_each_chunk(x, out, group_channels * spatial, |index, x, out| {
        let first = index % groups * group_channels;
        vectorized(Group { x, spatial, first, scaling, out });
    });
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
    let scaling = Scaling { weight, bias, epsilon };
    for_each_chunk(x, out, chunk_of_rows(width), |_, x, out| {
        vectorized(Rows { x, width, scaling, rms: false, out });
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
    let scaling = Scaling { weight, bias: None, epsilon };
    for_each_chunk(x, out, chunk_of_rows(width), |_, x, out| {
        vectorized(Rows { x, width, scaling, rms: true, out });
    });
}

/// What normalized values are scaled and shifted by.
#[derive(Clone, Copy)]
struct Scaling<'a> {
    weight: Option<Floats<'a>>,
    bias: Option<Floats<'a>>,
    epsilon: f32,
}

/// The channels of a group, from channel `first` on.
struct Group<'a> {
    x: &'a [f32],
    spatial: usize,
    first: usize,
    scaling: Scaling<'a>,
    out: &'a mut [f32],
}

impl Kernel for Group<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { x, spatial, first, scaling, out } = self;
        let (mean, deviation) = moments(x, scaling.epsilon);
        let channels = x.chunks_exact(spatial).zip(out.chunks_exact_mut(spatial));
        for (channel, (x, out)) in (first..).zip(channels) {
            let scale = scaling.weight.map_or(1.0, |weight| weight.at(channel)) / deviation;
            let bias = scaling.bias.map_or(0.0, |bias| bias.at(channel));
            for (out, &x) in out.iter_mut().zip(x) {
                *out = (x - mean).mul_add(scale, bias);
            }
        }
    }
}

/// Rows that are normalized in one call.
struct Rows<'a> {
    x: &'a [f32],
    width: usize,
    scaling: Scaling<'a>,
    /// By the root mean square alone.
    rms: bool,
    out: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { x, width, scaling, rms, out } = self;
        let mut weights = [1.0f32; STRIP];
        let mut biases = [0.0f32; STRIP];
        let rows = x.chunks_exact(width).zip(out.chunks_exact_mut(width));
        for (row, (x, out)) in rows.enumerate() {
            let (mean, deviation) = if rms {
                root_mean_square(x, scaling.epsilon)
            } else {
                moments(x, scaling.epsilon)
            };
            let factor = 1.0 / deviation;
            for (strip, (x, out)) in x.chunks(STRIP).zip(out.chunks_mut(STRIP)).enumerate() {
                let weights = weights.split_at_mut(x.len()).0;
                let biases = biases.split_at_mut(x.len()).0;
                // Those of narrow rows stay from the first row on.
                if row == 0 || width > STRIP {
                    if let Some(weight) = scaling.weight {
                        weight.widen(strip * STRIP, weights);
                    }
                    if let Some(bias) = scaling.bias {
                        bias.widen(strip * STRIP, biases);
                    }
                }
                for (((out, &x), &weight), &bias) in
                    out.iter_mut().zip(x).zip(&*weights).zip(&*biases)
                {
                    *out = ((x - mean) * factor).mul_add(weight, bias);
                }
            }
        }
    }
}

/// No mean, and √(mean of squares + epsilon).
#[inline(always)]
fn root_mean_square(x: &[f32], epsilon: f32) -> (f32, f32) {
    let mean = reduce::sum(x, |x| x * x) / x.len() as f64;
    (0.0, (mean + f64::from(epsilon)).sqrt() as f32)
}

/// The mean, and √(variance + epsilon).
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let count = x.len() as f64;
    let mean = (reduce::sum(x, |x| x) / count) as f32;
    let variance = reduce::sum(x, |x| (x - mean) * (x - mean)) / count;
    (mean, (variance + f64::from(epsilon)).sqrt() as f32)
}

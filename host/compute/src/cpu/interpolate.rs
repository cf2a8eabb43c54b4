//! Resizing planes.
//!
//! Every sampling here is separable: an output is a weighted sum over rows of weighted
//! sums over columns. So each is a table of indices and weights for each axis, and one
//! kernel applies any pair of tables. Places are computed in `f32`, as PyTorch does,
//! because a nearest neighbour depends on how its place was rounded; Pillow computes
//! its filter in `f64`.

use super::parallel::{Output, for_each_task, workers};
use super::{Kernel, vectorized};
use crate::function::Sampling;

/// The bytes that [`interpolate`] allocates at most.
pub(crate) fn interpolate_workspace(
    sampling: Sampling,
    planes: usize,
    (h, w): (usize, usize),
    (oh, ow): (usize, usize),
) -> u64 {
    let tables = Axis::bytes(sampling, h, oh).saturating_add(Axis::bytes(sampling, w, ow));
    let workers = workers(planes, cost(planes, (h, w), (oh, ow)));
    let rows = [workers, h, ow].iter().fold(size_of::<f32>(), |size, &n| size.saturating_mul(n));
    tables.saturating_add(rows) as u64
}

/// Resizes each of `planes` planes from (h, w) to (oh, ow).
pub(crate) fn interpolate(
    sampling: Sampling,
    x: &[f32],
    planes: usize,
    (h, w): (usize, usize),
    (oh, ow): (usize, usize),
    out: &mut [f32],
) {
    if out.is_empty() {
        return;
    }
    let (rows, columns) = (Axis::new(sampling, h, oh), Axis::new(sampling, w, ow));
    let cost = cost(planes, (h, w), (oh, ow));
    let out = Output::new(out);
    for_each_task(
        planes,
        cost,
        || vec![0.0f32; h * ow],
        |middle, plane| {
            let x = x.get(plane * h * w..(plane + 1) * h * w).unwrap_or_default();
            // SAFETY: a task has its own plane.
            let out = unsafe { out.slice(plane * oh * ow, oh * ow) };
            vectorized(Resize { x, w, ow, rows: &rows, columns: &columns, middle, out });
        },
    );
}

/// Nanoseconds on one core, about.
fn cost(planes: usize, (h, _): (usize, usize), (oh, ow): (usize, usize)) -> u64 {
    (planes as u64).saturating_mul(h.saturating_mul(2).saturating_add(oh).saturating_mul(ow) as u64)
}

/// One plane of width `w`, to be resized to width `ow`.
struct Resize<'a> {
    x: &'a [f32],
    w: usize,
    ow: usize,
    rows: &'a Axis,
    columns: &'a Axis,
    /// The plane with its rows resized.
    middle: &'a mut [f32],
    out: &'a mut [f32],
}

impl Kernel for Resize<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { x, w, ow, rows, columns, middle, out } = self;
        for (x, middle) in x.chunks_exact(w).zip(middle.chunks_exact_mut(ow)) {
            for (taps, to) in columns.outputs().zip(middle) {
                let mut taps =
                    taps.iter().map(|tap| x.get(tap.index).copied().unwrap_or(0.0) * tap.weight);
                let first = taps.next().unwrap_or(0.0);
                *to = taps.fold(first, |sum, product| sum + product);
            }
        }
        for (taps, out) in rows.outputs().zip(out.chunks_exact_mut(ow)) {
            for (number, tap) in taps.iter().enumerate() {
                let from = middle.get(tap.index * ow..(tap.index + 1) * ow).unwrap_or_default();
                if number == 0 {
                    for (out, &from) in out.iter_mut().zip(from) {
                        *out = from * tap.weight;
                    }
                } else {
                    for (out, &from) in out.iter_mut().zip(from) {
                        *out += from * tap.weight;
                    }
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Tap {
    index: usize,
    weight: f32,
}

/// What each output along an axis is the weighted sum of.
struct Axis {
    taps: Vec<Tap>,
    /// Where each output's taps end.
    ends: Vec<usize>,
}

impl Axis {
    /// The taps of an output at most.
    fn most(sampling: Sampling, size: usize, out: usize) -> usize {
        let out = out.max(1);
        match sampling {
            Sampling::Nearest | Sampling::NearestExact => 1,
            Sampling::Bilinear => 2,
            Sampling::Bicubic => 4,
            Sampling::Area => size / out + 2,
            Sampling::Lanczos => size.div_ceil(out).max(1).saturating_mul(6).saturating_add(2),
        }
    }

    fn bytes(sampling: Sampling, size: usize, out: usize) -> usize {
        // Both sizes are a guest's: a plane of them need not be one that there can be.
        let taps = Self::most(sampling, size, out).saturating_mul(size_of::<Tap>());
        taps.saturating_add(size_of::<usize>()).saturating_mul(out)
    }

    fn new(sampling: Sampling, size: usize, out: usize) -> Self {
        let mut axis = Self {
            taps: Vec::with_capacity(out * Self::most(sampling, size, out)),
            ends: Vec::with_capacity(out),
        };
        if size == 0 {
            return axis;
        }
        let last = size - 1;
        let scale = size as f32 / out as f32;
        for index in 0..out {
            let center = index as f32 + 0.5;
            match sampling {
                Sampling::Nearest => axis.add(((index as f32 * scale) as usize).min(last), 1.0),
                Sampling::NearestExact => axis.add(((center * scale) as usize).min(last), 1.0),
                Sampling::Bilinear => {
                    let place = (scale * center - 0.5).max(0.0);
                    let left = (place as usize).min(last);
                    let part = (place - left as f32).clamp(0.0, 1.0);
                    axis.add(left, 1.0 - part);
                    axis.add((left + 1).min(last), part);
                }
                Sampling::Bicubic => axis.add_cubic(scale * center - 0.5, last),
                Sampling::Area => {
                    let start = index * size / out;
                    let end = ((index + 1) * size).div_ceil(out);
                    for place in start..end {
                        axis.add(place, 1.0 / (end - start) as f32);
                    }
                }
                Sampling::Lanczos => axis.add_lanczos(index, size, out),
            }
            axis.ends.push(axis.taps.len());
        }
        axis
    }

    fn add(&mut self, index: usize, weight: f32) {
        self.taps.push(Tap { index, weight });
    }

    /// Cubic convolution with a = −0.75 (Keys 1981).
    fn add_cubic(&mut self, place: f32, last: usize) {
        const A: f32 = -0.75;
        let near = |x: f32| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
        let far = |x: f32| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
        let base = place.floor();
        let t = place - base;
        for (offset, weight) in
            [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)].into_iter().enumerate()
        {
            let index = (base + offset as f32 - 1.0).clamp(0.0, last as f32) as usize;
            self.add(index, weight);
        }
    }

    /// The windowed sinc of radius 3, widened when it shrinks the image.
    fn add_lanczos(&mut self, index: usize, size: usize, out: usize) {
        let scale = size as f64 / out as f64;
        let stretch = scale.max(1.0);
        let support = 3.0 * stretch;
        let center = (index as f64 + 0.5) * scale;
        let start = (center - support + 0.5).max(0.0) as usize;
        let end = ((center + support + 0.5) as usize).min(size);
        let weight = |place: usize| lanczos((place as f64 - center + 0.5) / stretch);
        let total: f64 = (start..end).map(weight).sum();
        for place in start..end {
            self.add(place, (weight(place) / total) as f32);
        }
    }

    /// The taps of each output.
    #[inline(always)]
    fn outputs(&self) -> impl Iterator<Item = &[Tap]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let taps = self.taps.get(start..end).unwrap_or_default();
            start = end;
            taps
        })
    }
}

fn lanczos(x: f64) -> f64 {
    let sinc = |x: f64| {
        if x == 0.0 {
            return 1.0;
        }
        let angle = x * std::f64::consts::PI;
        angle.sin() / angle
    };
    if (-3.0..3.0).contains(&x) { sinc(x) * sinc(x / 3.0) } else { 0.0 }
}

use berth_compute::{DType, Sampling};

use crate::array::{Array, bench, close, refused, unsupported};

/// Resizes one direction after another; `taps` gives, for an output, the inputs and their weights.
fn resized(
    x: &Array,
    size: [usize; 2],
    taps: impl Fn(usize, usize, usize) -> Vec<(usize, f64)>,
) -> Array {
    let &[n, c, h, w] = &x.shape[..] else { unreachable!() };
    Array::from_fn(&[n, c, size[0], size[1]], |index| {
        let mut sum = 0.0;
        for (y, wy) in taps(index[2], h, size[0]) {
            for (i, wx) in taps(index[3], w, size[1]) {
                sum += wy * wx * x.at(&[index[0], index[1], y, i]);
            }
        }
        sum
    })
}

fn clamped(at: isize, size: usize) -> usize {
    at.clamp(0, size as isize - 1) as usize
}

fn taps(sampling: Sampling, at: usize, size: usize, out: usize) -> Vec<(usize, f64)> {
    let scale = size as f64 / out as f64;
    let center = (at as f64 + 0.5) * scale - 0.5;
    match sampling {
        Sampling::Nearest => vec![(at * size / out, 1.0)],
        Sampling::NearestExact => {
            vec![(clamped(((at as f64 + 0.5) * scale).floor() as isize, size), 1.0)]
        }
        Sampling::Bilinear => {
            let center = center.max(0.0);
            let (low, part) = (center.floor(), center - center.floor());
            vec![(clamped(low as isize, size), 1.0 - part), (clamped(low as isize + 1, size), part)]
        }
        Sampling::Bicubic => {
            let a = -0.75;
            let cubic = |d: f64| {
                let d = d.abs();
                if d <= 1.0 {
                    ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
                } else {
                    ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
                }
            };
            let low = center.floor();
            (-1..=2)
                .map(|i| (clamped(low as isize + i, size), cubic(center - low - i as f64)))
                .collect()
        }
        Sampling::Area => {
            let (begin, end) = (at * size / out, ((at + 1) * size).div_ceil(out));
            (begin..end).map(|i| (i, 1.0 / (end - begin) as f64)).collect()
        }
        Sampling::Lanczos => {
            let sinc = |x: f64| {
                if x == 0.0 {
                    1.0
                } else {
                    (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x)
                }
            };
            let stretch = scale.max(1.0);
            let center = (at as f64 + 0.5) * scale;
            let begin = ((center - 3.0 * stretch + 0.5).floor()).max(0.0) as usize;
            let end = (((center + 3.0 * stretch + 0.5).floor()) as usize).min(size);
            let weight = |i: usize| {
                let x = (i as f64 - center + 0.5) / stretch;
                if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
            };
            let total: f64 = (begin..end).map(weight).sum();
            (begin..end).map(|i| (i, weight(i) / total)).collect()
        }
    }
}

#[test]
fn images_are_resized_by_every_sampling() {
    let bench = bench();
    let x = Array::noise(&[2, 3, 8, 6], 1);
    for (dtype, tolerance) in [(DType::F32, 1e-5), (DType::F16, 1e-3), (DType::BF16, 8e-3)] {
        for sampling in [
            Sampling::Nearest,
            Sampling::NearestExact,
            Sampling::Bilinear,
            Sampling::Bicubic,
            Sampling::Area,
            Sampling::Lanczos,
        ] {
            for size in [[16, 12], [8, 6], [4, 3], [11, 5], [1, 1], [3, 20]] {
                let got = bench
                    .compute
                    .interpolate(&bench.scope, &bench.tensor(dtype, &x), size[0], size[1], sampling)
                    .unwrap();
                close(
                    &got,
                    &resized(&x, size, |at, from, to| taps(sampling, at, from, to)),
                    tolerance,
                );
            }
        }
    }
}

#[test]
fn images_of_no_size_are_refused() {
    let bench = bench();
    let tensor = |shape: &[usize]| bench.f32(&Array::noise(shape, 1));
    let go = |shape: &[usize], h, w| {
        bench.compute.interpolate(&bench.scope, &tensor(shape), h, w, Sampling::Area)
    };
    refused(go(&[1, 1, 4, 4], 0, 4), "0 is no size");
    refused(go(&[1, 1, 0, 4], 4, 4), "0 is no size");
    refused(go(&[1, 4, 4], 4, 4), "[n, c, h, w]");
    refused(go(&[1, 1, 4, 4], usize::MAX, 4), "more elements");
    assert_eq!(go(&[0, 1, 4, 4], 2, 2).unwrap().shape(), [0, 1, 2, 2]);
    let double = bench.tensor(DType::F64, &Array::noise(&[1, 1, 2, 2], 1));
    unsupported(bench.compute.interpolate(&bench.scope, &double, 4, 4, Sampling::Nearest));
}

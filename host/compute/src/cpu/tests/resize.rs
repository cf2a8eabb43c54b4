use super::{Random, deterministic};
use crate::cpu::interpolate::interpolate;
use crate::function::Sampling;

/// A sample of a plane at a place, by the definition of the sampling.
fn sample(
    sampling: Sampling,
    x: &[f32],
    (h, w): (usize, usize),
    (oh, ow): (usize, usize),
    (i, j): (usize, usize),
) -> f64 {
    let axis = |size: usize, out: usize, index: usize| -> Vec<(usize, f64)> {
        let scale = size as f64 / out as f64;
        let clamp = |place: f64| place.clamp(0.0, size as f64 - 1.0) as usize;
        match sampling {
            Sampling::Nearest => vec![(clamp((index as f64 * scale + 1e-9).floor()), 1.0)],
            Sampling::NearestExact => {
                vec![(clamp(((index as f64 + 0.5) * scale + 1e-9).floor()), 1.0)]
            }
            Sampling::Bilinear => {
                let place = ((index as f64 + 0.5) * scale - 0.5).max(0.0);
                vec![
                    (clamp(place.floor()), 1.0 - place.fract()),
                    (clamp(place.floor() + 1.0), place.fract()),
                ]
            }
            Sampling::Bicubic => {
                let place = (index as f64 + 0.5) * scale - 0.5;
                (-1..=2)
                    .map(|offset| {
                        let at = place.floor() + f64::from(offset);
                        let d = (place - at).abs();
                        let weight = if d <= 1.0 {
                            1.25 * d.powi(3) - 2.25 * d.powi(2) + 1.0
                        } else {
                            -0.75 * (d.powi(3) - 5.0 * d.powi(2) + 8.0 * d - 4.0)
                        };
                        (clamp(at), weight)
                    })
                    .collect()
            }
            Sampling::Area => {
                let (start, end) = (index * size / out, ((index + 1) * size).div_ceil(out));
                (start..end).map(|place| (place, 1.0 / (end - start) as f64)).collect()
            }
            Sampling::Lanczos => {
                let stretch = scale.max(1.0);
                let center = (index as f64 + 0.5) * scale;
                let weight = |place: usize| {
                    let t = (place as f64 + 0.5 - center) / stretch;
                    let sinc = |t: f64| {
                        let a = t * std::f64::consts::PI;
                        if a.abs() < 1e-12 { 1.0 } else { a.sin() / a }
                    };
                    if t.abs() < 3.0 { sinc(t) * sinc(t / 3.0) } else { 0.0 }
                };
                let total: f64 = (0..size).map(weight).sum();
                (0..size).map(|place| (place, weight(place) / total)).collect()
            }
        }
    };
    let columns = axis(w, ow, j);
    axis(h, oh, i)
        .into_iter()
        .flat_map(|(y, a)| columns.iter().map(move |&(x, b)| (y, x, a * b)))
        .map(|(y, column, weight)| f64::from(x[y * w + column]) * weight)
        .sum()
}

#[test]
fn every_sampling_follows_its_definition() {
    let mut random = Random(50);
    let all = [
        Sampling::Nearest,
        Sampling::NearestExact,
        Sampling::Bilinear,
        Sampling::Bicubic,
        Sampling::Area,
        Sampling::Lanczos,
    ];
    for sampling in all {
        for ((h, w), (oh, ow)) in [
            ((1, 1), (3, 2)),
            ((8, 8), (16, 16)),
            ((7, 9), (20, 5)),
            ((30, 20), (7, 3)),
            ((5, 6), (5, 6)),
            ((64, 64), (48, 96)),
        ] {
            let planes = 3;
            let x = random.floats(planes * h * w);
            let got = deterministic(planes * oh * ow, |out| {
                interpolate(sampling, &x, planes, (h, w), (oh, ow), out);
            });
            for (index, &got) in got.iter().enumerate() {
                let plane = &x[index / (oh * ow) * h * w..][..h * w];
                let want = sample(sampling, plane, (h, w), (oh, ow), (index / ow % oh, index % ow));
                // Places are rounded in f32, so a weight near 1 is off by about the size in units.
                let bound = 4e-7 * (8.0 + h.max(w) as f64);
                assert!(
                    (f64::from(got) - want).abs() < bound,
                    "{sampling:?} {h}x{w} to {oh}x{ow} at {index}: {got}, not {want}"
                );
            }
        }
    }
}

#[test]
fn nearest_neighbours_are_copied_exactly() {
    let x = [1.5, f32::INFINITY, -0.0, 1e-40];
    let mut out = [0.0; 16];
    interpolate(Sampling::Nearest, &x, 1, (2, 2), (4, 4), &mut out);
    let bits = out.map(f32::to_bits);
    for (index, bits) in bits.into_iter().enumerate() {
        assert_eq!(bits, x[index / 8 * 2 + index % 4 / 2].to_bits());
    }
}

#[test]
fn nothing_resizes_to_nothing() {
    interpolate(Sampling::Bilinear, &[], 0, (4, 4), (8, 8), &mut []);
    interpolate(Sampling::Lanczos, &[1.0; 16], 1, (4, 4), (0, 8), &mut []);
}

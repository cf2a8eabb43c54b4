use super::{Exact, Random, Stored, assert_close, deterministic};
use crate::cpu::norm::{group_norm, layer_norm, rms_norm};
use crate::cpu::softmax::softmax;

/// (x − mean) / √(variance + epsilon), scaled and shifted.
fn normalized(x: &[f32], epsilon: f32, affine: impl Fn(usize) -> (f64, f64)) -> Vec<Exact> {
    let count = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / count;
    let deviation = (variance + f64::from(epsilon)).sqrt();
    let value = |(index, &x): (usize, &f32)| {
        let (weight, bias) = affine(index);
        let mut exact = Exact::default();
        exact.add(f64::from(x) / deviation * weight);
        exact.add(-mean / deviation * weight);
        exact.add(bias);
        exact
    };
    x.iter().enumerate().map(value).collect()
}

fn shifted(random: &mut Random, len: usize) -> Vec<f32> {
    random.floats(len).into_iter().map(|x| x * 3.0 + 2.0).collect()
}

#[test]
fn group_norm_normalizes_groups_of_channels() {
    let mut random = Random(30);
    for (kind, (batch, channels, spatial, groups)) in [
        (2, 64, 64, 32),
        (1, 6, 1, 3),
        (2, 5, 37, 1),
        (1, 12, 5000, 4),
        (3, 7, 1, 7),
        (1, 4, 300_000, 2),
    ]
    .into_iter()
    .enumerate()
    {
        let x = shifted(&mut random, batch * channels * spatial);
        let weight = (kind % 4 != 2).then(|| Stored::new(random.floats(channels), kind));
        let bias = (kind % 4 != 1).then(|| Stored::new(random.floats(channels), kind + 1));
        let got = deterministic(x.len(), |out| {
            let weight = weight.as_ref().map(Stored::floats);
            let bias = bias.as_ref().map(Stored::floats);
            group_norm(&x, batch, channels, spatial, groups, weight, bias, 1e-5, out);
        });
        let size = channels / groups;
        let exact: Vec<Exact> = x
            .chunks(size * spatial)
            .enumerate()
            .flat_map(|(group, x)| {
                normalized(x, 1e-5, |index| {
                    let channel = group % groups * size + index / spatial;
                    (
                        weight.as_ref().map_or(1.0, |weight| weight.at(channel)),
                        bias.as_ref().map_or(0.0, |bias| bias.at(channel)),
                    )
                })
            })
            .collect();
        assert_close(&got, &exact, 40.0, &format!("{channels} {spatial} {groups}"));
    }
}

#[test]
fn layer_and_rms_norm_normalize_rows() {
    let mut random = Random(31);
    for (kind, (rows, width)) in
        [(1, 1), (128, 64), (5, 257), (77, 768), (3, 1280), (300, 1000)].into_iter().enumerate()
    {
        let x = shifted(&mut random, rows * width);
        let weight = (kind % 3 != 2).then(|| Stored::new(random.floats(width), kind));
        let bias = (kind % 3 != 1).then(|| Stored::new(random.floats(width), kind + 1));
        let (weights, biases) =
            (weight.as_ref().map(Stored::floats), bias.as_ref().map(Stored::floats));
        let scale = |index: usize| weight.as_ref().map_or(1.0, |weight| weight.at(index));
        let shift = |index: usize| bias.as_ref().map_or(0.0, |bias| bias.at(index));
        let got =
            deterministic(x.len(), |out| layer_norm(&x, rows, width, weights, biases, 1e-5, out));
        let exact: Vec<Exact> = x
            .chunks(width)
            .flat_map(|x| normalized(x, 1e-5, |index| (scale(index), shift(index))))
            .collect();
        // One element alone is its own mean: what is left is rounding, magnified by 1/√epsilon.
        assert_close(&got, &exact, 40.0, &format!("layer {rows} {width}"));
        let got = deterministic(x.len(), |out| rms_norm(&x, rows, width, weights, 1e-6, out));
        let exact: Vec<Exact> = x
            .chunks(width)
            .flat_map(|x| {
                let mean = x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / x.len() as f64;
                let root = (mean + f64::from(1e-6f32)).sqrt();
                let value = |(index, &x): (usize, &f32)| {
                    let mut exact = Exact::default();
                    exact.add(f64::from(x) / root * scale(index));
                    exact
                };
                x.iter().enumerate().map(value).collect::<Vec<_>>()
            })
            .collect();
        assert_close(&got, &exact, 20.0, &format!("rms {rows} {width}"));
    }
}

#[test]
fn softmax_sums_to_one_along_its_axis() {
    let mut random = Random(32);
    for (outer, axis, inner) in [(1, 1, 1), (5, 77, 1), (3, 10, 7), (2, 300, 130), (100, 2048, 1)] {
        let x: Vec<f32> =
            random.floats(outer * axis * inner).into_iter().map(|x| x * 20.0).collect();
        let got = deterministic(x.len(), |out| softmax(&x, outer, axis, inner, out));
        let mut exact = vec![Exact::default(); x.len()];
        for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
            let at = |a: usize| (o * axis + a) * inner + i;
            let largest = (0..axis).map(|a| f64::from(x[at(a)])).fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = (0..axis).map(|a| (f64::from(x[at(a)]) - largest).exp()).sum();
            for a in 0..axis {
                exact[at(a)].add((f64::from(x[at(a)]) - largest).exp() / total);
            }
        }
        // The difference of two numbers up to 20 is off by up to 20 units.
        assert_close(&got, &exact, 100.0, &format!("{outer} {axis} {inner}"));
    }
}

#[test]
fn softmax_gives_zeros_to_what_is_hidden_and_passes_nan_on() {
    let mut out = [0.0; 3];
    softmax(&[f32::NEG_INFINITY, 0.0, 0.0], 1, 3, 1, &mut out);
    assert_eq!(out, [0.0, 0.5, 0.5]);
    softmax(&[1.0, f32::NAN, 0.0], 1, 3, 1, &mut out);
    assert!(out.iter().all(|value| value.is_nan()));
}

#[test]
fn norms_of_nothing_write_nothing() {
    group_norm(&[], 0, 4, 5, 2, None, None, 1e-5, &mut []);
    group_norm(&[], 2, 4, 0, 2, None, None, 1e-5, &mut []);
    layer_norm(&[], 0, 4, None, None, 1e-5, &mut []);
    layer_norm(&[], 3, 0, None, None, 1e-5, &mut []);
    rms_norm(&[], 3, 0, None, 1e-5, &mut []);
    softmax(&[], 3, 0, 1, &mut []);
    softmax(&[], 0, 3, 4, &mut []);
}

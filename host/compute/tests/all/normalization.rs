use crate::array::{Array, FLOATS, bench, close, refused};

/// Normalizes each set of elements that `key` puts together.
fn normalized(
    x: &Array,
    key: impl Fn(&[usize]) -> Vec<usize>,
    epsilon: f64,
    centered: bool,
) -> Array {
    let mut sets: std::collections::BTreeMap<Vec<usize>, Vec<f64>> = Default::default();
    Array::from_fn(&x.shape, |index| {
        sets.entry(key(index)).or_default().push(x.at(index));
        0.0
    });
    Array::from_fn(&x.shape, |index| {
        let set = &sets[&key(index)];
        let count = set.len() as f64;
        let mean = if centered { set.iter().sum::<f64>() / count } else { 0.0 };
        let variance = set.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        (x.at(index) - mean) / (variance + epsilon).sqrt()
    })
}

fn scaled(x: &Array, axis: usize, weight: &Array, bias: &Array) -> Array {
    Array::from_fn(&x.shape, |index| {
        x.at(index) * weight.at(&[index[axis]]) + bias.at(&[index[axis]])
    })
}

#[test]
fn group_norm_normalizes_groups_of_channels() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for (shape, groups) in
            [(&[2, 6, 5, 3][..], 3), (&[3, 4], 2), (&[1, 32, 16, 16], 8), (&[2, 4, 7], 4)]
        {
            let x = Array::noise(shape, 1).map(|x| x + 2.0);
            let weight = Array::noise(&[shape[1]], 2);
            let bias = Array::noise(&[shape[1]], 3);
            let size = shape[1] / groups;
            let plain = normalized(&x, |i| vec![i[0], i[1] / size], f64::from(1e-5_f32), true);
            let x = bench.tensor(dtype, &x);
            let [w, b] = [&weight, &bias].map(|array| bench.tensor(dtype, array));
            let norm =
                |w, b| bench.compute.group_norm(&bench.scope, &x, groups, w, b, 1e-5).unwrap();
            close(&norm(Some(&w), Some(&b)), &scaled(&plain, 1, &weight, &bias), 4.0 * tolerance);
            close(&norm(None, None), &plain, 4.0 * tolerance);
            let none = bias.map(|_| 0.0);
            close(&norm(Some(&w), None), &scaled(&plain, 1, &weight, &none), 4.0 * tolerance);
            let one = weight.map(|_| 1.0);
            close(&norm(None, Some(&b)), &scaled(&plain, 1, &one, &bias), 4.0 * tolerance);
        }
    }
}

#[test]
fn layer_and_rms_norm_normalize_the_last_dimension() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for shape in [&[2, 3, 17][..], &[64], &[5, 1], &[3, 200]] {
            let last = shape.len() - 1;
            let x = Array::noise(shape, 1).map(|x| x + 1.0);
            let weight = Array::noise(&[shape[last]], 2);
            let bias = Array::noise(&[shape[last]], 3);
            let x_tensor = bench.tensor(dtype, &x);
            let [w, b] = [&weight, &bias].map(|array| bench.tensor(dtype, array));
            let key = |i: &[usize]| i[..last].to_vec();
            let got = bench
                .compute
                .layer_norm(&bench.scope, &x_tensor, Some(&w), Some(&b), 1e-3)
                .unwrap();
            let want =
                scaled(&normalized(&x, key, f64::from(1e-3_f32), true), last, &weight, &bias);
            close(&got, &want, 4.0 * tolerance);
            let got = bench.compute.rms_norm(&bench.scope, &x_tensor, Some(&w), 1e-3).unwrap();
            let none = bias.map(|_| 0.0);
            let want =
                scaled(&normalized(&x, key, f64::from(1e-3_f32), false), last, &weight, &none);
            close(&got, &want, 4.0 * tolerance);
        }
    }
}

#[test]
fn norms_refuse_what_does_not_fit() {
    let bench = bench();
    let tensor = |shape: &[usize]| bench.f32(&Array::noise(shape, 1));
    let x = tensor(&[2, 6, 4]);
    let norm =
        |groups, weight| bench.compute.group_norm(&bench.scope, &x, groups, weight, None, 1e-5);
    refused(norm(4, None), "4 groups");
    refused(norm(0, None), "0 groups");
    refused(norm(usize::MAX, None), "groups");
    refused(norm(2, Some(&tensor(&[4]))), "weight");
    refused(
        bench.compute.group_norm(&bench.scope, &tensor(&[3]), 1, None, None, 0.0),
        "two dimensions",
    );
    refused(bench.compute.layer_norm(&bench.scope, &tensor(&[]), None, None, 0.0), "one dimension");
    refused(bench.compute.layer_norm(&bench.scope, &x, None, Some(&tensor(&[6])), 0.0), "bias");
    refused(bench.compute.rms_norm(&bench.scope, &x, Some(&tensor(&[1, 4])), 0.0), "weight");
}

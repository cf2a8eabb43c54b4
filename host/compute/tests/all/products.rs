use berth_compute::DType;

use crate::array::{Array, FLOATS, bench, close, refused, unsupported};

fn product(a: &Array, b: &Array, batch: &[usize]) -> Array {
    let (m, k) = (a.shape[a.shape.len() - 2], a.shape[a.shape.len() - 1]);
    let n = b.shape[b.shape.len() - 1];
    let shape = [batch, &[m, n]].concat();
    Array::from_fn(&shape, |index| {
        let (outer, [row, column]) = index.split_at(batch.len()) else { unreachable!() };
        let (row, column) = (*row, *column);
        (0..k)
            .map(|i| {
                a.broadcast(&[outer, &[row, i]].concat())
                    * b.broadcast(&[outer, &[i, column]].concat())
            })
            .sum()
    })
}

#[test]
fn matmul_multiplies_matrices_and_broadcasts_batches() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for (a, b, batch) in [
            (&[3, 4][..], &[4, 5][..], &[][..]),
            (&[1, 1], &[1, 1], &[]),
            (&[2, 3, 17, 33], &[2, 3, 33, 9], &[2, 3]),
            (&[2, 1, 5, 6], &[3, 6, 7], &[2, 3]),
            (&[64, 48], &[5, 48, 20], &[5]),
            (&[2, 3, 0], &[2, 0, 4], &[2]),
        ] {
            let (a, b) = (Array::noise(a, 1), Array::noise(b, 2));
            let (x, y) = (bench.tensor(dtype, &a), bench.tensor(dtype, &b));
            let got = bench.compute.matmul(&bench.scope, &x, &y).unwrap();
            assert_eq!(got.dtype(), dtype);
            close(&got, &product(&a, &b, batch), tolerance);
        }
    }
}

#[test]
fn matmul_refuses_what_does_not_fit() {
    let bench = bench();
    let tensor = |shape: &[usize]| bench.f32(&Array::noise(shape, 1));
    let matmul =
        |a: &[usize], b: &[usize]| bench.compute.matmul(&bench.scope, &tensor(a), &tensor(b));
    refused(matmul(&[3], &[3, 2]), "two dimensions");
    refused(matmul(&[2, 3], &[2, 3]), "3 columns");
    refused(matmul(&[2, 2, 3], &[3, 3, 2]), "do not broadcast");
    let half = bench.tensor(DType::F16, &Array::noise(&[3, 2], 1));
    refused(bench.compute.matmul(&bench.scope, &tensor(&[2, 3]), &half), "one dtype");
    let bytes = bench.tensor(DType::U8, &Array::noise(&[2, 2], 1));
    refused(bench.compute.matmul(&bench.scope, &bytes, &bytes), "float");
}

#[test]
fn linear_takes_weights_of_any_float_type() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for (weight_type, _) in FLOATS {
            for (outer, width, out) in
                [(&[2, 3][..], 5, 7), (&[], 40, 33), (&[19], 64, 48), (&[2], 0, 3), (&[0], 2, 3)]
            {
                let x = Array::noise(&[outer, &[width]].concat(), 1);
                let weight = Array::noise(&[out, width], 2);
                let bias = Array::noise(&[out], 3);
                for biased in [false, true] {
                    let want = Array::from_fn(&[outer, &[out]].concat(), |index| {
                        let (outer, [o]) = index.split_at(outer.len()) else { unreachable!() };
                        let sum: f64 = (0..width)
                            .map(|i| x.at(&[outer, &[i]].concat()) * weight.at(&[*o, i]))
                            .sum();
                        sum + if biased { bias.at(&[*o]) } else { 0.0 }
                    });
                    let weight = bench.tensor(weight_type, &weight);
                    let bias = biased.then(|| bench.tensor(weight_type, &bias));
                    let got = bench
                        .compute
                        .linear(&bench.scope, &bench.tensor(dtype, &x), &weight, bias.as_ref())
                        .unwrap();
                    assert_eq!(got.dtype(), dtype);
                    close(&got, &want, tolerance);
                }
            }
        }
    }
}

#[test]
fn linear_takes_weights_of_8_bit_floats() {
    let bench = bench();
    let (x, weight) =
        (Array::noise(&[3, 8], 1), Array::noise(&[4, 8], 2).map(|x| (x * 4.0).round() / 4.0));
    let want =
        Array::from_fn(&[3, 4], |i| (0..8).map(|k| x.at(&[i[0], k]) * weight.at(&[i[1], k])).sum());
    for small in [DType::F8E4M3, DType::F8E5M2] {
        let small = bench.compute.cast(&bench.scope, &bench.f32(&weight), small).unwrap();
        for (dtype, tolerance) in FLOATS {
            let x = bench.tensor(dtype, &x);
            close(&bench.compute.linear(&bench.scope, &x, &small, None).unwrap(), &want, tolerance);
        }
    }
}

#[test]
fn linear_refuses_what_does_not_fit() {
    let bench = bench();
    let tensor = |shape: &[usize]| bench.f32(&Array::noise(shape, 1));
    let linear = |x: &[usize], weight: &[usize], bias: Option<&[usize]>| {
        let bias = bias.map(tensor);
        bench.compute.linear(&bench.scope, &tensor(x), &tensor(weight), bias.as_ref())
    };
    refused(linear(&[2, 3], &[4, 2], None), "last dimension");
    refused(linear(&[2, 3], &[3], None), "[out, in]");
    refused(linear(&[], &[4, 2], None), "one dimension");
    refused(linear(&[2, 3], &[4, 3], Some(&[3])), "bias has shape [3], but [4] is expected");
    refused(linear(&[2, 3], &[4, 3], Some(&[1, 4])), "bias");
    let quantized =
        bench.compute.from_bytes(&bench.scope, DType::Q8_0, &[1, 32], vec![0; 34]).unwrap();
    unsupported(bench.compute.linear(&bench.scope, &tensor(&[2, 32]), &quantized, None));
}

use super::{Exact, Random, Stored, assert_close, deterministic};
use crate::cpu::Floats;
use crate::cpu::gemm::{linear, matmul};

/// A sum of products is off by at most its length, counted in blocks, in units.
fn units(depth: usize) -> f64 {
    depth.min(200) as f64 + depth as f64 / 100.0 + 8.0
}

#[test]
fn a_linear_layer_is_the_product_with_the_transposed_weight() {
    let mut random = Random(10);
    let sizes = [1, 2, 3, 7, 8, 9, 31, 64];
    for (case, rows) in sizes.into_iter().enumerate() {
        for (width, out_width) in [(1, 1), (5, 3), (64, 64), (193, 70), (400, 290)] {
            let x = random.floats(rows * width);
            let weight = Stored::new(random.floats(width * out_width), case + width);
            let bias = (case % 2 == 0).then(|| Stored::new(random.floats(out_width), case + 1));
            let got = deterministic(rows * out_width, |out| {
                let bias = bias.as_ref().map(Stored::floats);
                linear(&x, rows, width, weight.floats(), bias, out_width, out);
            });
            let mut exact = vec![Exact::default(); rows * out_width];
            for row in 0..rows {
                for output in 0..out_width {
                    let exact = &mut exact[row * out_width + output];
                    for p in 0..width {
                        exact.add(f64::from(x[row * width + p]) * weight.at(output * width + p));
                    }
                    exact.add(bias.as_ref().map_or(0.0, |bias| bias.at(output)));
                }
            }
            assert_close(&got, &exact, units(width), &format!("{rows}x{width}x{out_width}"));
        }
    }
}

#[test]
fn a_batch_of_products_takes_its_operands_where_the_offsets_say() {
    let mut random = Random(11);
    for (m, k, n) in
        [(1, 1, 1), (13, 5, 33), (64, 64, 16), (70, 390, 300), (1, 300, 40), (25, 7, 1)]
    {
        let a = random.floats(3 * m * k);
        let b = random.floats(2 * k * n);
        let batch = [(0, k * n), (2 * m * k, 0), (m * k, k * n), (0, 0)];
        let got = deterministic(batch.len() * m * n, |out| matmul(&a, &b, &batch, m, k, n, out));
        let mut exact = vec![Exact::default(); batch.len() * m * n];
        for (index, exact) in exact.iter_mut().enumerate() {
            let (product, row, column) = (index / (m * n), index / n % m, index % n);
            let (a_start, b_start) = batch[product];
            for p in 0..k {
                exact.add(
                    f64::from(a[a_start + row * k + p]) * f64::from(b[b_start + p * n + column]),
                );
            }
        }
        assert_close(&got, &exact, units(k), &format!("{m}x{k}x{n}"));
    }
}

#[test]
fn products_over_nothing_are_zero_or_the_bias() {
    let bias = [2.0, -1.0];
    for rows in [2, 20] {
        let mut out = vec![f32::NAN; rows * 2];
        linear(&[], rows, 0, Floats::F32(&[]), Some(Floats::F32(&bias)), 2, &mut out);
        assert!(out.chunks(2).all(|row| row == bias));
        linear(&[], 0, 5, Floats::F32(&[0.0; 10]), None, 2, &mut []);
        linear(&vec![0.0; rows * 5], rows, 5, Floats::F32(&[]), None, 0, &mut []);
    }
    let mut out = [f32::NAN; 12];
    matmul(&[], &[], &[(0, 0)], 4, 0, 3, &mut out);
    assert_eq!(out, [0.0; 12]);
    matmul(&[], &[], &[], 4, 2, 3, &mut []);
    matmul(&[], &[1.0; 6], &[(0, 0)], 0, 2, 3, &mut []);
    matmul(&[1.0; 6], &[], &[(0, 0)], 3, 2, 0, &mut []);
}

#[test]
fn nan_stays_in_its_row_and_column() {
    let mut x = vec![1.0; 20 * 50];
    x[3 * 50 + 7] = f32::NAN;
    let mut out = vec![0.0; 20 * 40];
    linear(&x, 20, 50, Floats::F32(&vec![1.0; 40 * 50]), None, 40, &mut out);
    for (row, out) in out.chunks(40).enumerate() {
        assert!(out.iter().all(|value| value.is_nan() == (row == 3)));
    }
}

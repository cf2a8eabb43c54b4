use super::{Exact, Random, assert_close, deterministic};
use crate::cpu::attention::{Attention, Mask, MaskValues, attention};

/// The attention's output by its definition, for one mask value per (b, h, i, j).
fn reference(shape: &Attention<'_>, q: &[f32], k: &[f32], v: &[f32]) -> Vec<Exact> {
    let Attention { batch, heads, queries, keys, head_dim, value_dim, .. } = *shape;
    let mut exact = vec![Exact::default(); batch * queries * heads * value_dim];
    for b in 0..batch {
        for h in 0..heads {
            for i in 0..queries {
                let q = &q[((b * queries + i) * heads + h) * head_dim..][..head_dim];
                let scores: Vec<f64> = (0..keys)
                    .map(|j| {
                        let k = &k[((b * keys + j) * heads + h) * head_dim..][..head_dim];
                        let dot: f64 =
                            q.iter().zip(k).map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
                        let place = shape.mask.map_or(0, |mask| {
                            [b, h, i, j].iter().zip(mask.strides).map(|(p, s)| p * s).sum()
                        });
                        let hidden = shape.causal && j > i;
                        match shape.mask.map(|mask| mask.values) {
                            _ if hidden => f64::NEG_INFINITY,
                            Some(MaskValues::Add(values)) => {
                                dot * f64::from(shape.scale) + f64::from(values[place])
                            }
                            Some(MaskValues::Hide(values)) if values[place] == 0 => {
                                f64::NEG_INFINITY
                            }
                            _ => dot * f64::from(shape.scale),
                        }
                    })
                    .collect();
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                if largest == f64::NEG_INFINITY {
                    continue;
                }
                let total: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
                for (j, score) in scores.iter().enumerate() {
                    let v = &v[((b * keys + j) * heads + h) * value_dim..][..value_dim];
                    let out = ((b * queries + i) * heads + h) * value_dim;
                    for (exact, &v) in exact[out..][..value_dim].iter_mut().zip(v) {
                        exact.add((score - largest).exp() / total * f64::from(v));
                    }
                }
            }
        }
    }
    exact
}

#[track_caller]
fn check(shape: &Attention<'_>) {
    let Attention { batch, heads, queries, keys, head_dim, value_dim, .. } = *shape;
    let mut random = Random((queries * keys) as u64);
    let q = random.floats(batch * queries * heads * head_dim);
    let k = random.floats(batch * keys * heads * head_dim);
    let v = random.floats(batch * keys * heads * value_dim);
    let len = batch * queries * heads * value_dim;
    let got = deterministic(len, |out| attention(shape, &q, &k, &v, out));
    // The error of a score, up to 8 here, is one of the exponential's; then two sums.
    assert_close(
        &got,
        &reference(shape, &q, &k, &v),
        2000.0,
        &format!("{queries} {keys} {head_dim}"),
    );
}

fn plain(queries: usize, keys: usize, head_dim: usize, value_dim: usize) -> Attention<'static> {
    let scale = 1.0 / (head_dim as f32).sqrt();
    Attention {
        batch: 2,
        heads: 3,
        queries,
        keys,
        head_dim,
        value_dim,
        causal: false,
        scale,
        mask: None,
    }
}

#[test]
fn attention_follows_its_definition() {
    for (queries, keys, head_dim, value_dim) in [
        (1, 1, 1, 1),
        (64, 64, 16, 16),
        (13, 77, 40, 40),
        (300, 500, 5, 33),
        (7, 193, 200, 64),
        (25, 385, 500, 70),
    ] {
        check(&plain(queries, keys, head_dim, value_dim));
    }
}

#[test]
fn a_causal_query_sees_itself_and_what_was_before() {
    for (queries, keys) in [(1, 1), (77, 77), (250, 250), (500, 500), (10, 300), (300, 10)] {
        check(&Attention { causal: true, ..plain(queries, keys, 24, 20) });
    }
}

#[test]
fn masks_broadcast_by_their_strides() {
    let (n, m) = (30, 210);
    let mut random = Random(7);
    let added = random.floats(2 * 3 * n * m);
    let hidden: Vec<u8> = added.iter().map(|&value| u8::from(value > 0.3)).collect();
    for strides in
        [[3 * n * m, n * m, m, 1], [0, 0, m, 1], [n * m, 0, 0, 1], [0, 0, 1, 0], [0, n, 0, 2]]
    {
        for values in [MaskValues::Add(&added), MaskValues::Hide(&hidden)] {
            for causal in [false, true] {
                let mask = Some(Mask { values, strides });
                check(&Attention { causal, mask, ..plain(n, m, 10, 9) });
            }
        }
    }
}

#[test]
fn a_query_that_sees_nothing_gives_zeros_and_nan_is_passed_on() {
    let (n, m) = (5, 400);
    let mut hidden = vec![1u8; n * m];
    hidden[2 * m..3 * m].fill(0);
    // Only keys of the last tile are seen.
    hidden[3 * m..3 * m + 390].fill(0);
    let mask = Some(Mask { values: MaskValues::Hide(&hidden), strides: [0, 0, m, 1] });
    let shape = Attention { batch: 1, heads: 1, mask, ..plain(n, m, 8, 8) };
    check(&shape);
    let mut random = Random(5);
    let (mut q, k, v) = (random.floats(n * 8), random.floats(m * 8), random.floats(m * 8));
    q[8] = f32::NAN;
    let mut out = vec![f32::NAN; n * 8];
    attention(&shape, &q, &k, &v, &mut out);
    for (query, out) in out.chunks(8).enumerate() {
        assert!(out.iter().all(|value| value.is_nan() == (query == 1)));
        assert_eq!(out.iter().all(|&value| value == 0.0), query == 2);
    }
    let none = plain(4, 0, 8, 8);
    let mut out = vec![f32::NAN; 2 * 4 * 3 * 8];
    attention(&none, &[1.0; 192], &[], &[], &mut out);
    assert!(out.iter().all(|&value| value == 0.0));
}

#[test]
fn empty_attentions_compute_nothing() {
    attention(&plain(0, 5, 8, 8), &[], &[0.0; 240], &[0.0; 240], &mut []);
    attention(&Attention { heads: 0, ..plain(3, 5, 8, 8) }, &[], &[], &[], &mut []);
    attention(&Attention { batch: 0, ..plain(3, 5, 8, 8) }, &[], &[], &[], &mut []);
    attention(&plain(3, 5, 8, 0), &[0.0; 144], &[0.0; 240], &[], &mut []);
    let mut out = vec![f32::NAN; 2 * 3 * 3 * 2];
    attention(&plain(3, 4, 0, 2), &[], &[], &[0.5; 48], &mut out);
    assert!(out.iter().all(|&value| value == 0.5), "without dimensions all keys weigh the same");
}

#[test]
fn large_scores_do_not_overflow() {
    let shape = Attention { batch: 1, heads: 1, scale: 1000.0, ..plain(20, 400, 4, 4) };
    check_finite(&shape);
}

fn check_finite(shape: &Attention<'_>) {
    let mut random = Random(9);
    let q = random.floats(shape.queries * shape.head_dim);
    let k = random.floats(shape.keys * shape.head_dim);
    let v = random.floats(shape.keys * shape.value_dim);
    let mut out = vec![f32::NAN; shape.queries * shape.value_dim];
    attention(shape, &q, &k, &v, &mut out);
    assert!(out.iter().all(|value| value.abs() <= 1.0));
}

#[test]
fn the_workspace_does_not_grow_with_the_number_of_keys() {
    let shape = |size| Attention { batch: 1, heads: 8, ..plain(size, size, 40, 40) };
    assert_eq!(shape(4096).workspace(), shape(65536).workspace());
}

use berth_compute::DType;

use crate::array::{Array, FLOATS, bench, close, refused};

struct Sizes {
    batch: usize,
    heads: usize,
    queries: usize,
    keys: usize,
    width: usize,
    value_width: usize,
}

/// Attention by its definition; `score` finishes what q·k gives.
fn attended(
    q: &Array,
    k: &Array,
    v: &Array,
    sizes: &Sizes,
    score: impl Fn(&[usize; 4], f64) -> f64,
) -> Array {
    let Sizes { batch, heads, queries, keys, width, value_width } = *sizes;
    // The scores of one query and head, made when its first column is asked for.
    let mut scores: Vec<f64> = Vec::new();
    Array::from_fn(&[batch, queries, heads * value_width], |index| {
        let &[b, i, column] = index else { unreachable!() };
        let head = column / value_width;
        if column % value_width == 0 {
            scores = (0..keys)
                .map(|j| {
                    let product = (0..width)
                        .map(|d| q.at(&[b, i, head * width + d]) * k.at(&[b, j, head * width + d]))
                        .sum();
                    score(&[b, head, i, j], product)
                })
                .collect();
        }
        let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if largest == f64::NEG_INFINITY {
            return 0.0;
        }
        let total: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
        (0..keys).map(|j| (scores[j] - largest).exp() / total * v.at(&[b, j, column])).sum()
    })
}

const SIZES: [Sizes; 4] = [
    Sizes { batch: 2, heads: 3, queries: 5, keys: 7, width: 4, value_width: 6 },
    Sizes { batch: 1, heads: 1, queries: 1, keys: 1, width: 1, value_width: 1 },
    Sizes { batch: 2, heads: 8, queries: 64, keys: 77, width: 8, value_width: 8 },
    Sizes { batch: 1, heads: 1, queries: 70, keys: 150, width: 40, value_width: 24 },
];

#[test]
fn attention_is_its_definition_with_every_kind_of_mask() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for sizes in &SIZES {
            let &Sizes { batch, heads, queries, keys, width, value_width } = sizes;
            let q = Array::noise(&[batch, queries, heads * width], 1);
            let k = Array::noise(&[batch, keys, heads * width], 2);
            let v = Array::noise(&[batch, keys, heads * value_width], 3);
            let [qt, kt, vt] = [&q, &k, &v].map(|array| bench.tensor(dtype, array));
            let run = |mask: Option<&berth_compute::Tensor>, causal, scale| {
                bench
                    .compute
                    .attention(&bench.scope, &qt, &kt, &vt, heads, mask, causal, scale)
                    .unwrap()
            };
            let root = 1.0 / (width as f64).sqrt();
            let tolerance = 3.0 * tolerance;
            close(
                &run(None, false, None),
                &attended(&q, &k, &v, sizes, |_, s| s * root),
                tolerance,
            );
            close(
                &run(None, false, Some(0.5)),
                &attended(&q, &k, &v, sizes, |_, s| s * 0.5),
                tolerance,
            );
            let hide = |hidden, score| if hidden { f64::NEG_INFINITY } else { score };
            let want = attended(&q, &k, &v, sizes, |&[_, _, i, j], s| hide(j > i, s * root));
            close(&run(None, true, None), &want, tolerance);
            for shape in
                [vec![queries, keys], vec![batch, 1, 1, keys], vec![heads, queries, 1], vec![1]]
            {
                let mask = Array::noise(&shape, 4);
                let want = attended(&q, &k, &v, sizes, |at, s| s * root + mask.broadcast(at));
                close(&run(Some(&bench.tensor(dtype, &mask)), false, None), &want, tolerance);
                let bits = mask.map(|x| f64::from(u8::from(x > -0.5)));
                let want = attended(&q, &k, &v, sizes, |at, s| {
                    hide(bits.broadcast(at) == 0.0 || at[3] > at[2], s * root)
                });
                close(&run(Some(&bench.tensor(DType::U8, &bits)), true, None), &want, tolerance);
            }
        }
    }
}

#[test]
fn a_query_from_which_every_key_is_hidden_gets_zeros() {
    let bench = bench();
    for (dtype, _) in FLOATS {
        let x = bench.tensor(dtype, &Array::noise(&[1, 3, 4], 1));
        let mask =
            bench.tensor(DType::U8, &Array::from_fn(&[3, 3], |i| f64::from(u8::from(i[0] != 1))));
        let got =
            bench.compute.attention(&bench.scope, &x, &x, &x, 2, Some(&mask), false, None).unwrap();
        let got = crate::array::read(&got);
        assert!(got.data[4..8].iter().all(|&x| x == 0.0) && got.data[0] != 0.0, "{got:?}");
        let none = bench.tensor(dtype, &Array::noise(&[1, 0, 4], 1));
        let got =
            bench.compute.attention(&bench.scope, &x, &none, &none, 2, None, false, None).unwrap();
        assert!(crate::array::read(&got).data.iter().all(|&x| x == 0.0));
    }
}

#[test]
fn attention_refuses_what_does_not_fit() {
    let bench = bench();
    let tensor = |shape: &[usize]| bench.f32(&Array::noise(shape, 1));
    let run = |q: &[usize], k: &[usize], v: &[usize], heads| {
        bench.compute.attention(
            &bench.scope,
            &tensor(q),
            &tensor(k),
            &tensor(v),
            heads,
            None,
            false,
            None,
        )
    };
    let (q, k) = (&[2, 3, 8], &[2, 5, 8]);
    refused(run(q, k, k, 0), "0 heads");
    refused(run(q, k, k, 3), "3 heads");
    refused(run(q, k, &[2, 5, 3], 2), "2 heads");
    refused(run(q, k, &[2, 4, 8], 2), "do not fit");
    refused(run(q, &[1, 5, 8], k, 2), "do not fit");
    refused(run(&[3, 8], k, k, 2), "[b, n, heads·d]");
    refused(run(&[2, 3, 0], &[2, 5, 0], k, 2), "heads");
    let [qt, kt] = [&q[..], k].map(tensor);
    let masked =
        |mask| bench.compute.attention(&bench.scope, &qt, &kt, &kt, 2, Some(&mask), false, None);
    refused(masked(tensor(&[4, 5])), "broadcast");
    refused(masked(tensor(&[1, 1, 1, 1, 1])), "broadcast");
    refused(masked(bench.tensor(DType::F16, &Array::noise(&[5], 1))), "u8 or f32");
}

#[test]
fn softmax_shares_out_one_along_its_axis() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for (shape, axis) in [
            (&[3, 5][..], -1),
            (&[4, 6, 3], 1),
            (&[7], 0),
            (&[2, 3, 4], 0),
            (&[3, 300], 1),
            (&[1, 1], -2),
        ] {
            let x = Array::noise(shape, 1).map(|x| 8.0 * x);
            let along =
                if axis < 0 { shape.len() - 1 - (-axis as usize - 1) } else { axis as usize };
            let want = Array::from_fn(shape, |index| {
                let total: f64 = (0..shape[along])
                    .map(|i| {
                        let mut other = index.to_vec();
                        other[along] = i;
                        x.at(&other).exp()
                    })
                    .sum();
                x.at(index).exp() / total
            });
            let got = bench.compute.softmax(&bench.scope, &bench.tensor(dtype, &x), axis).unwrap();
            close(&got, &want, tolerance);
        }
    }
    let x = bench.f32(&Array::noise(&[2, 2], 1));
    refused(bench.compute.softmax(&bench.scope, &x, 2), "axis 2");
    refused(bench.compute.softmax(&bench.scope, &x, i32::MIN), "axis");
}

#[test]
fn rotary_turns_pairs_by_their_positions() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for interleaved in [false, true] {
            let x = Array::noise(&[2, 3, 5, 8], 1);
            let angle = |n: usize, i: usize| n as f64 * 10f64.powf(-(i as f64) / 4.0);
            let cosines = Array::from_fn(&[5, 4], |i| f64::from(angle(i[0], i[1]).cos() as f32));
            let sines = Array::from_fn(&[5, 4], |i| f64::from(angle(i[0], i[1]).sin() as f32));
            let want = Array::from_fn(&x.shape, |index| {
                let (n, d) = (index[2], index[3]);
                let (pair, partner, sign) = match (interleaved, d) {
                    (true, d) => (d / 2, d ^ 1, if d % 2 == 0 { -1.0 } else { 1.0 }),
                    (false, d) => (d % 4, (d + 4) % 8, if d < 4 { -1.0 } else { 1.0 }),
                };
                let mut other = index.to_vec();
                other[3] = partner;
                x.at(index) * cosines.at(&[n, pair]) + sign * x.at(&other) * sines.at(&[n, pair])
            });
            let tensor = bench.tensor(dtype, &x);
            let (c, s) = (bench.f32(&cosines), bench.f32(&sines));
            let got = bench.compute.rotary(&bench.scope, &tensor, &c, &s, interleaved).unwrap();
            close(&got, &want, tolerance);
        }
    }
    let tensor = |shape: &[usize]| bench.f32(&Array::noise(shape, 1));
    let run = |x: &[usize], c: &[usize], s: &[usize]| {
        bench.compute.rotary(&bench.scope, &tensor(x), &tensor(c), &tensor(s), false)
    };
    refused(run(&[5, 7], &[5, 3], &[5, 3]), "d even");
    refused(run(&[5, 8], &[5, 4], &[4, 4]), "do not fit");
    refused(run(&[8], &[4], &[4]), "two dimensions");
}

use berth_compute::{Compute, DType, Tensor, Walk};

use crate::array::{Array, Bench, FLOATS, bench, close, read, refused};

/// Every output gathers what its kernel covers.
fn convolved(x: &Array, weight: &Array, bias: &Array, walk: Walk) -> Array {
    let (h, w) = (x.shape[2], x.shape[3]);
    let (out, depth, kh, kw) = (weight.shape[0], weight.shape[1], weight.shape[2], weight.shape[3]);
    let extent = |size: usize, k: usize| {
        (size + 2 * walk.padding - walk.dilation * (k - 1) - 1) / walk.stride + 1
    };
    Array::from_fn(&[x.shape[0], out, extent(h, kh), extent(w, kw)], |index| {
        let &[n, o, oy, ox] = index else { unreachable!() };
        let mut sum = bias.at(&[o]);
        for (c, ky, kx) in triples(depth, kh, kw) {
            let y = (oy * walk.stride + ky * walk.dilation).checked_sub(walk.padding);
            let i = (ox * walk.stride + kx * walk.dilation).checked_sub(walk.padding);
            if let (Some(y), Some(i)) = (y.filter(|&y| y < h), i.filter(|&i| i < w)) {
                let channel = o / (out / walk.groups) * depth + c;
                sum += x.at(&[n, channel, y, i]) * weight.at(&[o, c, ky, kx]);
            }
        }
        sum
    })
}

/// Every input scatters over what its kernel covers.
fn transposed(x: &Array, weight: &Array, bias: &Array, walk: Walk, output_padding: usize) -> Array {
    let &[n, channels, h, w] = &x.shape[..] else { unreachable!() };
    let (depth, kh, kw) = (weight.shape[1], weight.shape[2], weight.shape[3]);
    let extent = |size: usize, k: usize| {
        (size - 1) * walk.stride + walk.dilation * (k - 1) + output_padding + 1 - 2 * walk.padding
    };
    let out = depth * walk.groups;
    let mut result =
        Array::from_fn(&[n, out, extent(h, kh), extent(w, kw)], |index| bias.at(&[index[1]]));
    let (oh, ow) = (result.shape[2], result.shape[3]);
    for (n, c, y) in triples(n, channels, h) {
        for (i, o, ky) in triples(w, depth, kh) {
            for kx in 0..kw {
                let oy = (y * walk.stride + ky * walk.dilation).checked_sub(walk.padding);
                let ox = (i * walk.stride + kx * walk.dilation).checked_sub(walk.padding);
                if let (Some(oy), Some(ox)) = (oy.filter(|&oy| oy < oh), ox.filter(|&ox| ox < ow)) {
                    let channel = c / (channels / walk.groups) * depth + o;
                    result.data[((n * out + channel) * oh + oy) * ow + ox] +=
                        x.at(&[n, c, y, i]) * weight.at(&[c, o, ky, kx]);
                }
            }
        }
    }
    result
}

fn triples(a: usize, b: usize, c: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a).flat_map(move |i| (0..b).flat_map(move |j| (0..c).map(move |k| (i, j, k))))
}

const WALKS: [Walk; 6] = [
    Walk { stride: 1, padding: 1, dilation: 1, groups: 1 },
    Walk { stride: 1, padding: 0, dilation: 1, groups: 1 },
    Walk { stride: 2, padding: 1, dilation: 1, groups: 1 },
    Walk { stride: 3, padding: 2, dilation: 2, groups: 2 },
    Walk { stride: 1, padding: 1, dilation: 1, groups: 4 },
    Walk { stride: 2, padding: 3, dilation: 1, groups: 1 },
];

#[test]
fn convolutions_of_images_walk_as_they_are_told() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for walk in WALKS {
            for (kh, kw) in [(3, 3), (1, 1), (2, 4)] {
                let x = Array::noise(&[2, 4, 9, 7], 1);
                let weight = Array::noise(&[8, 4 / walk.groups, kh, kw], 2);
                let bias = Array::noise(&[8], 3);
                let [w, b] = [&weight, &bias].map(|array| bench.tensor(DType::F16, array));
                let x_tensor = bench.tensor(dtype, &x);
                let got =
                    bench.compute.conv2d(&bench.scope, &x_tensor, &w, Some(&b), walk).unwrap();
                close(&got, &convolved(&x, &weight, &bias, walk), tolerance);
                let got = bench.compute.conv2d(&bench.scope, &x_tensor, &w, None, walk).unwrap();
                let none = Array::noise(&[8], 0).map(|_| 0.0);
                close(&got, &convolved(&x, &weight, &none, walk), tolerance);
            }
        }
    }
}

#[test]
fn convolutions_of_lines_are_those_of_low_images() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for walk in [WALKS[0], WALKS[1], WALKS[2], WALKS[4]] {
            let x = Array::noise(&[2, 4, 11], 1);
            let weight = Array::noise(&[8, 4 / walk.groups, 3], 2);
            let bias = Array::noise(&[8], 3);
            let tensors = [&x, &weight, &bias].map(|array| bench.tensor(dtype, array));
            let [a, b, c] = &tensors;
            let got = bench.compute.conv1d(&bench.scope, a, b, Some(c), walk).unwrap();
            // The row of an image in which only the middle row of the kernel meets it.
            let flat = |array: &Array| {
                let [n, c, l] = array.shape[..] else { unreachable!() };
                Array { shape: vec![n, c, 1, l], data: array.data.clone() }
            };
            let padded = |x: &Array| {
                let x = flat(x);
                let [n, c, _, l] = x.shape[..] else { unreachable!() };
                Array::from_fn(&[n, c, 1, l + 2 * walk.padding], |i| {
                    let at = i[3].checked_sub(walk.padding).filter(|&at| at < l);
                    at.map_or(0.0, |at| x.at(&[i[0], i[1], 0, at]))
                })
            };
            let mut want =
                convolved(&padded(&x), &flat(&weight), &bias, Walk { padding: 0, ..walk });
            want.shape.remove(2);
            close(&got, &want, tolerance);
        }
    }
}

#[test]
fn transposed_convolutions_scatter_what_convolutions_gather() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for walk in WALKS {
            for output_padding in 0..walk.stride.max(walk.dilation) {
                let x = Array::noise(&[2, 4, 5, 6], 1);
                let weight = Array::noise(&[4, 8 / walk.groups, 4, 5], 2);
                let bias = Array::noise(&[8], 3);
                let tensors = [&x, &weight, &bias].map(|array| bench.tensor(dtype, array));
                let [a, b, c] = &tensors;
                let got = bench
                    .compute
                    .conv_transpose2d(&bench.scope, a, b, Some(c), walk, output_padding)
                    .unwrap();
                close(&got, &transposed(&x, &weight, &bias, walk, output_padding), tolerance);
            }
        }
    }
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    let bench = bench();
    let [x, weight] = [[0, 3, 8, 8], [5, 3, 3, 3]].map(|shape| bench.f32(&Array::noise(&shape, 1)));
    let got = bench.compute.conv2d(&bench.scope, &x, &weight, None, Walk::default()).unwrap();
    assert_eq!(read(&got).shape, [0, 5, 6, 6]);
    let [x, weight] = [[2, 0, 8, 8], [5, 0, 3, 3]].map(|shape| bench.f32(&Array::noise(&shape, 1)));
    let got = bench.compute.conv2d(&bench.scope, &x, &weight, None, Walk::default()).unwrap();
    assert!(read(&got).data.iter().all(|&x| x == 0.0) && got.shape() == [2, 5, 6, 6]);
}

type Convolution =
    fn(&Bench, &Tensor, &Tensor, Walk) -> Result<Tensor, berth_compute::ComputeError>;

#[test]
fn walks_that_lead_nowhere_are_refused() {
    let bench = bench();
    let straight: Convolution =
        |b, x, w, walk| Compute::conv2d(&b.compute, &b.scope, x, w, None, walk);
    let back: Convolution =
        |b, x, w, walk| Compute::conv_transpose2d(&b.compute, &b.scope, x, w, None, walk, 0);
    let fine = Walk::default();
    for (name, convolve) in [("conv2d", straight), ("conv-transpose2d", back)] {
        let go = |x: &[usize], w: &[usize], walk: Walk| {
            convolve(&bench, &bench.f32(&Array::noise(x, 1)), &bench.f32(&Array::noise(w, 2)), walk)
        };
        let (x, w) = (&[1, 4, 5, 5], &[4, 4, 3, 3]);
        refused(go(x, w, Walk { stride: 0, ..fine }), "stride is 0");
        refused(go(x, w, Walk { dilation: 0, ..fine }), "dilation is 0");
        refused(go(x, w, Walk { groups: 0, ..fine }), "groups is 0");
        refused(go(x, w, Walk { dilation: usize::MAX, ..fine }), "dilation");
        refused(go(x, w, Walk { padding: usize::MAX, ..fine }), name);
        refused(go(x, w, Walk { padding: usize::MAX / 4, ..fine }), name);
        refused(go(x, w, Walk { groups: 3, ..fine }), "groups");
        refused(go(x, w, Walk { groups: usize::MAX, ..fine }), "groups");
        refused(go(x, &[4, 4, 0, 3], fine), "size 0");
        refused(go(&[4, 5, 5], w, fine), "[n, c, h, w]");
        refused(go(x, &[4, 4, 3], fine), "weight");
    }
    let [x, w] = [[1, 4, 2, 2], [4, 4, 3, 3]].map(|shape| bench.f32(&Array::noise(&shape, 1)));
    refused(straight(&bench, &x, &w, fine), "spans 3");
    refused(back(&bench, &x, &w, Walk { padding: 2, ..fine }), "padding cuts 4");
    refused(bench.compute.conv_transpose2d(&bench.scope, &x, &w, None, fine, 1), "output-padding");
    let wide = bench.f32(&Array::noise(&[4, 3, 3, 3], 1));
    refused(straight(&bench, &x, &wide, Walk { padding: 1, ..fine }), "4 channels");
}

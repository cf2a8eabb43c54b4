use super::{Exact, Random, Stored, assert_close, deterministic};
use crate::cpu::Floats;
use crate::cpu::conv::{Conv2d, conv_transpose2d, conv2d};

/// A convolution of an input of (h, w); the output's size follows.
fn shape(
    (batch, channels, out_channels, groups): (usize, usize, usize, usize),
    (height, width): (usize, usize),
    kernel: (usize, usize),
    stride: (usize, usize),
    padding: (usize, usize),
    dilation: (usize, usize),
) -> Conv2d {
    let out = |size: usize, kernel: usize, stride: usize, padding: usize, dilation: usize| {
        (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
    };
    Conv2d {
        batch,
        channels,
        height,
        width,
        out_channels,
        out_height: out(height, kernel.0, stride.0, padding.0, dilation.0),
        out_width: out(width, kernel.1, stride.1, padding.1, dilation.1),
        kernel,
        stride,
        padding,
        dilation,
        groups,
    }
}

/// Calls `visit` with (input, weight, output) of each product of a convolution, its
/// smaller side given by (small height, small width, small channels).
fn products(conv: &Conv2d, transposed: bool, mut visit: impl FnMut(usize, usize, usize)) {
    let (c, o) = (conv.channels / conv.groups, conv.out_channels / conv.groups);
    for n in 0..conv.batch {
        for channel in 0..conv.channels {
            for output in (0..o).map(|output| channel / c * o + output) {
                // The strided side is the output of a convolution and the input of its transpose.
                let (rows, columns) = if transposed {
                    (conv.height, conv.width)
                } else {
                    (conv.out_height, conv.out_width)
                };
                let (wide_rows, wide_columns) = if transposed {
                    (conv.out_height, conv.out_width)
                } else {
                    (conv.height, conv.width)
                };
                for (row, column) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                    for ky in 0..conv.kernel.0 {
                        for kx in 0..conv.kernel.1 {
                            let y = (row * conv.stride.0 + ky * conv.dilation.0)
                                .wrapping_sub(conv.padding.0);
                            let x = (column * conv.stride.1 + kx * conv.dilation.1)
                                .wrapping_sub(conv.padding.1);
                            if y >= wide_rows || x >= wide_columns {
                                continue;
                            }
                            let narrow = row * columns + column;
                            let wide = y * wide_columns + x;
                            let (from, to) =
                                if transposed { (narrow, wide) } else { (wide, narrow) };
                            let input =
                                (n * conv.channels + channel) * conv.height * conv.width + from;
                            let out =
                                (n * conv.out_channels + output) * conv.out_height * conv.out_width
                                    + to;
                            let kernel = if transposed {
                                channel * o + output % o
                            } else {
                                output * c + channel % c
                            };
                            let weight = (kernel * conv.kernel.0 + ky) * conv.kernel.1 + kx;
                            visit(input, weight, out);
                        }
                    }
                }
            }
        }
    }
}

/// Runs a convolution with weights of a dtype and compares it with the definition.
#[track_caller]
fn check(conv: &Conv2d, transposed: bool, kind: usize) {
    let mut random = Random(kind as u64 + 20);
    let x = random.floats(conv.batch * conv.channels * conv.height * conv.width);
    let area = conv.kernel.0 * conv.kernel.1;
    let weights = conv.channels * conv.out_channels / conv.groups * area;
    let weight = Stored::new(random.floats(weights), kind);
    let bias = (kind % 4 != 3).then(|| Stored::new(random.floats(conv.out_channels), kind + 1));
    let plane = conv.out_height * conv.out_width;
    let got = deterministic(conv.batch * conv.out_channels * plane, |out| {
        let bias = bias.as_ref().map(Stored::floats);
        if transposed {
            conv_transpose2d(conv, &x, weight.floats(), bias, out);
        } else {
            conv2d(conv, &x, weight.floats(), bias, out);
        }
    });
    let mut exact = vec![Exact::default(); got.len()];
    for (index, exact) in exact.iter_mut().enumerate() {
        exact.add(bias.as_ref().map_or(0.0, |bias| bias.at(index / plane % conv.out_channels)));
    }
    products(conv, transposed, |input, kernel, out| {
        exact[out].add(f64::from(x[input]) * weight.at(kernel));
    });
    // A sum is off by its longest chain of additions.
    assert_close(&got, &exact, 250.0, &format!("{conv:?}"));
}

#[test]
fn a_convolution_follows_its_definition() {
    let cases = [
        shape((1, 1, 1, 1), (1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
        shape((2, 64, 20, 1), (8, 8), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((2, 30, 33, 1), (4, 4), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((3, 17, 13, 1), (2, 2), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((9, 5, 6, 1), (5, 7), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((1, 40, 30, 1), (17, 19), (3, 3), (2, 2), (1, 1), (1, 1)),
        shape((2, 50, 9, 1), (16, 16), (1, 1), (1, 1), (0, 0), (1, 1)),
        shape((1, 200, 9, 1), (6, 30), (1, 1), (2, 2), (0, 0), (1, 1)),
        shape((1, 3, 16, 1), (28, 28), (7, 7), (7, 7), (0, 0), (1, 1)),
        shape((1, 3, 4, 1), (40, 33), (5, 2), (3, 1), (2, 1), (1, 3)),
        shape((1, 12, 18, 3), (11, 9), (3, 3), (1, 1), (2, 2), (2, 2)),
        shape((2, 14, 14, 14), (13, 10), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((1, 4, 5, 1), (3, 600), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((2, 24, 20, 1), (1, 301), (1, 9), (1, 2), (0, 4), (1, 2)),
        shape((1, 300, 130, 1), (8, 8), (3, 3), (1, 1), (1, 1), (1, 1)),
        shape((1, 2, 3, 1), (3, 3), (3, 3), (1, 1), (7, 7), (1, 1)),
    ];
    for (kind, conv) in cases.iter().enumerate() {
        check(conv, false, kind);
    }
}

#[test]
fn a_transposed_convolution_follows_its_definition() {
    let transposed =
        |shape: (usize, usize, usize, usize), (h, w): (usize, usize), k, s, p, d, extra| {
            let out = |size: usize, k: usize, s: usize, p: usize, d: usize| {
                (size - 1) * s + d * (k - 1) + extra + 1 - 2 * p
            };
            Conv2d {
                batch: shape.0,
                channels: shape.1,
                height: h,
                width: w,
                out_channels: shape.2,
                out_height: out(h, k, s, p, d),
                out_width: out(w, k, s, p, d),
                kernel: (k, k),
                stride: (s, s),
                padding: (p, p),
                dilation: (d, d),
                groups: shape.3,
            }
        };
    let cases = [
        transposed((1, 1, 1, 1), (1, 1), 1, 1, 0, 1, 0),
        transposed((2, 20, 17, 1), (8, 8), 4, 2, 1, 1, 0),
        transposed((1, 12, 10, 2), (5, 7), 3, 2, 1, 1, 1),
        transposed((1, 6, 7, 1), (9, 4), 3, 3, 0, 2, 2),
        transposed((2, 70, 5, 1), (4, 4), 2, 2, 0, 1, 0),
        transposed((1, 3, 4, 1), (6, 5), 1, 3, 0, 1, 2),
        transposed((1, 9, 9, 9), (6, 20), 3, 1, 1, 1, 0),
    ];
    for (kind, conv) in cases.iter().enumerate() {
        check(conv, true, kind);
    }
}

#[test]
fn a_convolution_of_no_channels_is_its_bias_and_one_of_no_images_nothing() {
    let conv = shape((2, 0, 3, 1), (5, 5), (3, 3), (1, 1), (1, 1), (1, 1));
    let mut out = vec![f32::NAN; 2 * 3 * 25];
    conv2d(&conv, &[], Floats::F32(&[]), Some(Floats::F32(&[1.0, 2.0, 3.0])), &mut out);
    for (index, plane) in out.chunks(25).enumerate() {
        assert!(plane.iter().all(|&value| value == (index % 3 + 1) as f32));
    }
    let none = shape((0, 4, 3, 1), (5, 5), (3, 3), (1, 1), (1, 1), (1, 1));
    conv2d(&none, &[], Floats::F32(&[0.0; 108]), None, &mut []);
    conv_transpose2d(&none, &[], Floats::F32(&[0.0; 108]), None, &mut []);
    assert!(none.workspace() < 1 << 20 && none.transpose_workspace() < 1 << 20);
}

#[test]
fn the_workspace_does_not_grow_with_the_image() {
    let conv = |size| shape((1, 512, 512, 1), (size, size), (3, 3), (1, 1), (1, 1), (1, 1));
    assert!(conv(2048).workspace() <= 2 * conv(64).workspace());
    assert!(conv(2048).workspace() < 4 << 20);
}

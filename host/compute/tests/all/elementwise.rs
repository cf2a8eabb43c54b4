use berth_compute::{Binary, Comparison, DType, Unary};

use crate::array::{Array, FLOATS, bench, close, read, refused, unsupported};

const INTEGERS: [DType; 4] = [DType::U8, DType::U32, DType::I32, DType::I64];

fn definition(function: Unary, x: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    match function {
        Unary::Neg => -x,
        Unary::Abs => x.abs(),
        Unary::Sign => f64::from(i8::from(x > 0.0) - i8::from(x < 0.0)),
        Unary::Recip => 1.0 / x,
        Unary::Sqrt => x.sqrt(),
        Unary::Rsqrt => 1.0 / x.sqrt(),
        Unary::Exp => x.exp(),
        Unary::Log => x.ln(),
        Unary::Sin => x.sin(),
        Unary::Cos => x.cos(),
        Unary::Tanh => x.tanh(),
        Unary::Erf => libm::erf(x),
        Unary::Floor => x.floor(),
        Unary::Ceil => x.ceil(),
        Unary::Round => x.round_ties_even(),
        Unary::Relu => x.max(0.0),
        Unary::Sigmoid => sigmoid(x),
        Unary::Silu => x * sigmoid(x),
        Unary::Gelu => 0.5 * x * libm::erfc(-x / 2f64.sqrt()),
        Unary::GeluTanh => {
            0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh())
        }
        Unary::GeluQuick => x * sigmoid(1.702 * x),
        Unary::Softplus => softplus(x),
        Unary::Mish => x * softplus(x).tanh(),
    }
}

#[test]
fn every_function_is_applied_to_every_element() {
    let bench = bench();
    // Longer than one piece of those that are widened in pieces.
    let mut x = Array::noise(&[3, 1501], 1).map(|x| 8.0 * x);
    x.data[7] = 0.0;
    for (dtype, tolerance) in FLOATS {
        for function in Unary::ALL {
            let positive =
                matches!(function, Unary::Sqrt | Unary::Rsqrt | Unary::Log | Unary::Recip);
            let x = if positive { x.map(|x| x.abs() + 0.0625) } else { x.clone() };
            let got = bench.compute.map(&bench.scope, &bench.tensor(dtype, &x), function).unwrap();
            assert_eq!(got.dtype(), dtype);
            close(
                &got,
                &read(&bench.tensor(dtype, &x)).map(|x| definition(function, x)),
                tolerance,
            );
        }
    }
}

#[test]
fn powers_and_affine_functions_are_applied_to_every_element() {
    let bench = bench();
    let x = Array::noise(&[2, 50], 1).map(|x| x.abs() + 0.25);
    for (dtype, tolerance) in FLOATS {
        let tensor = bench.tensor(dtype, &x);
        for exponent in [2.0, 3.0, 0.5, -0.5, -1.0, -2.0, 0.0, 1.7, -3.25] {
            let got = bench.compute.power(&bench.scope, &tensor, exponent).unwrap();
            close(&got, &read(&tensor).map(|x| x.powf(exponent)), 2.0 * tolerance);
        }
        let got = bench.compute.affine(&bench.scope, &tensor, -3.0, 0.75).unwrap();
        close(&got, &read(&tensor).map(|x| 0.75 - 3.0 * x), tolerance);
    }
    let bytes = bench.tensor(DType::U8, &Array::from_fn(&[4], |i| 100.0 * i[0] as f64));
    let got = bench.compute.affine(&bench.scope, &bytes, 1.5, -10.0).unwrap();
    assert_eq!(read(&got).data, [0.0, 140.0, 255.0, 255.0]);
    refused(bench.compute.map(&bench.scope, &bytes, Unary::Exp), "float");
    refused(bench.compute.power(&bench.scope, &bytes, 2.0), "float");
}

#[test]
fn clamping_keeps_what_is_inside_and_nan() {
    let bench = bench();
    for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64] {
        let x = Array { shape: vec![4], data: vec![-2.0, 0.25, 2.0, f64::NAN] };
        let got = bench.compute.clamp(&bench.scope, &bench.tensor(dtype, &x), -0.5, 1.5).unwrap();
        close(&got, &Array { shape: vec![4], data: vec![-0.5, 0.25, 1.5, f64::NAN] }, 0.0);
    }
    for dtype in INTEGERS {
        let x = Array { shape: vec![3], data: vec![0.0, 5.0, 200.0] };
        let x = bench.tensor(dtype, &x);
        let got = bench.compute.clamp(&bench.scope, &x, 2.0, 100.0).unwrap();
        assert_eq!(read(&got).data, [2.0, 5.0, 100.0]);
    }
    let x = bench.f32(&Array::noise(&[2], 1));
    refused(bench.compute.clamp(&bench.scope, &x, 1.0, 0.0), "low");
    refused(bench.compute.clamp(&bench.scope, &x, f64::NAN, 0.0), "low");
}

type Function<T> = fn(f64, f64) -> T;

const BINARIES: [(Binary, Function<f64>); 6] = [
    (Binary::Add, |a, b| a + b),
    (Binary::Sub, |a, b| a - b),
    (Binary::Mul, |a, b| a * b),
    (Binary::Div, |a, b| a / b),
    (Binary::Minimum, f64::min),
    (Binary::Maximum, f64::max),
];

/// Pairs of shapes, and what they broadcast to.
const SHAPES: [(&[usize], &[usize], &[usize]); 12] = [
    (&[2, 3, 4, 5], &[2, 3, 4, 5], &[2, 3, 4, 5]),
    (&[2, 3, 4, 5], &[3, 1, 1], &[2, 3, 4, 5]),
    (&[2, 3, 4, 5], &[1, 3, 4, 1], &[2, 3, 4, 5]),
    (&[2, 3, 5], &[5], &[2, 3, 5]),
    (&[2, 3, 5], &[], &[2, 3, 5]),
    (&[2, 3, 5], &[2, 1, 1], &[2, 3, 5]),
    (&[2, 3, 5], &[2, 1, 5], &[2, 3, 5]),
    (&[], &[7], &[7]),
    (&[4, 1], &[1, 6], &[4, 6]),
    (&[3, 1, 2], &[4, 1], &[3, 4, 2]),
    (&[1, 1, 33], &[33], &[1, 1, 33]),
    (&[0, 3], &[1, 3], &[0, 3]),
];

#[test]
fn pairs_are_combined_and_broadcast() {
    let bench = bench();
    for (dtype, tolerance) in FLOATS {
        for (a, b, shape) in SHAPES {
            let a = Array::noise(a, 1);
            let b = Array::noise(b, 2).map(|x| if x == 0.0 { 1.0 } else { x });
            let (x, y) = (bench.tensor(dtype, &a), bench.tensor(dtype, &b));
            for (function, definition) in BINARIES {
                let want = Array::from_fn(shape, |i| definition(a.broadcast(i), b.broadcast(i)));
                let got = bench.compute.combine(&bench.scope, &x, &y, function).unwrap();
                close(&got, &want, tolerance);
                let want = Array::from_fn(shape, |i| definition(b.broadcast(i), a.broadcast(i)));
                if function != Binary::Div {
                    let got = bench.compute.combine(&bench.scope, &y, &x, function).unwrap();
                    close(&got, &want, tolerance);
                }
            }
        }
    }
}

#[test]
fn minima_and_maxima_are_nan_where_either_is() {
    let bench = bench();
    for dtype in [DType::F16, DType::F32, DType::F64] {
        let a = bench.tensor(dtype, &Array { shape: vec![3], data: vec![f64::NAN, 1.0, 2.0] });
        let b = bench.tensor(dtype, &Array { shape: vec![3], data: vec![0.0, f64::NAN, 1.0] });
        for function in [Binary::Minimum, Binary::Maximum] {
            let got = read(&bench.compute.combine(&bench.scope, &a, &b, function).unwrap());
            assert!(got.data[0].is_nan() && got.data[1].is_nan() && !got.data[2].is_nan());
        }
    }
}

#[test]
fn integers_wrap_and_divide_by_truncation() {
    let bench = bench();
    let array = |data: &[f64]| Array { shape: vec![data.len()], data: data.into() };
    let go = |dtype, a: &[f64], b: &[f64], function| {
        let (a, b) = (bench.tensor(dtype, &array(a)), bench.tensor(dtype, &array(b)));
        bench.compute.combine(&bench.scope, &a, &b, function).map(|tensor| read(&tensor).data)
    };
    assert_eq!(go(DType::U8, &[200.0, 3.0], &[100.0, 5.0], Binary::Add).unwrap(), [44.0, 8.0]);
    assert_eq!(go(DType::U8, &[3.0], &[5.0], Binary::Sub).unwrap(), [254.0]);
    assert_eq!(
        go(DType::I32, &[f64::from(i32::MIN)], &[-1.0], Binary::Div).unwrap(),
        [f64::from(i32::MIN)]
    );
    assert_eq!(go(DType::I64, &[-7.0], &[2.0], Binary::Div).unwrap(), [-3.0]);
    assert_eq!(go(DType::U32, &[65536.0], &[65536.0], Binary::Mul).unwrap(), [0.0]);
    assert!(
        go(DType::I32, &[1.0, 2.0], &[1.0, 0.0], Binary::Div)
            .unwrap_err()
            .to_string()
            .contains("has a 0")
    );
}

#[test]
fn pairs_are_compared_and_chosen_from() {
    let bench = bench();
    let comparisons: [(Comparison, Function<bool>); 6] = [
        (Comparison::Eq, |a, b| a == b),
        (Comparison::Ne, |a, b| a != b),
        (Comparison::Lt, |a, b| a < b),
        (Comparison::Le, |a, b| a <= b),
        (Comparison::Gt, |a, b| a > b),
        (Comparison::Ge, |a, b| a >= b),
    ];
    for dtype in [DType::F16, DType::BF16, DType::F32, DType::F64].into_iter().chain(INTEGERS) {
        for (a, b, shape) in SHAPES {
            let few = |x: f64| (x * 2.0).round() + 2.0;
            let (mut a, b) = (Array::noise(a, 1).map(few), Array::noise(b, 2).map(few));
            if dtype.is_float() && !a.data.is_empty() {
                a.data[0] = f64::NAN;
            }
            let (x, y) = (bench.tensor(dtype, &a), bench.tensor(dtype, &b));
            for (comparison, definition) in comparisons {
                let got = bench.compute.compare(&bench.scope, &x, &y, comparison).unwrap();
                assert_eq!(got.dtype(), DType::U8);
                let holds = |i: &[usize]| definition(a.broadcast(i), b.broadcast(i));
                close(&got, &Array::from_fn(shape, |i| f64::from(u8::from(holds(i)))), 0.0);
                let chosen = bench.compute.choose(&bench.scope, &got, &x, &y).unwrap();
                let want =
                    Array::from_fn(
                        shape,
                        |i| if holds(i) { a.broadcast(i) } else { b.broadcast(i) },
                    );
                close(&chosen, &want, 0.0);
            }
        }
    }
}

#[test]
fn pairs_that_do_not_fit_are_refused() {
    let bench = bench();
    let tensor = |dtype, shape: &[usize]| bench.tensor(dtype, &Array::noise(shape, 1));
    let (a, b) = (tensor(DType::F32, &[2, 3]), tensor(DType::F32, &[2]));
    refused(bench.compute.combine(&bench.scope, &a, &b, Binary::Add), "do not broadcast");
    refused(bench.compute.compare(&bench.scope, &a, &b, Comparison::Eq), "do not broadcast");
    let half = tensor(DType::F16, &[2, 3]);
    refused(bench.compute.combine(&bench.scope, &a, &half, Binary::Add), "one dtype");
    refused(bench.compute.compare(&bench.scope, &a, &half, Comparison::Eq), "one dtype");
    refused(bench.compute.choose(&bench.scope, &a, &a, &a), "u8");
    let bits = tensor(DType::U8, &[4, 1]);
    refused(bench.compute.choose(&bench.scope, &bits, &a, &a), "do not broadcast");
    let small = bench.compute.from_bytes(&bench.scope, DType::F8E4M3, &[1], vec![0]).unwrap();
    unsupported(bench.compute.combine(&bench.scope, &small, &small, Binary::Add));
}

#[test]
fn casts_round_truncate_and_saturate() {
    let bench = bench();
    let all = [DType::F16, DType::BF16, DType::F32, DType::F64].into_iter().chain(INTEGERS);
    let x = Array { shape: vec![7], data: vec![0.0, 1.0, 2.75, 100.0, 127.0, 200.0, 255.0] };
    for from in all.clone() {
        for to in all.clone() {
            let tensor = bench.tensor(from, &x);
            let got = bench.compute.cast(&bench.scope, &tensor, to).unwrap();
            assert_eq!(got.dtype(), to);
            let want = read(&bench.tensor(to, &read(&tensor)));
            close(&got, &want, 0.0);
        }
    }
    let wild = Array { shape: vec![5], data: vec![-1.5, 1e30, -1e30, f64::NAN, f64::INFINITY] };
    for (to, want) in [
        (DType::U8, [0.0, 255.0, 0.0, 0.0, 255.0]),
        (DType::I32, [-1.0, 2_147_483_647.0, -2_147_483_648.0, 0.0, 2_147_483_647.0]),
    ] {
        for from in [DType::F32, DType::F64, DType::BF16] {
            let got = bench.compute.cast(&bench.scope, &bench.tensor(from, &wild), to).unwrap();
            assert_eq!(read(&got).data, want);
        }
    }
}

#[test]
fn casts_to_8_bit_floats_give_the_nearest() {
    let bench = bench();
    // All values of a format, by its definition (OCP FP8).
    let values = |exponent_bits: u32, mantissa_bits: u32, bias: i32| -> Vec<f64> {
        (0..1u32 << (exponent_bits + mantissa_bits))
            .map(|bits| {
                let exponent = (bits >> mantissa_bits) as i32;
                let mantissa =
                    f64::from(bits & ((1 << mantissa_bits) - 1)) / f64::from(1 << mantissa_bits);
                if exponent == 0 {
                    mantissa * 2f64.powi(1 - bias)
                } else {
                    (1.0 + mantissa) * 2f64.powi(exponent - bias)
                }
            })
            .collect()
    };
    // Without the patterns that stand for infinity and NaN.
    let e4m3 = &values(4, 3, 7)[..127];
    let e5m2 = &values(5, 2, 15)[..124];
    for (dtype, values) in [(DType::F8E4M3, e4m3), (DType::F8E5M2, e5m2)] {
        let shape = [values.len()];
        let exact = Array { shape: shape.into(), data: values.into() };
        let bits: Vec<u8> = (0..values.len() as u8).collect();
        let stored = bench.compute.from_bytes(&bench.scope, dtype, &shape, bits.clone()).unwrap();
        for (to, _) in FLOATS {
            if to != DType::F16 || dtype == DType::F8E5M2 {
                close(&bench.compute.cast(&bench.scope, &stored, to).unwrap(), &exact, 0.0);
            }
            let from = bench.tensor(to, &exact);
            let back = bench.compute.cast(&bench.scope, &from, dtype).unwrap();
            let mut bytes = vec![0; bits.len()];
            back.read(0, &mut bytes).unwrap();
            assert_eq!(bytes, bits, "{to}");
        }
        // Between two neighbours: the nearer one, and from the middle the even one.
        let between: Vec<f64> = values
            .windows(2)
            .flat_map(|w| [0.25, 0.5, 0.75].map(|t| w[0] + t * (w[1] - w[0])))
            .collect();
        let between = Array { shape: vec![between.len()], data: between };
        let got = bench.compute.cast(&bench.scope, &bench.f32(&between), dtype).unwrap();
        let mut bytes = vec![0; between.data.len()];
        got.read(0, &mut bytes).unwrap();
        for (i, byte) in bytes.into_iter().enumerate() {
            let below = (i / 3) as u8;
            let want = match i % 3 {
                0 => below,
                2 => below + 1,
                _ => below + below % 2,
            };
            assert_eq!(byte, want, "{dtype} {}", between.data[i]);
        }
    }
    let small = bench.compute.from_bytes(&bench.scope, DType::F8E4M3, &[1], vec![0]).unwrap();
    unsupported(bench.compute.cast(&bench.scope, &small, DType::U8));
    let x = bench.f32(&Array::noise(&[32], 1));
    unsupported(bench.compute.cast(&bench.scope, &x, DType::Q4_0));
    let quantized =
        bench.compute.from_bytes(&bench.scope, DType::Q4_0, &[32], vec![0; 18]).unwrap();
    unsupported(bench.compute.cast(&bench.scope, &quantized, DType::F32));
}

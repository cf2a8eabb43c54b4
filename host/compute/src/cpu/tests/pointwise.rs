use super::{Random, deterministic};
use crate::cpu::elementwise::{Operation, affine, combine, combine_inner, combine_row};
use crate::cpu::map::map;
use crate::function::Unary;

/// Each function in `f64`, and its largest error in units of 2⁻²⁴ of the result.
fn exact(function: Unary, x: f64) -> (f64, f64) {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    match function {
        Unary::Neg => (-x, 0.0),
        Unary::Abs => (x.abs(), 0.0),
        Unary::Sign => (if x == 0.0 { 0.0 } else { x.signum() }, 0.0),
        Unary::Recip => (1.0 / x, 1.0),
        Unary::Sqrt => (x.sqrt(), 1.0),
        Unary::Rsqrt => (1.0 / x.sqrt(), 3.0),
        Unary::Exp => (x.exp(), 3.0),
        Unary::Log => (x.ln(), 2.0),
        Unary::Sin => (x.sin(), 2.0),
        Unary::Cos => (x.cos(), 2.0),
        Unary::Tanh => (x.tanh(), 6.0),
        Unary::Erf => (libm::erf(x), 6.0),
        Unary::Floor => (x.floor(), 0.0),
        Unary::Ceil => (x.ceil(), 0.0),
        Unary::Round => (x.round_ties_even(), 0.0),
        Unary::Relu => (x.max(0.0), 0.0),
        Unary::Sigmoid => (sigmoid(x), 6.0),
        Unary::Silu => (x * sigmoid(x), 6.0),
        Unary::Gelu => (0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2), 120.0),
        // The exponential's argument is off by a unit for each unit of it.
        Unary::GeluTanh => {
            let argument = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
            (x * sigmoid(2.0 * argument), 300.0)
        }
        Unary::GeluQuick => (x * sigmoid(1.702 * x), 60.0),
        Unary::Softplus => (softplus(x), 6.0),
        Unary::Mish => (x * softplus(x).tanh(), 16.0),
    }
}

#[test]
fn every_function_is_within_its_bound() {
    let mut random = Random(40);
    for (index, function) in Unary::ALL.into_iter().enumerate() {
        let scale = if index % 2 == 0 { 8.0 } else { 12.0 };
        let mut x: Vec<f32> = random.floats(200_003).into_iter().map(|x| x * scale).collect();
        if matches!(function, Unary::Sqrt | Unary::Rsqrt | Unary::Log) {
            x.iter_mut().for_each(|x| *x = x.abs() + 1e-3);
        }
        x[..4].copy_from_slice(&[0.5, 1.5, 2.5, 1e-30]);
        let got = deterministic(x.len(), |out| map(function, &x, out));
        for (&x, &got) in x.iter().zip(&got) {
            let (want, units) = exact(function, f64::from(x));
            // Where the exponential overflows, what is left is as good as 0.
            let bound = units * 2f64.powi(-24) * want.abs() + 1e-36;
            let error = (f64::from(got) - want).abs();
            assert!(error <= bound, "{function:?}({x}) is {got}, not {want}: {error} > {bound}");
        }
    }
}

#[test]
fn functions_keep_nan_and_meet_their_limits_at_infinity() {
    for function in Unary::ALL {
        let mut out = [0.0; 3];
        map(function, &[f32::NAN, f32::INFINITY, f32::NEG_INFINITY], &mut out);
        assert!(out[0].is_nan(), "{function:?}");
        let limits = match function {
            Unary::Silu | Unary::Gelu | Unary::GeluTanh | Unary::GeluQuick | Unary::Mish => {
                assert_eq!(out[1], f32::INFINITY, "{function:?}");
                continue;
            }
            Unary::Relu | Unary::Softplus | Unary::Exp => Some((f32::INFINITY, 0.0)),
            Unary::Sigmoid => Some((1.0, 0.0)),
            Unary::Tanh | Unary::Erf | Unary::Sign => Some((1.0, -1.0)),
            _ => None,
        };
        if let Some((above, below)) = limits {
            assert_eq!((out[1], out[2]), (above, below), "{function:?}");
        }
    }
}

#[test]
fn operands_combine_by_element_by_channel_and_by_column() {
    let mut random = Random(41);
    type Function = fn(f32, f32) -> f32;
    let operations: [(Operation, Function); 4] = [
        (Operation::Add, |a, b| a + b),
        (Operation::Sub, |a, b| a - b),
        (Operation::Mul, |a, b| a * b),
        (Operation::Div, |a, b| a / b),
    ];
    for (operation, function) in operations {
        for (outer, channels, inner) in
            [(1, 1, 1), (2, 64, 64), (3, 5, 7), (1, 100, 5000), (4, 3, 0), (0, 3, 4)]
        {
            let len = outer * channels * inner;
            let (a, b) = (random.floats(len), random.floats(len));
            let got = deterministic(len, |out| combine(operation, &a, &b, out));
            assert!(got.iter().enumerate().all(|(i, &got)| got == function(a[i], b[i])));
            let channel = random.floats(channels);
            let got = deterministic(len, |out| combine_inner(operation, &a, &channel, inner, out));
            for (i, &got) in got.iter().enumerate() {
                assert_eq!(got, function(a[i], channel[i / inner % channels]));
            }
            let column = random.floats(inner);
            let got = deterministic(len, |out| combine_row(operation, &a, &column, out));
            assert!(
                got.iter().enumerate().all(|(i, &got)| got == function(a[i], column[i % inner]))
            );
        }
    }
    let x = random.floats(10_000);
    let got = deterministic(x.len(), |out| affine(&x, 2.5, -1.0, out));
    assert!(got.iter().zip(&x).all(|(&got, &x)| got == x.mul_add(2.5, -1.0)));
}

//! Transcendental functions of one `f32`, without branches or calls.
//!
//! The standard library's are calls, one element at a time. These are straight-line
//! code, so that a loop over them becomes vector instructions, which is worth a
//! factor of ten in softmax and in the activations. All coefficients are Chebyshev
//! interpolants computed for this crate; the tests measure each function against
//! `f64` and state its largest error.

/// Evaluates a polynomial, the constant first, by Horner's rule.
macro_rules! polynomial {
    ($x:expr; $last:expr) => { $last };
    ($x:expr; $first:expr, $($rest:expr),+) => {
        f32::mul_add(polynomial!($x; $($rest),+), $x, $first)
    };
}

/// eˣ. The argument is reduced to r = x − n·ln 2, |r| ≤ ln 2 / 2; 2ⁿ is put together from
/// bits, in two factors so that results below 2⁻¹²⁶ and above 2¹²⁷ come out right.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Adding this rounds to an integer, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_REST: f32 = -1.904_654_3e-9;
    // Comparisons that NaN fails, so that it passes through.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let rounded = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    let r = n.mul_add(-LN_2_REST, n.mul_add(-std::f32::consts::LN_2, x));
    let p = polynomial!(r; 0.5, 0.166_665_77, 0.041_666_465, 0.008_363_182, 0.001_393_365_2);
    let y = p.mul_add(r * r, r) + 1.0;
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
    let half = n >> 1;
    y * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// 2ⁿ for −126 ≤ n ≤ 127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned())
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent: a polynomial near 0, where the quotient would cancel.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let magnitude = x.abs();
    let z = x * x;
    let p = polynomial!(z; -0.333_333_3, 0.133_327_82, -0.053_852_5, 0.021_003_641, -0.006_104_948);
    let near = p.mul_add(z * magnitude, magnitude);
    let far = 1.0 - 2.0 / (exp(2.0 * magnitude) + 1.0);
    (if magnitude < 0.625 { near } else { far }).copysign(x)
}

/// log(1 + eˣ) = max(x, 0) + log(1 + u) with u = e^−|x|, the logarithm by
/// 2·artanh(u / (2 + u)), whose series converges fast because the quotient is at most ⅓.
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    let u = exp(-x.abs());
    let s = u / (2.0 + u);
    let z = s * s;
    let p = polynomial!(
        z;
        1.0,
        1.0 / 3.0,
        1.0 / 5.0,
        1.0 / 7.0,
        1.0 / 9.0,
        1.0 / 11.0,
        1.0 / 13.0,
        1.0 / 15.0
    );
    let positive = if x < 0.0 { 0.0 } else { x };
    (2.0 * s).mul_add(p, positive)
}

/// The complement of the error function for x ≥ 0, by (1 + 2x)·exp(x²)·erfc(x) as a
/// polynomial in (x − 3.75) / (x + 3.75) (Shepherd & Laframboise 1981).
#[inline(always)]
fn erfc_positive(x: f32) -> f32 {
    // Beyond, the result is 0 in f32; infinity would give NaN.
    let x = if x > 10.2 { 10.2 } else { x };
    let s = (x - 3.75) / (x + 3.75);
    let p = polynomial!(
        s;
        1.237_512_6,
        -0.140_240_53,
        0.003_584_734_5,
        0.082_273_25,
        -0.108_792,
        0.092_358_01,
        -0.058_737_62,
        0.028_044_39,
        -0.009_903_063,
        0.002_334_587_8,
        0.001_105_01
    );
    // What squaring rounded away matters: it is added to an exponent.
    let square = x * x;
    let rest = x.mul_add(x, -square);
    let gaussian = exp(-square);
    gaussian.mul_add(-rest, gaussian) * p / 2.0f32.mul_add(x, 1.0)
}

/// erf(x) / x as a polynomial in x², for |x| < 0.75.
#[inline(always)]
fn erf_near(x: f32) -> f32 {
    let z = x * x;
    x * polynomial!(
        z;
        std::f32::consts::FRAC_2_SQRT_PI,
        -0.376_126_2,
        0.112_833_9,
        -0.026_835_275,
        0.005_115_657,
        -0.000_675_878_8
    )
}

/// The error function.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let magnitude = x.abs();
    let far = (1.0 - erfc_positive(magnitude)).copysign(x);
    if magnitude < 0.75 { erf_near(x) } else { far }
}

/// x·Φ(x) = x·(1 + erf(x / √2)) / 2, without the cancellation that the sum has for x ≪ 0.
#[inline(always)]
pub(crate) fn gelu(x: f32) -> f32 {
    let t = x * std::f32::consts::FRAC_1_SQRT_2;
    let magnitude = t.abs();
    let tail = 0.5 * erfc_positive(magnitude);
    let near = 0.5f32.mul_add(erf_near(t), 0.5);
    let far = if t < 0.0 { tail } else { 1.0 - tail };
    x * if magnitude < 0.75 { near } else { far }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance from the `f64` function, in units of the last place of
    /// the result, over every 1009th float of an interval.
    fn worst(function: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, from: f32, to: f32) -> f64 {
        let mut worst = 0.0f64;
        for bits in (0..=u32::MAX).step_by(1009) {
            let x = f32::from_bits(bits);
            if !(x >= from && x <= to) {
                continue;
            }
            let (got, want) = (f64::from(function(x)), exact(f64::from(x)));
            let size = want.abs().max(f64::from(f32::MIN_POSITIVE));
            let ulp = 2f64.powi(size.log2().floor() as i32 - 23);
            worst = worst.max((got - want).abs() / ulp);
        }
        worst
    }

    #[test]
    fn exp_is_within_one_and_a_half_units_in_the_last_place() {
        let error = worst(exp, f64::exp, -103.0, 88.7);
        assert!(error < 1.5, "{error}");
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(f32::INFINITY), f32::INFINITY);
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
        assert_eq!(exp(88.8), f32::INFINITY);
        assert!(exp(-100.0) > 0.0, "subnormal results are not lost");
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn sigmoid_and_tanh_are_within_three_units() {
        let error = worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), -87.0, 100.0);
        assert!(error < 3.0, "sigmoid {error}");
        let error = worst(tanh, f64::tanh, -50.0, 50.0);
        assert!(error < 3.0, "tanh {error}");
        assert_eq!(tanh(f32::INFINITY), 1.0);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert!(tanh(-0.0).is_sign_negative());
        assert!(tanh(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
    }

    #[test]
    fn erf_is_within_three_units() {
        let error = worst(erf, libm::erf, -12.0, 12.0);
        assert!(error < 3.0, "{error}");
        assert_eq!(erf(f32::INFINITY), 1.0);
        assert_eq!(erf(f32::NEG_INFINITY), -1.0);
        assert!(erf(f32::NAN).is_nan());
    }

    #[test]
    fn softplus_is_within_four_units() {
        let error = worst(softplus, |x| x.max(0.0) + (-x.abs()).exp().ln_1p(), -87.0, 200.0);
        assert!(error < 4.0, "{error}");
        assert_eq!(softplus(f32::INFINITY), f32::INFINITY);
        assert_eq!(softplus(f32::NEG_INFINITY), 0.0);
        assert!(softplus(f32::NAN).is_nan());
    }

    #[test]
    fn gelu_is_exact_also_where_the_error_function_cancels() {
        let exact = |x: f64| 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2);
        // In the tail half a unit of the argument t is t² units of the result.
        let error = worst(gelu, exact, -4.0, 100.0);
        assert!(error < 20.0, "{error}");
        let error = worst(gelu, exact, -12.0, -4.0);
        assert!(error < 200.0, "{error}");
        assert!(gelu(f32::NAN).is_nan());
    }
}

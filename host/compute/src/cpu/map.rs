//! A function of each element.
//!
//! All but the logarithm, the sine and the cosine are straight-line code that becomes
//! vector instructions.

use super::parallel::for_each_chunk;
use super::{math, vectorized};
use crate::function::Unary;

/// Elements that are computed in one call.
const CHUNK: usize = 4096;

/// Applies `function` to each element.
pub(crate) fn map(function: Unary, x: &[f32], out: &mut [f32]) {
    match function {
        Unary::Neg => each(x, out, neg),
        Unary::Abs => each(x, out, f32::abs),
        Unary::Sign => each(x, out, sign),
        Unary::Recip => each(x, out, recip),
        Unary::Sqrt => each(x, out, f32::sqrt),
        Unary::Rsqrt => each(x, out, rsqrt),
        Unary::Exp => each(x, out, math::exp),
        Unary::Log => each(x, out, f32::ln),
        Unary::Sin => each(x, out, f32::sin),
        Unary::Cos => each(x, out, f32::cos),
        Unary::Tanh => each(x, out, math::tanh),
        Unary::Erf => each(x, out, math::erf),
        Unary::Floor => each(x, out, f32::floor),
        Unary::Ceil => each(x, out, f32::ceil),
        Unary::Round => each(x, out, f32::round_ties_even),
        Unary::Relu => each(x, out, relu),
        Unary::Sigmoid => each(x, out, math::sigmoid),
        Unary::Silu => each(x, out, silu),
        Unary::Gelu => each(x, out, math::gelu),
        Unary::GeluTanh => each(x, out, gelu_tanh),
        Unary::GeluQuick => each(x, out, gelu_quick),
        Unary::Softplus => each(x, out, math::softplus),
        Unary::Mish => each(x, out, mish),
    }
}

fn each(x: &[f32], out: &mut [f32], function: impl Fn(f32) -> f32 + Copy + Sync) {
    for_each_chunk(x, out, CHUNK, |_, x, out| vectorized(|| chunk(x, out, function)));
}

#[inline(always)]
fn chunk(x: &[f32], out: &mut [f32], function: impl Fn(f32) -> f32) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = function(x);
    }
}

#[inline(always)]
fn neg(x: f32) -> f32 {
    -x
}

/// −1, 0 or 1; NaN for NaN.
#[inline(always)]
fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // Also the sign of 0 is kept.
        x
    }
}

#[inline(always)]
fn recip(x: f32) -> f32 {
    1.0 / x
}

#[inline(always)]
fn rsqrt(x: f32) -> f32 {
    1.0 / x.sqrt()
}

/// max(x, 0), NaN for NaN.
#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x / (1.0 + math::exp(-x))
}

/// x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2, which is x·sigmoid of twice the argument.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    /// 2·√(2/π).
    const SCALE: f32 = 1.595_769_1;
    let argument = SCALE * (0.044_715 * x * x).mul_add(x, x);
    x / (1.0 + math::exp(-argument))
}

#[inline(always)]
fn gelu_quick(x: f32) -> f32 {
    x / (1.0 + math::exp(-1.702 * x))
}

/// x·tanh(log(1 + eˣ)) = x·n / (n + 2) with n = eˣ·(eˣ + 2).
#[inline(always)]
fn mish(x: f32) -> f32 {
    // From here on the quotient is 1, and n must not overflow.
    let e = math::exp(if x > 20.0 { 20.0 } else { x });
    let n = e * (e + 2.0);
    x * (n / (n + 2.0))
}

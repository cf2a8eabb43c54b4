//! A function of each element.
//!
//! All but the logarithm, the sine and the cosine are straight-line code that becomes
//! vector instructions.

use std::marker::PhantomData;

use super::parallel::for_each_chunk;
use super::{Kernel, math, vectorized};
use crate::function::Unary;

/// Elements that are computed in one call.
const CHUNK: usize = 4096;

/// Defines [`map`] from the expression of each function.
macro_rules! functions {
    ($($name:ident => |$x:ident| $value:expr),* $(,)?) => {
        $(
            struct $name;

            impl Function for $name {
                #[inline(always)]
                fn of($x: f32) -> f32 {
                    $value
                }
            }
        )*

        /// Applies `function` to each element.
        pub(crate) fn map(function: Unary, x: &[f32], out: &mut [f32]) {
            match function {
                $(Unary::$name => each::<$name>(x, out),)*
            }
        }
    };
}

functions! {
    Neg => |x| -x,
    Abs => |x| x.abs(),
    Sign => |x| sign(x),
    Recip => |x| 1.0 / x,
    Sqrt => |x| x.sqrt(),
    Rsqrt => |x| 1.0 / x.sqrt(),
    Exp => |x| math::exp(x),
    Log => |x| x.ln(),
    Sin => |x| x.sin(),
    Cos => |x| x.cos(),
    Tanh => |x| math::tanh(x),
    Erf => |x| math::erf(x),
    Floor => |x| x.floor(),
    Ceil => |x| x.ceil(),
    Round => |x| x.round_ties_even(),
    // Written so that NaN stays.
    Relu => |x| if x < 0.0 { 0.0 } else { x },
    Sigmoid => |x| math::sigmoid(x),
    Silu => |x| x / (1.0 + math::exp(-x)),
    Gelu => |x| math::gelu(x),
    GeluTanh => |x| gelu_tanh(x),
    GeluQuick => |x| x / (1.0 + math::exp(-1.702 * x)),
    Softplus => |x| math::softplus(x),
    Mish => |x| mish(x),
}

trait Function: Sync {
    fn of(x: f32) -> f32;
}

fn each<F: Function>(x: &[f32], out: &mut [f32]) {
    for_each_chunk(x, out, CHUNK, |_, x, out| {
        vectorized(Chunk { x, out, function: PhantomData::<F> });
    });
}

struct Chunk<'a, F> {
    x: &'a [f32],
    out: &'a mut [f32],
    function: PhantomData<F>,
}

impl<F: Function> Kernel for Chunk<'_, F> {
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = F::of(x);
        }
    }
}

/// −1 or 1 by the sign; 0 and NaN as they are.
#[inline(always)]
fn sign(x: f32) -> f32 {
    let sign = if x < 0.0 { -1.0 } else { x };
    if x > 0.0 { 1.0 } else { sign }
}

/// x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2, which is x·sigmoid of twice the argument.
#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    /// 2·√(2/π).
    const SCALE: f32 = 1.595_769;
    let argument = SCALE * (0.044_715 * x * x).mul_add(x, x);
    x / (1.0 + math::exp(-argument))
}

/// x·tanh(log(1 + eˣ)) = x·n / (n + 2) with n = eˣ·(eˣ + 2).
#[inline(always)]
fn mish(x: f32) -> f32 {
    // From here on the quotient is 1, and n must not overflow.
    let e = math::exp(if x > 20.0 { 20.0 } else { x });
    let n = e * (e + 2.0);
    x * (n / (n + 2.0))
}

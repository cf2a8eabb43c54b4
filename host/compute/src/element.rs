//! Dense element types as Rust types, and the way from one to the other.

use bytemuck::Pod;
use candle_core::WithDType;
use half::{bf16, f16};

use crate::DType;

/// A dense element that kernels compute with.
///
/// Integers wrap on overflow. `f16` and `bf16` compute in `f32` and round the result.
pub(crate) trait Element: WithDType + Pod + PartialOrd + Send + Sync {
    /// The dtype it is.
    const DTYPE: DType;

    /// a + b.
    fn plus(self, other: Self) -> Self;
    /// a − b.
    fn minus(self, other: Self) -> Self;
    /// a · b.
    fn times(self, other: Self) -> Self;
    /// a / b; of integers, truncated, and 0 where b is 0.
    fn over(self, other: Self) -> Self;

    /// The smaller one; NaN if either is.
    #[inline(always)]
    fn least(self, other: Self) -> Self {
        if Element::is_nan(self) || self < other { self } else { other }
    }
    /// The larger one; NaN if either is.
    #[inline(always)]
    fn greatest(self, other: Self) -> Self {
        if Element::is_nan(self) || self > other { self } else { other }
    }

    /// Its value; exact but for `i64` beyond 2⁵³.
    fn value(self) -> f64;
    /// The nearest value; integers truncate and saturate, and NaN is 0.
    fn nearest(value: f64) -> Self;
    /// Its value as an integer, truncated and saturated, NaN being 0.
    fn to_i64(self) -> i64;
    /// The nearest value of an integer; integers saturate.
    fn from_i64(value: i64) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
}

macro_rules! integer {
    ($type:ty, $dtype:ident) => {
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn over(self, other: Self) -> Self {
                if other == 0 { 0 } else { self.wrapping_div(other) }
            }
            #[inline(always)]
            fn value(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn nearest(value: f64) -> Self {
                value as Self
            }
            #[inline(always)]
            fn to_i64(self) -> i64 {
                i64::from(self)
            }
            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                // Clamped to the type's range first, so the cast is exact.
                value.clamp(i64::from(Self::MIN), i64::from(Self::MAX)) as Self
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                false
            }
        }
    };
}

integer!(u8, U8);
integer!(u32, U32);
integer!(i32, I32);
integer!(i64, I64);

macro_rules! float {
    ($type:ty, $dtype:ident, $to:expr, $from:expr, $from_integer:expr) => {
        impl Element for $type {
            const DTYPE: DType = DType::$dtype;

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self - other
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn over(self, other: Self) -> Self {
                self / other
            }
            #[inline(always)]
            fn value(self) -> f64 {
                $to(self)
            }
            #[inline(always)]
            fn nearest(value: f64) -> Self {
                $from(value)
            }
            #[inline(always)]
            fn to_i64(self) -> i64 {
                Element::value(self) as i64
            }
            #[inline(always)]
            fn from_i64(value: i64) -> Self {
                $from_integer(value)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                Self::is_nan(self)
            }
        }
    };
}

float!(f16, F16, f16::to_f64, f16::from_f64, |value| f16::from_f64(value as f64));
float!(bf16, BF16, bf16::to_f64, bf16::from_f64, |value| bf16::from_f64(value as f64));
float!(f32, F32, f64::from, |value| value as f32, |value| value as f32);
float!(f64, F64, |value| value, |value| value, |value| value as f64);

/// Runs `$body` with `$T` standing for the Rust type of a dense, computable dtype;
/// `$otherwise` for all others.
macro_rules! for_element {
    ($dtype:expr, $T:ident => $body:expr, $otherwise:expr) => {
        match $dtype {
            $crate::DType::U8 => for_element!(@ $T, u8, $body),
            $crate::DType::U32 => for_element!(@ $T, u32, $body),
            $crate::DType::I32 => for_element!(@ $T, i32, $body),
            $crate::DType::I64 => for_element!(@ $T, i64, $body),
            $crate::DType::F16 => for_element!(@ $T, half::f16, $body),
            $crate::DType::BF16 => for_element!(@ $T, half::bf16, $body),
            $crate::DType::F32 => for_element!(@ $T, f32, $body),
            $crate::DType::F64 => for_element!(@ $T, f64, $body),
            _ => $otherwise,
        }
    };
    (@ $T:ident, $type:ty, $body:expr) => {{
        type $T = $type;
        $body
    }};
}

pub(crate) use for_element;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_become_integers_by_truncation_and_saturation() {
        assert_eq!(u8::nearest(-3.7), 0);
        assert_eq!(u8::nearest(255.9), 255);
        assert_eq!(u8::nearest(1e9), 255);
        assert_eq!(i32::nearest(-3.7), -3);
        assert_eq!(i64::nearest(f64::INFINITY), i64::MAX);
        assert_eq!(u32::nearest(f64::NAN), 0);
        assert_eq!(u8::from_i64(-1), 0);
        assert_eq!(i32::from_i64(i64::MAX), i32::MAX);
        assert_eq!(f32::from_i64(16_777_217), 16_777_216.0);
    }
}

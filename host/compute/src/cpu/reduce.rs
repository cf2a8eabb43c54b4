//! Sums and maxima of slices, over lanes that a compiler keeps in vectors.
//!
//! The number of lanes is fixed, so the bits are the same with every instruction set.

#![expect(clippy::indexing_slicing, reason = "lanes are indices of arrays of as many")]

const LANES: usize = 16;

/// Elements that are added up in `f32` before the sum is carried on in `f64`. Long
/// sums in `f32` alone lose a digit for every hundredfold of their length.
const RUN: usize = 2048;

/// Σ term(x).
#[inline(always)]
pub(super) fn sum(values: &[f32], term: impl Fn(f32) -> f32 + Copy) -> f64 {
    let mut total = 0.0;
    for run in values.chunks(RUN) {
        total += f64::from(short_sum(run, term));
    }
    total
}

/// Σ term(x) in `f32`, for short slices.
#[inline(always)]
pub(super) fn short_sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    // Two vectors of the widest kind, to hide the addition's latency.
    let mut lanes = [0.0f32; 2 * LANES];
    let (blocks, rest) = values.as_chunks::<{ 2 * LANES }>();
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += term(value);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane += term(value);
    }
    fold(lanes, |a, b| a + b)
}

/// The largest value, −∞ when there is none. NaN is passed over.
#[inline(always)]
pub(super) fn max(values: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 2 * LANES];
    let (blocks, rest) = values.as_chunks::<{ 2 * LANES }>();
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane = larger(value, *lane);
        }
    }
    for (lane, &value) in lanes.iter_mut().zip(rest) {
        *lane = larger(value, *lane);
    }
    fold(lanes, larger)
}

/// The larger one; the second when the first is NaN. One instruction, unlike `f32::max`.
#[inline(always)]
pub(super) fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Combines the halves until one is left, in steps whose lengths the compiler knows.
#[inline(always)]
fn fold(lanes: [f32; 2 * LANES], combine: impl Fn(f32, f32) -> f32) -> f32 {
    let [a, b]: [[f32; 16]; 2] = bytemuck::cast(lanes);
    let lanes: [f32; 16] = std::array::from_fn(|lane| combine(a[lane], b[lane]));
    let [a, b]: [[f32; 8]; 2] = bytemuck::cast(lanes);
    let lanes: [f32; 8] = std::array::from_fn(|lane| combine(a[lane], b[lane]));
    let [a, b]: [[f32; 4]; 2] = bytemuck::cast(lanes);
    let [a, b, c, d]: [f32; 4] = std::array::from_fn(|lane| combine(a[lane], b[lane]));
    combine(combine(a, c), combine(b, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sum_keeps_its_digits() {
        let values = vec![0.1f32; 3_000_001];
        let exact = f64::from(0.1f32) * 3_000_001.0;
        assert!((sum(&values, |x| x) - exact).abs() < exact * 1e-6);
    }

    #[test]
    fn the_maximum_is_found_wherever_it_stands() {
        for len in [1, 16, 33, 100] {
            for at in 0..len {
                let mut values = vec![-3.0; len];
                values[at] = 2.0;
                assert_eq!(max(&values), 2.0);
            }
        }
        assert_eq!(max(&[]), f32::NEG_INFINITY);
    }
}

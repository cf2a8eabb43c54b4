//! Weights and biases as they are stored.

use half::{bf16, f16};

/// A float slice of any of the dtypes that weights come in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Floats<'a> {
    F32(&'a [f32]),
    F16(&'a [f16]),
    BF16(&'a [bf16]),
}

impl Floats<'_> {
    /// Elements `start..start + into.len()`, widened.
    #[inline(always)]
    pub(super) fn widen(self, start: usize, into: &mut [f32]) {
        let end = start + into.len();
        match self {
            Self::F32(values) => {
                if let Some(values) = values.get(start..end) {
                    into.copy_from_slice(values);
                }
            }
            Self::F16(values) => {
                for (to, from) in into.iter_mut().zip(values.get(start..end).unwrap_or_default()) {
                    *to = widen_f16(from.to_bits());
                }
            }
            Self::BF16(values) => {
                for (to, from) in into.iter_mut().zip(values.get(start..end).unwrap_or_default()) {
                    *to = f32::from_bits(u32::from(from.to_bits()) << 16);
                }
            }
        }
    }

    /// One element, widened.
    #[inline(always)]
    pub(super) fn at(self, index: usize) -> f32 {
        let mut value = [0.0];
        self.widen(index, &mut value);
        let [value] = value;
        value
    }
}

/// The `f16` with these bits. Integer operations and one product, so that a loop
/// becomes vector instructions; `half`'s conversion asks for the CPU's features at
/// every eighth element.
#[inline(always)]
fn widen_f16(bits: u16) -> f32 {
    /// 2¹¹², the difference of the exponents' biases. The product also normalizes
    /// subnormal numbers.
    const REBIAS: f32 = f32::from_bits(0x7780_0000);
    const INFINITY: u32 = 0x7f80_0000;
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let special = if magnitude >= 0x0f80_0000 { INFINITY } else { 0 };
    let sign = u32::from(bits & 0x8000) << 16;
    f32::from_bits((f32::from_bits(magnitude) * REBIAS).to_bits() | special | sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_float_widens_exactly() {
        let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
        let mut wide = vec![0.0; halves.len()];
        Floats::F16(&halves).widen(0, &mut wide);
        for (half, wide) in halves.iter().zip(&wide) {
            let expected = half.to_f32();
            assert!(expected.is_nan() && wide.is_nan() || expected.to_bits() == wide.to_bits());
        }
        let brains: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).collect();
        Floats::BF16(&brains).widen(0, &mut wide);
        for (brain, wide) in brains.iter().zip(&wide) {
            assert!(brain.is_nan() && wide.is_nan() || brain.to_f32() == *wide);
        }
    }
}

//! PyTorch's CPU generator, bit for bit.
//!
//! Whoever shares an image shares its seed, and expects that seed to give the same
//! noise here. So this follows what PyTorch does with the Mersenne Twister's
//! words, including where it computes in `f32` and where in `f64`, and that it
//! draws normals in two different ways, by how many are asked for.

use std::f64::consts::PI;

/// Words of the Mersenne Twister's state (Matsumoto & Nishimura 1998, MT19937).
const WORDS: usize = 624;

/// Distance of the words that are mixed.
const SHIFT: usize = 397;

/// From so many normals on, PyTorch makes them in blocks of this many.
const BLOCK: usize = 16;

/// A source of noise. The same seed gives the same sequence as `torch.manual_seed`.
#[derive(Debug, Clone)]
pub struct Generator {
    state: [u32; WORDS],
    next: usize,
    /// The second of a pair of normals, for the next call that wants few.
    spare: Option<f64>,
}

impl Generator {
    /// A generator as `torch.manual_seed(seed)` leaves it: 32 bits of the seed count.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let mut state = [0; WORDS];
        // The lowest 32 bits, as PyTorch takes them.
        let mut word = (seed & 0xffff_ffff) as u32;
        for (i, slot) in (0u32..).zip(state.iter_mut()) {
            if i > 0 {
                word = 1_812_433_253_u32.wrapping_mul(word ^ (word >> 30)).wrapping_add(i);
            }
            *slot = word;
        }
        Self { state, next: WORDS, spare: None }
    }

    fn refill(&mut self) {
        for i in 0..WORDS {
            let at = |i: usize| self.state.get(i % WORDS).copied().unwrap_or_default();
            let joined = (at(i) & 0x8000_0000) | (at(i + 1) & 0x7fff_ffff);
            let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            let word = at(i + SHIFT) ^ (joined >> 1) ^ twist;
            if let Some(slot) = self.state.get_mut(i) {
                *slot = word;
            }
        }
        self.next = 0;
    }

    fn word(&mut self) -> u32 {
        if self.next >= WORDS {
            self.refill();
        }
        let mut word = self.state.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// A uniform in [0, 1) of 24 bits.
    fn uniform(&mut self) -> f32 {
        (self.word() & 0xff_ffff) as f32 / 16_777_216.0
    }

    /// A uniform in [0, 1) of 53 bits.
    fn uniform_f64(&mut self) -> f64 {
        let high = u64::from(self.word());
        let bits = high << 32 | u64::from(self.word());
        (bits & ((1 << 53) - 1)) as f64 / 9_007_199_254_740_992.0
    }

    /// As `torch.rand`.
    pub(crate) fn uniforms(&mut self, out: &mut [f32]) {
        for out in out {
            *out = self.uniform();
        }
    }

    /// As `torch.randn`.
    pub(crate) fn normals(&mut self, out: &mut [f32]) {
        if out.len() < BLOCK {
            for out in out {
                *out = self.normal() as f32;
            }
            return;
        }
        self.uniforms(out);
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        for block in blocks {
            transform(block);
        }
        // What does not fill a block is drawn anew together with what is before it.
        if !rest.is_empty()
            && let Some(last) = out.last_chunk_mut::<BLOCK>()
        {
            self.uniforms(last);
            transform(last);
        }
    }

    /// One normal, by the polar form of a pair (Box & Muller 1958).
    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let angle = 2.0 * PI * self.uniform_f64();
        let radius = (-2.0 * (-self.uniform_f64()).ln_1p()).sqrt();
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }
}

/// Makes 16 uniforms normals: the first half gives the radii, the second the angles.
/// Each step rounds to `f32`, as PyTorch's vector instructions do.
fn transform(block: &mut [f32; BLOCK]) {
    let (radii, angles) = block.split_at_mut(BLOCK / 2);
    for (first, second) in radii.iter_mut().zip(angles) {
        let log = f64::from(1.0 - *first).ln() as f32;
        let radius = (-2.0 * log).sqrt();
        let angle = f64::from(2.0 * std::f32::consts::PI * *second);
        *first = radius * angle.cos() as f32;
        *second = radius * angle.sin() as f32;
    }
}

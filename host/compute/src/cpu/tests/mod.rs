//! The kernels against references in `f64` that are written as the definitions are.
//!
//! A reference gives for each output the exact value and the sum of the magnitudes of
//! its terms; the bound on a kernel's error is stated as a multiple of 2⁻²⁴ times that.

mod attention;
mod conv;
mod gemm;
mod meter;
mod norm;
mod pointwise;
mod resize;

use std::cell::Cell;

use half::{bf16, f16};
use pulp::Arch;

use super::Floats;

/// An exact output, and the sum of the magnitudes of the terms that it is the sum of.
#[derive(Debug, Clone, Copy, Default)]
struct Exact {
    value: f64,
    magnitude: f64,
}

impl Exact {
    fn add(&mut self, term: f64) {
        self.value += term;
        self.magnitude += term.abs();
    }
}

/// Numbers between −1 and 1, the same at each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea & Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn floats(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| (self.next() >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
    }
}

/// Weights in one of the dtypes, and their exact values.
enum Stored {
    F32(Vec<f32>),
    F16(Vec<f16>),
    BF16(Vec<bf16>),
}

impl Stored {
    fn new(values: Vec<f32>, kind: usize) -> Self {
        match kind % 3 {
            0 => Self::F32(values),
            1 => Self::F16(values.into_iter().map(f16::from_f32).collect()),
            _ => Self::BF16(values.into_iter().map(bf16::from_f32).collect()),
        }
    }

    fn floats(&self) -> Floats<'_> {
        match self {
            Self::F32(values) => Floats::F32(values),
            Self::F16(values) => Floats::F16(values),
            Self::BF16(values) => Floats::BF16(values),
        }
    }

    fn at(&self, index: usize) -> f64 {
        match self {
            Self::F32(values) => f64::from(values[index]),
            Self::F16(values) => values[index].to_f64(),
            Self::BF16(values) => values[index].to_f64(),
        }
    }
}

/// Fails unless every output is within `units`·2⁻²⁴·magnitude of the exact one.
#[track_caller]
fn assert_close(got: &[f32], exact: &[Exact], units: f64, what: &str) {
    assert_eq!(got.len(), exact.len(), "{what}");
    for (index, (&got, exact)) in got.iter().zip(exact).enumerate() {
        let bound = units * 2f64.powi(-24) * exact.magnitude + f64::from(f32::MIN_POSITIVE);
        let error = (f64::from(got) - exact.value).abs();
        assert!(
            error <= bound,
            "{what}: element {index} is {got}, not {}: {error} > {bound}",
            exact.value
        );
    }
}

thread_local! {
    static ARCH: Cell<Option<Arch>> = const { Cell::new(None) };
}

/// The instruction set that this thread's test chose, or the best one.
pub(super) fn arch() -> Arch {
    ARCH.get().unwrap_or_default()
}

/// The instruction sets that this CPU has beside its best one.
fn narrower() -> Vec<Arch> {
    let mut all = vec![Arch::Scalar];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(Arch::V3));
    all
}

/// What a kernel writes on a pool of `threads` threads, into an output of NaN.
fn run(threads: usize, arch: Arch, len: usize, kernel: impl Fn(&mut [f32]) + Sync) -> Vec<f32> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .start_handler(move |_| ARCH.set(Some(arch)))
        .build()
        .unwrap();
    let mut out = vec![f32::NAN; len];
    pool.install(|| kernel(&mut out));
    out
}

/// What a kernel writes; the same bits on 1, 2 and 3 threads, and nearly the same numbers
/// with every instruction set.
#[track_caller]
fn deterministic(len: usize, kernel: impl Fn(&mut [f32]) + Sync) -> Vec<f32> {
    let bits = |out: &[f32]| out.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let one = run(1, Arch::new(), len, &kernel);
    for threads in [2, 3] {
        let many = run(threads, Arch::new(), len, &kernel);
        assert!(bits(&one) == bits(&many), "{threads} threads change a bit");
    }
    for arch in narrower() {
        let other = run(2, arch, len, &kernel);
        for (index, (one, other)) in one.iter().zip(&other).enumerate() {
            let bound = 1e-4 + 1e-4 * one.abs();
            assert!((one - other).abs() <= bound, "{arch:?} gives {other}, not {one} at {index}");
        }
    }
    one
}

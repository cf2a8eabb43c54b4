//! The CPU device's kernels: plain functions over slices.
//!
//! They know nothing of tensors, leases or limits, so each can be read, tested and
//! measured alone. Activations are `f32`. Weights stay as they are stored and are
//! widened tile by tile, because a second copy of a large weight would cost more
//! memory than the network's activations.
//!
//! Three rules hold for all of them:
//! - A kernel writes every element of its output.
//! - Work is divided between threads by output, never along a sum, and sums run over
//!   a fixed number of lanes. So the bits do not depend on the number of threads.
//! - What a kernel allocates is bounded by its `workspace`, which depends on shapes
//!   and on the number of threads alone. A kernel without one allocates nothing.
//!
//! The build targets the architecture's baseline; [`vectorized`] compiles a kernel for
//! the wider instruction sets too and chooses when it runs.

pub(crate) mod attention;
pub(crate) mod conv;
pub(crate) mod elementwise;
mod floats;
pub(crate) mod gemm;
pub(crate) mod interpolate;
pub(crate) mod map;
mod math;
pub(crate) mod norm;
pub(crate) mod parallel;
mod reduce;
pub(crate) mod softmax;
mod tile;

#[cfg(test)]
mod tests;

pub(crate) use floats::Floats;
pub(crate) use parallel::cancellable;

/// A kernel that is compiled for wider vectors. Its data are fields and its function is a
/// method, because only a method can be marked to be inlined always (a closure or a
/// function argument cannot), and what is not inlined is not vectorized.
trait Kernel {
    /// Marked `#[inline(always)]`, and so is everything of weight that it calls.
    fn run(self);
}

/// Runs a kernel compiled for the widest vectors that this CPU has.
#[inline(always)]
fn vectorized(kernel: impl Kernel) {
    struct Run<K>(K);

    impl<K: Kernel> pulp::NullaryFnOnce for Run<K> {
        type Output = ();

        #[inline(always)]
        fn call(self) {
            self.0.run();
        }
    }

    arch().dispatch(Run(kernel));
}

/// The instruction set that kernels run with.
#[cfg(not(test))]
#[inline(always)]
fn arch() -> pulp::Arch {
    pulp::Arch::new()
}

/// Tests also run the kernels as narrower CPUs do.
#[cfg(test)]
use tests::arch;

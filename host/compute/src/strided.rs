//! Walks over tensors that are not contiguous: what broadcasting, permuting,
//! slicing and flipping have in common.
//!
//! A [`Nest`] is a loop nest over one shape with steps for several operands. It
//! merges dimensions that all operands pass in one stride, so that most walks of
//! networks become one or two loops with a long inner one.
#![expect(
    clippy::indexing_slicing,
    reason = "offsets are sums of steps within shapes that were checked against their buffers"
)]

use bytemuck::Pod;
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::shape::{MAX_RANK, Strides, strides};

/// Bytes of output from which a copy is worth a second thread.
const PARALLEL_BYTES: usize = 1 << 20;

/// Edge of the square tiles in which transpositions are copied: two tiles of the
/// widest elements fit the first cache beside each other.
const TILE: usize = 16;

/// One loop: how often, and how far each operand steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Loop<const N: usize> {
    pub(crate) count: usize,
    pub(crate) steps: [isize; N],
}

/// Loops over a shape, the innermost apart.
#[derive(Debug, Clone)]
pub(crate) struct Nest<const N: usize> {
    outer: SmallVec<[Loop<N>; MAX_RANK]>,
    inner: Loop<N>,
}

impl<const N: usize> Nest<N> {
    /// Loops over `shape`; operand n steps by `steps[n]`.
    pub(crate) fn new(shape: &[usize], steps: [&[isize]; N]) -> Self {
        let mut loops: SmallVec<[Loop<N>; MAX_RANK]> = SmallVec::new();
        for (axis, &count) in shape.iter().enumerate() {
            if count == 1 {
                continue;
            }
            let steps = steps.map(|steps| steps[axis]);
            match loops.last_mut() {
                Some(last) if (0..N).all(|n| last.steps[n] == steps[n] * count.cast_signed()) => {
                    *last = Loop { count: last.count * count, steps };
                }
                _ => loops.push(Loop { count, steps }),
            }
        }
        let inner = loops.pop().unwrap_or(Loop { count: 1, steps: [0; N] });
        Self { outer: loops, inner }
    }

    /// The innermost loop.
    pub(crate) fn inner(&self) -> Loop<N> {
        self.inner
    }

    /// Calls `row` with each operand's offset, once for each run of the innermost loop.
    pub(crate) fn rows(&self, starts: [isize; N], mut row: impl FnMut([isize; N])) {
        walk(&self.outer, starts, &mut row);
    }
}

fn walk<const N: usize>(
    loops: &[Loop<N>],
    mut offsets: [isize; N],
    row: &mut impl FnMut([isize; N]),
) {
    let Some((first, rest)) = loops.split_first() else { return row(offsets) };
    for _ in 0..first.count {
        walk(rest, offsets, row);
        for (offset, step) in offsets.iter_mut().zip(first.steps) {
            *offset += step;
        }
    }
}

/// Whether these steps walk a shape without gaps, from front to back.
pub(crate) fn is_contiguous(shape: &[usize], steps: &[isize]) -> bool {
    let nest = Nest::new(shape, [steps]);
    nest.outer.is_empty() && (nest.inner.count == 1 || nest.inner.steps == [1])
}

/// Copies elements of `from`, found by `steps` from `start` on, to `out` one after another.
pub(crate) fn copy<T: Pod + Send + Sync>(
    from: &[T],
    start: isize,
    shape: &[usize],
    steps: &[isize],
    out: &mut [T],
) {
    let to = strides(shape);
    let nest = Nest::new(shape, [steps, &to]);
    let mut loops = nest.outer;
    loops.push(nest.inner);
    let threads = rayon::current_num_threads();
    match loops.first_mut() {
        Some(first)
            if size_of_val(out) >= PARALLEL_BYTES && threads > 1 && first.count >= threads =>
        {
            let (part, whole) = (first.count.div_ceil(threads), *first);
            let elements = out.len() / whole.count;
            out.par_chunks_mut(part * elements).enumerate().for_each(|(index, out)| {
                let mut loops = loops.clone();
                loops[0].count = out.len() / elements;
                let start = start + (index * part).cast_signed() * whole.steps[0];
                copy_loops(from, start, &loops, out);
            });
        }
        _ => copy_loops(from, start, &loops, out),
    }
}

fn copy_loops<T: Pod>(from: &[T], start: isize, loops: &[Loop<2>], out: &mut [T]) {
    let Some((&inner, outer)) = loops.split_last() else { return };
    let count = inner.count;
    match inner.steps[0] {
        1 => match count {
            // Rows of heads: short, and of a length that is known when they are copied.
            8 => copy_rows::<T, 8>(from, start, outer, out),
            16 => copy_rows::<T, 16>(from, start, outer, out),
            32 => copy_rows::<T, 32>(from, start, outer, out),
            _ => walk(outer, [start, 0], &mut |[read, write]| {
                let (read, write) = (read.cast_unsigned(), write.cast_unsigned());
                out[write..write + count].copy_from_slice(&from[read..read + count]);
            }),
        },
        0 => walk(outer, [start, 0], &mut |[read, write]| {
            let write = write.cast_unsigned();
            out[write..write + count].fill(from[read.cast_unsigned()]);
        }),
        step => {
            let across = outer.iter().position(|outer| outer.steps[0] == 1);
            let Some(across) = across else {
                return walk(outer, [start, 0], &mut |[read, write]| {
                    let write = write.cast_unsigned();
                    let mut read = read;
                    for out in &mut out[write..write + count] {
                        *out = from[read.cast_unsigned()];
                        read += step;
                    }
                });
            };
            let mut outer: SmallVec<[Loop<2>; MAX_RANK]> = outer.into();
            let across = outer.remove(across);
            walk(&outer, [start, 0], &mut |[read, write]| {
                transpose(from, read, step, count, out, write.cast_unsigned(), across);
            });
        }
    }
}

fn copy_rows<T: Pod, const COUNT: usize>(
    from: &[T],
    start: isize,
    outer: &[Loop<2>],
    out: &mut [T],
) {
    walk(outer, [start, 0], &mut |[read, write]| {
        let (read, write) = (read.cast_unsigned(), write.cast_unsigned());
        out[write..write + COUNT].copy_from_slice(&from[read..read + COUNT]);
    });
}

/// Copies a matrix whose rows in `out` are columns in `from`, tile by tile: each
/// cache line of either is touched once for all of its elements.
fn transpose<T: Pod>(
    from: &[T],
    read: isize,
    step: isize,
    width: usize,
    out: &mut [T],
    write: usize,
    across: Loop<2>,
) {
    let pitch = across.steps[1].cast_unsigned();
    for top in (0..across.count).step_by(TILE) {
        let height = (across.count - top).min(TILE);
        for left in (0..width).step_by(TILE) {
            let width = (width - left).min(TILE);
            let mut tile = [[T::zeroed(); TILE]; TILE];
            let mut at = read + top.cast_signed() + left.cast_signed() * step;
            for column in &mut tile[..width] {
                let at_element = at.cast_unsigned();
                // A length that is known makes the usual copy a few instructions.
                if height == TILE {
                    column.copy_from_slice(&from[at_element..at_element + TILE]);
                } else {
                    column[..height].copy_from_slice(&from[at_element..at_element + height]);
                }
                at += step;
            }
            for y in 0..height {
                let row = write + (top + y) * pitch + left;
                for (out, column) in out[row..row + width].iter_mut().zip(&tile) {
                    *out = column[y];
                }
            }
        }
    }
}

/// Applies a function to pairs of elements, found by their steps over `shape`.
pub(crate) fn pairs<A: Copy, B>(
    shape: &[usize],
    (a, a_steps): (&[A], &Strides),
    (b, b_steps): (&[A], &Strides),
    out: &mut [B],
    function: impl Fn(A, A) -> B,
) {
    let nest = Nest::new(shape, [a_steps.as_slice(), b_steps.as_slice()]);
    let Loop { count, steps } = nest.inner();
    let mut rows = out.chunks_exact_mut(count);
    nest.rows([0, 0], |[at, bt]| {
        let (at, bt) = (at.cast_unsigned(), bt.cast_unsigned());
        let Some(out) = rows.next() else { return };
        match steps {
            [1, 1] => {
                for ((out, &a), &b) in
                    out.iter_mut().zip(&a[at..at + count]).zip(&b[bt..bt + count])
                {
                    *out = function(a, b);
                }
            }
            [1, 0] => {
                let b = b[bt];
                for (out, &a) in out.iter_mut().zip(&a[at..at + count]) {
                    *out = function(a, b);
                }
            }
            [0, 1] => {
                let a = a[at];
                for (out, &b) in out.iter_mut().zip(&b[bt..bt + count]) {
                    *out = function(a, b);
                }
            }
            [a_step, b_step] => {
                let (a_step, b_step) = (a_step.cast_unsigned(), b_step.cast_unsigned());
                for (i, out) in out.iter_mut().enumerate() {
                    *out = function(a[at + i * a_step], b[bt + i * b_step]);
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dimensions_that_are_passed_in_one_stride_become_one_loop() {
        let whole = Nest::new(&[2, 3, 4], [&[12, 4, 1]]);
        assert_eq!((whole.outer.len(), whole.inner), (0, Loop { count: 24, steps: [1] }));
        let bias = Nest::new(&[2, 3, 4, 5], [&[60, 20, 5, 1], &[0, 1, 0, 0]]);
        assert_eq!(bias.outer.len(), 2);
        assert_eq!(bias.inner, Loop { count: 20, steps: [1, 0] });
        assert!(is_contiguous(&[1, 3, 1], &[0, 1, 7]));
        assert!(!is_contiguous(&[3, 2], &[1, 3]));
    }

    proptest! {
        #[test]
        fn a_copy_takes_each_element_from_where_its_steps_lead(
            dims in proptest::collection::vec(1usize..20, 0..5),
            seed in 0usize..1000,
        ) {
            // A permutation of the dimensions, some backwards, some repeated.
            let steps = strides(&dims);
            let mut order: Vec<usize> = (0..dims.len()).collect();
            if !order.is_empty() {
                order.rotate_left(seed % dims.len());
            }
            let shape: Vec<usize> = order.iter().map(|&i| dims[i]).collect();
            let mut start = 0;
            let permuted: Vec<isize> = order.iter().map(|&i| match (seed >> i) % 3 {
                0 => 0,
                1 => { start += steps[i] * (dims[i] as isize - 1); -steps[i] }
                _ => steps[i],
            }).collect();
            let from: Vec<u32> = (0..dims.iter().product::<usize>() as u32).collect();
            let mut out = vec![u32::MAX; from.len()];
            copy(&from, start, &shape, &permuted, &mut out);
            for (i, &got) in out.iter().enumerate() {
                let (mut rest, mut at) = (i, start);
                for (axis, &dim) in shape.iter().enumerate().rev() {
                    at += (rest % dim) as isize * permuted[axis];
                    rest /= dim;
                }
                prop_assert_eq!(got as isize, at);
            }
        }
    }

    #[test]
    fn large_copies_are_the_same_in_parts() {
        let from: Vec<u32> = (0..1 << 20).collect();
        let mut out = vec![0; from.len()];
        copy(&from, 0, &[64, 128, 128], &[1, 64 * 128, 64], &mut out);
        for (i, &got) in out.iter().enumerate() {
            let (a, b, c) = (i / 16384, i / 128 % 128, i % 128);
            assert_eq!(got as usize, a + b * 8192 + c * 64);
        }
    }
}

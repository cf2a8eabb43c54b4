//! The product of matrices, tile by tile, that convolution, linear layers and
//! attention share.
//!
//! The right operand is packed: [`DEPTH`] × [`COLUMNS`] of it stay in the second-level
//! cache, in panels of [`WIDTH`] columns. A few rows of the left operand stand in the
//! first-level cache, and their products with a panel in registers. What the operands
//! are before they are packed (patches of an image, half floats, keys) is the
//! implementation of [`Product`], so no operand is ever widened or unfolded whole.
//!
//! Every element is one chain of fused multiply-adds per block of depth, whatever
//! tile it falls into: tiles may be cut anywhere without changing a bit.

#![expect(
    clippy::indexing_slicing,
    clippy::manual_memcpy,
    reason = "indices come from the lengths of the same arrays, and a copy of registers would keep them in memory"
)]

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use pulp::Simd;

/// Columns of a panel: two vectors of AVX-512, four of AVX2.
pub(super) const WIDTH: usize = 32;

/// The longest sum between two visits of the output. [`ROWS`] rows of it take 18 KiB, which
/// leaves room in a first-level cache of 32 KiB for the panel that streams through it.
pub(super) const DEPTH: usize = 384;

/// Columns that a task packs at once: with [`DEPTH`], 384 KiB.
pub(super) const COLUMNS: usize = 256;

/// Rows of the left operand that are prepared together.
pub(super) const ROWS: usize = 12;

/// One row of a panel. Aligned to cache lines: a load that crosses two costs double.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(128))]
pub(super) struct Line(pub [f32; WIDTH]);

/// One row of the left operand's current block.
pub(super) type Row = [f32; DEPTH];

/// The lines that `columns` columns of a block of depth `depth` take.
pub(super) fn lines(columns: usize, depth: usize) -> usize {
    columns.div_ceil(WIDTH) * block(depth)
}

/// The depth of the blocks that a sum of `depth` products is cut into: as equal as
/// possible, because a short block costs as many visits of the output as a long one.
pub(super) fn block(depth: usize) -> usize {
    depth.div_ceil(depth.div_ceil(DEPTH).max(1))
}

/// A matrix product, out[row][column] = Σ left[row][p] · right[p][column].
pub(super) trait Product {
    /// The number of products in the sum.
    fn depth(&self) -> usize;

    /// Columns `start..start + into.len()` of a row of the left operand.
    fn left(&self, row: usize, start: usize, into: &mut [f32]);

    /// Rows `start..start + depth` of the right operand: line p of panel q, with columns
    /// q·[`WIDTH`].., is `lines[q * depth + p]`. What lies beyond the last column is ignored.
    fn pack(&mut self, start: usize, depth: usize, lines: &mut [Line]);

    /// Takes the sums of a part of a row: the `first` of a sum's blocks, or what is to be
    /// added to what is there.
    fn store(&mut self, row: usize, column: usize, sums: &[f32], first: bool);
}

/// Takes the products of a tile.
pub(super) trait Sink {
    /// The sums of a part of a row.
    fn take(&mut self, row: usize, column: usize, sums: &[f32]);
}

/// Computes `rows` and all `columns` of a product.
#[inline(always)]
pub(super) fn compute<S: Simd, P: Product>(
    simd: S,
    product: &mut P,
    rows: Range<usize>,
    columns: usize,
    lines: &mut [Line],
) {
    let mut tile = [[0.0; DEPTH]; ROWS];
    let whole = product.depth();
    let mut start = 0;
    loop {
        let depth = block(whole).min(whole - start);
        let lines = &mut lines[..columns.div_ceil(WIDTH) * depth];
        product.pack(start, depth, lines);
        for top in rows.clone().step_by(ROWS) {
            let count = ROWS.min(rows.end - top);
            for (row, into) in tile[..count].iter_mut().enumerate() {
                product.left(top + row, start, &mut into[..depth]);
            }
            let mut sink = Stored { product, top, first: start == 0 };
            multiply(simd, &tile[..count], depth, lines, columns, &mut sink);
        }
        start += depth;
        if start >= whole {
            break;
        }
    }
}

/// Gives sums to a product's `store`. A closure in its place would not be inlined, and so
/// not be vectorized.
struct Stored<'a, P> {
    product: &'a mut P,
    top: usize,
    first: bool,
}

impl<P: Product> Sink for Stored<'_, P> {
    #[inline(always)]
    fn take(&mut self, row: usize, column: usize, sums: &[f32]) {
        self.product.store(self.top + row, column, sums, self.first);
    }
}

/// The product of `rows` with packed panels, given to `sink` in parts of rows.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    rows: &[Row],
    depth: usize,
    lines: &[Line],
    columns: usize,
    sink: &mut impl Sink,
) {
    let mut sums = [Line([0.0; WIDTH]); ROWS];
    let mut top = 0;
    while top < rows.len() {
        let rest = &rows[top..];
        let count = tile_rows::<S>(rest.len());
        for panel in 0..columns.div_ceil(WIDTH) {
            let lines = &lines[panel * depth..][..depth];
            let left = panel * WIDTH;
            let width = WIDTH.min(columns - left);
            match count {
                12 => panel_sums::<S, 12>(simd, rest, lines, width, &mut sums),
                8 => panel_sums::<S, 8>(simd, rest, lines, width, &mut sums),
                6 => panel_sums::<S, 6>(simd, rest, lines, width, &mut sums),
                4 => panel_sums::<S, 4>(simd, rest, lines, width, &mut sums),
                2 => panel_sums::<S, 2>(simd, rest, lines, width, &mut sums),
                _ => panel_sums::<S, 1>(simd, rest, lines, width, &mut sums),
            }
            for (row, sums) in sums[..count].iter().enumerate() {
                sink.take(top + row, left, &sums.0[..width]);
            }
        }
        top += count;
    }
}

/// The rows of the next tile: as many as the registers hold sums for.
#[inline(always)]
fn tile_rows<S: Simd>(left: usize) -> usize {
    let sizes: &[usize] = if S::REGISTER_COUNT >= 32 { &[12, 8, 4, 2] } else { &[6, 4, 2] };
    sizes.iter().copied().find(|&size| size <= left).unwrap_or(1)
}

/// `M` rows times a panel, of which `width` columns are wanted.
#[inline(always)]
fn panel_sums<S: Simd, const M: usize>(
    simd: S,
    rows: &[Row],
    lines: &[Line],
    width: usize,
    into: &mut [Line; ROWS],
) {
    let Some(rows) = rows.first_chunk::<M>() else { return };
    let mut offset = 0;
    while offset < width {
        if width - offset > S::F32_LANES {
            tile_sums::<S, M, 2>(simd, rows, lines, offset, into);
            offset += 2 * S::F32_LANES;
        } else {
            tile_sums::<S, M, 1>(simd, rows, lines, offset, into);
            offset += S::F32_LANES;
        }
    }
}

/// The sums of `M` rows and `V` vectors of columns, all in registers.
#[inline(always)]
fn tile_sums<S: Simd, const M: usize, const V: usize>(
    simd: S,
    rows: &[Row; M],
    lines: &[Line],
    offset: usize,
    into: &mut [Line; ROWS],
) {
    let mut sums = [[simd.splat_f32s(0.0); V]; M];
    for p in 0..lines.len().min(DEPTH) {
        let (line, _) = S::as_simd_f32s(&lines[p].0[offset..][..V * S::F32_LANES]);
        let right: [S::f32s; V] = std::array::from_fn(|v| line[v]);
        for m in 0..M {
            let left = simd.splat_f32s(rows[m][p]);
            for v in 0..V {
                sums[m][v] = simd.mul_add_f32s(left, right[v], sums[m][v]);
            }
        }
    }
    // By value: a reference to the sums would make the compiler keep them in memory.
    for m in 0..M {
        let (line, _) = S::as_mut_simd_f32s(&mut into[m].0[offset..][..V * S::F32_LANES]);
        for v in 0..V {
            line[v] = sums[m][v];
        }
    }
}

/// out = sums + bias, as parts of rows come: mostly of a panel's width, for which the
/// compiler knows the length.
#[inline(always)]
pub(super) fn set(out: &mut [f32], sums: &[f32], bias: f32) {
    if let (Some(out), Some(sums)) = (out.as_mut_array::<WIDTH>(), sums.as_array::<WIDTH>()) {
        *out = std::array::from_fn(|index| sums[index] + bias);
    } else {
        for (out, &sum) in out.iter_mut().zip(sums) {
            *out = sum + bias;
        }
    }
}

/// out += sums.
#[inline(always)]
pub(super) fn add(out: &mut [f32], sums: &[f32]) {
    if let (Some(out), Some(sums)) = (out.as_mut_array::<WIDTH>(), sums.as_array::<WIDTH>()) {
        *out = std::array::from_fn(|index| out[index] + sums[index]);
    } else {
        for (out, &sum) in out.iter_mut().zip(sums) {
            *out += sum;
        }
    }
}

/// Columns that are packed together where the right operand is stored by columns.
pub(super) const BAND: usize = 8;

/// Makes the rows of a band columns `left..` of a panel, in squares that the compiler
/// transposes in registers. `left` is a multiple of [`BAND`].
#[inline(always)]
pub(super) fn transpose(band: &[Row; BAND], lines: &mut [Line], left: usize) {
    let (squares, rest) = lines.as_chunks_mut::<BAND>();
    let tail = squares.len() * BAND;
    for (index, square) in squares.iter_mut().enumerate() {
        let rows: [[f32; BAND]; BAND] =
            std::array::from_fn(|row| std::array::from_fn(|p| band[row][index * BAND + p]));
        let columns: [[f32; BAND]; BAND] =
            std::array::from_fn(|p| std::array::from_fn(|row| rows[row][p]));
        for (line, column) in square.iter_mut().zip(&columns) {
            line.0[left..left + BAND].copy_from_slice(column);
        }
    }
    for (p, line) in (tail..).zip(rest) {
        for (into, row) in line.0[left..].iter_mut().zip(band) {
            *into = row[p];
        }
    }
}

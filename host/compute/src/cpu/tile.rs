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

#![expect(clippy::indexing_slicing, reason = "indices come from the lengths of the same arrays")]

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use pulp::Simd;

/// Columns of a panel: two vectors of AVX-512, four of AVX2.
pub(super) const WIDTH: usize = 32;

/// The longest sum between two visits of the output. A panel is then 24 KiB, which
/// leaves room for rows in a first-level cache of 32 KiB.
pub(super) const DEPTH: usize = 192;

/// Columns that a task packs at once: with [`DEPTH`], 192 KiB.
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

/// Computes `rows` and all `columns` of a product.
#[inline(always)]
pub(super) fn compute<S: Simd>(
    simd: S,
    product: &mut impl Product,
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
            multiply(simd, &tile[..count], depth, lines, columns, |row, column, sums| {
                product.store(top + row, column, sums, start == 0);
            });
        }
        start += depth;
        if start >= whole {
            break;
        }
    }
}

/// The product of `rows` with packed panels, given to `store` in parts of rows.
#[inline(always)]
pub(super) fn multiply<S: Simd>(
    simd: S,
    rows: &[Row],
    depth: usize,
    lines: &[Line],
    columns: usize,
    mut store: impl FnMut(usize, usize, &[f32]),
) {
    // As many rows as the registers hold sums for.
    let wide = S::REGISTER_COUNT >= 32;
    let mut top = 0;
    while top < rows.len() {
        let rest = &rows[top..];
        let mut store = |row, column, sums: &[f32]| store(top + row, column, sums);
        if wide && let Some(tile) = rest.first_chunk::<12>() {
            across(simd, tile, depth, lines, columns, &mut store);
            top += 12;
        } else if wide && let Some(tile) = rest.first_chunk::<8>() {
            across(simd, tile, depth, lines, columns, &mut store);
            top += 8;
        } else if !wide && let Some(tile) = rest.first_chunk::<6>() {
            across(simd, tile, depth, lines, columns, &mut store);
            top += 6;
        } else if let Some(tile) = rest.first_chunk::<4>() {
            across(simd, tile, depth, lines, columns, &mut store);
            top += 4;
        } else if let Some(tile) = rest.first_chunk::<2>() {
            across(simd, tile, depth, lines, columns, &mut store);
            top += 2;
        } else if let Some(tile) = rest.first_chunk::<1>() {
            across(simd, tile, depth, lines, columns, &mut store);
            top += 1;
        }
    }
}

/// `M` rows times every panel.
#[inline(always)]
fn across<S: Simd, const M: usize>(
    simd: S,
    rows: &[Row; M],
    depth: usize,
    lines: &[Line],
    columns: usize,
    store: &mut impl FnMut(usize, usize, &[f32]),
) {
    for panel in 0..columns.div_ceil(WIDTH) {
        let lines = &lines[panel * depth..][..depth];
        let left = panel * WIDTH;
        let width = WIDTH.min(columns - left);
        let mut offset = 0;
        while offset < width {
            if width - offset > S::F32_LANES {
                let sums = sums::<S, M, 2>(simd, rows, lines, offset);
                let count = (2 * S::F32_LANES).min(width - offset);
                for (row, sums) in sums.iter().enumerate() {
                    store(row, left + offset, &bytemuck::cast_slice(sums)[..count]);
                }
                offset += count;
            } else {
                let sums = sums::<S, M, 1>(simd, rows, lines, offset);
                let count = width - offset;
                for (row, sums) in sums.iter().enumerate() {
                    store(row, left + offset, &bytemuck::cast_slice(sums)[..count]);
                }
                offset += count;
            }
        }
    }
}

/// The sums of `M` rows and `V` vectors of columns, all in registers.
#[inline(always)]
fn sums<S: Simd, const M: usize, const V: usize>(
    simd: S,
    rows: &[Row; M],
    lines: &[Line],
    offset: usize,
) -> [[S::f32s; V]; M] {
    let mut sums = [[simd.splat_f32s(0.0); V]; M];
    for p in 0..lines.len().min(DEPTH) {
        let (line, _) = S::as_simd_f32s(&lines[p].0[offset..][..V * S::F32_LANES]);
        for (row, sums) in rows.iter().zip(&mut sums) {
            let left = simd.splat_f32s(row[p]);
            for v in 0..V {
                sums[v] = simd.mul_add_f32s(left, line[v], sums[v]);
            }
        }
    }
    sums
}

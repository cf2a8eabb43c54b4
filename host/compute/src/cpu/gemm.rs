//! Matrix products: linear layers and `matmul`.

#![expect(clippy::indexing_slicing, reason = "the caller checked the lengths against the shape")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::parallel::{Output, for_each_task, part, tasks_wanted, workers};
use super::tile::{self, BAND, COLUMNS, DEPTH, Line, Product, ROWS, WIDTH};
use super::{Floats, arch};

/// Up to this many rows a linear layer reads its weight in order, without packing it:
/// the time is that of reading the weight.
const FEW_ROWS: usize = 8;

/// How an output is cut into tasks.
#[derive(Clone, Copy)]
struct Grid {
    row_parts: usize,
    column_parts: usize,
    columns: usize,
    depth: usize,
    tasks: usize,
    cost: u64,
}

impl Grid {
    fn new(products: usize, rows: usize, depth: usize, columns: usize) -> Self {
        let cost = (products as u64)
            .saturating_mul(rows as u64)
            .saturating_mul(columns as u64)
            .saturating_mul(depth as u64)
            / 40;
        let column_parts = columns.div_ceil(COLUMNS).max(1);
        let wanted = tasks_wanted(cost);
        let row_parts = wanted
            .div_ceil((column_parts * products).max(1))
            .clamp(1, rows.div_ceil(8 * ROWS).max(1));
        let columns = columns.div_ceil(column_parts).next_multiple_of(WIDTH);
        Self {
            row_parts,
            column_parts,
            columns,
            depth,
            tasks: products * row_parts * column_parts,
            cost,
        }
    }

    fn lines(self) -> usize {
        tile::lines(self.columns, self.depth)
    }

    fn workspace(self) -> u64 {
        (workers(self.tasks, self.cost) * self.lines() * size_of::<Line>()) as u64
    }

    /// The product, the rows and the columns of a task.
    fn task(self, task: usize, rows: usize, columns: usize) -> (usize, Range<usize>, Range<usize>) {
        let column_part = task % self.column_parts;
        let row_part = task / self.column_parts % self.row_parts;
        let (top, bottom) = part(rows, self.row_parts, row_part);
        let left = (column_part * self.columns).min(columns);
        let right = (left + self.columns).min(columns);
        (task / self.column_parts / self.row_parts, top..bottom, left..right)
    }

    fn run(self, work: impl Fn(&mut [Line], usize) + Sync) {
        let workspace = || vec![Line([0.0; WIDTH]); self.lines()];
        for_each_task(self.tasks, self.cost, workspace, |lines, task| work(lines, task));
    }
}

/// The most bytes that [`linear`] allocates.
pub(crate) fn linear_workspace(rows: usize, width: usize, out_width: usize) -> u64 {
    if rows <= FEW_ROWS { 0 } else { Grid::new(1, rows, width, out_width).workspace() }
}

/// x [rows, width] · weightᵀ [width, out_width] + bias.
pub(crate) fn linear(
    x: &[f32],
    rows: usize,
    width: usize,
    weight: Floats<'_>,
    bias: Option<Floats<'_>>,
    out_width: usize,
    out: &mut [f32],
) {
    let linear = Linear { x, width, weight, bias, out_width, out: &Output::new(out) };
    if rows <= FEW_ROWS {
        let parts = out_width.div_ceil(64);
        // Few rows cost what reading the weight costs.
        let cost = (width as u64).saturating_mul(out_width as u64) * (1 + rows as u64) / 16;
        for_each_task(
            parts,
            cost,
            || (),
            |(), index| {
                let (start, end) = part(out_width, parts, index);
                arch().dispatch(FewRows { linear, rows, outputs: start..end });
            },
        );
    } else {
        let grid = Grid::new(1, rows, width, out_width);
        grid.run(|lines, task| {
            let (_, rows, columns) = grid.task(task, rows, out_width);
            arch().dispatch(ManyRows { linear, rows, columns, lines });
        });
    }
}

#[derive(Clone, Copy)]
struct Linear<'a> {
    x: &'a [f32],
    width: usize,
    weight: Floats<'a>,
    bias: Option<Floats<'a>>,
    out_width: usize,
    out: &'a Output<'a>,
}

/// Some outputs of every row.
struct FewRows<'a> {
    linear: Linear<'a>,
    rows: usize,
    outputs: Range<usize>,
}

impl WithSimd for FewRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { linear, rows, outputs } = self;
        let mut weight = [0.0; DEPTH];
        for output in outputs {
            let mut sums = [[simd.splat_f32s(0.0); 2]; FEW_ROWS];
            for start in (0..linear.width).step_by(DEPTH) {
                let weight = &mut weight[..DEPTH.min(linear.width - start)];
                linear.weight.widen(output * linear.width + start, weight);
                for (row, sums) in sums[..rows].iter_mut().enumerate() {
                    let x = &linear.x[row * linear.width + start..][..weight.len()];
                    *sums = dot(simd, x, weight, *sums);
                }
            }
            let bias = linear.bias.map_or(0.0, |bias| bias.at(output));
            for (row, &[a, b]) in sums[..rows].iter().enumerate() {
                // SAFETY: a task has its own outputs of each row.
                let out = unsafe { linear.out.slice(row * linear.out_width + output, 1) };
                out[0] = simd.reduce_sum_f32s(simd.add_f32s(a, b)) + bias;
            }
        }
    }
}

/// Adds the products of `a` and `b` to two vectors of sums.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32], [mut even, mut odd]: [S::f32s; 2]) -> [S::f32s; 2] {
    let ((a, a_rest), (b, b_rest)) = (S::as_simd_f32s(a), S::as_simd_f32s(b));
    let ((a_pairs, a_last), (b_pairs, b_last)) = (a.as_chunks::<2>(), b.as_chunks::<2>());
    for (a, b) in a_pairs.iter().zip(b_pairs) {
        even = simd.mul_add_f32s(a[0], b[0], even);
        odd = simd.mul_add_f32s(a[1], b[1], odd);
    }
    for (&a, &b) in a_last.iter().zip(b_last) {
        even = simd.mul_add_f32s(a, b, even);
    }
    if !a_rest.is_empty() {
        let (a, b) = (simd.partial_load_f32s(a_rest), simd.partial_load_f32s(b_rest));
        odd = simd.mul_add_f32s(a, b, odd);
    }
    [even, odd]
}

/// Some rows by some outputs.
struct ManyRows<'a> {
    linear: Linear<'a>,
    rows: Range<usize>,
    columns: Range<usize>,
    lines: &'a mut [Line],
}

impl WithSimd for ManyRows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { linear, rows, columns, lines } = self;
        let mut bias = [0.0; COLUMNS];
        if let Some(values) = linear.bias {
            values.widen(columns.start, &mut bias[..columns.len()]);
        }
        let count = columns.len();
        let mut product = LinearProduct { linear, columns, bias };
        tile::compute(simd, &mut product, rows, count, lines);
    }
}

struct LinearProduct<'a> {
    linear: Linear<'a>,
    columns: Range<usize>,
    bias: [f32; COLUMNS],
}

impl Product for LinearProduct<'_> {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.linear.width
    }

    #[inline(always)]
    fn left(&self, row: usize, start: usize, into: &mut [f32]) {
        into.copy_from_slice(&self.linear.x[row * self.linear.width + start..][..into.len()]);
    }

    #[inline(always)]
    fn pack(&mut self, start: usize, depth: usize, lines: &mut [Line]) {
        let mut band = [[0.0; DEPTH]; BAND];
        for left in (0..self.columns.len()).step_by(BAND) {
            for (column, row) in (self.columns.start + left..self.columns.end).zip(&mut band) {
                self.linear.weight.widen(column * self.linear.width + start, &mut row[..depth]);
            }
            let panel = &mut lines[left / WIDTH * depth..][..depth];
            tile::transpose(&band, panel, left % WIDTH);
        }
    }

    #[inline(always)]
    fn store(&mut self, row: usize, column: usize, sums: &[f32], first: bool) {
        let start = row * self.linear.out_width + self.columns.start + column;
        // SAFETY: a task has its own columns of its own rows.
        let out = unsafe { self.linear.out.slice(start, sums.len()) };
        if first {
            tile::set(out, sums, 0.0);
            tile::add(out, &self.bias[column..][..sums.len()]);
        } else {
            tile::add(out, sums);
        }
    }
}

/// The most bytes that [`matmul`] allocates for `batch` products.
pub(crate) fn matmul_workspace(batch: usize, m: usize, k: usize, n: usize) -> u64 {
    Grid::new(batch, m, k, n).workspace()
}

/// One product [m, k] · [k, n] for each pair of offsets (of elements of `a` and of `b`).
pub(crate) fn matmul(
    a: &[f32],
    b: &[f32],
    batch: &[(usize, usize)],
    m: usize,
    k: usize,
    n: usize,
    out: &mut [f32],
) {
    let grid = Grid::new(batch.len(), m, k, n);
    let out = &Output::new(out);
    grid.run(|lines, task| {
        let (index, rows, columns) = grid.task(task, m, n);
        let (a_start, b_start) = batch[index];
        let product = MatrixProduct {
            a: &a[a_start..][..m * k],
            b: &b[b_start..][..k * n],
            k,
            n,
            columns,
            out,
            start: index * m * n,
        };
        arch().dispatch(Part { product, rows, lines });
    });
}

struct Part<'a> {
    product: MatrixProduct<'a>,
    rows: Range<usize>,
    lines: &'a mut [Line],
}

impl WithSimd for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { mut product, rows, lines } = self;
        let columns = product.columns.len();
        tile::compute(simd, &mut product, rows, columns, lines);
    }
}

struct MatrixProduct<'a> {
    a: &'a [f32],
    b: &'a [f32],
    k: usize,
    n: usize,
    columns: Range<usize>,
    out: &'a Output<'a>,
    start: usize,
}

impl Product for MatrixProduct<'_> {
    #[inline(always)]
    fn depth(&self) -> usize {
        self.k
    }

    #[inline(always)]
    fn left(&self, row: usize, start: usize, into: &mut [f32]) {
        into.copy_from_slice(&self.a[row * self.k + start..][..into.len()]);
    }

    #[inline(always)]
    fn pack(&mut self, start: usize, depth: usize, lines: &mut [Line]) {
        for p in 0..depth {
            let row = &self.b[(start + p) * self.n..][self.columns.clone()];
            for (panel, values) in row.chunks(WIDTH).enumerate() {
                let line = &mut lines[panel * depth + p].0;
                match values.as_array::<WIDTH>() {
                    Some(values) => *line = *values,
                    None => line[..values.len()].copy_from_slice(values),
                }
            }
        }
    }

    #[inline(always)]
    fn store(&mut self, row: usize, column: usize, sums: &[f32], first: bool) {
        let start = self.start + row * self.n + self.columns.start + column;
        // SAFETY: a task has its own columns of its own rows.
        let out = unsafe { self.out.slice(start, sums.len()) };
        if first { tile::set(out, sums, 0.0) } else { tile::add(out, sums) }
    }
}

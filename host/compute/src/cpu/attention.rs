//! Softmax(q·kᵀ·scale + mask)·v, without the matrix of scores.
//!
//! A task has some queries of one head and goes over the keys in tiles. It keeps for each
//! query the largest score so far, the sum of exponentials relative to it, and the sum of
//! values weighted by them; a larger score rescales both sums (Milakov & Gimelshein 2018,
//! Rabe & Staats 2021, Dao et al. 2022). So memory grows with the number of queries of a
//! task, not with queries times keys.
//!
//! A query from which every key is hidden gives zeros, where PyTorch gives NaN: there is
//! nothing to attend to, and NaN would spread over the whole picture.

#![expect(clippy::indexing_slicing, reason = "the caller checked the lengths against the shape")]

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::parallel::{Output, for_each_task, tasks_wanted, workers};
use super::tile::{self, BAND, DEPTH, Line, ROWS, Row, Sink, WIDTH, multiply};
use super::{arch, math, reduce};

/// Keys of a tile: as many as a tile row holds, so that the exponentials of the scores
/// are the left operand of the product with the values where they stand.
const KEYS: usize = DEPTH;

/// Queries of a task at most: a tile of keys is packed once for all of them.
const QUERIES: usize = 512;

/// The shape of an attention: q [batch, queries, heads · head_dim], k [batch, keys, heads · head_dim],
/// v [batch, keys, heads · value_dim] → [batch, queries, heads · value_dim].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attention<'a> {
    pub batch: usize,
    pub heads: usize,
    pub queries: usize,
    pub keys: usize,
    pub head_dim: usize,
    pub value_dim: usize,
    /// Hides key j from query i where j > i.
    pub causal: bool,
    pub scale: f32,
    pub mask: Option<Mask<'a>>,
}

/// What is added to the scores, or hides keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mask<'a> {
    pub values: MaskValues<'a>,
    /// Elements from one to the next along [batch, heads, queries, keys]; 0 where it is broadcast.
    pub strides: [usize; 4],
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum MaskValues<'a> {
    /// Added to the scaled scores.
    Add(&'a [f32]),
    /// 0 hides the key.
    Hide(&'a [u8]),
}

/// Computes the attention.
pub(crate) fn attention(shape: &Attention<'_>, q: &[f32], k: &[f32], v: &[f32], out: &mut [f32]) {
    let operands = Operands { q, k, v, out: Output::new(out) };
    let tasks = shape.batch * shape.heads * shape.parts();
    for_each_task(
        tasks,
        shape.cost(),
        || Workspace::new(shape),
        |workspace, task| {
            let (rest, part) = (task / shape.parts(), task % shape.parts());
            let (batch, head) = (rest / shape.heads, rest % shape.heads);
            let size = shape.queries_per_task();
            let queries = part * size..((part + 1) * size).min(shape.queries);
            arch().dispatch(Task { shape, operands: &operands, batch, head, queries, workspace });
        },
    );
}

impl Attention<'_> {
    /// The most bytes that [`attention`] allocates.
    pub(crate) fn workspace(&self) -> u64 {
        let lines = self.key_lines() + self.value_lines();
        let sums = self.queries_per_task() * (self.value_dim + 2);
        let rows = 2 * ROWS * size_of::<Row>();
        let worker = lines * size_of::<Line>() + rows + sums * size_of::<f32>();
        let tasks = self.batch * self.heads * self.parts();
        (workers(tasks, self.cost()) * worker) as u64
    }

    /// Nanoseconds on one core, about.
    fn cost(&self) -> u64 {
        let scores = (self.batch * self.heads) as u64 * (self.queries * self.keys) as u64;
        scores.saturating_mul((self.head_dim + self.value_dim + 40) as u64) / 40
    }

    fn queries_per_task(&self) -> usize {
        let wanted = tasks_wanted(self.cost());
        let parts = wanted.div_ceil((self.batch * self.heads).max(1));
        let parts = parts.min(self.queries.div_ceil(2 * ROWS)).max(self.queries.div_ceil(QUERIES));
        self.queries.div_ceil(parts.max(1)).next_multiple_of(ROWS)
    }

    fn parts(&self) -> usize {
        self.queries.div_ceil(self.queries_per_task().max(1))
    }

    fn key_lines(&self) -> usize {
        self.keys.min(KEYS).div_ceil(WIDTH) * self.head_dim
    }

    fn value_lines(&self) -> usize {
        self.value_dim.div_ceil(WIDTH) * self.keys.min(KEYS)
    }
}

struct Operands<'a> {
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    out: Output<'a>,
}

struct Workspace {
    /// A tile of keys, transposed: blocks of the head's dimension, panels of keys.
    keys: Vec<Line>,
    /// A tile of values: panels of the value's dimension.
    values: Vec<Line>,
    /// The scores of [`ROWS`] queries with a tile of keys, then the exponentials of these.
    scores: Vec<Row>,
    /// The scaled queries themselves.
    rows: Vec<Row>,
    /// For each query, the weighted sum of values.
    sums: Vec<f32>,
    /// For each query, the largest score and the sum of exponentials.
    states: Vec<State>,
}

#[derive(Clone, Copy)]
struct State {
    largest: f32,
    total: f32,
}

impl Workspace {
    fn new(shape: &Attention<'_>) -> Self {
        let queries = shape.queries_per_task();
        Self {
            keys: vec![Line([0.0; WIDTH]); shape.key_lines()],
            values: vec![Line([0.0; WIDTH]); shape.value_lines()],
            scores: vec![[0.0; DEPTH]; ROWS],
            rows: vec![[0.0; DEPTH]; ROWS],
            sums: vec![0.0; queries * shape.value_dim],
            states: vec![State { largest: 0.0, total: 0.0 }; queries],
        }
    }
}

/// Some queries of one head.
struct Task<'a> {
    shape: &'a Attention<'a>,
    operands: &'a Operands<'a>,
    batch: usize,
    head: usize,
    queries: Range<usize>,
    workspace: &'a mut Workspace,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.workspace.sums.fill(0.0);
        self.workspace.states.fill(State { largest: f32::NEG_INFINITY, total: 0.0 });
        let end =
            if self.shape.causal { self.shape.keys.min(self.queries.end) } else { self.shape.keys };
        for start in (0..end).step_by(KEYS) {
            let keys = start..(start + KEYS).min(end);
            self.pack(keys.clone());
            for top in self.queries.clone().step_by(ROWS) {
                let queries = top..(top + ROWS).min(self.queries.end);
                self.visit(simd, queries, keys.clone());
            }
        }
        self.finish();
    }
}

impl Task<'_> {
    /// Copies a tile of keys and of values into panels.
    #[inline(always)]
    fn pack(&mut self, keys: Range<usize>) {
        let Attention { heads, head_dim, value_dim, .. } = *self.shape;
        let panels = keys.len().div_ceil(WIDTH);
        let block = tile::block(head_dim);
        let row = |key: usize| (self.batch * self.shape.keys + key) * heads + self.head;
        let mut band = [[0.0; DEPTH]; BAND];
        for first in (0..head_dim).step_by(block.max(1)) {
            let depth = block.min(head_dim - first);
            for left in (0..keys.len()).step_by(BAND) {
                for (key, into) in (keys.start + left..keys.end).zip(&mut band) {
                    let k = &self.operands.k[row(key) * head_dim + first..][..depth];
                    into[..depth].copy_from_slice(k);
                }
                let panel = first * panels + left / WIDTH * depth;
                let lines = &mut self.workspace.keys[panel..][..depth];
                tile::transpose(&band, lines, left % WIDTH);
            }
        }
        for (index, key) in keys.clone().enumerate() {
            let v = &self.operands.v[row(key) * value_dim..][..value_dim];
            for (panel, v) in v.chunks(WIDTH).enumerate() {
                let line = &mut self.workspace.values[panel * keys.len() + index].0;
                match v.as_array::<WIDTH>() {
                    Some(v) => *line = *v,
                    None => line[..v.len()].copy_from_slice(v),
                }
            }
        }
    }

    /// Adds a tile of keys to up to [`ROWS`] queries' sums.
    #[inline(always)]
    fn visit<S: Simd>(&mut self, simd: S, queries: Range<usize>, keys: Range<usize>) {
        let Attention { heads, head_dim, value_dim, scale, causal, .. } = *self.shape;
        let Workspace { keys: key_lines, values, scores, rows, sums, states } =
            &mut *self.workspace;
        let count = queries.len();
        let panels = keys.len().div_ceil(WIDTH);
        let block = tile::block(head_dim);
        if head_dim == 0 {
            scores.fill([0.0; DEPTH]);
        }
        for first in (0..head_dim).step_by(block.max(1)) {
            let depth = block.min(head_dim - first);
            for (query, into) in queries.clone().zip(&mut *rows) {
                let row = self.batch * self.shape.queries + query;
                let q = &self.operands.q[(row * heads + self.head) * head_dim + first..][..depth];
                for (into, &q) in into.iter_mut().zip(q) {
                    *into = q * scale;
                }
            }
            let lines = &key_lines[first * panels..][..depth * panels];
            let mut sink = Scores { scores, first: first == 0 };
            multiply(simd, &rows[..count], depth, lines, keys.len(), &mut sink);
        }
        let top = queries.start - self.queries.start;
        for (index, query) in queries.clone().enumerate() {
            let scores = &mut scores[index][..keys.len()];
            if let Some(mask) = self.shape.mask {
                mask.apply([self.batch, self.head, query, keys.start], scores);
            }
            if causal {
                // The first keys of the tile, up to the query itself, are seen.
                let seen = (query + 1).saturating_sub(keys.start).min(scores.len());
                scores[seen..].fill(f32::NEG_INFINITY);
            }
            let state = &mut states[top + index];
            let largest = reduce::larger(reduce::max(scores), state.largest);
            // While everything is hidden, any finite reference gives zeros.
            let reference = if largest == f32::NEG_INFINITY { 0.0 } else { largest };
            for score in &mut *scores {
                *score = math::exp(*score - reference);
            }
            let factor = math::exp(state.largest - reference);
            state.total = state.total.mul_add(factor, reduce::short_sum(scores, |x| x));
            state.largest = largest;
            if factor != 1.0 {
                let sums = &mut sums[(top + index) * value_dim..][..value_dim];
                for sum in sums {
                    *sum *= factor;
                }
            }
        }
        let lines = &values[..value_dim.div_ceil(WIDTH) * keys.len()];
        let sums = &mut sums[top * value_dim..];
        let mut sink = Weighted { sums, value_dim };
        multiply(simd, &scores[..count], keys.len(), lines, value_dim, &mut sink);
    }

    /// Divides the sums by the sums of exponentials.
    #[inline(always)]
    fn finish(&mut self) {
        let Attention { heads, value_dim, .. } = *self.shape;
        for (index, query) in self.queries.clone().enumerate() {
            let State { total, .. } = self.workspace.states[index];
            let factor = if total == 0.0 { 0.0 } else { 1.0 / total };
            let row = (self.batch * self.shape.queries + query) * heads + self.head;
            // SAFETY: a task has its own queries of its own head.
            let out = unsafe { self.operands.out.slice(row * value_dim, value_dim) };
            let sums = &self.workspace.sums[index * value_dim..][..value_dim];
            for (out, &sum) in out.iter_mut().zip(sums) {
                *out = sum * factor;
            }
        }
    }
}

/// Takes the products of queries with keys.
struct Scores<'a> {
    scores: &'a mut [Row],
    first: bool,
}

impl Sink for Scores<'_> {
    #[inline(always)]
    fn take(&mut self, row: usize, column: usize, sums: &[f32]) {
        let scores = &mut self.scores[row][column..][..sums.len()];
        if self.first { tile::set(scores, sums, 0.0) } else { tile::add(scores, sums) }
    }
}

/// Takes the products of exponentials with values.
struct Weighted<'a> {
    sums: &'a mut [f32],
    value_dim: usize,
}

impl Sink for Weighted<'_> {
    #[inline(always)]
    fn take(&mut self, row: usize, column: usize, sums: &[f32]) {
        let into = &mut self.sums[row * self.value_dim + column..][..sums.len()];
        tile::add(into, sums);
    }
}

impl Mask<'_> {
    /// Applies the mask of the keys from `place` on to a query's scores.
    #[inline(always)]
    fn apply(self, place: [usize; 4], scores: &mut [f32]) {
        let start: usize =
            place.iter().zip(self.strides).map(|(place, stride)| place * stride).sum();
        let step = self.strides[3];
        match self.values {
            MaskValues::Add(values) if step == 1 => {
                for (score, &value) in scores.iter_mut().zip(&values[start..]) {
                    *score += value;
                }
            }
            MaskValues::Hide(values) if step == 1 => {
                for (score, &value) in scores.iter_mut().zip(&values[start..]) {
                    *score = if value == 0 { f32::NEG_INFINITY } else { *score };
                }
            }
            MaskValues::Add(values) => {
                for (index, score) in scores.iter_mut().enumerate() {
                    *score += values[start + index * step];
                }
            }
            MaskValues::Hide(values) => {
                for (index, score) in scores.iter_mut().enumerate() {
                    if values[start + index * step] == 0 {
                        *score = f32::NEG_INFINITY;
                    }
                }
            }
        }
    }
}

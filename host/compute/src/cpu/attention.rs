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

use super::parallel::{Output, for_each_task, workers};
use super::tile::{self, DEPTH, Line, ROWS, Row, WIDTH, multiply};
use super::{math, reduce};

/// Keys of a tile: as many as a tile row holds, so that the exponentials of the scores
/// are the left operand of the product with the values where they stand.
const KEYS: usize = DEPTH;

/// Queries of a task at most: a tile of keys is packed once for all of them.
const QUERIES: usize = 256;

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
    for_each_task(tasks, shape.cost(), || Workspace::new(shape), |workspace, task| {
        let (rest, part) = (task / shape.parts(), task % shape.parts());
        let (batch, head) = (rest / shape.heads, rest % shape.heads);
        let size = shape.queries_per_task();
        let queries = part * size..((part + 1) * size).min(shape.queries);
        pulp::Arch::new().dispatch(Task {
            shape,
            operands: &operands,
            batch,
            head,
            queries,
            workspace,
        });
    });
}

impl Attention<'_> {
    /// The most bytes that [`attention`] allocates.
    pub(crate) fn workspace(&self) -> u64 {
        let lines = self.key_lines() + self.value_lines();
        let sums = self.queries_per_task() * (self.value_dim + 2);
        let worker = lines * size_of::<Line>() + sums * size_of::<f32>();
        let tasks = self.batch * self.heads * self.parts();
        (workers(tasks, self.cost()) * worker) as u64
    }

    /// Nanoseconds on one core, about.
    fn cost(&self) -> u64 {
        let scores = (self.batch * self.heads) as u64 * (self.queries * self.keys) as u64;
        scores.saturating_mul((self.head_dim + self.value_dim + 40) as u64) / 40
    }

    fn queries_per_task(&self) -> usize {
        let wanted = 2 * workers(usize::MAX, self.cost());
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
        let end = if self.shape.causal {
            self.shape.keys.min(self.queries.end)
        } else {
            self.shape.keys
        };
        for start in (0..end).step_by(KEYS) {
            let keys = start..(start + KEYS).min(end);
            self.pack(keys.clone());
            for top in self.queries.clone().step_by(ROWS) {
                self.visit(simd, top..(top + ROWS).min(self.queries.end), keys.clone());
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
        for (index, key) in keys.clone().enumerate() {
            let row = self.batch * self.shape.keys + key;
            let k = &self.operands.k[(row * heads + self.head) * head_dim..][..head_dim];
            let mut first = 0;
            for k in k.chunks(block.max(1)) {
                let panel = first * panels + index / WIDTH * k.len();
                let lines = &mut self.workspace.keys[panel..][..k.len()];
                for (line, &value) in lines.iter_mut().zip(k) {
                    line.0[index % WIDTH] = value;
                }
                first += k.len();
            }
            let v = &self.operands.v[(row * heads + self.head) * value_dim..][..value_dim];
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
        let mut scores: [Row; ROWS] = [[0.0; DEPTH]; ROWS];
        let mut tile: [Row; ROWS] = [[0.0; DEPTH]; ROWS];
        let count = queries.len();
        let panels = keys.len().div_ceil(WIDTH);
        let block = tile::block(head_dim);
        for first in (0..head_dim).step_by(block.max(1)) {
            let depth = block.min(head_dim - first);
            for (query, into) in queries.clone().zip(&mut tile) {
                let row = self.batch * self.shape.queries + query;
                let q = &self.operands.q[(row * heads + self.head) * head_dim + first..][..depth];
                for (into, &q) in into.iter_mut().zip(q) {
                    *into = q * scale;
                }
            }
            let lines = &self.workspace.keys[first * panels..][..depth * panels];
            multiply(simd, &tile[..count], depth, lines, keys.len(), |row, column, sums| {
                let scores = &mut scores[row][column..][..sums.len()];
                if first == 0 {
                    scores.copy_from_slice(sums);
                } else {
                    super::gemm::add(scores, sums);
                }
            });
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
            let state = &mut self.workspace.states[top + index];
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
                let sums = &mut self.workspace.sums[(top + index) * value_dim..][..value_dim];
                for sum in sums {
                    *sum *= factor;
                }
            }
        }
        let lines = &self.workspace.values[..value_dim.div_ceil(WIDTH) * keys.len()];
        let sums = &mut self.workspace.sums[top * value_dim..];
        multiply(simd, &scores[..count], keys.len(), lines, value_dim, |row, column, products| {
            super::gemm::add(&mut sums[row * value_dim + column..][..products.len()], products);
        });
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

impl Mask<'_> {
    /// Applies the mask of the keys from `place` on to a query's scores.
    #[inline(always)]
    fn apply(self, place: [usize; 4], scores: &mut [f32]) {
        let start: usize = place.iter().zip(self.strides).map(|(place, stride)| place * stride).sum();
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

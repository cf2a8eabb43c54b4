//! Arithmetic on two tensors, in the shapes that networks use, and scaling.
//!
//! Equal shapes, a value for each channel, a value for each column. Other ways to
//! broadcast are rare and not worth a kernel.

use std::marker::PhantomData;

use super::parallel::{chunk_of_rows, for_each_chunk};
use super::{Kernel, vectorized};

/// Elements that are computed in one call.
const CHUNK: usize = 4096;

/// An operation on two elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Add,
    Sub,
    Mul,
    Div,
}

/// a [n] op b [n].
pub(crate) fn combine(operation: Operation, a: &[f32], b: &[f32], out: &mut [f32]) {
    match operation {
        Operation::Add => same::<Add>(a, b, out),
        Operation::Sub => same::<Sub>(a, b, out),
        Operation::Mul => same::<Mul>(a, b, out),
        Operation::Div => same::<Div>(a, b, out),
    }
}

/// a [outer, c, inner] op b [c].
pub(crate) fn combine_inner(
    operation: Operation,
    a: &[f32],
    b: &[f32],
    inner: usize,
    out: &mut [f32],
) {
    match operation {
        Operation::Add => per_channel::<Add>(a, b, inner, out),
        Operation::Sub => per_channel::<Sub>(a, b, inner, out),
        Operation::Mul => per_channel::<Mul>(a, b, inner, out),
        Operation::Div => per_channel::<Div>(a, b, inner, out),
    }
}

/// a [rows, width] op b [width].
pub(crate) fn combine_row(operation: Operation, a: &[f32], b: &[f32], out: &mut [f32]) {
    match operation {
        Operation::Add => per_column::<Add>(a, b, out),
        Operation::Sub => per_column::<Sub>(a, b, out),
        Operation::Mul => per_column::<Mul>(a, b, out),
        Operation::Div => per_column::<Div>(a, b, out),
    }
}

/// scale·x + shift, rounded once.
pub(crate) fn affine(x: &[f32], scale: f32, shift: f32, out: &mut [f32]) {
    for_each_chunk(x, out, CHUNK, |_, x, out| vectorized(Scaled { x, scale, shift, out }));
}

fn same<F: Function>(a: &[f32], b: &[f32], out: &mut [f32]) {
    for_each_chunk(a, out, CHUNK, |index, a, out| {
        let b = b.get(index * CHUNK..).unwrap_or_default();
        vectorized(Pairs { a, b, out, function: PhantomData::<F> });
    });
}

fn per_column<F: Function>(a: &[f32], b: &[f32], out: &mut [f32]) {
    for_each_chunk(a, out, chunk_of_rows(b.len()), |_, a, out| {
        vectorized(Columns { a, b, out, function: PhantomData::<F> });
    });
}

fn per_channel<F: Function>(a: &[f32], b: &[f32], inner: usize, out: &mut [f32]) {
    for_each_chunk(a, out, b.len() * inner, |_, a, out| {
        vectorized(Channels { a, b, inner, out, function: PhantomData::<F> });
    });
}

trait Function: Sync {
    fn of(a: f32, b: f32) -> f32;
}

struct Add;

impl Function for Add {
    #[inline(always)]
    fn of(a: f32, b: f32) -> f32 {
        a + b
    }
}

struct Sub;

impl Function for Sub {
    #[inline(always)]
    fn of(a: f32, b: f32) -> f32 {
        a - b
    }
}

struct Mul;

impl Function for Mul {
    #[inline(always)]
    fn of(a: f32, b: f32) -> f32 {
        a * b
    }
}

struct Div;

impl Function for Div {
    #[inline(always)]
    fn of(a: f32, b: f32) -> f32 {
        a / b
    }
}

struct Pairs<'a, F> {
    a: &'a [f32],
    b: &'a [f32],
    out: &'a mut [f32],
    function: PhantomData<F>,
}

impl<F: Function> Kernel for Pairs<'_, F> {
    #[inline(always)]
    fn run(self) {
        for ((out, &a), &b) in self.out.iter_mut().zip(self.a).zip(self.b) {
            *out = F::of(a, b);
        }
    }
}

struct Columns<'a, F> {
    a: &'a [f32],
    b: &'a [f32],
    out: &'a mut [f32],
    function: PhantomData<F>,
}

impl<F: Function> Kernel for Columns<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Self { a, b, out, function } = self;
        for (a, out) in a.chunks_exact(b.len()).zip(out.chunks_exact_mut(b.len())) {
            Pairs { a, b, out, function }.run();
        }
    }
}

struct Channels<'a, F> {
    a: &'a [f32],
    b: &'a [f32],
    inner: usize,
    out: &'a mut [f32],
    function: PhantomData<F>,
}

impl<F: Function> Kernel for Channels<'_, F> {
    #[inline(always)]
    fn run(self) {
        let Self { a, b, inner, out, .. } = self;
        for ((a, out), &b) in a.chunks_exact(inner).zip(out.chunks_exact_mut(inner)).zip(b) {
            for (out, &a) in out.iter_mut().zip(a) {
                *out = F::of(a, b);
            }
        }
    }
}

struct Scaled<'a> {
    x: &'a [f32],
    scale: f32,
    shift: f32,
    out: &'a mut [f32],
}

impl Kernel for Scaled<'_> {
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = x.mul_add(self.scale, self.shift);
        }
    }
}

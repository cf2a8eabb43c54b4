//! Arithmetic on two tensors, in the shapes that networks use, and scaling.
//!
//! Equal shapes, a value for each channel, a value for each column. Other ways to
//! broadcast are rare and not worth a kernel.

use super::parallel::for_each_chunk;
use super::vectorized;

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

/// Calls `$kernel` with the function that `$operation` means. A function item, unlike a
/// pointer, is inlined.
macro_rules! with_function {
    ($operation:expr, $kernel:ident($($argument:expr),*)) => {
        match $operation {
            Operation::Add => $kernel($($argument,)* add),
            Operation::Sub => $kernel($($argument,)* sub),
            Operation::Mul => $kernel($($argument,)* mul),
            Operation::Div => $kernel($($argument,)* div),
        }
    };
}

/// a [n] op b [n].
pub(crate) fn combine(operation: Operation, a: &[f32], b: &[f32], out: &mut [f32]) {
    with_function!(operation, same(a, b, out));
}

/// a [outer, c, inner] op b [c].
pub(crate) fn combine_inner(
    operation: Operation,
    a: &[f32],
    b: &[f32],
    inner: usize,
    out: &mut [f32],
) {
    with_function!(operation, per_channel(a, b, inner, out));
}

/// a [rows, width] op b [width].
pub(crate) fn combine_row(operation: Operation, a: &[f32], b: &[f32], out: &mut [f32]) {
    with_function!(operation, per_column(a, b, out));
}

/// scale·x + shift, rounded once.
pub(crate) fn affine(x: &[f32], scale: f32, shift: f32, out: &mut [f32]) {
    for_each_chunk(x, out, CHUNK, |_, x, out| {
        vectorized(|| {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = x.mul_add(scale, shift);
            }
        });
    });
}

fn same(a: &[f32], b: &[f32], out: &mut [f32], function: impl Fn(f32, f32) -> f32 + Copy + Sync) {
    for_each_chunk(a, out, CHUNK, |index, a, out| {
        let b = b.get(index * CHUNK..).unwrap_or_default();
        vectorized(|| pairs(a, b, out, function));
    });
}

fn per_column(
    a: &[f32],
    b: &[f32],
    out: &mut [f32],
    function: impl Fn(f32, f32) -> f32 + Copy + Sync,
) {
    for_each_chunk(a, out, b.len(), |_, a, out| vectorized(|| pairs(a, b, out, function)));
}

fn per_channel(
    a: &[f32],
    b: &[f32],
    inner: usize,
    out: &mut [f32],
    function: impl Fn(f32, f32) -> f32 + Copy + Sync,
) {
    for_each_chunk(a, out, b.len() * inner, |_, a, out| {
        vectorized(|| channels(a, b, inner, out, function));
    });
}

#[inline(always)]
fn pairs(a: &[f32], b: &[f32], out: &mut [f32], function: impl Fn(f32, f32) -> f32) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = function(a, b);
    }
}

#[inline(always)]
fn channels(
    a: &[f32],
    b: &[f32],
    inner: usize,
    out: &mut [f32],
    function: impl Fn(f32, f32) -> f32,
) {
    for ((a, out), &b) in a.chunks_exact(inner).zip(out.chunks_exact_mut(inner)).zip(b) {
        for (out, &a) in out.iter_mut().zip(a) {
            *out = function(a, b);
        }
    }
}

#[inline(always)]
fn add(a: f32, b: f32) -> f32 {
    a + b
}

#[inline(always)]
fn sub(a: f32, b: f32) -> f32 {
    a - b
}

#[inline(always)]
fn mul(a: f32, b: f32) -> f32 {
    a * b
}

#[inline(always)]
fn div(a: f32, b: f32) -> f32 {
    a / b
}

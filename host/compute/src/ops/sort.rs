//! The order of elements along an axis.
//!
//! Runs of a few thousand indices are sorted, and merged until one is left, so that a long axis
//! can be cancelled between two runs and the workspace is known beforehand.

use std::cmp::Ordering;

use super::number;
use crate::compute::checked_bytes;
use crate::cpu::parallel::is_cancelled;
use crate::device::{Buffer, unwritten};
use crate::element::{Element, for_element};
use crate::error::{internal, invalid};
use crate::shape;
use crate::{Compute, ComputeError, DType, Scope, Tensor};

/// Indices that are sorted at once: some milliseconds' work.
const RUN: usize = 1 << 15;

impl Compute {
    /// The indices that put one axis in order, as `U32`, of x's shape. Equal elements keep their
    /// order in both directions; NaN is greater than every number.
    ///
    /// # Errors
    /// `InvalidArgument` for a wrong axis, or one that is too long for `U32`.
    pub fn argsort(
        &self,
        scope: &Scope,
        x: &Tensor,
        axis: i32,
        descending: bool,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "argsort";
        number(NAME, "x", x)?;
        let axis = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let (_, length, inner) = shape::around(x.shape(), axis);
        let Ok(count) = u32::try_from(length) else {
            return Err(invalid(NAME, "the axis has more elements than u32 can count"));
        };
        // A line's values, its indices, and those that are merged.
        let size = checked_bytes(NAME, x.dtype(), &[length])?;
        let workspace = size.saturating_add(u64::from(count).saturating_mul(8));
        let output = (DType::U32, x.shape().into());
        self.begin(scope, NAME, [x], output, workspace)?.complete(|job| {
            let operand = job.operand(0)?;
            for_element!(x.dtype(), T => {
                let values = operand.slice::<T>()?;
                let mut out = unwritten::<u32>(job.count())?;
                let mut line = unwritten::<T>(length)?;
                let mut order = unwritten::<u32>(length)?;
                let mut spare = unwritten::<u32>(length)?;
                let block = length * inner;
                for (x, out) in values.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
                    for i in 0..inner {
                        if is_cancelled() {
                            break;
                        }
                        let x = x.iter().skip(i).step_by(inner);
                        line.iter_mut().zip(x).for_each(|(to, &from)| *to = from);
                        order.iter_mut().zip(0..count).for_each(|(to, index)| *to = index);
                        sort(&line, descending, &mut order, &mut spare);
                        let out = out.iter_mut().skip(i).step_by(inner);
                        out.zip(&order).for_each(|(to, &from)| *to = from);
                    }
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }
}

/// Puts ascending indices in the order of their values.
fn sort<T: Element>(values: &[T], descending: bool, order: &mut [u32], spare: &mut [u32]) {
    let value = |index: u32| values.get(index as usize).copied().unwrap_or(T::zeroed());
    let compare = |&a: &u32, &b: &u32| {
        let by_value = by_value(value(a), value(b));
        if descending { by_value.reverse() } else { by_value }
    };
    for run in order.chunks_mut(RUN) {
        if is_cancelled() {
            return;
        }
        run.sort_unstable_by(|a, b| compare(a, b).then(a.cmp(b)));
    }
    let mut width = RUN;
    while width < order.len() {
        let pair = width.saturating_mul(2);
        for (from, to) in order.chunks(pair).zip(spare.chunks_mut(pair)) {
            if is_cancelled() {
                return;
            }
            let (left, right) = from.split_at(width.min(from.len()));
            let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
            for to in to {
                let from = match (left.peek(), right.peek()) {
                    (Some(a), Some(b)) if compare(a, b).is_gt() => right.next(),
                    (Some(_), _) => left.next(),
                    (None, _) => right.next(),
                };
                *to = from.copied().unwrap_or_default();
            }
        }
        order.copy_from_slice(spare);
        width = pair;
    }
}

fn by_value<T: Element>(a: T, b: T) -> Ordering {
    let nan = |x: T| Element::is_nan(x);
    a.partial_cmp(&b).unwrap_or_else(|| nan(a).cmp(&nan(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_merged_in_a_stable_order() {
        let length = 3 * RUN + 17;
        let values: Vec<u32> =
            (0..length as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 20).collect();
        for descending in [false, true] {
            let mut order: Vec<u32> = (0..length as u32).collect();
            sort(&values, descending, &mut order, &mut vec![0; length]);
            let mut want: Vec<u32> = (0..length as u32).collect();
            want.sort_by_key(|&i| {
                let value = i64::from(values[i as usize]);
                if descending { -value } else { value }
            });
            assert_eq!(order, want);
        }
    }
}

//! Sums, means and extremes along axes, and running sums.
//!
//! Floats are summed in `f64` and rounded once, so that a mean over a large
//! image is no worse than one over a few elements, however it is grouped.

use bytemuck::Zeroable;
use smallvec::SmallVec;

use super::{float, number};
use crate::device::{Buffer, unwritten};
use crate::element::{Element, for_element};
use crate::error::{internal, invalid};
use crate::shape::{self, Dims, Strides, strides};
use crate::strided::Nest;
use crate::{Compute, ComputeError, DType, Reduction, Scope, Tensor};

impl Compute {
    /// Reduces the given axes; all of them when the list is empty. With `keep`,
    /// they stay as dimensions of 1. NaN propagates.
    ///
    /// # Errors
    /// `InvalidArgument` for wrong or repeated axes, a mean of integers, more than one
    /// axis for `Argmax` and `Argmin`, and extremes of no elements.
    pub fn reduce(
        &self,
        scope: &Scope,
        x: &Tensor,
        reduction: Reduction,
        axes: &[i32],
        keep: bool,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "reduce";
        number(NAME, "x", x)?;
        if reduction == Reduction::Mean {
            float(NAME, "x", x)?;
        }
        let rank = x.shape().len();
        let mut reduced: SmallVec<[bool; 8]> = SmallVec::from_elem(axes.is_empty(), rank);
        for &axis in axes {
            let index = shape::axis(axis, rank).map_err(|reason| invalid(NAME, reason))?;
            match reduced.get_mut(index) {
                Some(flag) if !*flag => *flag = true,
                _ => return Err(invalid(NAME, format!("axis {axis} is given twice"))),
            }
        }
        let positions = matches!(reduction, Reduction::Argmax | Reduction::Argmin);
        if positions && (axes.len() > 1 || (axes.is_empty() && rank != 1)) {
            return Err(invalid(NAME, "argmax and argmin take one axis"));
        }
        let mut shape = Dims::new();
        let mut along = Split::default();
        let mut across = Split::default();
        for ((&dim, step), reduced) in x.shape().iter().zip(strides(x.shape())).zip(reduced) {
            if reduced {
                along.push(dim, step);
            } else {
                across.push(dim, step);
            }
            if !reduced || keep {
                shape.push(if reduced { 1 } else { dim });
            }
        }
        let length: usize = along.shape.iter().product();
        if length == 0 {
            // The other axes may be of any length, and there is nothing to walk over.
            along = Split::default();
            along.push(0, 1);
        }
        let sums = matches!(reduction, Reduction::Sum | Reduction::Mean);
        if length == 0 && !sums && !shape.contains(&0) {
            return Err(invalid(NAME, "there is no largest or smallest of no elements"));
        }
        if positions && u32::try_from(length).is_err() {
            return Err(invalid(NAME, "the axis has more elements than u32 can count"));
        }
        let dtype = if positions { DType::U32 } else { x.dtype() };
        self.begin(scope, NAME, [x], (dtype, shape), 0)?.complete(|job| {
            let (operand, count) = (job.operand(0)?, job.count());
            for_element!(x.dtype(), T => {
                let values = operand.slice::<T>()?;
                if positions {
                    let mut out = unwritten::<u32>(count)?;
                    let better: fn(T, T) -> bool = match reduction {
                        Reduction::Argmax => |best, value| value > best,
                        _ => |best, value| value < best,
                    };
                    reduce(values, &across, &along, &mut out, |run| position(run, better));
                    return Ok(Buffer::of(out)?);
                }
                let mut out = unwritten::<T>(count)?;
                match reduction {
                    Reduction::Sum if x.dtype().is_integer() => {
                        reduce(values, &across, &along, &mut out, |run| {
                            run.fold(T::zeroed(), T::plus)
                        });
                    }
                    Reduction::Sum => reduce(values, &across, &along, &mut out, |run| {
                        T::nearest(run.sum())
                    }),
                    Reduction::Mean => reduce(values, &across, &along, &mut out, |run| {
                        T::nearest(run.sum() / length as f64)
                    }),
                    Reduction::Max => reduce(values, &across, &along, &mut out, |run| {
                        run.extreme(T::greatest)
                    }),
                    _ => reduce(values, &across, &along, &mut out, |run| run.extreme(T::least)),
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }

    /// The running sum along one axis. Integers wrap.
    ///
    /// # Errors
    /// `InvalidArgument` for a wrong axis.
    pub fn cumulative_sum(
        &self,
        scope: &Scope,
        x: &Tensor,
        axis: i32,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "cumulative-sum";
        number(NAME, "x", x)?;
        let axis = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let (_, length, inner) = shape::around(x.shape(), axis);
        let output = (x.dtype(), x.shape().into());
        self.begin(scope, NAME, [x], output, 0)?.complete(|job| {
            let operand = job.operand(0)?;
            for_element!(job.dtype(), T => {
                let values = operand.slice::<T>()?;
                let mut out = unwritten::<T>(job.count())?;
                let block = length * inner;
                for (x, out) in values.chunks_exact(block).zip(out.chunks_exact_mut(block)) {
                    for i in 0..inner {
                        let x = x.iter().skip(i).step_by(inner);
                        let out = out.iter_mut().skip(i).step_by(inner);
                        if job.dtype().is_integer() {
                            let mut sum = T::zeroed();
                            for (out, &x) in out.zip(x) {
                                sum = sum.plus(x);
                                *out = sum;
                            }
                        } else {
                            let mut sum = 0.0;
                            for (out, &x) in out.zip(x) {
                                sum += x.value();
                                *out = T::nearest(sum);
                            }
                        }
                    }
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }
}

/// Elements that are gathered at a time where they do not lie together.
const GATHERED: usize = 64;

/// Some of a tensor's dimensions.
#[derive(Default)]
struct Split {
    shape: Dims,
    steps: Strides,
}

impl Split {
    fn push(&mut self, dim: usize, step: isize) {
        self.shape.push(dim);
        self.steps.push(step);
    }
}

/// Calls `finish` for the elements `along`, at each place `across`.
fn reduce<T: Element, U>(
    values: &[T],
    across: &Split,
    along: &Split,
    out: &mut [U],
    finish: impl Fn(Run<'_, T>) -> U,
) {
    let outer = Nest::new(&across.shape, [&across.steps]);
    let nest = Nest::new(&along.shape, [&along.steps]);
    let inner = outer.inner();
    let [step] = inner.steps;
    let mut out = out.iter_mut();
    outer.rows([0], |[at]| {
        for (i, out) in out.by_ref().take(inner.count).enumerate() {
            let start = at + i.cast_signed() * step;
            *out = finish(Run { values, start, nest: &nest });
        }
    });
}

/// The elements that become one.
struct Run<'a, T> {
    values: &'a [T],
    start: isize,
    nest: &'a Nest<1>,
}

impl<T: Element> Run<'_, T> {
    /// Calls `part` with the elements in their order, some at a time.
    fn stretches(&self, mut part: impl FnMut(&[T])) {
        let inner = self.nest.inner();
        let [step] = inner.steps;
        self.nest.rows([self.start], |[at]| {
            let rest = self.values.get(at.cast_unsigned()..).unwrap_or_default();
            if step == 1 {
                return part(rest.get(..inner.count).unwrap_or_default());
            }
            let mut gathered = [T::zeroed(); GATHERED];
            let mut values = rest.iter().step_by(step.cast_unsigned().max(1)).take(inner.count);
            loop {
                let mut count = 0;
                for (slot, value) in gathered.iter_mut().zip(values.by_ref()) {
                    *slot = *value;
                    count += 1;
                }
                part(gathered.get(..count).unwrap_or_default());
                if count < GATHERED {
                    break;
                }
            }
        });
    }

    fn fold<A>(&self, start: A, combine: impl Fn(A, T) -> A) -> A
    where
        A: Copy,
    {
        let mut result = start;
        self.stretches(|part| {
            for &value in part {
                result = combine(result, value);
            }
        });
        result
    }

    /// The sum in `f64`; eight at a time, always in the same order.
    fn sum(&self) -> f64 {
        let mut total = 0.0;
        self.stretches(|part| {
            let (eights, rest) = part.as_chunks::<8>();
            let mut lanes = [0.0; 8];
            for eight in eights {
                for (lane, &value) in lanes.iter_mut().zip(eight) {
                    *lane += value.value();
                }
            }
            total += lanes.iter().sum::<f64>();
            total += rest.iter().map(|&value| value.value()).sum::<f64>();
        });
        total
    }

    /// The best one; eight at a time.
    fn extreme(&self, better: impl Fn(T, T) -> T) -> T {
        let first = self.values.get(self.start.cast_unsigned()).copied().unwrap_or(T::zeroed());
        let mut lanes = [first; 8];
        self.stretches(|part| {
            let (eights, rest) = part.as_chunks::<8>();
            for values in eights.iter().map(|eight| eight.as_slice()).chain([rest]) {
                for (lane, &value) in lanes.iter_mut().zip(values) {
                    *lane = better(*lane, value);
                }
            }
        });
        lanes.into_iter().fold(first, better)
    }
}

/// Where the best element is; NaN is better than all others.
fn position<T: Element>(run: Run<'_, T>, better: impl Fn(T, T) -> bool) -> u32 {
    let (mut best, mut at, mut index) = (None, 0, 0);
    run.stretches(|part| {
        for &value in part {
            let wins = best.is_none_or(|best: T| {
                !Element::is_nan(best) && (Element::is_nan(value) || better(best, value))
            });
            if wins {
                (best, at) = (Some(value), index);
            }
            index += 1;
        }
    });
    at
}

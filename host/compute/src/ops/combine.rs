//! Functions of two elements, broadcasting as NumPy does.

use bytemuck::Zeroable;

use super::{dense, number, same_type};
use crate::cpu::elementwise::{self, Operation};
use crate::device::{Buffer, unwritten};
use crate::element::{Element, for_element};
use crate::error::{internal, invalid};
use crate::operand::Operand;
use crate::shape::{self, Dims, Strides, broadcast_strides};
use crate::strided::pairs;
use crate::{Binary, Comparison, Compute, ComputeError, DType, Scope, Tensor};

impl Compute {
    /// Applies `function` to each pair of elements, broadcasting. Integers wrap.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit, and for integers
    /// that are divided by 0.
    pub fn combine(
        &self,
        scope: &Scope,
        a: &Tensor,
        b: &Tensor,
        function: Binary,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "combine";
        number(NAME, "a", a)?;
        same_type(NAME, a, b)?;
        let shape =
            shape::broadcast(a.shape(), b.shape()).map_err(|reason| invalid(NAME, reason))?;
        self.begin(scope, NAME, [a, b], (a.dtype(), shape), 0)?.complete(|job| {
            let (a, b) = (job.operand(0)?, job.operand(1)?);
            if let (DType::F32, Some(operation)) = (job.dtype(), vectorized(function)) {
                let (x, y) = (a.slice()?, b.slice()?);
                let mut out = unwritten(job.count())?;
                if fast(operation, x, (y, b.shape()), job.shape(), &mut out) {
                    return Ok(Buffer::of(out)?);
                }
            }
            for_element!(job.dtype(), T => {
                let y = b.slice::<T>()?;
                if function == Binary::Div && job.dtype().is_integer() && y.iter().any(|&y| y == T::zeroed()) {
                    return Err(invalid(NAME, "b has a 0, by which no integer can be divided"));
                }
                let shape = job.shape();
                let (a, b) = ((a.slice::<T>()?, &steps(&a, shape)?), (y, &steps(&b, shape)?));
                let mut out = unwritten::<T>(job.count())?;
                match function {
                    Binary::Add => pairs(shape, a, b, &mut out, T::plus),
                    Binary::Sub => pairs(shape, a, b, &mut out, T::minus),
                    Binary::Mul => pairs(shape, a, b, &mut out, T::times),
                    Binary::Div => pairs(shape, a, b, &mut out, T::over),
                    Binary::Minimum => pairs(shape, a, b, &mut out, T::least),
                    Binary::Maximum => pairs(shape, a, b, &mut out, T::greatest),
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }

    /// 1 where the comparison holds, otherwise 0, as `u8`; broadcasting.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn compare(
        &self,
        scope: &Scope,
        a: &Tensor,
        b: &Tensor,
        comparison: Comparison,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "compare";
        number(NAME, "a", a)?;
        same_type(NAME, a, b)?;
        let shape =
            shape::broadcast(a.shape(), b.shape()).map_err(|reason| invalid(NAME, reason))?;
        self.begin(scope, NAME, [a, b], (DType::U8, shape), 0)?.complete(|job| {
            let (a, b) = (job.operand(0)?, job.operand(1)?);
            for_element!(a.dtype(), T => {
                let shape = job.shape();
                let a = (a.slice::<T>()?, &steps(&a, shape)?);
                let b = (b.slice::<T>()?, &steps(&b, shape)?);
                let mut out = unwritten::<u8>(job.count())?;
                match comparison {
                    Comparison::Eq => pairs(shape, a, b, &mut out, |a, b| u8::from(a == b)),
                    Comparison::Ne => pairs(shape, a, b, &mut out, |a, b| u8::from(a != b)),
                    Comparison::Lt => pairs(shape, a, b, &mut out, |a, b| u8::from(a < b)),
                    Comparison::Le => pairs(shape, a, b, &mut out, |a, b| u8::from(a <= b)),
                    Comparison::Gt => pairs(shape, a, b, &mut out, |a, b| u8::from(a > b)),
                    Comparison::Ge => pairs(shape, a, b, &mut out, |a, b| u8::from(a >= b)),
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }

    /// `a` where `condition` (`u8`) is not 0, otherwise `b`; broadcasting.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn choose(
        &self,
        scope: &Scope,
        condition: &Tensor,
        a: &Tensor,
        b: &Tensor,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "choose";
        if condition.dtype() != DType::U8 {
            let reason = format!("condition is {}, but u8 is expected", condition.dtype());
            return Err(invalid(NAME, reason));
        }
        dense(NAME, "a", a)?;
        same_type(NAME, a, b)?;
        let broadcast = |a: &[usize], b: &[usize]| {
            shape::broadcast(a, b).map_err(|reason| invalid(NAME, reason))
        };
        let shape: Dims = broadcast(&broadcast(condition.shape(), a.shape())?, b.shape())?;
        self.begin(scope, NAME, [condition, a, b], (a.dtype(), shape), 0)?.complete(|job| {
            let operand = |index| job.operand(index)?.broadcast(job.shape());
            job.adopt(operand(0)?.where_cond(&operand(1)?, &operand(2)?))
        })
    }
}

fn steps(operand: &Operand<'_>, shape: &[usize]) -> Result<Strides, ComputeError> {
    broadcast_strides(operand.shape(), shape)
        .ok_or_else(|| internal("combine", "an operand does not broadcast"))
}

/// What the kernels have.
fn vectorized(function: Binary) -> Option<Operation> {
    Some(match function {
        Binary::Add => Operation::Add,
        Binary::Sub => Operation::Sub,
        Binary::Mul => Operation::Mul,
        Binary::Div => Operation::Div,
        Binary::Minimum | Binary::Maximum => return None,
    })
}

/// The shapes that networks combine: equal ones, and a per-channel operand on the right.
/// Whether it was one of them.
fn fast(
    operation: Operation,
    a: &[f32],
    (b, b_shape): (&[f32], &[usize]),
    shape: &[usize],
    out: &mut [f32],
) -> bool {
    if a.len() != shape.iter().product::<usize>() {
        return false;
    }
    if b.len() == a.len() {
        elementwise::combine(operation, a, b, out);
        return true;
    }
    // The dimensions of b that are not 1 must be neighbours: [.., c.., 1..].
    let trailing = b_shape.iter().rev().take_while(|&&dim| dim == 1).count();
    let Some(kept) = b_shape.len().checked_sub(trailing) else { return false };
    let (Some(core), Some(beyond)) = (b_shape.get(..kept), shape.get(shape.len() - trailing..))
    else {
        return false;
    };
    let leading = core.iter().take_while(|&&dim| dim == 1).count();
    let core = core.get(leading..).unwrap_or_default();
    let end = shape.len() - trailing;
    if core.is_empty() || shape.get(end - core.len()..end) != Some(core) {
        return false;
    }
    let inner: usize = beyond.iter().product();
    if inner == 1 {
        elementwise::combine_row(operation, a, b, out);
    } else {
        elementwise::combine_inner(operation, a, b, inner, out);
    }
    true
}

//! The operations, one family to a file, as the contract's `ops` describes them.
//!
//! Each checks its arguments and infers the result's shape, reserves what it
//! needs, and calls a kernel. Checks on argument types that several share are here.

mod attend;
mod combine;
mod convert;
mod convolve;
mod create;
mod join;
mod layout;
mod map;
mod multiply;
mod normalize;
mod pad;
mod reduce;
mod resize;
mod rotate;
mod select;
mod sort;

use crate::error::{invalid, unsupported};
use crate::{ComputeError, DType, Tensor};

/// Checks that a tensor is of a float type that is computed in.
fn float(operation: &'static str, name: &'static str, x: &Tensor) -> Result<(), ComputeError> {
    match x.dtype() {
        dtype if dtype.is_float() => Ok(()),
        dtype if dtype.is_integer() => {
            Err(invalid(operation, format!("{name} is {dtype}, but a float type is expected")))
        }
        dtype => Err(unsupported(operation, name, dtype)),
    }
}

/// Checks that a weight is of a float type, `f8` included.
fn weight(operation: &'static str, name: &'static str, x: &Tensor) -> Result<(), ComputeError> {
    match x.dtype() {
        DType::F8E4M3 | DType::F8E5M2 => Ok(()),
        _ => float(operation, name, x),
    }
}

/// Checks that a tensor is of a type that is computed in, integer or float.
fn number(operation: &'static str, name: &'static str, x: &Tensor) -> Result<(), ComputeError> {
    if x.dtype().is_float() || x.dtype().is_integer() {
        Ok(())
    } else {
        Err(unsupported(operation, name, x.dtype()))
    }
}

/// Checks that each element of a tensor has its own bytes.
fn dense(operation: &'static str, name: &'static str, x: &Tensor) -> Result<(), ComputeError> {
    if x.dtype().is_quantized() { Err(unsupported(operation, name, x.dtype())) } else { Ok(()) }
}

/// Checks that two operands are of one type.
fn same_type(operation: &'static str, a: &Tensor, b: &Tensor) -> Result<(), ComputeError> {
    if a.dtype() == b.dtype() {
        return Ok(());
    }
    let (a, b) = (a.dtype(), b.dtype());
    Err(invalid(operation, format!("the operands are {a} and {b}, but one dtype is expected")))
}

/// Checks that a tensor of one element per channel is there and fits.
fn per_channel(
    operation: &'static str,
    name: &'static str,
    tensor: Option<&Tensor>,
    channels: usize,
) -> Result<(), ComputeError> {
    let Some(tensor) = tensor else { return Ok(()) };
    weight(operation, name, tensor)?;
    if tensor.shape() == [channels] {
        return Ok(());
    }
    let shape = tensor.shape();
    Err(invalid(operation, format!("{name} has shape {shape:?}, but [{channels}] is expected")))
}

/// Checks that a tensor has so many dimensions, and gives them.
fn dimensions<const N: usize>(
    operation: &'static str,
    name: &'static str,
    tensor: &Tensor,
    expected: &'static str,
) -> Result<[usize; N], ComputeError> {
    tensor.shape().try_into().map_err(|_| {
        let shape = tensor.shape();
        invalid(operation, format!("{name} has shape {shape:?}, but {expected} is expected"))
    })
}

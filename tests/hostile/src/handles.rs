//! Handles that are too many, too old, or somebody else's.
//!
//! Rust's own types would not allow most of this. [`from_handle`] of the generated bindings makes
//! any number a handle, which is all that a hostile guest in any language has to do.
//!
//! [`from_handle`]: berth_sdk::bindings::berth::node::tensors::Tensor::from_handle

use std::mem::forget;

use berth_sdk::bindings::berth::node::{models, tensors, types, values};
use berth_sdk::prelude::*;

/// A tensor of one byte.
fn raw() -> Result<tensors::Tensor> {
    Ok(tensors::full(types::Dtype::U8, &[1], 0.0)?)
}

/// A tensor handle of any number.
fn forged(index: u32) -> tensors::Tensor {
    // SAFETY: a number is all that a handle is in here, and nothing in this component's own memory
    // hangs on it. That the host notices is what its cases show.
    unsafe { tensors::Tensor::from_handle(index) }
}

/// Makes handles until it gets no more: of new tensors, or `shared` ones of the same.
#[node(category = "hostile", output_node)]
pub fn hoard(shared: bool) -> Result<()> {
    let first = Tensor::zeros(DType::U8, &[1])?;
    loop {
        forget(if shared { first.clone() } else { Tensor::zeros(DType::U8, &[1])? });
    }
}

/// Fills its quota, and panics with all of it in hand.
#[node(category = "hostile", output_node)]
pub fn fill_and_panic() -> Result<()> {
    let mut held = Vec::new();
    while let Ok(tensor) = Tensor::zeros(DType::U8, &[1 << 20]) {
        held.push(tensor);
    }
    panic!("with {} tensors in hand", held.len());
}

/// Lends the host one tensor very often in one call.
#[node(category = "hostile")]
pub fn lend_often(#[input(min = 1)] times: usize) -> Result<Tensor> {
    let tensor = Tensor::full(DType::U8, &[1], 7.0)?;
    Tensor::concat(&vec![&tensor; times], 0)
}

/// Uses a tensor that it dropped, or drops it `again`.
#[node(category = "hostile", output_node)]
pub fn use_dropped(again: bool) -> Result<()> {
    let tensor = raw()?;
    let dropped = forged(tensor.handle());
    drop(tensor);
    if again {
        drop(dropped);
    } else {
        dropped.dtype();
        forget(dropped);
    }
    Ok(())
}

/// Uses a handle that nobody gave it.
#[node(category = "hostile", output_node)]
pub fn forge(index: u32) -> Result<()> {
    let tensor = forged(index);
    tensor.dtype();
    forget(tensor);
    Ok(())
}

/// Says that a model is a tensor: as an operand, or as its `output`.
#[node(category = "hostile")]
pub fn confuse(label: String, output: bool) -> Result<Tensor> {
    let model = models::Model::open("checkpoints", &label)?;
    let disguised = forged(model.take_handle());
    if !output {
        disguised.dtype();
    }
    Ok(disguised.into())
}

/// Gives an object away in the same call that it lends it for.
#[node(category = "hostile", output_node)]
pub fn lend_and_give() -> Result<()> {
    let object = values::Object::create("LENT", Vec::new())?;
    // SAFETY: as above.
    let given = unsafe { values::Object::from_handle(object.handle()) };
    let field = values::NamedValue { name: "itself".into(), value: values::Value::Object(given) };
    object.replace(vec![field])?;
    Ok(())
}

/// Returns one tensor twice: by one handle, or by two that it `shared`.
#[node(category = "hostile", outputs("first", "second"))]
pub fn twice(shared: bool) -> Result<(Tensor, Tensor)> {
    let tensor = tensors::full(types::Dtype::U8, &[1 << 20], 1.0)?;
    let second = if shared { tensor.share() } else { forged(tensor.handle()) };
    Ok((tensor.into(), second.into()))
}

/// Makes many clones of one tensor, and says so while it has them.
#[node(category = "hostile", output_node)]
pub fn clone_often(#[input(min = 0)] times: usize) -> Result<()> {
    let tensor = Tensor::zeros(DType::U8, &[1 << 20])?;
    let clones = vec![tensor; times];
    context::progress(clones.len(), times);
    Ok(())
}

/// Reads a tensor over and over, and says whether it ever read something else than at first.
#[node(category = "hostile")]
pub fn read_often(tensor: Tensor, #[input(min = 1)] times: usize) -> Result<bool> {
    let first = tensor.read_bytes()?;
    for _ in 0..times {
        // Once from where it is, and once through an operation, which wants it on the device.
        if tensor.read_bytes()? != first || tensor.affine(1.0, 0.0)?.read_bytes()? != first {
            return Ok(false);
        }
    }
    Ok(true)
}

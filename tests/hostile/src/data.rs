//! What is passed to the host by value.

use berth_sdk::bindings::berth::node::{tensors, types};
use berth_sdk::prelude::*;

/// Passes many bytes in one call: for a `tensor`, in a `text`, or as its `output`.
#[node(category = "hostile")]
pub fn pass_much(#[input(min = 0)] bytes: usize, how: String) -> Result<Any> {
    let data = vec![b'x'; bytes];
    match how.as_str() {
        "tensor" => {
            let tensor = tensors::from_bytes(types::Dtype::U8, &[bytes as u32], &data)?;
            Ok(Any(Tensor::from(tensor).into()))
        }
        "text" => {
            context::log(context::Level::Info, &String::from_utf8_lossy(&data));
            Ok(Any(true.into()))
        }
        _ => Ok(Any(Value::Bytes(data))),
    }
}

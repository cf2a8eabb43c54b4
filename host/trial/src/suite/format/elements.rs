//! Numbers, shapes and types of elements, of what is given and of what is expected.

use berth_compute::DType;
use berth_sandbox::reading::mistake;
use berth_sandbox::text::{nearest, plain};
use serde::de::{Deserialize, Deserializer};

use crate::array::{dtype, dtype_names};

/// Most numbers of one `data`.
const MOST_NUMBERS: usize = 1 << 16;

pub(super) fn numbers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<f64>>, D::Error> {
    let numbers = Vec::<f64>::deserialize(deserializer)?;
    if numbers.len() > MOST_NUMBERS {
        let message = format!("there are {} numbers, more than {MOST_NUMBERS}", numbers.len());
        return Err(mistake(message, "put them into a file: file = \"x.npy\""));
    }
    Ok(Some(numbers))
}

/// What is too large for this machine is too large for any: the shape is refused by its product.
pub(super) fn dimensions<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<usize>>, D::Error> {
    let shape = Vec::<u64>::deserialize(deserializer)?;
    Ok(Some(shape.into_iter().map(|dim| usize::try_from(dim).unwrap_or(usize::MAX)).collect()))
}

pub(super) fn element_type<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<DType>, D::Error> {
    let name = String::deserialize(deserializer)?;
    if let Some(dtype) = dtype(&name) {
        return Ok(Some(dtype));
    }
    let message = format!("`{}` is no type of elements", plain(&name));
    let near = match name.as_str() {
        "float32" | "float" => Some("f32"),
        "float16" | "half" => Some("f16"),
        "bfloat16" => Some("bf16"),
        "float64" | "double" => Some("f64"),
        "uint8" | "bool" => Some("u8"),
        "int32" | "int" => Some("i32"),
        "int64" | "long" => Some("i64"),
        other => nearest(other, dtype_names()),
    };
    Err(match near {
        Some(near) => mistake(message, format_args!("did you mean `{near}`?")),
        None => mistake(message, "there are: u8, u32, i32, i64, f16, bf16, f32, f64, …"),
    })
}

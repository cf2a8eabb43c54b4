//! What travels on the wires that the contract gives a meaning (`wit/values.wit`), and how a
//! tensor gets onto one.

use std::sync::Arc;

use berth_compute::{Compute, ComputeError, DType, Scope};
use berth_sandbox::{Object, Value};

use crate::array::Array;
use crate::fault::Fault;

/// Types of wires that carry plain values.
const PLAIN: [&str; 5] = ["BOOLEAN", "INT", "FLOAT", "STRING", "COMBO"];

/// Types of wires whose objects have functions, so that nobody can write one down.
const LIVING: [&str; 3] = ["MODEL", "CLIP", "VAE"];

/// Whether some of these wires carry more than plain values.
pub(crate) fn carries_tensors(types: &[String]) -> bool {
    types.iter().any(|name| !PLAIN.contains(&name.as_str()))
}

/// Whether the contract says what is on a wire.
pub(crate) fn is_known(wire: &str) -> bool {
    let others = ["IMAGE", "MASK", "LATENT", "CONDITIONING"];
    PLAIN.contains(&wire) || LIVING.contains(&wire) || others.contains(&wire)
}

/// The wire that a tensor of this type and shape fits, of these.
pub(crate) fn fit<'a>(
    types: &'a [String],
    dtype: DType,
    shape: &[usize],
) -> Result<&'a str, Fault> {
    let mut first = None;
    for name in types.iter().filter(|name| !PLAIN.contains(&name.as_str())) {
        match check_tensor(name, dtype, shape) {
            Ok(()) => return Ok(name),
            Err(fault) => first = first.or(Some(fault)),
        }
    }
    Err(first.unwrap_or_else(|| Fault::new(format!("{} is no tensor", types.join(" or ")))))
}

fn check_tensor(wire: &str, dtype: DType, shape: &[usize]) -> Result<(), Fault> {
    let (rank, is) = match wire {
        "IMAGE" => (4, "IMAGE is f32 [batch, height, width, channels], 0…1"),
        "MASK" => (3, "MASK is f32 [batch, height, width], 0…1"),
        "CONDITIONING" => return Err(Fault::new("CONDITIONING is an object, not one tensor")),
        living if LIVING.contains(&living) => {
            return Err(Fault::new(format!(
                "{living} has functions of a plugin: only a node can give one"
            )));
        }
        _ => return Ok(()),
    };
    if dtype == DType::F32 && shape.len() == rank {
        return Ok(());
    }
    let fault = Fault::new(format!("{is}, and this is {dtype} {shape:?}"));
    let short = shape.len().checked_add(1) == Some(rank);
    Err(match (dtype, short) {
        (DType::U8, _) => fault.hint(
            "nothing is converted in silence: save numpy.float32(x) / 255, or give an image file",
        ),
        (DType::F32, true) => {
            let whole: Vec<usize> = std::iter::once(1).chain(shape.iter().copied()).collect();
            fault.hint(format!("the batch is missing: {whole:?}, which is x[None] in NumPy"))
        }
        (DType::F32, false) => fault,
        _ => fault.hint("convert it first, as in x.astype('<f4')"),
    })
}

/// A tensor on the wire that it fits, of these.
pub(crate) fn value(
    wire: &str,
    array: Array,
    compute: &Compute,
    scope: &Scope,
) -> Result<Value, ComputeError> {
    let tensor = Value::Tensor(array.tensor(compute, scope)?);
    Ok(match wire {
        "LATENT" => Value::Object(Arc::new(Object::new(wire, vec![("samples".into(), tensor)]))),
        _ => tensor,
    })
}

/// An image file's pixels as one of these wires has them.
pub(crate) fn of_image(types: &[String], image: Array) -> Result<Array, Fault> {
    let has = |wanted: &str| types.iter().any(|name| name == wanted);
    if has("IMAGE") || has("*") {
        return Ok(image);
    }
    if has("MASK") {
        return red(&image);
    }
    if has("LATENT") {
        return Err(Fault::new("a LATENT is what a VAE makes of an image, not the image")
            .hint("give the tensor `samples` as .npy or .safetensors"));
    }
    Ok(image)
}

/// The first channel of an image, as [batch, height, width].
fn red(image: &Array) -> Result<Array, Fault> {
    let [batch, height, width, channels] = *image.shape else {
        return Err(Fault::new(format!("an image has four dimensions, and this is {image}")));
    };
    let size = channels.saturating_mul(size_of::<f32>()).max(1);
    let pixels = image.bytes.chunks_exact(size);
    let bytes = pixels.filter_map(|pixel| pixel.first_chunk::<4>()).flatten().copied().collect();
    Ok(Array { dtype: image.dtype, shape: vec![batch, height, width], bytes })
}

/// Whether a value is what its wire says, as far as the contract says what is on it.
pub(crate) fn check(wire: &str, value: &Value) -> Result<(), String> {
    let is = |fine: bool, wanted: &str| {
        if fine { Ok(()) } else { Err(format!("{wire} is {wanted}, and this is {}", kind(value))) }
    };
    match wire {
        "BOOLEAN" => is(matches!(value, Value::Boolean(_)), "a boolean"),
        "INT" => is(matches!(value, Value::Integer(_)), "an integer"),
        "FLOAT" => is(matches!(value, Value::Number(_)), "a number"),
        "STRING" | "COMBO" => is(matches!(value, Value::Text(_)), "a text"),
        "IMAGE" | "MASK" => match value {
            Value::Tensor(tensor) => {
                check_tensor(wire, tensor.dtype(), tensor.shape()).map_err(|fault| fault.message)
            }
            _ => is(false, "a tensor"),
        },
        "LATENT" | "CONDITIONING" | "MODEL" | "CLIP" | "VAE" => {
            let object = matches!(value, Value::Object(object) if object.type_name == wire);
            is(object, "an object of that type")
        }
        _ => Ok(()),
    }
}

/// What a value is, in a few words.
pub(crate) fn kind(value: &Value) -> String {
    let plain = |text: &str| berth_sandbox::text::plain(text).into_owned();
    match value {
        Value::Boolean(value) => format!("the boolean {value}"),
        Value::Integer(value) => format!("the integer {value}"),
        Value::Number(value) => format!("the number {value}"),
        Value::Text(text) => format!("the text {:?}", plain(text)),
        Value::Bytes(bytes) => format!("{} bytes", bytes.len()),
        Value::Tensor(tensor) => format!("a tensor {} {:?}", tensor.dtype(), tensor.shape()),
        Value::Model(model) => format!("the model {}", plain(model.label())),
        Value::Function(function) => format!("the function {}", plain(function.name())),
        Value::Object(object) => format!("an object {}", plain(&object.type_name)),
        Value::Items(list) => format!("a list of {}", list.items.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn bytes_are_no_image_and_nobody_makes_them_one() {
        let fault = fit(&types(&["IMAGE"]), DType::U8, &[1, 2, 2, 3]).unwrap_err();
        assert_eq!(
            fault.message,
            "IMAGE is f32 [batch, height, width, channels], 0…1, and this is u8 [1, 2, 2, 3]"
        );
        assert!(fault.hint.unwrap().contains("/ 255"));
        let fault = fit(&types(&["IMAGE"]), DType::F32, &[2, 2, 3]).unwrap_err();
        assert!(fault.hint.unwrap().contains("x[None]"));
    }

    #[test]
    fn the_first_wire_that_fits_is_taken() {
        let both = types(&["IMAGE", "MASK"]);
        assert_eq!(fit(&both, DType::F32, &[1, 2, 2, 3]), Ok("IMAGE"));
        assert_eq!(fit(&both, DType::F32, &[1, 2, 2]), Ok("MASK"));
        assert_eq!(fit(&types(&["INT", "LATENT"]), DType::F16, &[1]), Ok("LATENT"));
        assert_eq!(fit(&types(&["*"]), DType::U8, &[]), Ok("*"));
        let model = fit(&types(&["MODEL"]), DType::F32, &[]).unwrap_err();
        assert!(model.message.contains("only a node can give one"));
    }

    #[test]
    fn a_mask_of_an_image_is_its_red() {
        let image = Array::of_numbers(DType::F32, &[1, 1, 2, 3], &[1., 2., 3., 4., 5., 6.]);
        let mask = of_image(&types(&["MASK"]), image.unwrap()).unwrap();
        assert_eq!(mask, Array::of_numbers(DType::F32, &[1, 1, 2], &[1., 4.]).unwrap());
    }
}

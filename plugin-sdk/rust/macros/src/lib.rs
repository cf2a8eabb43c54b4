//! The macros of `berth-sdk`, which documents and re-exports them.
//!
//! They only turn syntax into calls of `berth_sdk::ports` and `berth_sdk::plugin`.
//! What a type can be, and which options its port has, is the trait system's to decide,
//! so that the compiler points at the type or the option that is wrong.

mod choice;
mod docs;
mod node;
mod plugin;

use proc_macro::TokenStream;
use syn::{DeriveInput, ItemFn, parse_macro_input};

/// Makes a node of a function.
///
/// Each parameter is an input of its name, and the elements of the returned `Result`
/// are the outputs. The function's doc comment is the node's description, a
/// parameter's doc comment the input's tooltip. The function stays what it is.
///
/// ```
/// use berth_sdk::prelude::*;
/// use berth_sdk::plugin::Node as _;
///
/// /// Brightens or darkens images.
/// #[node(category = "image/adjust", outputs("IMAGE" = "The images, multiplied."))]
/// fn image_gain(
///     image: Image,
///     /// 1 leaves them as they are.
///     #[input(default = 1.0, min = 0.0, max = 8.0, step = 0.05)]
///     gain: f64,
/// ) -> Result<Image> {
///     Image::new((&*image * gain)?.clamp(0.0, 1.0)?)
/// }
///
/// assert_eq!(image_gain::describe().name, "ImageGain");
/// ```
///
/// Arguments of `#[node]`:
///
/// | argument | meaning |
/// |---|---|
/// | `category = "image/adjust"` | where a client lists it; required |
/// | `name = "VAEDecode"` | its name in workflows; otherwise the function's in CamelCase |
/// | `display_name = "VAE Decode"` | what a client shows; otherwise the function's words |
/// | `outputs("IMAGE" = "tooltip", "MASK")` | names of the outputs; otherwise their types |
/// | `passes("IMAGE" = "image")` | an output that is an input, untouched: it has the type of what is linked there |
/// | `aliases("blur", "soften")` | other words that a search finds it by |
/// | `output_node` | it runs for its effect |
/// | `deprecated`, `experimental` | what a client says of it |
/// | `needs = path` | `fn(&Fields) -> Result<Vec<String>>`: the lazy inputs it still needs |
/// | `fingerprint = path` | `fn(&Fields) -> Result<String>`: changes when it must run again; an error: each time |
/// | `validate = path` | `fn(&Fields) -> Result<Option<String>>`: what is wrong with constant inputs |
///
/// Arguments of `#[input]` are the methods of the parameter's port (`berth_sdk::ports`):
/// `default`, `min`, `max`, `step`, `seed`, `multiline`, `choices`, `models`, `images`;
/// and `name = "…"`, where the workflow's name is no Rust name, and `lazy`, for an
/// `Option` that is computed only when `needs` asks for it.
#[proc_macro_attribute]
pub fn node(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    node::expand(arguments.into(), function).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a choice of an enum without data: its variants are the options, named by the
/// variant in snake_case or by `#[choice("name")]`.
#[proc_macro_derive(Choice, attributes(choice))]
pub fn choice(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    choice::expand(&item).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a component of a crate, once, in its `lib.rs`:
///
/// ```
/// # mod blur {
/// #     use berth_sdk::prelude::*;
/// #     /// Does nothing.
/// #     #[node(category = "image")]
/// #     pub fn image_blur(image: Image) -> Result<Image> { Ok(image) }
/// #     pub fn apply(_: Fields, arguments: Fields) -> Result<Fields> { Ok(arguments) }
/// #     pub fn weigh(_: Fields, arguments: Fields) -> Result<Fields> { Ok(arguments) }
/// # }
/// berth_sdk::plugin! {
///     nodes: [blur::image_blur],
///     functions: [blur::apply, blur::weigh as "blur-weigh"],
/// }
/// # fn main() {}
/// ```
///
/// `functions` are the `fn(captures: Fields, arguments: Fields) -> Result<Fields>` behind
/// function values; `Function::create` names them as this list does. It defines
/// `Component`, whose table of nodes a test can read.
#[proc_macro]
pub fn plugin(parts: TokenStream) -> TokenStream {
    let parts = parse_macro_input!(parts as plugin::Parts);
    plugin::expand(&parts).into()
}

//! The nodes of this plugin.

use berth_sdk::prelude::*;

/// Turns an image into its negative.
#[node(name = "Negative", category = "image")]
fn negative(
    /// What to invert.
    image: Image,
    /// 0 leaves the image as it is, 1 inverts all of it.
    #[input(default = 1.0, min = 0.0, max = 1.0, step = 0.01)]
    strength: f64,
) -> Result<Image> {
    let inverted = (1.0 - &*image)?;
    Image::new(((&*image * (1.0 - strength))? + (&inverted * strength)?)?)
}

plugin! { nodes: [negative] }

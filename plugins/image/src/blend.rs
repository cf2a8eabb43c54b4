//! Two images as one. The modes are those of the W3C's Compositing and Blending,
//! with a difference that keeps its sign until the result is limited to 0…1.

use berth_sdk::Crop;
use berth_sdk::prelude::*;

use crate::make::with_alpha_of;
use crate::scale::{Method, resize};

/// How two values become one.
#[derive(Clone, Copy, Debug, PartialEq, Choice)]
pub enum Mode {
    Normal,
    Multiply,
    Screen,
    Overlay,
    SoftLight,
    Difference,
}

/// Blends an image into another, which keeps its size and transparency.
#[node(display_name = "Blend Images", category = "image/filters", aliases("mix images"))]
pub fn image_blend(
    image1: Image,
    image2: Image,
    /// The second image's share.
    #[input(default = 0.5, min = 0.0, max = 1.0, step = 0.01)]
    blend_factor: f64,
    blend_mode: Mode,
) -> Result<Image> {
    let [_, height, width, channels] = image1.size()?;
    let mut second = with_channels(&image2, channels)?;
    if second.size()?[1..3] != [height, width] {
        second = resize(&second, height, width, Method::Bicubic, Crop::Center)?;
    }
    let blended = blend(&image1, &second, blend_mode)?;
    let blended = ((&*image1 * (1.0 - blend_factor))? + (blended * blend_factor)?)?;
    let blended = blended.clamp(0.0, 1.0)?;
    Image::new(if channels == 4 { with_alpha_of(&blended, &image1)? } else { blended })
}

/// An image with as many channels as another: without its transparency, or opaque.
fn with_channels(image: &Image, channels: usize) -> Result<Image> {
    let [.., own] = image.size()?;
    if own > channels {
        return Image::new(image.slice(-1, ..channels)?);
    }
    if (own, channels) == (3, 4) {
        let beside = [(0, 0), (0, 0), (0, 0), (0, 1)];
        return Image::new(image.pad(&beside, Padding::Constant(1.0))?);
    }
    Ok(image.clone())
}

fn blend(a: &Tensor, b: &Tensor, mode: Mode) -> Result<Tensor> {
    match mode {
        Mode::Normal => Ok(b.clone()),
        Mode::Multiply => a * b,
        Mode::Screen => screen(a, b, 1.0),
        Mode::Overlay => {
            let dark = ((a * 2.0)? * b)?;
            at_most(a, 0.5)?.choose(&dark, &screen(a, b, 2.0)?)
        }
        Mode::SoftLight => {
            let darker = (a - (((1.0 - (b * 2.0)?)? * a)? * (1.0 - a)?)?)?;
            let lighter = (a + (((b * 2.0)? - 1.0)? * (lit(a)? - a)?)?)?;
            at_most(b, 0.5)?.choose(&darker, &lighter)
        }
        Mode::Difference => a - b,
    }
}

/// 1 − strength·(1 − a)·(1 − b).
fn screen(a: &Tensor, b: &Tensor, strength: f64) -> Result<Tensor> {
    1.0 - (((1.0 - a)? * strength)? * (1.0 - b)?)?
}

/// What full light makes of a value: a curve in the shadows, the root above.
fn lit(a: &Tensor) -> Result<Tensor> {
    let shadow = ((((((a * 16.0)? - 12.0)? * a)? + 4.0)?) * a)?;
    at_most(a, 0.25)?.choose(&shadow, &a.sqrt()?)
}

/// 1 where a value is at most `limit`.
fn at_most(a: &Tensor, limit: f64) -> Result<Tensor> {
    a.le(&Tensor::full(a.dtype(), &[], limit)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_those_of_workflows() {
        let names = ["normal", "multiply", "screen", "overlay", "soft_light", "difference"];
        assert_eq!(Mode::NAMES, names);
    }
}

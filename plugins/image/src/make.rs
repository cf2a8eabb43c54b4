//! Images out of nothing, and their negatives.

use berth_sdk::prelude::*;

/// Makes images of one color.
#[node(category = "image")]
pub fn empty_image(
    #[input(default = 512, min = 1, max = 16384, step = 1)] width: usize,
    #[input(default = 512, min = 1, max = 16384, step = 1)] height: usize,
    #[input(default = 1, min = 1, max = 4096)] batch_size: usize,
    /// Red, green and blue as 0xRRGGBB.
    #[input(default = 0, min = 0, max = 0xFF_FFFF, step = 1)]
    color: u32,
) -> Result<Image> {
    let pixel = Tensor::from_f32(&[1, 1, 1, 3], &channels(color))?;
    Image::new(pixel.broadcast(&[batch_size, height, width, 3])?)
}

/// Red, green and blue, 0…1.
fn channels(color: u32) -> [f32; 3] {
    let [_, channels @ ..] = color.to_be_bytes();
    channels.map(|channel| (f64::from(channel) / 255.0) as f32)
}

/// Makes the negative of images. Transparency stays.
#[node(display_name = "Invert Image Colors", category = "image/color", aliases("reverse colors"))]
pub fn image_invert(image: Image) -> Result<Image> {
    let [.., channels] = image.size()?;
    let negative = (1.0 - &*image)?;
    Image::new(if channels == 4 { with_alpha_of(&negative, &image)? } else { negative })
}

/// The colors of one RGBA image with the transparency of another.
pub fn with_alpha_of(colors: &Tensor, alpha: &Tensor) -> Result<Tensor> {
    Tensor::concat(&[&colors.slice(-1, ..3)?, &alpha.slice(-1, 3..4)?], -1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_is_red_green_and_blue() {
        assert_eq!(channels(0xFF_0000), [1.0, 0.0, 0.0]);
        assert_eq!(channels(0x00_33FF), [0.0, 0.2, 1.0]);
        assert_eq!(channels(0xAB00_0000), [0.0; 3]);
    }
}

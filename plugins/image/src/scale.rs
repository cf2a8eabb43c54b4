//! Images in another size.

use berth_sdk::prelude::*;
use berth_sdk::{Crop, keep_aspect};

/// How an image is resampled.
#[derive(Clone, Copy, Debug, PartialEq, Choice)]
pub enum Method {
    #[choice("nearest-exact")]
    NearestExact,
    Bilinear,
    Area,
    Bicubic,
    Lanczos,
}

/// Scales images to a size.
#[node(
    display_name = "Upscale Image",
    category = "image/upscaling",
    aliases("resize image", "scale image", "change size")
)]
pub fn image_scale(
    image: Image,
    upscale_method: Method,
    /// 0 keeps the aspect ratio.
    #[input(default = 512, min = 0, max = 16384, step = 1)]
    width: usize,
    /// 0 keeps the aspect ratio.
    #[input(default = 512, min = 0, max = 16384, step = 1)]
    height: usize,
    /// "center" cuts off what the aspect ratio leaves no place for; "disabled" stretches.
    crop: Crop,
) -> Result<Image> {
    let [_, old_height, old_width, _] = image.size()?;
    match size((height, width), (old_height, old_width)) {
        Some((height, width)) => resize(&image, height, width, upscale_method, crop),
        None => Ok(image),
    }
}

/// Scales images by a factor.
#[node(display_name = "Upscale Image By", category = "image/upscaling")]
pub fn image_scale_by(
    image: Image,
    upscale_method: Method,
    #[input(default = 1.0, min = 0.01, max = 8.0, step = 0.01)] scale_by: f64,
) -> Result<Image> {
    let [_, height, width, _] = image.size()?;
    let scaled = |length: usize| (length as f64 * scale_by).round_ties_even() as usize;
    resize(&image, scaled(height), scaled(width), upscale_method, Crop::Disabled)
}

/// The (height, width) that is asked for, where a 0 follows the image's aspect ratio;
/// nothing where both are 0.
fn size(asked: (usize, usize), image: (usize, usize)) -> Option<(usize, usize)> {
    match asked {
        (0, 0) => None,
        (height, 0) => Some((height, keep_aspect(image.1, image.0, height).max(1))),
        (0, width) => Some((keep_aspect(image.0, image.1, width).max(1), width)),
        both => Some(both),
    }
}

/// Images in another size.
pub fn resize(
    image: &Tensor,
    height: usize,
    width: usize,
    method: Method,
    crop: Crop,
) -> Result<Image> {
    let mut planes = image.permute(&[0, 3, 1, 2])?;
    if crop == Crop::Center {
        planes = planes.crop_to_aspect(height, width)?;
    }
    let sampling = match method {
        Method::NearestExact => Sampling::NearestExact,
        Method::Bilinear => Sampling::Bilinear,
        Method::Area => Sampling::Area,
        Method::Bicubic => Sampling::Bicubic,
        Method::Lanczos => Sampling::Lanczos,
    };
    let mut scaled = planes.interpolate(height, width, sampling)?;
    if method == Method::Lanczos {
        // The other methods keep what they overshoot, as workflows expect.
        scaled = scaled.clamp(0.0, 1.0)?;
    }
    Image::new(scaled.permute(&[0, 2, 3, 1])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_follows_the_aspect_ratio() {
        assert_eq!(size((0, 0), (30, 40)), None);
        assert_eq!(size((60, 0), (30, 40)), Some((60, 80)));
        assert_eq!(size((0, 60), (30, 40)), Some((45, 60)));
        assert_eq!(size((7, 9), (30, 40)), Some((7, 9)));
        assert_eq!(size((1, 0), (1000, 1)), Some((1, 1)));
    }

    #[test]
    fn the_options_are_those_of_workflows() {
        assert_eq!(Method::NAMES, ["nearest-exact", "bilinear", "area", "bicubic", "lanczos"]);
        assert_eq!(Crop::NAMES, ["disabled", "center"]);
    }
}

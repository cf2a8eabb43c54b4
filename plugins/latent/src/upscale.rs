//! Latents in another size.

use berth_sdk::prelude::*;
use berth_sdk::{Crop, keep_aspect};

use crate::bislerp::bislerp;

/// Pixels along a side of one element of a latent.
const PIXELS: usize = 8;

/// The smallest side that a latent is scaled to, in pixels.
const SMALLEST: usize = 64;

/// How a latent is resampled.
#[derive(Clone, Copy, Debug, PartialEq, Choice)]
pub enum Method {
    #[choice("nearest-exact")]
    NearestExact,
    Bilinear,
    Area,
    Bicubic,
    Bislerp,
}

/// Scales latents to a size in pixels.
#[node(
    display_name = "Upscale Latent",
    category = "model/latent",
    aliases("resize latent", "enlarge latent")
)]
pub fn latent_upscale(
    samples: Latent,
    upscale_method: Method,
    /// 0 keeps the aspect ratio.
    #[input(default = 512, min = 0, max = 16384, step = 8)]
    width: usize,
    /// 0 keeps the aspect ratio.
    #[input(default = 512, min = 0, max = 16384, step = 8)]
    height: usize,
    /// "center" cuts off what the aspect ratio leaves no place for; "disabled" stretches.
    crop: Crop,
) -> Result<Latent> {
    let latents = samples.samples()?;
    let [_, _, old_height, old_width] = latents.dims()?;
    let Some((height, width)) = pixels((height, width), (old_height, old_width)) else {
        return Ok(samples);
    };
    let (height, width) = (height / PIXELS, width / PIXELS);
    let latents = match crop {
        Crop::Disabled => latents,
        Crop::Center => latents.crop_to_aspect(height, width)?,
    };
    samples.with_samples(resize(&latents, height, width, upscale_method)?)
}

/// Scales latents by a factor.
#[node(
    display_name = "Upscale Latent By",
    category = "model/latent",
    aliases("resize latent", "enlarge latent", "scale latent")
)]
pub fn latent_upscale_by(
    samples: Latent,
    upscale_method: Method,
    #[input(default = 1.5, min = 0.01, max = 8.0, step = 0.01)] scale_by: f64,
) -> Result<Latent> {
    let latents = samples.samples()?;
    let [_, _, height, width] = latents.dims()?;
    let scaled = |length: usize| (length as f64 * scale_by).round_ties_even() as usize;
    samples.with_samples(resize(&latents, scaled(height), scaled(width), upscale_method)?)
}

/// The (height, width) in pixels that is asked for, where a 0 follows the latent's aspect
/// ratio; nothing where both are 0.
fn pixels(asked: (usize, usize), latent: (usize, usize)) -> Option<(usize, usize)> {
    let (height, width) = (asked.0.max(SMALLEST), asked.1.max(SMALLEST));
    match asked {
        (0, 0) => None,
        (_, 0) => Some((height, keep_aspect(latent.1, latent.0, height).max(SMALLEST))),
        (0, _) => Some((keep_aspect(latent.0, latent.1, width).max(SMALLEST), width)),
        _ => Some((height, width)),
    }
}

/// The latents in another size.
pub fn resize(latents: &Tensor, height: usize, width: usize, method: Method) -> Result<Tensor> {
    let sampling = match method {
        Method::NearestExact => Sampling::NearestExact,
        Method::Bilinear => Sampling::Bilinear,
        Method::Area => Sampling::Area,
        Method::Bicubic => Sampling::Bicubic,
        Method::Bislerp => return bislerp_batch(latents, height, width),
    };
    latents.interpolate(height, width, sampling)
}

/// `bislerp`, one latent of the batch at a time: a guest's memory holds no batch.
fn bislerp_batch(latents: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let [batch, channels, old_height, old_width] = latents.dims()?;
    if [channels, old_height, old_width, height, width].contains(&0) {
        return Err(Error::invalid("a latent without elements cannot be scaled"));
    }
    let (old, new) = ([channels, old_height, old_width], [channels, height, width]);
    let mut scaled = Vec::new();
    for index in 0..batch {
        let latent = latents.slice(0, index..index + 1)?.to_f32()?;
        let latent = bislerp(&latent, old, new);
        scaled.push(Tensor::from_f32(&[1, channels, height, width], &latent)?);
    }
    Tensor::concat(&scaled.iter().collect::<Vec<_>>(), 0)?.cast(latents.dtype())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_follows_the_aspect_ratio() {
        assert_eq!(pixels((0, 0), (64, 64)), None);
        assert_eq!(pixels((512, 768), (64, 64)), Some((512, 768)));
        assert_eq!(pixels((512, 0), (64, 96)), Some((512, 768)));
        assert_eq!(pixels((0, 512), (64, 128)), Some((256, 512)));
    }

    #[test]
    fn no_side_becomes_smaller_than_the_smallest() {
        assert_eq!(pixels((8, 8), (64, 64)), Some((64, 64)));
        assert_eq!(pixels((0, 128), (1, 100)), Some((64, 128)));
    }

    #[test]
    fn the_options_are_those_of_workflows() {
        assert_eq!(Method::NAMES, ["nearest-exact", "bilinear", "area", "bicubic", "bislerp"]);
        assert_eq!(Crop::NAMES, ["disabled", "center"]);
    }
}

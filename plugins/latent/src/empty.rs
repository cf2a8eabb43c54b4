//! Latents to begin with.

use berth_sdk::prelude::*;

/// Channels of a latent as most models have them, and pixels along a side of one element.
const CHANNELS: usize = 4;
const PIXELS: usize = 8;

/// Makes a batch of latents without content, for a sampler to fill.
#[node(
    category = "model/latent",
    outputs("LATENT" = "The latents, all zero."),
    aliases("blank latent", "new latent", "create latent")
)]
pub fn empty_latent_image(
    /// Width of the images to come, in pixels.
    #[input(default = 1024, min = 16, max = 16384, step = 8)]
    width: usize,
    /// Height of the images to come, in pixels.
    #[input(default = 1024, min = 16, max = 16384, step = 8)]
    height: usize,
    /// How many latents there are in the batch.
    #[input(default = 1, min = 1, max = 4096)]
    batch_size: usize,
) -> Result<Latent> {
    let shape = [batch_size, CHANNELS, height / PIXELS, width / PIXELS];
    Latent::new(Tensor::zeros(DType::F32, &shape)?)
}

//! Between images and latents.

use berth_sdk::prelude::*;

/// Decodes latents into images.
#[node(
    name = "VAEDecode",
    display_name = "VAE Decode",
    category = "model/latent",
    outputs("IMAGE" = "The decoded images."),
    aliases("decode", "decode latent", "latent to image", "render latent")
)]
pub fn vae_decode(
    /// The latents.
    samples: Latent,
    /// The autoencoder.
    vae: Vae,
) -> Result<Image> {
    let image = vae.decode(&samples.samples()?)?;
    Image::new(image.affine(0.5, 0.5)?.clamp(0.0, 1.0)?)
}

/// Encodes images into latents.
#[node(
    name = "VAEEncode",
    display_name = "VAE Encode",
    category = "model/latent",
    outputs("LATENT" = "The encoded images."),
    aliases("encode", "encode image", "image to latent")
)]
pub fn vae_encode(
    /// The images. Their sides are cropped to whole latent elements.
    pixels: Image,
    /// The autoencoder.
    vae: Vae,
) -> Result<Latent> {
    Latent::new(vae.encode(&pixels.affine(2.0, -1.0)?)?)
}

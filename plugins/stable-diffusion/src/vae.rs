//! The autoencoder between images and latents (Rombach et al. 2022).
//!
//! Images of a batch go through one at a time: at an image's full size the activations are by far
//! the largest tensors of a workflow, and two images at once would not be faster.

use berth_sdk::{AttentionOptions, Error, ModelFile, Padding, Result, Sampling, Tensor, Walk};

use crate::config;
use crate::layers::{Layers, to_image, to_sequence};

/// Added to a group norm's variance.
const EPSILON: f32 = 1e-6;
/// Red, green and blue.
const COLOURS: usize = 3;

/// An autoencoder over a file's weights.
pub struct Vae<'a> {
    config: &'a config::Vae,
    layers: Layers<'a>,
}

impl<'a> Vae<'a> {
    /// The network of this file.
    pub fn new(file: &'a ModelFile, config: &'a config::Vae) -> Self {
        Self { config, layers: Layers::new(file, &config.prefix) }
    }

    /// Latents [b, c, h, w] → images [b, h', w', 3] of −1…1.
    pub fn decode(&self, latents: &Tensor) -> Result<Tensor> {
        one_by_one(latents, |latent| self.decode_one(latent)?.permute(&[0, 2, 3, 1]))
    }

    /// Images [b, h, w, 3] of −1…1 → latents [b, c, h', w'], the means of the encoder's distributions.
    /// An image is cropped about its centre to whole latent elements, and an alpha channel left out.
    pub fn encode(&self, images: &Tensor) -> Result<Tensor> {
        let [_, height, width, channels] = images.dims()?;
        let unit = self.config.downscale();
        let (rows, columns) = (height / unit * unit, width / unit * unit);
        if rows == 0 || columns == 0 || channels < COLOURS {
            return Err(Error::invalid(format!(
                "the VAE encodes images of at least {unit}×{unit} pixels and {COLOURS} channels, not of \
                 {width}×{height} pixels and {channels}"
            )));
        }
        one_by_one(images, |image| {
            let mut image = image.permute(&[0, 3, 1, 2])?;
            for (axis, size, kept) in
                [(1, channels, COLOURS), (2, height, rows), (3, width, columns)]
            {
                if kept < size {
                    let before = if axis == 1 { 0 } else { (size - kept) / 2 };
                    image = image.slice(axis, before..before + kept)?;
                }
            }
            self.encode_one(&image)
        })
    }

    fn decode_one(&self, latent: &Tensor) -> Result<Tensor> {
        let decoder = self.layers.at("decoder");
        let mut h = if self.config.post_quantized {
            let z = self.layers.conv2d("post_quant_conv", latent, Walk::default())?;
            decoder.conv3x3("conv_in", &z)?
        } else {
            decoder.conv3x3("conv_in", latent)?
        };
        h = self.middle(&decoder.at("mid"), h)?;
        for (level, blocks) in self.config.up.iter().enumerate().rev() {
            let layers = decoder.at(format_args!("up.{level}"));
            h = self.blocks(&layers, h, blocks)?;
            if level > 0 {
                let [_, _, height, width] = h.dims()?;
                h = h.interpolate(2 * height, 2 * width, Sampling::Nearest)?;
                h = layers.conv3x3("upsample.conv", &h)?;
            }
        }
        self.out(&decoder, h)
    }

    fn encode_one(&self, image: &Tensor) -> Result<Tensor> {
        let encoder = self.layers.at("encoder");
        let mut h = encoder.conv3x3("conv_in", image)?;
        let last = self.config.down.len().saturating_sub(1);
        for (level, blocks) in self.config.down.iter().enumerate() {
            let layers = encoder.at(format_args!("down.{level}"));
            h = self.blocks(&layers, h, blocks)?;
            if level < last {
                // Padded after, and not before, so that a window's corner is an even pixel.
                h = h.pad(&[(0, 0), (0, 0), (0, 1), (0, 1)], Padding::Constant(0.0))?;
                h = layers.conv2d("downsample.conv", &h, Walk { stride: 2, ..Walk::default() })?;
            }
        }
        h = self.middle(&encoder.at("mid"), h)?;
        h = self.out(&encoder, h)?;
        if self.config.quantized {
            h = self.layers.conv2d("quant_conv", &h, Walk::default())?;
        }
        // The other half is the logarithm of the variance.
        h.slice(1, ..self.config.latent_channels)
    }

    fn norm(&self, layers: &Layers<'_>, name: &str, x: &Tensor) -> Result<Tensor> {
        layers.group_norm(name, x, self.config.groups, EPSILON)
    }

    fn blocks(&self, layers: &Layers<'_>, mut h: Tensor, blocks: &[bool]) -> Result<Tensor> {
        for (block, &shortcut) in blocks.iter().enumerate() {
            h = self.residual(&layers.at(format_args!("block.{block}")), h, shortcut)?;
        }
        Ok(h)
    }

    fn middle(&self, middle: &Layers<'_>, mut h: Tensor) -> Result<Tensor> {
        h = self.residual(&middle.at("block_1"), h, false)?;
        h = self.attention(&middle.at("attn_1"), h)?;
        self.residual(&middle.at("block_2"), h, false)
    }

    fn out(&self, half: &Layers<'_>, mut h: Tensor) -> Result<Tensor> {
        h = self.norm(half, "norm_out", &h)?.silu()?;
        half.conv3x3("conv_out", &h)
    }

    fn residual(&self, block: &Layers<'_>, x: Tensor, shortcut: bool) -> Result<Tensor> {
        let mut h = self.norm(block, "norm1", &x)?.silu()?;
        h = block.conv3x3("conv1", &h)?;
        h = self.norm(block, "norm2", &h)?.silu()?;
        h = block.conv3x3("conv2", &h)?;
        if shortcut { block.conv2d("nin_shortcut", &x, Walk::default())? + h } else { x + h }
    }

    /// Of one head over all places.
    fn attention(&self, layer: &Layers<'_>, x: Tensor) -> Result<Tensor> {
        let [_, channels, height, width] = x.dims()?;
        let h = to_sequence(&self.norm(layer, "norm", &x)?)?;
        let [q, k, v] = ["q", "k", "v"].map(|name| layer.mix(name, &h, channels));
        let h = q?.attention(&k?, &v?, AttentionOptions::heads(1))?;
        x + to_image(&layer.mix("proj_out", &h, channels)?, height, width)?
    }
}

/// The results for each element of a batch, as a batch.
fn one_by_one(batch: &Tensor, each: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let count = batch.dim(0)?;
    if count == 1 {
        return each(batch);
    }
    let results = (0..count)
        .map(|index| each(&batch.slice(0, index..index + 1)?))
        .collect::<Result<Vec<_>>>()?;
    Tensor::concat(&results.iter().collect::<Vec<_>>(), 0)
}

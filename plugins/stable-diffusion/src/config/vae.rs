//! How a checkpoint's autoencoder is built.

use serde::{Deserialize, Serialize};

use super::{Check, Header, Part, divides, metadata};
use crate::error::{Error, Result};

/// The metadata entry of the VAE.
const ENTRY: &str = "config.vae";
/// The scale of Stable Diffusion 1.5's latents.
pub const SCALE: f64 = 0.18215;
/// What the keys begin with: in a checkpoint, and in a file of its own.
const PREFIXES: [&str; 2] = ["first_stage_model.", ""];

/// The autoencoder of latent diffusion (Rombach et al. 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vae {
    /// What all keys begin with.
    pub prefix: String,
    /// Channels of a latent.
    pub latent_channels: usize,
    /// The encoder's residual blocks by level, the largest images first: whether
    /// x is convolved before it is added.
    pub down: Vec<Vec<bool>>,
    /// The decoder's, in the same order.
    pub up: Vec<Vec<bool>>,
    /// Whether the encoder ends in a 1×1 convolution.
    pub quantized: bool,
    /// Whether the decoder begins with one.
    pub post_quantized: bool,
    /// Groups of a group norm.
    pub groups: usize,
    /// A sampler's latent = (the VAE's latent − shift)·scale.
    pub scale: f64,
    /// See `scale`.
    pub shift: f64,
}

#[derive(Deserialize, Default)]
struct Metadata {
    norm_num_groups: Option<usize>,
    act_fn: Option<String>,
    scaling_factor: Option<f64>,
    shift_factor: Option<f64>,
}

impl Vae {
    /// Reads the header of a checkpoint or of a VAE's own file.
    pub fn detect(header: &dyn Header) -> Result<Self> {
        let given: Metadata = metadata(header, ENTRY)?;
        let refused = |problem: String| Error::Metadata { entry: ENTRY, problem };
        if let Some(other) = given.act_fn.filter(|name| name != "silu" && name != "swish") {
            return Err(refused(format!("the `act_fn` {other:?} is not \"silu\"")));
        }
        let scale = given.scaling_factor.unwrap_or(SCALE);
        if !scale.is_normal() {
            return Err(refused(format!(
                "a `scaling_factor` of {scale} leaves nothing of a latent"
            )));
        }
        let prefix = PREFIXES.into_iter().find(|prefix| {
            ["encoder.", "decoder."].iter().any(|start| Part::new(header, *prefix).any(start))
        });
        let part = &Part::new(header, prefix.unwrap_or(PREFIXES[0]));
        if part.any("encoder.down_blocks.") {
            return Err(Error::Family {
                found: "a VAE with the key names of diffusers",
                wanted: "one with those of Stable Diffusion's checkpoints (`encoder.down.0.block.0`)",
            });
        }

        let names = ["decoder.conv_in.weight", "post_quant_conv.weight"];
        let shapes = names.map(|name| part.shape(name).and_then(|shape| shape.get(1).copied()));
        let [by_decoder, by_quantizer] = shapes;
        let latent_channels = by_quantizer.or(by_decoder).unwrap_or_default();
        let groups = given.norm_num_groups.unwrap_or(32);
        let mut half = Half { part, check: Check::new(part), groups };
        let down = half.encoder(latent_channels)?;
        let up = half.decoder(latent_channels)?;

        let (quantized, post_quantized) = (part.any("quant_conv."), part.any("post_quant_conv."));
        if quantized {
            half.check.layer("quant_conv", &[2 * latent_channels, 2 * latent_channels])?;
        }
        if post_quantized {
            half.check.layer("post_quant_conv", &[latent_channels, latent_channels])?;
        }
        half.check.finish("the VAE")?;
        if down.len() != up.len() {
            return Err(Error::Structure(format!(
                "the VAE's encoder has {} levels and its decoder {}",
                down.len(),
                up.len()
            )));
        }
        Ok(Self {
            prefix: part.prefix.clone(),
            latent_channels,
            down,
            up,
            quantized,
            post_quantized,
            groups,
            scale,
            shift: given.shift_factor.unwrap_or(0.0),
        })
    }

    /// Pixels along a side of one latent element.
    pub fn downscale(&self) -> usize {
        1_usize.checked_shl(self.down.len().saturating_sub(1) as u32).unwrap_or(usize::MAX)
    }
}

/// Walks through the encoder and the decoder, and counts their channels.
struct Half<'p> {
    part: &'p Part<'p>,
    check: Check<'p>,
    groups: usize,
}

impl Half<'_> {
    fn encoder(&mut self, latent_channels: usize) -> Result<Vec<Vec<bool>>> {
        let mut channels = self.width("encoder.conv_in");
        self.check.layer("encoder.conv_in", &[channels, 3, 3, 3])?;
        let count = self.part.count("encoder.down.").max(1);
        let mut levels = Vec::new();
        for level in 0..count {
            let name = format!("encoder.down.{level}");
            levels.push(self.blocks(&name, &mut channels)?);
            if level + 1 < count {
                let name = format!("{name}.downsample.conv");
                self.check.layer(&name, &[channels, channels, 3, 3])?;
            }
        }
        self.middle("encoder.mid", channels)?;
        self.check.layer("encoder.norm_out", &[channels])?;
        self.check.layer("encoder.conv_out", &[2 * latent_channels, channels, 3, 3])?;
        Ok(levels)
    }

    fn decoder(&mut self, latent_channels: usize) -> Result<Vec<Vec<bool>>> {
        let mut channels = self.width("decoder.conv_in");
        self.check.layer("decoder.conv_in", &[channels, latent_channels, 3, 3])?;
        self.middle("decoder.mid", channels)?;
        let mut levels = Vec::new();
        for level in (0..self.part.count("decoder.up.").max(1)).rev() {
            let name = format!("decoder.up.{level}");
            levels.push(self.blocks(&name, &mut channels)?);
            if level > 0 {
                let name = format!("{name}.upsample.conv");
                self.check.layer(&name, &[channels, channels, 3, 3])?;
            }
        }
        levels.reverse();
        self.check.layer("decoder.norm_out", &[channels])?;
        self.check.layer("decoder.conv_out", &[3, channels, 3, 3])?;
        Ok(levels)
    }

    fn width(&self, layer: &str) -> usize {
        let names = [format!("{layer}.weight"), format!("{layer}.bias")];
        self.part.rows(&names).unwrap_or_default()
    }

    fn blocks(&mut self, level: &str, channels: &mut usize) -> Result<Vec<bool>> {
        let count = self.part.count(&format!("{level}.block.")).max(1);
        (0..count).map(|block| self.residual(&format!("{level}.block.{block}"), channels)).collect()
    }

    fn middle(&mut self, middle: &str, mut channels: usize) -> Result<()> {
        for block in ["block_1", "block_2"] {
            self.residual(&format!("{middle}.{block}"), &mut channels)?;
        }
        self.check.layer(&format!("{middle}.attn_1.norm"), &[channels])?;
        for projection in ["q", "k", "v", "proj_out"] {
            self.check.layer(&format!("{middle}.attn_1.{projection}"), &[channels, channels])?;
        }
        Ok(())
    }

    fn residual(&mut self, block: &str, channels: &mut usize) -> Result<bool> {
        let name = |tail: &str| format!("{block}.{tail}");
        let from = *channels;
        let tails = ["conv2.weight", "conv2.bias", "conv1.weight", "conv1.bias"];
        let to = self.part.rows(&tails.map(name)).unwrap_or(from);
        self.check.layer(&name("norm1"), &[from])?;
        self.check.layer(&name("conv1"), &[to, from, 3, 3])?;
        self.check.layer(&name("norm2"), &[to])?;
        self.check.layer(&name("conv2"), &[to, to, 3, 3])?;
        let shortcut = from != to || self.part.any(&name("nin_shortcut."));
        if shortcut {
            self.check.layer(&name("nin_shortcut"), &[to, from, 1, 1])?;
        }
        for channels in [from, to] {
            divides(|| self.part.key(block), channels, self.groups, "groups", ENTRY)?;
        }
        *channels = to;
        Ok(shortcut)
    }
}

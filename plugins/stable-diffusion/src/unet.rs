//! The denoiser: a UNet with cross-attention to a text (Rombach et al. 2022, after Ho et al. 2020).

use std::fmt::Display;

use berth_sdk::{AttentionOptions, ModelFile, Result, Sampling, Tensor, Walk, nn};

use crate::config::{self, Layer};
use crate::layers::{Layers, to_image, to_sequence};

/// Added to the variance where the latent is normalized ahead of a transformer.
const TRANSFORMER_NORM: f32 = 1e-6;
/// Added to the variance of a transformer's layer norms.
const LAYER_NORM: f32 = 1e-5;

/// A UNet over a file's weights.
pub struct UNet<'a> {
    config: &'a config::UNet,
    layers: Layers<'a>,
}

/// What all layers are told beside x.
struct Condition<'a> {
    /// The timestep, [1, 4·width], after the activation that every layer would begin with.
    time: Tensor,
    /// The text, [b, tokens, context].
    text: &'a Tensor,
}

impl<'a> UNet<'a> {
    /// The network of this file.
    pub fn new(file: &'a ModelFile, config: &'a config::UNet) -> Self {
        Self { config, layers: Layers::new(file, &config.prefix) }
    }

    /// What the network predicts for x [b, c, h, w] at a timestep under a text [b, tokens, context].
    pub fn forward(&self, x: &Tensor, timestep: f64, text: &Tensor) -> Result<Tensor> {
        let condition = Condition { time: self.time_embedding(timestep)?, text };
        let mut skips: Vec<Tensor> = Vec::new();
        for (block, layers) in self.config.input.iter().enumerate() {
            let x = skips.last().unwrap_or(x);
            skips.push(self.block(
                format_args!("input_blocks.{block}"),
                layers,
                x,
                &condition,
                &[],
            )?);
        }
        let mut h = self.block(
            "middle_block",
            &self.config.middle,
            skips.last().unwrap_or(x),
            &condition,
            &[],
        )?;
        for (block, layers) in self.config.output.iter().enumerate() {
            if let Some(skip) = skips.pop() {
                h = Tensor::concat(&[&h, &skip], 1)?;
            }
            h =
                self.block(format_args!("output_blocks.{block}"), layers, &h, &condition, &skips)?;
        }
        h = self.layers.group_norm("out.0", &h, self.config.groups, self.config.epsilon)?.silu()?;
        self.layers.conv3x3("out.2", &h)
    }

    fn time_embedding(&self, timestep: f64) -> Result<Tensor> {
        let sinusoids = nn::timestep_embedding(timestep, self.config.width)?;
        let hidden = self.layers.linear("time_embed.0", &sinusoids)?.silu()?;
        self.layers.linear("time_embed.2", &hidden)?.silu()
    }

    /// `skips` are those that the blocks after this one will take.
    fn block(
        &self,
        name: impl Display,
        layers: &[Layer],
        x: &Tensor,
        condition: &Condition<'_>,
        skips: &[Tensor],
    ) -> Result<Tensor> {
        let block = self.layers.at(name);
        let mut h: Option<Tensor> = None;
        for (number, layer) in layers.iter().enumerate() {
            let x = h.as_ref().unwrap_or(x);
            h = Some(match *layer {
                Layer::Conv => block.conv3x3(&number.to_string(), x)?,
                Layer::Residual { shortcut } => {
                    self.residual(&block.at(number), x, &condition.time, shortcut)?
                }
                Layer::Transformer { depth, heads } => {
                    self.transformer(&block.at(number), x, condition.text, depth, heads)?
                }
                Layer::Downsample => {
                    block.at(number).conv2d("op", x, Walk { stride: 2, ..Walk::padded(1) })?
                }
                Layer::Upsample => {
                    // The size of what it will meet, since an odd one was rounded up on the way down.
                    let [_, _, height, width] = x.dims()?;
                    let (height, width) = match skips.last() {
                        Some(skip) => (skip.dim(2)?, skip.dim(3)?),
                        None => (2 * height, 2 * width),
                    };
                    block
                        .at(number)
                        .conv3x3("conv", &x.interpolate(height, width, Sampling::Nearest)?)?
                }
            });
        }
        match h {
            Some(h) => Ok(h),
            None => Ok(x.clone()),
        }
    }

    /// He et al. 2016, with the timestep added between the convolutions.
    fn residual(
        &self,
        block: &Layers<'_>,
        x: &Tensor,
        time: &Tensor,
        shortcut: bool,
    ) -> Result<Tensor> {
        let (groups, epsilon) = (self.config.groups, self.config.epsilon);
        let mut h = block.group_norm("in_layers.0", x, groups, epsilon)?.silu()?;
        h = block.conv3x3("in_layers.2", &h)?;
        let time = block.linear("emb_layers.1", time)?;
        let channels = time.dim(1)?;
        h = (h + time.reshape(&[1, channels, 1, 1])?)?;
        h = block.group_norm("out_layers.0", &h, groups, epsilon)?.silu()?;
        h = block.conv3x3("out_layers.3", &h)?;
        if shortcut { block.conv2d("skip_connection", x, Walk::default())? + h } else { x + h }
    }

    /// Vaswani et al. 2017 over all places of x: self-attention, attention to the text, and a perceptron.
    fn transformer(
        &self,
        layer: &Layers<'_>,
        x: &Tensor,
        text: &Tensor,
        depth: usize,
        heads: usize,
    ) -> Result<Tensor> {
        let [_, channels, height, width] = x.dims()?;
        let mut h = layer.group_norm("norm", x, self.config.groups, TRANSFORMER_NORM)?;
        h = layer.mix("proj_in", &to_sequence(&h)?, channels)?;
        for number in 0..depth {
            let block = layer.at(format_args!("transformer_blocks.{number}"));
            let norm = block.layer_norm("norm1", &h, LAYER_NORM)?;
            h = (h + attention(&block.at("attn1"), &norm, &norm, heads)?)?;
            let norm = block.layer_norm("norm2", &h, LAYER_NORM)?;
            h = (h + attention(&block.at("attn2"), &norm, text, heads)?)?;
            let norm = block.layer_norm("norm3", &h, LAYER_NORM)?;
            h = (h + perceptron(&block.at("ff.net"), &norm)?)?;
        }
        h = to_image(&layer.mix("proj_out", &h, channels)?, height, width)?;
        x + h
    }
}

fn attention(layer: &Layers<'_>, x: &Tensor, context: &Tensor, heads: usize) -> Result<Tensor> {
    let q = layer.projection("to_q", x)?;
    let k = layer.projection("to_k", context)?;
    let v = layer.projection("to_v", context)?;
    layer.linear("to_out.0", &q.attention(&k, &v, AttentionOptions::heads(heads))?)
}

/// GEGLU (Shazeer 2020): one half of a projection, times the exact GELU of the other.
fn perceptron(layer: &Layers<'_>, x: &Tensor) -> Result<Tensor> {
    let both = layer.linear("0.proj", x)?;
    let inner = both.dim(-1)? / 2;
    let gate = both.slice(-1, inner..2 * inner)?.gelu()?;
    let hidden = both.slice(-1, ..inner)?;
    drop(both);
    layer.linear("2", &(hidden * gate)?)
}

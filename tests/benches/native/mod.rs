//! Stable Diffusion 1.x's UNet written directly on candle, as the yardstick of
//! the benchmarks.
//!
//! It reads the same checkpoint as Berth's own plugin and computes the same
//! step, the way a Rust program without plugins would: plain candle tensors
//! and candle-nn layers, weights converted to f32 once, no sandbox and no
//! memory manager. It shares no code with Berth, so a fast path or a mistake
//! of ours cannot be in both sides of the comparison. Keep it honest: what
//! makes it faster with candle's public API belongs here.

mod blocks;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Error, Result, Tensor};
use candle_nn::{Conv2d, GroupNorm, Linear, Module, VarBuilder, group_norm, linear};
use safetensors::SafeTensors;
use serde_json::Value;

use blocks::{Context, Stage, conv3x3};

/// The numbers of one checkpoint, from its `config.unet` metadata.
#[derive(Debug, Clone)]
struct Config {
    in_channels: usize,
    out_channels: usize,
    /// Channels of each level, from the finest to the coarsest.
    widths: Vec<usize>,
    /// Whether the level of the same index has attention.
    attends: Vec<bool>,
    layers_per_block: usize,
    heads: usize,
    context_width: usize,
    groups: usize,
}

impl Config {
    fn from_json(text: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(text).map_err(Error::wrap)?;
        let missing = |name: &str| Error::msg(format!("config.unet lacks `{name}`"));
        let number = |name: &str| {
            json.get(name).and_then(Value::as_u64).map(|n| n as usize).ok_or_else(|| missing(name))
        };
        let list =
            |name: &str| json.get(name).and_then(Value::as_array).ok_or_else(|| missing(name));
        let widths = list("block_out_channels")?;
        let kinds = list("down_block_types")?;
        Ok(Self {
            in_channels: number("in_channels")?,
            out_channels: number("out_channels")?,
            widths: widths.iter().filter_map(Value::as_u64).map(|n| n as usize).collect(),
            attends: kinds.iter().map(|kind| kind == "CrossAttnDownBlock2D").collect(),
            layers_per_block: number("layers_per_block")?,
            // In SD1.x's configurations this field holds the number of heads.
            heads: number("attention_head_dim")?,
            context_width: number("cross_attention_dim")?,
            groups: number("norm_num_groups")?,
        })
    }
}

/// The noise predictor.
#[derive(Debug)]
pub struct Unet {
    /// Width of the timestep's sinusoids.
    sinusoids: usize,
    time_in: Linear,
    time_out: Linear,
    conv_in: Conv2d,
    down: Vec<Stage>,
    middle: Stage,
    up: Vec<Stage>,
    norm_out: GroupNorm,
    conv_out: Conv2d,
}

impl Unet {
    /// Reads the UNet of a single-file checkpoint; every weight becomes f32.
    ///
    /// # Errors
    /// When the file cannot be read, has no `config.unet` in its metadata, or
    /// lacks a tensor that the configuration implies.
    pub fn load(checkpoint: &Path) -> Result<Self> {
        let bytes = std::fs::read(checkpoint)?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(Error::wrap)?;
        let config = header
            .metadata()
            .as_ref()
            .and_then(|metadata| metadata.get("config.unet"))
            .ok_or_else(|| Error::msg("the checkpoint's metadata has no `config.unet`"))?;
        let config = Config::from_json(config)?;
        let weights = VarBuilder::from_buffered_safetensors(bytes, DType::F32, &Device::Cpu)?;
        Self::new(&config, weights.pp("model.diffusion_model"))
    }

    fn new(config: &Config, vb: VarBuilder) -> Result<Self> {
        let first = config.widths.first().copied().unwrap_or_default();
        let time_width = first * 4;
        let blocks = vb.pp("input_blocks");
        let conv_in = conv3x3(config.in_channels, first, 1, blocks.pp(0).pp(0))?;

        // A stage of the way up joins what the stage at the same depth of the
        // way down produced; this stack holds those widths.
        let mut skips = vec![first];
        let mut width = first;
        let mut down = Vec::new();
        for (level, (&out, &attends)) in config.widths.iter().zip(&config.attends).enumerate() {
            for _ in 0..config.layers_per_block {
                let vb = blocks.pp(skips.len());
                let stage = Stage::new(config, vb.pp(0), width, out, time_width)?;
                down.push(if attends { stage.attention(config, out, vb.pp(1))? } else { stage });
                width = out;
                skips.push(width);
            }
            if level + 1 < config.widths.len() {
                let vb = blocks.pp(skips.len()).pp(0).pp("op");
                down.push(Stage::downsample(conv3x3(width, width, 2, vb)?));
                skips.push(width);
            }
        }

        let vb_middle = vb.pp("middle_block");
        let middle = Stage::new(config, vb_middle.pp(0), width, width, time_width)?
            .attention(config, width, vb_middle.pp(1))?
            .residual(config, width, time_width, vb_middle.pp(2))?;

        let blocks = vb.pp("output_blocks");
        let mut up: Vec<Stage> = Vec::new();
        let levels = config.widths.iter().zip(&config.attends).enumerate().rev();
        for (level, (&out, &attends)) in levels {
            for layer in 0..=config.layers_per_block {
                let vb = blocks.pp(up.len());
                let joined = width + skips.pop().unwrap_or_default();
                let mut stage = Stage::new(config, vb.pp(0), joined, out, time_width)?;
                if attends {
                    stage = stage.attention(config, out, vb.pp(1))?;
                }
                if layer == config.layers_per_block && level > 0 {
                    let vb = vb.pp(if attends { 2 } else { 1 }).pp("conv");
                    stage = stage.upsample(conv3x3(out, out, 1, vb)?);
                }
                up.push(stage);
                width = out;
            }
        }

        let time = vb.pp("time_embed");
        let out = vb.pp("out");
        Ok(Self {
            sinusoids: first,
            time_in: linear(first, time_width, time.pp(0))?,
            time_out: linear(time_width, time_width, time.pp(2))?,
            conv_in,
            down,
            middle,
            up,
            norm_out: group_norm(config.groups, width, 1e-5, out.pp(0))?,
            conv_out: conv3x3(width, config.out_channels, 1, out.pp(2))?,
        })
    }

    /// Predicts the noise in `latent` (batch, 4, height, width) at `timestep`,
    /// given the prompts' embeddings `context` (batch, tokens, width).
    ///
    /// # Errors
    /// When a shape does not fit the model.
    pub fn forward(&self, latent: &Tensor, timestep: f64, context: &Tensor) -> Result<Tensor> {
        let time = timestep_embedding(timestep, self.sinusoids)?;
        let time = self.time_out.forward(&self.time_in.forward(&time)?.silu()?)?;
        // Every residual block starts its time projection with this.
        let context = Context { time: time.silu()?, text: context.contiguous()? };

        let mut x = self.conv_in.forward(latent)?;
        let mut skips = vec![x.clone()];
        for stage in &self.down {
            x = stage.forward(&x, &context, None)?;
            skips.push(x.clone());
        }
        x = self.middle.forward(&x, &context, None)?;
        for stage in &self.up {
            let skip = skips.pop().ok_or_else(|| Error::msg("more stages up than down"))?;
            // With an odd side the next one is not exactly twice as large.
            let next = skips.last().map(Tensor::dims4).transpose()?;
            let size = next.map(|(_, _, height, width)| (height, width));
            x = stage.forward(&Tensor::cat(&[&x, &skip], 1)?, &context, size)?;
        }
        self.conv_out.forward(&self.norm_out.forward(&x)?.silu()?)
    }
}

/// Sinusoids of the timestep, cosines first, as one row.
fn timestep_embedding(timestep: f64, width: usize) -> Result<Tensor> {
    let half = width / 2;
    let angles: Vec<f64> =
        (0..half).map(|i| timestep * (-(10_000f64.ln()) * i as f64 / half as f64).exp()).collect();
    let row: Vec<f32> = angles
        .iter()
        .map(|a| a.cos() as f32)
        .chain(angles.iter().map(|a| a.sin() as f32))
        .collect();
    Tensor::from_vec(row, (1, half * 2), &Device::Cpu)
}

/// The input of one recorded UNet call, and what PyTorch made of it.
#[derive(Debug)]
pub struct OracleStep {
    /// Unconditional and conditional row of the same latent.
    pub latent: Tensor,
    /// The timestep of the call.
    pub timestep: f64,
    /// The embeddings of the empty prompt and of the prompt.
    pub context: Tensor,
    noise: Tensor,
}

impl OracleStep {
    /// Reads the `unet.*` tensors of the oracle file.
    ///
    /// # Errors
    /// When the file cannot be read or lacks one of them.
    pub fn load(oracle: &Path) -> Result<Self> {
        let tensors: HashMap<_, _> = candle_core::safetensors::load(oracle, &Device::Cpu)?;
        let get = |key: &str| {
            tensors.get(key).ok_or_else(|| Error::msg(format!("the oracle lacks `{key}`")))
        };
        let latent = get("unet.x")?;
        let timestep = get("unet.t")?.sum_all()?.to_scalar::<f32>()?;
        Ok(Self {
            latent: Tensor::cat(&[latent, latent], 0)?,
            timestep: f64::from(timestep),
            context: Tensor::cat(&[get("emb_neg")?, get("emb_pos")?], 0)?,
            noise: get("unet.eps_f64")?.clone(),
        })
    }

    /// How far `noise` is from PyTorch's float64 result: ‖out − ref‖ / ‖ref‖.
    ///
    /// # Errors
    /// When `noise` has another shape.
    pub fn distance(&self, noise: &Tensor) -> Result<f64> {
        let squares = |t: &Tensor| t.to_dtype(DType::F64)?.sqr()?.sum_all()?.to_scalar::<f64>();
        let error = squares(&(noise - &self.noise)?)?;
        Ok((error / squares(&self.noise)?).sqrt())
    }
}

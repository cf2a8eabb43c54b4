//! How a checkpoint's UNet is built: which layers its blocks have.

use serde::{Deserialize, Serialize};

use super::{Check, Header, Part, divides, metadata};
use crate::error::{Error, Result};

/// The metadata entry of the UNet.
const ENTRY: &str = "config.unet";
/// What all keys begin with.
const PREFIX: &str = "model.diffusion_model.";

/// The denoiser of latent diffusion (Rombach et al. 2022).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UNet {
    /// What all keys begin with.
    pub prefix: String,
    /// Channels of a latent.
    pub latent_channels: usize,
    /// Channels of the highest level, and of a timestep's embedding.
    pub width: usize,
    /// Elements of a token's embedding.
    pub context: usize,
    /// The blocks on the way down, each of which leaves a skip connection.
    pub input: Vec<Vec<Layer>>,
    /// The block at the bottom.
    pub middle: Vec<Layer>,
    /// The blocks on the way up, each of which takes one.
    pub output: Vec<Vec<Layer>>,
    /// Groups of a group norm.
    pub groups: usize,
    /// Added to a group norm's variance.
    pub epsilon: f32,
}

/// A layer of a block. Its keys go on with its number in the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layer {
    /// A convolution.
    Conv,
    /// A residual block that is told the timestep.
    Residual {
        /// Whether x is convolved before it is added, since the channels change.
        shortcut: bool,
    },
    /// A transformer over all places, with cross-attention to the text.
    Transformer {
        /// How many of its blocks.
        depth: usize,
        /// Heads of their attention.
        heads: usize,
    },
    /// A convolution of stride 2.
    Downsample,
    /// Every element twice in each dimension, then a convolution.
    Upsample,
}

/// The part of diffusers' configuration that no shape says.
#[derive(Deserialize, Default)]
struct Metadata {
    norm_num_groups: Option<usize>,
    norm_eps: Option<f32>,
    act_fn: Option<String>,
    /// The number of heads, in spite of its name.
    attention_head_dim: Option<PerLevel>,
    num_attention_heads: Option<PerLevel>,
}

/// One number for all levels, or one for each.
#[derive(Deserialize)]
#[serde(untagged)]
enum PerLevel {
    All(usize),
    Each(Vec<usize>),
}

impl UNet {
    /// Reads a checkpoint's header.
    pub fn detect(header: &dyn Header) -> Result<Self> {
        let given: Metadata = metadata(header, ENTRY)?;
        if let Some(other) = given.act_fn.filter(|name| name != "silu" && name != "swish") {
            let problem = format!("the `act_fn` {other:?} is not \"silu\"");
            return Err(Error::Metadata { entry: ENTRY, problem });
        }
        let part = &Part::new(header, PREFIX);
        if !part.any("") {
            return Err(Error::Family {
                found: "a model without a denoiser under `model.diffusion_model`",
                wanted: "a Stable Diffusion 1.x checkpoint",
            });
        }
        let walk = Walk {
            part,
            check: Check::new(part),
            groups: given.norm_num_groups.unwrap_or(32),
            heads: given
                .num_attention_heads
                .or(given.attention_head_dim)
                .unwrap_or(PerLevel::All(8)),
            level: 0,
            channels: 0,
            time: 0,
            context: None,
        };
        let epsilon = given.norm_eps.unwrap_or(1e-5);
        walk.all(epsilon)
    }
}

/// Walks through the network, as the forward pass will, and counts its channels.
struct Walk<'p> {
    part: &'p Part<'p>,
    check: Check<'p>,
    groups: usize,
    heads: PerLevel,
    level: usize,
    channels: usize,
    /// Elements of the timestep's embedding.
    time: usize,
    context: Option<usize>,
}

impl Walk<'_> {
    fn all(mut self, epsilon: f32) -> Result<UNet> {
        let first = self.part.shape("input_blocks.0.0.weight").unwrap_or_default();
        let names = ["input_blocks.0.0.weight".into(), "input_blocks.0.0.bias".into()];
        let width = self.part.rows(&names).unwrap_or_default();
        let latent_channels = first.get(1).copied().unwrap_or_default();
        let names = ["time_embed.0.weight".into(), "time_embed.0.bias".into()];
        self.time = self.part.rows(&names).unwrap_or_default();
        self.check.layer("time_embed.0", &[self.time, width])?;
        self.check.layer("time_embed.2", &[self.time, self.time])?;

        self.channels = latent_channels;
        let blocks = self.part.count("input_blocks.").max(self.part.count("output_blocks."));
        let (mut input, mut skips) = (Vec::new(), Vec::new());
        for block in 0..blocks {
            input.push(self.block(&format!("input_blocks.{block}"))?);
            skips.push(self.channels);
        }
        let middle = self.block("middle_block")?;
        let mut output = Vec::new();
        for (block, skip) in skips.into_iter().rev().enumerate() {
            self.channels += skip;
            output.push(self.block(&format!("output_blocks.{block}"))?);
        }
        self.check.layer("out.0", &[self.channels])?;
        self.check.layer("out.2", &[latent_channels, self.channels, 3, 3])?;
        self.check.finish("the UNet")?;
        if self.level != 0 {
            return Err(Error::Structure(
                "the UNet's output blocks do not go up as many levels as its input blocks go down"
                    .into(),
            ));
        }
        if !width.is_multiple_of(2) {
            return Err(Error::Structure(format!(
                "a timestep's embedding has {width} elements, which have no halves"
            )));
        }
        Ok(UNet {
            prefix: PREFIX.into(),
            latent_channels,
            width,
            context: self.context.ok_or_else(|| {
                Error::Structure("the UNet has no cross-attention to a text".into())
            })?,
            input,
            middle,
            output,
            groups: self.groups,
            epsilon,
        })
    }

    fn block(&mut self, block: &str) -> Result<Vec<Layer>> {
        let count = self.part.count(&format!("{block}.")).max(1);
        (0..count).map(|layer| self.layer(&format!("{block}.{layer}"))).collect()
    }

    /// What a layer is shows in whichever of its tensors is there.
    fn layer(&mut self, name: &str) -> Result<Layer> {
        let any =
            |tails: &[&str]| tails.iter().any(|tail| self.part.any(&format!("{name}.{tail}")));
        if any(&["transformer_blocks.", "proj_in.", "proj_out.", "norm."]) {
            self.transformer(name)
        } else if any(&["op."]) {
            let channels = self.channels;
            self.check.layer(&format!("{name}.op"), &[channels, channels, 3, 3])?;
            self.level += 1;
            Ok(Layer::Downsample)
        } else if any(&["conv."]) {
            let channels = self.channels;
            self.check.layer(&format!("{name}.conv"), &[channels, channels, 3, 3])?;
            self.level = self.level.checked_sub(1).ok_or_else(|| {
                Error::Structure("the UNet's output blocks go up more levels than there are".into())
            })?;
            Ok(Layer::Upsample)
        } else if any(&["weight", "bias"]) {
            let names = [format!("{name}.weight"), format!("{name}.bias")];
            let channels = self.part.rows(&names).unwrap_or_default();
            self.check.layer(name, &[channels, self.channels, 3, 3])?;
            self.channels = channels;
            Ok(Layer::Conv)
        } else {
            self.residual(name)
        }
    }

    fn residual(&mut self, block: &str) -> Result<Layer> {
        let name = |tail: &str| format!("{block}.{tail}");
        let from = self.channels;
        let tails =
            ["out_layers.3.weight", "out_layers.3.bias", "in_layers.2.weight", "in_layers.2.bias"];
        let to = self.part.rows(&tails.map(name)).unwrap_or(from);
        self.check.layer(&name("in_layers.0"), &[from])?;
        self.check.layer(&name("in_layers.2"), &[to, from, 3, 3])?;
        self.check.layer(&name("emb_layers.1"), &[to, self.time])?;
        self.check.layer(&name("out_layers.0"), &[to])?;
        self.check.layer(&name("out_layers.3"), &[to, to, 3, 3])?;
        let shortcut = from != to || self.part.any(&name("skip_connection."));
        if shortcut {
            self.check.layer(&name("skip_connection"), &[to, from, 1, 1])?;
        }
        for channels in [from, to] {
            divides(|| self.part.key(block), channels, self.groups, "groups", ENTRY)?;
        }
        self.channels = to;
        Ok(Layer::Residual { shortcut })
    }

    fn transformer(&mut self, layer: &str) -> Result<Layer> {
        let channels = self.channels;
        let square = [channels, channels];
        let name = |tail: &str| format!("{layer}.{tail}");
        self.check.layer(&name("norm"), &[channels])?;
        self.check.layer(&name("proj_in"), &square)?;
        let depth = self.part.count(&name("transformer_blocks.")).max(1);
        for block in 0..depth {
            let name = |tail: &str| format!("{layer}.transformer_blocks.{block}.{tail}");
            for norm in ["norm1", "norm2", "norm3"] {
                self.check.layer(&name(norm), &[channels])?;
            }
            let keys = [name("attn2.to_k.weight"), name("attn2.to_v.weight")];
            let found = keys.iter().find_map(|key| self.part.shape(key)?.get(1).copied());
            let context = *self.context.get_or_insert(found.unwrap_or_default());
            for (attention, context) in [("attn1", channels), ("attn2", context)] {
                let name = |tail: &str| name(&format!("{attention}.{tail}"));
                self.check.tensor(&name("to_q.weight"), &square)?;
                self.check.tensor(&name("to_k.weight"), &[channels, context])?;
                self.check.tensor(&name("to_v.weight"), &[channels, context])?;
                self.check.layer(&name("to_out.0"), &square)?;
            }
            let keys = [name("ff.net.0.proj.weight"), name("ff.net.0.proj.bias")];
            // GEGLU: one half is what the other lets through.
            let inner = self.part.rows(&keys).unwrap_or_default() / 2;
            self.check.layer(&name("ff.net.0.proj"), &[2 * inner, channels])?;
            self.check.layer(&name("ff.net.2"), &[channels, inner])?;
        }
        self.check.layer(&name("proj_out"), &square)?;
        let heads = match &self.heads {
            PerLevel::All(heads) => Some(*heads),
            PerLevel::Each(heads) => heads.get(self.level).copied(),
        };
        let heads = heads.ok_or_else(|| Error::Metadata {
            entry: ENTRY,
            problem: format!("there is no number of heads for level {}", self.level),
        })?;
        let key = || self.part.key(layer);
        divides(key, channels, heads, "heads", ENTRY)?;
        divides(key, channels, self.groups, "groups", ENTRY)?;
        Ok(Layer::Transformer { depth, heads })
    }
}

//! What a UNet is made of: residual blocks, transformers over the pixels, and
//! the stages that string them together.

use candle_core::{D, Result, Tensor};
use candle_nn::{
    Conv2d, Conv2dConfig, GroupNorm, LayerNorm, Linear, Module, VarBuilder, conv2d, group_norm,
    layer_norm, linear, linear_no_bias, ops,
};

use super::Config;

/// What conditions every block of a step.
#[derive(Debug)]
pub(super) struct Context {
    /// The activated embedding of the timestep: one row.
    pub(super) time: Tensor,
    /// The prompts' embeddings.
    pub(super) text: Tensor,
}

/// A 3×3 convolution that keeps the size, or halves it with a stride of 2.
pub(super) fn conv3x3(from: usize, to: usize, stride: usize, vb: VarBuilder) -> Result<Conv2d> {
    conv2d(from, to, 3, Conv2dConfig { padding: 1, stride, ..Default::default() }, vb)
}

/// One numbered block of the checkpoint: it halves the picture, or refines it
/// and then perhaps doubles it.
#[derive(Debug, Default)]
pub(super) struct Stage {
    layers: Vec<Layer>,
}

#[derive(Debug)]
enum Layer {
    Residual(Residual),
    Attention(SpatialTransformer),
    Downsample(Conv2d),
    Upsample(Conv2d),
}

impl Stage {
    pub(super) fn new(
        config: &Config,
        vb: VarBuilder,
        from: usize,
        to: usize,
        time: usize,
    ) -> Result<Self> {
        let residual = Residual::new(config, vb, from, to, time)?;
        Ok(Self { layers: vec![Layer::Residual(residual)] })
    }

    pub(super) fn downsample(conv: Conv2d) -> Self {
        Self { layers: vec![Layer::Downsample(conv)] }
    }

    pub(super) fn residual(
        mut self,
        config: &Config,
        width: usize,
        time: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        self.layers.push(Layer::Residual(Residual::new(config, vb, width, width, time)?));
        Ok(self)
    }

    pub(super) fn attention(
        mut self,
        config: &Config,
        width: usize,
        vb: VarBuilder,
    ) -> Result<Self> {
        self.layers.push(Layer::Attention(SpatialTransformer::new(config, width, vb)?));
        Ok(self)
    }

    pub(super) fn upsample(mut self, conv: Conv2d) -> Self {
        self.layers.push(Layer::Upsample(conv));
        self
    }

    /// `size` is the height and width to grow to, for a stage that doubles.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        context: &Context,
        size: Option<(usize, usize)>,
    ) -> Result<Tensor> {
        let mut x = x.clone();
        for layer in &self.layers {
            x = match layer {
                Layer::Residual(block) => block.forward(&x, &context.time)?,
                Layer::Attention(block) => block.forward(&x, &context.text)?,
                Layer::Downsample(conv) => conv.forward(&x)?,
                Layer::Upsample(conv) => {
                    let (_, _, height, width) = x.dims4()?;
                    let (height, width) = size.unwrap_or((height * 2, width * 2));
                    conv.forward(&x.upsample_nearest2d(height, width)?)?
                }
            };
        }
        Ok(x)
    }
}

#[derive(Debug)]
struct Residual {
    norm_in: GroupNorm,
    conv_in: Conv2d,
    time: Linear,
    norm_out: GroupNorm,
    conv_out: Conv2d,
    shortcut: Option<Conv2d>,
}

impl Residual {
    fn new(config: &Config, vb: VarBuilder, from: usize, to: usize, time: usize) -> Result<Self> {
        let (before, after) = (vb.pp("in_layers"), vb.pp("out_layers"));
        let shortcut = if from == to {
            None
        } else {
            Some(conv2d(from, to, 1, Conv2dConfig::default(), vb.pp("skip_connection"))?)
        };
        Ok(Self {
            norm_in: group_norm(config.groups, from, 1e-5, before.pp(0))?,
            conv_in: conv3x3(from, to, 1, before.pp(2))?,
            time: linear(time, to, vb.pp("emb_layers").pp(1))?,
            norm_out: group_norm(config.groups, to, 1e-5, after.pp(0))?,
            conv_out: conv3x3(to, to, 1, after.pp(3))?,
            shortcut,
        })
    }

    fn forward(&self, x: &Tensor, time: &Tensor) -> Result<Tensor> {
        let time = self.time.forward(time)?.unsqueeze(D::Minus1)?.unsqueeze(D::Minus1)?;
        let h = self.conv_in.forward(&self.norm_in.forward(x)?.silu()?)?.broadcast_add(&time)?;
        let h = self.conv_out.forward(&self.norm_out.forward(&h)?.silu()?)?;
        match &self.shortcut {
            Some(shortcut) => shortcut.forward(x)? + h,
            None => x + h,
        }
    }
}

/// A transformer whose sequence is the picture's pixels.
#[derive(Debug)]
struct SpatialTransformer {
    norm: GroupNorm,
    proj_in: Linear,
    norms: [LayerNorm; 3],
    itself: Attention,
    text: Attention,
    gate: Linear,
    feed_forward: Linear,
    proj_out: Linear,
}

impl SpatialTransformer {
    fn new(config: &Config, width: usize, vb: VarBuilder) -> Result<Self> {
        let block = vb.pp("transformer_blocks").pp(0);
        let inner = width * 4;
        Ok(Self {
            norm: group_norm(config.groups, width, 1e-6, vb.pp("norm"))?,
            proj_in: pointwise(width, vb.pp("proj_in"))?,
            norms: [
                layer_norm(width, 1e-5, block.pp("norm1"))?,
                layer_norm(width, 1e-5, block.pp("norm2"))?,
                layer_norm(width, 1e-5, block.pp("norm3"))?,
            ],
            itself: Attention::new(config.heads, width, width, block.pp("attn1"))?,
            text: Attention::new(config.heads, width, config.context_width, block.pp("attn2"))?,
            gate: linear(width, inner * 2, block.pp("ff.net.0.proj"))?,
            feed_forward: linear(inner, width, block.pp("ff.net.2"))?,
            proj_out: pointwise(width, vb.pp("proj_out"))?,
        })
    }

    fn forward(&self, x: &Tensor, text: &Tensor) -> Result<Tensor> {
        let (batch, channels, height, width) = x.dims4()?;
        let tokens = self.norm.forward(x)?.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        let h = self.proj_in.forward(&tokens)?;
        let [norm1, norm2, norm3] = &self.norms;

        let normed = norm1.forward(&h)?;
        let h = (h + self.itself.forward(&normed, &normed)?)?;
        let h = (&h + self.text.forward(&norm2.forward(&h)?, text)?)?;
        // GEGLU: half of the projection gates the other half.
        let gated = self.gate.forward(&norm3.forward(&h)?)?;
        let half = gated.dim(D::Minus1)? / 2;
        let gate = gated.narrow(D::Minus1, half, half)?.gelu_erf()?;
        let h = (h + self.feed_forward.forward(&(gated.narrow(D::Minus1, 0, half)? * gate)?)?)?;

        let pixels = self.proj_out.forward(&h)?.transpose(1, 2)?;
        x + pixels.reshape((batch, channels, height, width))?
    }
}

/// A 1×1 convolution as the matrix product over pixels that it is.
fn pointwise(width: usize, vb: VarBuilder) -> Result<Linear> {
    let weight = vb.get((width, width, 1, 1), "weight")?.reshape((width, width))?;
    Ok(Linear::new(weight, Some(vb.get(width, "bias")?)))
}

#[derive(Debug)]
struct Attention {
    heads: usize,
    scale: f64,
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
}

impl Attention {
    fn new(heads: usize, width: usize, context: usize, vb: VarBuilder) -> Result<Self> {
        Ok(Self {
            heads,
            scale: ((width / heads) as f64).powf(-0.5),
            query: linear_no_bias(width, width, vb.pp("to_q"))?,
            key: linear_no_bias(context, width, vb.pp("to_k"))?,
            value: linear_no_bias(context, width, vb.pp("to_v"))?,
            out: linear(width, width, vb.pp("to_out.0"))?,
        })
    }

    fn forward(&self, x: &Tensor, context: &Tensor) -> Result<Tensor> {
        let query = self.split(&(self.query.forward(x)? * self.scale)?)?;
        let key = self.split(&self.key.forward(context)?)?;
        let value = self.split(&self.value.forward(context)?)?;
        let weights = ops::softmax_last_dim(&query.matmul(&key.transpose(2, 3)?)?)?;
        let joined = weights.matmul(&value)?.transpose(1, 2)?.flatten_from(2)?;
        self.out.forward(&joined)
    }

    /// (batch, tokens, width) to (batch, heads, tokens, width of a head).
    fn split(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, tokens, _) = x.dims3()?;
        x.reshape((batch, tokens, self.heads, ()))?.transpose(1, 2)?.contiguous()
    }
}

//! Layers that are one operation and its weights. Fields are public, so that a layer
//! can also be made of tensors that do not come from a file.

use super::Weights;
use crate::ops::Walk;
use crate::{Result, Tensor};

/// x·weightᵀ + bias.
#[derive(Clone, Debug)]
pub struct Linear {
    /// [out, in].
    pub weight: Tensor,
    /// \[out].
    pub bias: Option<Tensor>,
}

impl Linear {
    /// `weight`, and `bias` where there is one.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights) -> Result<Self> {
        Ok(Self { weight: weights.get("weight")?, bias: weights.find("bias")? })
    }

    /// [.., in] → [.., out].
    ///
    /// # Errors
    /// As [`Tensor::linear`].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.linear(&self.weight, self.bias.as_ref())
    }
}

/// A convolution in two dimensions.
#[derive(Clone, Debug)]
pub struct Conv2d {
    /// [out, in / groups, kh, kw].
    pub weight: Tensor,
    /// \[out].
    pub bias: Option<Tensor>,
    /// How it walks.
    pub walk: Walk,
}

impl Conv2d {
    /// `weight`, and `bias` where there is one.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights, walk: Walk) -> Result<Self> {
        Ok(Self { weight: weights.get("weight")?, bias: weights.find("bias")?, walk })
    }

    /// [n, in, h, w] → [n, out, h', w'].
    ///
    /// # Errors
    /// As [`Tensor::conv2d`].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.conv2d(&self.weight, self.bias.as_ref(), self.walk)
    }
}

/// Group normalization with a scale and a shift for each channel.
#[derive(Clone, Debug)]
pub struct GroupNorm {
    /// \[c].
    pub weight: Tensor,
    /// \[c].
    pub bias: Tensor,
    /// Groups of channels.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
}

impl GroupNorm {
    /// `weight` and `bias`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights, groups: usize, epsilon: f32) -> Result<Self> {
        Ok(Self { weight: weights.get("weight")?, bias: weights.get("bias")?, groups, epsilon })
    }

    /// [n, c, ..] → the same shape.
    ///
    /// # Errors
    /// As [`Tensor::group_norm`].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.group_norm(self.groups, Some(&self.weight), Some(&self.bias), self.epsilon)
    }
}

/// Layer normalization over the last dimension.
#[derive(Clone, Debug)]
pub struct LayerNorm {
    /// \[c].
    pub weight: Tensor,
    /// \[c].
    pub bias: Option<Tensor>,
    /// Added to the variance.
    pub epsilon: f32,
}

impl LayerNorm {
    /// `weight`, and `bias` where there is one.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights, epsilon: f32) -> Result<Self> {
        Ok(Self { weight: weights.get("weight")?, bias: weights.find("bias")?, epsilon })
    }

    /// [.., c] → the same shape.
    ///
    /// # Errors
    /// As [`Tensor::layer_norm`].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.layer_norm(Some(&self.weight), self.bias.as_ref(), self.epsilon)
    }
}

/// Root-mean-square normalization over the last dimension.
#[derive(Clone, Debug)]
pub struct RmsNorm {
    /// \[c].
    pub weight: Tensor,
    /// Added to the mean square.
    pub epsilon: f32,
}

impl RmsNorm {
    /// `weight`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights, epsilon: f32) -> Result<Self> {
        Ok(Self { weight: weights.get("weight")?, epsilon })
    }

    /// [.., c] → the same shape.
    ///
    /// # Errors
    /// As [`Tensor::rms_norm`].
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        x.rms_norm(Some(&self.weight), self.epsilon)
    }
}

/// A table of rows.
#[derive(Clone, Debug)]
pub struct Embedding {
    /// [rows, c].
    pub weight: Tensor,
}

impl Embedding {
    /// `weight`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights) -> Result<Self> {
        Ok(Self { weight: weights.get("weight")? })
    }

    /// Indices [..] (`u32` or `i64`) → [.., c].
    ///
    /// # Errors
    /// As [`Tensor::embedding`].
    pub fn forward(&self, indices: &Tensor) -> Result<Tensor> {
        indices.embedding(&self.weight)
    }
}

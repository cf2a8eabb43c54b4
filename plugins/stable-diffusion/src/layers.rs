//! Layers by name, without objects for them.
//!
//! A function value runs in a fresh instance at every call, so a network that is made of layer
//! objects would be made anew at every step and for one use. Here a layer is looked up in the file at the
//! moment it is used: the forward pass is the only description of the network, weights
//! are asked for in the order in which they are needed, and no handle outlives its layer.

use std::fmt::{Display, Write as _};

use berth_sdk::{ModelFile, Result, Tensor, Walk};

/// The layers whose keys begin alike.
pub struct Layers<'f> {
    file: &'f ModelFile,
    prefix: String,
}

impl<'f> Layers<'f> {
    /// Those whose keys begin with `prefix`.
    pub fn new(file: &'f ModelFile, prefix: &str) -> Self {
        Self { file, prefix: prefix.into() }
    }

    /// Those whose names go on with `name` and a dot.
    pub fn at(&self, name: impl Display) -> Self {
        let mut prefix = self.prefix.clone();
        // Writing to a string cannot fail.
        let _ = write!(prefix, "{name}.");
        Self { file: self.file, prefix }
    }

    /// `name.weight` and `name.bias`.
    fn pair(&self, name: &str) -> Result<(Tensor, Tensor)> {
        let mut key = self.key(name, "weight");
        let weight = self.file.weight(&key)?;
        key.truncate(key.len() - "weight".len());
        key.push_str("bias");
        Ok((weight, self.file.weight(&key)?))
    }

    /// `name.weight`.
    pub fn weight(&self, name: &str) -> Result<Tensor> {
        self.file.weight(&self.key(name, "weight"))
    }

    fn key(&self, name: &str, tail: &str) -> String {
        let mut key = String::with_capacity(self.prefix.len() + name.len() + 1 + tail.len());
        for part in [&self.prefix, name, ".", tail] {
            key.push_str(part);
        }
        key
    }

    /// A linear layer with a bias: [.., in] → [.., out].
    pub fn linear(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        let (weight, bias) = self.pair(name)?;
        x.linear(&weight, Some(&bias))
    }

    /// A linear layer without one.
    pub fn projection(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        x.linear(&self.weight(name)?, None)
    }

    /// A linear layer from `channels` to as many, which the file may have as a 1×1 convolution.
    pub fn mix(&self, name: &str, x: &Tensor, channels: usize) -> Result<Tensor> {
        let (weight, bias) = self.pair(name)?;
        x.linear(&weight.reshape(&[channels, channels])?, Some(&bias))
    }

    /// A convolution with a bias.
    pub fn conv2d(&self, name: &str, x: &Tensor, walk: Walk) -> Result<Tensor> {
        let (weight, bias) = self.pair(name)?;
        x.conv2d(&weight, Some(&bias), walk)
    }

    /// A 3×3 convolution that keeps the size.
    pub fn conv3x3(&self, name: &str, x: &Tensor) -> Result<Tensor> {
        self.conv2d(name, x, Walk::padded(1))
    }

    /// A group norm.
    pub fn group_norm(
        &self,
        name: &str,
        x: &Tensor,
        groups: usize,
        epsilon: f32,
    ) -> Result<Tensor> {
        let (weight, bias) = self.pair(name)?;
        x.group_norm(groups, Some(&weight), Some(&bias), epsilon)
    }

    /// A layer norm over the last dimension.
    pub fn layer_norm(&self, name: &str, x: &Tensor, epsilon: f32) -> Result<Tensor> {
        let (weight, bias) = self.pair(name)?;
        x.layer_norm(Some(&weight), Some(&bias), epsilon)
    }
}

/// [b, c, h, w] → [b, h·w, c]: a sequence of places, each a vector of channels.
pub fn to_sequence(x: &Tensor) -> Result<Tensor> {
    let [batch, channels, height, width] = x.dims()?;
    x.reshape(&[batch, channels, height * width])?.permute(&[0, 2, 1])
}

/// The inverse of [`to_sequence`].
pub fn to_image(x: &Tensor, height: usize, width: usize) -> Result<Tensor> {
    let [batch, _, channels] = x.dims()?;
    x.permute(&[0, 2, 1])?.reshape(&[batch, channels, height, width])
}

//! Layers of neural networks, over a model file's weights.
//!
//! Loading a layer takes handles and nothing else: no weight enters the guest, and the
//! host reads a weight when an operation first needs it. A layer is therefore cheap to
//! make, and a function value makes its network anew at each call.

mod attention;
mod layers;
mod timestep;

pub use attention::Attention;
pub use layers::{Conv2d, Embedding, GroupNorm, LayerNorm, Linear, RmsNorm};
pub use timestep::timestep_embedding;

use crate::{DType, ModelFile, Result, Tensor};

/// The weights of a model file under a prefix, as a directory in a tree.
///
/// ```no_run
/// use berth_sdk::{ModelFile, Result, nn};
///
/// fn projection(file: &ModelFile) -> Result<nn::Linear> {
///     let block = nn::Weights::new(file).at("model.diffusion_model").at("input_blocks.1.1");
///     nn::Linear::load(&block.at("proj_in"))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Weights {
    file: ModelFile,
    prefix: String,
}

impl Weights {
    /// All weights of a file.
    pub fn new(file: &ModelFile) -> Self {
        Self { file: file.clone(), prefix: String::new() }
    }

    /// Those whose keys go on with `name` and a dot.
    #[must_use]
    pub fn at(&self, name: impl std::fmt::Display) -> Self {
        Self { file: self.file.clone(), prefix: self.key(&name.to_string()) }
    }

    /// The full key of a name.
    pub fn key(&self, name: &str) -> String {
        join(&self.prefix, name)
    }

    /// The file.
    pub fn file(&self) -> &ModelFile {
        &self.file
    }

    /// Whether there is a weight of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.info(name).is_some()
    }

    /// Element type and shape of a weight, without reading it.
    pub fn info(&self, name: &str) -> Option<(DType, Vec<usize>)> {
        self.file.info(&self.key(name))
    }

    /// A weight, by handle.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn get(&self, name: &str) -> Result<Tensor> {
        self.file.weight(&self.key(name))
    }

    /// A weight, by handle, if there is one of this name.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn find(&self, name: &str) -> Result<Option<Tensor>> {
        if self.contains(name) { self.get(name).map(Some) } else { Ok(None) }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_prefix_and_its_name_with_a_dot_between() {
        assert_eq!(join("", "conv_in"), "conv_in");
        assert_eq!(join("conv_in", "weight"), "conv_in.weight");
    }
}

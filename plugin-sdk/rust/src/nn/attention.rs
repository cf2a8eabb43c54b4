//! Attention with its four projections, as transformers have it.

use super::{Linear, Weights};
use crate::ops::AttentionOptions;
use crate::{Result, Tensor};

/// Softmax(q·kᵀ/√d)·v between projections of x and of a context, projected again.
#[derive(Clone, Debug)]
pub struct Attention {
    /// Of x to the queries.
    pub query: Linear,
    /// Of the context to the keys.
    pub key: Linear,
    /// Of the context to the values.
    pub value: Linear,
    /// Of the heads' result.
    pub out: Linear,
    /// Heads side by side in the queries.
    pub heads: usize,
}

impl Attention {
    /// The projections under these names, in the order query, key, value, out: such as
    /// `["to_q", "to_k", "to_v", "to_out.0"]`.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn load(weights: &Weights, names: [&str; 4], heads: usize) -> Result<Self> {
        let [query, key, value, out] = names.map(|name| Linear::load(&weights.at(name)));
        Ok(Self { query: query?, key: key?, value: value?, out: out?, heads })
    }

    /// x [b, n, c] with a context [b, m, c'], or with itself where there is none → [b, n, c].
    ///
    /// # Errors
    /// As [`Tensor::attention`].
    pub fn forward(&self, x: &Tensor, context: Option<&Tensor>) -> Result<Tensor> {
        self.masked(x, context, None, false)
    }

    /// As [`Attention::forward`], with a mask (see [`AttentionOptions`]), or with each
    /// query blind to the keys after it.
    ///
    /// # Errors
    /// As [`Tensor::attention`].
    pub fn masked(
        &self,
        x: &Tensor,
        context: Option<&Tensor>,
        mask: Option<&Tensor>,
        causal: bool,
    ) -> Result<Tensor> {
        let context = context.unwrap_or(x);
        let options = AttentionOptions { heads: self.heads, mask, causal, scale: None };
        let (key, value) = (self.key.forward(context)?, self.value.forward(context)?);
        self.out.forward(&self.query.forward(x)?.attention(&key, &value, options)?)
    }
}

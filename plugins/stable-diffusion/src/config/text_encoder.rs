//! How a checkpoint's text encoder is built.

use serde::{Deserialize, Serialize};

use super::{Check, Header, Part, divides, metadata};
use crate::error::{Error, Result};

/// The metadata entry of the text encoder.
const ENTRY: &str = "config.text_encoder";
/// The width of a head in OpenAI's CLIP models, whatever their own width.
const HEAD: usize = 64;
/// What the keys begin with: as OpenAI's checkpoint, and as newer libraries write it.
const PREFIXES: [&str; 2] =
    ["cond_stage_model.transformer.text_model.", "cond_stage_model.transformer."];

/// A CLIP text encoder (Radford et al. 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextEncoder {
    /// What all keys begin with.
    pub prefix: String,
    /// Transformer layers.
    pub layers: usize,
    /// Elements of an embedding.
    pub width: usize,
    /// Tokens of a sequence.
    pub length: usize,
    /// Rows of the token embedding.
    pub vocabulary: usize,
    /// Heads of the self-attention.
    pub heads: usize,
    /// What is between the two layers of a perceptron.
    pub activation: Activation,
    /// Added to a layer norm's variance.
    pub epsilon: f32,
}

/// A perceptron's activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// x·sigmoid(1.702·x).
    #[default]
    QuickGelu,
    /// x·Φ(x).
    Gelu,
}

#[derive(Deserialize, Default)]
struct Metadata {
    num_attention_heads: Option<usize>,
    hidden_act: Option<Activation>,
    layer_norm_eps: Option<f32>,
}

impl TextEncoder {
    /// Reads a checkpoint's header.
    pub fn detect(header: &dyn Header) -> Result<Self> {
        let given: Metadata = metadata(header, ENTRY)?;
        let prefix = PREFIXES.into_iter().find(|prefix| {
            ["embeddings.", "encoder.", "final_layer_norm."]
                .iter()
                .any(|start| Part::new(header, *prefix).any(start))
        });
        let prefix = prefix.unwrap_or(PREFIXES[0]);
        let part = &Part::new(header, prefix);
        let layers = part.count("encoder.layers.").max(1);
        let tokens = part.shape("embeddings.token_embedding.weight").unwrap_or_default();
        let positions = part.shape("embeddings.position_embedding.weight").unwrap_or_default();
        let width = part.rows(&["final_layer_norm.weight".into(), "final_layer_norm.bias".into()]);
        let width = width.or(tokens.get(1).copied()).unwrap_or_default();
        let length = positions.first().copied().unwrap_or_default();
        let vocabulary = tokens.first().copied().unwrap_or_default();
        let heads = given.num_attention_heads.unwrap_or_else(|| (width / HEAD).max(1));

        let mut check = Check::new(part);
        check.tensor("embeddings.token_embedding.weight", &[vocabulary, width])?;
        check.tensor("embeddings.position_embedding.weight", &[length, width])?;
        for layer in 0..layers {
            let name = |tail: &str| format!("encoder.layers.{layer}.{tail}");
            for norm in ["layer_norm1", "layer_norm2"] {
                check.layer(&name(norm), &[width])?;
            }
            for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                check.layer(&name(&format!("self_attn.{projection}")), &[width, width])?;
            }
            let names = [name("mlp.fc1.weight"), name("mlp.fc1.bias")];
            let inner = part.rows(&names).unwrap_or_default();
            check.layer(&name("mlp.fc1"), &[inner, width])?;
            check.layer(&name("mlp.fc2"), &[width, inner])?;
        }
        check.layer("final_layer_norm", &[width])?;
        check.finish("the text encoder")?;
        divides(|| part.key("final_layer_norm.weight"), width, heads, "heads", ENTRY)?;
        // A start and an end token stand in every sequence.
        if length < 3 {
            return Err(Error::Structure(format!(
                "the text encoder's sequences have {length} tokens"
            )));
        }
        Ok(Self {
            prefix: prefix.into(),
            layers,
            width,
            length,
            vocabulary,
            heads,
            activation: given.hidden_act.unwrap_or_default(),
            epsilon: given.layer_norm_eps.unwrap_or(1e-5),
        })
    }
}

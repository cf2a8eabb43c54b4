//! The text encoder: CLIP's transformer (Radford et al. 2021), with prompts as ComfyUI reads them.

use berth_sdk::context::{self, Level};
use berth_sdk::{AttentionOptions, DType, ModelFile, Result, Tensor};

use crate::config::{self, Activation};
use crate::layers::Layers;
use crate::prompt::{self, Part, Token, Vector};
use crate::tokenizer::Tokenizer;

/// The category of the files that `embedding:NAME` names.
const EMBEDDINGS: &str = "embeddings";
/// What a name may lack of a file's label.
const EXTENSIONS: [&str; 2] = ["", ".safetensors"];
/// The tensor of an embedding's file that is CLIP ViT-L's, where there are several.
const OWN_KEY: &str = "clip_l";

/// A text encoder over a file's weights.
pub struct TextEncoder<'a> {
    config: &'a config::TextEncoder,
    tokenizer: &'a Tokenizer<'a>,
    layers: Layers<'a>,
}

/// The vectors that a prompt names, in the order of their first row.
#[derive(Default)]
struct Learned {
    tensors: Vec<Tensor>,
    /// The row at which each begins.
    starts: Vec<usize>,
    rows: usize,
}

impl<'a> TextEncoder<'a> {
    /// The network of this file.
    pub fn new(
        file: &'a ModelFile,
        config: &'a config::TextEncoder,
        tokenizer: &'a Tokenizer<'a>,
    ) -> Self {
        Self { config, tokenizer, layers: Layers::new(file, &config.prefix) }
    }

    /// The embedding of a prompt, [1, tokens, width].
    pub fn encode(&self, prompt: &str) -> Result<Tensor> {
        let (groups, learned) = self.read(prompt)?;
        let special = self.tokenizer.special();
        let (length, width) = (self.config.length, self.config.width);
        let mut chunks = prompt::chunks(&groups, special, length);
        let sequences = chunks.len();
        let weights: Vec<f32> = chunks.iter().flatten().map(|token| token.weight).collect();
        if weights.iter().all(|&weight| weight == 1.0) {
            let embedding = self.forward(&self.vectors(&chunks, &learned)?)?;
            return embedding.reshape(&[1, sequences * length, width]);
        }
        // A weight moves a token away from what stands there in an empty prompt, or towards it.
        chunks.extend(prompt::chunks(&[], special, length));
        let embedding = self.forward(&self.vectors(&chunks, &learned)?)?;
        let weights = Tensor::from_f32(&[sequences, length, 1], &weights)?;
        let empty = embedding.slice(0, sequences..)?;
        let full = embedding.slice(0, ..sequences)?;
        let weighted = ((&((full - &empty)? * weights)?) + &empty)?;
        weighted.reshape(&[1, sequences * length, width])
    }

    /// A prompt's tokens, in groups that belong together, and the embeddings that it names.
    fn read(&self, prompt: &str) -> Result<(Vec<Vec<Token>>, Learned)> {
        let mut learned = Learned::default();
        let mut groups = Vec::new();
        for segment in prompt::segments(prompt) {
            let weight = segment.weight;
            let say = |text: &str, groups: &mut Vec<Vec<Token>>| {
                let ids = self.tokenizer.encode(text).into_iter();
                groups.push(ids.map(|id| Token { vector: Vector::Id(id), weight }).collect());
            };
            for part in prompt::parts(&segment.text) {
                match part {
                    Part::Text(text) => say(text, &mut groups),
                    Part::Embedding(name, text) => {
                        let (tokens, rest) = self.embedding(name, weight, &mut learned)?;
                        groups.push(tokens);
                        for text in [rest, text] {
                            if !text.is_empty() {
                                say(text, &mut groups);
                            }
                        }
                    }
                }
            }
        }
        Ok((groups, learned))
    }

    /// The tokens of an embedding, and the commas after its name. One that is not there, or is for
    /// another encoder, is left out with a warning: prompts travel farther than embeddings.
    fn embedding<'n>(
        &self,
        name: &'n str,
        weight: f32,
        learned: &mut Learned,
    ) -> Result<(Vec<Token>, &'n str)> {
        let labels = ModelFile::available(EMBEDDINGS);
        let bare = name.trim_end_matches(',');
        let found = [name, bare].into_iter().find_map(|name| {
            let label = EXTENSIONS.iter().find_map(|extension| {
                labels.iter().find(|known| **known == format!("{name}{extension}"))
            })?;
            Some((label, name))
        });
        let Some((label, used)) = found else {
            context::log(Level::Warn, &format!("there is no embedding `{bare}`; it is left out"));
            return Ok((Vec::new(), name.get(bare.len()..).unwrap_or_default()));
        };
        let rest = name.get(used.len()..).unwrap_or_default();
        let file = ModelFile::open(EMBEDDINGS, label)?;
        let keys = file.keys();
        let key = keys.iter().find(|key| *key == OWN_KEY).or(keys.first());
        let shape = key.and_then(|key| Some((key, file.info(key)?.1)));
        let (key, rows) = match &shape {
            Some((key, shape)) if shape.last() == Some(&self.config.width) && shape.len() <= 2 => {
                (*key, shape.iter().rev().nth(1).copied().unwrap_or(1))
            }
            _ => {
                let width = self.config.width;
                let problem =
                    format!("the embedding `{label}` is not of width {width}; it is left out");
                context::log(Level::Warn, &problem);
                return Ok((Vec::new(), rest));
            }
        };
        let tensor = file.weight(key)?.cast(DType::F32)?.reshape(&[rows, self.config.width])?;
        let embedding = learned.tensors.len();
        learned.tensors.push(tensor);
        learned.starts.push(learned.rows);
        learned.rows += rows;
        let token = |row| Token { vector: Vector::Learned { embedding, row }, weight };
        Ok(((0..rows).map(token).collect(), rest))
    }

    /// The tokens' vectors, [sequences, length, width].
    fn vectors(&self, chunks: &[Vec<Token>], learned: &Learned) -> Result<Tensor> {
        let tokens = chunks.iter().flatten();
        let count = chunks.len() * self.config.length;
        let padding = self.tokenizer.special().padding;
        let ids: Vec<u32> = tokens
            .clone()
            .map(|token| match token.vector {
                Vector::Id(id) => u32::from(id),
                Vector::Learned { .. } => u32::from(padding),
            })
            .collect();
        let table = self.layers.weight("embeddings.token_embedding")?;
        let mut vectors =
            Tensor::from_slice(&[count], &ids)?.embedding(&table)?.cast(DType::F32)?;
        if !learned.tensors.is_empty() {
            // Both kinds of vectors in one table, and each place picks its own.
            let all: Vec<&Tensor> = [&vectors].into_iter().chain(&learned.tensors).collect();
            let all = Tensor::concat(&all, 0)?;
            let places: Vec<u32> = (0..)
                .zip(tokens)
                .map(|(place, token)| match token.vector {
                    Vector::Id(_) => place,
                    Vector::Learned { embedding, row } => {
                        let start = learned.starts.get(embedding).copied().unwrap_or_default();
                        (count + start + row) as u32
                    }
                })
                .collect();
            vectors = all.index_select(0, &Tensor::from_slice(&[count], &places)?)?;
        }
        vectors.reshape(&[chunks.len(), self.config.length, self.config.width])
    }

    /// The transformer: [sequences, length, width] → the same shape.
    fn forward(&self, tokens: &Tensor) -> Result<Tensor> {
        let config = self.config;
        let positions = self.layers.weight("embeddings.position_embedding")?.cast(DType::F32)?;
        let mut h = (tokens + positions)?;
        let options = AttentionOptions { causal: true, ..AttentionOptions::heads(config.heads) };
        for number in 0..config.layers {
            let layer = self.layers.at(format_args!("encoder.layers.{number}"));
            let norm = layer.layer_norm("layer_norm1", &h, config.epsilon)?;
            let [q, k, v] = ["q_proj", "k_proj", "v_proj"]
                .map(|name| layer.linear(&format!("self_attn.{name}"), &norm));
            let attended = q?.attention(&k?, &v?, options)?;
            h = (h + layer.linear("self_attn.out_proj", &attended)?)?;
            let norm = layer.layer_norm("layer_norm2", &h, config.epsilon)?;
            let hidden = layer.linear("mlp.fc1", &norm)?;
            let hidden = match config.activation {
                Activation::QuickGelu => hidden.gelu_quick()?,
                Activation::Gelu => hidden.gelu()?,
            };
            h = (h + layer.linear("mlp.fc2", &hidden)?)?;
        }
        self.layers.layer_norm("final_layer_norm", &h, config.epsilon)
    }
}

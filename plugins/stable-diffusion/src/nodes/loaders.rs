//! Loaders: from a file's label to the networks in it.

use berth_sdk::prelude::*;

use crate::config::{self, Checkpoint, FileHeader, Header as _};
use crate::error;
use crate::functions;
use crate::tokenizer::{self, Tokenizer};

/// Loads a checkpoint of the Stable Diffusion 1.x family: its denoiser, text encoder and autoencoder.
#[node(
    name = "CheckpointLoaderSimple",
    display_name = "Load Checkpoint",
    category = "model/loaders",
    outputs(
        "MODEL" = "The model that removes noise from latents.",
        "CLIP" = "The text encoder for prompts.",
        "VAE" = "The autoencoder between images and latents.",
    ),
    aliases("load model", "checkpoint", "model loader", "load checkpoint", "ckpt", "model")
)]
pub fn checkpoint_loader_simple(
    /// The checkpoint's file.
    #[input(models = "checkpoints")]
    ckpt_name: String,
) -> Result<(ModelWire, Clip, Vae)> {
    let file = ModelFile::open("checkpoints", &ckpt_name)?;
    let load = || {
        let header = FileHeader::new(&file);
        let checkpoint = Checkpoint::detect(&header)?;
        let Checkpoint { unet, noise, text_encoder, vae } = checkpoint;
        let clip = match &text_encoder {
            Some(encoder) => {
                let vocabulary = vocabulary(header.metadata("tokenizer.json"), encoder)?;
                functions::clip(&file, encoder, vocabulary)?
            }
            None => functions::no_clip(&file)?,
        };
        let model = functions::model(&file, &unet, &noise, vae.as_ref())?;
        let vae = match &vae {
            Some(vae) => functions::vae(&file, vae)?,
            None => functions::no_vae(&file)?,
        };
        Ok((model, clip, vae))
    };
    load().map_err(|error: Error| error.at(format_args!("checkpoint `{ckpt_name}`")))
}

/// Loads an autoencoder from a file of its own, or from a checkpoint.
#[node(
    name = "VAELoader",
    display_name = "Load VAE",
    category = "model/loaders",
    outputs("VAE" = "The autoencoder between images and latents.")
)]
pub fn vae_loader(
    /// The VAE's file.
    #[input(models = "vae")]
    vae_name: String,
) -> Result<Vae> {
    let file = ModelFile::open("vae", &vae_name)?;
    let load = || functions::vae(&file, &config::Vae::detect(&FileHeader::new(&file))?);
    load().map_err(|error: Error| error.at(format_args!("VAE `{vae_name}`")))
}

/// The checkpoint's own vocabulary, compiled, after a look whether the token embedding has a row
/// for each of its ids, or of CLIP's where it has none of its own.
fn vocabulary(
    json: Option<String>,
    encoder: &config::TextEncoder,
) -> error::Result<Option<Vec<u8>>> {
    let table = json.as_deref().map(tokenizer::compile).transpose()?;
    let ids = Tokenizer::new(table.as_deref().unwrap_or(tokenizer::clip()))?.special().count;
    if usize::from(ids) > encoder.vocabulary {
        return Err(error::Error::Vocabulary { rows: encoder.vocabulary, ids });
    }
    Ok(table)
}

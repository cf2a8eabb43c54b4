//! Loaders: from a file's label to the networks in it.

use berth_sdk::{Tier, memory, prelude::*};

use crate::config::{self, Checkpoint, FileHeader, Header as _};
use crate::error;
use crate::functions;
use crate::tokenizer::{self, Tokenizer};

/// Bytes of a GiB.
const GIB: f64 = (1 << 30) as f64;

/// GiB that are made free unless a number is given.
const FREE_VRAM: f64 = 2.0;
const FREE_DRAM: f64 = 4.0;

/// More than any machine has.
const MOST_GIB: f64 = 1024.0;

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
    /// Its weights leave VRAM only when an operation could not run otherwise.
    #[input(default = false)]
    keep_on_vram: Option<bool>,
    /// Its weights stay in DRAM once they are there, so that they come back from there and not from disk.
    #[input(default = false)]
    use_dram: Option<bool>,
    /// Others' weights leave VRAM before it loads, until this much is free there.
    #[input(default = false)]
    auto_free_vram: Option<bool>,
    /// How much VRAM is made free, in GiB.
    #[input(default = FREE_VRAM, min = 0.0, max = MOST_GIB, step = 0.5)]
    min_free_vram_gb: Option<f64>,
    /// What can be had again leaves DRAM before it loads, until this much is free there.
    #[input(default = false)]
    auto_free_dram: Option<bool>,
    /// How much DRAM is made free, in GiB.
    #[input(default = FREE_DRAM, min = 0.0, max = MOST_GIB, step = 0.5)]
    min_free_dram_gb: Option<f64>,
) -> Result<(ModelWire, Clip, Vae)> {
    make_free(Tier::Device, auto_free_vram, min_free_vram_gb.unwrap_or(FREE_VRAM))?;
    make_free(Tier::Host, auto_free_dram, min_free_dram_gb.unwrap_or(FREE_DRAM))?;
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
        for part in [model.object(), clip.object(), vae.object()] {
            keep(part, keep_on_vram, use_dram)?;
        }
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
    /// Its weights leave VRAM only when an operation could not run otherwise.
    #[input(default = false)]
    keep_on_vram: Option<bool>,
    /// Its weights stay in DRAM once they are there, so that they come back from there and not from disk.
    #[input(default = false)]
    use_dram: Option<bool>,
    /// Others' weights leave VRAM before it loads, until this much is free there.
    #[input(default = false)]
    auto_free_vram: Option<bool>,
    /// How much VRAM is made free, in GiB.
    #[input(default = FREE_VRAM, min = 0.0, max = MOST_GIB, step = 0.5)]
    min_free_vram_gb: Option<f64>,
    /// What can be had again leaves DRAM before it loads, until this much is free there.
    #[input(default = false)]
    auto_free_dram: Option<bool>,
    /// How much DRAM is made free, in GiB.
    #[input(default = FREE_DRAM, min = 0.0, max = MOST_GIB, step = 0.5)]
    min_free_dram_gb: Option<f64>,
) -> Result<Vae> {
    make_free(Tier::Device, auto_free_vram, min_free_vram_gb.unwrap_or(FREE_VRAM))?;
    make_free(Tier::Host, auto_free_dram, min_free_dram_gb.unwrap_or(FREE_DRAM))?;
    let file = ModelFile::open("vae", &vae_name)?;
    let load = || {
        let vae = functions::vae(&file, &config::Vae::detect(&FileHeader::new(&file))?)?;
        keep(vae.object(), keep_on_vram, use_dram)?;
        Ok(vae)
    };
    load().map_err(|error: Error| error.at(format_args!("VAE `{vae_name}`")))
}

/// Makes room before a model is loaded, if that was asked for.
fn make_free(tier: Tier, wanted: Option<bool>, gib: f64) -> Result<()> {
    if wanted == Some(true) {
        // A number that is too large, or none, saturates: the host frees what it can.
        memory::make_free(tier, (gib * GIB) as u64)?;
    }
    Ok(())
}

/// Sees to it that a part of a model stays where it was asked to. Nothing is moved for that.
fn keep(part: &Object, on_vram: Option<bool>, in_dram: Option<bool>) -> Result<()> {
    for (tier, wanted) in [(Tier::Device, on_vram), (Tier::Host, in_dram)] {
        if let Some(wanted) = wanted {
            memory::keep(part, tier, wanted)?;
        }
    }
    Ok(())
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

//! The functions behind MODEL, CLIP and VAE wires.
//!
//! Each captures the open file and its network's configuration as JSON. A call runs in a fresh
//! instance: it reads the configuration, a few microseconds, and walks through the network, which
//! asks for weights by name as it comes to them.

use berth_sdk::{
    Clip, Conditioning, DType, Entry, Error, Fields, Function, ModelFile, ModelParts, ModelWire,
    Result, Tensor, VaeParts,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{self, NoiseSchedule};
use crate::text_encoder::TextEncoder;
use crate::tokenizer::{self, Tokenizer};
use crate::unet::UNet;
use crate::vae::Vae;

fn captures(file: &ModelFile, config: &impl Serialize) -> Result<Fields> {
    let config = serde_json::to_string(config).map_err(Error::other)?;
    Ok(Fields::new().with("file", file.clone()).with("config", config))
}

fn captured<T: DeserializeOwned>(captures: &mut Fields) -> Result<(ModelFile, T)> {
    let config: String = captures.take("config")?;
    let config =
        serde_json::from_str(&config).map_err(|error| Error::other(error).at("`config`"))?;
    Ok((captures.take("file")?, config))
}

/// An input of a network, which computes in `f32`.
fn input(arguments: &mut Fields, name: &str) -> Result<Tensor> {
    let tensor: Tensor = arguments.take(name)?;
    if tensor.dtype() == DType::F32 { Ok(tensor) } else { tensor.cast(DType::F32) }
}

/// A MODEL: this file's denoiser.
pub fn model(
    file: &ModelFile,
    unet: &config::UNet,
    noise: &NoiseSchedule,
    vae: Option<&config::Vae>,
) -> Result<ModelWire> {
    ModelWire::new(ModelParts {
        denoise: Function::create("denoise", captures(file, unet)?)?,
        prediction: noise.prediction,
        alphas: Tensor::from_slice(&[noise.alphas.len()], &noise.alphas)?,
        latent_channels: unet.latent_channels,
        latent_scale: vae.map_or(config::SCALE, |vae| vae.scale),
        latent_shift: vae.map_or(0.0, |vae| vae.shift),
    })
}

/// A function that says what the file lacks: a checkpoint may come without the part, as long as
/// nothing needs it.
fn lacking(file: &ModelFile, what: &str) -> Result<Function> {
    let message =
        format!("checkpoint `{}` comes without a {what}; load one of its own", file.label());
    Function::create("lacking", Fields::new().with("message", message))
}

/// What [`lacking`] runs.
pub fn lack(captures: Fields, _arguments: Fields) -> Result<Fields> {
    Err(Error::NotFound(captures.get("message")?))
}

/// The CLIP of a file without a text encoder.
pub fn no_clip(file: &ModelFile) -> Result<Clip> {
    Clip::new(lacking(file, "text encoder")?)
}

/// The VAE of a file without one.
pub fn no_vae(file: &ModelFile) -> Result<berth_sdk::Vae> {
    let lacking = lacking(file, "VAE")?;
    berth_sdk::Vae::new(VaeParts {
        encode: lacking.clone(),
        decode: lacking,
        latent_scale: config::SCALE,
        latent_shift: 0.0,
        downscale: 8,
    })
}

/// A CLIP: this file's text encoder. `table` is the checkpoint's own vocabulary, if it has one.
pub fn clip(
    file: &ModelFile,
    encoder: &config::TextEncoder,
    table: Option<Vec<u8>>,
) -> Result<Clip> {
    Clip::new(Function::create(
        "encode_text",
        captures(file, encoder)?.with_some("vocabulary", table),
    )?)
}

/// A VAE: this file's autoencoder.
pub fn vae(file: &ModelFile, vae: &config::Vae) -> Result<berth_sdk::Vae> {
    let captures = captures(file, vae)?;
    berth_sdk::Vae::new(VaeParts {
        encode: Function::create("encode_image", captures.clone())?,
        decode: Function::create("decode_latent", captures)?,
        latent_scale: vae.scale,
        latent_shift: vae.shift,
        downscale: vae.downscale(),
    })
}

/// `latent`, `timestep`, `conditioning` → `prediction`. A `pooled` conditioning is other families'.
pub fn denoise(mut captures: Fields, mut arguments: Fields) -> Result<Fields> {
    let (file, config): (_, config::UNet) = captured(&mut captures)?;
    let latent = input(&mut arguments, "latent")?;
    let text = input(&mut arguments, "conditioning")?;
    let timestep: f64 = arguments.take("timestep")?;
    let prediction = UNet::new(&file, &config).forward(&latent, timestep, &text)?;
    Ok(Fields::new().with("prediction", prediction))
}

/// `text` → `conditioning`.
pub fn encode_text(mut captures: Fields, mut arguments: Fields) -> Result<Fields> {
    let (file, config): (_, config::TextEncoder) = captured(&mut captures)?;
    let own: Option<Vec<u8>> = captures.take_optional("vocabulary")?;
    let tokenizer = Tokenizer::new(own.as_deref().unwrap_or(tokenizer::clip()))?;
    let text: String = arguments.take("text")?;
    let embedding = TextEncoder::new(&file, &config, &tokenizer).encode(&text)?;
    let conditioning = Conditioning::new([Entry::new(embedding, None)?])?;
    Ok(Fields::new().with("conditioning", conditioning))
}

/// `latent` → `image`.
pub fn decode_latent(mut captures: Fields, mut arguments: Fields) -> Result<Fields> {
    let (file, config): (_, config::Vae) = captured(&mut captures)?;
    let latent = input(&mut arguments, "latent")?;
    Ok(Fields::new().with("image", Vae::new(&file, &config).decode(&latent)?))
}

/// `image` → `latent`.
pub fn encode_image(mut captures: Fields, mut arguments: Fields) -> Result<Fields> {
    let (file, config): (_, config::Vae) = captured(&mut captures)?;
    let image = input(&mut arguments, "image")?;
    Ok(Fields::new().with("latent", Vae::new(&file, &config).encode(&image)?))
}

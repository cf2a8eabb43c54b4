//! How a checkpoint's networks are built, read from its header.
//!
//! The tensors' names and shapes say which layers there are and how wide, so they alone
//! decide the structure: a checkpoint of any width, depth and number of levels loads without a
//! word of configuration. What no shape can say (heads, norm groups, the noise schedule) stands in the
//! metadata of checkpoints that differ from Stable Diffusion 1.5, whose numbers hold otherwise.
//! Every tensor that a forward pass will ask for is checked here, once, so that a file with a
//! hole is refused when it is loaded and not at the twentieth layer.

use berth_sdk::ModelFile;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

mod noise;
#[cfg(test)]
mod tests;
mod text_encoder;
mod unet;
mod vae;

pub use noise::NoiseSchedule;
pub use text_encoder::{Activation, TextEncoder};
pub use unet::{Layer, UNet};
pub use vae::{SCALE, Vae};

/// What is known of a model file without reading a weight.
pub trait Header {
    /// The keys of all tensors, sorted.
    fn keys(&self) -> &[String];

    /// The shape of one tensor.
    fn shape(&self, key: &str) -> Option<Vec<usize>>;

    /// One entry of the metadata.
    fn metadata(&self, name: &str) -> Option<String>;
}

/// The header of an open file.
pub struct FileHeader<'f> {
    file: &'f ModelFile,
    keys: Vec<String>,
}

impl<'f> FileHeader<'f> {
    /// Lists the file's keys.
    pub fn new(file: &'f ModelFile) -> Self {
        let mut keys = file.keys();
        keys.sort_unstable();
        Self { file, keys }
    }
}

impl Header for FileHeader<'_> {
    fn keys(&self) -> &[String] {
        &self.keys
    }

    fn shape(&self, key: &str) -> Option<Vec<usize>> {
        self.file.info(key).map(|(_, shape)| shape)
    }

    fn metadata(&self, name: &str) -> Option<String> {
        self.file.metadata(name)
    }
}

/// A whole checkpoint of the family.
#[derive(Debug)]
pub struct Checkpoint {
    /// The denoiser.
    pub unet: UNet,
    /// The noise that it was trained to remove.
    pub noise: NoiseSchedule,
    /// The text encoder, unless the file comes without one.
    pub text_encoder: Option<TextEncoder>,
    /// The autoencoder, unless the file comes without one.
    pub vae: Option<Vae>,
}

impl Checkpoint {
    /// Reads a checkpoint's header.
    pub fn detect(header: &dyn Header) -> Result<Self> {
        let recognized = FAMILIES.iter().find(|(start, _)| Part::new(header, "").any(start));
        if let Some(&(_, found)) = recognized {
            return Err(Error::Family { found, wanted: "a Stable Diffusion 1.x checkpoint" });
        }
        let has = |part: &str| Part::new(header, "").any(part);
        let checkpoint = Self {
            unet: UNet::detect(header)?,
            noise: NoiseSchedule::detect(header)?,
            text_encoder: has("cond_stage_model.")
                .then(|| TextEncoder::detect(header))
                .transpose()?,
            vae: has("first_stage_model.").then(|| Vae::detect(header)).transpose()?,
        };
        let context = checkpoint.unet.context;
        let width = checkpoint.text_encoder.as_ref().map_or(context, |encoder| encoder.width);
        if context != width {
            return Err(Error::Structure(format!(
                "the UNet's cross-attention takes a context of {context} and the text encoder gives {width}"
            )));
        }
        let unet = checkpoint.unet.latent_channels;
        let vae = checkpoint.vae.as_ref().map_or(unet, |vae| vae.latent_channels);
        if unet != vae {
            return Err(Error::Structure(format!(
                "the UNet's latents have {unet} channels and the VAE's {vae}"
            )));
        }
        Ok(checkpoint)
    }
}

/// What other models' keys begin with, and what such a model is.
const FAMILIES: [(&str, &str); 7] = [
    ("conditioner.embedders.", "a Stable Diffusion XL checkpoint"),
    ("cond_stage_model.model.", "a Stable Diffusion 2.x checkpoint"),
    ("model.diffusion_model.joint_blocks.", "a Stable Diffusion 3 checkpoint"),
    ("model.diffusion_model.double_blocks.", "a Flux checkpoint"),
    ("double_blocks.", "a Flux model"),
    ("lora_", "a LoRA"),
    ("down_blocks.", "a model with the key names of diffusers"),
];

/// The tensors whose keys begin alike.
pub struct Part<'h> {
    header: &'h dyn Header,
    prefix: String,
}

impl<'h> Part<'h> {
    /// Those whose keys begin with `prefix`.
    pub fn new(header: &'h dyn Header, prefix: impl Into<String>) -> Self {
        Self { header, prefix: prefix.into() }
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Whether any name begins with `start`.
    pub fn any(&self, start: &str) -> bool {
        let start = self.key(start);
        let keys = self.header.keys();
        let at = keys.partition_point(|key| key.as_str() < start.as_str());
        keys.get(at).is_some_and(|key| key.starts_with(&start))
    }

    /// One more than the highest number that follows `start` in a name.
    pub fn count(&self, start: &str) -> usize {
        let start = self.key(start);
        let keys = self.header.keys();
        let first = keys.partition_point(|key| key.as_str() < start.as_str());
        let names = keys.iter().skip(first).map_while(|key| key.strip_prefix(&start));
        let numbers = names.filter_map(|name| name.split('.').next()?.parse::<usize>().ok());
        // More layers than tensors would be a name made to exhaust the memory.
        numbers.filter(|&number| number < keys.len()).max().map_or(0, |highest| highest + 1)
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.header.shape(&self.key(name))
    }

    /// The first dimension of the first of these tensors that is there.
    fn rows(&self, names: &[String]) -> Option<usize> {
        names.iter().find_map(|name| self.shape(name)?.first().copied())
    }
}

/// Compares the tensors that a network needs with those that are there.
struct Check<'p> {
    part: &'p Part<'p>,
    missing: usize,
    first: Option<String>,
}

impl<'p> Check<'p> {
    fn new(part: &'p Part<'p>) -> Self {
        Self { part, missing: 0, first: None }
    }

    /// One tensor. A 1×1 convolution and a linear layer are the same numbers, so that dimensions
    /// of 1 at the end do not count.
    fn tensor(&mut self, name: &str, expected: &[usize]) -> Result<()> {
        let Some(found) = self.part.shape(name) else {
            self.lacks(name);
            return Ok(());
        };
        // What is expected is counted from other tensors, which says nothing where some are missing.
        if self.missing == 0 && significant(&found) != significant(expected) {
            let key = self.part.key(name);
            return Err(Error::Shape { key, found, expected: expected.to_vec() });
        }
        Ok(())
    }

    fn lacks(&mut self, name: &str) {
        self.missing += 1;
        self.first.get_or_insert_with(|| self.part.key(name));
    }

    /// `weight` of this shape and `bias` of its first dimension.
    fn layer(&mut self, name: &str, weight: &[usize]) -> Result<()> {
        self.tensor(&format!("{name}.weight"), weight)?;
        self.tensor(&format!("{name}.bias"), weight.get(..1).unwrap_or_default())
    }

    fn finish(self, part: &'static str) -> Result<()> {
        match self.first {
            Some(first) => Err(Error::Missing { part, count: self.missing, first }),
            None => Ok(()),
        }
    }
}

fn significant(shape: &[usize]) -> &[usize] {
    let length = shape.iter().rposition(|&dim| dim != 1).map_or(0, |last| last + 1);
    shape.get(..length).unwrap_or_default()
}

/// An entry of the metadata, as JSON; the default of its type where there is none.
fn metadata<T: DeserializeOwned + Default>(header: &dyn Header, entry: &'static str) -> Result<T> {
    let Some(text) = header.metadata(entry) else { return Ok(T::default()) };
    let given: std::result::Result<Option<T>, _> = serde_json::from_str(&text);
    given
        .map(Option::unwrap_or_default)
        .map_err(|error| Error::Metadata { entry, problem: error.to_string() })
}

/// Refuses a number of channels that does not divide into groups or heads.
fn divides(
    key: impl FnOnce() -> String,
    channels: usize,
    parts: usize,
    what: &str,
    entry: &str,
) -> Result<()> {
    if parts > 0 && channels.is_multiple_of(parts) {
        return Ok(());
    }
    Err(Error::Structure(format!(
        "{} has {channels} channels, which do not divide into {parts} {what}; a checkpoint whose {what} are not \
         those of Stable Diffusion 1.5 says so in its metadata `{entry}`",
        key()
    )))
}

//! Sampling.

use std::collections::HashMap;

use berth_sdk::prelude::*;

use crate::guide::{Guidance, Keep};
use crate::samplers::Sampler;
use crate::schedule::{Noise, Scheduler};

/// More steps than any client offers: a schedule is made at once.
const MOST_STEPS: usize = 10_000;

/// A batch index beyond any batch, so that no number on a wire is drawn up to for hours.
const LAST_INDEX: usize = 1 << 16;

/// Removes noise from a latent, step by step, towards a conditioning and away from another.
#[node(
    name = "KSampler",
    display_name = "KSampler",
    category = "model/sampling",
    outputs("LATENT" = "The latent without noise."),
    aliases("sampler", "sample", "generate", "denoise", "diffuse", "txt2img", "img2img")
)]
#[expect(clippy::too_many_arguments, reason = "each is an input of the node")]
pub fn k_sampler(
    /// The model that removes the noise.
    model: ModelWire,
    /// The seed of the noise.
    #[input(default = 0, min = 0, max = u64::MAX, seed)]
    seed: u64,
    /// How many steps: more take longer and can be better.
    #[input(default = 20, min = 1, max = MOST_STEPS)]
    steps: usize,
    /// How strongly the positive conditioning counts against the negative one. 1 is without the negative.
    #[input(default = 8.0, min = 0.0, max = 100.0, step = 0.1)]
    cfg: f64,
    /// How the noise is removed.
    sampler_name: Sampler,
    /// How the noise is spread over the steps.
    scheduler: Scheduler,
    /// What the result should be.
    positive: Conditioning,
    /// What it should not be.
    negative: Conditioning,
    /// What to begin with.
    latent_image: Latent,
    /// How much of the latent becomes noise at first: less than 1 keeps its composition.
    #[input(default = 1.0, min = 0.0, max = 1.0, step = 0.01)]
    denoise: f64,
) -> Result<Latent> {
    if !(1..=MOST_STEPS).contains(&steps) {
        return Err(Error::invalid(format!("`steps` is {steps}, not between 1 and {MOST_STEPS}")));
    }
    let alphas: Vec<f64> = model.alphas()?.to_vec()?;
    let noise_levels = Noise::new(&alphas)?;
    let sigmas = scheduler.partial(&noise_levels, steps, denoise);
    let Some(&highest) = sigmas.first().filter(|_| sigmas.len() > 1) else {
        return Ok(latent_image);
    };

    let samples = latent_image.samples()?.cast(DType::F32)?;
    let shape: [usize; 4] = samples.dims()?;
    let channels = model.latent_channels()?;
    if shape[1] != channels {
        return Err(Error::invalid(format!(
            "`latent_image` has {} channels, and the model takes latents of {channels}",
            shape[1]
        )));
    }
    let (scale, shift) = (model.latent_scale()?, model.latent_shift()?);
    let latent = samples.affine(scale, -shift * scale)?;
    let noise = first_noise(&latent_image, seed, shape)?;

    let mut guidance =
        Guidance::new(&model, &noise_levels, [&positive, &negative], cfg, seed, shape)?;
    if let Some(mask) = latent_image.noise_mask()? {
        // As in ComfyUI, whose ddim lays noise of its own over what is kept.
        let over = match sampler_name {
            Sampler::Ddim => Generator::seeded(seed.wrapping_add(1)).normal(&shape)?,
            _ => noise.clone(),
        };
        guidance.keep(Keep::new(&mask, latent.clone(), over)?);
    }
    let x = (noise.affine(noise_levels.amplitude(highest), 0.0)? + latent)?;
    let x = sampler_name.sample(&sigmas, x, &mut guidance)?;
    latent_image.with_samples(x.affine(1.0 / scale, shift)?)
}

/// The noise of a batch: of all its latents at once, or of those that a part of a batch says that
/// it consists of, which were drawn one after another.
fn first_noise(latents: &Latent, seed: u64, shape: [usize; 4]) -> Result<Tensor> {
    let mut generator = Generator::seeded(seed);
    let Some(indices) = latents.object().get_optional::<Items>("batch-index")? else {
        return generator.normal(&shape);
    };
    let indices: Vec<usize> = indices.to_vec()?;
    let last = indices.iter().copied().max().unwrap_or_default();
    if indices.len() != shape[0] || last > LAST_INDEX {
        return Err(Error::invalid(format!(
            "`batch-index` has {} indices up to {last}, for {} latents and up to {LAST_INDEX}",
            indices.len(),
            shape[0]
        )));
    }
    let mut drawn = HashMap::new();
    for index in 0..=last {
        let noise = generator.normal(&[1, shape[1], shape[2], shape[3]])?;
        if indices.contains(&index) {
            drawn.insert(index, noise);
        }
    }
    let noises: Vec<_> = indices.iter().filter_map(|index| drawn.get(index)).collect();
    Tensor::concat(&noises, 0)
}

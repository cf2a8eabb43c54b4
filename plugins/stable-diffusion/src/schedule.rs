//! From a number of steps to the noise levels that a sampler walks down.
//!
//! A noise level σ is the standard deviation of the noise in x = x₀ + σ·ε (Karras et al. 2022); a
//! model was trained at discrete timesteps of it. The schedules are ComfyUI's, index by index,
//! since a seed gives the same image only on the same levels.

use berth_sdk::Choice;

use crate::error::{Error, Result};

/// The noise levels that a model was trained at.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// σ at each timestep, rising.
    sigmas: Vec<f32>,
    /// Their logarithms, rounded from `f64` as they are.
    logs: Vec<f32>,
}

impl Noise {
    /// The levels σ = √((1 − ᾱ)/ᾱ) of a schedule's ᾱ (Ho et al. 2020). Errors: fewer than two, or not
    /// falling from 1 towards 0.
    pub fn new(alphas: &[f64]) -> Result<Self> {
        let sigmas: Vec<_> = alphas.iter().map(|alpha| ((1.0 - alpha) / alpha).sqrt()).collect();
        let rising = sigmas.windows(2).all(|pair| matches!(pair, [low, high] if low < high));
        let finite = sigmas.iter().all(|sigma| sigma.is_finite() && *sigma > 0.0);
        if sigmas.len() < 2 || !rising || !finite {
            return Err(Error::Argument(
                "the model's `alphas` do not fall from 1 towards 0, so they are no noise schedule"
                    .into(),
            ));
        }
        let logs = sigmas.iter().map(|sigma| sigma.ln() as f32).collect();
        Ok(Self { sigmas: sigmas.into_iter().map(|sigma| sigma as f32).collect(), logs })
    }

    /// How many timesteps there are.
    fn len(&self) -> usize {
        self.sigmas.len()
    }

    /// σ at a timestep; the last one past the end.
    fn at(&self, timestep: usize) -> f32 {
        let last = self.sigmas.last();
        self.sigmas.get(timestep).or(last).copied().unwrap_or_default()
    }

    /// The lowest level.
    pub fn lowest(&self) -> f32 {
        self.at(0)
    }

    /// The highest level.
    pub fn highest(&self) -> f32 {
        self.at(usize::MAX)
    }

    /// The timestep whose level is nearest in logarithm, the first of equals.
    pub fn timestep(&self, sigma: f32) -> usize {
        let log = sigma.ln();
        let distance = |known: &f32| (log - known).abs();
        let nearest = self.logs.iter().map(distance).enumerate();
        nearest.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(timestep, _)| timestep)
    }

    /// The level at a timestep between others: their geometric interpolation.
    fn between(&self, timestep: f32) -> f32 {
        let last = (self.len() - 1) as f32;
        let timestep = timestep.clamp(0.0, last);
        let log = |at: f32| self.logs.get(at as usize).copied().unwrap_or_default();
        let weight = timestep.fract();
        ((1.0 - weight) * log(timestep.floor()) + weight * log(timestep.ceil())).exp()
    }

    /// What standard noise is multiplied by at a level. A latent at the highest is taken for noise
    /// alone, whose variance is that of x₀ + σ·ε, with 1 for x₀'s.
    pub fn amplitude(&self, sigma: f32) -> f64 {
        let (sigma, highest) = (f64::from(sigma), f64::from(self.highest()));
        let is_highest = sigma > highest || (sigma - highest).abs() <= 1e-5 * sigma.max(highest);
        if is_highest { (1.0 + sigma * sigma).sqrt() } else { sigma }
    }
}

/// How the levels are spread over the steps, by the name that ComfyUI gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Scheduler {
    /// Timesteps apart by the same whole number, from the last one on.
    Simple,
    /// Timesteps apart by the same amount, without the lowest.
    SgmUniform,
    /// Levels whose seventh roots are apart by the same amount (Karras et al. 2022).
    Karras,
    /// Levels whose logarithms are apart by the same amount.
    Exponential,
    /// Timesteps apart by the same whole number, up from 1 (Song et al. 2021).
    DdimUniform,
    /// Timesteps apart by the same amount, from the highest level to the lowest.
    Normal,
}

impl Scheduler {
    /// The falling levels of `steps` steps, the last one 0. `steps` + 1 of them, except that
    /// `ddim_uniform` makes as many as its whole stride gives.
    #[cfg(test)]
    pub fn sigmas(self, noise: &Noise, steps: usize) -> Vec<f32> {
        self.last(noise, steps, usize::MAX)
    }

    /// The last `steps` steps of a walk of `steps / denoise` steps; none at all when `denoise` is 0.
    pub fn partial(self, noise: &Noise, steps: usize, denoise: f64) -> Vec<f32> {
        if denoise > 0.9999 {
            return self.last(noise, steps, usize::MAX);
        }
        if denoise <= 0.0 {
            return Vec::new();
        }
        self.last(noise, (steps as f64 / denoise) as usize, steps)
    }

    /// The last `wanted` steps of a walk. The others are not made: a small `denoise` would make millions.
    fn last(self, noise: &Noise, steps: usize, wanted: usize) -> Vec<f32> {
        let steps = steps.max(1);
        let count = match self {
            Self::DdimUniform => (noise.len() - 1).div_ceil(stride(noise, steps)),
            _ => steps,
        };
        let levels = (count.saturating_sub(wanted)..count).map(|i| self.level(noise, steps, i));
        levels.chain([0.0]).collect()
    }

    /// The level that step `i` begins at.
    fn level(self, noise: &Noise, steps: usize, i: usize) -> f32 {
        let (low, high) = (f64::from(noise.lowest()), f64::from(noise.highest()));
        let last = (noise.len() - 1) as f64;
        match self {
            Self::Simple => {
                let below = (i as f64 * (noise.len() as f64 / steps as f64)) as usize;
                noise.at((noise.len() - 1).saturating_sub(below))
            }
            Self::DdimUniform => {
                let stride = stride(noise, steps);
                let count = (noise.len() - 1).div_ceil(stride);
                noise.at(1 + count.saturating_sub(i + 1) * stride)
            }
            Self::Normal => noise.between(spread(last, 0.0, steps, i) as f32),
            Self::SgmUniform => noise.between(spread(last, 0.0, steps.saturating_add(1), i) as f32),
            Self::Karras => {
                let root = spread(high.powf(1.0 / 7.0), low.powf(1.0 / 7.0), steps, i);
                root.powi(7) as f32
            }
            Self::Exponential => spread(high.ln(), low.ln(), steps, i).exp() as f32,
        }
    }
}

/// Timesteps from one level of `ddim_uniform` to the next.
fn stride(noise: &Noise, steps: usize) -> usize {
    (noise.len() / steps).max(1)
}

/// The `i`-th of `count` numbers from one to another, apart by the same amount.
fn spread(from: f64, to: f64, count: usize, i: usize) -> f64 {
    let step = (to - from) / count.saturating_sub(1).max(1) as f64;
    // From both ends, so that both are hit exactly.
    if i < count.div_ceil(2) { from + step * i as f64 } else { to - step * (count - 1 - i) as f64 }
}

#[cfg(test)]
mod tests;

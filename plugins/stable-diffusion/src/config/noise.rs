//! The noise that a denoiser was trained to remove.

use berth_sdk::Prediction;
use serde::Deserialize;

use super::{Header, metadata};
use crate::error::{Error, Result};

/// The metadata entry of the schedule.
const ENTRY: &str = "config.scheduler";
/// More timesteps than any model was trained with: the schedule is read by every sampler.
const MOST_STEPS: usize = 100_000;

/// The noise schedule and what the denoiser says of the noise.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseSchedule {
    /// ᾱ of Ho et al. 2020 at each timestep: how much of the image's variance is left.
    pub alphas: Vec<f64>,
    /// What the denoiser predicts.
    pub prediction: Prediction,
}

/// The part of a diffusers scheduler's configuration that a model depends on.
#[derive(Deserialize, Default)]
struct Metadata {
    beta_start: Option<f64>,
    beta_end: Option<f64>,
    beta_schedule: Option<String>,
    num_train_timesteps: Option<usize>,
    trained_betas: Option<Vec<f64>>,
    prediction_type: Option<String>,
    rescale_betas_zero_snr: Option<bool>,
}

impl NoiseSchedule {
    /// Reads the metadata; Stable Diffusion 1.5's schedule where there is none.
    pub fn detect(header: &dyn Header) -> Result<Self> {
        let given: Metadata = metadata(header, ENTRY)?;
        let refused = |problem: String| Error::Metadata { entry: ENTRY, problem };
        if given.rescale_betas_zero_snr == Some(true) {
            return Err(refused("`rescale_betas_zero_snr` is not supported".into()));
        }
        let steps = given.num_train_timesteps.unwrap_or(1000);
        if !(2..=MOST_STEPS).contains(&steps) {
            return Err(refused(format!(
                "`num_train_timesteps` is {steps}, not between 2 and {MOST_STEPS}"
            )));
        }
        let (start, end) = (given.beta_start.unwrap_or(0.00085), given.beta_end.unwrap_or(0.012));
        let betas: Vec<f64> = match (given.trained_betas, given.beta_schedule.as_deref()) {
            (Some(betas), _) => betas,
            (None, None | Some("scaled_linear")) => {
                line(start.sqrt(), end.sqrt(), steps).map(|root| root * root).collect()
            }
            (None, Some("linear")) => line(start, end, steps).collect(),
            (None, Some(other)) => {
                return Err(refused(format!(
                    "the `beta_schedule` {other:?} is none of \"linear\" and \"scaled_linear\""
                )));
            }
        };
        if betas.len() < 2 || !betas.iter().all(|beta| (0.0..1.0).contains(beta)) {
            return Err(refused("the betas are not all between 0 and 1".into()));
        }
        let alphas = betas.iter().scan(1.0, |product, beta| {
            *product *= 1.0 - beta;
            Some(*product)
        });
        let named = given.prediction_type.or_else(|| header.metadata("modelspec.prediction_type"));
        let prediction = match named.as_deref() {
            None | Some("epsilon") => Prediction::Epsilon,
            Some("v" | "v_prediction") => Prediction::V,
            Some(other) => {
                return Err(refused(format!(
                    "the `prediction_type` {other:?} is none of \"epsilon\" and \"v_prediction\""
                )));
            }
        };
        Ok(Self { alphas: alphas.collect(), prediction })
    }
}

/// `count` numbers from one to another, apart by the same amount.
fn line(start: f64, end: f64, count: usize) -> impl Iterator<Item = f64> {
    let step = (end - start) / (count - 1) as f64;
    (0..count).map(move |i| start + step * i as f64)
}

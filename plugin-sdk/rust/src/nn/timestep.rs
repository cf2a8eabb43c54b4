//! A timestep as a vector.

use crate::{Error, Result, Tensor};

/// The longest wavelength of the embedding, in timesteps over 2π (Vaswani et al. 2017).
const LONGEST: f64 = 10_000.0;

/// The sinusoidal embedding of a timestep: [1, dim] `f32`, first the cosines and then the
/// sines of t·10000^(−i/h) for i < h = dim/2, as diffusion models have it (Ho et al. 2020).
///
/// # Errors
/// `InvalidArgument` for an odd `dim`.
pub fn timestep_embedding(timestep: f64, dim: usize) -> Result<Tensor> {
    if !dim.is_multiple_of(2) || dim == 0 {
        return Err(Error::invalid(format!("a timestep embedding of {dim} has no halves")));
    }
    Tensor::from_f32(&[1, dim], &sinusoids(timestep, dim / 2))
}

/// In `f32` from the exponent on: the models were trained with the frequencies' rounding,
/// which at t = 1000 already moves the fifth digit.
fn sinusoids(timestep: f64, half: usize) -> Vec<f32> {
    let slope = -(LONGEST.ln() as f32);
    let angles: Vec<f32> =
        (0..half).map(|i| timestep as f32 * (slope * i as f32 / half as f32).exp()).collect();
    let cosines = angles.iter().map(|angle| angle.cos());
    cosines.chain(angles.iter().map(|angle| angle.sin())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosines_come_before_sines_and_frequencies_fall_from_one() {
        let embedding = sinusoids(1.0, 2);
        let second = 1.0e4_f64.powf(-0.5);
        let expected = [1.0_f64.cos(), second.cos(), 1.0_f64.sin(), second.sin()];
        for (got, expected) in embedding.into_iter().zip(expected) {
            assert!((f64::from(got) - expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    #[test]
    fn timestep_zero_is_ones_and_zeros() {
        assert_eq!(sinusoids(0.0, 3), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn an_odd_dimension_is_refused() {
        assert!(matches!(timestep_embedding(1.0, 3), Err(Error::InvalidArgument(_))));
    }
}

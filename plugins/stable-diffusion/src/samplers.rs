//! Samplers: how to walk from noise to an image, given a guess of the image at every level.
//!
//! Every one of these samplers makes its next x as a sum of multiples: of x, of what the model
//! makes of it, of what it made before, and of fresh noise. So a sampler here is scalar arithmetic in
//! `f64` that gives the factors, and what is added up can be anything with [`Latents`]. The
//! formulas are those of Karras et al. 2022 ("k-diffusion"), x = x₀ + σ·ε.

use berth_sdk::Choice;

/// Something that can be added up in multiples.
pub trait Latents: Sized {
    /// Why it could not.
    type Error;

    /// The sum of the terms, each a factor and what it multiplies.
    fn sum(terms: &[(f64, &Self)]) -> Result<Self, Self::Error>;
}

/// What a sampler walks by.
pub trait Guide<L: Latents> {
    /// The image without noise that the model sees in `x` at the level `sigma`.
    fn denoise(&mut self, x: &L, sigma: f32) -> Result<L, L::Error>;

    /// Fresh standard noise of x's shape.
    fn noise(&mut self) -> Result<L, L::Error>;

    /// `done` of `total` steps are done.
    fn progress(&mut self, done: usize, total: usize);
}

/// A way to walk, by the name that ComfyUI gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Sampler {
    /// Straight towards the image (Karras et al. 2022, algorithm 2 without churn and correction).
    Euler,
    /// Farther than the next level, and back up with fresh noise.
    EulerAncestral,
    /// Euler, corrected by the slope at the end of the step (algorithm 2).
    Heun,
    /// Second-order multistep in log σ (Lu et al. 2022, DPM-Solver++(2M)).
    #[choice("dpmpp_2m")]
    Dpmpp2m,
    /// Song et al. 2021, deterministic: in x = x₀ + σ·ε it is Euler's step.
    Ddim,
}

impl Sampler {
    /// Walks from `x` at the first of the falling levels to the last.
    pub fn sample<L: Latents>(
        self,
        sigmas: &[f32],
        mut x: L,
        guide: &mut impl Guide<L>,
    ) -> Result<L, L::Error> {
        let total = sigmas.len().saturating_sub(1);
        // The guess of the step before, and the level it was made at.
        let mut before: Option<(L, f64)> = None;
        for (step, pair) in sigmas.windows(2).enumerate() {
            let &[sigma, next] = pair else { continue };
            let (from, to) = (f64::from(sigma), f64::from(next));
            let denoised = guide.denoise(&x, sigma)?;
            x = match self {
                Self::Euler | Self::Ddim => euler(&x, &denoised, from, to)?,
                Self::EulerAncestral => {
                    let (down, up) = ancestral(from, to);
                    let lower = euler(&x, &denoised, from, down)?;
                    match next > 0.0 {
                        true => L::sum(&[(1.0, &lower), (up, &guide.noise()?)])?,
                        false => lower,
                    }
                }
                Self::Heun => {
                    let ahead = euler(&x, &denoised, from, to)?;
                    match next > 0.0 {
                        true => {
                            let then = guide.denoise(&ahead, next)?;
                            // x + Δσ/2·(slope here + slope there), a slope being (x − denoised)/σ.
                            let (here, there) = ((to - from) / 2.0 / from, (to - from) / 2.0 / to);
                            L::sum(&[
                                (1.0 + here, &x),
                                (-here, &denoised),
                                (there, &ahead),
                                (-there, &then),
                            ])?
                        }
                        false => ahead,
                    }
                }
                Self::Dpmpp2m => match before
                    .take()
                    .and_then(|(guess, level)| Some((guess, second_order(level, from, to)?)))
                {
                    Some((guess, share)) => L::sum(&[
                        (to / from, &x),
                        ((1.0 - to / from) * (1.0 + share), &denoised),
                        ((1.0 - to / from) * -share, &guess),
                    ])?,
                    None => euler(&x, &denoised, from, to)?,
                },
            };
            before = Some((denoised, from));
            guide.progress(step + 1, total);
        }
        Ok(x)
    }
}

/// x + (x − denoised)/σ·(σ′ − σ). Also DPM-Solver++'s first order: with h = ln σ/σ′, its factors e⁻ʰ and
/// 1 − e⁻ʰ are these. At level 0 it is the guess itself.
fn euler<L: Latents>(x: &L, denoised: &L, from: f64, to: f64) -> Result<L, L::Error> {
    L::sum(&[(to / from, x), (1.0 - to / from, denoised)])
}

/// The level to step down to, and the noise that leads back up from it, so that together they
/// have the variance of the level `to`.
fn ancestral(from: f64, to: f64) -> (f64, f64) {
    let up = to.min((to * to * (from * from - to * to) / (from * from)).sqrt());
    ((to * to - up * up).sqrt(), up)
}

/// 1/2r of DPM-Solver++(2M), r being the last step's length in log σ by this one's. Nothing
/// where the step is first order: to level 0, or where a level repeats.
fn second_order(before: f64, from: f64, to: f64) -> Option<f64> {
    let share = (from / to).ln() / (before / from).ln() / 2.0;
    (to > 0.0 && share.is_finite()).then_some(share)
}

#[cfg(test)]
mod tests;

//! What a sampler is guided by: a MODEL under a positive and a negative conditioning.
//!
//! Classifier-free guidance (Ho & Salimans 2022) is a sum of predictions with factors that add
//! up to 1, and so is the mean over the entries of a conditioning. So all predictions of a step
//! are rows of as few calls as their shapes allow, each with its factor.

use berth_sdk::{
    Conditioning, Error, Generator, ModelWire, Prediction, Result, Sampling, Tensor, context,
};

use crate::samplers::{Guide, Latents};
use crate::schedule::Noise;

/// A sampler's guide.
pub struct Guidance<'a> {
    model: &'a ModelWire,
    noise: &'a Noise,
    prediction: Prediction,
    shape: [usize; 4],
    calls: Vec<Call>,
    step_noise: Generator,
    keep: Option<Keep>,
}

/// One call of the model: some conditionings, each for the whole batch of latents.
struct Call {
    conditioning: Tensor,
    pooled: Option<Tensor>,
    factors: Vec<f64>,
}

/// A part of the latents that a sampler must not change.
pub struct Keep {
    /// 1 where it may, [b, 1, h, w].
    mask: Tensor,
    /// 1 − `mask`.
    rest: Tensor,
    /// What must stay.
    latent: Tensor,
    /// The noise over it, as the model expects it at every level.
    noise: Tensor,
}

/// An embedding for the whole batch, and how much it counts.
struct Term {
    embedding: Tensor,
    pooled: Option<Tensor>,
    factor: f64,
}

impl<'a> Guidance<'a> {
    /// Guidance of latents of this shape. At a `cfg` of 1 the negative conditioning counts nothing,
    /// and is not computed.
    pub fn new(
        model: &'a ModelWire,
        noise: &'a Noise,
        [positive, negative]: [&Conditioning; 2],
        cfg: f64,
        seed: u64,
        shape: [usize; 4],
    ) -> Result<Self> {
        let prediction = model.prediction()?;
        if prediction == Prediction::Flow {
            return Err(Error::Unsupported("KSampler samples no flow models yet".into()));
        }
        let mut terms = Vec::new();
        if (cfg - 1.0).abs() > 1e-9 {
            terms.extend(
                terms_of(negative, 1.0 - cfg, shape[0]).map_err(|error| error.at("`negative`"))?,
            );
        }
        terms.extend(terms_of(positive, cfg, shape[0]).map_err(|error| error.at("`positive`"))?);
        Ok(Self {
            model,
            noise,
            prediction,
            shape,
            calls: calls_of(terms)?,
            // Another sequence than the first noise's, of which it would be a part.
            step_noise: Generator::seeded(seed.wrapping_add(1)),
            keep: None,
        })
    }

    /// Keeps a part of the latents as it is.
    pub fn keep(&mut self, keep: Keep) {
        self.keep = Some(keep);
    }

    fn guess(&self, x: &Tensor, sigma: f32) -> Result<Tensor> {
        let view = View::new(self.prediction, f64::from(sigma));
        let timestep = self.noise.timestep(sigma) as f64;
        let batch = self.shape[0];
        let scaled = x.affine(view.input, 0.0)?;
        let mut parts = Vec::new();
        for call in &self.calls {
            let count = call.factors.len();
            let latents = match count {
                1 => scaled.clone(),
                _ => Tensor::concat(&vec![&scaled; count], 0)?,
            };
            let rows =
                self.model.denoise(&latents, timestep, &call.conditioning, call.pooled.as_ref())?;
            for (index, &factor) in call.factors.iter().enumerate() {
                let part = match count {
                    1 => rows.clone(),
                    _ => rows.slice(0, index * batch..(index + 1) * batch)?,
                };
                parts.push((factor * view.output, part));
            }
        }
        let terms: Vec<_> = parts.iter().map(|(factor, part)| (*factor, part)).collect();
        Latents::sum(&[&[(view.skip, x)], terms.as_slice()].concat())
    }
}

impl Guide<Tensor> for Guidance<'_> {
    fn denoise(&mut self, x: &Tensor, sigma: f32) -> Result<Tensor> {
        let Some(Keep { mask, rest, latent, noise }) = &self.keep else {
            return self.guess(x, sigma);
        };
        let noised = (noise.affine(f64::from(sigma), 0.0)? + latent)?;
        let guess = self.guess(&((x * mask)? + (noised * rest)?)?, sigma)?;
        (guess * mask)? + (latent * rest)?
    }

    fn noise(&mut self) -> Result<Tensor> {
        self.step_noise.normal(&self.shape)
    }

    fn progress(&mut self, done: usize, total: usize) {
        context::progress(done, total);
    }
}

impl Latents for Tensor {
    type Error = Error;

    fn sum(terms: &[(f64, &Self)]) -> Result<Self> {
        let mut terms = terms.iter().map(|&(factor, tensor)| match factor {
            1.0 => Ok(tensor.clone()),
            _ => tensor.affine(factor, 0.0),
        });
        let first = terms.next().ok_or_else(|| Error::other("a sum of no terms"))??;
        terms.try_fold(first, |sum, term| sum + term?)
    }
}

impl Keep {
    /// What a mask [.., h, w] of 1s where a sampler may change something leaves of `latent`.
    pub fn new(mask: &Tensor, latent: Tensor, noise: Tensor) -> Result<Self> {
        let [batch, _, height, width] = latent.dims()?;
        let (rows, columns) = (mask.dim(-2)?, mask.dim(-1)?);
        let count = mask.shape().iter().rev().skip(2).product();
        let mask = mask.reshape(&[count, 1, rows, columns])?;
        let mask = match (rows, columns) == (height, width) {
            true => mask,
            false => mask.interpolate(height, width, Sampling::Bilinear)?,
        };
        let mask = repeated(mask, batch)?;
        Ok(Self { rest: mask.affine(-1.0, 1.0)?, mask, latent, noise })
    }
}

/// How a latent x = x₀ + σ·ε becomes the model's input, and its output a guess of x₀.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// What x is multiplied by for the model, which was trained on x₀·√ᾱ + ε·√(1−ᾱ).
    pub input: f64,
    /// What x is multiplied by in the guess.
    pub skip: f64,
    /// What the model's output is multiplied by in the guess.
    pub output: f64,
}

impl View {
    /// At a noise level.
    pub fn new(prediction: Prediction, sigma: f64) -> Self {
        let variance = sigma * sigma + 1.0;
        let input = variance.sqrt().recip();
        match prediction {
            Prediction::V => Self { input, skip: variance.recip(), output: -sigma * input },
            Prediction::Epsilon | Prediction::Flow => Self { input, skip: 1.0, output: -sigma },
        }
    }
}

/// A conditioning's entries, which share a factor.
fn terms_of(conditioning: &Conditioning, factor: f64, batch: usize) -> Result<Vec<Term>> {
    let entries = conditioning.entries()?;
    if entries.is_empty() {
        return Err(Error::invalid("the conditioning has no entries"));
    }
    let factor = factor / entries.len() as f64;
    let term = |entry: &berth_sdk::Entry| {
        let pooled = entry.pooled()?.map(|pooled| repeated(pooled, batch)).transpose()?;
        Ok(Term { embedding: repeated(entry.embedding()?, batch)?, pooled, factor })
    };
    entries.iter().map(term).collect()
}

/// Neighbours of one shape, in one call each.
fn calls_of(terms: Vec<Term>) -> Result<Vec<Call>> {
    let shape = |term: &Term| (term.embedding.shape(), term.pooled.as_ref().map(Tensor::shape));
    terms
        .chunk_by(|a, b| shape(a) == shape(b))
        .map(|terms| {
            let embeddings: Vec<_> = terms.iter().map(|term| &term.embedding).collect();
            let pooled: Vec<_> = terms.iter().filter_map(|term| term.pooled.as_ref()).collect();
            Ok(Call {
                conditioning: Tensor::concat(&embeddings, 0)?,
                pooled: match pooled.as_slice() {
                    [] => None,
                    pooled => Some(Tensor::concat(pooled, 0)?),
                },
                factors: terms.iter().map(|term| term.factor).collect(),
            })
        })
        .collect()
}

/// As many rows as the batch has, the tensor's own over and over.
fn repeated(tensor: Tensor, batch: usize) -> Result<Tensor> {
    let rows = tensor.dim(0)?;
    if rows == batch || rows == 0 {
        return Ok(tensor);
    }
    let indices: Vec<u32> = (0..batch).map(|row| (row % rows) as u32).collect();
    tensor.index_select(0, &Tensor::from_slice(&[batch], &indices)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::{Oracle, distance};

    #[test]
    fn guidance_of_the_oracle_s_predictions_is_the_oracle_s_guess() {
        let oracle = Oracle::open();
        let cfg = f64::from(oracle.floats("cfg")[0]);
        for run in ["euler", "img2img"] {
            let rows = |part: &str| oracle.rows(&format!("{run}.{part}"), 20);
            let sigmas = oracle.floats(&format!("{run}.sigmas"));
            let steps = sigmas.iter().zip(rows("x")).zip(rows("eps")).zip(rows("denoised"));
            for (((&sigma, x), predicted), guess) in steps {
                let view = View::new(Prediction::Epsilon, f64::from(sigma));
                let (negative, positive) = predicted.split_at(x.len());
                let found =
                    x.iter().zip(negative).zip(positive).map(|((x, negative), positive)| {
                        let predicted =
                            f64::from(*negative) * (1.0 - cfg) + f64::from(*positive) * cfg;
                        (view.skip * f64::from(*x) + view.output * predicted) as f32
                    });
                let found: Vec<_> = found.collect();
                assert!(distance(&found, &guess) < 1e-5, "{run} {sigma}");
            }
        }
    }

    #[test]
    fn both_predictions_of_one_noise_give_one_guess() {
        // x = x₀ + σ·ε; the model sees x·input, and predicts ε or √ᾱ·ε − √(1−ᾱ)·x₀ with ᾱ = input².
        let (image, noise, sigma) = (0.7, -1.3, 2.5);
        let x = image + sigma * noise;
        let epsilon = View::new(Prediction::Epsilon, sigma);
        let v = View::new(Prediction::V, sigma);
        let velocity = v.input * noise - (1.0 - v.input * v.input).sqrt() * image;
        assert!((epsilon.skip * x + epsilon.output * noise - image).abs() < 1e-12);
        assert!((v.skip * x + v.output * velocity - image).abs() < 1e-12);
    }
}

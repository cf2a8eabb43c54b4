use std::convert::Infallible;
use std::iter;

use super::*;
use crate::oracle::{Oracle, distance};

#[derive(Clone, Debug, PartialEq)]
struct Flat(Vec<f32>);

impl Latents for Flat {
    type Error = Infallible;

    fn sum(terms: &[(f64, &Self)]) -> Result<Self, Infallible> {
        let at = |i: usize| terms.iter().map(|(factor, x)| (*factor as f32) * x.0[i]).sum();
        Ok(Self((0..terms[0].1.0.len()).map(at).collect()))
    }
}

/// Guesses what the oracle's model guessed, and compares what it is asked with what that was asked.
struct Recorded {
    run: &'static str,
    asked: Vec<Vec<f32>>,
    guessed: Vec<Vec<f32>>,
    noise: Box<dyn Iterator<Item = Vec<f32>>>,
    step: usize,
}

impl Guide<Flat> for Recorded {
    fn denoise(&mut self, x: &Flat, _: f32) -> Result<Flat, Infallible> {
        let off = distance(&x.0, &self.asked[self.step]);
        assert!(off < 1e-5, "{} step {}: {off}", self.run, self.step);
        Ok(Flat(self.guessed[self.step].clone()))
    }

    fn noise(&mut self) -> Result<Flat, Infallible> {
        Ok(Flat(self.noise.next().unwrap()))
    }

    fn progress(&mut self, done: usize, total: usize) {
        self.step += 1;
        assert_eq!((done, total), (self.step, 20));
    }
}

fn replay(run: &'static str, sampler: Sampler, noise: impl Iterator<Item = Vec<f32>> + 'static) {
    let oracle = Oracle::open();
    let rows = |part: &str| oracle.rows(&format!("{run}.{part}"), 20);
    let mut guide = Recorded {
        run,
        asked: rows("x"),
        guessed: rows("denoised"),
        noise: Box::new(noise),
        step: 0,
    };
    let x = Flat(guide.asked[0].clone());
    let sigmas = oracle.floats(&format!("{run}.sigmas"));
    let Ok(found) = sampler.sample(&sigmas, x, &mut guide);
    let off = distance(&found.0, &oracle.floats(&format!("{run}.final")));
    assert!(off < 1e-5 && guide.step == 20, "{run}: {off}");
}

#[test]
fn euler_walks_as_the_oracle() {
    replay("euler", Sampler::Euler, iter::empty());
    replay("euler_normal", Sampler::Euler, iter::empty());
}

#[test]
fn euler_ancestral_walks_as_the_oracle() {
    let step_noise = Oracle::open().rows("euler_a.step_noise", 20);
    replay("euler_a", Sampler::EulerAncestral, step_noise.into_iter());
    replay("euler_a0", Sampler::EulerAncestral, iter::repeat(vec![0.0; 256]));
}

#[test]
fn dpmpp_2m_walks_as_the_oracle() {
    replay("dpmpp_2m", Sampler::Dpmpp2m, iter::empty());
    replay("img2img", Sampler::Dpmpp2m, iter::empty());
}

#[test]
fn ddim_walks_as_the_oracle() {
    replay("ddim", Sampler::Ddim, iter::empty());
}

/// Images that are all noise of variance 1, for which the best guess and the whole way are known.
struct Gaussian;

impl Guide<Flat> for Gaussian {
    fn denoise(&mut self, x: &Flat, sigma: f32) -> Result<Flat, Infallible> {
        Flat::sum(&[(1.0 / (1.0 + f64::from(sigma).powi(2)), x)])
    }

    fn noise(&mut self) -> Result<Flat, Infallible> {
        Ok(Flat(vec![0.0]))
    }

    fn progress(&mut self, _: usize, _: usize) {}
}

fn error(sampler: Sampler, steps: u32) -> f64 {
    let level = |step: u32| 10.0_f64.powf(1.0 - 2.0 * f64::from(step) / f64::from(steps)) as f32;
    let sigmas: Vec<_> = (0..=steps).map(level).collect();
    let Ok(found) = sampler.sample(&sigmas, Flat(vec![101.0_f32.sqrt()]), &mut Gaussian);
    (f64::from(found.0[0]) - 1.01_f64.sqrt()).abs()
}

#[test]
fn heun_and_dpmpp_2m_are_of_second_order_and_euler_of_first() {
    for sampler in [Sampler::Heun, Sampler::Dpmpp2m] {
        let ratio = error(sampler, 16) / error(sampler, 64);
        assert!((10.0..25.0).contains(&ratio), "{sampler:?} {ratio}");
    }
    let ratio = error(Sampler::Euler, 16) / error(Sampler::Euler, 64);
    assert!((3.0..6.0).contains(&ratio), "{ratio}");
}

#[test]
fn a_level_that_repeats_does_no_harm() {
    for name in Sampler::NAMES {
        let sampler = Sampler::from_name(name).unwrap();
        let sigmas = [4.0, 2.0, 2.0, 1.0, 1.0, 0.0];
        let Ok(found) = sampler.sample(&sigmas, Flat(vec![4.0]), &mut Gaussian);
        assert!(found.0[0].is_finite(), "{name}");
    }
}

#[test]
fn no_steps_change_nothing() {
    for sigmas in [&[][..], &[3.0]] {
        let Ok(found) = Sampler::Heun.sample(sigmas, Flat(vec![4.0]), &mut Gaussian);
        assert_eq!(found, Flat(vec![4.0]));
    }
}

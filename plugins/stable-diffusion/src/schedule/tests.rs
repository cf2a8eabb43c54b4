use super::*;
use crate::oracle::{Oracle, distance};

/// Stable Diffusion's schedule, rounded as it travels on a wire.
fn noise() -> Noise {
    let line = |i: u32| {
        0.00085_f64.sqrt() + (0.012_f64.sqrt() - 0.00085_f64.sqrt()) * f64::from(i) / 999.0
    };
    let alphas = (0..1000).scan(1.0, |product, i| {
        *product *= 1.0 - line(i).powi(2);
        Some(f64::from(*product as f32))
    });
    Noise::new(&alphas.collect::<Vec<_>>()).unwrap()
}

#[test]
fn the_levels_are_the_oracle_s() {
    let all = Oracle::open().floats("sched.all_sigmas");
    assert!(distance(&noise().sigmas, &all) < 1e-6);
    for (found, expected) in noise().sigmas.iter().zip(all) {
        assert!((found / expected - 1.0).abs() < 4e-5, "{found} {expected}");
    }
}

#[test]
fn every_schedule_is_the_oracle_s() {
    let oracle = Oracle::open();
    for name in ["karras", "exponential", "normal", "simple", "ddim_uniform"] {
        let found = Scheduler::from_name(name).unwrap().sigmas(&noise(), 20);
        let expected = oracle.floats(&format!("sched.{name}.20"));
        let distance = distance(&found, &expected);
        assert!(distance < 1e-5, "{name}: {distance}");
    }
}

#[test]
fn a_part_of_a_schedule_is_its_end() {
    let expected = Oracle::open().floats("img2img.sigmas");
    let found = Scheduler::Karras.partial(&noise(), 20, 0.6);
    assert!(distance(&found, &expected) < 1e-5);
    for name in Scheduler::NAMES {
        let scheduler = Scheduler::from_name(name).unwrap();
        let all = scheduler.sigmas(&noise(), 16);
        let part = scheduler.partial(&noise(), 4, 0.25);
        assert_eq!(part, all[all.len() - 5..], "{name}");
    }
}

#[test]
fn nothing_is_denoised_by_nothing_and_a_trifle_costs_no_more_than_its_steps() {
    assert!(Scheduler::Normal.partial(&noise(), 20, 0.0).is_empty());
    for name in Scheduler::NAMES {
        let sigmas = Scheduler::from_name(name).unwrap().partial(&noise(), 20, 1e-300);
        assert_eq!(sigmas.len(), 21, "{name}");
        assert!(sigmas.iter().all(|sigma| sigma.is_finite()), "{name}");
    }
}

#[test]
fn every_schedule_falls_to_zero_for_any_number_of_steps() {
    for name in Scheduler::NAMES {
        for steps in [1, 2, 3, 7, 50, 999, 1000] {
            let sigmas = Scheduler::from_name(name).unwrap().sigmas(&noise(), steps);
            let falls = sigmas.windows(2).all(|pair| pair[0] >= pair[1]);
            assert!(falls && sigmas.last() == Some(&0.0), "{name} {steps}");
        }
    }
}

#[test]
fn ddim_uniform_has_as_many_levels_as_its_stride_gives() {
    assert_eq!(Scheduler::DdimUniform.sigmas(&noise(), 30).len(), 32);
    assert_eq!(Scheduler::DdimUniform.sigmas(&noise(), 5000).len(), 1000);
}

#[test]
fn every_run_s_timesteps_are_the_oracle_s() {
    let oracle = Oracle::open();
    for run in ["euler", "euler_normal", "ddim", "img2img"] {
        let sigmas = oracle.floats(&format!("{run}.sigmas"));
        let timesteps = oracle.floats(&format!("{run}.timesteps"));
        for (sigma, timestep) in sigmas.into_iter().zip(timesteps) {
            assert_eq!(noise().timestep(sigma), timestep as usize, "{run} {sigma}");
        }
    }
}

#[test]
fn a_latent_at_the_highest_level_is_noise_alone() {
    let (noise, high) = (noise(), f64::from(noise().highest()));
    assert_eq!(noise.amplitude(noise.highest()), (1.0 + high * high).sqrt());
    assert_eq!(noise.amplitude(2.0), 2.0);
}

#[test]
fn what_is_no_schedule_is_refused() {
    for alphas in [&[][..], &[0.9], &[0.9, 0.9], &[0.5, 0.9], &[0.9, 0.0], &[f64::NAN, 0.1]] {
        assert!(Noise::new(alphas).is_err(), "{alphas:?}");
    }
}

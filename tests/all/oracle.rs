//! The stock nodes against what PyTorch computed from the same weights.

use berth_sandbox::{Object, Value};
use berth_tests::host::{Checkpoint, DEMO, Host, field, text};
use berth_tests::oracle::{Array, Oracle};

const PROMPT: &str = "a red handwritten seven on a black background";

/// The embedding of a conditioning's only entry.
fn embedding(conditioning: &Value) -> Value {
    let Value::Items(entries) = field(conditioning, "entries") else { panic!("entries") };
    assert_eq!(entries.items.len(), 1);
    field(&entries.items[0], "embedding")
}

/// The recorded negative and positive embeddings as one batch.
fn contexts(oracle: &Oracle) -> Array {
    let (negative, positive) = (oracle.get("emb_neg"), oracle.get("emb_pos"));
    let shape = vec![2, negative.shape[1], negative.shape[2]];
    Array { shape, data: [negative.data, positive.data].concat() }
}

fn within(what: &str, error: f64, bound: f64) {
    println!("{what}: {error:.2e} (bound {bound:.0e})");
    assert!(error <= bound, "{what}: {error:e} > {bound:e}");
}

/// What the model predicts for x (batch 1) under both conditionings.
fn predict(host: &Host, checkpoint: &Checkpoint, oracle: &Oracle, x: &Array, t: f64) -> Array {
    let twice = Array {
        shape: [&[2], &x.shape[1..]].concat(),
        data: [x.data.clone(), x.data.clone()].concat(),
    };
    let prediction = host.call(
        &checkpoint.model,
        "denoise",
        vec![
            ("latent", twice.value(host)),
            ("timestep", Value::Number(t)),
            ("conditioning", contexts(oracle).value(host)),
        ],
    );
    host.read(&prediction)
}

#[test]
fn noise_is_pytorchs_to_the_last_bits() {
    let (host, oracle) = (Host::default(), Oracle::load());
    for (key, seed) in [("noise", 42), ("noise_252_seed123456789", 123_456_789)] {
        let reference = oracle.get(key);
        let mut generator = berth_compute::Generator::seeded(seed);
        let noise = host.compute().normal(host.scope(), &mut generator, &reference.shape).unwrap();
        let noise = host.read(&Value::Tensor(noise));
        let steps = |a: f32, b: f32| (a.to_bits().cast_signed() - b.to_bits().cast_signed()).abs();
        let worst = noise.data.iter().zip(&reference.data).map(|(&a, &b)| steps(a, b)).max();
        assert!(worst.unwrap() <= 2, "{key}: {worst:?} units in the last place");
    }
}

#[test]
fn text_embeddings_are_the_oracles() {
    let (host, oracle) = (Host::default(), Oracle::load());
    let checkpoint = host.checkpoint(DEMO);
    for (prompt, key) in [(PROMPT, "emb_pos"), ("", "emb_neg")] {
        let embedded = host.read(&embedding(&host.encode(&checkpoint.clip, prompt)));
        within(key, embedded.error(&oracle.get(key)), 1e-4);
    }
}

#[test]
fn one_call_of_the_unet_is_the_oracles() {
    let (host, oracle) = (Host::default(), Oracle::load());
    let checkpoint = host.checkpoint(DEMO);
    let t = f64::from(oracle.get("unet.t").data[0]);
    let prediction = predict(&host, &checkpoint, &oracle, &oracle.get("unet.x"), t);
    within("unet.eps", prediction.error(&oracle.get("unet.eps")), 1e-4);
    within("unet.eps_f64", prediction.error(&oracle.get("unet.eps_f64")), 1e-4);
    let (right, wrong) = (oracle.get("unet.eps"), oracle.get("unet.eps_tanh"));
    let (right, wrong) = (prediction.error(&right), prediction.error(&wrong));
    assert!(
        wrong > 20.0 * right,
        "GEGLU takes the exact GELU: {right:e} from it, {wrong:e} from tanh's"
    );
}

#[test]
fn the_vae_is_the_oracles() {
    let (host, oracle) = (Host::default(), Oracle::load());
    let checkpoint = host.checkpoint(DEMO);
    let image = oracle.get("vae.image").channels_last();
    let mean = host.call(&checkpoint.vae, "encode", vec![("image", image.value(&host))]);
    within("vae.mean", host.read(&mean).error(&oracle.get("vae.mean")), 1e-4);
    let latent = oracle.get("vae.mean").value(&host);
    let recon = host.call(&checkpoint.vae, "decode", vec![("latent", latent)]);
    within("vae.recon", host.read(&recon).error(&oracle.get("vae.recon").channels_last()), 1e-4);
}

/// The model's space by the VAE's: the oracle recorded the former, a LATENT is the latter.
const SCALE: f32 = 0.18215;

/// A recorded run, as KSampler's settings.
struct Run {
    name: &'static str,
    sampler: &'static str,
    scheduler: &'static str,
    denoise: f64,
}

const RUNS: [Run; 6] = [
    Run { name: "euler", sampler: "euler", scheduler: "karras", denoise: 1.0 },
    Run { name: "euler_normal", sampler: "euler", scheduler: "normal", denoise: 1.0 },
    Run { name: "euler_a", sampler: "euler_ancestral", scheduler: "karras", denoise: 1.0 },
    Run { name: "dpmpp_2m", sampler: "dpmpp_2m", scheduler: "karras", denoise: 1.0 },
    Run { name: "ddim", sampler: "ddim", scheduler: "ddim_uniform", denoise: 1.0 },
    Run { name: "img2img", sampler: "dpmpp_2m", scheduler: "karras", denoise: 0.6 },
];

#[test]
fn the_prediction_at_every_recorded_step_is_the_oracles() {
    let (host, oracle) = (Host::default(), Oracle::load());
    let checkpoint = host.checkpoint(DEMO);
    for name in ["euler", "euler_normal", "euler_a", "euler_a0", "dpmpp_2m", "ddim", "img2img"] {
        let get = |part: &str| oracle.get(&format!("{name}.{part}"));
        let (x, eps, sigmas, timesteps) = (get("x"), get("eps"), get("sigmas"), get("timesteps"));
        let mut worst = 0.0f64;
        for (step, t) in timesteps.data.iter().enumerate() {
            let scale = 1.0 / (sigmas.data[step] * sigmas.data[step] + 1.0).sqrt();
            let input = x.row(step).map(|x| x * scale);
            let prediction = predict(&host, &checkpoint, &oracle, &input, f64::from(*t));
            worst = worst.max(prediction.error(&eps.row(step)));
        }
        within(&format!("{name}.eps, the worst of {} steps", timesteps.data.len()), worst, 1e-4);
    }
}

#[test]
fn whole_runs_end_where_the_oracles_do() {
    let (host, oracle) = (Host::default(), Oracle::load());
    let checkpoint = host.checkpoint(DEMO);
    for Run { name, sampler, scheduler, denoise } in RUNS {
        let start = match denoise < 1.0 {
            true => oracle.get("img2img.latent_in").map(|x| x / SCALE),
            false => Array { shape: vec![1, 4, 8, 8], data: vec![0.0; 256] },
        };
        let fields = vec![("samples".into(), start.value(&host))];
        let latent = Value::Object(std::sync::Arc::new(Object::new("LATENT", fields)));
        let sampled = host.run(
            "KSampler",
            vec![
                ("model", checkpoint.model.clone()),
                ("positive", host.encode(&checkpoint.clip, PROMPT)),
                ("negative", host.encode(&checkpoint.clip, "")),
                ("latent_image", latent),
                ("seed", Value::Integer(42)),
                ("steps", Value::Integer(20)),
                ("cfg", Value::Number(3.0)),
                ("sampler_name", text(sampler)),
                ("scheduler", text(scheduler)),
                ("denoise", Value::Number(denoise)),
            ],
        );
        let samples = host.read(&field(&sampled[0], "samples")).map(|x| x * SCALE);
        let reference = oracle.get(&format!("{name}.final"));
        within(&format!("{name}.final"), samples.error(&reference), 5e-3);
        let image = host.decode(&checkpoint, sampled[0].clone());
        let reference = oracle.get(&format!("{name}.image")).channels_last();
        let reference = reference.map(|x| (x * 0.5 + 0.5).clamp(0.0, 1.0));
        within(&format!("{name}.image"), image.mean_distance(&reference), 1.0 / 255.0);
    }
}

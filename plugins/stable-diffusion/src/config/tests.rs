use std::collections::HashMap;

use berth_sdk::Prediction;

use super::*;
use crate::oracle;

/// A header without a file.
struct Fake {
    keys: Vec<String>,
    shapes: HashMap<String, Vec<usize>>,
    metadata: HashMap<String, String>,
}

impl Header for Fake {
    fn keys(&self) -> &[String] {
        &self.keys
    }

    fn shape(&self, key: &str) -> Option<Vec<usize>> {
        self.shapes.get(key).cloned()
    }

    fn metadata(&self, name: &str) -> Option<String> {
        self.metadata.get(name).cloned()
    }
}

impl Fake {
    fn new(shapes: HashMap<String, Vec<usize>>, metadata: HashMap<String, String>) -> Self {
        let mut keys: Vec<_> = shapes.keys().cloned().collect();
        keys.sort_unstable();
        Self { keys, shapes, metadata }
    }

    fn without(&self, lost: impl Fn(&str) -> bool) -> Self {
        let shapes = self.shapes.iter().filter(|(key, _)| !lost(key));
        let shapes = shapes.map(|(key, shape)| (key.clone(), shape.clone())).collect();
        Self::new(shapes, self.metadata.clone())
    }

    fn with(mut self, entry: &str, json: &str) -> Self {
        self.metadata.insert(entry.into(), json.into());
        self
    }
}

/// The numbers of a checkpoint.
struct Plan {
    unet: Vec<usize>,
    layers: usize,
    /// Whether a level has transformers.
    attention: Vec<bool>,
    depth: usize,
    /// Whether a transformer's projections are linear layers.
    linear: bool,
    vae: Vec<usize>,
    vae_layers: usize,
    clip: usize,
    clip_layers: usize,
    vocabulary: usize,
}

impl Plan {
    fn sd15() -> Self {
        Self {
            unet: vec![320, 640, 1280, 1280],
            layers: 2,
            attention: vec![true, true, true, false],
            depth: 1,
            linear: false,
            vae: vec![128, 256, 512, 512],
            vae_layers: 2,
            clip: 768,
            clip_layers: 12,
            vocabulary: 49408,
        }
    }

    fn header(&self) -> Fake {
        let mut shapes = Shapes::default();
        shapes.unet(self);
        shapes.vae(self, "first_stage_model.");
        shapes.text_encoder(self, "cond_stage_model.transformer.text_model.");
        Fake::new(shapes.0, HashMap::new())
    }
}

#[derive(Default)]
struct Shapes(HashMap<String, Vec<usize>>);

impl Shapes {
    fn layer(&mut self, name: &str, weight: &[usize]) {
        self.0.insert(format!("{name}.weight"), weight.to_vec());
        self.0.insert(format!("{name}.bias"), vec![weight[0]]);
    }

    fn unet(&mut self, plan: &Plan) {
        let p = "model.diffusion_model";
        let time = 4 * plan.unet[0];
        self.layer(&format!("{p}.time_embed.0"), &[time, plan.unet[0]]);
        self.layer(&format!("{p}.time_embed.2"), &[time, time]);
        let mut width = plan.unet[0];
        self.layer(&format!("{p}.input_blocks.0.0"), &[width, 4, 3, 3]);
        let (mut skips, mut block) = (vec![width], 1);
        for (level, &to) in plan.unet.iter().enumerate() {
            for _ in 0..plan.layers {
                self.residual(&format!("{p}.input_blocks.{block}.0"), width, to, time);
                width = to;
                if plan.attention[level] {
                    self.transformer(&format!("{p}.input_blocks.{block}.1"), width, plan);
                }
                skips.push(width);
                block += 1;
            }
            if level + 1 < plan.unet.len() {
                self.layer(&format!("{p}.input_blocks.{block}.0.op"), &[width, width, 3, 3]);
                skips.push(width);
                block += 1;
            }
        }
        self.residual(&format!("{p}.middle_block.0"), width, width, time);
        self.transformer(&format!("{p}.middle_block.1"), width, plan);
        self.residual(&format!("{p}.middle_block.2"), width, width, time);
        let mut block = 0;
        for (level, &to) in plan.unet.iter().enumerate().rev() {
            for layer in 0..=plan.layers {
                let name = format!("{p}.output_blocks.{block}");
                self.residual(&format!("{name}.0"), width + skips.pop().unwrap(), to, time);
                width = to;
                if plan.attention[level] {
                    self.transformer(&format!("{name}.1"), width, plan);
                }
                if level > 0 && layer == plan.layers {
                    let number = if plan.attention[level] { 2 } else { 1 };
                    self.layer(&format!("{name}.{number}.conv"), &[width, width, 3, 3]);
                }
                block += 1;
            }
        }
        self.layer(&format!("{p}.out.0"), &[width]);
        self.layer(&format!("{p}.out.2"), &[4, width, 3, 3]);
    }

    fn residual(&mut self, name: &str, from: usize, to: usize, time: usize) {
        self.layer(&format!("{name}.in_layers.0"), &[from]);
        self.layer(&format!("{name}.in_layers.2"), &[to, from, 3, 3]);
        self.layer(&format!("{name}.emb_layers.1"), &[to, time]);
        self.layer(&format!("{name}.out_layers.0"), &[to]);
        self.layer(&format!("{name}.out_layers.3"), &[to, to, 3, 3]);
        if from != to {
            self.layer(&format!("{name}.skip_connection"), &[to, from, 1, 1]);
        }
    }

    fn transformer(&mut self, name: &str, width: usize, plan: &Plan) {
        let square = if plan.linear { vec![width, width] } else { vec![width, width, 1, 1] };
        self.layer(&format!("{name}.norm"), &[width]);
        self.layer(&format!("{name}.proj_in"), &square);
        self.layer(&format!("{name}.proj_out"), &square);
        for block in 0..plan.depth {
            let name = format!("{name}.transformer_blocks.{block}");
            for norm in ["norm1", "norm2", "norm3"] {
                self.layer(&format!("{name}.{norm}"), &[width]);
            }
            for (attention, context) in [("attn1", width), ("attn2", plan.clip)] {
                let name = format!("{name}.{attention}");
                self.0.insert(format!("{name}.to_q.weight"), vec![width, width]);
                self.0.insert(format!("{name}.to_k.weight"), vec![width, context]);
                self.0.insert(format!("{name}.to_v.weight"), vec![width, context]);
                self.layer(&format!("{name}.to_out.0"), &[width, width]);
            }
            self.layer(&format!("{name}.ff.net.0.proj"), &[8 * width, width]);
            self.layer(&format!("{name}.ff.net.2"), &[width, 4 * width]);
        }
    }

    fn vae(&mut self, plan: &Plan, prefix: &str) {
        let last = plan.vae.len() - 1;
        let (first, deepest) = (plan.vae[0], plan.vae[last]);
        for half in ["encoder", "decoder"] {
            let p = format!("{prefix}{half}");
            for block in ["block_1", "block_2"] {
                self.vae_residual(&format!("{p}.mid.{block}"), deepest, deepest);
            }
            self.layer(&format!("{p}.mid.attn_1.norm"), &[deepest]);
            for projection in ["q", "k", "v", "proj_out"] {
                self.layer(&format!("{p}.mid.attn_1.{projection}"), &[deepest, deepest, 1, 1]);
            }
        }
        let p = format!("{prefix}encoder");
        self.layer(&format!("{p}.conv_in"), &[first, 3, 3, 3]);
        let mut width = first;
        for (level, &to) in plan.vae.iter().enumerate() {
            for block in 0..plan.vae_layers {
                self.vae_residual(&format!("{p}.down.{level}.block.{block}"), width, to);
                width = to;
            }
            if level < last {
                self.layer(&format!("{p}.down.{level}.downsample.conv"), &[width, width, 3, 3]);
            }
        }
        self.layer(&format!("{p}.norm_out"), &[width]);
        self.layer(&format!("{p}.conv_out"), &[8, width, 3, 3]);
        let p = format!("{prefix}decoder");
        self.layer(&format!("{p}.conv_in"), &[width, 4, 3, 3]);
        for (level, &to) in plan.vae.iter().enumerate().rev() {
            for block in 0..=plan.vae_layers {
                self.vae_residual(&format!("{p}.up.{level}.block.{block}"), width, to);
                width = to;
            }
            if level > 0 {
                self.layer(&format!("{p}.up.{level}.upsample.conv"), &[width, width, 3, 3]);
            }
        }
        self.layer(&format!("{p}.norm_out"), &[width]);
        self.layer(&format!("{p}.conv_out"), &[3, width, 3, 3]);
        self.layer(&format!("{prefix}quant_conv"), &[8, 8, 1, 1]);
        self.layer(&format!("{prefix}post_quant_conv"), &[4, 4, 1, 1]);
    }

    fn vae_residual(&mut self, name: &str, from: usize, to: usize) {
        self.layer(&format!("{name}.norm1"), &[from]);
        self.layer(&format!("{name}.conv1"), &[to, from, 3, 3]);
        self.layer(&format!("{name}.norm2"), &[to]);
        self.layer(&format!("{name}.conv2"), &[to, to, 3, 3]);
        if from != to {
            self.layer(&format!("{name}.nin_shortcut"), &[to, from, 1, 1]);
        }
    }

    fn text_encoder(&mut self, plan: &Plan, prefix: &str) {
        let width = plan.clip;
        let embeddings = format!("{prefix}embeddings");
        self.0.insert(format!("{embeddings}.position_ids"), vec![1, 77]);
        self.0.insert(format!("{embeddings}.token_embedding.weight"), vec![plan.vocabulary, width]);
        self.0.insert(format!("{embeddings}.position_embedding.weight"), vec![77, width]);
        for layer in 0..plan.clip_layers {
            let name = format!("{prefix}encoder.layers.{layer}");
            for norm in ["layer_norm1", "layer_norm2"] {
                self.layer(&format!("{name}.{norm}"), &[width]);
            }
            for projection in ["q_proj", "k_proj", "v_proj", "out_proj"] {
                self.layer(&format!("{name}.self_attn.{projection}"), &[width, width]);
            }
            self.layer(&format!("{name}.mlp.fc1"), &[4 * width, width]);
            self.layer(&format!("{name}.mlp.fc2"), &[width, 4 * width]);
        }
        self.layer(&format!("{prefix}final_layer_norm"), &[width]);
    }
}

fn refusal(header: &Fake) -> String {
    Checkpoint::detect(header).unwrap_err().to_string()
}

const RESIDUAL: Layer = Layer::Residual { shortcut: false };
const WIDENING: Layer = Layer::Residual { shortcut: true };
const TRANSFORMER: Layer = Layer::Transformer { depth: 1, heads: 8 };

#[test]
fn stable_diffusion_15_is_read_from_its_tensors_alone() {
    let header = Plan::sd15().header();
    assert_eq!(header.keys.len(), 686 + 248 + 197, "as many tensors as the real checkpoint has");
    let Checkpoint { unet, noise, text_encoder, vae } = Checkpoint::detect(&header).unwrap();
    let (text_encoder, vae) = (text_encoder.unwrap(), vae.unwrap());

    assert_eq!((unet.latent_channels, unet.width, unet.context), (4, 320, 768));
    assert_eq!((unet.groups, unet.epsilon), (32, 1e-5));
    assert_eq!((unet.input.len(), unet.output.len()), (12, 12));
    assert_eq!(unet.input[0], [Layer::Conv]);
    assert_eq!(unet.input[1], [RESIDUAL, TRANSFORMER]);
    assert_eq!(unet.input[3], [Layer::Downsample]);
    assert_eq!(unet.input[4], [WIDENING, TRANSFORMER]);
    assert_eq!(unet.input[11], [RESIDUAL]);
    assert_eq!(unet.middle, [RESIDUAL, TRANSFORMER, RESIDUAL]);
    assert_eq!(unet.output[0], [WIDENING]);
    assert_eq!(unet.output[2], [WIDENING, Layer::Upsample]);
    assert_eq!(unet.output[5], [WIDENING, TRANSFORMER, Layer::Upsample]);
    assert_eq!(unet.output[11], [WIDENING, TRANSFORMER]);

    assert_eq!(noise.prediction, Prediction::Epsilon);
    assert_eq!(noise.alphas.len(), 1000);
    assert!((noise.alphas[0] - 0.99915).abs() < 1e-9);
    assert!((noise.alphas[999] - 0.004_660_1).abs() < 1e-6);

    let text = &text_encoder;
    assert_eq!((text.layers, text.width, text.heads), (12, 768, 12));
    assert_eq!((text.length, text.vocabulary), (77, 49408));
    assert_eq!(text.activation, Activation::QuickGelu);

    assert_eq!(vae.down, [[false, false], [true, false], [true, false], [false, false]]);
    assert_eq!(vae.up, [[true, false, false], [true, false, false], [false; 3], [false; 3]]);
    assert!(vae.quantized && vae.post_quantized);
    assert_eq!((vae.groups, vae.scale, vae.shift, vae.downscale()), (32, 0.18215, 0.0, 8));
}

#[test]
fn other_widths_depths_and_levels_are_read_too() {
    let plan = Plan {
        unet: vec![64, 160, 224],
        layers: 3,
        attention: vec![false, true, true],
        depth: 2,
        linear: true,
        vae: vec![32, 96],
        vae_layers: 1,
        clip: 192,
        clip_layers: 5,
        vocabulary: 1000,
    };
    let Checkpoint { unet, text_encoder, vae, .. } = Checkpoint::detect(&plan.header()).unwrap();
    let (text_encoder, vae) = (text_encoder.unwrap(), vae.unwrap());
    let deep = Layer::Transformer { depth: 2, heads: 8 };
    assert_eq!((unet.input.len(), unet.width, unet.context), (12, 64, 192));
    assert_eq!(unet.input[1], [RESIDUAL]);
    assert_eq!(unet.input[5], [WIDENING, deep]);
    assert_eq!(unet.output[7], [WIDENING, deep, Layer::Upsample]);
    assert_eq!((text_encoder.layers, text_encoder.heads), (5, 3));
    assert_eq!((vae.downscale(), vae.down.len()), (2, 2));
}

#[test]
fn metadata_says_what_no_shape_does() {
    let header = Plan::sd15()
        .header()
        .with("config.unet", r#"{"norm_num_groups": 16, "attention_head_dim": [5, 10, 20, 20]}"#)
        .with("config.vae", r#"{"norm_num_groups": 8, "scaling_factor": 0.5, "shift_factor": 0.1}"#)
        .with("config.text_encoder", r#"{"num_attention_heads": 6, "hidden_act": "gelu"}"#)
        .with(
            "config.scheduler",
            r#"{"prediction_type": "v_prediction", "num_train_timesteps": 10}"#,
        );
    let Checkpoint { unet, noise, text_encoder, vae } = Checkpoint::detect(&header).unwrap();
    let (text_encoder, vae) = (text_encoder.unwrap(), vae.unwrap());
    assert_eq!(unet.groups, 16);
    assert_eq!(unet.input[4][1], Layer::Transformer { depth: 1, heads: 10 });
    assert_eq!(unet.middle[1], Layer::Transformer { depth: 1, heads: 20 });
    assert_eq!(unet.output[11][1], Layer::Transformer { depth: 1, heads: 5 });
    assert_eq!((noise.prediction, noise.alphas.len()), (Prediction::V, 10));
    assert_eq!((text_encoder.heads, text_encoder.activation), (6, Activation::Gelu));
    assert_eq!((vae.groups, vae.scale, vae.shift), (8, 0.5, 0.1));
}

#[test]
fn the_test_model_is_read() {
    let (shapes, metadata) = oracle::checkpoint();
    let header = Fake::new(shapes, metadata);
    let Checkpoint { unet, text_encoder, vae, .. } = Checkpoint::detect(&header).unwrap();
    let (text_encoder, vae) = (text_encoder.unwrap(), vae.unwrap());
    assert_eq!((unet.width, unet.context, unet.input.len()), (64, 64, 6));
    assert_eq!((text_encoder.layers, text_encoder.heads), (4, 1));
    assert_eq!((vae.groups, vae.downscale()), (4, 8));
    // Without its metadata, Stable Diffusion's numbers hold: 32 norm groups do not go into its VAE.
    let bare = Fake::new(oracle::checkpoint().0, HashMap::new());
    let error = refusal(&bare);
    assert!(error.contains("32 groups") && error.contains("`config.vae`"), "{error}");
}

#[test]
fn every_tensor_that_is_missing_is_named() {
    let header = Plan::sd15().header();
    for lost in header.keys.iter().filter(|key| !key.ends_with("position_ids")).step_by(7) {
        let error = refusal(&header.without(|key| key == lost));
        assert!(error.ends_with(&format!("lacks the tensor {lost}")), "{lost}: {error}");
    }
}

#[test]
fn a_whole_block_that_is_missing_is_named_with_how_much_of_it() {
    let header = Plan::sd15().header();
    let start = "model.diffusion_model.input_blocks.11.";
    let error = refusal(&header.without(|key| key.starts_with(start)));
    assert!(error.contains(&format!("{start}0.in_layers.0.weight and 9 others")), "{error}");
    let start = "first_stage_model.decoder.up.2.";
    let error = refusal(&header.without(|key| key.starts_with(start)));
    assert!(error.contains("the VAE lacks the tensor first_stage_model.decoder.up.2."), "{error}");
    let start = "cond_stage_model.transformer.text_model.final";
    let error = refusal(&header.without(|key| key.starts_with(start)));
    assert!(error.contains("the text encoder lacks the tensor cond_stage_model."), "{error}");
}

#[test]
fn a_checkpoint_may_come_without_a_text_encoder_or_a_vae() {
    let header = Plan::sd15().header();
    let lacks =
        |start: &str| Checkpoint::detect(&header.without(|key| key.starts_with(start))).unwrap();
    let without = lacks("cond_stage_model.");
    assert!(without.text_encoder.is_none() && without.vae.is_some());
    let without = lacks("first_stage_model.");
    assert!(without.text_encoder.is_some() && without.vae.is_none());
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    let mut header = Plan::sd15().header();
    let key = "model.diffusion_model.output_blocks.4.1.proj_in.weight";
    header.shapes.insert(key.into(), vec![1280, 640, 1, 1]);
    let error = refusal(&header);
    assert!(error.starts_with(key) && error.contains("[1280, 640, 1, 1]"), "{error}");
}

#[test]
fn networks_that_do_not_fit_together_are_refused() {
    let plan = Plan { clip: 512, ..Plan::sd15() };
    let mut header = plan.header();
    for (key, shape) in &mut header.shapes {
        if key.contains("attn2.to_k") || key.contains("attn2.to_v") {
            shape[1] = 768;
        }
    }
    let error = refusal(&header);
    assert!(error.contains("context of 768 and the text encoder gives 512"), "{error}");
}

#[test]
fn other_families_are_recognized() {
    for (key, found) in [
        ("conditioner.embedders.0.transformer.text_model.final_layer_norm.weight", "XL"),
        ("cond_stage_model.model.ln_final.weight", "2.x"),
        ("lora_unet_x.lora_down.weight", "LoRA"),
        ("encoder.conv_in.weight", "without a denoiser"),
    ] {
        let header = Fake::new(HashMap::from([(key.into(), vec![1])]), HashMap::new());
        let error = refusal(&header);
        assert!(error.contains(found) && error.contains("Stable Diffusion 1.x"), "{error}");
    }
}

#[test]
fn metadata_that_cannot_be_right_is_refused() {
    for (entry, json, problem) in [
        ("config.unet", "{", "config.unet"),
        ("config.unet", r#"{"norm_num_groups": 0}"#, "0 groups"),
        ("config.unet", r#"{"attention_head_dim": [8, 8]}"#, "level 2"),
        ("config.unet", r#"{"act_fn": "gelu"}"#, "act_fn"),
        ("config.text_encoder", r#"{"num_attention_heads": 7}"#, "7 heads"),
        ("config.scheduler", r#"{"num_train_timesteps": 99999999}"#, "num_train_timesteps"),
        ("config.scheduler", r#"{"beta_schedule": "squaredcos_cap_v2"}"#, "beta_schedule"),
        ("config.scheduler", r#"{"beta_end": 1.5}"#, "betas"),
        ("config.scheduler", r#"{"prediction_type": "sample"}"#, "prediction_type"),
        ("config.vae", r#"{"scaling_factor": 0}"#, "scaling_factor"),
    ] {
        let error = refusal(&Plan::sd15().header().with(entry, json));
        assert!(error.contains(problem), "{entry} {json}: {error}");
    }
}

#[test]
fn a_vae_s_own_file_has_its_keys_with_or_without_a_prefix() {
    for prefix in ["", "first_stage_model."] {
        let mut shapes = Shapes::default();
        shapes.vae(&Plan::sd15(), prefix);
        let vae = Vae::detect(&Fake::new(shapes.0, HashMap::new())).unwrap();
        assert_eq!((vae.prefix.as_str(), vae.downscale()), (prefix, 8));
    }
    let key = "encoder.down_blocks.0.resnets.0.conv1.weight".to_owned();
    let header = Fake::new(HashMap::from([(key, vec![1])]), HashMap::new());
    let error = Vae::detect(&header).unwrap_err().to_string();
    assert!(error.contains("diffusers"), "{error}");
}

#[test]
fn keys_that_name_huge_numbers_cost_nothing() {
    let mut header = Plan::sd15().header();
    for key in [
        "model.diffusion_model.input_blocks.99999999999.0.weight",
        "first_stage_model.encoder.down.4000000000.x",
    ] {
        header.keys.push(key.into());
    }
    header.keys.sort_unstable();
    assert!(Checkpoint::detect(&header).is_ok());
}

#[test]
fn a_configuration_travels_as_a_short_text() {
    let Checkpoint { unet, .. } = Checkpoint::detect(&Plan::sd15().header()).unwrap();
    let text = serde_json::to_string(&unet).unwrap();
    assert_eq!(serde_json::from_str::<UNet>(&text).unwrap(), unet);
    assert!(text.len() < 3000, "{}", text.len());
}

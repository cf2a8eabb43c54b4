//! The nodes, under the names and with the inputs that ComfyUI's workflows use.

pub mod latent;
pub mod loaders;
pub mod sampling;
pub mod text;

#[cfg(test)]
mod tests {
    use berth_sdk::plugin::{Node, Plugin as _, Port};

    use crate::Component;

    #[test]
    fn nodes_and_inputs_have_the_names_of_comfyui_s_workflows() {
        let described: Vec<_> = [
            super::loaders::checkpoint_loader_simple::describe(),
            super::loaders::vae_loader::describe(),
            super::text::clip_text_encode::describe(),
            super::sampling::k_sampler::describe(),
            super::latent::vae_decode::describe(),
            super::latent::vae_encode::describe(),
        ]
        .into_iter()
        .map(|node| {
            let inputs: Vec<_> = node.inputs.into_iter().map(|input| input.name).collect();
            let outputs: Vec<_> = node.outputs.into_iter().map(|output| output.name).collect();
            format!("{}: {} -> {}", node.name, inputs.join(" "), outputs.join(" "))
        })
        .collect();
        assert_eq!(
            described,
            [
                "CheckpointLoaderSimple: ckpt_name keep_on_vram use_dram auto_free_vram min_free_vram_gb auto_free_dram min_free_dram_gb -> MODEL CLIP VAE",
                "VAELoader: vae_name keep_on_vram use_dram auto_free_vram min_free_vram_gb auto_free_dram min_free_dram_gb -> VAE",
                "CLIPTextEncode: text clip -> CONDITIONING",
                "KSampler: model seed steps cfg sampler_name scheduler positive negative latent_image denoise -> LATENT",
                "VAEDecode: samples vae -> IMAGE",
                "VAEEncode: pixels vae -> LATENT",
            ]
        );
        assert_eq!(Component::NODES.len(), described.len());
    }

    #[test]
    fn a_loader_needs_nothing_but_the_files_name() {
        for node in [
            super::loaders::checkpoint_loader_simple::describe(),
            super::loaders::vae_loader::describe(),
        ] {
            let mut inputs = node.inputs.iter();
            assert!(!inputs.next().unwrap().optional);
            assert!(inputs.all(|input| input.optional), "{}", node.name);
        }
    }

    #[test]
    fn samplers_and_schedulers_have_comfyui_s_names() {
        let node = super::sampling::k_sampler::describe();
        let options = |name: &str| {
            let input = node.inputs.iter().find(|input| input.name == name).unwrap();
            match &input.port {
                Port::Choice(choice) => format!("{:?}", choice.choices),
                other => panic!("{other:?}"),
            }
        };
        for name in ["euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"] {
            assert!(options("sampler_name").contains(&format!("{name:?}")), "{name}");
        }
        for name in ["normal", "karras", "exponential", "sgm_uniform", "simple", "ddim_uniform"] {
            assert!(options("scheduler").contains(&format!("{name:?}")), "{name}");
        }
    }
}

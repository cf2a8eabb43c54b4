//! Stable Diffusion 1.x as a Berth plugin: loading checkpoints of the family, prompts, sampling,
//! and the way between latents and images.
//!
//! It is written with the SDK as any other plugin would be. The networks live in functions behind
//! MODEL, CLIP and VAE wires ([`functions`]), so that samplers of other plugins work with these models and
//! this plugin's sampler with other models. It promises ComfyUI's results: a seed, a prompt and a schedule
//! mean the same here as there. It does not know where a tensor is, or how many bytes a model has.

mod config;
mod error;
mod functions;
mod guide;
mod layers;
mod nodes;
#[cfg(test)]
mod oracle;
mod prompt;
mod samplers;
mod schedule;
mod text_encoder;
mod tokenizer;
mod unet;
mod vae;

berth_sdk::plugin! {
    nodes: [
        nodes::loaders::checkpoint_loader_simple,
        nodes::loaders::vae_loader,
        nodes::text::clip_text_encode,
        nodes::sampling::k_sampler,
        nodes::latent::vae_decode,
        nodes::latent::vae_encode,
    ],
    functions: [
        functions::denoise,
        functions::encode_text,
        functions::lack as "lacking",
        functions::encode_image,
        functions::decode_latent,
    ],
}

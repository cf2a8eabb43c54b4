//! Stock nodes that make, resize and batch latents.
//!
//! They behave as ComfyUI's nodes of the same names, whose workflows they run. What lies in
//! a LATENT beside its samples stays there, with one addition: the field `batch-index`, a
//! list of integers, says which number in a batch each latent had. A sampler draws the
//! noise of those numbers, so that one latent taken out of a batch gives the image it gave there.

mod batch;
mod bislerp;
mod empty;
mod upscale;

berth_sdk::plugin! {
    nodes: [
        empty::empty_latent_image,
        upscale::latent_upscale,
        upscale::latent_upscale_by,
        batch::latent_from_batch,
        batch::repeat_latent_batch,
        batch::latent_batch,
    ],
}

#[cfg(test)]
mod tests {
    use berth_sdk::plugin::{NodeEntry, Plugin as _};

    use super::Component;

    #[test]
    fn every_node_is_known_by_its_name_in_workflows() {
        let names = [
            "EmptyLatentImage",
            "LatentUpscale",
            "LatentUpscaleBy",
            "LatentFromBatch",
            "RepeatLatentBatch",
            "LatentBatch",
        ];
        assert_eq!(Component::NODES.iter().map(NodeEntry::name).collect::<Vec<_>>(), names);
    }
}

//! Stock nodes that load, save, make, scale and blend images.
//!
//! They behave as ComfyUI's nodes of the same names, whose workflows they run. Pixels cross
//! between the host and this plugin as bytes, one image of a batch at a time, and on the way
//! out in bands of rows: whatever the size of a batch, the guest holds little of it. All
//! arithmetic on pixels is the host's.

mod blend;
mod decode;
mod encode;
mod load;
mod make;
mod metadata;
mod save;
mod scale;

berth_sdk::plugin! {
    nodes: [
        load::load_image,
        save::save_image,
        save::preview_image,
        make::empty_image,
        make::image_invert,
        scale::image_scale,
        scale::image_scale_by,
        blend::image_blend,
    ],
}

#[cfg(test)]
mod tests {
    use berth_sdk::plugin::{NodeEntry, Plugin as _};

    use super::Component;

    #[test]
    fn every_node_is_known_by_its_name_in_workflows() {
        let names = [
            "LoadImage",
            "SaveImage",
            "PreviewImage",
            "EmptyImage",
            "ImageInvert",
            "ImageScale",
            "ImageScaleBy",
            "ImageBlend",
        ];
        assert_eq!(Component::NODES.iter().map(NodeEntry::name).collect::<Vec<_>>(), names);
    }
}

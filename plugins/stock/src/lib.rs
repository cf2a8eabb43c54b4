//! The plugins that come with Berth, as components in the binary.
//!
//! They are components like any other: the host loads these bytes as it loads a file from
//! a plugin folder, and each has a manifest like any other. What they request they get without the
//! operator's word. `build.rs` lists and builds them.

/// The stock plugins: what each is called, its manifest, and its component.
pub fn components() -> &'static [(&'static str, &'static str, &'static [u8])] {
    include!(concat!(env!("OUT_DIR"), "/components.rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stock_plugin_is_a_component() {
        // A component begins with `\0asm` and the version of the component model's layer.
        let header = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
        let names: Vec<_> = components().iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, ["stable-diffusion", "image", "latent", "memory"]);
        for (name, _, bytes) in components() {
            assert!(bytes.starts_with(&header), "`{name}` is no component");
        }
    }
}

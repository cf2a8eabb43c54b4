//! Builds the stock plugins and makes the table that embeds them.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

/// The stock plugins: what the host calls each, and its package.
const PLUGINS: [(&str, &str); 4] = [
    ("stable-diffusion", "berth-plugin-stable-diffusion"),
    ("image", "berth-plugin-image"),
    ("latent", "berth-plugin-latent"),
    ("memory", "berth-plugin-memory"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let files = berth_component_build::build(&PLUGINS.map(|(_, package)| package))?;
    let plugins = Path::new(&env::var_os("CARGO_MANIFEST_DIR").ok_or("no CARGO_MANIFEST_DIR")?)
        .parent()
        .ok_or("the plugins' folder is not there")?
        .to_owned();
    let entries = PLUGINS.iter().zip(files).map(|((name, _), file)| {
        let manifest = plugins.join(name).join("plugin.toml");
        println!("cargo::rerun-if-changed={}", manifest.display());
        format!("({name:?}, include_str!({manifest:?}), include_bytes!({file:?})),\n")
    });
    let table = format!("&[\n{}]", entries.collect::<String>());
    let path =
        Path::new(&env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("components.rs");
    fs::write(path, table)?;
    Ok(())
}

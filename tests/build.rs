//! Builds the plugins of the tests as components, and says where they are.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let built = berth_component_build::build(&["berth-guests", "berth-hostile", "berth-explorer"])?;
    for (variable, path) in ["GUESTS", "HOSTILE", "EXPLORER"].iter().zip(built) {
        println!("cargo::rustc-env={variable}={}", path.display());
    }
    Ok(())
}

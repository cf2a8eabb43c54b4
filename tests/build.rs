//! Builds the misbehaving plugin as a component, and says where it is.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let built = berth_component_build::build(&["berth-guests"])?;
    let [path] = built.as_slice() else { return Err("one component was asked for".into()) };
    println!("cargo::rustc-env=GUESTS={}", path.display());
    Ok(())
}

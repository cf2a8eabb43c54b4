//! The manifest inside of a component: a custom section at its outermost level.

use super::LONGEST_MANIFEST;

/// What the section is called.
const SECTION: &str = "berth:plugin";

/// A component with a manifest in it.
#[must_use]
pub fn embed(component: &[u8], manifest: &str) -> Vec<u8> {
    use wasm_encoder::Encode;
    let mut packaged = component.to_vec();
    let section =
        wasm_encoder::CustomSection { name: SECTION.into(), data: manifest.as_bytes().into() };
    packaged.push(0);
    section.encode(&mut packaged);
    packaged
}

/// The text of the manifest in a component, if there is one.
///
/// # Errors
/// What is wrong with the component, or with the section.
pub fn embedded(component: &[u8]) -> Result<Option<String>, String> {
    use wasmparser::{Parser, Payload};
    let mut found = None;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(|error| error.to_string())? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if depth == 0 && section.name() == SECTION => {
                let text = std::str::from_utf8(section.data())
                    .map_err(|_| "the manifest inside of it is no text")?;
                if text.len() > LONGEST_MANIFEST {
                    let length = text.len();
                    return Err(format!("the manifest inside of it has {length} bytes"));
                }
                if found.replace(text.to_owned()).is_some() {
                    return Err("there are two manifests inside of it".into());
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

//! A component's bytes without what varies from build to build, and with one manifest.
//!
//! Names of functions, the compilers' versions and what debuggers read differ between machines that
//! compile the same source, and no code sees them. They are custom sections, of which WebAssembly
//! says that they change nothing. Those that are known to be such go; all others stay, since a tool
//! may have put something there that another reads.

use berth_sandbox::Manifest;
use berth_sandbox::manifest::embed;
use wasm_encoder::Encode;
use wasmparser::BinaryReader;

use crate::error::Error;

/// The section of a manifest, at the outermost level.
const MANIFEST: &str = "berth:plugin";

/// How deep components are inside of each other before what is in them is left as it is. Those
/// that compilers make have two or three levels.
const DEEPEST: usize = 32;

/// The four bytes after `\0asm` of a component.
const COMPONENT: &[u8] = b"\x0d\0\x01\0";

/// The component with this manifest inside, without its `[build]`, as the same bytes each time.
pub(crate) fn packed(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, String> {
    with_manifest(&stripped(component, 0)?, manifest)
}

/// The component with this manifest in place of what it has, and nothing else changed.
pub(crate) fn with_manifest(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, String> {
    let bare = filtered(component, &|name| name != MANIFEST)?;
    Ok(embed(&bare, &text(manifest)?))
}

/// A manifest as a text, without what only says how to build it.
fn text(manifest: &Manifest) -> Result<String, String> {
    let mut table = toml::Table::try_from(manifest).map_err(|error| error.to_string())?;
    table.remove("build");
    for part in ["requests", "limits"] {
        if table.get(part).and_then(toml::Value::as_table).is_some_and(toml::Table::is_empty) {
            table.remove(part);
        }
    }
    Ok(table.to_string())
}

/// A module or component without noise, at every level.
fn stripped(bytes: &[u8], depth: usize) -> Result<Vec<u8>, String> {
    sections(bytes, |is_component, id, content| match id {
        0 if is_noise(&custom_name(content)?) => Ok(None),
        // What is inside of a component: a module, another component.
        1 | 4 if is_component && depth < DEEPEST => {
            stripped(content, depth.saturating_add(1)).map(Some)
        }
        _ => Ok(Some(content.to_vec())),
    })
}

/// A module or component with those custom sections of its outermost level that stay.
fn filtered(bytes: &[u8], stays: &dyn Fn(&str) -> bool) -> Result<Vec<u8>, String> {
    sections(bytes, |_, id, content| {
        let goes = id == 0 && !stays(&custom_name(content)?);
        Ok((!goes).then(|| content.to_vec()))
    })
}

/// The bytes with each section as `change` has it: by whether it is a component's, its id and
/// its content.
fn sections(
    bytes: &[u8],
    change: impl Fn(bool, u8, &[u8]) -> Result<Option<Vec<u8>>, String>,
) -> Result<Vec<u8>, String> {
    let wrong = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut reader = BinaryReader::new(bytes, 0);
    let header = reader.read_bytes(8).map_err(wrong)?;
    let is_component = header.ends_with(COMPONENT);
    let mut changed = header.to_vec();
    while !reader.eof() {
        let id = reader.read_u8().map_err(wrong)?;
        let length = reader.read_var_u32().map_err(wrong)?;
        let content = reader.read_bytes(length as usize).map_err(wrong)?;
        if let Some(content) = change(is_component, id, content)? {
            changed.push(id);
            content.as_slice().encode(&mut changed);
        }
    }
    Ok(changed)
}

fn custom_name(content: &[u8]) -> Result<String, String> {
    let name = BinaryReader::new(content, 0).read_string();
    name.map(str::to_owned).map_err(|error| error.to_string())
}

/// Whether a custom section is for people and debuggers alone.
fn is_noise(name: &str) -> bool {
    const NOISE: [&str; 6] = [
        "name",
        "component-name",
        "producers",
        "sourceMappingURL",
        "external_debug_info",
        "build_id",
    ];
    NOISE.contains(&name) || name.starts_with(".debug_")
}

/// What a component imports and exports, by name.
///
/// # Errors
/// `Component`.
pub(crate) fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>), Error> {
    use wasmparser::{Parser, Payload};
    let wrong = |error: wasmparser::BinaryReaderError| {
        let reason = error.to_string();
        Error::Component { what: "the package".into(), reason }
    };
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(wrong)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                depth = depth.saturating_add(1);
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    imports.push(import.map_err(wrong)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    exports.push(export.map_err(wrong)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    imports.sort();
    exports.sort();
    Ok((imports, exports))
}

#[cfg(test)]
mod tests {
    use berth_sandbox::manifest::embedded;

    use super::*;

    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";

    fn manifest(text: &str) -> Manifest {
        let head = "name = \"a\"\nversion = \"1.0.0\"\ncontract = \"0.2.0\"\n";
        Manifest::parse("a", &format!("{head}{text}")).unwrap()
    }

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![id];
        content.encode(&mut bytes);
        bytes
    }

    fn custom(name: &str, content: &[u8]) -> Vec<u8> {
        let mut inner = Vec::new();
        name.encode(&mut inner);
        inner.extend(content);
        section(0, &inner)
    }

    #[test]
    fn noise_goes_at_every_level_and_all_else_stays() {
        let noise = |content: &[u8]| {
            ["name", "producers", ".debug_info"].map(|name| custom(name, content)).concat()
        };
        let built = |machine: &[u8]| {
            let module = [MODULE, &noise(machine), &custom("target_features", b"x")].concat();
            let inner = [HEADER, &custom("component-name", machine), &section(1, &module)].concat();
            [HEADER, &section(4, &inner), &noise(machine), &custom("kept", b"y")].concat()
        };
        let one = packed(&built(b"one"), &manifest("")).unwrap();
        assert_eq!(one, packed(&built(b"another"), &manifest("")).unwrap());
        let text = String::from_utf8_lossy(&one).into_owned();
        assert!(text.contains("target_features") && text.contains("kept"));
        assert!(!text.contains("producers") && !text.contains(".debug_info"));
    }

    #[test]
    fn packing_twice_leaves_one_manifest_and_the_same_bytes() {
        let first = packed(HEADER, &manifest("[requests]\nmemory = true\n")).unwrap();
        let second = packed(&first, &manifest("[requests]\nmemory = true\n")).unwrap();
        assert_eq!(first, second);
        let other = packed(&first, &manifest("")).unwrap();
        assert!(!embedded(&other).unwrap().unwrap().contains("memory"));
        // Sizes may be written longer than they have to be.
        let padded = [HEADER, b"\0\x85\x80\x00\x04kept"].concat();
        assert!(packed(&padded, &manifest("")).unwrap().starts_with(&[HEADER, b"\0\x05"].concat()));
    }

    #[test]
    fn how_it_is_built_is_not_in_it_and_everything_else_is() {
        let whole = manifest(
            "description = \"x\"\n[build]\nlanguage = \"rust\"\n[limits]\nrun-time = \"5m\"\n\
             [requests]\nmodels = [\"vae/*\"]\nfolders = { input = \"read\" }\n",
        );
        let bytes = packed(HEADER, &whole).unwrap();
        let text = embedded(&bytes).unwrap().unwrap();
        assert!(!text.contains("build"), "{text}");
        let found = Manifest::parse("a", &text).unwrap();
        assert_eq!((&found.requests, &found.limits), (&whole.requests, &whole.limits));
        assert_eq!((found.name, found.description), (whole.name, whole.description));
    }

    #[test]
    fn what_ends_too_early_is_an_error() {
        let whole = packed(HEADER, &manifest("")).unwrap();
        for length in (0..whole.len()).filter(|length| *length != HEADER.len()) {
            packed(&whole[..length], &manifest("")).unwrap_err();
        }
        packed(&[HEADER, b"\0\xff\xff\xff\xff\x0f"].concat(), &manifest("")).unwrap_err();
    }
}

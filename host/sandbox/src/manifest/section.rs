//! The manifest inside of a component: a custom section at its outermost level.
//!
//! Components and modules inside of it are passed over unread. They are what its author linked
//! in, and may have manifests of their own that are not this plugin's.

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
    use wasmparser::{Chunk, Encoding, Parser, Payload};
    let mut parser = Parser::new(0);
    let mut rest = component;
    let mut found = None;
    loop {
        let parsed = parser.parse(rest, true).map_err(|error| error.to_string())?;
        let Chunk::Parsed { mut consumed, payload } = parsed else { return Err(ends()) };
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => {
                return Err("it is a core module".into());
            }
            Payload::ModuleSection { unchecked_range: inner, .. }
            | Payload::ComponentSection { unchecked_range: inner, .. } => {
                consumed = consumed.saturating_add(inner.len());
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                let text = text(section.data())?;
                if found.replace(text).is_some() {
                    return Err("there are two manifests inside of it".into());
                }
            }
            Payload::End(_) => return Ok(found),
            _ => {}
        }
        rest = rest.get(consumed..).ok_or_else(ends)?;
    }
}

fn text(section: &[u8]) -> Result<String, String> {
    let length = section.len();
    if length > LONGEST_MANIFEST {
        return Err(format!(
            "the manifest inside of it has {length} bytes, more than {LONGEST_MANIFEST}"
        ));
    }
    match std::str::from_utf8(section) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err("the manifest inside of it is no text".into()),
    }
}

fn ends() -> String {
    "it ends in the middle of a section".into()
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;
    use wasmtime::component::Component;

    use super::*;

    const MANIFEST: &str = "name = \"a\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n";

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

    /// A section with what it holds.
    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        use wasm_encoder::Encode;
        let mut bytes = vec![id];
        content.encode(&mut bytes);
        bytes
    }

    /// A component with a module and another component in it.
    fn component() -> Vec<u8> {
        [EMPTY, &section(1, EMPTY_MODULE), &section(4, EMPTY)].concat()
    }

    #[test]
    fn what_is_put_in_comes_out_and_the_component_is_the_same() {
        let plain = component();
        assert_eq!(embedded(&plain), Ok(None));
        let packaged = embed(&plain, MANIFEST);
        assert_eq!(embedded(&packaged), Ok(Some(MANIFEST.into())));
        assert!(packaged.starts_with(&plain));
        for bytes in [&plain, &packaged] {
            Component::new(&Engine::default(), bytes).unwrap();
        }
    }

    #[test]
    fn the_manifest_of_what_is_linked_in_does_not_count() {
        for (id, inner) in [(4, EMPTY), (1, EMPTY_MODULE)] {
            let outer = [EMPTY, &section(id, &embed(inner, MANIFEST))].concat();
            assert_eq!(embedded(&outer), Ok(None));
            let packaged = embed(&outer, "outer");
            assert_eq!(embedded(&packaged), Ok(Some("outer".into())));
        }
    }

    #[test]
    fn a_section_that_cannot_be_used_is_told() {
        let plain = component();
        let says = |bytes: &[u8], part: &str| {
            let error = embedded(bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        says(&embed(&embed(&plain, MANIFEST), MANIFEST), "two manifests");
        says(&embed(&plain, &"#".repeat(LONGEST_MANIFEST + 1)), "65537 bytes");
        let mut binary = embed(&plain, "text");
        *binary.last_mut().unwrap() = 0xff;
        says(&binary, "no text");
        says(EMPTY_MODULE, "core module");
        says(b"hello", "magic");
        says(b"", "unexpected end");
    }

    #[test]
    fn truncated_and_lying_bytes_are_errors() {
        let whole = embed(&component(), MANIFEST);
        let fine = component().len();
        for length in (0..whole.len()).filter(|length| *length != fine) {
            // Where it is cut between two sections, it is a component of fewer.
            assert_ne!(embedded(&whole[..length]), Ok(Some(MANIFEST.into())), "{length}");
        }
        for id in [0, 1, 4] {
            let claims = [EMPTY, &[id, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
            embedded(&claims).unwrap_err();
            let claims = [EMPTY, &[id, 0xff, 0xff, 0x03], b"x"].concat();
            embedded(&claims).unwrap_err();
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_too_odd(
            noise in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
            at in 0..400_usize,
        ) {
            let mut bytes = embed(&component(), MANIFEST);
            let at = at.min(bytes.len());
            bytes.splice(at.., noise.iter().copied());
            let _ = embedded(&bytes);
            let _ = embedded(&noise);
        }
    }
}

//! What can be told of a plugin's bytes before they are compiled.
//!
//! All of it is linear in the bytes and keeps none of them, so it needs no limits of its own; how
//! much a well-formed component takes to compile is bounded where that happens.

use wasmparser::Parser;

use super::LARGEST_COMPONENT;

/// How files begin that are taken for components by mistake, and what to say of them.
const OTHERS: [(&[u8], &str); 8] = [
    (
        b"\0asm\x01\0\0\0",
        "it is a core module: make it a component with `wasm-tools component new`",
    ),
    (b"\0asm", "it is WebAssembly of a version that this host does not know"),
    (b"\x7fELF", "it is compiled code, which Berth never takes from a plugin: give the `.wasm`"),
    (b"\x1f\x8b", "it is compressed (gzip): unpack it"),
    (b"\x28\xb5\x2f\xfd", "it is compressed (zstd): unpack it"),
    (b"PK\x03\x04", "it is a zip archive: unpack it"),
    (b"(", "it is WebAssembly as text: turn it into a component with `wasm-tools parse`"),
    (b"", "its first bytes are not a component's"),
];

/// Whether bytes can be a component: their size, how they begin, and whether they are whole.
///
/// # Errors
/// What they are instead.
pub(crate) fn check_bytes(bytes: &[u8]) -> Result<(), String> {
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    if !bytes.starts_with(b"\0asm\x0d\0\x01\0") {
        let text = bytes.trim_ascii_start();
        let known = OTHERS.iter().find(|(magic, _)| {
            bytes.starts_with(magic) || *magic == b"(" && text.starts_with(magic)
        });
        return Err(known.map_or_else(String::new, |(_, what)| (*what).to_owned()));
    }
    if bytes.len() as u64 > LARGEST_COMPONENT {
        return Err(format!("it has {} bytes, more than {LARGEST_COMPONENT}", bytes.len()));
    }
    for payload in Parser::new(0).parse_all(bytes) {
        payload.map_err(|error| {
            format!("it is cut off or damaged: {}", crate::text::line(&error.to_string()))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_called_by_its_name() {
        for (bytes, says) in [
            (&b""[..], "empty"),
            (b"\0asm\x01\0\0\0\x01", "core module"),
            (b"\0asm\x0e\0\x01\0", "version"),
            (b"\x7fELF\x02\x01\x01", "compiled code, which Berth never takes"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"PK\x03\x04", "zip"),
            (b"(component)", "as text"),
            (b"\n  (component)", "as text"),
            (b"MZ", "first bytes"),
            (b"\0as", "first bytes"),
            (b"\0asm\x0d\0\x01\0\x01\xff", "cut off"),
        ] {
            let reason = check_bytes(bytes).unwrap_err();
            assert!(reason.contains(says), "{reason:?} does not say {says:?}");
        }
        check_bytes(b"\0asm\x0d\0\x01\0").unwrap();
    }

    #[test]
    fn modules_inside_of_each_other_do_not_use_up_the_stack() {
        let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
        for _ in 0..1000 {
            let mut outer = b"\0asm\x0d\0\x01\0\x04".to_vec();
            let mut length = nested.len();
            while length >= 0x80 {
                outer.push(length as u8 | 0x80);
                length >>= 7;
            }
            outer.push(length as u8);
            outer.append(&mut nested);
            nested = outer;
        }
        check_bytes(&nested).unwrap();
    }
}

//! The versions of the contract, and how a component of an earlier one runs.
//!
//! A version only adds to the one before: every function and type of 0.1.0 is in 0.2.0, unchanged,
//! which a test holds against the text of 0.1.0. So an earlier component is right under the later
//! names, and giving it those (the names of its outermost imports and exports, nothing else) is all
//! that it takes: one set of bindings, no call that goes through a second one. A version that has to
//! change a type keeps the old interface beside the new one, under its own name, and converts.

use std::borrow::Cow;

use semver::Version;
use wasm_encoder::reencode::{ReencodeComponent, RoundtripReencoder};
use wasm_encoder::{
    Component, ComponentExportSection, ComponentExternName, ComponentImportSection, RawSection,
};
use wasmparser::{Encoding, Parser, Payload};

/// The contract that this host speaks. What was built against an earlier one runs too.
pub const CONTRACT: Version = Version::new(0, 2, 0);

/// The earliest contract whose components still run.
pub const EARLIEST_CONTRACT: Version = Version::new(0, 1, 0);

/// The contract's package.
const PACKAGE: &str = "berth:node/";

/// Whether a component that was built against a contract runs here.
pub(crate) fn speaks(contract: &Version) -> bool {
    let minor = |version: &Version| (version.major, version.minor);
    (minor(&EARLIEST_CONTRACT)..=minor(&CONTRACT)).contains(&minor(contract))
        && contract.pre.is_empty()
}

/// A component with this host's names for what it imports and exports.
///
/// # Errors
/// What is wrong with it: it is no component, or was built against a contract that is not spoken.
pub fn under_todays_names(component: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    let wrong = |error: wasmparser::BinaryReaderError| error.to_string();
    let mut renamed = Component::new();
    let mut changed = false;
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(wrong)?;
        // Modules and components inside come whole, as sections of the outermost one; what is
        // in them is parsed too, and is not looked at.
        let outermost = depth == 0;
        match &payload {
            Payload::Version { encoding: Encoding::Module, .. } if outermost => {
                return Err("it is a core module".into());
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !outermost {
            continue;
        }
        match payload {
            Payload::ComponentImportSection(section) => {
                let mut imports = ComponentImportSection::new();
                for import in section {
                    let import = import.map_err(wrong)?;
                    let name = todays(import.name.name, &mut changed)?;
                    let name = ComponentExternName { name, ..import.name.into() };
                    let kind = RoundtripReencoder.component_type_ref(import.ty);
                    imports.import(name, kind.map_err(|error| error.to_string())?);
                }
                renamed.section(&imports);
            }
            Payload::ComponentExportSection(section) => {
                let mut exports = ComponentExportSection::new();
                for export in section {
                    let mut export = export.map_err(wrong)?;
                    let name = todays(export.name.name, &mut changed)?;
                    export.name.name = &name;
                    RoundtripReencoder
                        .parse_component_export(&mut exports, export)
                        .map_err(|error| error.to_string())?;
                }
                renamed.section(&exports);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    let data = component.get(range).ok_or("it ends in the middle of a section")?;
                    renamed.section(&RawSection { id, data });
                }
            }
        }
    }
    Ok(if changed { renamed.finish().into() } else { component.into() })
}

/// This host's name for what a component names.
fn todays<'a>(name: &'a str, changed: &mut bool) -> Result<Cow<'a, str>, String> {
    let Some((interface, version)) = name.rsplit_once('@') else { return Ok(name.into()) };
    let Ok(version) = Version::parse(version) else { return Ok(name.into()) };
    if !interface.starts_with(PACKAGE) || version == CONTRACT {
        return Ok(name.into());
    }
    if !speaks(&version) {
        return Err(format!(
            "it is built against the contract {version}, and this host speaks {EARLIEST_CONTRACT} to {CONTRACT}"
        ));
    }
    *changed = true;
    Ok(format!("{interface}@{CONTRACT}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_contract_become_today_s_and_no_others() {
        let of = |name: &'static str| {
            let mut changed = false;
            todays(name, &mut changed).map(|name| (name.into_owned(), changed))
        };
        let today = format!("berth:node/ops@{CONTRACT}");
        assert_eq!(of("berth:node/ops@0.1.0"), Ok((today.clone(), true)));
        assert_eq!(of("berth:node/ops@0.1.7"), Ok((today, true)));
        for same in ["wasi:cli/exit@0.2.6", "evil:node/ops@0.1.0", "run", "a@b"] {
            assert_eq!(of(same), Ok((same.to_owned(), false)));
        }
        for other in ["berth:node/ops@0.0.9", "berth:node/ops@0.9.0", "berth:node/ops@1.0.0"] {
            assert!(of(other).unwrap_err().contains("this host speaks"), "{other}");
        }
    }

    #[test]
    fn what_is_no_component_is_an_error() {
        assert!(under_todays_names(b"\0asm\x01\0\0\0").unwrap_err().contains("core module"));
        assert!(under_todays_names(b"hello").is_err());
        assert!(under_todays_names(b"\0asm\x0d\0\x01\0\x0b\xff").is_err());
    }
}

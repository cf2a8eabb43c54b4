//! A plugin's manifest, alone and inside of a component, and the operator's configuration.

use berth_sandbox::Manifest;
use berth_sandbox::manifest::{embed, embedded};
use berth_workflow::{Config, ConfigError};

use crate::tells_where;

/// What the smallest component consists of.
const EMPTY_COMPONENT: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];

/// Reads bytes as a manifest, as a configuration and as a component.
pub fn run(bytes: &[u8]) {
    let _ = embedded(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Manifest::parse("plugin.toml", text) {
        Ok(manifest) => {
            let written = serde_json::to_string(&manifest).unwrap();
            let again: Manifest = serde_json::from_str(&written).unwrap();
            assert_eq!(again, manifest, "what is written is read as the same");
        }
        Err(misread) => tells_where(&misread, text),
    }
    if let Err(ConfigError::Content(misread)) = Config::parse("berth.toml", text.to_owned()) {
        tells_where(&misread, text);
    }
    let packaged = embed(&EMPTY_COMPONENT, text);
    match embedded(&packaged) {
        Ok(found) => assert_eq!(found.as_deref(), Some(text)),
        Err(_) => assert!(text.len() > berth_sandbox::manifest::LONGEST_MANIFEST),
    }
}

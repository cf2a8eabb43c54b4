//! A package as a registry has it: the layout of the CNCF's Wasm OCI artifacts.
//!
//! One manifest with a small configuration and one layer, which is the package as it is. Times are
//! fixed, so that the same package has the same digest wherever it is sent from.

use std::collections::BTreeMap;

use berth_sandbox::text::plain;
use berth_sandbox::{LARGEST_COMPONENT, Manifest as Plugin};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::component::interfaces;
use crate::error::Error;

/// What a manifest is.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// What a list of manifests is; asked for too, so that it is recognized.
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

const CONFIG: &str = "application/vnd.wasm.config.v0+json";

const LAYER: &str = "application/wasm";

/// Readers of the layout want a time.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// A registry's digest of some bytes: `sha256:…`.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{:x}", Sha256::digest(bytes))
}

/// Whether a text is such a digest.
pub(crate) fn is_sha256(text: &str) -> bool {
    let lower = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.bytes().all(lower))
}

/// Everything that is sent beside the package.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    config: Descriptor,
    layers: Vec<Descriptor>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// What some bytes are, and which.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
}

impl Descriptor {
    fn of(media_type: &str, bytes: &[u8]) -> Self {
        let size = bytes.len() as u64;
        Self { media_type: media_type.to_owned(), digest: sha256(bytes), size }
    }
}

/// What a package is sent with.
///
/// # Errors
/// `Component`.
pub(crate) fn artifact(package: &[u8], plugin: &Plugin) -> Result<Artifact, Error> {
    let layer = Descriptor::of(LAYER, package);
    let (imports, exports) = interfaces(package)?;
    let config = json!({
        "created": CREATED,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [&layer.digest],
        "component": { "exports": exports, "imports": imports },
    });
    let config = config.to_string().into_bytes();
    let annotation = |name: &str, value: String| {
        (!value.is_empty()).then(|| (format!("org.opencontainers.image.{name}"), value))
    };
    let annotations = [
        annotation("title", plugin.name.clone()),
        annotation("version", plugin.version.to_string()),
        annotation("description", plugin.description.clone()),
    ];
    let manifest = Manifest {
        schema_version: 2,
        media_type: Some(MANIFEST.into()),
        config: Descriptor::of(CONFIG, &config),
        layers: vec![layer],
        annotations: annotations.into_iter().flatten().collect(),
    };
    let manifest = serde_json::to_vec(&manifest).map_err(|error| {
        let reason = error.to_string();
        Error::Component { what: "the package".into(), reason }
    })?;
    Ok(Artifact { manifest, config })
}

/// The package that a manifest is about, before any of it is asked for.
///
/// # Errors
/// What the manifest is instead.
pub(crate) fn layer(manifest: &[u8]) -> Result<Descriptor, String> {
    #[derive(Deserialize)]
    struct Index {
        #[serde(rename = "manifests")]
        _manifests: Vec<serde_json::Value>,
    }
    if serde_json::from_slice::<Index>(manifest).is_ok() {
        return Err("it is an index of several images".into());
    }
    let manifest: Manifest = serde_json::from_slice(manifest)
        .map_err(|error| format!("its manifest is none: {}", plain(&error.to_string())))?;
    if manifest.schema_version != 2 {
        return Err(format!("its manifest has the version {}", manifest.schema_version));
    }
    if manifest.config.media_type != CONFIG {
        let kind = plain(&manifest.config.media_type).into_owned();
        return Err(format!("it is of the kind `{kind}`, not WebAssembly"));
    }
    let found = manifest.layers.len();
    let Ok([layer]) = <[Descriptor; 1]>::try_from(manifest.layers) else {
        return Err(format!("it has {found} layers, and should have one"));
    };
    if layer.media_type != LAYER {
        return Err(format!("its layer is of the kind `{}`", plain(&layer.media_type)));
    }
    if !is_sha256(&layer.digest) {
        return Err(format!("`{}` is no digest of a layer", plain(&layer.digest)));
    }
    if layer.size > LARGEST_COMPONENT {
        return Err(format!("it has {} bytes, more than {LARGEST_COMPONENT}", layer.size));
    }
    Ok(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn plugin() -> Plugin {
        let text = "name = \"grade\"\nversion = \"1.2.0\"\ncontract = \"0.2.0\"";
        Plugin::parse("grade", text).unwrap()
    }

    #[test]
    fn the_same_package_is_the_same_artifact() {
        let (one, two) = (artifact(EMPTY, &plugin()).unwrap(), artifact(EMPTY, &plugin()).unwrap());
        assert_eq!((&one.manifest, &one.config), (&two.manifest, &two.config));
        let found = layer(&one.manifest).unwrap();
        assert_eq!((found.digest, found.size), (sha256(EMPTY), 8));
        let text = String::from_utf8(one.manifest).unwrap();
        assert!(text.contains("\"org.opencontainers.image.title\":\"grade\""), "{text}");
        assert!(!text.contains("description"), "{text}");
    }

    #[test]
    fn what_is_no_plugin_is_called_by_its_name() {
        let good = String::from_utf8(artifact(EMPTY, &plugin()).unwrap().manifest).unwrap();
        layer(good.as_bytes()).unwrap();
        let long = format!("\"size\":{}", LARGEST_COMPONENT + 1);
        for (manifest, says) in [
            (String::new(), "its manifest is none"),
            ("[]".into(), "its manifest is none"),
            ("{\"manifests\": []}".into(), "index of several"),
            (good.replace("\"schemaVersion\":2", "\"schemaVersion\":1"), "the version 1"),
            (good.replace("vnd.wasm.config", "vnd.oci.image.config"), "not WebAssembly"),
            (good.replace("application/wasm", "text/\\u001b[2Jx"), "of the kind"),
            (good.replace("\"size\":8", &long), "more than"),
            (good.replace("\"size\":8", "\"size\":-8"), "its manifest is none"),
            (good.replace(&sha256(EMPTY), "sha256:../../x"), "is no digest of a layer"),
            (
                good.replace(
                    "\"layers\":[",
                    "\"layers\":[{\"mediaType\":\"application/wasm\",\"digest\":\"\",\"size\":1},",
                ),
                "2 layers",
            ),
        ] {
            let error = layer(manifest.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{error}");
            assert!(!error.contains('\u{1b}'));
        }
    }
}

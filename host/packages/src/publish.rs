//! Sends a package to a registry.

use std::path::Path;

use berth_sandbox::{Digest, Manifest};
use berth_workflow::Settings;

use crate::artifact::artifact;
use crate::check;
use crate::error::Error;
use crate::pack::read;
use crate::reference::Reference;
use crate::registry::{Access, Doing, Registry};

/// What was sent.
#[derive(Debug)]
pub struct Published {
    /// What the manifest in it says.
    pub manifest: Manifest,
    /// The reference that it can be installed by.
    pub reference: String,
    /// The digest of its manifest in the registry.
    pub oci_manifest: String,
    /// Which component it is.
    pub digest: Digest,
}

/// Sends a packed plugin to a registry, under a tag.
///
/// # Errors
/// What is wrong with the package, and what the registry does not do.
pub fn publish(
    settings: &Settings,
    file: &Path,
    reference: &str,
    access: &Access,
) -> Result<Published, Error> {
    let parsed = Reference::parse(reference)?;
    if parsed.digest().is_some() {
        let reason = "what is sent gets its digest by what it is: name a tag".into();
        return Err(Error::Reference { text: parsed.to_string(), reason });
    }
    let what = file.display().to_string();
    let package = read(file)?;
    let manifest = check::manifest(&what, &package)?;
    check::check(settings, &what, &manifest, &package)?;
    let artifact = artifact(&package, &manifest)?;
    let send = async {
        let mut registry = Registry::open(&parsed, access, Doing::Send)?;
        // The manifest last: until it is there, nobody finds the rest.
        registry.put_blob(&package).await?;
        registry.put_blob(&artifact.config).await?;
        registry.put_manifest(&artifact.manifest).await
    };
    let oci_manifest = wait(send)?;
    let digest = Digest::of(&package);
    Ok(Published { manifest, reference: parsed.to_string(), oci_manifest, digest })
}

/// Runs what speaks to a registry.
///
/// # Errors
/// Its own, and `Start`.
pub(crate) fn wait<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::Start(error.to_string()))?
        .block_on(future)
}

//! Whether a host would load a package.
//!
//! It is looked at as `berth plugin inspect` does it, by the host itself: compiled in the compiler's
//! process, its imports and its contract checked, its nodes asked for. What it requests counts as
//! granted here. Granting is up to the operator, and comes after installing.

use std::path::Path;

use berth_sandbox::rights::Grants;
use berth_sandbox::{Manifest, Policy};
use berth_workflow::{Decided, Inspected, Settings, inspect};

use crate::error::Error;

/// The manifest inside of a package.
///
/// # Errors
/// `Manifest`, `NotPacked`.
pub(crate) fn manifest(what: &str, component: &[u8]) -> Result<Manifest, Error> {
    Manifest::embedded(what, component)?.ok_or_else(|| Error::NotPacked { what: what.to_owned() })
}

/// What a package is, if it would be loaded. `what` it is, is for messages.
///
/// # Errors
/// `Refused`, `Write`.
pub(crate) fn check(
    settings: &Settings,
    what: &str,
    manifest: &Manifest,
    component: &[u8],
) -> Result<Inspected, Error> {
    let folder = tempfile::tempdir().map_err(|source| {
        let path = std::env::temp_dir();
        Error::Write { path, source }
    })?;
    let path = folder.path().join(format!("{}.wasm", manifest.name));
    std::fs::write(&path, component)
        .map_err(|source| Error::Write { path: path.clone(), source })?;
    look(settings, what, manifest, &path)
}

fn look(
    settings: &Settings,
    what: &str,
    manifest: &Manifest,
    path: &Path,
) -> Result<Inspected, Error> {
    let refused = |error| Error::Refused { what: what.to_owned(), error: Box::new(error) };
    let grants = Grants { allowed: manifest.requests.clone(), ..Grants::default() };
    let policy = Policy { grants, ..Policy::default() };
    let mut settings = settings.clone();
    settings.decided.clear();
    settings.decided.insert(manifest.name.clone(), Decided { policy, ..Decided::default() });
    let mut inspected = inspect(&settings, path).map_err(refused)?;
    match inspected.refused.take() {
        Some(error) => Err(refused(error)),
        None => Ok(inspected),
    }
}

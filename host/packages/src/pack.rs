//! From a project, or a plugin's folder, to one file.

use std::path::{Path, PathBuf};

use berth_sandbox::manifest::MANIFEST;
use berth_sandbox::{Digest, LARGEST_COMPONENT, Manifest, whole};
use berth_workflow::{Settings, built};

use crate::check::check;
use crate::component::packed;
use crate::error::Error;

/// What was packed.
#[derive(Debug)]
pub struct Packed {
    /// The file.
    pub path: PathBuf,
    /// What the manifest in it says.
    pub manifest: Manifest,
    /// Its length in bytes.
    pub size: usize,
    /// Which component it is.
    pub digest: Digest,
}

/// Packs a project with its built component, or a plugin's folder, into a file: `NAME.wasm` in the
/// working folder unless another is named. A plugin folder takes it under that name, which is the
/// manifest's; the version is in the manifest.
///
/// # Errors
/// `NothingToPack`, `Manifest`, `Read`, `Component`, `Refused`, `Onto`, `Write`.
pub fn pack(settings: &Settings, project: &Path, to: Option<&Path>) -> Result<Packed, Error> {
    let nothing = |reason: String| Error::NothingToPack { path: project.to_owned(), reason };
    let file = project.join(MANIFEST);
    if !file.exists() {
        return Err(nothing(format!("it has no {MANIFEST}")));
    }
    let mut manifest = Manifest::read(&file)?;
    manifest.build = None;
    let component = component(project, &manifest.name).map_err(nothing)?;
    let what = component.display().to_string();
    let bytes = read(&component)?;
    let bytes = packed(&bytes, &manifest)
        .map_err(|reason| Error::Component { what: what.clone(), reason })?;
    check(settings, &what, &manifest, &bytes)?;
    let path = match to {
        Some(path) => path.to_owned(),
        None => format!("{}.wasm", manifest.name).into(),
    };
    if let (Ok(from), Ok(onto)) = (component.canonicalize(), path.canonicalize())
        && from == onto
    {
        return Err(Error::Onto { path });
    }
    whole::write(&path, &bytes).map_err(|source| Error::Write { path: path.clone(), source })?;
    Ok(Packed { path, size: bytes.len(), digest: Digest::of(&bytes), manifest })
}

/// A component's file.
///
/// # Errors
/// `Read`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    whole::read(path, LARGEST_COMPONENT)
        .map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Where a project's component is built, or the only one of a folder.
fn component(project: &Path, name: &str) -> Result<PathBuf, String> {
    if built(project, name).is_file() {
        return Ok(built(project, name));
    }
    let built = built(Path::new(""), name);
    let entries = std::fs::read_dir(project).map_err(|error| error.to_string())?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_component = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "wasm");
    let mut found: Vec<PathBuf> = paths.filter(is_component).collect();
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => {
            Err(format!("there is neither {} nor a component beside the manifest", built.display()))
        }
        (Some(_), others) => {
            let several = others.saturating_add(1);
            Err(format!(
                "there is no {}, and {several} components beside the manifest",
                built.display()
            ))
        }
    }
}

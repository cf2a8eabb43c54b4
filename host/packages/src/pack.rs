//! From a project, or a plugin's folder, to one file.

use std::path::{Path, PathBuf};

use berth_sandbox::manifest::MANIFEST;
use berth_sandbox::{Digest, LARGEST_COMPONENT, Manifest};
use berth_workflow::Settings;

use crate::check::check;
use crate::component::packed;
use crate::error::Error;
use crate::write;

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

/// Packs a project with its built component, or a plugin's folder, into a file: `NAME-VERSION.wasm`
/// in the working folder unless another is named.
///
/// # Errors
/// `NothingToPack`, `Manifest`, `Read`, `Component`, `Refused`, `Write`.
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
    let bytes = write::read(&component, LARGEST_COMPONENT)?;
    let bytes = packed(&bytes, &manifest)
        .map_err(|reason| Error::Component { what: what.clone(), reason })?;
    check(settings, &what, &manifest, &bytes)?;
    let path = match to {
        Some(path) => path.to_owned(),
        None => format!("{}-{}.wasm", manifest.name, manifest.version).into(),
    };
    write::stage(&path, &bytes)?.commit()?;
    Ok(Packed { path, size: bytes.len(), digest: Digest::of(&bytes), manifest })
}

/// Where a project's component is built, or the only one of a folder.
fn component(project: &Path, name: &str) -> Result<PathBuf, String> {
    let built = Path::new("build").join(name).join(format!("{name}.wasm"));
    if project.join(&built).is_file() {
        return Ok(project.join(&built));
    }
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

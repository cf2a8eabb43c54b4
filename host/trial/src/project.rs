//! Where a plugin is: in a project's build folder, in a plugin folder, or a component alone.

use std::path::{Path, PathBuf};

use berth_sandbox::manifest::MANIFEST;
use berth_sandbox::{LARGEST_COMPONENT, Manifest};
use berth_workflow::built;

use crate::error::Error;
use crate::files::bounded;

/// The ending of components' files.
const ENDING: &str = "wasm";

/// A plugin, before it is loaded.
#[derive(Debug, Clone)]
pub struct Project {
    /// Who it is: its manifest's name, else its file's.
    pub name: String,
    /// The folder that it was found in.
    pub folder: PathBuf,
    /// Its component's file.
    pub path: PathBuf,
    /// The component.
    pub component: Vec<u8>,
    /// What it says of itself, if it says anything.
    pub manifest: Option<Manifest>,
}

impl Project {
    /// The plugin at a path: a project that was built, a folder with a component, or a component.
    ///
    /// # Errors
    /// `NoPlugin`, `NotBuilt`, `Changed`, `NotOneComponent`, `Read`, and what is wrong with the manifest.
    pub fn find(path: &Path) -> Result<Self, Error> {
        let found = path.metadata();
        if found.is_ok_and(|found| found.is_file()) {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).to_owned();
            // A manifest belongs to the only component beside it.
            let beside = match components(&folder)?.as_slice() {
                [_] => manifest(&folder)?,
                _ => None,
            };
            return Self::of(folder, path.to_owned(), beside);
        }
        if !path.is_dir() {
            return Err(Error::NoPlugin { path: path.to_owned() });
        }
        let own = manifest(path)?;
        if let Some(own) = &own {
            let component = built(path, &own.name);
            if component.is_file() {
                // What it was built with is what it is: a request that came later is in neither.
                let folder = component.parent().unwrap_or(path);
                if manifest(folder)?.is_some_and(|built| built != *own) {
                    let name = own.name.clone();
                    return Err(Error::Changed { name, folder: path.to_owned() });
                }
                return Self::of(path.to_owned(), component, Some(own.clone()));
            }
        }
        match (components(path)?.as_slice(), own) {
            ([one], own) => Self::of(path.to_owned(), one.clone(), own),
            ([], Some(own)) => Err(Error::NotBuilt { name: own.name, folder: path.to_owned() }),
            ([], None) => Err(Error::NoPlugin { path: path.to_owned() }),
            (several, _) => {
                Err(Error::NotOneComponent { path: path.to_owned(), found: several.len() })
            }
        }
    }

    /// The stock plugin that provides a node, if one does, is among these.
    pub(crate) fn stock() -> impl Iterator<Item = Result<Self, Error>> {
        berth_stock_plugins::components().iter().map(|(name, manifest, component)| {
            Ok(Self {
                name: (*name).to_owned(),
                folder: PathBuf::from("."),
                path: PathBuf::from(name),
                component: component.to_vec(),
                manifest: Some(Manifest::parse(name, manifest)?),
            })
        })
    }

    fn of(folder: PathBuf, path: PathBuf, beside: Option<Manifest>) -> Result<Self, Error> {
        let component = bounded(&path, LARGEST_COMPONENT)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let stem = berth_sandbox::text::plain(&stem).into_owned();
        let manifest = match beside {
            Some(manifest) => Some(manifest),
            None => Manifest::embedded(&stem, &component)?,
        };
        let name = manifest.as_ref().map_or(stem, |manifest| manifest.name.clone());
        Ok(Self { name, folder, path, component, manifest })
    }
}

fn manifest(folder: &Path) -> Result<Option<Manifest>, Error> {
    let path = folder.join(MANIFEST);
    if path.exists() { Ok(Some(Manifest::read(&path)?)) } else { Ok(None) }
}

/// The components of a folder, sorted.
fn components(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    entries(folder, ENDING).map_err(|source| Error::Read { path: folder.to_owned(), source })
}

/// The files of a folder with an ending, sorted.
pub(crate) fn entries(folder: &Path, ending: &str) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == ending) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "name = \"grade\"\nversion = \"1.0.0\"\ncontract = \"0.2.0\"\n";

    fn write(folder: &Path, name: &str, text: &str) {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn a_built_project_is_found_before_what_lies_beside_its_manifest() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(matches!(Project::find(root), Err(Error::NoPlugin { .. })));
        write(root, "plugin.toml", TEXT);
        assert!(matches!(Project::find(root), Err(Error::NotBuilt { .. })));
        // A core module's header: enough to have no manifest inside.
        write(root, "other.wasm", "\0asm\x0d\0\x01\0");
        let alone = Project::find(root).unwrap();
        assert_eq!((alone.name.as_str(), alone.path), ("grade", root.join("other.wasm")));
        write(root, "build/grade/grade.wasm", "\0asm\x0d\0\x01\0");
        let built = Project::find(root).unwrap();
        assert_eq!(built.path, root.join("build/grade/grade.wasm"));
        assert_eq!(built.folder, root);
        write(root, "build/grade/plugin.toml", &format!("# As it was built.\n{TEXT}"));
        assert_eq!(Project::find(root).unwrap().manifest, built.manifest);
        write(root, "plugin.toml", &format!("{TEXT}[requests]\nmodels = [\"vae/*\"]\n"));
        let error = Project::find(root).unwrap_err();
        assert!(matches!(error, Error::Changed { .. }), "{error}");
        assert!(error.hint().unwrap().contains("berth plugin build"));
        write(root, "plugin.toml", TEXT);
        write(root, "build/other.wasm", "");
        assert!(Project::find(&root.join("missing")).is_err());
    }

    #[test]
    fn a_component_alone_is_called_like_its_file() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "blur.wasm", "\0asm\x0d\0\x01\0");
        let found = Project::find(&folder.path().join("blur.wasm")).unwrap();
        assert_eq!((found.name.as_str(), found.manifest), ("blur", None));
        write(folder.path(), "blue.wasm", "\0asm\x0d\0\x01\0");
        let both = Project::find(folder.path());
        assert!(matches!(both, Err(Error::NotOneComponent { found: 2, .. })));
    }
}

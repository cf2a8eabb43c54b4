//! A plugin's project: a folder with a manifest that says how it is built.

use std::fs;
use std::path::{Path, PathBuf};

use berth_sandbox::Manifest;
use berth_sandbox::manifest::MANIFEST;
use berth_workflow::{BUILD, built};

use crate::componentize::World;
use crate::error::Error;
use crate::recipe::Recipe;
use crate::sdk;

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    folder: PathBuf,
    manifest: Manifest,
    language: String,
    pub(crate) recipe: Recipe,
}

impl Project {
    /// The project in a folder.
    ///
    /// # Errors
    /// `NoProject`, `NoLanguage`, `UnknownLanguage`, and `Host` for a manifest that is none.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(MANIFEST);
        if !path.exists() {
            return Err(Error::NoProject { path: folder.to_owned() });
        }
        let manifest = Manifest::read(&path)?;
        let language = match &manifest.build {
            Some(build) => build.language.clone(),
            None => return Err(Error::NoLanguage { path }),
        };
        let recipe = sdk::recipe(&language)?;
        Ok(Self { folder: folder.to_owned(), manifest, language, recipe })
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What it says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The language, as people call it.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.recipe.name
    }

    /// The folder of its SDK and its recipe.
    pub(crate) fn language_folder(&self) -> &str {
        &self.language
    }

    /// The folder that a host takes as a folder of plugins.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.folder.join(BUILD)
    }

    /// The folder with its component and manifest, as a host takes a plugin.
    #[must_use]
    pub fn built(&self) -> PathBuf {
        self.plugins().join(&self.manifest.name)
    }

    /// Its component.
    #[must_use]
    pub fn component(&self) -> PathBuf {
        built(&self.folder, &self.manifest.name)
    }

    /// What it is to the contract.
    pub(crate) fn world(&self) -> World {
        if self.manifest.requests.memory { World::MemoryNode } else { World::Node }
    }
}

/// Starts a project in a new folder, with its SDK in it. Gives the tools that are missing.
///
/// # Errors
/// `Name`, `UnknownLanguage`, `NotEmpty`, `Write`.
pub fn create(folder: &Path, name: &str, language: &str) -> Result<(Project, Vec<Error>), Error> {
    let part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    // A letter first, and no dash last: languages have it as a name, too.
    let good = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(part);
    if !good {
        return Err(Error::Name { name: berth_sandbox::text::plain(name).into_owned() });
    }
    let language = known(language)?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(Error::NotEmpty { path: folder.to_owned() });
    }
    let underscored = name.replace('-', "_");
    for (file, data) in sdk::template(&language) {
        let data = match std::str::from_utf8(&data) {
            Ok(text) => {
                text.replace("{{name}}", name).replace("{{crate}}", &underscored).into_bytes()
            }
            Err(_) => data.into_owned(),
        };
        let path = folder.join(file);
        sdk::write(&path, &data).map_err(|source| Error::Write { path, source })?;
    }
    let project = Project::open(folder)?;
    sdk::install(folder, &language, &project.recipe)?;
    let missing = project.missing_tools();
    // Nothing is built yet, whatever the tools were tried on.
    let _ = fs::remove_dir_all(project.plugins());
    Ok((project, missing))
}

/// The folder of a language that somebody names in their way.
fn known(language: &str) -> Result<String, Error> {
    let named = language.to_lowercase();
    let is_it = |folder: &String| {
        sdk::recipe(folder).is_ok_and(|recipe| {
            let names = [folder.to_lowercase(), recipe.name.to_lowercase()];
            names.contains(&named) || recipe.aliases.contains(&named)
        })
    };
    sdk::languages().into_iter().find(is_it).ok_or_else(|| Error::UnknownLanguage {
        language: berth_sandbox::text::plain(language).into_owned(),
        known: sdk::languages(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_made_for_each_language_and_names_itself() {
        for language in sdk::languages() {
            let folder = tempfile::tempdir().unwrap();
            let (project, _) = create(&folder.path().join("p"), "my-nodes", &language).unwrap();
            assert_eq!(project.manifest().name, "my-nodes");
            assert!(project.component().ends_with("p/build/my-nodes/my-nodes.wasm"));
            assert!(folder.path().join("p/.berth/wit/ops.wit").exists());
            let again = create(&folder.path().join("p"), "my-nodes", &language);
            assert!(matches!(again, Err(Error::NotEmpty { .. })));
        }
    }

    #[test]
    fn what_is_no_name_or_no_language_is_refused_before_anything_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p");
        for name in ["", "-a", "a-", "A", "1a", "a b", "../a", "ä"] {
            assert!(matches!(create(&path, name, "rust"), Err(Error::Name { .. })), "{name}");
        }
        let error = create(&path, "a", "cobol").unwrap_err();
        assert!(error.hint().unwrap().contains("rust"), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_without_a_manifest_or_a_language_is_no_project() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Project::open(folder.path()), Err(Error::NoProject { .. })));
        let text = "name = 'a'\nversion = '1.0.0'\ncontract = '0.2.0'";
        fs::write(folder.path().join(MANIFEST), text).unwrap();
        assert!(matches!(Project::open(folder.path()), Err(Error::NoLanguage { .. })));
        fs::write(folder.path().join(MANIFEST), format!("{text}\n[build]\nlanguage = 'cobol'"))
            .unwrap();
        assert!(matches!(Project::open(folder.path()), Err(Error::UnknownLanguage { .. })));
    }
}

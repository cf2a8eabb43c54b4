//! Where the operator's plugins are: what is named, and what lies in the plugin folders.
//!
//! A plugin is a component alone, whose file names it, or a folder with one component and its
//! `plugin.toml`, which names it by itself. `[plugins.NAME]` gives one another name, by its path or
//! by its digest. Files are only found here, and read when they are loaded: of a bounded
//! length, and never from a pipe or a device, which a plugin folder may hold as well.

use std::io;
use std::path::{Path, PathBuf};

use berth_sandbox::manifest::{LONGEST_MANIFEST, MANIFEST};
use berth_sandbox::{Digest, LARGEST_COMPONENT, Manifest, SandboxError, whole};
use indexmap::IndexMap;

use crate::error::WorkflowError;
use crate::host::{BrokenPlugin, Decided};
use crate::text::plain;

/// The ending of components' files.
const ENDING: &str = "wasm";

/// The folder of a project that builds go to; it is a folder of plugins.
pub const BUILD: &str = "build";

/// Where a project's component is built, with its manifest beside it: `build/NAME/NAME.wasm`.
#[must_use]
pub fn built(project: &Path, name: &str) -> PathBuf {
    project.join(BUILD).join(name).join(name).with_added_extension(ENDING)
}

/// A plugin that was found.
#[derive(Debug)]
pub(crate) struct Source {
    /// Who it is from now on.
    pub(crate) name: String,
    /// Its component.
    pub(crate) component: PathBuf,
    /// Its manifest, if one lies beside it.
    manifest: Option<PathBuf>,
}

/// All that were found.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Those that can be read, or may be.
    pub(crate) found: Vec<Source>,
    /// Folders that are no plugin though they look like one.
    pub(crate) broken: Vec<BrokenPlugin>,
}

impl Sources {
    /// The plugins of some folders, sorted in each, and those that are named.
    ///
    /// # Errors
    /// `PluginFolder`; for what is named also `PluginFile` and `NotOneComponent`.
    pub(crate) fn find(
        folders: &[PathBuf],
        decided: &IndexMap<String, Decided>,
    ) -> Result<Self, WorkflowError> {
        let mut all = Self::default();
        for folder in folders {
            all.add_folder(folder)?;
        }
        for (name, decided) in decided {
            match (&decided.path, decided.policy.digest) {
                (Some(path), _) if decided.locked && !path.exists() => {
                    let (name, path) = (name.clone(), path.clone());
                    let error = WorkflowError::NotInstalled {
                        plugin: plain(&name).into(),
                        path: path.clone(),
                    };
                    all.broken.push(BrokenPlugin { name, path, error });
                }
                (Some(path), _) => all.add_named(name, path)?,
                (None, Some(digest)) => all.name_by_digest(name, digest),
                (None, None) => {}
            }
        }
        Ok(all)
    }

    fn add_folder(&mut self, folder: &Path) -> Result<(), WorkflowError> {
        let paths = entries(folder)?;
        let components = paths.iter().filter(|path| is_component(path));
        self.found.extend(components.map(|path| Source::alone(path)));
        for below in paths.iter().filter(|path| path.join(MANIFEST).exists()) {
            match Source::packaged(below) {
                Ok(source) => self.found.push(source),
                Err(error) => self.broken.push(broken(below, error)),
            }
        }
        if folder.join(MANIFEST).exists() && one_component(folder).is_none() {
            let found = self.found.iter().filter(|s| s.component.parent() == Some(folder)).count();
            let error = WorkflowError::NotOneComponent { path: folder.to_owned(), found };
            self.broken.push(broken(folder, error));
        }
        Ok(())
    }

    /// What the operator named by its path has to be there, and has no other name.
    fn add_named(&mut self, name: &str, path: &Path) -> Result<(), WorkflowError> {
        let source = Source { name: name.to_owned(), ..Source::at(path)? };
        let same = |other: &Path| match (other.canonicalize(), source.component.canonicalize()) {
            (Ok(a), Ok(b)) => a == b,
            _ => other == source.component,
        };
        self.found.retain(|other| !same(&other.component));
        self.found.push(source);
        Ok(())
    }

    fn name_by_digest(&mut self, name: &str, digest: Digest) {
        let is_it = |source: &&mut Source| {
            source.read().is_ok_and(|component| Digest::of(&component) == digest)
        };
        if let Some(source) = self.found.iter_mut().find(is_it) {
            source.name = name.to_owned();
        }
    }
}

impl Source {
    /// The plugin at a path: a component, or a folder with one.
    ///
    /// # Errors
    /// `PluginFile`, `PluginFolder`, `NotOneComponent`.
    pub(crate) fn at(path: &Path) -> Result<Self, WorkflowError> {
        let failed = |source| WorkflowError::PluginFile { path: path.to_owned(), source };
        if path.metadata().map_err(failed)?.is_dir() {
            Self::packaged(path)
        } else {
            Ok(Self::alone(path))
        }
    }

    /// A component that its file names. The manifest beside it is its own if no other
    /// component lies there.
    fn alone(component: &Path) -> Self {
        let manifest = component
            .parent()
            .filter(|folder| one_component(folder).is_some())
            .map(|folder| folder.join(MANIFEST))
            .filter(|manifest| manifest.exists());
        let name = shown(component.file_stem().unwrap_or_default());
        Self { name, component: component.to_owned(), manifest }
    }

    /// A folder with one component.
    fn packaged(folder: &Path) -> Result<Self, WorkflowError> {
        let found = entries(folder)?.iter().filter(|path| is_component(path)).count();
        let component = one_component(folder)
            .ok_or_else(|| WorkflowError::NotOneComponent { path: folder.to_owned(), found })?;
        Ok(Self { name: folder_name(folder), ..Self::alone(&component) })
    }

    /// The component's bytes.
    ///
    /// # Errors
    /// `PluginFile`.
    pub(crate) fn read(&self) -> Result<Vec<u8>, WorkflowError> {
        whole::read(&self.component, LARGEST_COMPONENT)
            .map_err(|source| WorkflowError::PluginFile { path: self.component.clone(), source })
    }

    /// Whether it is the component that `berth.lock` pins.
    ///
    /// # Errors
    /// `NotAsLocked`.
    pub(crate) fn check_lock(&self, locked: Digest, found: Digest) -> Result<(), WorkflowError> {
        if locked == found {
            return Ok(());
        }
        let (plugin, path) = (plain(&self.name).into(), self.component.clone());
        Err(WorkflowError::NotAsLocked { plugin, path, locked, found })
    }

    /// The manifest that lies beside the component, if one does.
    ///
    /// # Errors
    /// `PluginFile`, and `Sandbox` for one that is none.
    pub(crate) fn manifest(&self) -> Result<Option<Manifest>, WorkflowError> {
        let Some(path) = &self.manifest else { return Ok(None) };
        let text = whole::text(path, LONGEST_MANIFEST as u64)
            .map_err(|source| WorkflowError::PluginFile { path: path.clone(), source })?;
        let manifest = Manifest::parse(&plain(&path.display().to_string()), &text);
        Ok(Some(manifest.map_err(SandboxError::from)?))
    }
}

fn broken(folder: &Path, error: WorkflowError) -> BrokenPlugin {
    BrokenPlugin { name: folder_name(folder), path: folder.to_owned(), error }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, WorkflowError> {
    let failed = |source| WorkflowError::PluginFolder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = paths.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

fn is_component(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == ENDING) && !path.is_dir()
}

/// The component of a folder that has one and no more.
fn one_component(folder: &Path) -> Option<PathBuf> {
    let mut components = entries(folder).ok()?.into_iter().filter(|path| is_component(path));
    components.next().filter(|_| components.next().is_none())
}

fn folder_name(folder: &Path) -> String {
    // `.` and `..` have no name of their own.
    let named = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    shown(named.file_name().unwrap_or_default())
}

fn shown(name: &std::ffi::OsStr) -> String {
    plain(&name.to_string_lossy()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &Sources) -> Vec<&str> {
        sources.found.iter().map(|source| source.name.as_str()).collect()
    }

    fn file(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, name).unwrap();
        path
    }

    #[test]
    fn files_and_folders_name_their_plugins() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["b.wasm", "a.wasm", "c/x.wasm", "c/plugin.toml", "no/x.wasm", "readme.txt"] {
            file(root, name);
        }
        let sources = Sources::find(&[root.to_owned()], &IndexMap::new()).unwrap();
        assert_eq!(names(&sources), ["a", "b", "c"]);
        let manifests: Vec<bool> = sources.found.iter().map(|s| s.manifest.is_some()).collect();
        assert_eq!(manifests, [false, false, true]);
        assert!(sources.broken.is_empty());
    }

    #[test]
    fn a_manifest_belongs_to_the_only_component_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        file(root, "a.wasm");
        file(root, "plugin.toml");
        let find = || Sources::find(&[root.to_owned()], &IndexMap::new()).unwrap();
        assert!(find().found[0].manifest.is_some());
        file(root, "b.wasm");
        let both = find();
        assert!(both.found.iter().all(|source| source.manifest.is_none()));
        assert!(both.broken[0].error.to_string().contains("2 components"), "{both:?}");
    }

    #[test]
    fn a_folder_without_one_component_breaks_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["none/plugin.toml", "two/plugin.toml", "two/a.wasm", "two/b.wasm", "ok.wasm"] {
            file(root, name);
        }
        let sources = Sources::find(&[root.to_owned()], &IndexMap::new()).unwrap();
        assert_eq!(names(&sources), ["ok"]);
        let broken: Vec<&str> = sources.broken.iter().map(|broken| broken.name.as_str()).collect();
        assert_eq!(broken, ["none", "two"]);
    }

    #[test]
    fn what_is_named_is_known_by_that_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (a, _) = (file(root, "a.wasm"), file(root, "b.wasm"));
        let mut decided: IndexMap<String, Decided> = IndexMap::new();
        decided.entry("first".into()).or_default().path = Some(a);
        decided.entry("second".into()).or_default().policy.digest = Some(Digest::of(b"b.wasm"));
        decided.entry("third".into()).or_default().policy.digest = Some(Digest::of(b"c.wasm"));
        let sources = Sources::find(&[root.to_owned()], &decided).unwrap();
        assert_eq!(names(&sources), ["second", "first"]);
        decided.entry("fourth".into()).or_default().path = Some(root.join("missing.wasm"));
        let missing = Sources::find(&[root.to_owned()], &decided).unwrap_err();
        assert!(matches!(missing, WorkflowError::PluginFile { .. }), "{missing}");
    }
}

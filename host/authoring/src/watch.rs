//! Tells when a project was saved.
//!
//! Editors write a file in several steps, and some write others beside it, so what comes within a
//! moment is one save; and only the author's own files count, or a build would start the next one.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::error::Error;
use crate::project::Project;

/// What belongs to one save: an editor's steps are closer together.
const MOMENT: Duration = Duration::from_millis(150);

/// Watches a project.
pub struct Watcher {
    // Ends the watching when it goes.
    _watcher: RecommendedWatcher,
    events: Receiver<Vec<PathBuf>>,
    folder: PathBuf,
    own: GlobSet,
}

impl Watcher {
    /// Begins to watch a project's own files: sources, manifest, tests.
    ///
    /// # Errors
    /// `Watch` when the system does not let it.
    pub fn new(project: &Project) -> Result<Self, Error> {
        let folder = project.folder();
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let failed = |source| Error::Watch { path: folder.clone(), source: Box::new(source) };
        let (sender, events) = mpsc::channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // What was only read is no save.
            if let Ok(event) = event
                && !event.kind.is_access()
            {
                let _ = sender.send(event.paths);
            }
        })
        .map_err(failed)?;
        // Folders that builds write to are not entered at all where they are told apart here.
        watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(failed)?;
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            if !is_made(&path) {
                watcher.watch(&path, RecursiveMode::Recursive).map_err(failed)?;
            }
        }
        let own = patterns(&project.recipe.sources)?;
        Ok(Self { _watcher: watcher, events, folder, own })
    }

    /// Waits for the next save. Gives the files, or nothing when the watching has ended.
    pub fn next(&self) -> Option<Vec<PathBuf>> {
        loop {
            let mut changed = self.own(self.events.recv().ok()?);
            if changed.is_empty() {
                continue;
            }
            loop {
                match self.events.recv_timeout(MOMENT) {
                    Ok(paths) => changed.extend(self.own(paths)),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
            changed.sort();
            changed.dedup();
            return Some(changed);
        }
    }

    fn own(&self, paths: Vec<PathBuf>) -> Vec<PathBuf> {
        let inside = |path: PathBuf| path.strip_prefix(&self.folder).ok().map(Path::to_owned);
        let mut paths: Vec<PathBuf> = paths.into_iter().filter_map(inside).collect();
        paths.retain(|path| self.own.is_match(path));
        paths
    }
}

/// Whether a folder of a project is made by tools.
fn is_made(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || ["build", "target", "node_modules"].contains(&name.as_ref())
}

fn patterns(sources: &[String]) -> Result<GlobSet, Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in sources.iter().map(String::as_str).chain(["plugin.toml", "tests/**"]) {
        let bad = |_| Error::NoSources { pattern: pattern.to_owned() };
        set.add(GlobBuilder::new(pattern).literal_separator(true).build().map_err(bad)?);
    }
    set.build().map_err(|_| Error::NoSources { pattern: sources.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::create;

    #[test]
    fn a_save_is_told_once_and_what_a_build_writes_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (project, _) = create(&folder.path().join("p"), "p", "rust").unwrap();
        std::fs::create_dir_all(project.folder().join("build/.work")).unwrap();
        let watcher = Watcher::new(&project).unwrap();
        let write = |file: &str| std::fs::write(project.folder().join(file), "x").unwrap();
        write("build/.work/core.wasm");
        write("notes.txt");
        write("src/lib.rs");
        write("src/lib.rs");
        write("plugin.toml");
        let changed = watcher.next().unwrap();
        assert_eq!(changed, [PathBuf::from("plugin.toml"), PathBuf::from("src/lib.rs")]);
    }
}

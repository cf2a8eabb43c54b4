//! Tells when a project was saved.
//!
//! Editors write a file in several steps, and some write others beside it, so what comes within a
//! moment is one save; and only the author's own files count, or a build would start the next one.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
use walkdir::WalkDir;

use crate::error::Error;
use crate::project::Project;

/// What belongs to one save: an editor's steps are closer together.
const MOMENT: Duration = Duration::from_millis(150);

/// Watches a project.
pub struct Watcher {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
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
        let watcher = notify::recommended_watcher(move |event| drop(sender.send(event)));
        let mut watcher = watcher.map_err(failed)?;
        // Folders that builds write to are not entered at all.
        watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(failed)?;
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
            if !is_made(&path) {
                watcher.watch(&path, RecursiveMode::Recursive).map_err(failed)?;
            }
        }
        let own = patterns(&project.recipe.sources)?;
        Ok(Self { watcher, events, folder, own })
    }

    /// Waits for the next save. Gives the files, or nothing when the watching has ended.
    ///
    /// # Errors
    /// `Watch` when the system tells of saves no more.
    pub fn saved(&mut self) -> Result<Option<Vec<PathBuf>>, Error> {
        loop {
            let Ok(event) = self.events.recv() else { return Ok(None) };
            let mut changed = self.own(event)?;
            if changed.is_empty() {
                continue;
            }
            loop {
                match self.events.recv_timeout(MOMENT) {
                    Ok(event) => changed.extend(self.own(event)?),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return Ok(None),
                }
            }
            changed.sort();
            changed.dedup();
            return Ok(Some(changed));
        }
    }

    /// The author's own files that an event is about.
    fn own(&mut self, event: notify::Result<Event>) -> Result<Vec<PathBuf>, Error> {
        let failed = |source| Error::Watch { path: self.folder.clone(), source: Box::new(source) };
        let event = event.map_err(failed)?;
        // What was only read is no save.
        if event.kind.is_access() {
            return Ok(Vec::new());
        }
        let mut changed = Vec::new();
        for path in event.paths {
            let inside = path.strip_prefix(&self.folder).unwrap_or(&path);
            if self.own.is_match(inside) {
                changed.push(inside.to_owned());
            }
            // A folder that came later: an editor's, or one that was moved away and back.
            if path.parent() == Some(&self.folder) && path.is_dir() && !is_made(&path) {
                // It may be gone again, or be watched already.
                let _ = self.watcher.watch(&path, RecursiveMode::Recursive);
                let files = WalkDir::new(&path).into_iter().flatten();
                let inside = files.filter_map(|entry| {
                    entry.path().strip_prefix(&self.folder).map(Path::to_owned).ok()
                });
                changed.extend(inside.filter(|path| self.own.is_match(path)));
            }
        }
        Ok(changed)
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
        let mut watcher = Watcher::new(&project).unwrap();
        let write = |file: &str| std::fs::write(project.folder().join(file), "x").unwrap();
        write("build/.work/core.wasm");
        write("notes.txt");
        write("src/lib.rs");
        write("src/lib.rs");
        write("plugin.toml");
        let mut next = || watcher.saved().unwrap().unwrap();
        assert_eq!(next(), [PathBuf::from("plugin.toml"), PathBuf::from("src/lib.rs")]);
        // A folder that goes and comes back is watched as before.
        std::fs::rename(project.folder().join("src"), project.folder().join("build/src")).unwrap();
        std::fs::rename(project.folder().join("build/src"), project.folder().join("src")).unwrap();
        assert_eq!(next(), [PathBuf::from("src/lib.rs")]);
        write("src/lib.rs");
        assert_eq!(next(), [PathBuf::from("src/lib.rs")]);
    }
}

//! Gets packages from registries into the plugin folder, and pins them in the lock.
//!
//! Each is got, checked, and written beside its place. Only when all are there do they take their
//! places, the lock last: whatever fails before that changes nothing.
//!
//! A lock comes with whatever it is in version control with, so it says nothing about what is not
//! below its own folder, no file is replaced by its word but the plugin that was there, and a
//! password that was given goes to no registry that only it names.

use std::io::ErrorKind::NotFound;
use std::path::{Component, Path, PathBuf};

use berth_sandbox::manifest::MANIFEST;
use berth_sandbox::text::plain;
use berth_sandbox::whole::{self, Staged};
use berth_sandbox::{Digest, LARGEST_COMPONENT, Manifest};
use berth_workflow::{Config, ConfigError, LOCK, Lock, Locked, Settings};

use crate::artifact::layer;
use crate::check;
use crate::component::with_manifest;
use crate::error::Error;
use crate::publish::wait;
use crate::reference::Reference;
use crate::registry::{Access, Doing, Registry};

/// Where plugins go unless another folder is named, seen from the configuration's.
const FOLDER: &str = "plugins";

/// What the lock begins with.
const HEAD: &str = "# Written by `berth plugin install`: which plugins are installed, and exactly \
                    which they are.\n";

/// How plugins are installed.
#[derive(Debug)]
pub struct Install<'a> {
    /// How they are compiled, to be checked.
    pub settings: &'a Settings,
    /// What the operator decided about plugins.
    pub config: &'a Config,
    /// The configuration's folder, which the lock is in too.
    pub folder: PathBuf,
    /// Plugins that come with the host.
    pub stock: Vec<&'a str>,
    /// How registries are spoken to.
    pub access: Access,
    /// The folder for plugins; by default `plugins` in the configuration's.
    pub to: Option<PathBuf>,
    /// The plugin's name, instead of its own.
    pub name: Option<String>,
    /// Whether another plugin of the name may be replaced.
    pub replace: bool,
}

/// What became of a plugin.
#[derive(Debug)]
pub struct Installed {
    /// What the lock says of it now.
    pub locked: Locked,
    /// Where it is.
    pub path: PathBuf,
    /// What was done.
    pub outcome: Outcome,
    /// What it says of itself, where it was looked at.
    pub manifest: Option<Manifest>,
}

/// What was done with a plugin.
#[derive(Debug)]
pub enum Outcome {
    /// It was not there.
    New,
    /// It was in the lock, and is another now.
    Moved(Box<Locked>),
    /// It was in the lock, and its file was missing or altered.
    Restored,
    /// It was there.
    Same,
}

/// A plugin that has only to be put into its place, or is there.
struct Ready {
    installed: Installed,
    staged: Option<Staged>,
}

impl Install<'_> {
    /// Installs what a reference names, and pins it.
    ///
    /// # Errors
    /// What the registry gives wrong, what is wrong with the plugin, what is in its way.
    pub fn install(&self, reference: &str) -> Result<Installed, Error> {
        let reference = Reference::parse(reference)?;
        let mut lock = self.lock()?.unwrap_or_default();
        let get = self.get(&reference, &self.access, self.name.as_deref(), &lock);
        let ready = wait(get)?;
        let mut installed = self.write(&mut lock, vec![ready])?;
        installed.pop().ok_or_else(|| Error::NothingLocked { path: self.lock_path() })
    }

    /// Installs what the lock pins: exactly that, whatever tags name by now.
    ///
    /// # Errors
    /// `NothingLocked`; what a registry gives wrong, and `NotAsLocked`.
    pub fn restore(&self) -> Result<Vec<Installed>, Error> {
        let mut lock = self.locked()?;
        let ready = wait(async {
            let mut ready = Vec::new();
            for locked in &lock.plugins {
                ready.push(self.again(locked).await?);
            }
            Ok(ready)
        })?;
        self.write(&mut lock, ready)
    }

    /// Moves what the lock has to what its references name now.
    ///
    /// # Errors
    /// As [`install`](Self::install).
    pub fn update(&self) -> Result<Vec<Installed>, Error> {
        let mut lock = self.locked()?;
        let ready = wait(async {
            let mut ready = Vec::new();
            for locked in &lock.plugins {
                let reference = Reference::parse(&locked.source)?;
                let access = self.access_by_lock();
                let mut registry = Registry::open(&reference, &access, Doing::Get)?;
                let (_, now) = registry.manifest().await?;
                ready.push(if now == locked.manifest {
                    self.again(locked).await?
                } else {
                    self.get(&reference, &access, Some(&locked.name), &lock).await?
                });
            }
            Ok(ready)
        })?;
        self.write(&mut lock, ready)
    }

    fn lock_path(&self) -> PathBuf {
        self.folder.join(LOCK)
    }

    /// How registries are spoken to that only the lock names.
    fn access_by_lock(&self) -> Access {
        Access { username: None, ..self.access.clone() }
    }

    fn lock(&self) -> Result<Option<Lock>, Error> {
        Lock::read(&self.lock_path()).map_err(|error: ConfigError| Error::Lock(Box::new(error)))
    }

    fn locked(&self) -> Result<Lock, Error> {
        self.lock()?
            .filter(|lock| !lock.plugins.is_empty())
            .ok_or_else(|| Error::NothingLocked { path: self.lock_path() })
    }

    /// A plugin as its reference names it, checked.
    async fn get(
        &self,
        reference: &Reference,
        access: &Access,
        name: Option<&str>,
        lock: &Lock,
    ) -> Result<Ready, Error> {
        let (package, oci_manifest) = fetch(reference, access).await?;
        let what = reference.to_string();
        let (component, manifest) = named(&what, package, name)?;
        let digest = Digest::of(&component);
        let before = lock.plugins.iter().find(|locked| locked.name == manifest.name);
        let path = self.place(&manifest.name, reference, before, digest)?;
        check::check(self.settings, &what, &manifest, &component)?;
        let locked = Locked {
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            source: what,
            manifest: oci_manifest,
            digest,
            path: self.beside_lock(&manifest.name, &path)?,
        };
        let is_there = is_there(&path, digest);
        let outcome = match before {
            None => Outcome::New,
            Some(before) if *before == locked && is_there => Outcome::Same,
            Some(before) if before.digest == digest => Outcome::Restored,
            Some(before) => Outcome::Moved(Box::new(before.clone())),
        };
        let staged = if is_there { None } else { Some(stage(&path, &component)?) };
        let manifest = Some(manifest);
        Ok(Ready { installed: Installed { locked, path, outcome, manifest }, staged })
    }

    /// A plugin as the lock pins it.
    async fn again(&self, locked: &Locked) -> Result<Ready, Error> {
        let path = self.folder.join(&locked.path);
        self.beside_lock(&locked.name, &path)?;
        let ready = |outcome, staged| {
            let (locked, path) = (locked.clone(), path.clone());
            Ready { installed: Installed { locked, path, outcome, manifest: None }, staged }
        };
        if is_there(&path, locked.digest) {
            return Ok(ready(Outcome::Same, None));
        }
        may_go(&locked.name, &path)?;
        let reference = Reference::parse(&locked.source)?.at(&locked.manifest);
        let (package, _) = fetch(&reference, &self.access_by_lock()).await?;
        let what = reference.to_string();
        let (component, manifest) = named(&what, package, Some(&locked.name))?;
        let found = Digest::of(&component);
        if found != locked.digest {
            let (name, source_) = (plain(&locked.name).into_owned(), what);
            return Err(Error::NotAsLocked { name, source_, locked: locked.digest, found });
        }
        check::check(self.settings, &what, &manifest, &component)?;
        Ok(ready(Outcome::Restored, Some(stage(&path, &component)?)))
    }

    /// Where a plugin goes, if nothing is in its way.
    fn place(
        &self,
        name: &str,
        reference: &Reference,
        before: Option<&Locked>,
        digest: Digest,
    ) -> Result<PathBuf, Error> {
        let name = || name.to_owned();
        if self.stock.contains(&name().as_str()) {
            return Err(Error::StockName { name: name() });
        }
        if let Some(before) = before
            && !self.replace
        {
            let origin = Reference::parse(&before.source)?.origin();
            if origin != reference.origin() {
                let (installed, wanted) = (origin, reference.origin());
                return Err(Error::Taken { name: name(), installed, wanted });
            }
        }
        let folder = match (&self.to, before) {
            (Some(folder), _) => folder.clone(),
            (None, Some(before)) => {
                let path = self.folder.join(&before.path);
                path.parent().map_or_else(PathBuf::new, Path::to_owned)
            }
            (None, None) => self.folder.join(FOLDER),
        };
        let path = folder.join(format!("{}.wasm", name()));
        if folder.join(MANIFEST).exists() {
            return Err(Error::PluginFolder { folder });
        }
        if let Some(own) = self.config.plugins.get(&name()) {
            if let Some(own) = own.path.clone().filter(|own| whole(own) != whole(&path)) {
                return Err(Error::OwnPath { name: name(), path: own });
            }
            if let Some(pinned) = own.digest.filter(|pinned| *pinned != digest) {
                return Err(Error::Pinned { name: name(), pinned, found: digest });
            }
        }
        let ours = before.map(|before| self.folder.join(&before.path));
        if !self.replace && path.symlink_metadata().is_ok() && !is_there(&path, digest) {
            if ours.as_deref().map(whole) != Some(whole(&path)) {
                return Err(Error::InTheWay { name: name(), path, replaceable: true });
            }
            may_go(&name(), &path)?;
        }
        // What only lies in a plugin folder is found under the same name, and nothing would run.
        let folders = self.config.plugin_folders.iter().chain([&folder]);
        for other in folders {
            for taken in [other.join(format!("{}.wasm", name())), other.join(name())] {
                let is_plugin = taken.is_file() || taken.join(MANIFEST).exists();
                if is_plugin
                    && whole(&taken) != whole(&path)
                    && ours.as_deref().map(whole) != Some(whole(&taken))
                {
                    return Err(Error::InTheWay { name: name(), path: taken, replaceable: false });
                }
            }
        }
        Ok(path)
    }

    /// A path as the lock has it: seen from its own folder, which it is below of, by whatever way.
    ///
    /// # Errors
    /// `Outside`.
    fn beside_lock(&self, name: &str, path: &Path) -> Result<PathBuf, Error> {
        let outside = || Error::Outside { name: plain(name).into_owned(), path: path.to_owned() };
        // An empty path is the working folder, and cannot be made whole.
        let folder = whole(&Path::new(".").join(&self.folder));
        let whole = whole(path);
        let below = whole.strip_prefix(&folder).map_err(|_| outside())?;
        let mut way = folder.clone();
        for part in below.components() {
            way.push(part);
            let is_link = way.symlink_metadata().is_ok_and(|found| found.is_symlink());
            if is_link || !matches!(part, Component::Normal(_)) {
                return Err(outside());
            }
        }
        Ok(below.to_owned())
    }

    /// Puts everything into its place, the lock last.
    fn write(&self, lock: &mut Lock, ready: Vec<Ready>) -> Result<Vec<Installed>, Error> {
        let before = lock.clone();
        let (mut staged, mut all) = (Vec::new(), Vec::new());
        for ready in ready {
            let installed = ready.installed;
            staged.extend(ready.staged);
            lock.plugins.retain(|locked| locked.name != installed.locked.name);
            lock.plugins.push(installed.locked.clone());
            all.push(installed);
        }
        lock.plugins.sort_by(|a, b| a.name.cmp(&b.name));
        let path = self.lock_path();
        let failed = |error: toml::ser::Error| {
            let source = std::io::Error::other(error.to_string());
            Error::Write { path: path.clone(), source }
        };
        let written = match *lock == before {
            true => None,
            false => {
                let text = toml::to_string(&*lock).map_err(failed)?;
                Some(stage(&path, format!("{HEAD}{text}").as_bytes())?)
            }
        };
        for file in staged.into_iter().chain(written) {
            let path = file.path().to_owned();
            file.commit().map_err(|source| Error::Write { path, source })?;
        }
        for moved in &all {
            self.remove_left(moved);
        }
        Ok(all)
    }

    /// Removes what was installed elsewhere before, if it is still what was installed.
    fn remove_left(&self, installed: &Installed) {
        let Outcome::Moved(before) = &installed.outcome else { return };
        let left = self.folder.join(&before.path);
        let is_ours = self.beside_lock(&before.name, &left).is_ok();
        if left != installed.path && is_ours && is_there(&left, before.digest) {
            // It does no harm but to be found; then its name is told.
            if let Err(error) = std::fs::remove_file(&left) {
                tracing::warn!(%error, "cannot remove {}, which is not used any more", left.display());
            }
        }
    }
}

/// A package, and the digest of its manifest in the registry.
async fn fetch(reference: &Reference, access: &Access) -> Result<(Vec<u8>, String), Error> {
    let mut registry = Registry::open(reference, access, Doing::Get)?;
    let (manifest, digest) = registry.manifest().await?;
    let layer = layer(&manifest)
        .map_err(|reason| Error::NoPlugin { reference: reference.to_string(), reason })?;
    Ok((registry.blob(&layer).await?, digest))
}

/// A package under a name: as it is, or with its manifest's name changed.
///
/// # Errors
/// `NotPacked`, `Manifest`, `Component`.
fn named(what: &str, package: Vec<u8>, name: Option<&str>) -> Result<(Vec<u8>, Manifest), Error> {
    let manifest = check::manifest(what, &package)?;
    let Some(name) = name.filter(|name| **name != manifest.name) else {
        return Ok((package, manifest));
    };
    let renamed = Manifest { name: name.to_owned(), ..manifest };
    let component = with_manifest(&package, &renamed)
        .map_err(|reason| Error::Component { what: what.to_owned(), reason })?;
    // A name that cannot be one is found where it is read.
    let manifest = check::manifest(what, &component)?;
    Ok((component, manifest))
}

/// A path from the root on.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Whether a file is this component.
fn is_there(path: &Path, digest: Digest) -> bool {
    whole::read(path, LARGEST_COMPONENT).is_ok_and(|bytes| Digest::of(&bytes) == digest)
}

/// Whether a file may be replaced because the lock says that it is this plugin: it has to be a
/// component that says the same, or be missing.
///
/// # Errors
/// `NotIt`.
fn may_go(name: &str, path: &Path) -> Result<(), Error> {
    let is_missing = path.symlink_metadata().is_err_and(|error| error.kind() == NotFound);
    let is_it = |component: &[u8]| {
        Manifest::embedded(name, component)
            .is_ok_and(|manifest| manifest.is_some_and(|manifest| manifest.name == name))
    };
    if is_missing || whole::read(path, LARGEST_COMPONENT).is_ok_and(|bytes| is_it(&bytes)) {
        return Ok(());
    }
    Err(Error::NotIt { name: plain(name).into_owned(), path: path.to_owned() })
}

/// Writes a file beside its place, in a folder that is made if it has to be.
///
/// # Errors
/// `Write`.
fn stage(path: &Path, bytes: &[u8]) -> Result<Staged, Error> {
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder)
        .and_then(|()| Staged::new(path, bytes))
        .map_err(|source| Error::Write { path: path.to_owned(), source })
}

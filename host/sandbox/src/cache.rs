//! Compiled code, kept between processes.
//!
//! Deserializing compiled code is running it: a forged file is native code of
//! somebody else's. So entries live in a directory that only this user can enter
//! (0700), are written under a temporary name and renamed, and begin with a digest of
//! what follows. A file that does not match is compiled again; nothing of a
//! plugin's author's is ever read from here.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;

/// The layout's version stands in the directory's name, so that hosts of different
/// versions do not read each other's files.
const DIRECTORY: &str = "compiled-v1";

/// Length of the digest in front of an entry.
const DIGEST: usize = blake3::OUT_LEN;

/// Compiles a component, or takes it from the cache below `directory`.
///
/// A cache that cannot be read or written costs time, never a run.
pub(crate) fn compile(
    engine: &Engine,
    bytes: &[u8],
    directory: Option<&Path>,
) -> wasmtime::Result<Component> {
    let Some(directory) = directory else { return Component::new(engine, bytes) };
    let entry = match open(directory) {
        Ok(directory) => directory.join(key(engine, bytes)),
        Err(error) => {
            tracing::warn!(path = %directory.display(), %error, "compiled code is not cached");
            return Component::new(engine, bytes);
        }
    };
    if let Some(component) = read(engine, &entry) {
        return Ok(component);
    }
    let component = Component::new(engine, bytes)?;
    if let Err(error) = component.serialize().and_then(|code| Ok(write(&entry, &code)?)) {
        tracing::warn!(path = %entry.display(), %error, "compiled code is not cached");
    }
    Ok(component)
}

/// The private directory, made where it is missing.
fn open(parent: &Path) -> io::Result<PathBuf> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    let directory = parent.join(DIRECTORY);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    let found = fs::symlink_metadata(&directory)?;
    if !found.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory of its own"));
    }
    // Only the owner can have set this mode; `/proc/self` belongs to who runs us.
    if found.uid() != fs::metadata("/proc/self")?.uid() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "belongs to somebody else"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700))?;
    }
    Ok(directory)
}

/// An entry's name: what was compiled, and by which compiler with which settings.
fn key(engine: &Engine, bytes: &[u8]) -> String {
    struct Blake(blake3::Hasher);
    impl std::hash::Hasher for Blake {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Blake(blake3::Hasher::new());
    hasher.0.update(bytes);
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    hasher.0.finalize().to_hex().to_string()
}

fn read(engine: &Engine, entry: &Path) -> Option<Component> {
    let bytes = fs::read(entry).ok()?;
    let (digest, code) = bytes.split_at_checked(DIGEST)?;
    if blake3::hash(code).as_bytes() != digest {
        tracing::warn!(path = %entry.display(), "a cache entry is damaged; compiling again");
        return None;
    }
    // SAFETY: the bytes were written by `write` from `Component::serialize` of this
    // very program's compiler (its version is in the key), into a directory that only
    // this user can write to, and they are what was written (the digest matches).
    let component = unsafe { Component::deserialize(engine, code) };
    component
        .inspect_err(|error| tracing::warn!(path = %entry.display(), %error, "compiling again"))
        .ok()
}

fn write(entry: &Path, code: &[u8]) -> io::Result<()> {
    let unfinished = entry.with_extension(format!("{}.new", std::process::id()));
    let mut file = fs::File::create(&unfinished)?;
    file.write_all(blake3::hash(code).as_bytes())?;
    file.write_all(code)?;
    fs::rename(&unfinished, entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// The smallest component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn a_damaged_entry_is_compiled_again() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::default();
        compile(&engine, EMPTY, Some(folder.path())).unwrap();
        let directory = folder.path().join(DIRECTORY);
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        let entry = fs::read_dir(&directory).unwrap().next().unwrap().unwrap().path();
        let good = fs::read(&entry).unwrap();
        for damaged in [good[..good.len() / 2].to_vec(), Vec::new(), vec![7; good.len()]] {
            fs::write(&entry, damaged).unwrap();
            assert!(read(&engine, &entry).is_none());
            compile(&engine, EMPTY, Some(folder.path())).unwrap();
            assert_eq!(fs::read(&entry).unwrap(), good);
        }
        assert!(read(&engine, &entry).is_some());
    }
}

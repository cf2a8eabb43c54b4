//! Builds plugins of this workspace as components, in build scripts:
//!
//! ```no_run
//! let components = berth_component_build::build(&["berth-plugin-image"])?;
//! # Ok::<_, berth_component_build::Error>(())
//! ```
//!
//! A second cargo builds them, because one cargo cannot build one crate for two targets at
//! once. It has a target folder of its own (`components` inside the outer one), so that it
//! never waits for the lock that the outer cargo holds while the build script runs; and it
//! starts without the variables by which the outer one steers its compiler, so that
//! `cargo clippy`, coverage and a user's `RUSTFLAGS` do not reach the plugins.
//!
//! What is promised: the target is there afterwards, or the error says how to get it;
//! the build script runs again when a plugin, a crate of the workspace that it
//! depends on, or the contract changes; a component that did not change keeps its time, so
//! that nothing that embeds it is compiled again. What is not known here: which
//! plugins there are, and what becomes of them.

mod nested;
mod target;
mod workspace;

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use workspace::Workspace;

/// What plugins are compiled to.
const TARGET: &str = "wasm32-wasip2";

/// The profile of the workspace that plugins are compiled with.
const PROFILE: &str = "component";

/// Why there are no components.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was called from something else than a build script.
    #[error("`{0}` is not set: components are built by build scripts, under cargo")]
    NoBuildScript(&'static str),
    /// A program could not be started.
    #[error("`{program}` cannot be run")]
    Start {
        /// What was to be run.
        program: String,
        /// Why it could not.
        source: io::Error,
    },
    /// A program ended with a failure.
    #[error("`{command}` failed; its own messages are above")]
    Failed {
        /// The whole command.
        command: String,
    },
    /// A program printed something else than it should.
    #[error("`{program}` printed what cannot be understood")]
    Output {
        /// What was run.
        program: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The target is missing, and so is what could install it.
    #[error(
        "the Rust target {TARGET} is not installed, and there is no rustup to install it: \
         install rustup (https://rustup.rs), or your distribution's standard library for {TARGET}"
    )]
    NoRustup,
    /// A package is not part of the workspace.
    #[error("the workspace at {root} has no package `{package}`")]
    UnknownPackage {
        /// Which.
        package: String,
        /// Where it was looked for.
        root: PathBuf,
    },
    /// A package has no library that becomes a component.
    #[error("`{package}` makes no component: its library needs `crate-type = [\"cdylib\"]`")]
    NoComponent {
        /// Which.
        package: String,
    },
    /// A component could not be copied to where the build script's outputs are.
    #[error("{path} cannot be written")]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// The components of these packages, in their order: files in the build script's `OUT_DIR`.
///
/// Installs the target where it is missing and there is a rustup, and says so.
///
/// # Errors
/// When a package is unknown or does not compile, and when a tool is missing.
pub fn build(packages: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let workspace = Workspace::around(Path::new(&variable("CARGO_MANIFEST_DIR")?))?;
    for path in workspace.watched(packages)? {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    target::ensure(workspace.root())?;
    let built = nested::build(&workspace, packages)?;
    built.iter().map(|component| place(component, &out)).collect()
}

fn variable(name: &'static str) -> Result<String, Error> {
    env::var(name).map_err(|_| Error::NoBuildScript(name))
}

/// Copies a component into a folder, unless just this is there.
fn place(component: &Path, folder: &Path) -> Result<PathBuf, Error> {
    let path = folder.join(component.file_name().unwrap_or(component.as_os_str()));
    let copy = || {
        let bytes = fs::read(component)?;
        if fs::read(&path).is_ok_and(|known| known == bytes) {
            Ok(())
        } else {
            fs::write(&path, bytes)
        }
    };
    match copy() {
        Ok(()) => Ok(path),
        Err(source) => Err(Error::Write { path, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_that_did_not_change_keeps_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let (component, out) = (folder.path().join("a.wasm"), folder.path().join("out"));
        fs::create_dir(&out).unwrap();
        fs::write(&component, "1").unwrap();
        let placed = place(&component, &out).unwrap();
        let time = fs::metadata(&placed).unwrap().modified().unwrap();
        place(&component, &out).unwrap();
        assert_eq!(fs::metadata(&placed).unwrap().modified().unwrap(), time);
        fs::write(&component, "2").unwrap();
        place(&component, &out).unwrap();
        assert_eq!(fs::read(&placed).unwrap(), b"2");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let error = place(Path::new("nowhere.wasm"), Path::new("/nowhere")).unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/nowhere.wasm cannot be written");
    }
}

//! The compiler's standard library for plugins: whether it is there, and how it gets there.

use std::env;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Error, TARGET, nested};

/// Sees to it that the compiler knows the target.
pub fn ensure(root: &Path) -> Result<(), Error> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    if installed(root, &rustc)? {
        return Ok(());
    }
    println!("cargo::warning=installing the Rust target {TARGET}: rustup target add {TARGET}");
    install(root, "rustup".into())
}

/// Whether there is a library folder of the target.
fn installed(root: &Path, rustc: &OsString) -> Result<bool, Error> {
    let mut command = Command::new(rustc);
    nested::clear(&mut command);
    command.current_dir(root).args(["--print", "target-libdir", "--target", TARGET]);
    let printed = nested::run(&mut command)?;
    Ok(PathBuf::from(String::from_utf8_lossy(&printed).trim()).is_dir())
}

/// Installs the target for the toolchain that the folder uses.
fn install(root: &Path, rustup: OsString) -> Result<(), Error> {
    let mut command = Command::new(rustup);
    nested::clear(&mut command);
    command.current_dir(root).args(["target", "add", TARGET]);
    match nested::run(&mut command) {
        Err(Error::Start { source, .. }) if source.kind() == ErrorKind::NotFound => {
            Err(Error::NoRustup)
        }
        done => done.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_rustup_the_error_says_what_to_install() {
        let error = install(Path::new("."), "no-such-rustup".into()).unwrap_err();
        assert!(matches!(error, Error::NoRustup));
        assert!(error.to_string().contains("https://rustup.rs"));
    }

    #[test]
    fn a_target_that_the_compiler_does_not_know_is_an_error() {
        let error = installed(Path::new("."), &"false".into()).unwrap_err();
        assert!(matches!(error, Error::Failed { .. }));
    }
}

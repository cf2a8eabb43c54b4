//! Files that are there as a whole or not at all.
//!
//! What is to be written is written beside its place first and then renamed, so neither a failure
//! nor a running host ever finds half of it. Several files are all beside their places before the
//! first takes its own.

use std::fs::{File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::Error;

/// A file that is written, but not yet in its place.
pub(crate) struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

/// Writes a file beside its place.
///
/// # Errors
/// `Write`.
pub(crate) fn stage(path: &Path, bytes: &[u8]) -> Result<Staged, Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".berth-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    Ok(Staged { file: write().map_err(failed)?, path: path.to_owned() })
}

impl Staged {
    /// Puts it into its place.
    ///
    /// # Errors
    /// `Write`.
    pub(crate) fn commit(self) -> Result<(), Error> {
        let Self { file, path } = self;
        match file.persist(&path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Write { path, source: error.error }),
        }
    }
}

/// A file of at most so many bytes.
///
/// # Errors
/// `Read`.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let wrong = |reason: String| io::Error::new(io::ErrorKind::InvalidInput, reason);
    let bounded = || {
        // What is no file may never end, or never begin.
        if !std::fs::metadata(path)?.is_file() {
            return Err(wrong("it is no file".into()));
        }
        let mut bytes = Vec::new();
        File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > most {
            return Err(wrong(format!("it has more than {most} bytes")));
        }
        Ok(bytes)
    };
    bounded().map_err(failed)
}

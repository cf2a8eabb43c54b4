//! Files that are read as a whole, and written as a whole or not at all.
//!
//! Paths come from command lines, folders and files that somebody else wrote, so what is there may
//! be no file: opening a device or a pipe has effects of its own, and reading one may never end.
//! What is written is written beside its place and then renamed, so neither a failure nor a running
//! host ever finds half of it; of several files, all can be beside their places before the first
//! takes its own.

use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use tempfile::NamedTempFile;

/// A file of at most so many bytes.
///
/// # Errors
/// What the system says; `InvalidInput` for what is no file, `FileTooLarge` for a longer one.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let is_file = |found: std::fs::Metadata| match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "it is no file")),
    };
    is_file(path.metadata()?)?;
    // It may have become another in the meantime, so opening does not wait, and it is seen again.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    is_file(file.metadata()?)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than {most} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// A file of at most so many bytes, as text.
///
/// # Errors
/// As [`read`]; `InvalidData` for what is no text.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is no text in UTF-8"))
}

/// Writes a file at once: who reads it meanwhile sees the old one or the new one.
///
/// # Errors
/// What the system says.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Staged::new(path, bytes)?.commit()
}

/// A file that is written, but not yet in its place. It goes if it is dropped.
#[derive(Debug)]
pub struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

impl Staged {
    /// Writes a file beside its place, for whom the umask leaves it to.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(path: &Path, bytes: &[u8]) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let mut file = tempfile::Builder::new()
            .prefix(".berth-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        // A name without its content could outlive a machine that stops.
        file.as_file().sync_all()?;
        Ok(Self { file, path: path.to_owned() })
    }

    /// Where it goes.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it into its place.
    ///
    /// # Errors
    /// What the system says.
    pub fn commit(self) -> io::Result<()> {
        self.file.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_bounded_length_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long");
        std::fs::write(&long, b"\xffabcde").unwrap();
        assert_eq!(read(&long, 6).unwrap(), b"\xffabcde");
        assert_eq!(text(&long, 6).unwrap_err().to_string(), "it is no text in UTF-8");
        assert_eq!(read(&long, 5).unwrap_err().to_string(), "it has more than 5 bytes");
        let (pipe, link) = (folder.path().join("pipe"), folder.path().join("link"));
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, Mode::RWXU, 0)
            .unwrap();
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for special in [Path::new("/dev/zero"), folder.path(), &pipe, &link] {
            assert_eq!(read(special, 5).unwrap_err().to_string(), "it is no file");
        }
    }

    #[test]
    fn what_is_not_put_into_its_place_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write(&path, b"old").unwrap();
        let staged = Staged::new(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        drop(staged);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        write(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        // What the umask leaves is what any other file here has.
        let other = folder.path().join("b");
        std::fs::write(&other, "").unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&other));
        assert!(write(&folder.path().join("none/a"), b"").is_err());
    }
}

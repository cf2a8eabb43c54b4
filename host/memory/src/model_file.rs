//! A model file, read where it lies.
//!
//! Bytes come by `pread`, not through a map of the file: a file that shrinks
//! under a map is a signal that kills the process, under a read it is an error
//! that names the file. After each read the file is compared with what was
//! opened, so bytes of a file that was rewritten meanwhile are never used.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::{MemoryError, Source};

/// Which file, and which state of it. Equal identities have equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// A model file that is open for reading, as a [`Source`].
#[derive(Debug)]
pub struct ModelFile {
    path: PathBuf,
    file: File,
    identity: FileIdentity,
}

impl ModelFile {
    /// Opens a regular file. Nothing is read yet.
    ///
    /// # Errors
    /// [`MemoryError::FileUnavailable`] when it is missing, not to be read, or no regular file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MemoryError> {
        let path = path.as_ref();
        let unavailable = |cause| MemoryError::FileUnavailable { path: path.to_owned(), cause };
        // Looked at before it is opened: opening a pipe would wait for its writer.
        if !std::fs::metadata(path).map_err(unavailable)?.is_file() {
            let cause = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(unavailable(cause));
        }
        let file = File::open(path).map_err(unavailable)?;
        let identity = FileIdentity::of(&file.metadata().map_err(unavailable)?);
        Ok(Self { path: path.to_owned(), file, identity })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes when it was opened.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.identity.bytes
    }

    /// Which file this is, so that one file that is opened twice can be one source.
    #[must_use]
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }

    fn truncated(&self, offset: u64, length: u64, actual: u64) -> MemoryError {
        MemoryError::FileTruncated { path: self.path.clone(), offset, length, actual }
    }
}

impl Source for ModelFile {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        let length = into.len() as u64;
        if offset.checked_add(length).is_none_or(|end| end > self.identity.bytes) {
            return Err(self.truncated(offset, length, self.identity.bytes));
        }
        let failed =
            |cause| MemoryError::FileRead { path: self.path.clone(), offset, length, cause };
        let outcome = self.file.read_exact_at(into, offset);
        // Looked at after the read: what changed before or during it is seen.
        let now = FileIdentity::of(&self.file.metadata().map_err(failed)?);
        match outcome {
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.truncated(offset, length, now.bytes))
            }
            Err(cause) => Err(failed(cause)),
            Ok(()) if now.bytes != self.identity.bytes => {
                Err(MemoryError::FileChanged { path: self.path.clone(), what: "its length" })
            }
            Ok(()) if now != self.identity => Err(MemoryError::FileChanged {
                path: self.path.clone(),
                what: "its time of modification",
            }),
            Ok(()) => Ok(()),
        }
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn file_of(bytes: &[u8]) -> (tempfile::NamedTempFile, ModelFile) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let model = ModelFile::open(file.path()).unwrap();
        (file, model)
    }

    fn named(error: &MemoryError, file: &tempfile::NamedTempFile) -> bool {
        error.to_string().contains(file.path().to_str().unwrap())
    }

    #[test]
    fn a_range_is_read_as_it_stands_in_the_file() {
        let (_file, model) = file_of(b"0123456789");
        let mut into = [0; 4];
        model.read(3, &mut into).unwrap();
        assert_eq!(&into, b"3456");
        model.read(10, &mut []).unwrap();
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = ModelFile::open("/nowhere/weights.safetensors").unwrap_err();
        assert!(matches!(error, MemoryError::FileUnavailable { .. }));
        assert!(error.to_string().contains("/nowhere/weights.safetensors"));
    }

    #[test]
    fn a_folder_is_not_a_model() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(ModelFile::open(folder.path()), Err(MemoryError::FileUnavailable { .. })));
    }

    #[test]
    fn a_range_past_the_end_is_a_truncated_file() {
        let (file, model) = file_of(b"0123456789");
        for (offset, length) in [(8, 3), (11, 0), (u64::MAX, 1)] {
            let error = model.read(offset, &mut vec![0; length]).unwrap_err();
            assert!(matches!(error, MemoryError::FileTruncated { actual: 10, .. }), "{error}");
            assert!(named(&error, &file));
        }
    }

    #[test]
    fn a_file_that_shrinks_while_open_is_truncated_not_a_signal() {
        let (file, model) = file_of(&[7; 8192]);
        file.as_file().set_len(100).unwrap();
        let error = model.read(4096, &mut [0; 4096]).unwrap_err();
        assert!(matches!(error, MemoryError::FileTruncated { actual: 100, .. }), "{error}");
        assert!(named(&error, &file));
    }

    #[test]
    fn a_file_that_grows_or_is_rewritten_has_changed() {
        let (mut file, model) = file_of(b"0123456789");
        file.write_all(b"x").unwrap();
        let error = model.read(0, &mut [0; 4]).unwrap_err();
        assert!(matches!(error, MemoryError::FileChanged { what: "its length", .. }), "{error}");

        let (file, model) = file_of(b"0123456789");
        file.as_file().set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
        let error = model.read(0, &mut [0; 4]).unwrap_err();
        assert!(matches!(error, MemoryError::FileChanged { .. }), "{error}");
        assert!(named(&error, &file));
    }

    #[test]
    fn one_file_has_one_identity_however_often_it_is_opened() {
        let (file, model) = file_of(b"0123456789");
        let (_other, different) = file_of(b"0123456789");
        assert_eq!(ModelFile::open(file.path()).unwrap().identity(), model.identity());
        assert_ne!(different.identity(), model.identity());
    }
}

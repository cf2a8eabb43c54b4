//! The bytes of a model, in every file that is known to hold them.
//!
//! A model that was copied or downloaded twice is two files with the same bytes. They are one
//! source, so that each of their tensors is one allocation, and the loss of one of the files
//! is no loss while another is there: when a read fails, the next file takes over.
//!
//! That two files are equal is told by a hash of all their bytes. They are read for it,
//! not mapped, since a file that shrinks under a map kills the process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_memory::{Cancel, MemoryError, ModelFile, Source};

/// What is read at a time for a hash: enough for all threads to have a part.
const PIECE: usize = 8 << 20;

/// Files with equal bytes.
#[derive(Debug)]
pub(super) struct Content(Mutex<Files>);

#[derive(Debug)]
struct Files {
    /// What reads go to.
    current: Arc<ModelFile>,
    others: Vec<Arc<ModelFile>>,
}

impl Content {
    pub(super) fn new(file: Arc<ModelFile>) -> Self {
        Self(Mutex::new(Files { current: file, others: Vec::new() }))
    }

    /// One more file with the same bytes.
    pub(super) fn add(&self, file: &Arc<ModelFile>) {
        let mut files = self.files();
        let is_it = |known: &Arc<ModelFile>| known.identity() == file.identity();
        if !is_it(&files.current) && !files.others.iter().any(is_it) {
            files.others.push(file.clone());
        }
    }

    /// The file that reads go to.
    pub(super) fn current(&self) -> Arc<ModelFile> {
        self.files().current.clone()
    }

    /// Whether another file takes the place of one that cannot be read any more.
    fn replace(&self, lost: &Arc<ModelFile>) -> bool {
        let mut files = self.files();
        if !Arc::ptr_eq(&files.current, lost) {
            return true;
        }
        match files.others.pop() {
            Some(next) => {
                files.current = next;
                true
            }
            None => false,
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Content {
    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        loop {
            let file = self.current();
            match file.read(offset, into) {
                Err(error) if self.replace(&file) => {
                    tracing::warn!(%error, "another file with the same bytes takes its place");
                }
                outcome => return outcome,
            }
        }
    }

    fn describe(&self) -> String {
        self.current().describe()
    }
}

/// The hash of all bytes of a file, on all threads.
///
/// # Errors
/// What is wrong with the file; it is named.
pub(super) fn hash(file: &ModelFile, cancel: &Cancel) -> Result<blake3::Hash, MemoryError> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; PIECE];
    let mut offset = 0;
    while offset < file.bytes() {
        if cancel.is_cancelled() {
            return Err(MemoryError::Cancelled);
        }
        let rest = file.bytes() - offset;
        let length = usize::try_from(rest).map_or(PIECE, |rest| rest.min(PIECE));
        let (piece, _) = buffer.split_at_mut(length);
        file.read(offset, piece)?;
        hasher.update_rayon(piece);
        offset += length as u64;
    }
    Ok(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn open(path: &Path) -> Arc<ModelFile> {
        Arc::new(ModelFile::open(path).unwrap())
    }

    #[test]
    fn the_hash_is_that_of_all_bytes() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("m");
        for length in [0, 1, PIECE - 1, PIECE, 2 * PIECE + 5] {
            let mut bytes = vec![7; length];
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(hash(&open(&path), &Cancel::new()).unwrap(), blake3::hash(&bytes));
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
                std::fs::write(&path, &bytes).unwrap();
                assert_eq!(hash(&open(&path), &Cancel::new()).unwrap(), blake3::hash(&bytes));
            }
        }
    }

    #[test]
    fn a_lost_file_is_no_loss_while_another_has_its_bytes() {
        let root = tempfile::tempdir().unwrap();
        let (first, second) = (root.path().join("first"), root.path().join("second"));
        std::fs::write(&first, "0123456789").unwrap();
        std::fs::write(&second, "0123456789").unwrap();
        let content = Content::new(open(&first));
        content.add(&open(&second));
        content.add(&open(&second));
        let mut into = [0; 4];
        std::fs::write(&first, "01").unwrap();
        content.read(3, &mut into).unwrap();
        assert_eq!(&into, b"3456");
        std::fs::write(&second, "9876543210+").unwrap();
        let error = content.read(3, &mut into).unwrap_err().to_string();
        assert!(error.contains(second.to_str().unwrap()), "{error}");
    }
}

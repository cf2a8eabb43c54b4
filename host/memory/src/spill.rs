//! Where dirty bytes go when the host's memory is short.
//!
//! All of a memory's spilled bytes stand in one file. It has no name: it is unlinked
//! when it is made, so it goes with the process, however that ends. It is made by the
//! first write; a host that never spills needs no folder. Freed parts are handed back to
//! the filesystem at once and used again by later writes.
//!
//! Each piece of 64 KiB has a checksum, which stays in memory and is checked by every
//! read. A disk that lost or changed something is an error, never a wrong picture.
//!
//! Nothing is locked during a read or a write: each has its own part of the file. The two locks
//! here are held to keep the books and to cut off the file's end; no other is taken under them.

mod buffers;
mod space;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
#[cfg(test)]
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use self::buffers::Buffers;
use self::space::Space;
use crate::MemoryError;
use crate::sync::Monitor;

/// What an extent's place and size are a multiple of: a page of memory, and a block of
/// most filesystems, so that no two extents share one.
const ALIGNMENT: u64 = 4 << 10;

/// What is written or read by one call. Large enough for a disk to work at its full rate.
const CHUNK: usize = 4 << 20;

/// What has a checksum, and so the least that is read. A read of a few bytes takes no
/// longer than one access to the disk, and the checksums of a gigabyte take 64 KiB.
const PIECE: usize = 64 << 10;

/// Where dirty bytes may be spilled to, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpillSettings {
    /// The folder in which the spill file is made. It must be on a disk: a folder in memory
    /// (tmpfs) would take the very memory that is short.
    pub folder: PathBuf,
    /// The most bytes that may be spilled at a time. What is spilled counts in multiples of 4 KiB.
    pub limit: u64,
}

/// Gives the bytes that are to be spilled: those from an offset on, as many as fit. It must
/// fill all of it: what is there before may be another account's.
pub(crate) type Bytes<'a> = dyn FnMut(u64, &mut [u8]) -> Result<(), MemoryError> + 'a;

impl SpillSettings {
    /// Whether the folder is there and can be written to. Leaves nothing behind.
    ///
    /// # Errors
    /// [`MemoryError::SpillUnavailable`], or [`MemoryError::SpillFull`] if not even an
    /// empty file has room.
    pub fn check(&self) -> Result<(), MemoryError> {
        SpillStore::new(self.clone()).create(0).map(drop)
    }
}

/// The spilled bytes of one memory.
pub(crate) struct SpillStore {
    settings: SpillSettings,
    file: OnceLock<File>,
    space: Monitor<Space>,
    buffers: Buffers,
}

impl SpillStore {
    /// Touches nothing yet.
    pub(crate) fn new(settings: SpillSettings) -> Self {
        let space = Monitor::new(Space::default());
        Self { settings, file: OnceLock::new(), space, buffers: Buffers::new() }
    }

    /// Writes `bytes` bytes, which `read` gives in order, from the offset that it is told, in
    /// chunks of up to 4 MiB. Blocks while other threads' writes use all buffers, so `read`
    /// must not write to this store; it may read from it. If it fails, nothing is taken.
    ///
    /// # Errors
    /// [`MemoryError::SpillLimit`], [`MemoryError::SpillFull`],
    /// [`MemoryError::SpillUnavailable`], [`MemoryError::SpillFailed`], and what `read` says.
    pub(crate) fn write(
        self: &Arc<Self>,
        bytes: u64,
        read: &mut Bytes<'_>,
    ) -> Result<Extent, MemoryError> {
        // From here on it frees what it took when it is dropped.
        let mut extent = self.take(bytes)?;
        if bytes == 0 {
            return Ok(extent);
        }
        let file = self.file(extent.length)?;
        let mut buffer = self.buffers.take();
        let mut offset = 0;
        while offset < bytes {
            let rest = bytes - offset;
            let length = usize::try_from(rest).map_or(CHUNK, |rest| rest.min(CHUNK));
            let (content, after) = buffer.split_at_mut(length);
            read(offset, content)?;
            extent.checksums.extend(content.chunks(PIECE).map(crc32fast::hash));
            // The rest of the last block is written too: a block that is written whole need
            // not be read first.
            let padding = length.next_multiple_of(ALIGNMENT as usize) - length;
            after.iter_mut().take(padding).for_each(|byte| *byte = 0);
            let (blocks, _) = buffer.split_at(length + padding);
            file.write_all_at(blocks, extent.start + offset)
                .map_err(|cause| self.unwritten(cause, &extent))?;
            offset += length as u64;
        }
        Ok(extent)
    }

    /// What the spill file takes on the disk, in bytes, as its filesystem counts it.
    #[cfg(test)]
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        let metadata = self.file.get().and_then(|file| file.metadata().ok());
        metadata.map_or(0, |metadata| metadata.blocks().saturating_mul(512))
    }

    /// Takes room for bytes and writes nothing.
    ///
    /// # Errors
    /// [`MemoryError::SpillLimit`].
    pub(crate) fn take(self: &Arc<Self>, bytes: u64) -> Result<Extent, MemoryError> {
        let limit = self.settings.limit;
        let mut space = self.space.lock();
        let length = bytes.checked_next_multiple_of(ALIGNMENT);
        let (Some(length), Some(start)) =
            (length, length.and_then(|length| space.take(length, limit)))
        else {
            let (requested, used) = (length.unwrap_or(bytes), space.used());
            drop(space);
            let folder = self.settings.folder.clone();
            return Err(MemoryError::SpillLimit { folder, requested, limit, used });
        };
        drop(space);
        Ok(Extent { store: self.clone(), start, length, bytes, checksums: Vec::new() })
    }

    fn file(&self, requested: u64) -> Result<&File, MemoryError> {
        match self.file.get() {
            Some(file) => Ok(file),
            // Of two threads that come at once, one drops its file, which is gone then.
            None => self.create(requested).map(|file| self.file.get_or_init(|| file)),
        }
    }

    fn create(&self, requested: u64) -> Result<File, MemoryError> {
        let folder = &self.settings.folder;
        tempfile::tempfile_in(folder).map_err(|cause| match cause {
            cause if is_full(&cause) => self.full(cause, requested),
            cause => MemoryError::SpillUnavailable { folder: folder.clone(), cause },
        })
    }

    fn unwritten(&self, cause: io::Error, extent: &Extent) -> MemoryError {
        match cause {
            cause if is_full(&cause) => self.full(cause, extent.length),
            cause => self.failed("write", extent.bytes, cause),
        }
    }

    /// The filesystem has no room for what was already taken in the books.
    fn full(&self, cause: io::Error, requested: u64) -> MemoryError {
        let SpillSettings { folder, limit } = self.settings.clone();
        let used = self.space.lock().used().saturating_sub(requested);
        MemoryError::SpillFull { folder, requested, limit, used, cause }
    }

    fn failed(&self, operation: &'static str, bytes: u64, cause: io::Error) -> MemoryError {
        MemoryError::SpillFailed { folder: self.settings.folder.clone(), operation, bytes, cause }
    }

    /// Frees a part of the file. Its blocks go first: once the part is free, it may be
    /// written again at any moment.
    fn free(&self, start: u64, length: u64) {
        let Some(file) = self.file.get() else {
            self.space.lock().give(start, length);
            return;
        };
        punch(file, start, length);
        let mut space = self.space.lock();
        if let Some(end) = space.give(start, length) {
            // Under the lock, since no one may write behind the end meanwhile. What is cut
            // off has no blocks any more. If it fails, the file stays long, not large.
            let _ = file.set_len(end);
        }
    }
}

/// Bytes that are spilled. Frees its part of the file when it is dropped, which is a call
/// to the filesystem.
pub(crate) struct Extent {
    store: Arc<SpillStore>,
    start: u64,
    /// What it takes in the file.
    length: u64,
    /// What was written.
    bytes: u64,
    /// One for each piece.
    checksums: Vec<u32>,
}

impl Extent {
    /// What it takes in the spill file: its bytes, rounded up to 4 KiB.
    #[cfg(test)]
    pub(crate) fn bytes_taken(&self) -> u64 {
        self.length
    }

    /// Reads what was written, from byte `offset` on. What is in `into` after an error
    /// means nothing.
    ///
    /// # Errors
    /// [`MemoryError::OutOfRange`], [`MemoryError::SpillCorrupted`] and
    /// [`MemoryError::SpillFailed`].
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        let (bytes, length) = (self.bytes, into.len() as u64);
        let Some(end) = offset.checked_add(length).filter(|end| *end <= bytes) else {
            return Err(MemoryError::OutOfRange { offset, length, bytes });
        };
        let mut at = offset;
        let mut rest = into;
        while !rest.is_empty() {
            let piece = self.piece(at);
            // Whole pieces are read to where they belong, the others through a copy.
            let whole = if end == bytes { rest.len() } else { rest.len() / PIECE * PIECE };
            let length = if at == piece.start && whole > 0 {
                let (now, _) = rest.split_at_mut(whole.min(CHUNK));
                self.read_pieces(at, now)?;
                now.len()
            } else {
                let mut copy = vec![0; (piece.end - piece.start) as usize];
                self.read_pieces(piece.start, &mut copy)?;
                let (_, wanted) = copy.split_at((at - piece.start) as usize);
                let length = wanted.len().min(rest.len());
                rest.split_at_mut(length).0.copy_from_slice(wanted.split_at(length).0);
                length
            };
            at += length as u64;
            rest = rest.split_at_mut(length).1;
        }
        Ok(())
    }

    /// The bytes of the piece that byte `at` is in.
    fn piece(&self, at: u64) -> Range<u64> {
        let start = at / PIECE as u64 * PIECE as u64;
        start..self.bytes.min(start.saturating_add(PIECE as u64))
    }

    /// Reads whole pieces, the first of which begins at `offset`.
    fn read_pieces(&self, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        let store = &self.store;
        let file = store.file.get();
        match file.map(|file| file.read_exact_at(into, self.start + offset)) {
            Some(Ok(())) => {
                let first = (offset / PIECE as u64) as usize;
                let expected = self.checksums.iter().skip(first).copied();
                let pieces = into.chunks(PIECE);
                if expected.take(pieces.len()).eq(pieces.map(crc32fast::hash)) {
                    return Ok(());
                }
            }
            Some(Err(cause)) if cause.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(store.failed("read", self.bytes, cause));
            }
            // A part of the file is missing: no error for the disk, but as bad.
            _ => {}
        }
        let folder = store.settings.folder.clone();
        Err(MemoryError::SpillCorrupted { folder, bytes: self.bytes })
    }
}

impl Drop for Extent {
    fn drop(&mut self) {
        if self.length > 0 {
            self.store.free(self.start, self.length);
        }
    }
}

/// Whether the filesystem, the user's quota on it, or its largest file has no room.
fn is_full(cause: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(cause.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// Hands the blocks of a part of the file back to the filesystem. One that cannot do
/// that keeps them until the end of the file is cut off.
#[cfg(target_os = "linux")]
fn punch(file: &File, start: u64, length: u64) {
    use rustix::fs::{FallocateFlags, fallocate};
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let _ = fallocate(file, hole, start, length);
}

#[cfg(not(target_os = "linux"))]
fn punch(_file: &File, _start: u64, _length: u64) {}

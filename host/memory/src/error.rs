//! Everything that can go wrong with memory, as data.
//!
//! A shortage says what was asked, what the limit is, and who holds the rest:
//! whoever reads it must be able to decide what to let go.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use crate::Tier;

/// Why bytes could not be had. Nothing was changed by the call that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The machine's limit has no place for it.
    #[error(
        "out of {tier} memory: {requested} bytes are needed, the limit is {limit}, and {used} are in use{}; \
         use smaller inputs, or release what is held",
        held_by(holders)
    )]
    OutOfMemory {
        /// The tier that is short.
        tier: Tier,
        /// Bytes that were asked for.
        requested: u64,
        /// The tier's limit in bytes.
        limit: u64,
        /// Bytes in use when it was asked for.
        used: u64,
        /// What each account is charged on that tier, the largest first. Shared
        /// bytes appear under each of their holders.
        holders: Vec<(String, u64)>,
    },

    /// The account's quota has no place for it.
    #[error(
        "{plugin} is over its {tier} quota: {requested} bytes are needed, the quota is {limit}, \
         and {used} are charged; use smaller inputs, or raise the quota"
    )]
    QuotaExceeded {
        /// The account's name.
        plugin: String,
        /// The tier that is short.
        tier: Tier,
        /// Bytes that were asked for.
        requested: u64,
        /// The account's quota in bytes.
        limit: u64,
        /// Bytes charged to the account when it asked.
        used: u64,
    },

    /// The caller's [`Cancel`](crate::Cancel) was cancelled.
    #[error("the operation was cancelled")]
    Cancelled,

    /// Bytes outside of an allocation were asked for.
    #[error(
        "{length} bytes from byte {offset} on do not lie inside an allocation of {bytes} bytes"
    )]
    OutOfRange {
        /// The first byte asked for.
        offset: u64,
        /// How many bytes were asked for.
        length: u64,
        /// The allocation's size.
        bytes: u64,
    },

    /// A lease was finished with another number of outputs than it reserved.
    #[error("the lease reserved {reserved} outputs, but was finished with {given}")]
    WrongOutputs {
        /// Outputs reserved.
        reserved: usize,
        /// Outputs given.
        given: usize,
    },

    /// A handle was given to another memory than the one that made it.
    #[error("allocation {allocation} belongs to another memory")]
    Foreign {
        /// The allocation's number in its own memory.
        allocation: u64,
    },

    /// A model file cannot be opened.
    #[error("cannot open model file {}", path.display())]
    FileUnavailable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },

    /// A model file is shorter than what it should hold.
    #[error(
        "model file {} is truncated: {length} bytes from byte {offset} on are needed, but it has {actual}; \
         download it again",
        path.display()
    )]
    FileTruncated {
        /// The file.
        path: PathBuf,
        /// The first byte needed.
        offset: u64,
        /// How many bytes are needed.
        length: u64,
        /// The file's length.
        actual: u64,
    },

    /// A model file is not the one that was opened any more.
    #[error(
        "model file {} was changed ({what}) while it was in use; run the workflow again",
        path.display()
    )]
    FileChanged {
        /// The file.
        path: PathBuf,
        /// What differs: its identity, length or time of modification.
        what: &'static str,
    },

    /// A read of a model file failed.
    #[error("cannot read {length} bytes from byte {offset} on of model file {}", path.display())]
    FileRead {
        /// The file.
        path: PathBuf,
        /// The first byte asked for.
        offset: u64,
        /// How many bytes were asked for.
        length: u64,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },

    /// No spill file can be made.
    #[error(
        "cannot make a spill file in {}; make the folder and let Berth write to it, or choose another",
        folder.display()
    )]
    SpillUnavailable {
        /// The spill folder.
        folder: PathBuf,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },

    /// Bytes that would have to be spilled are over the limit on spilled bytes.
    #[error(
        "the spill limit has no room: {requested} bytes are needed in {}, the limit is {limit}, and {used} are in use; \
         raise the limit, or use smaller inputs",
        folder.display()
    )]
    SpillLimit {
        /// The spill folder.
        folder: PathBuf,
        /// Bytes that were to be spilled, rounded up to 4 KiB.
        requested: u64,
        /// The limit on spilled bytes.
        limit: u64,
        /// Bytes that were spilled when it was asked for, rounded likewise.
        used: u64,
    },

    /// The spill folder's filesystem has no room, though the limit would allow more.
    #[error(
        "the disk of spill folder {} is full: {requested} bytes are needed, {used} are spilled there, \
         and the limit is {limit}; free space there, or choose another folder",
        folder.display()
    )]
    SpillFull {
        /// The spill folder.
        folder: PathBuf,
        /// Bytes that were to be spilled, rounded up to 4 KiB.
        requested: u64,
        /// The limit on spilled bytes.
        limit: u64,
        /// Bytes that others had spilled or were spilling, rounded likewise.
        used: u64,
        /// What the operating system said: no space, over the user's quota, or a file too large.
        #[source]
        cause: io::Error,
    },

    /// The spill file could not be read or written, for another reason than its size.
    #[error("cannot {operation} {bytes} spilled bytes in {}; check its disk", folder.display())]
    SpillFailed {
        /// The spill folder.
        folder: PathBuf,
        /// What was attempted: "read" or "write".
        operation: &'static str,
        /// The size of what is spilled there.
        bytes: u64,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },

    /// The spill file does not hold what was written to it.
    #[error(
        "{bytes} bytes that were spilled to {} came back changed, and are lost; \
         run the workflow again, and check that disk",
        folder.display()
    )]
    SpillCorrupted {
        /// The spill folder.
        folder: PathBuf,
        /// The size of what is lost.
        bytes: u64,
    },

    /// The device could not do what was asked. For a [`Device`](crate::Device) to return.
    #[error("the device cannot {operation}: {reason}")]
    Device {
        /// What was attempted, as a verb phrase.
        operation: &'static str,
        /// What the device said.
        reason: String,
    },

    /// A source that is not a file failed. For a [`Source`](crate::Source) to return.
    #[error("cannot read {source_name}: {reason}")]
    Source {
        /// What the source calls itself.
        source_name: String,
        /// What went wrong.
        reason: String,
    },
}

fn held_by(holders: &[(String, u64)]) -> String {
    let mut text = String::new();
    for (index, (name, bytes)) in holders.iter().enumerate() {
        let before = if index == 0 { ", held by " } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{before}{name} ({bytes})");
    }
    text
}

//! What a model file says of itself, from the bytes that it begins with.
//!
//! Headers are untrusted: a file may claim any length, count, shape and place. Parsing is a pure
//! function of bytes and of the file's length, so that it is tested and fuzzed without files.
//! Every length is compared with what is left before anything is allocated by it, so what a header
//! takes in memory is a small multiple of its own bytes, of which there are at most
//! [`LARGEST_HEADER`]. A tensor that is listed lies inside of the file, and shares no byte with
//! another one.
//!
//! Which format it is, is told by how the file begins, not by its name.

mod gguf;
mod safetensors;

use std::collections::BTreeMap;

use berth_compute::DType;
use thiserror::Error;

use crate::text::plain;

/// Largest header, in bytes. Real ones of 3,000 tensors are about 0.5 MB; a GGUF file's with a
/// vocabulary of 256,000 tokens is about 16 MB.
pub const LARGEST_HEADER: u64 = 64 << 20;

/// Most tensors in a file: some hundred times those of a large model.
const MOST_TENSORS: usize = 1 << 18;

/// Most dimensions that are read: more than any operation takes.
const MOST_DIMENSIONS: usize = 32;

/// What a file's header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its length in bytes.
    pub bytes: u64,
    /// Whatever the file says beside its tensors, as texts.
    pub metadata: BTreeMap<String, String>,
    /// The tensors of types that there are here. Others are left out: checkpoints carry all sorts
    /// of leftovers, and only a plugin that asks for one of them has to know.
    pub entries: Vec<Entry>,
}

/// Where a tensor is in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// Its element type.
    pub dtype: DType,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its first byte, counted from the file's.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Why there is no header.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HeaderError {
    /// It goes on behind the bytes that were given.
    #[error("at least {0} bytes of the file are needed")]
    Longer(u64),
    /// The file cannot be used.
    #[error("it is no usable {format} file: {reason}")]
    Refused {
        /// What it was taken for.
        format: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
}

/// Reads the header of a file of `length` bytes that begins with `bytes`.
///
/// # Errors
/// [`HeaderError::Longer`] when more of the file is needed, which is never more than
/// [`LARGEST_HEADER`] or the file has; [`HeaderError::Refused`] when the file is damaged.
pub fn parse(bytes: &[u8], length: u64) -> Result<Header, HeaderError> {
    match bytes.first_chunk() {
        Some(magic) if magic == gguf::MAGIC => gguf::parse(bytes, length),
        _ => safetensors::parse(bytes, length),
    }
}

/// How many bytes a tensor takes; `None` if there can be no such tensor.
fn size(dtype: DType, shape: &[usize]) -> Option<u64> {
    let (block, bytes) = dtype.block();
    if block > 1 && !shape.last()?.is_multiple_of(block) {
        return None;
    }
    let blocks = elements(shape)?.checked_div(block)?;
    u64::try_from(blocks.checked_mul(bytes)?).ok()
}

fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1, |product: usize, &dim| product.checked_mul(dim))
}

/// Two tensors that share bytes, by their names. Sorts by place.
fn overlapping(entries: &mut [Entry]) -> Option<(&str, &str)> {
    entries.sort_by_key(|entry| (entry.offset, entry.bytes));
    let pairs = entries.iter().zip(entries.iter().skip(1));
    pairs
        .filter(|(entry, next)| entry.offset.saturating_add(entry.bytes) > next.offset)
        .map(|(entry, next)| (entry.name.as_str(), next.name.as_str()))
        .next()
}

/// A name as messages show it.
fn shown(name: &str) -> String {
    format!("`{}`", plain(name))
}

const INCOMPLETE: &str = "the file is incomplete, download it again";

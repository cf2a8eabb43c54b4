//! The header of a GGUF file: counts, named values, then the tensors.
//!
//! How long it is shows only when it was read, so whoever reads the file is asked for more until
//! it is there. candle's reader allocates by lengths that the file claims; this one looks at what
//! is left first.

use std::collections::{BTreeMap, BTreeSet};

use berth_compute::DType;

use super::{
    Entry, Header, HeaderError, INCOMPLETE, LARGEST_HEADER, MOST_DIMENSIONS, MOST_TENSORS,
    overlapping, shown, size,
};

/// What a file begins with.
pub(super) const MAGIC: &[u8; 4] = b"GGUF";

/// Longest name of a value or a tensor, in bytes: the format's own bound.
const LONGEST_NAME: u64 = 0xffff;

/// Most named values. Models have some dozens.
const MOST_VALUES: u64 = 1 << 16;

/// Lists inside of lists.
const DEEPEST_LIST: usize = 4;

/// Most bytes of all values as texts: what the largest header's values take, and no more.
const LONGEST_TEXTS: usize = 64 << 20;

/// What tensors are aligned to, unless the file says otherwise.
const ALIGNMENT: u64 = 32;

pub(super) fn parse(bytes: &[u8], length: u64) -> Result<Header, HeaderError> {
    let mut reader = Reader { bytes, length, at: 0, texts: 0 };
    reader.take(MAGIC.len() as u64)?;
    let version = reader.u32()?;
    if !matches!(version, 2 | 3) {
        let reason = if matches!(version.swap_bytes(), 1..=3) {
            "its numbers are big-endian, which is not read here; convert it".into()
        } else {
            format!("its version is {version}, but 2 and 3 are read here; convert it")
        };
        return Err(refused(reason));
    }
    let (tensors, values) = (reader.u64()?, reader.u64()?);
    if values > MOST_VALUES {
        return Err(refused(format!("it has {values} values, but {MOST_VALUES} are the most")));
    }
    let most = MOST_TENSORS as u64;
    if tensors > most {
        return Err(refused(format!("it has {tensors} tensors, but {most} are the most")));
    }
    let (mut metadata, mut alignment) = (BTreeMap::new(), ALIGNMENT);
    for _ in 0..values {
        let name = reader.name()?;
        let value = reader.value()?;
        if name == "general.alignment" {
            alignment = aligned_to(&value)?;
        }
        if metadata.contains_key(&name) {
            return Err(twice(&name));
        }
        metadata.insert(name, value);
    }
    let mut listed = Vec::new();
    for _ in 0..tensors {
        listed.push(reader.tensor()?);
    }
    let bytes = reader.at;
    let begin = bytes.checked_next_multiple_of(alignment).ok_or_else(|| outside("the data"))?;
    Ok(Header { bytes, metadata, entries: placed(listed, (begin, length), alignment)? })
}

/// A tensor as it is listed: its offset counts from where the data begins.
struct Listed {
    name: String,
    kind: u32,
    shape: Vec<usize>,
    offset: u64,
}

fn placed(
    listed: Vec<Listed>,
    (begin, length): (u64, u64),
    alignment: u64,
) -> Result<Vec<Entry>, HeaderError> {
    let (mut entries, mut names) = (Vec::new(), BTreeSet::new());
    for Listed { name, kind, shape, offset } in listed {
        if !names.insert(name.clone()) {
            return Err(twice(&name));
        }
        if !offset.is_multiple_of(alignment) {
            return Err(refused(format!(
                "the tensor {} is at {offset}, which is no multiple of {alignment}; the file is \
                 damaged, download it again",
                shown(&name)
            )));
        }
        let first = begin.checked_add(offset).ok_or_else(|| outside(&shown(&name)))?;
        // How long a tensor of an unknown type is nobody knows, but nobody can read it either.
        let Some(dtype) = dtype(kind) else { continue };
        let Some(bytes) = size(dtype, &shape) else {
            return Err(refused(format!(
                "the tensor {} of type {dtype} cannot have the shape {shape:?}",
                shown(&name)
            )));
        };
        if first.checked_add(bytes).is_none_or(|end| end > length) {
            return Err(outside(&shown(&name)));
        }
        entries.push(Entry { name, dtype, shape, offset: first, bytes });
    }
    match overlapping(&mut entries) {
        Some((first, second)) => Err(refused(format!(
            "the tensors {} and {} share bytes; the file is damaged, download it again",
            shown(first),
            shown(second)
        ))),
        None => Ok(entries),
    }
}

fn aligned_to(value: &str) -> Result<u64, HeaderError> {
    /// More than a page of any machine.
    const MOST: u64 = 1 << 20;
    let alignment = value.parse().ok();
    alignment
        .filter(|alignment: &u64| alignment.is_power_of_two() && *alignment <= MOST)
        .ok_or_else(|| {
            let value = super::plain(value);
            refused(format!(
                "general.alignment is {value}, but a power of two up to {MOST} is meant"
            ))
        })
}

/// The types of ggml that there are here.
fn dtype(kind: u32) -> Option<DType> {
    Some(match kind {
        0 => DType::F32,
        1 => DType::F16,
        2 => DType::Q4_0,
        3 => DType::Q4_1,
        6 => DType::Q5_0,
        7 => DType::Q5_1,
        8 => DType::Q8_0,
        9 => DType::Q8_1,
        10 => DType::Q2K,
        11 => DType::Q3K,
        12 => DType::Q4K,
        13 => DType::Q5K,
        14 => DType::Q6K,
        15 => DType::Q8K,
        26 => DType::I32,
        27 => DType::I64,
        28 => DType::F64,
        30 => DType::BF16,
        _ => return None,
    })
}

fn refused(reason: String) -> HeaderError {
    HeaderError::Refused { format: "GGUF", reason }
}

fn outside(what: &str) -> HeaderError {
    refused(format!("{what} would end behind the file's end; {INCOMPLETE}"))
}

fn twice(name: &str) -> HeaderError {
    refused(format!("{} is there twice", shown(name)))
}

/// The bytes of a header, from front to back.
struct Reader<'a> {
    bytes: &'a [u8],
    /// The file's length.
    length: u64,
    at: u64,
    /// How long the texts of values are so far.
    texts: usize,
}

impl<'a> Reader<'a> {
    /// The next bytes.
    fn take(&mut self, count: u64) -> Result<&'a [u8], HeaderError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.length);
        let end = end.ok_or_else(|| outside("its header"))?;
        if end > LARGEST_HEADER {
            return Err(refused(format!("its header has more than {LARGEST_HEADER} bytes")));
        }
        let range = usize::try_from(self.at).ok().zip(usize::try_from(end).ok());
        let taken = range.and_then(|(at, end)| self.bytes.get(at..end));
        let taken = taken.ok_or(HeaderError::Longer(end))?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let taken = self.take(N as u64)?;
        // As many as were asked for, so this is never the default.
        Ok(taken.first_chunk().copied().unwrap_or([0; N]))
    }

    fn u32(&mut self) -> Result<u32, HeaderError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, HeaderError> {
        self.array().map(u64::from_le_bytes)
    }

    fn name(&mut self) -> Result<String, HeaderError> {
        let length = self.u64()?;
        if length > LONGEST_NAME {
            return Err(refused(format!("a name has {length} bytes; {LONGEST_NAME} are the most")));
        }
        let name = std::str::from_utf8(self.take(length)?);
        name.map(str::to_owned).map_err(|_| refused("a name is no text".into()))
    }

    /// A text; vocabularies have tokens that are parts of characters.
    fn text(&mut self) -> Result<String, HeaderError> {
        let length = self.u64()?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// A named value as a text; a list as JSON.
    fn value(&mut self) -> Result<String, HeaderError> {
        let kind = self.u32()?;
        if kind == STRING {
            let text = self.text()?;
            self.grow(text.len())?;
            return Ok(text);
        }
        let mut text = String::new();
        self.json(kind, 0, &mut text)?;
        Ok(text)
    }

    /// Writes a value as JSON.
    fn json(&mut self, kind: u32, depth: usize, out: &mut String) -> Result<(), HeaderError> {
        let written = match kind {
            0 => u8::from_le_bytes(self.array()?).to_string(),
            1 => i8::from_le_bytes(self.array()?).to_string(),
            2 => u16::from_le_bytes(self.array()?).to_string(),
            3 => i16::from_le_bytes(self.array()?).to_string(),
            4 => self.u32()?.to_string(),
            5 => i32::from_le_bytes(self.array()?).to_string(),
            6 => serde_json::json!(f32::from_le_bytes(self.array()?)).to_string(),
            7 => (self.array()? != [0_u8]).to_string(),
            STRING => serde_json::Value::from(self.text()?).to_string(),
            LIST => return self.list(depth, out),
            10 => self.u64()?.to_string(),
            11 => i64::from_le_bytes(self.array()?).to_string(),
            12 => serde_json::json!(f64::from_le_bytes(self.array()?)).to_string(),
            _ => return Err(refused(format!("a value is of the type {kind}, which is unknown"))),
        };
        self.grow(written.len())?;
        out.push_str(&written);
        Ok(())
    }

    fn list(&mut self, depth: usize, out: &mut String) -> Result<(), HeaderError> {
        if depth >= DEEPEST_LIST {
            return Err(refused(format!("lists are nested deeper than {DEEPEST_LIST}")));
        }
        let kind = self.u32()?;
        let count = self.u64()?;
        out.push('[');
        for index in 0..count {
            // Each element takes a byte at least, so this ends with the header.
            self.grow(1)?;
            if index > 0 {
                out.push(',');
            }
            self.json(kind, depth.saturating_add(1), out)?;
        }
        out.push(']');
        self.grow(2)
    }

    /// Counts what is written of values.
    fn grow(&mut self, bytes: usize) -> Result<(), HeaderError> {
        self.texts = self.texts.saturating_add(bytes);
        if self.texts > LONGEST_TEXTS {
            return Err(refused(format!(
                "its values take more than {LONGEST_TEXTS} bytes as texts"
            )));
        }
        Ok(())
    }

    fn tensor(&mut self) -> Result<Listed, HeaderError> {
        let name = self.name()?;
        let count = self.u32()?;
        if usize::try_from(count).is_ok_and(|count| count > MOST_DIMENSIONS) {
            return Err(refused(format!(
                "the tensor {} has {count} dimensions, but {MOST_DIMENSIONS} are the most",
                shown(&name)
            )));
        }
        let mut shape = Vec::new();
        for _ in 0..count {
            let dim = usize::try_from(self.u64()?);
            shape.push(dim.map_err(|_| outside(&shown(&name)))?);
        }
        // The fastest dimension comes first in the file.
        shape.reverse();
        Ok(Listed { kind: self.u32()?, offset: self.u64()?, name, shape })
    }
}

/// The type of texts.
const STRING: u32 = 8;
/// The type of lists.
const LIST: u32 = 9;

#[cfg(test)]
mod tests;

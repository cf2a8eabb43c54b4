//! The header of a safetensors file: its length, then JSON.
//!
//! The JSON is read straight into what is kept: safetensors' own reader buffers all of it first,
//! and of two tensors of one name keeps the last without a word, which another program may
//! understand the other way round.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use berth_compute::DType;
use safetensors::Dtype as Stored;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::{
    Entry, Header, HeaderError, INCOMPLETE, LARGEST_HEADER, MOST_DIMENSIONS, MOST_TENSORS,
    elements, shown,
};

/// Bytes of the header's length.
const PREFIX: u64 = 8;

pub(super) fn parse(bytes: &[u8], length: u64) -> Result<Header, HeaderError> {
    if length < PREFIX {
        return Err(refused(format!("it has only {length} bytes; {INCOMPLETE}")));
    }
    let Some((prefix, rest)) = bytes.split_first_chunk() else {
        return Err(HeaderError::Longer(PREFIX));
    };
    let claimed = u64::from_le_bytes(*prefix);
    let begin = claimed.checked_add(PREFIX).filter(|&begin| begin <= length);
    let Some(begin) = begin.filter(|_| claimed <= LARGEST_HEADER) else {
        return Err(refused(format!(
            "its header claims {claimed} bytes, the file has {length}; it is damaged or of \
             another format"
        )));
    };
    let text = usize::try_from(claimed).ok().and_then(|claimed| rest.get(..claimed));
    let Some(text) = text else { return Err(HeaderError::Longer(begin)) };
    let table: Table = serde_json::from_slice(text)
        .map_err(|error| refused(format!("its header cannot be read: {error}")))?;
    let entries = placed(table.tensors, begin, length)?;
    Ok(Header { bytes: begin, metadata: table.metadata, entries })
}

/// The tensors by place, which must be one after another from `begin` to the end of the file.
fn placed(
    mut tensors: Vec<(String, Info)>,
    begin: u64,
    length: u64,
) -> Result<Vec<Entry>, HeaderError> {
    tensors.sort_by_key(|(_, info)| info.data_offsets);
    let (mut entries, mut expected) = (Vec::with_capacity(tensors.len()), 0);
    for (name, info) in tensors {
        let (first, end) = info.data_offsets;
        if first != expected || end < first {
            return Err(refused(format!(
                "the tensor {} is at {first}..{end} of the data, but the one before it ends at \
                 {expected}; the file is damaged, download it again",
                shown(&name)
            )));
        }
        let bits =
            elements(&info.shape.0).and_then(|count| count.checked_mul(info.dtype.bitsize()));
        let bytes = bits.filter(|bits| bits.is_multiple_of(8)).and_then(|bits| bits.checked_div(8));
        let bytes = bytes.and_then(|bytes| u64::try_from(bytes).ok());
        let Some(bytes) = bytes.filter(|bytes| end.checked_sub(first) == Some(*bytes)) else {
            return Err(refused(format!(
                "the tensor {} of type {} and shape {:?} is said to be at {first}..{end}, which is \
                 not its length; the file is damaged, download it again",
                shown(&name),
                info.dtype,
                info.shape.0
            )));
        };
        expected = end;
        let (Some(dtype), Some(offset)) = (dtype(info.dtype), begin.checked_add(first)) else {
            continue;
        };
        entries.push(Entry { name, dtype, shape: info.shape.0, offset, bytes });
    }
    if begin.checked_add(expected) != Some(length) {
        return Err(refused(format!(
            "its tensors take {expected} bytes, but {} follow the header; {INCOMPLETE}",
            length.saturating_sub(begin)
        )));
    }
    Ok(entries)
}

fn refused(reason: String) -> HeaderError {
    HeaderError::Refused { format: "safetensors", reason }
}

fn dtype(stored: Stored) -> Option<DType> {
    Some(match stored {
        Stored::U8 | Stored::BOOL => DType::U8,
        Stored::U32 => DType::U32,
        Stored::I32 => DType::I32,
        Stored::I64 => DType::I64,
        Stored::F16 => DType::F16,
        Stored::BF16 => DType::BF16,
        Stored::F32 => DType::F32,
        Stored::F64 => DType::F64,
        Stored::F8_E4M3 => DType::F8E4M3,
        Stored::F8_E5M2 => DType::F8E5M2,
        _ => return None,
    })
}

/// The JSON object.
#[derive(Default)]
struct Table {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, Info)>,
}

/// What it says of a tensor.
#[derive(Deserialize)]
struct Info {
    dtype: Stored,
    shape: Shape,
    data_offsets: (u64, u64),
}

impl<'de> Deserialize<'de> for Table {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Table;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table, A::Error> {
                let (mut table, mut names) = (Table::default(), BTreeSet::new());
                let mut has_metadata = false;
                while let Some(name) = map.next_key::<String>()? {
                    if name == "__metadata__" {
                        if std::mem::replace(&mut has_metadata, true) {
                            return Err(twice(&name));
                        }
                        table.metadata = map.next_value::<Option<Texts>>()?.unwrap_or_default().0;
                        continue;
                    }
                    if table.tensors.len() >= MOST_TENSORS {
                        let reason = format!("it has more than {MOST_TENSORS} tensors");
                        return Err(A::Error::custom(reason));
                    }
                    let info = map.next_value()?;
                    if !names.insert(name.clone()) {
                        return Err(twice(&name));
                    }
                    table.tensors.push((name, info));
                }
                Ok(table)
            }
        }
        from.deserialize_map(Reader)
    }
}

/// Names and texts, each name once.
#[derive(Default)]
struct Texts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, text)) = map.next_entry::<String, String>()? {
                    if texts.contains_key(&name) {
                        return Err(twice(&name));
                    }
                    texts.insert(name, text);
                }
                Ok(Texts(texts))
            }
        }
        from.deserialize_map(Reader)
    }
}

fn twice<E: de::Error>(name: &str) -> E {
    E::custom(format!("{} is there twice", shown(name)))
}

/// Dimensions, as many as there can be.
struct Shape(Vec<usize>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
                let mut shape = Vec::new();
                while shape.len() < MOST_DIMENSIONS {
                    match list.next_element()? {
                        Some(dim) => shape.push(dim),
                        None => return Ok(Shape(shape)),
                    }
                }
                if list.next_element::<IgnoredAny>()?.is_some() {
                    let reason = format!("a shape has more than {MOST_DIMENSIONS} dimensions");
                    return Err(A::Error::custom(reason));
                }
                Ok(Shape(shape))
            }
        }
        from.deserialize_seq(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(json: &str, data: u64) -> (Vec<u8>, u64) {
        let bytes = [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
        let length = bytes.len() as u64 + data;
        (bytes, length)
    }

    fn read(json: &str, data: u64) -> Result<Header, HeaderError> {
        let (bytes, length) = file(json, data);
        super::super::parse(&bytes, length)
    }

    #[track_caller]
    fn refuses(json: &str, data: u64, says: &str) {
        let error = read(json, data).unwrap_err();
        assert!(matches!(&error, HeaderError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }

    const TWO: &str = r#"{"__metadata__":{"format":"pt"},
        "b":{"dtype":"F16","shape":[2],"data_offsets":[4,8]},
        "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#;

    #[test]
    fn tensors_are_where_the_header_says() {
        let header = read(TWO, 8).unwrap();
        assert_eq!(header.metadata["format"], "pt");
        let of = |at: usize| {
            let Entry { name, dtype, shape, offset, bytes } = &header.entries[at];
            (name.as_str(), *dtype, shape.as_slice(), offset - header.bytes, *bytes)
        };
        assert_eq!(of(0), ("a", DType::F32, &[][..], 0, 4));
        assert_eq!(of(1), ("b", DType::F16, &[2][..], 4, 4));
    }

    #[test]
    fn more_of_the_file_is_asked_for_until_the_header_is_there() {
        let (bytes, length) = file(TWO, 8);
        assert_eq!(parse(&bytes[..3], length), Err(HeaderError::Longer(8)));
        assert_eq!(parse(&bytes[..9], length), Err(HeaderError::Longer(length - 8)));
        assert!(parse(&bytes, length).is_ok());
    }

    #[test]
    fn a_name_that_is_there_twice_is_refused() {
        let info = r#"{"dtype":"U8","shape":[1],"data_offsets":[0,1]}"#;
        refuses(&format!(r#"{{"a":{info},"a":{info}}}"#), 1, "`a` is there twice");
        refuses(r#"{"__metadata__":{},"__metadata__":{}}"#, 0, "`__metadata__` is there twice");
        refuses(r#"{"__metadata__":{"x":"1","x":"2"}}"#, 0, "`x` is there twice");
    }

    #[test]
    fn what_is_not_one_after_another_is_refused() {
        let two = |second: &str| {
            format!(
                r#"{{"a":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}},"b":{{"dtype":"F32","shape":[1],"data_offsets":{second}}}}}"#
            )
        };
        refuses(&two("[2,6]"), 6, "`b` is at 2..6 of the data, but the one before it ends at 4");
        refuses(&two("[5,9]"), 9, "ends at 4");
        refuses(&two("[0,4]"), 4, "ends at 4");
        refuses(&two("[4,3]"), 4, "4..3");
        refuses(&two("[4,8]"), 7, "the file is incomplete");
        refuses(&two("[4,8]"), 9, "the file is incomplete");
    }

    #[test]
    fn a_shape_that_does_not_fit_its_place_is_refused() {
        let one = |dtype: &str, shape: &str, end: u64| {
            format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
        };
        refuses(&one("F32", "[8589934592,2147483648]", 4), 4, "not its length");
        refuses(&one("F32", "[2]", 4), 4, "not its length");
        refuses(&one("F4", "[1]", 0), 0, "not its length");
        refuses(&one("F32", "[-1]", 4), 4, "cannot be read");
        refuses(&one("F32", "[1.5]", 4), 4, "cannot be read");
        refuses(&one("F99", "[1]", 4), 4, "F99");
        let long = format!("[{}1]", "1,".repeat(MOST_DIMENSIONS));
        refuses(&one("U8", &long, 1), 1, "more than 32 dimensions");
        refuses(&one("F32", "[1]", u64::MAX), 4, "not its length");
    }

    #[test]
    fn json_that_is_none_or_too_deep_is_refused() {
        for json in ["", "not json", "[]", "{\"a\":", "{\"a\":1}", "\"\"", "{}x"] {
            refuses(json, 0, "its header cannot be read");
        }
        refuses(&format!("{{\"a\":{}", "[".repeat(1 << 20)), 0, "its header cannot be read");
        let deep = format!("{{\"a\":{{\"x\":{}{}}}}}", "[".repeat(1 << 20), "]".repeat(1 << 20));
        refuses(&deep, 0, "its header cannot be read");
        let bytes = [&3_u64.to_le_bytes()[..], b"{\"\xff"].concat();
        assert!(matches!(parse(&bytes, 11), Err(HeaderError::Refused { .. })));
    }

    #[test]
    fn a_length_that_cannot_be_is_refused_before_anything_is_read() {
        for claimed in [u64::MAX, u64::MAX - 7, LARGEST_HEADER + 1, 100] {
            let error = parse(&claimed.to_le_bytes(), 50).unwrap_err().to_string();
            assert!(error.contains("damaged or of another format"), "{error}");
        }
        let error = parse(&(LARGEST_HEADER + 1).to_le_bytes(), u64::MAX).unwrap_err().to_string();
        assert!(error.contains("damaged or of another format"), "{error}");
        assert!(parse(&[], 0).unwrap_err().to_string().contains("only 0 bytes"));
    }
}

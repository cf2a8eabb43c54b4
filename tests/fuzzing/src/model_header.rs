//! The headers of model files, of both formats.

use std::collections::BTreeSet;

use berth_sandbox::models::header::{HeaderError, LARGEST_HEADER, parse};

/// Reads bytes as the beginning of a file. The first byte says what is put in front of them, so
/// that a search need not find out lengths and versions first.
pub fn run(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return holds(bytes, 0) };
    let data = u64::from(kind / 3);
    let file = match kind % 3 {
        0 => rest.to_vec(),
        1 => [&(rest.len() as u64).to_le_bytes()[..], rest].concat(),
        _ => [b"GGUF\x03\0\0\0", rest].concat(),
    };
    holds(&file, data);
    // Longer than what is there, as a file is of which only the beginning was read.
    holds(&file, data << 33);
}

fn holds(file: &[u8], behind: u64) {
    let length = file.len() as u64 + behind;
    let header = match parse(file, length) {
        Ok(header) => header,
        Err(HeaderError::Longer(needed)) => {
            assert!(needed > file.len() as u64, "{needed} bytes are asked for, which are there");
            assert!(needed <= length.min(LARGEST_HEADER + 8), "{needed} of {length} bytes");
            return;
        }
        Err(refused) => return assert!(!refused.to_string().is_empty()),
    };
    assert!(header.bytes <= file.len() as u64);
    let (mut end, mut names) = (header.bytes, BTreeSet::new());
    for entry in &header.entries {
        assert!(entry.offset >= end, "{entry:?} begins before {end}");
        end = entry.offset + entry.bytes;
        assert!(end <= length, "{entry:?} ends behind {length}");
        assert!(names.insert(&entry.name), "{entry:?} is there twice");
        let (block, size) = entry.dtype.block();
        let elements: u128 = entry.shape.iter().map(|&dim| dim as u128).product();
        assert_eq!(elements / block as u128 * size as u128, entry.bytes.into(), "{entry:?}");
    }
    // Any part of it asks for more, and more of it changes nothing.
    for part in [header.bytes / 2, header.bytes - 1] {
        let part = parse(&file[..part as usize], length);
        assert!(matches!(part, Err(HeaderError::Longer(_))), "{part:?}");
    }
    assert_eq!(parse(&file[..header.bytes as usize], length).as_ref(), Ok(&header));
}

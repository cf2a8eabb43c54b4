//! NumPy's `.npy`: one array.
//!
//! The header is a Python dictionary. What NumPy writes has three plain entries, and only that
//! is read: a parser of Python for a file from anywhere would be the larger risk.

use berth_compute::{Compute, DType};

use crate::array::Array;
use crate::fault::Fault;

const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header, in bytes: NumPy's own limit.
const LONGEST_HEADER: usize = 10_000;

/// Where the elements begin is a multiple of this.
const ALIGNMENT: usize = 64;

/// Reads an array.
pub(crate) fn read(compute: &Compute, file: &[u8]) -> Result<Array, Fault> {
    let none = || Fault::new("this is no .npy file").hint("write it with numpy.save");
    let (version, rest) =
        file.strip_prefix(MAGIC).and_then(|f| f.split_at_checked(2)).ok_or_else(none)?;
    let (length, rest) = match version {
        [1, 0] => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(none)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, 0] => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(none)?;
            (usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX), rest)
        }
        _ => return Err(Fault::new("this is a .npy file of a version that nobody knows")),
    };
    if length > LONGEST_HEADER {
        return Err(Fault::new(format!(
            "its header has {length} bytes, more than {LONGEST_HEADER}"
        )));
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(none)?;
    let header = std::str::from_utf8(header).map_err(|_| none())?;
    let odd = || Fault::new("its header is not one that NumPy writes");
    let dtype = element_type(entry(header, "descr").ok_or_else(odd)?)?;
    match entry(header, "fortran_order").ok_or_else(odd)? {
        order if order.starts_with("False") => {}
        order if order.starts_with("True") => {
            return Err(Fault::new("its elements are in Fortran's order")
                .hint("save numpy.ascontiguousarray(x) instead of x"));
        }
        _ => return Err(odd()),
    }
    let shape = shape(entry(header, "shape").ok_or_else(odd)?).ok_or_else(odd)?;
    let bytes = compute.checked_bytes(dtype, &shape).map_err(|e| Fault::new(e.to_string()))?;
    if bytes != data.len() as u64 {
        let found = data.len();
        return Err(Fault::new(format!(
            "it has {found} bytes of elements, but {dtype} {shape:?} takes {bytes}"
        ))
        .hint("the file is incomplete: write it again"));
    }
    Ok(Array { dtype, shape, bytes: data.to_vec() })
}

/// What follows a key.
fn entry<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = ["'", "\""].map(|quote| format!("{quote}{key}{quote}"));
    let at = quoted.iter().find_map(|key| header.find(key.as_str())?.checked_add(key.len()))?;
    Some(header.get(at..)?.trim_start().strip_prefix(':')?.trim_start())
}

fn element_type(written: &str) -> Result<DType, Fault> {
    let quote = written.chars().next().filter(|quote| matches!(quote, '\'' | '"'));
    let text = quote.and_then(|quote| written.get(1..)?.split_once(quote));
    let Some((text, _)) = text else {
        return Err(Fault::new("its elements are records, which no tensor has"));
    };
    Ok(match text {
        "|u1" | "<u1" | "u1" => DType::U8,
        "<u4" => DType::U32,
        "<i4" => DType::I32,
        "<i8" => DType::I64,
        "<f2" => DType::F16,
        "<f4" => DType::F32,
        "<f8" => DType::F64,
        other => {
            let other = berth_sandbox::text::plain(other);
            return Err(Fault::new(format!(
                "its elements are `{other}`, and a tensor's u8, u32, i32, i64, f16, f32 or f64, \
                 little-endian"
            ))
            .hint("convert it first, as in x.astype('<f4')"));
        }
    })
}

fn shape(written: &str) -> Option<Vec<usize>> {
    let (inside, _) = written.strip_prefix('(')?.split_once(')')?;
    let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().ok()).collect()
}

/// An array as a file; `None` for a type that NumPy has not.
pub(crate) fn write(array: &Array) -> Option<Vec<u8>> {
    let kind = match array.dtype {
        DType::U8 => "|u1",
        DType::U32 => "<u4",
        DType::I32 => "<i4",
        DType::I64 => "<i8",
        DType::F16 => "<f2",
        DType::F32 => "<f4",
        DType::F64 => "<f8",
        _ => return None,
    };
    let comma = if array.shape.len() == 1 { "," } else { "" };
    let dims: Vec<String> = array.shape.iter().map(usize::to_string).collect();
    let shape = format!("({}{comma})", dims.join(", "));
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    // Magic, version, length and a newline stand around it.
    let before = MAGIC.len() + 4;
    let end = (before + header.len() + 1).next_multiple_of(ALIGNMENT);
    header.extend(std::iter::repeat_n(' ', end - before - header.len() - 1));
    header.push('\n');
    let length = u16::try_from(header.len()).ok()?;
    let mut file = Vec::with_capacity(end.saturating_add(array.bytes.len()));
    file.extend(MAGIC);
    file.extend([1, 0]);
    file.extend(length.to_le_bytes());
    file.extend(header.as_bytes());
    file.extend(&array.bytes);
    Some(file)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bench::testing::compute;

    fn sample() -> Array {
        Array::of_numbers(DType::F32, &[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        for shape in [vec![], vec![6], vec![2, 3], vec![1, 2, 3, 1], vec![0, 5]] {
            let count: usize = shape.iter().product();
            let data = vec![0.5; count];
            let array = Array::of_numbers(DType::F16, &shape, &data).unwrap();
            let file = write(&array).unwrap();
            assert_eq!(file.len() % 64, array.bytes.len() % 64);
            assert_eq!(read(&compute(), &file).unwrap(), array);
        }
    }

    #[test]
    fn a_header_of_numpys_is_read() {
        let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }            \n";
        for (version, length) in [
            (1, (header.len() as u16).to_le_bytes().to_vec()),
            (2, (header.len() as u32).to_le_bytes().to_vec()),
        ] {
            let file =
                [MAGIC, &[version, 0], &length, header.as_bytes(), &7_i64.to_le_bytes()].concat();
            let array = read(&compute(), &file).unwrap();
            assert_eq!(array, Array::of_numbers(DType::I64, &[1], &[7.0]).unwrap());
        }
    }

    #[test]
    fn what_no_tensor_has_is_refused_with_advice() {
        let with = |from: &str, to: &str| {
            let file = write(&sample()).unwrap();
            let text = String::from_utf8_lossy(&file[10..128]).replace(from, to);
            let length = (text.len() as u16).to_le_bytes();
            let file = [&file[..8], &length, text.as_bytes(), &file[128..]].concat();
            read(&compute(), &file).unwrap_err().message
        };
        for (from, to, says) in [
            ("'<f4'", "'>f4'", "little-endian"),
            ("'<f4'", "'|b1'", "`|b1`"),
            ("'<f4'", "[('a', '<f4')]", "records"),
            ("False", "True", "Fortran"),
            ("(2, 3)", "(2, 4)", "takes 32"),
            ("(2, 3)", "(2, -3)", "not one that NumPy writes"),
            ("(2, 3)", "(9999999999, 9999999999)", "more elements than"),
            ("(2, 3)", "(1, 1, 1, 1, 1, 1, 1, 1, 6)", "9 dimensions"),
        ] {
            let message = with(from, to);
            assert!(message.contains(says), "{from} → {to}: {message}");
        }
    }

    proptest! {
        #[test]
        fn no_damage_does_harm(
            at in 0..152_usize, byte in any::<u8>(), end in 0..=152_usize,
        ) {
            let mut file = write(&sample()).unwrap();
            file[at] = byte;
            file.truncate(end);
            let _ = read(&compute(), &file);
        }
    }
}

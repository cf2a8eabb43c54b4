use super::super::parse as parse_any;
use super::*;

/// A header in the making.
#[derive(Clone)]
struct Writer(Vec<u8>);

impl Writer {
    fn new(tensors: u64, values: u64) -> Self {
        Self(MAGIC.to_vec()).u32(3).u64(tensors).u64(values)
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self
    }

    fn u32(self, number: u32) -> Self {
        self.raw(&number.to_le_bytes())
    }

    fn u64(self, number: u64) -> Self {
        self.raw(&number.to_le_bytes())
    }

    fn text(self, text: &str) -> Self {
        self.u64(text.len() as u64).raw(text.as_bytes())
    }

    fn tensor(self, name: &str, dims: &[u64], kind: u32, offset: u64) -> Self {
        let named = self.text(name).u32(dims.len() as u32);
        dims.iter().fold(named, |writer, &dim| writer.u64(dim)).u32(kind).u64(offset)
    }

    /// What it says of a file with so many bytes of data behind it.
    fn read(&self, data: u64) -> Result<Header, HeaderError> {
        let mut bytes = self.0.clone();
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        parse_any(&bytes, bytes.len() as u64 + data)
    }

    #[track_caller]
    fn refuses(&self, data: u64, says: &str) {
        let error = self.read(data).unwrap_err();
        assert!(matches!(&error, HeaderError::Refused { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn tensors_come_with_their_dimensions_turned_round() {
    let header = Writer::new(3, 0)
        .tensor("q", &[64, 3], 2, 0)
        .tensor("unknown", &[7], 99, 1024)
        .tensor("h", &[], 1, 128)
        .read(160)
        .unwrap();
    let begin = header.bytes.next_multiple_of(32);
    let shape = vec![3, 64];
    let quantized =
        Entry { name: "q".into(), dtype: DType::Q4_0, shape, offset: begin, bytes: 108 };
    let (name, offset) = ("h".into(), begin + 128);
    let half = Entry { name, dtype: DType::F16, shape: vec![], offset, bytes: 2 };
    assert_eq!(header.entries, [quantized, half]);
}

#[test]
fn values_are_texts_and_lists_are_json() {
    let text = |writer: Writer, name: &str| writer.text(name).u32(STRING).text("a \"b\"");
    let header = text(Writer::new(0, 7), "text")
        .text("small")
        .u32(1)
        .raw(&[255])
        .text("flag")
        .u32(7)
        .raw(&[1])
        .text("float")
        .u32(6)
        .raw(&1.5_f32.to_le_bytes())
        .text("large")
        .u32(10)
        .u64(u64::MAX)
        .text("tokens")
        .u32(LIST)
        .u32(STRING)
        .u64(2)
        .text("\"")
        .raw(&1_u64.to_le_bytes())
        .raw(&[255])
        .text("nested")
        .u32(LIST)
        .u32(LIST)
        .u64(2)
        .u32(4)
        .u64(1)
        .u32(7)
        .u32(0)
        .u64(0)
        .read(0)
        .unwrap();
    let get = |name: &str| header.metadata[name].as_str();
    assert_eq!(get("text"), "a \"b\"");
    assert_eq!((get("small"), get("flag"), get("float")), ("-1", "true", "1.5"));
    assert_eq!((get("large"), get("nested")), ("18446744073709551615", "[[7],[]]"));
    assert_eq!(get("tokens"), "[\"\\\"\",\"\u{fffd}\"]");
}

#[test]
fn the_file_says_what_tensors_are_aligned_to() {
    let aligned = |to: u32, offset: u64| {
        let writer = Writer::new(2, 1).text("general.alignment").u32(4).u32(to);
        writer.tensor("a", &[4], 0, 0).tensor("b", &[4], 0, offset)
    };
    let header = aligned(64, 64).read(1024).unwrap();
    assert!(header.entries[0].offset.is_multiple_of(64));
    aligned(64, 32).refuses(1024, "no multiple of 64");
    for wrong in [0, 3, u32::MAX, 1 << 31] {
        aligned(wrong, 0).refuses(1024, "a power of two");
    }
}

#[test]
fn more_of_the_file_is_asked_for_until_the_header_is_there() {
    let whole = Writer::new(1, 1).text("x").u32(STRING).text("y").tensor("a", &[4], 0, 0);
    let length = whole.0.len() as u64 + 64;
    for end in 4..whole.0.len() {
        match parse(&whole.0[..end], length) {
            Err(HeaderError::Longer(needed)) => assert!(needed > end as u64 && needed <= length),
            other => panic!("{other:?}"),
        }
    }
    assert!(parse(&whole.0, length).is_ok());
}

#[test]
fn what_the_file_has_not_is_refused_before_it_is_read() {
    let huge = u64::MAX;
    Writer::new(huge, 0).refuses(0, "tensors, but");
    Writer::new(0, huge).refuses(0, "values, but");
    Writer::new(1 << 17, 0).refuses(0, "would end behind the file's end");
    Writer::new(0, 1).u64(huge).refuses(0, "a name has");
    Writer::new(0, 1).text("x").u32(STRING).u64(huge).refuses(0, "behind the file's end");
    Writer::new(0, 1).text("x").u32(STRING).u64(1 << 40).refuses(1 << 41, "header has more than");
    Writer::new(0, 1).text("x").u32(LIST).u32(0).u64(huge).refuses(0, "behind the file's end");
    Writer::new(1, 0).text("a").u32(u32::MAX).refuses(0, "dimensions, but");
    Writer::new(0, 1).text("x").u32(13).refuses(0, "type 13, which is unknown");
}

#[test]
fn tensors_lie_in_the_file_and_share_nothing() {
    let one =
        |dims: &[u64], kind: u32, offset: u64| Writer::new(1, 0).tensor("a", dims, kind, offset);
    one(&[8], 0, 0).refuses(31, "the file is incomplete");
    one(&[8], 0, u64::MAX - 31).refuses(64, "the file is incomplete");
    one(&[8], 0, 5).refuses(64, "no multiple of 32");
    one(&[1 << 33, 1 << 31], 0, 0).refuses(64, "cannot have the shape");
    one(&[u64::MAX, 2], 0, 0).refuses(64, "cannot have the shape");
    one(&[31], 2, 0).refuses(64, "cannot have the shape");
    one(&[], 2, 0).refuses(64, "cannot have the shape");
    one(&[0], 0, 0).read(0).unwrap();
    let two = |second: u64| Writer::new(2, 0).tensor("b", &[8], 0, second).tensor("a", &[9], 0, 0);
    two(32).refuses(96, "`a` and `b` share bytes");
    two(64).read(96).unwrap();
}

#[test]
fn a_name_that_is_there_twice_is_refused() {
    let tensor = |writer: Writer, offset| writer.tensor("a", &[1], 0, offset);
    tensor(tensor(Writer::new(2, 0), 0), 32).refuses(64, "`a` is there twice");
    // Of a type that is left out as well.
    tensor(Writer::new(2, 0).tensor("a", &[1], 99, 0), 32).refuses(64, "`a` is there twice");
    Writer::new(0, 2).text("x").u32(0).raw(&[1]).text("x").u32(0).raw(&[2]).refuses(0, "twice");
}

#[test]
fn lists_in_lists_end_somewhere() {
    let deep = |depth| {
        let writer = Writer::new(0, 1).text("x").u32(LIST);
        (0..depth).fold(writer, |writer, _| writer.u32(LIST).u64(1)).u32(0).u64(0)
    };
    deep(3).read(0).unwrap();
    deep(4).refuses(0, "nested deeper");
    deep(100_000).refuses(0, "nested deeper");
}

#[test]
fn other_versions_and_byte_orders_are_told() {
    for (version, says) in
        [(1_u32, "its version is 1"), (4, "version is 4"), (3 << 24, "big-endian")]
    {
        Writer(MAGIC.to_vec()).u32(version).u64(0).u64(0).refuses(0, says);
    }
    let mut second = Writer::new(1, 0).tensor("a", &[1], 0, 0);
    second.0[4] = 2;
    second.read(64).unwrap();
}

#[test]
fn texts_that_grow_by_escaping_are_bounded() {
    let zeros = vec![0; 12 << 20];
    let list = Writer::new(0, 1).text("x").u32(LIST).u32(STRING).u64(1);
    list.u64(zeros.len() as u64).raw(&zeros).refuses(0, "as texts");
}

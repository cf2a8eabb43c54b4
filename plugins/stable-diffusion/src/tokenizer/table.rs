//! The tokenizer's one data structure: a byte string that is searched as it lies.
//!
//! CLIP's vocabulary has 49,408 tokens and 48,894 merges. As maps of strings that is
//! several megabytes of a guest's memory and milliseconds of every call, so it is compiled
//! to numbers: byte-pair encoding needs no token's text, only "these two ids, side by side,
//! become that id, in this order". The build script compiles the published vocabulary into
//! the component with this module, and the loader compiles a checkpoint's own `tokenizer.json`
//! with it, so there is one format and one reader.
//!
//! All numbers are little-endian `u16`:
//!
//! | words | what |
//! |---|---|
//! | 256 | the id of each byte inside a word |
//! | 256 | the id of each byte at a word's end |
//! | 4 | the ids of start, end and padding; how many ids there are |
//! | 1 | how many added tokens follow |
//! | 2 + ⌈n/2⌉ each | an added token: id, length n in bytes, UTF-8 text, padded to a whole word |
//! | 4 each | a merge: left id, right id, rank, merged id; sorted by left and right |

/// What the first token of every sequence is called in CLIP's vocabularies.
pub const START: &str = "<|startoftext|>";
/// What the token that ends and pads a sequence is called in CLIP's vocabularies.
pub const END: &str = "<|endoftext|>";
/// What CLIP appends to the last symbol of a word.
pub const WORD_END: &str = "</w>";

/// Two tokens side by side and what they become, as ids.
pub type Merge = [u16; 3];

/// A vocabulary before it is compiled.
pub struct Source<'a> {
    /// The id of a token, by its text; see [`letters`] for how bytes are written.
    pub id: &'a dyn Fn(&str) -> Option<u16>,
    /// The pairs that merge, the first to be merged first.
    pub merges: Vec<Merge>,
    /// Tokens that are recognized in the raw text, before any splitting.
    pub added: Vec<(&'a str, u16)>,
    /// The highest id.
    pub highest: u16,
    /// The id of a byte that the vocabulary does not have.
    pub unknown: Option<u16>,
    /// The id that fills a sequence up; the end token where nothing else is said.
    pub padding: Option<u16>,
}

/// A merge of two tokens, given by their texts.
pub fn merge(id: &dyn Fn(&str) -> Option<u16>, left: &str, right: &str) -> Result<Merge, String> {
    let id = |token: &str| id(token).ok_or_else(|| lacks(token));
    Ok([id(left)?, id(right)?, id(&format!("{left}{right}"))?])
}

fn lacks(token: &str) -> String {
    format!("the vocabulary has no token {token:?}")
}

/// The letters that stand for bytes in CLIP's vocabularies, in the order of their ids: the
/// printable Latin-1 characters for themselves, and the letters from U+0100 on for the others.
pub fn letters() -> impl Iterator<Item = (u8, char)> {
    let printable = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let others = (0..=255).filter(move |byte| !printable(byte)).zip('\u{100}'..);
    (0..=255).filter(printable).map(|byte| (byte, char::from(byte))).chain(others)
}

/// Compiles a vocabulary. Errors: what it lacks to be a byte-pair vocabulary like CLIP's.
pub fn compile(source: &Source<'_>) -> Result<Vec<u8>, String> {
    let id = |token: &str| {
        let added = || source.added.iter().find(|(text, _)| *text == token).map(|(_, id)| *id);
        (source.id)(token).or_else(added).ok_or_else(|| lacks(token))
    };

    let unknown = |problem| source.unknown.ok_or(problem);
    let mut inside = [0; 256];
    let mut last = [0; 256];
    for (byte, letter) in letters() {
        let slots = inside.get_mut(usize::from(byte)).zip(last.get_mut(usize::from(byte)));
        if let Some((inside, last)) = slots {
            *inside = id(&letter.to_string()).or_else(unknown)?;
            *last = id(&format!("{letter}{WORD_END}")).or_else(unknown)?;
        }
    }

    let mut merges = Vec::with_capacity(source.merges.len());
    for (rank, &[left, right, merged]) in source.merges.iter().enumerate() {
        let rank = u16::try_from(rank).map_err(|_| "there are over 65,536 merges".to_owned())?;
        merges.push([left, right, rank, merged]);
    }
    merges.sort_unstable();
    merges.dedup_by_key(|merge| (merge[0], merge[1]));

    let count = source.highest.checked_add(1).ok_or("there are over 65,535 token ids")?;
    let (start, end) = (id(START)?, id(END)?);
    let added_count =
        u16::try_from(source.added.len()).map_err(|_| "there are over 65,535 added tokens")?;

    let mut words = Vec::from_iter(inside.into_iter().chain(last));
    words.extend([start, end, source.padding.unwrap_or(end), count, added_count]);
    for (text, id) in &source.added {
        let length = u16::try_from(text.len())
            .map_err(|_| format!("the added token {id} is over 65,535 bytes long"))?;
        words.extend([*id, length]);
        words.extend(text.as_bytes().chunks(2).map(|pair| match *pair {
            [low, high] => u16::from_le_bytes([low, high]),
            [low, ..] => u16::from(low),
            [] => 0,
        }));
    }
    let mut bytes = Vec::with_capacity(2 * words.len() + 8 * merges.len());
    for word in words.into_iter().chain(merges.into_iter().flatten()) {
        bytes.extend(word.to_le_bytes());
    }
    Ok(bytes)
}

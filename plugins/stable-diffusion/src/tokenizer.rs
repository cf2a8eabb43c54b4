//! CLIP's tokenizer (Radford et al. 2021): text to token ids.
//!
//! The text is normalized (NFC, lower case), split into words of letters, single digits
//! and runs of other characters, and every word becomes bytes that merge pairwise. It is the
//! pipeline that a CLIP `tokenizer.json` describes, so a checkpoint that carries its own vocabulary
//! differs in its [`table`] only.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

mod json;
mod split;
pub mod table;

/// OpenAI's vocabulary, which every checkpoint without one of its own assumes.
static CLIP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/clip.table"));

/// A vocabulary that is ready to use. Making one from a compiled table costs a few microseconds.
pub struct Tokenizer<'a> {
    inside: Vec<u16>,
    last: Vec<u16>,
    special: Special,
    added: Vec<(u16, &'a str)>,
    merges: &'a [[u8; 8]],
}

/// The ids that stand for no text, and how many ids there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Special {
    /// The first of every sequence.
    pub start: u16,
    /// The one after the last word.
    pub end: u16,
    /// The one that fills a sequence up.
    pub padding: u16,
    /// One more than the highest id: the rows that the token embedding must have.
    pub count: u16,
}

/// Compiles a `tokenizer.json` into the table that [`Tokenizer::new`] takes.
pub fn compile(json: &str) -> Result<Vec<u8>> {
    json::compile(json)
}

/// OpenAI's vocabulary of 49,408 tokens, compiled.
pub fn clip() -> &'static [u8] {
    CLIP
}

impl<'a> Tokenizer<'a> {
    /// Reads a compiled table. Errors: it is damaged.
    pub fn new(table: &'a [u8]) -> Result<Self> {
        Self::read(table).ok_or_else(|| Error::Tokenizer("its compiled table is damaged".into()))
    }

    fn read(table: &'a [u8]) -> Option<Self> {
        let mut rest = table;
        let inside = (0..256).map(|_| word(&mut rest)).collect::<Option<_>>()?;
        let last = (0..256).map(|_| word(&mut rest)).collect::<Option<_>>()?;
        let special = Special {
            start: word(&mut rest)?,
            end: word(&mut rest)?,
            padding: word(&mut rest)?,
            count: word(&mut rest)?,
        };
        let mut added = Vec::new();
        for _ in 0..word(&mut rest)? {
            let (id, length) = (word(&mut rest)?, usize::from(word(&mut rest)?));
            added.push((id, str::from_utf8(rest.get(..length)?).ok()?));
            rest = rest.get(length.next_multiple_of(2)..)?;
        }
        // The longest first, so that none hides another that it begins.
        added.sort_by_key(|(_, text)| Reverse(text.len()));
        let (merges, []) = rest.as_chunks() else { return None };
        Some(Self { inside, last, special, added, merges })
    }

    /// The ids that stand for no text.
    pub fn special(&self) -> Special {
        self.special
    }

    /// The ids of a text, without start, end and padding.
    pub fn encode(&self, text: &str) -> Vec<u16> {
        let mut ids = Vec::new();
        let mut rest = text;
        while let Some((at, id, length)) = self.find_added(rest) {
            self.encode_plain(rest.get(..at).unwrap_or_default(), &mut ids);
            ids.push(id);
            rest = rest.get(at + length..).unwrap_or_default();
        }
        self.encode_plain(rest, &mut ids);
        ids
    }

    /// The first added token in a text: where it begins, its id and its length in bytes.
    fn find_added(&self, text: &str) -> Option<(usize, u16, usize)> {
        let found = self.added.iter().filter(|(_, token)| !token.is_empty());
        found
            .filter_map(|&(id, token)| Some((text.find(token)?, id, token.len())))
            .min_by_key(|&(at, ..)| at)
    }

    fn encode_plain(&self, text: &str, ids: &mut Vec<u16>) {
        let text: String = text.nfc().flat_map(char::to_lowercase).collect();
        for word in split::words(&text) {
            self.merge(word.as_bytes(), ids);
        }
    }

    /// Byte-pair encoding of one word: the pair of lowest rank merges first, the leftmost of equals.
    ///
    /// A heap of candidate pairs over a linked list, so that a prompt of one endless word costs
    /// n·log n, not n².
    fn merge(&self, word: &[u8], ids: &mut Vec<u16>) {
        let Some((&last, inside)) = word.split_last() else { return };
        let id = |ids: &[u16], byte| ids.get(usize::from(byte)).copied().unwrap_or_default();
        let inside = inside.iter().map(|&byte| id(&self.inside, byte));
        let mut symbols: Vec<_> = inside
            .chain([id(&self.last, last)])
            .enumerate()
            .map(|(at, id)| Symbol { id, previous: at.checked_sub(1), next: at + 1, alive: true })
            .collect();

        let mut candidates = BinaryHeap::new();
        for at in 0..symbols.len() {
            candidates.extend(self.candidate(&symbols, at));
        }
        while let Some(Reverse(candidate)) = candidates.pop() {
            // A candidate is stale when one of its symbols was merged with another meanwhile.
            if self.candidate(&symbols, candidate.at) != Some(Reverse(candidate)) {
                continue;
            }
            let Some(right) = symbols.get(candidate.at).map(|left| left.next) else { continue };
            let Some(next) = symbols.get_mut(right).map(|right| {
                right.alive = false;
                right.next
            }) else {
                continue;
            };
            let mut previous = None;
            if let Some(left) = symbols.get_mut(candidate.at) {
                (left.id, left.next) = (candidate.merged, next);
                previous = left.previous;
            }
            if let Some(next) = symbols.get_mut(next) {
                next.previous = Some(candidate.at);
            }
            candidates.extend(self.candidate(&symbols, candidate.at));
            candidates.extend(previous.and_then(|previous| self.candidate(&symbols, previous)));
        }
        ids.extend(symbols.iter().filter(|symbol| symbol.alive).map(|symbol| symbol.id));
    }

    /// The merge of the symbol at `at` with the one after it, if there is one.
    fn candidate(&self, symbols: &[Symbol], at: usize) -> Option<Reverse<Candidate>> {
        let left = symbols.get(at).filter(|left| left.alive)?;
        let right = symbols.get(left.next)?;
        let key = (left.id, right.id);
        let found = self.merges.binary_search_by_key(&key, |&[a, b, c, d, ..]| {
            (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]))
        });
        let &[.., a, b, c, d] = self.merges.get(found.ok()?)?;
        let (rank, merged) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        Some(Reverse(Candidate { rank, at, merged, key }))
    }
}

/// A symbol of a word that is being merged, in a linked list.
struct Symbol {
    id: u16,
    previous: Option<usize>,
    next: usize,
    alive: bool,
}

/// A pair that could merge. Ordered by what merges first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    rank: u16,
    at: usize,
    merged: u16,
    key: (u16, u16),
}

fn word(rest: &mut &[u8]) -> Option<u16> {
    let (word, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u16::from_le_bytes(*word))
}

#[cfg(test)]
mod tests;

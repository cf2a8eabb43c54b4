//! Reading a `tokenizer.json`, the format of the `tokenizers` library.
//!
//! CLIP's own is megabytes of text, in a guest whose memory is small: its strings are borrowed
//! from the text where they are plain, and its merges become ids as they are read.

use std::borrow::{Borrow, Cow};
use std::collections::HashMap;
use std::fmt;

use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, de::DeserializeSeed};
use serde_json::value::RawValue;

use super::table::{self, Merge, WORD_END};
use crate::error::{Error, Result};

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    model: Model<'a>,
    #[serde(borrow, default)]
    added_tokens: Vec<AddedToken<'a>>,
    padding: Option<Padding>,
}

#[derive(Deserialize)]
struct Model<'a> {
    r#type: Option<String>,
    #[serde(borrow)]
    vocab: HashMap<Text<'a>, u16>,
    #[serde(borrow)]
    merges: &'a RawValue,
    end_of_word_suffix: Option<String>,
    unk_token: Option<String>,
}

#[derive(Deserialize)]
struct AddedToken<'a> {
    id: u16,
    #[serde(borrow)]
    content: Text<'a>,
}

#[derive(Deserialize)]
struct Padding {
    pad_id: Option<u16>,
}

/// A string that is borrowed unless it has escapes.
#[derive(Deserialize, PartialEq, Eq, Hash)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Compiles a `tokenizer.json`. Errors: it is damaged, or describes another tokenizer than CLIP's.
pub fn compile(json: &str) -> Result<Vec<u8>> {
    let wrong = |problem: String| Error::Tokenizer(problem);
    let damaged = |error: serde_json::Error| wrong(error.to_string());
    let file: File<'_> = serde_json::from_str(json).map_err(damaged)?;
    let model = &file.model;
    if model.r#type.as_deref().is_some_and(|kind| kind != "BPE")
        || model.end_of_word_suffix.as_deref() != Some(WORD_END)
    {
        return Err(wrong(format!(
            "its model is {:?} with the end of a word {:?}; CLIP's is \"BPE\" with {WORD_END:?}",
            model.r#type.as_deref().unwrap_or("BPE"),
            model.end_of_word_suffix.as_deref().unwrap_or_default(),
        )));
    }

    let id = |token: &str| model.vocab.get(token).copied();
    let added: Vec<_> =
        file.added_tokens.iter().map(|token| (token.content.borrow(), token.id)).collect();
    let highest = model.vocab.values().chain(added.iter().map(|(_, id)| id)).max();
    let mut merges = serde_json::Deserializer::from_str(model.merges.get());
    table::compile(&table::Source {
        id: &id,
        merges: Merges(&id).deserialize(&mut merges).map_err(damaged)?,
        highest: highest.copied().unwrap_or_default(),
        unknown: model.unk_token.as_deref().and_then(id),
        padding: file.padding.as_ref().and_then(|padding| padding.pad_id),
        added,
    })
    .map_err(wrong)
}

/// Reads merges, given the ids of tokens.
struct Merges<'i>(&'i dyn Fn(&str) -> Option<u16>);

impl<'de> DeserializeSeed<'de> for Merges<'_> {
    type Value = Vec<Merge>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Merge>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Merges<'_> {
    type Value = Vec<Merge>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of merges")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Vec<Merge>, A::Error> {
        let mut merges = Vec::new();
        while let Some(merge) = all.next_element_seed(OneMerge(self.0))? {
            merges.push(merge);
        }
        Ok(merges)
    }
}

/// Reads one merge: `"a b"` in older files, `["a", "b"]` in newer ones.
struct OneMerge<'i>(&'i dyn Fn(&str) -> Option<u16>);

impl<'de> DeserializeSeed<'de> for OneMerge<'_> {
    type Value = Merge;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Merge, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OneMerge<'_> {
    type Value = Merge;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a merge of two tokens")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Merge, E> {
        let pair = text.split_once(' ');
        let (left, right) =
            pair.ok_or_else(|| E::custom(format!("the merge {text:?} is no pair")))?;
        table::merge(self.0, left, right).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<Merge, A::Error> {
        let mut next = || pair.next_element::<Text<'_>>();
        let (Some(left), Some(right), None) = (next()?, next()?, next()?) else {
            return Err(de::Error::custom("a merge has two tokens"));
        };
        table::merge(self.0, left.borrow(), right.borrow()).map_err(de::Error::custom)
    }
}

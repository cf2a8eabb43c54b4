//! Reading a `tokenizer.json`, the format of the `tokenizers` library.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::table::{self, WORD_END};
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
    vocab: HashMap<Cow<'a, str>, u32>,
    #[serde(borrow)]
    merges: Vec<Merge<'a>>,
    end_of_word_suffix: Option<String>,
    unk_token: Option<String>,
}

/// `"a b"` in older files, `["a", "b"]` in newer ones.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge<'a> {
    Pair(#[serde(borrow)] Cow<'a, str>, #[serde(borrow)] Cow<'a, str>),
    Text(#[serde(borrow)] Cow<'a, str>),
}

#[derive(Deserialize)]
struct AddedToken<'a> {
    id: u32,
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Padding {
    pad_id: Option<u32>,
}

pub fn compile(json: &str) -> Result<Vec<u8>> {
    let wrong = |problem: String| Error::Tokenizer(problem);
    let file: File<'_> = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
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

    let narrow =
        |id: u32| u16::try_from(id).map_err(|_| wrong(format!("its id {id} is over 65,535")));
    let vocabulary = model
        .vocab
        .iter()
        .map(|(token, &id)| Ok((token.as_ref(), narrow(id)?)))
        .collect::<Result<HashMap<_, _>>>()?;
    let added = file
        .added_tokens
        .iter()
        .map(|token| Ok((token.content.as_ref(), narrow(token.id)?)))
        .collect::<Result<Vec<_>>>()?;
    let merges = model
        .merges
        .iter()
        .map(|merge| match merge {
            Merge::Pair(left, right) => Ok((left.as_ref(), right.as_ref())),
            Merge::Text(text) => {
                text.split_once(' ').ok_or_else(|| wrong(format!("its merge {text:?} is no pair")))
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let unknown = model.unk_token.as_deref().and_then(|token| vocabulary.get(token)).copied();
    let padding =
        file.padding.as_ref().and_then(|padding| padding.pad_id).map(narrow).transpose()?;
    table::compile(&table::Source { vocabulary, merges, added, unknown, padding }).map_err(wrong)
}

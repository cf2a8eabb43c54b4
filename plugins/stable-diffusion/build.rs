//! Compiles CLIP's published byte-pair vocabulary into the table that the tokenizer searches.

use std::collections::HashMap;
use std::error::Error;
use std::io::Read;
use std::path::Path;
use std::{env, fs};

#[path = "src/tokenizer/table.rs"]
mod table;

const VOCABULARY: &str = "data/clip_bpe_vocab_16e6.txt.gz";
/// CLIP uses this many of the published merges: its 49,408 ids, less 512 bytes and 2 special tokens.
const MERGES: usize = 49_408 - 512 - 2;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={VOCABULARY}");
    println!("cargo::rerun-if-changed=src/tokenizer/table.rs");

    let mut text = String::new();
    flate2::read::GzDecoder::new(fs::File::open(VOCABULARY)?).read_to_string(&mut text)?;
    let merges: Vec<_> =
        text.lines().skip(1).take(MERGES).filter_map(|line| line.split_once(' ')).collect();
    if merges.len() != MERGES {
        return Err(format!("{VOCABULARY} has {} merges, not {MERGES}", merges.len()).into());
    }

    // The ids: the bytes, the bytes at a word's end, what the merges make, and the special tokens.
    let inside = table::letters().map(|(_, letter)| letter.to_string());
    let last = table::letters().map(|(_, letter)| format!("{letter}{}", table::WORD_END));
    let merged = merges.iter().map(|(left, right)| format!("{left}{right}"));
    let special = [table::START, table::END].map(str::to_owned);
    let tokens: Vec<_> = inside.chain(last).chain(merged).chain(special).collect();
    let vocabulary: HashMap<&str, u16> = tokens.iter().map(String::as_str).zip(0..).collect();
    if vocabulary.len() != tokens.len() {
        return Err(format!("{VOCABULARY} makes one token twice").into());
    }

    let id = |token: &str| vocabulary.get(token).copied();
    let special = [table::START, table::END];
    let merges = merges.iter().map(|(left, right)| table::merge(&id, left, right));
    let source = table::Source {
        id: &id,
        merges: merges.collect::<Result<_, _>>()?,
        added: special.into_iter().zip((0u16..).skip(tokens.len() - special.len())).collect(),
        highest: u16::try_from(tokens.len() - 1)?,
        unknown: None,
        padding: None,
    };
    let path = Path::new(&env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?).join("clip.table");
    fs::write(path, table::compile(&source)?)?;
    Ok(())
}

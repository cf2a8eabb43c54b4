//! What a node gives: looked at, and written to files.
//!
//! A value may have more paths through it than anybody can walk, since objects share what lies in
//! them, so what is shown has an end.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use berth_compute::{DType, Tensor};
use berth_sandbox::text::plain;
use berth_sandbox::{NodeType, Value, whole};
use serde_json::{Value as Json, json};

use crate::array::{Array, Figures};
use crate::bench::Bench;
use crate::error::Error;
use crate::{npy, wire};

/// Most values that are shown of a run.
const MOST: usize = 256;

/// Longest text that is shown, in bytes.
const LONGEST: usize = 16 << 10;

/// One output of a node.
#[derive(Debug)]
pub struct Shown {
    /// What the node calls it.
    pub name: String,
    /// Its wire's type.
    pub type_name: String,
    /// What was given.
    pub found: Found,
    /// In which way it is not what its type says.
    pub remark: Option<String>,
}

/// A value, as it is shown.
#[derive(Debug)]
pub enum Found {
    /// A tensor.
    Tensor {
        /// The element type and shape.
        kind: String,
        /// What its elements are like.
        figures: Option<Figures>,
        /// Its digest; see [`Array::digest`].
        digest: String,
        /// Where it was written.
        files: Vec<PathBuf>,
    },
    /// A boolean, a number or a text.
    Plain(Json),
    /// An object's type and fields.
    Object(String, Vec<(String, Found)>),
    /// A list.
    Items(Vec<Found>),
    /// What cannot be shown, in words.
    Other(String),
}

/// Looks at what a node gave, and writes its tensors into a folder.
///
/// # Errors
/// When a tensor cannot be read, or a file not be written.
pub fn show(
    bench: &Bench,
    node: &NodeType,
    values: &[Value],
    folder: &Path,
) -> Result<Vec<Shown>, Error> {
    let mut shower = Shower { bench, folder, left: MOST, names: HashSet::new() };
    let mut shown = Vec::new();
    for (index, (output, value)) in node.outputs.iter().zip(values).enumerate() {
        let number = index.saturating_add(1);
        let stem = format!("{}-{number}", file_part(&node.name));
        let is_image = output.type_name == "IMAGE";
        shown.push(Shown {
            name: output.name.clone(),
            type_name: output.type_name.clone(),
            found: shower.look(value, &stem, is_image)?,
            remark: wire::check(&output.type_name, value).err(),
        });
    }
    Ok(shown)
}

struct Shower<'a> {
    bench: &'a Bench,
    folder: &'a Path,
    left: usize,
    names: HashSet<String>,
}

impl Shower<'_> {
    fn look(&mut self, value: &Value, stem: &str, is_image: bool) -> Result<Found, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(Found::Other("…".into())) };
        self.left = left;
        Ok(match value {
            Value::Tensor(tensor) => self.tensor(tensor, stem, is_image)?,
            Value::Boolean(value) => Found::Plain(json!(value)),
            Value::Integer(value) => Found::Plain(integer(*value)),
            Value::Number(value) => match value.is_finite() {
                true => Found::Plain(json!(value)),
                false => Found::Other(value.to_string()),
            },
            Value::Text(text) => Found::Plain(json!(escaped(text))),
            Value::Object(object) => {
                let mut fields = Vec::new();
                for (name, value) in &object.fields {
                    let stem = format!("{stem}.{}", file_part(name));
                    fields.push((plain(name).into_owned(), self.look(value, &stem, false)?));
                    if self.left == 0 {
                        break;
                    }
                }
                Found::Object(plain(&object.type_name).into_owned(), fields)
            }
            Value::Items(list) => {
                let mut items = Vec::new();
                for (index, value) in list.items.iter().enumerate() {
                    items.push(self.look(value, &format!("{stem}.{index}"), false)?);
                    if self.left == 0 {
                        break;
                    }
                }
                Found::Items(items)
            }
            other => Found::Other(wire::kind(other)),
        })
    }

    fn tensor(&mut self, tensor: &Tensor, stem: &str, is_image: bool) -> Result<Found, Error> {
        let array = Array::of(tensor)?;
        let dense = self.bench.dense(&array)?;
        let kind = array.to_string();
        let (figures, digest) = (dense.figures(), array.digest());
        let stem = self.unique(stem);
        let can_be_seen = matches!(*array.shape, [_, _, _, 1 | 3 | 4]) && !array.bytes.is_empty();
        let as_image = is_image && can_be_seen && array.dtype == DType::F32;
        let files = match as_image.then(|| self.bench.save_images(&array)) {
            Some(Ok(images)) => self.images(&stem, images)?,
            // What is no picture is an array.
            Some(Err(Error::Sandbox(_))) | None => self.array(&stem, &dense)?,
            Some(Err(error)) => return Err(error),
        };
        Ok(Found::Tensor { kind, figures, digest, files })
    }

    fn images(&self, stem: &str, images: Vec<Vec<u8>>) -> Result<Vec<PathBuf>, Error> {
        let alone = images.len() == 1;
        let mut files = Vec::new();
        for (index, image) in images.iter().enumerate() {
            let name = match alone {
                true => format!("{stem}.png"),
                false => format!("{stem}-{}.png", index.saturating_add(1)),
            };
            files.push(self.write(&name, image)?);
        }
        Ok(files)
    }

    fn array(&self, stem: &str, array: &Array) -> Result<Vec<PathBuf>, Error> {
        let file = match npy::write(array) {
            Some(file) => Some(file),
            // NumPy has no `bf16`.
            None => npy::write(&self.bench.cast(array, DType::F32)?),
        };
        file.map(|file| self.write(&format!("{stem}.npy"), &file)).into_iter().collect()
    }

    /// Writes a file as a whole or not at all.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, Error> {
        let path = self.folder.join(name);
        let failed = |source| Error::Write { path: path.clone(), source };
        std::fs::create_dir_all(self.folder).map_err(failed)?;
        whole::write(&path, bytes).map_err(failed)?;
        Ok(path)
    }

    /// A name that no other output has.
    fn unique(&mut self, stem: &str) -> String {
        let mut name = stem.to_owned();
        let mut number = 2_usize;
        while !self.names.insert(name.clone()) {
            name = format!("{stem}-{number}");
            number = number.saturating_add(1);
        }
        name
    }
}

/// A part of a file's name, whatever a guest calls it.
fn file_part(name: &str) -> String {
    let fine = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    name.chars().take(64).map(|c| if fine(c) { c } else { '_' }).collect()
}

/// An integer as JSON, exact as far as JSON's readers are.
fn integer(value: i128) -> Json {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => json!(value),
        (_, Ok(value)) => json!(value),
        _ => json!(value as f64),
    }
}

/// A guest's text of several lines, without what a terminal obeys.
pub(crate) fn escaped(text: &str) -> String {
    let mut clean = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            clean.push('\n');
        }
        let mut rest = line;
        while !rest.is_empty() {
            if clean.len() > LONGEST {
                clean.push('…');
                return clean;
            }
            // `plain` shows so much of a text at once.
            let end = rest.char_indices().nth(80).map_or(rest.len(), |(at, _)| at);
            let (piece, after) = rest.split_at(end);
            clean.push_str(&plain(piece));
            rest = after;
        }
    }
    clean
}

impl Shown {
    /// The same for a program.
    #[must_use]
    pub fn json(&self) -> Json {
        let mut json = self.found.json();
        if let Some(fields) = json.as_object_mut() {
            fields.insert("name".into(), json!(self.name));
            fields.insert("wire".into(), json!(self.type_name));
            if let Some(remark) = &self.remark {
                fields.insert("remark".into(), json!(remark));
            }
        }
        json
    }
}

impl Found {
    fn json(&self) -> Json {
        match self {
            Self::Tensor { kind, figures, digest, files } => {
                let (dtype, shape) = kind.split_once(' ').unwrap_or((kind, "null"));
                json!({
                    "dtype": dtype,
                    "shape": serde_json::from_str::<Json>(shape).unwrap_or_default(),
                    "min": figures.map(|figures| figures.min),
                    "max": figures.map(|figures| figures.max),
                    "mean": figures.map(|figures| figures.mean),
                    "nan": figures.map(|figures| figures.nan),
                    "digest": digest,
                    "files": files,
                })
            }
            Self::Plain(value) => json!({ "value": value }),
            Self::Object(type_name, fields) => {
                let fields: serde_json::Map<String, Json> =
                    fields.iter().map(|(name, found)| (name.clone(), found.json())).collect();
                json!({ "type": type_name, "fields": fields })
            }
            Self::Items(items) => {
                json!({ "items": items.iter().map(Self::json).collect::<Vec<_>>() })
            }
            Self::Other(text) => json!({ "is": text }),
        }
    }

    /// The files that were written of it.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Tensor { files, .. } => files.iter().map(PathBuf::as_path).collect(),
            Self::Object(_, fields) => fields.iter().flat_map(|(_, found)| found.files()).collect(),
            Self::Items(items) => items.iter().flat_map(Self::files).collect(),
            Self::Plain(_) | Self::Other(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_guests_stays_in_its_folder() {
        assert_eq!(file_part("../a b\n"), "___a_b_");
        assert_eq!(file_part("Größe-2"), "Größe-2");
    }

    #[test]
    fn a_long_text_keeps_its_lines_and_loses_its_escapes() {
        assert_eq!(escaped("a\nb\u{1b}[2J"), "a\nb\\u{1b}[2J");
        let long = "x".repeat(200);
        assert_eq!(escaped(&long), long);
        assert!(escaped(&"x".repeat(1 << 20)).len() < 20 << 10);
    }
}

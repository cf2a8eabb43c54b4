//! One open model file: what its header says, and who holds its tensors.
//!
//! Whoever opened it holds handles of its own, so that every plugin is charged for what it uses
//! and gives it back when its model handle goes.
//!
//! What the header says was checked against the file's length when it was parsed. Tensors are read
//! by their places, never by what a guest says.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use berth_compute::{Compute, DType, Scope, Tensor};
use berth_memory::{Account, Cancel, ModelFile, Source};

use super::content::Content;
use super::header::{self, Entry, Header, HeaderError};
use crate::error::GuestError;

/// How much of a file is read at first: enough for most headers.
const FIRST_READ: u64 = 64 << 10;

/// A model file as one account holds it.
pub struct Model {
    file: Arc<OpenFile>,
    label: String,
    compute: Compute,
    account: Account,
    /// Handles by index into the file's tensors, made when first asked for. They
    /// keep what was loaded charged to the account for as long as it holds the model.
    weights: Vec<OnceLock<Tensor>>,
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Model({} for {})", self.label, self.account.name())
    }
}

impl Model {
    /// The label it was opened by.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// A digest of the file's header: names, types, shapes and metadata.
    pub(crate) fn header(&self) -> &blake3::Hash {
        &self.file.header
    }

    /// The file's bytes, and how many there are.
    pub(crate) fn bytes(&self) -> (&dyn Source, u64) {
        (&*self.file.content, self.file.bytes)
    }

    /// The file's metadata.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.file.metadata
    }

    /// The keys of all tensors, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.file.index.keys().map(String::as_str)
    }

    /// dtype and shape of a tensor.
    pub fn info(&self, key: &str) -> Option<(DType, &[usize])> {
        let entry = self.file.entries.get(*self.file.index.get(key)?)?;
        Some((entry.dtype, &entry.shape))
    }

    /// The tensor of a key, charged to who holds the model. Nothing is read yet.
    pub(crate) fn weight(&self, key: &str) -> Result<Tensor, GuestError> {
        let missing = || GuestError::NotFound(format!("tensor `{key}` in {}", self.label));
        let index = *self.file.index.get(key).ok_or_else(missing)?;
        let (entry, slot) =
            self.file.entries.get(index).zip(self.weights.get(index)).ok_or_else(missing)?;
        if let Some(tensor) = slot.get() {
            return Ok(tensor.clone());
        }
        let scope = Scope { account: self.account.clone(), cancel: Cancel::new(), call: None };
        let source: Arc<dyn Source> = self.file.content.clone();
        let tensor =
            self.compute.weight(&scope, source, entry.offset, entry.dtype, &entry.shape)?;
        Ok(slot.get_or_init(|| tensor).clone())
    }

    /// The handles that were made so far.
    pub fn loaded(&self) -> impl Iterator<Item = &Tensor> {
        self.weights.iter().filter_map(OnceLock::get)
    }

    /// The same model as another account holds it.
    pub(crate) fn for_account(self: &Arc<Self>, account: &Account) -> Arc<Self> {
        if self.account.id() == account.id() {
            return self.clone();
        }
        self.file.model(&self.label, &self.compute, account)
    }
}

/// One open model file, or several with the same bytes.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) content: Arc<Content>,
    bytes: u64,
    /// A digest of the header: names, types, shapes and metadata.
    header: blake3::Hash,
    metadata: BTreeMap<String, String>,
    index: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    holders: Mutex<Vec<Weak<Model>>>,
}

impl OpenFile {
    /// Reads the header of a file.
    pub(super) fn read(file: Arc<ModelFile>) -> Result<Self, GuestError> {
        let (Header { metadata, entries, .. }, header) = header(&file)?;
        let names = entries.iter().enumerate().map(|(at, entry)| (entry.name.clone(), at));
        Ok(Self {
            index: names.collect(),
            bytes: file.bytes(),
            content: Arc::new(Content::new(file)),
            header,
            metadata,
            entries,
            holders: Mutex::default(),
        })
    }

    /// Whether another file may have the same bytes.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.bytes, self.header) == (other.bytes, other.header)
    }

    /// The one model of this file and label that an account holds.
    pub(super) fn model(
        self: &Arc<Self>,
        label: &str,
        compute: &Compute,
        account: &Account,
    ) -> Arc<Model> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|model| model.strong_count() > 0);
        let same = |model: &Arc<Model>| model.account.id() == account.id() && model.label == label;
        if let Some(model) = holders.iter().filter_map(Weak::upgrade).find(same) {
            return model;
        }
        let model = Arc::new(Model {
            file: self.clone(),
            label: label.into(),
            compute: compute.clone(),
            account: account.clone(),
            weights: self.entries.iter().map(|_| OnceLock::new()).collect(),
        });
        holders.push(Arc::downgrade(&model));
        model
    }
}

/// The header of a file, and a digest of its bytes. As much is read as there is of it, and at most
/// twice that: a file that is none is no reason to read it all.
fn header(file: &ModelFile) -> Result<(Header, blake3::Hash), GuestError> {
    let refuse = |why: &dyn fmt::Display| {
        GuestError::InvalidArgument(format!("{}: {why}", file.path().display()))
    };
    let length = file.bytes();
    let (mut bytes, mut wanted) = (Vec::new(), FIRST_READ);
    loop {
        let known = bytes.len();
        bytes.resize(usize::try_from(wanted.min(length)).map_err(|why| refuse(&why))?, 0);
        if let Some(rest) = bytes.get_mut(known..) {
            file.read(known as u64, rest)?;
        }
        match header::parse(&bytes, length) {
            Ok(header) => {
                let end = usize::try_from(header.bytes).ok();
                let own = end.and_then(|end| bytes.get(..end)).unwrap_or(&bytes);
                let digest = blake3::hash(own);
                return Ok((header, digest));
            }
            Err(HeaderError::Longer(needed)) if needed > bytes.len() as u64 => {
                wanted = needed.max(wanted.saturating_mul(2));
            }
            Err(why) => return Err(refuse(&why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_header_is_an_error_that_names_the_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("m.safetensors");
        let header =
            |json: &str| [&(json.len() as u64).to_le_bytes()[..], json.as_bytes()].concat();
        let overlapping = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#;
        let huge = r#"{"a":{"dtype":"F32","shape":[8589934592,2147483648],"data_offsets":[0,4]}}"#;
        let short = r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#;
        for bytes in [
            vec![],
            vec![255; 8],
            vec![255; 100],
            header("not json"),
            header(overlapping),
            header(huge),
            header(short),
            b"GGUF".to_vec(),
            [b"GGUF", &[255; 100][..]].concat(),
        ] {
            std::fs::write(&path, &bytes).unwrap();
            let file = ModelFile::open(&path).unwrap();
            let error = OpenFile::read(Arc::new(file)).unwrap_err().to_string();
            assert!(error.contains("m.safetensors"), "{error}");
        }
    }
}

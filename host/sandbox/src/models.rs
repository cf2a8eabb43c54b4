//! Model files by label: which there are, and their tensors as allocations.
//!
//! A label is a relative name below `DIR/CATEGORY/` of one of the operator's model
//! folders. A file that several nodes or plugins open is opened once, so that the memory
//! layer sees one source and makes each of its tensors one allocation; who opened it
//! holds its own handles, so that every plugin is charged for what it uses and gives
//! it back when its model handle goes.
//!
//! Headers are untrusted: the safetensors crate checks that tensors lie in the file
//! one after another, and what it returns is checked against the file's length.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use berth_compute::{Compute, DType, Scope, Tensor};
use berth_memory::{Account, Cancel, FileIdentity, ModelFile, Source};

use crate::error::GuestError;

/// The ending of model files.
const ENDINGS: [&str; 1] = ["safetensors"];

/// Largest header, in bytes. Real ones of 3,000 tensors are about 0.5 MB.
const LARGEST_HEADER: u64 = 64 << 20;

/// The operator's model folders.
#[derive(Debug)]
pub struct ModelFolders {
    folders: Vec<PathBuf>,
    /// Open files, one for each state of each file: what was replaced is opened anew.
    open: Mutex<HashMap<FileIdentity, Weak<OpenFile>>>,
}

impl ModelFolders {
    /// Folders with subfolders for categories, as ComfyUI has them: `checkpoints`,
    /// `vae`, `clip`, `loras`, `embeddings`. The first that has a label wins.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, open: Mutex::default() }
    }

    /// The labels of a category, sorted.
    pub fn labels(&self, category: &str) -> Vec<String> {
        if !is_plain(category) {
            return Vec::new();
        }
        let mut labels: Vec<String> = self
            .folders
            .iter()
            .flat_map(|folder| files_below(&folder.join(category), &ENDINGS))
            .collect();
        labels.sort();
        labels.dedup();
        labels
    }

    /// Opens a label for an account.
    pub(crate) fn open(
        &self,
        category: &str,
        label: &str,
        compute: &Compute,
        account: &Account,
    ) -> Result<Arc<Model>, GuestError> {
        if !is_plain(category) || !is_plain(label) || !has_ending(Path::new(label), &ENDINGS) {
            return Err(GuestError::InvalidArgument(format!(
                "{category:?}/{label:?} is no label of a model: labels are names such as \
                 `model.safetensors` below a model folder"
            )));
        }
        let path = self
            .folders
            .iter()
            .map(|folder| folder.join(category).join(label))
            .find(|path| path.is_file())
            .ok_or_else(|| self.missing(category, label))?;
        let source = ModelFile::open(&path)?;
        let identity = source.identity();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, file| file.strong_count() > 0);
        let file = match open.get(&identity).and_then(Weak::upgrade) {
            Some(file) => file,
            None => {
                let file = Arc::new(OpenFile::read(source)?);
                open.insert(identity, Arc::downgrade(&file));
                file
            }
        };
        drop(open);
        Ok(file.model(label, compute, account))
    }

    fn missing(&self, category: &str, label: &str) -> GuestError {
        let known = self.labels(category);
        let known = if known.is_empty() { "none".into() } else { known.join(", ") };
        let folders: Vec<_> =
            self.folders.iter().map(|f| f.join(category).display().to_string()).collect();
        GuestError::NotFound(format!("model `{label}` in {}; there: {known}", folders.join(", ")))
    }
}

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
        (&*self.file.source, self.file.source.bytes())
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
        let source: Arc<dyn Source> = self.file.source.clone();
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

/// One open model file.
#[derive(Debug)]
struct OpenFile {
    source: Arc<ModelFile>,
    /// A digest of the header: names, types, shapes and metadata.
    header: blake3::Hash,
    metadata: BTreeMap<String, String>,
    index: BTreeMap<String, usize>,
    entries: Vec<Entry>,
    holders: Mutex<Vec<Weak<Model>>>,
}

/// Where a tensor is in its file.
#[derive(Debug)]
struct Entry {
    dtype: DType,
    shape: Vec<usize>,
    offset: u64,
}

impl OpenFile {
    /// Reads the header of a safetensors file.
    fn read(file: ModelFile) -> Result<Self, GuestError> {
        let refuse = |why: String| {
            let name = file.path().display();
            GuestError::InvalidArgument(format!("{name} is no usable safetensors file: {why}"))
        };
        let length = file.bytes();
        let mut prefix = [0; 8];
        if length < 8 {
            return Err(refuse(format!("it has only {length} bytes")));
        }
        file.read(0, &mut prefix)?;
        let header = u64::from_le_bytes(prefix);
        let begin = header.checked_add(8).filter(|&begin| begin <= length);
        let Some(begin) = begin.filter(|_| header <= LARGEST_HEADER) else {
            return Err(refuse(format!(
                "its header claims {header} bytes, the file has {length}; it is damaged or of \
                 another format"
            )));
        };
        let header = usize::try_from(header).map_err(|error| refuse(error.to_string()))?;
        let mut text = vec![0; header];
        file.read(8, &mut text)?;
        let digest = blake3::hash(&text);
        let header: safetensors::tensor::Metadata =
            serde_json::from_slice(&text).map_err(|error| refuse(error.to_string()))?;
        let data = header.data_len() as u64;
        if begin.checked_add(data) != Some(length) {
            return Err(refuse(format!(
                "its tensors take {data} bytes, but {} follow the header; the file is incomplete, \
                 download it again",
                length - begin
            )));
        }
        let mut index = BTreeMap::new();
        let mut entries = Vec::new();
        for (key, info) in header.tensors() {
            // What no operation can take is as good as absent: checkpoints carry all sorts of
            // leftovers, and only a plugin that asks for one of them has to know.
            let Some(dtype) = dtype(info.dtype) else { continue };
            let offset = begin + info.data_offsets.0 as u64;
            index.insert(key, entries.len());
            entries.push(Entry { dtype, shape: info.shape.clone(), offset });
        }
        let metadata = header.metadata().iter().flatten();
        Ok(Self {
            source: Arc::new(file),
            header: digest,
            metadata: metadata.map(|(name, text)| (name.clone(), text.clone())).collect(),
            index,
            entries,
            holders: Mutex::default(),
        })
    }

    /// The one model of this file that an account holds.
    fn model(self: &Arc<Self>, label: &str, compute: &Compute, account: &Account) -> Arc<Model> {
        let mut holders = self.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|model| model.strong_count() > 0);
        let held = holders.iter().filter_map(Weak::upgrade);
        if let Some(model) = held.into_iter().find(|model| model.account.id() == account.id()) {
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

fn dtype(stored: safetensors::Dtype) -> Option<DType> {
    use safetensors::Dtype as Stored;
    Some(match stored {
        Stored::U8 | Stored::BOOL => DType::U8,
        Stored::U32 => DType::U32,
        Stored::I32 => DType::I32,
        Stored::I64 => DType::I64,
        Stored::F16 => DType::F16,
        Stored::BF16 => DType::BF16,
        Stored::F32 => DType::F32,
        Stored::F64 => DType::F64,
        Stored::F8_E4M3 => DType::F8E4M3,
        Stored::F8_E5M2 => DType::F8E5M2,
        _ => return None,
    })
}

/// Whether a name only goes down: no root, no `..`, no NUL.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components().peekable();
    parts.peek().is_some()
        && parts.all(|part| matches!(part, std::path::Component::Normal(_)))
        && !name.chars().any(char::is_control)
}

fn has_ending(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The files below a folder that have one of these endings, as sorted relative names
/// with `/`. A folder that cannot be read has none.
pub(crate) fn files_below(root: &Path, endings: &[&str]) -> Vec<String> {
    /// Deeper folders than anybody sorts models into; stops at links that go round.
    const DEEPEST: usize = 8;
    fn walk(
        folder: &Path,
        name: &str,
        endings: &[&str],
        depth: usize,
        found: &mut Vec<String>,
    ) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(own) = path.file_name().and_then(|own| own.to_str()) else { continue };
            let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            if path.is_dir() && depth < DEEPEST {
                // A subfolder that cannot be read hides only itself.
                let _ = walk(&path, &name, endings, depth + 1, found);
            } else if path.is_file() && has_ending(&path, endings) {
                found.push(name);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    let _ = walk(root, "", endings, 0, &mut found);
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_never_leaves_its_folder() {
        for label in ["../a", "/etc/passwd", "a/../../b", "", "a\0b", "./../x", ".."] {
            assert!(!is_plain(label), "{label:?}");
        }
        assert!(is_plain("sd15/a model.safetensors"));
    }

    #[test]
    fn labels_are_found_below_all_folders() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "a/checkpoints/x.safetensors",
            "b/checkpoints/sub/y.safetensors",
            "b/checkpoints/z.txt",
        ] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let folders = ModelFolders::new(vec![
            root.path().join("a"),
            root.path().join("b"),
            root.path().join("c"),
        ]);
        assert_eq!(folders.labels("checkpoints"), ["sub/y.safetensors", "x.safetensors"]);
        assert!(folders.labels("../b").is_empty());
    }

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
        ] {
            std::fs::write(&path, &bytes).unwrap();
            let file = ModelFile::open(&path).unwrap();
            let error = OpenFile::read(file).unwrap_err().to_string();
            assert!(error.contains("m.safetensors"), "{error}");
        }
    }
}

//! Model files by label: which there are, and which of them are one.
//!
//! A label is a relative name below `DIR/CATEGORY/` of one of the operator's model
//! folders. Files with the same bytes are opened once, whatever they are called and whoever
//! opens them, so that the memory layer sees one source and makes each of its tensors one
//! allocation. Whether two files are one is told by their identity (device, inode, length, time of
//! modification), and else by a hash of their bytes; never by a name. Gigabytes are
//! hashed only when an open file of the same length and header leaves it in doubt.

mod content;
pub mod header;
mod open;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use berth_compute::Compute;
use berth_memory::{Account, Cancel, FileIdentity, MemoryError, ModelFile};

use self::open::OpenFile;
use crate::error::GuestError;
use crate::text::{enumerate, line, plain};

pub(crate) use self::open::Model;

/// The endings of model files. What a file is, its first bytes say.
const ENDINGS: [&str; 2] = ["safetensors", "gguf"];

/// Longest category and label, in bytes: as long as a name of a file.
const LONGEST: usize = 255;

/// The operator's model folders.
#[derive(Debug)]
pub struct ModelFolders {
    folders: Vec<PathBuf>,
    known: Mutex<Known>,
}

/// What is known of files, by state: what was replaced is another file.
#[derive(Debug, Default)]
struct Known {
    open: HashMap<FileIdentity, Weak<OpenFile>>,
    /// Of files that had to be hashed: no file is read twice for it.
    hashes: HashMap<FileIdentity, blake3::Hash>,
}

impl ModelFolders {
    /// Folders with subfolders for categories, as ComfyUI has them: `checkpoints`,
    /// `vae`, `clip`, `loras`, `embeddings`. The first that has a label wins.
    pub fn new(folders: Vec<PathBuf>) -> Self {
        Self { folders, known: Mutex::default() }
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

    /// Whether this can be a label at all.
    pub(crate) fn check(&self, category: &str, label: &str) -> Result<(), GuestError> {
        let fine = |name: &str| is_plain(name) && name.len() <= LONGEST && line(name) == name;
        if !fine(category) || !fine(label) || !has_ending(Path::new(label), &ENDINGS) {
            let (category, label) = (plain(category), plain(label));
            return Err(GuestError::InvalidArgument(format!(
                "`{category}/{label}` is no label of a model: labels are names such as \
                 `model.safetensors` below a model folder"
            )));
        }
        Ok(())
    }

    /// Opens a label for an account.
    pub(crate) fn open(
        &self,
        category: &str,
        label: &str,
        compute: &Compute,
        account: &Account,
        cancel: &Cancel,
    ) -> Result<Arc<Model>, GuestError> {
        self.check(category, label)?;
        let path = self
            .folders
            .iter()
            .map(|folder| folder.join(category).join(label))
            .find(|path| path.is_file())
            .ok_or_else(|| self.missing(category, label))?;
        let file = self.open_file(Arc::new(ModelFile::open(&path)?), cancel)?;
        Ok(file.model(label, compute, account))
    }

    /// The open file with the bytes of this one. Nothing is locked while files are read.
    fn open_file(
        &self,
        file: Arc<ModelFile>,
        cancel: &Cancel,
    ) -> Result<Arc<OpenFile>, GuestError> {
        if let Some(open) = self.known().find(&file) {
            return Ok(open);
        }
        let opened = Arc::new(OpenFile::read(file.clone())?);
        let mut different: Vec<Arc<OpenFile>> = Vec::new();
        loop {
            let mut known = self.known();
            // Others may have opened it, or one like it, since it was last looked at.
            if let Some(open) = known.find(&file) {
                return Ok(open);
            }
            let Some(like) = known.like(&opened, &different) else {
                known.open.insert(file.identity(), Arc::downgrade(&opened));
                return Ok(opened);
            };
            drop(known);
            let own = self.hash(&file, cancel)?;
            // What cannot be read any more is not what was just opened.
            let theirs = match self.hash(&like.content.current(), cancel) {
                Err(MemoryError::Cancelled) => return Err(GuestError::Cancelled),
                theirs => theirs,
            };
            if theirs.is_ok_and(|hash| hash == own) {
                like.content.add(&file);
                self.known().open.insert(file.identity(), Arc::downgrade(&like));
                return Ok(like);
            }
            different.push(like);
        }
    }

    /// The hash of a file, which is taken once.
    fn hash(&self, file: &ModelFile, cancel: &Cancel) -> Result<blake3::Hash, MemoryError> {
        let hashed = self.known().hashes.get(&file.identity()).copied();
        if let Some(hash) = hashed {
            return Ok(hash);
        }
        let hash = content::hash(file, cancel)?;
        self.known().hashes.insert(file.identity(), hash);
        Ok(hash)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, category: &str, label: &str) -> GuestError {
        let known = self.labels(category);
        let known = enumerate(known.iter().map(String::as_str));
        let label = plain(label);
        let folders: Vec<_> =
            self.folders.iter().map(|f| f.join(category).display().to_string()).collect();
        GuestError::NotFound(format!("model `{label}` in {}; there: {known}", folders.join(", ")))
    }
}

impl Known {
    /// The open file that this one is.
    fn find(&mut self, file: &Arc<ModelFile>) -> Option<Arc<OpenFile>> {
        self.open.retain(|_, open| open.strong_count() > 0);
        let open = self.open.get(&file.identity()).and_then(Weak::upgrade)?;
        open.content.add(file);
        Some(open)
    }

    /// An open file that may have the same bytes, and is none of these.
    fn like(&self, file: &OpenFile, none_of: &[Arc<OpenFile>]) -> Option<Arc<OpenFile>> {
        let mut open = self.open.values().filter_map(Weak::upgrade);
        open.find(|open| open.is_like(file) && !none_of.iter().any(|not| Arc::ptr_eq(not, open)))
    }
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
    /// More entries than anybody keeps; ends where links make a maze.
    const MOST: usize = 100_000;
    fn walk(
        folder: &Path,
        name: &str,
        endings: &[&str],
        depth: usize,
        seen: &mut usize,
        found: &mut Vec<String>,
    ) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            *seen += 1;
            if *seen > MOST {
                break;
            }
            let path = entry?.path();
            let Some(own) = path.file_name().and_then(|own| own.to_str()) else { continue };
            let name = if name.is_empty() { own.to_owned() } else { format!("{name}/{own}") };
            if path.is_dir() && depth < DEEPEST {
                // A subfolder that cannot be read hides only itself.
                let _ = walk(&path, &name, endings, depth + 1, seen, found);
            } else if path.is_file() && has_ending(&path, endings) {
                found.push(name);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    let _ = walk(root, "", endings, 0, &mut 0, &mut found);
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use berth_memory::offload::mode;
    use berth_memory::{AllocationId, Limits, OffloadModeName};

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

    /// A file of two tensors; the last number of the second is given.
    fn write(path: &Path, last: f32) {
        let header = r#"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[1024],"data_offsets":[16,4112]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        let numbers = (0..1027u16).map(f32::from).chain([last]);
        bytes.extend(numbers.flat_map(f32::to_le_bytes));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Two model folders, and the memory that their tensors are in.
    struct Shop {
        root: tempfile::TempDir,
        folders: ModelFolders,
        compute: Compute,
        account: Account,
    }

    impl Shop {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let folders = ModelFolders::new(vec![root.path().join("1"), root.path().join("2")]);
            let limits = Limits { device: 1 << 20, host: 1 << 20 };
            let compute = Compute::new(limits, mode(OffloadModeName::Balanced));
            let account = compute.memory().account("a");
            Self { root, folders, compute, account }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.root.path().join(name)
        }

        fn open(&self, label: &str, account: &Account) -> Arc<Model> {
            let cancel = Cancel::new();
            self.folders.open("vae", label, &self.compute, account, &cancel).unwrap()
        }

        /// Which allocation the second tensor of a model is.
        fn second(&self, label: &str) -> (AllocationId, Arc<Model>) {
            let model = self.open(label, &self.account);
            (model.weight("b").unwrap().handle().id(), model)
        }

        fn hashed(&self) -> usize {
            self.folders.known().hashes.len()
        }
    }

    const EXAMPLE: &str = "x.safetensors";

    /// A GGUF file of a value and two tensors, whose bytes count from 1 and from 101.
    fn write_gguf(path: &Path) {
        let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let number = |number: u32| number.to_le_bytes().to_vec();
        let long = |number: u64| number.to_le_bytes().to_vec();
        let parts = [
            [b"GGUF".to_vec(), number(3), long(2), long(1)].concat(),
            [text("general.name"), number(8), text("tiny")].concat(),
            // 2 × 32 elements of q4_0, and 3 of f32.
            [text("q"), number(2), long(32), long(2), number(2), long(0)].concat(),
            [text("f"), number(1), long(3), number(0), long(64)].concat(),
        ];
        let mut bytes = parts.concat();
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(1..=36_u8);
        bytes.extend([0; 28]);
        bytes.extend(101..=112_u8);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn the_weights_of_a_gguf_file_are_its_bytes() {
        use berth_compute::DType;
        let shop = Shop::new();
        write_gguf(&shop.path("1/vae/x.gguf"));
        assert_eq!(shop.folders.labels("vae"), ["x.gguf"]);
        let model = shop.open("x.gguf", &shop.account);
        assert_eq!(model.metadata()["general.name"], "tiny");
        assert_eq!(model.info("q"), Some((DType::Q4_0, &[2, 32][..])));
        for (key, first, length) in [("q", 1, 36), ("f", 101, 12)] {
            let weight = model.weight(key).unwrap();
            let mut bytes = vec![0; length];
            weight.read(0, &mut bytes).unwrap();
            assert!(bytes.iter().copied().eq((first..).take(length)), "{key}: {bytes:?}");
            assert_eq!(weight.bytes(), length as u64);
        }
    }

    #[test]
    fn a_header_longer_than_the_first_read_is_read_to_its_end() {
        let shop = Shop::new();
        let path = shop.path("1/vae/x.safetensors");
        let text = "y".repeat(300_000);
        let header = format!(r#"{{"__metadata__":{{"x":"{text}"}}}}"#);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(shop.open(EXAMPLE, &shop.account).metadata()["x"], text);
    }

    #[test]
    fn a_file_is_not_hashed_without_another_that_may_be_the_same() {
        let shop = Shop::new();
        write(&shop.path("1/vae/x.safetensors"), 1.0);
        let (first, _model) = shop.second(EXAMPLE);
        let (again, _again) = shop.second(EXAMPLE);
        assert_eq!((first, shop.hashed()), (again, 0));
    }

    #[test]
    fn a_copy_is_the_same_model_whatever_it_is_called_and_wherever_it_is() {
        let shop = Shop::new();
        for file in ["1/vae/x.safetensors", "1/vae/sub/y.safetensors", "2/vae/z.safetensors"] {
            write(&shop.path(file), 1.0);
        }
        let (first, _model) = shop.second(EXAMPLE);
        for label in ["sub/y.safetensors", "z.safetensors"] {
            let (other, model) = shop.second(label);
            assert_eq!((other, model.label()), (first, label));
        }
        assert_eq!((shop.compute.memory().stats().allocations, shop.hashed()), (1, 3));
    }

    #[test]
    fn a_bit_makes_another_model() {
        let shop = Shop::new();
        write(&shop.path("1/vae/x.safetensors"), 1.0);
        write(&shop.path("1/vae/y.safetensors"), f32::from_bits(1.0f32.to_bits() ^ 1));
        let (first, _model) = shop.second(EXAMPLE);
        let (other, _other) = shop.second("y.safetensors");
        assert_ne!(first, other);
        // A third like the second finds it among those that are open.
        write(&shop.path("1/vae/z.safetensors"), f32::from_bits(1.0f32.to_bits() ^ 1));
        assert_eq!(shop.second("z.safetensors").0, other);
    }

    #[test]
    fn everyone_who_holds_a_model_is_charged_in_full_for_it() {
        let shop = Shop::new();
        write(&shop.path("1/vae/x.safetensors"), 1.0);
        write(&shop.path("1/vae/y.safetensors"), 1.0);
        let memory = shop.compute.memory();
        let other = memory.account("b");
        let held = [
            shop.open(EXAMPLE, &shop.account),
            shop.open("y.safetensors", &shop.account),
            shop.open("y.safetensors", &other),
        ];
        for model in &held {
            let weight = model.weight("b").unwrap();
            memory.restore(&other, &[weight.handle()], &Cancel::new()).unwrap();
        }
        assert_eq!(memory.stats().tiers.device.used, 4096);
        assert_eq!(memory.charge(&shop.account).device, 4096);
        assert_eq!(memory.charge(&other).device, 4096);
        drop(held);
        assert_eq!(memory.charge(&other).device, 0);
        assert_eq!(memory.stats().allocations, 0);
    }

    #[test]
    fn a_file_that_was_replaced_is_another_model_and_a_deleted_one_stays() {
        let shop = Shop::new();
        let path = shop.path("1/vae/x.safetensors");
        write(&path, 1.0);
        let (first, model) = shop.second(EXAMPLE);
        std::fs::remove_file(&path).unwrap();
        write(&path, 2.0);
        let (second, _replaced) = shop.second(EXAMPLE);
        assert_ne!(first, second);
        let mut last = [0; 4];
        model.weight("b").unwrap().read(4092, &mut last).unwrap();
        assert_eq!(f32::from_le_bytes(last), 1.0, "what was open stays what it was");
    }

    #[test]
    fn a_file_that_was_rewritten_in_place_says_so_and_is_another_model() {
        let shop = Shop::new();
        let path = shop.path("1/vae/x.safetensors");
        write(&path, 1.0);
        let (first, model) = shop.second(EXAMPLE);
        write(&path, 2.0);
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(9))
            .unwrap();
        let (second, _rewritten) = shop.second(EXAMPLE);
        assert_ne!(first, second);
        let error = model.weight("b").unwrap().read(0, &mut [0; 4]).unwrap_err().to_string();
        assert!(error.contains("x.safetensors"), "{error}");
    }

    #[test]
    fn copies_that_are_opened_at_the_same_time_are_one_model() {
        let shop = Shop::new();
        let labels: Vec<_> = (0..8).map(|i| format!("{i}.safetensors")).collect();
        for label in &labels {
            write(&shop.path("1/vae").join(label), 1.0);
        }
        let together = std::sync::Barrier::new(labels.len());
        let models: Vec<_> = std::thread::scope(|threads| {
            let open = |label| {
                let (shop, together) = (&shop, &together);
                threads.spawn(move || {
                    together.wait();
                    shop.second(label)
                })
            };
            let opening: Vec<_> = labels.iter().map(|label| open(label)).collect();
            opening.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(models.iter().all(|(id, _)| *id == models[0].0), "{models:?}");
        assert_eq!(shop.compute.memory().stats().allocations, 1);
    }
}

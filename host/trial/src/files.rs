//! Files as inputs: images, `.npy` and `.safetensors`.
//!
//! What a file is, its ending says. Nothing is converted on the way: an array has the type and shape
//! that the file has, and what a wire makes of it is decided elsewhere.

use std::path::{Path, PathBuf};

use berth_compute::DType;
use berth_sandbox::text::{enumerate, nearest, plain};
pub(crate) use berth_sandbox::whole::read as bounded;
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

use crate::array::Array;
use crate::bench::Bench;
use crate::error::Error;
use crate::fault::Fault;
use crate::npy;

/// Largest file of arrays, in bytes.
const LARGEST: u64 = 2 << 30;

/// Endings of files that the stock node `LoadImage` reads.
const IMAGES: [&str; 6] = ["png", "jpg", "jpeg", "webp", "bmp", "gif"];

/// What a file is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Image,
    Npy,
    /// With the tensor's key, if one is given.
    Safetensors(Option<String>),
}

/// Which file a text names, and what it is; `None` if it names none of a kind that is read.
pub(crate) fn named(text: &str) -> Option<(PathBuf, Kind)> {
    if let Some((path, key)) = text.split_once(".safetensors#") {
        return Some((format!("{path}.safetensors").into(), Kind::Safetensors(Some(key.into()))));
    }
    let path = Path::new(text);
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let kind = match ending.as_str() {
        "npy" => Kind::Npy,
        "safetensors" => Kind::Safetensors(None),
        ending if IMAGES.contains(&ending) => Kind::Image,
        _ => return None,
    };
    Some((path.to_owned(), kind))
}

/// What is told where a file is expected.
pub(crate) const KINDS: &str =
    "a file: photo.png (also jpg, webp, bmp, gif), x.npy, or x.safetensors#key";

/// Reads a file.
pub(crate) fn read(bench: &Bench, path: &Path, kind: &Kind) -> Result<Array, Error> {
    if *kind == Kind::Image {
        return bench.load_image(path);
    }
    let file =
        bounded(path, LARGEST).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    match kind {
        Kind::Safetensors(key) => safetensor(&file, key.as_deref()),
        _ => npy::read(bench.compute(), &file),
    }
    .map_err(|fault| Error::of_file(path, fault))
}

fn safetensor(file: &[u8], key: Option<&str>) -> Result<Array, Fault> {
    let file = SafeTensors::deserialize(file)
        .map_err(|error| Fault::new(format!("this is no usable .safetensors file: {error}")))?;
    let names = file.names();
    let key = match (key, names.as_slice()) {
        (Some(key), _) => key,
        (None, [only]) => only,
        (None, _) => {
            let known = enumerate(names.iter().copied());
            return Err(Fault::new(format!("it has {} tensors: {known}", names.len()))
                .hint("say which: FILE.safetensors#KEY"));
        }
    };
    let view = file.tensor(key).map_err(|_| {
        let known = enumerate(names.iter().copied());
        let fault = Fault::new(format!("it has no tensor `{}`; it has {known}", plain(key)));
        match nearest(key, names.iter().copied()) {
            Some(near) => fault.hint(format!("did you mean `{}`?", plain(near))),
            None => fault,
        }
    })?;
    let dtype = match view.dtype() {
        Dtype::U8 => DType::U8,
        Dtype::U32 => DType::U32,
        Dtype::I32 => DType::I32,
        Dtype::I64 => DType::I64,
        Dtype::F16 => DType::F16,
        Dtype::BF16 => DType::BF16,
        Dtype::F32 => DType::F32,
        Dtype::F64 => DType::F64,
        Dtype::F8_E4M3 => DType::F8E4M3,
        Dtype::F8_E5M2 => DType::F8E5M2,
        other => {
            return Err(Fault::new(format!("its elements are {other:?}, which no tensor has"))
                .hint("convert it first"));
        }
    };
    Ok(Array { dtype, shape: view.shape().to_vec(), bytes: view.data().to_vec() })
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    fn file(tensors: &[(&str, Dtype, &[u8])]) -> Vec<u8> {
        let views = tensors.iter().map(|(name, dtype, bytes)| {
            let size = dtype.bitsize() / 8;
            (*name, TensorView::new(*dtype, vec![bytes.len() / size], bytes).unwrap())
        });
        safetensors::serialize(views, None).unwrap()
    }

    #[test]
    fn a_name_says_what_a_file_is() {
        let named = |text| named(text).map(|(path, kind)| (path.display().to_string(), kind));
        assert_eq!(named("a/b.PNG"), Some(("a/b.PNG".into(), Kind::Image)));
        assert_eq!(named("x.npy"), Some(("x.npy".into(), Kind::Npy)));
        let keyed = Kind::Safetensors(Some("a.b".into()));
        assert_eq!(named("x.safetensors#a.b"), Some(("x.safetensors".into(), keyed)));
        assert_eq!(named("x.safetensors"), Some(("x.safetensors".into(), Kind::Safetensors(None))));
        assert_eq!(named("a cat.txt"), None);
        assert_eq!(named("png"), None);
    }

    #[test]
    fn one_tensor_needs_no_key_and_a_wrong_key_names_the_nearest() {
        let one = file(&[("weight", Dtype::U8, &[1, 2])]);
        assert_eq!(safetensor(&one, None).unwrap().bytes, [1, 2]);
        let two = file(&[("weight", Dtype::U8, &[1, 2]), ("bias", Dtype::U8, &[3])]);
        assert_eq!(safetensor(&two, Some("bias")).unwrap().bytes, [3]);
        let fault = safetensor(&two, None).unwrap_err();
        assert!(fault.message.contains("2 tensors") && fault.hint.unwrap().contains("#KEY"));
        let fault = safetensor(&two, Some("wieght")).unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("did you mean `weight`?"));
    }

    #[test]
    fn what_is_no_tensor_of_ours_is_refused() {
        let booleans = file(&[("x", Dtype::BOOL, &[1])]);
        assert!(safetensor(&booleans, None).unwrap_err().message.contains("BOOL"));
        assert!(safetensor(b"", None).is_err());
        assert!(safetensor(&[0xff; 64], None).is_err());
        assert!(bounded(Path::new("/dev/zero"), 5).is_err());
    }
}

//! Where inputs are made and outputs looked at, apart from the host that is tried.
//!
//! A trial may have a device of a few kilobytes, and what its inputs are made with must not meet that
//! limit. So there is a second memory, with room for everything, and in it a second sandbox with the
//! stock nodes for image files: their decoders see files from anywhere, and run where they can do no harm.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use berth_compute::{Compute, DType, Generator, Scope};
use berth_memory::{Cancel, OffloadModeName, Setup, offload};
use berth_sandbox::rights::Grants;
use berth_sandbox::{
    Artifact, Compiler, Folders, Manifest, ModelFolders, NodeEvents, Plugin, Policy, RunContext,
    STACK_SIZE, Sandbox, SandboxError, Value,
};
use berth_workflow::default_limits;
use tempfile::TempDir;

use crate::array::{Array, check_number};
use crate::error::Error;
use crate::fault::Fault;
use crate::files;

/// The stock plugin with the nodes for image files.
const IMAGES: &str = "image";

/// Most bytes that are made for one input: what the largest images and latents take many times.
const MOST: u64 = 2 << 30;

/// Largest image file, in bytes: the host's own bound.
const LARGEST_IMAGE: u64 = 256 << 20;

/// Makes arrays, and reads and writes images.
pub struct Bench {
    compute: Compute,
    scope: Scope,
    compiled_cache: Option<PathBuf>,
    compiler: Compiler,
    /// Started when the first image comes.
    codec: Mutex<Option<Codec>>,
}

/// The stock nodes for image files, and the folders that they see.
struct Codec {
    plugin: Arc<Plugin>,
    folder: TempDir,
}

impl Bench {
    /// A bench. Plugins are compiled as a host is told to.
    #[must_use]
    pub fn new(compiled_cache: Option<PathBuf>, compiler: Compiler) -> Self {
        let limits = default_limits(None, None);
        let compute = Compute::with(Setup::new(limits, offload::mode(OffloadModeName::Planned)));
        let account = compute.memory().account("bench");
        let scope = Scope { account, cancel: Cancel::new(), call: None };
        Self { compute, scope, compiled_cache, compiler, codec: Mutex::default() }
    }

    /// What checks shapes.
    pub(crate) fn compute(&self) -> &Compute {
        &self.compute
    }

    /// Whether there can be a tensor of this type and shape, and it is made here.
    pub(crate) fn check_shape(&self, dtype: DType, shape: &[usize]) -> Result<(), Fault> {
        let bytes = self.compute.checked_bytes(dtype, shape);
        let bytes = bytes.map_err(|error| Fault::new(error.to_string()))?;
        if bytes > MOST {
            let message = format!("{dtype} {shape:?} takes {bytes} bytes, more than {MOST}");
            return Err(Fault::new(message).hint("write a smaller shape"));
        }
        Ok(())
    }

    /// Every element the same.
    pub(crate) fn full(&self, dtype: DType, shape: &[usize], value: f64) -> Result<Array, Error> {
        self.check_shape(dtype, shape).map_err(Error::of_input)?;
        check_number(dtype, value).map_err(|reason| Error::of_input(Fault::new(reason)))?;
        Ok(Array::of(&self.compute.full(&self.scope, dtype, shape, value)?)?)
    }

    /// PyTorch's standard normals.
    pub(crate) fn normal(&self, seed: u64, shape: &[usize]) -> Result<Array, Error> {
        self.check_shape(DType::F32, shape).map_err(Error::of_input)?;
        Ok(Array::of(&self.compute.normal(&self.scope, &mut Generator::seeded(seed), shape)?)?)
    }

    /// PyTorch's uniforms in [0, 1).
    pub(crate) fn uniform(&self, seed: u64, shape: &[usize]) -> Result<Array, Error> {
        self.check_shape(DType::F32, shape).map_err(Error::of_input)?;
        Ok(Array::of(&self.compute.uniform(&self.scope, &mut Generator::seeded(seed), shape)?)?)
    }

    /// The same numbers in another type.
    pub(crate) fn cast(&self, array: &Array, dtype: DType) -> Result<Array, Error> {
        if array.dtype == dtype {
            return Ok(array.clone());
        }
        let tensor = array.clone().tensor(&self.compute, &self.scope)?;
        Ok(Array::of(&self.compute.cast(&self.scope, &tensor, dtype)?)?)
    }

    /// An array in a type whose elements have values of their own.
    pub(crate) fn dense(&self, array: &Array) -> Result<Array, Error> {
        match array.dtype {
            DType::F8E4M3 | DType::F8E5M2 => self.cast(array, DType::F32),
            dtype if dtype.is_quantized() => self.cast(array, DType::F32),
            _ => Ok(array.clone()),
        }
    }

    /// An image file as `f32` [batch, height, width, 3], 0…1, by the stock node `LoadImage`.
    pub(crate) fn load_image(&self, path: &Path) -> Result<Array, Error> {
        let bytes = files::bounded(path, LARGEST_IMAGE)
            .map_err(|source| Error::Read { path: path.to_owned(), source })?;
        self.with_codec(|codec| {
            // Only messages show the name.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = berth_sandbox::text::plain(&name).replace(['/', '\\'], "_");
            let staged = codec.folder.path().join("input").join(&name);
            std::fs::write(&staged, bytes)
                .map_err(|source| Error::Write { path: staged.clone(), source })?;
            let inputs = vec![("image".into(), Value::Text(name.into()))];
            let loaded = codec.run("LoadImage", inputs, Arc::new(Unseen));
            let _ = std::fs::remove_file(&staged);
            match loaded.map_err(|error| refused(path, error))?.first() {
                Some(Value::Tensor(image)) => Ok(Array::of(image)?),
                _ => Err(Error::Host("LoadImage gave no image".into())),
            }
        })
    }

    /// The images of a batch as PNG files, by the stock node `SaveImage`.
    pub(crate) fn save_images(&self, images: &Array) -> Result<Vec<Vec<u8>>, Error> {
        let tensor = images.clone().tensor(&self.compute, &self.scope)?;
        self.with_codec(|codec| {
            let inputs = vec![
                ("images".into(), Value::Tensor(tensor)),
                ("filename_prefix".into(), Value::Text("image".into())),
            ];
            let written = Arc::new(Written::default());
            codec.run("SaveImage", inputs, written.clone())?;
            let files = std::mem::take(&mut *lock(&written.0));
            let folder = codec.folder.path().join("output");
            let read = |file: Artifact| {
                let path = folder.join(&file.subfolder).join(&file.name);
                let bytes = std::fs::read(&path);
                let _ = std::fs::remove_file(&path);
                bytes.map_err(|source| Error::Read { path, source })
            };
            files.into_iter().map(read).collect()
        })
    }

    fn with_codec<T>(&self, work: impl FnOnce(&Codec) -> Result<T, Error>) -> Result<T, Error> {
        let mut codec = lock(&self.codec);
        if codec.is_none() {
            *codec = Some(self.start_codec()?);
        }
        codec.as_ref().map_or_else(|| Err(Error::Host("no codec".into())), work)
    }

    fn start_codec(&self) -> Result<Codec, Error> {
        let failed = |source| Error::System { what: "make a temporary folder", source };
        let folder = tempfile::Builder::new().prefix("berth-").tempdir().map_err(failed)?;
        let place = |name: &str| folder.path().join(name);
        let folders = Folders {
            output: place("output"),
            temporary: place("temporary"),
            input: place("input"),
        };
        std::fs::create_dir(&folders.input).map_err(failed)?;
        let settings = berth_sandbox::Settings {
            compiled_cache: self.compiled_cache.clone(),
            compiler: self.compiler.clone(),
            ..berth_sandbox::Settings::default()
        };
        let models = ModelFolders::new(Vec::new());
        let sandbox = Sandbox::new(self.compute.clone(), models, folders, settings)?;
        let stock = berth_stock_plugins::components().iter().find(|(name, ..)| *name == IMAGES);
        let (name, manifest, component) =
            stock.ok_or_else(|| Error::Host("there is no stock plugin for images".into()))?;
        let manifest = Manifest::parse(name, manifest)?;
        let allowed = manifest.requests.clone();
        let policy =
            Policy { grants: Grants { allowed, ..Grants::default() }, ..Policy::default() };
        let plugin = sandbox.load(name, component, Some(manifest), &policy)?;
        Ok(Codec { plugin, folder })
    }
}

impl Codec {
    fn run(
        &self,
        node: &str,
        inputs: Vec<(String, Value)>,
        events: Arc<dyn NodeEvents>,
    ) -> Result<Vec<Value>, Error> {
        let context = RunContext::new(Cancel::new(), events);
        Ok(on_stack(|| self.plugin.run(node, inputs, &context))??)
    }
}

/// What is wrong with an image's file is not wrong with a plugin.
fn refused(path: &Path, error: Error) -> Error {
    match error {
        Error::Sandbox(error @ SandboxError::Guest { .. }) => {
            let fault = Fault::new(error.to_string())
                .hint("an image is a PNG, JPEG, WebP, BMP or GIF file");
            Error::of_file(path, fault)
        }
        other => other,
    }
}

/// Does something on a thread whose stack has room for guests.
pub(crate) fn on_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Error> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("berth".into()).stack_size(STACK_SIZE);
        let thread = builder
            .spawn_scoped(scope, work)
            .map_err(|source| Error::System { what: "start a thread", source })?;
        thread.join().map_err(|_| Error::Host("a thread panicked".into()))
    })
}

/// Nobody watches.
pub(crate) struct Unseen;

impl NodeEvents for Unseen {}

/// Remembers the files that a node writes.
#[derive(Default)]
struct Written(Mutex<Vec<Artifact>>);

impl NodeEvents for Written {
    fn artifact(&self, artifact: &Artifact) {
        lock(&self.0).push(artifact.clone());
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    pub(crate) fn bench() -> Bench {
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/compiled-for-tests");
        Bench::new(Some(cache), Compiler::default())
    }

    pub(crate) fn compute() -> Compute {
        bench().compute
    }
}

#[cfg(test)]
mod tests {
    use super::testing::bench;
    use super::*;

    #[test]
    fn an_image_comes_back_from_its_file() {
        let bench = bench();
        let image =
            Array::of_numbers(DType::F32, &[1, 1, 2, 3], &[1., 0., 0., 0., 1., 0.]).unwrap();
        let files = bench.save_images(&image).unwrap();
        assert_eq!(files.len(), 1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a picture.png");
        std::fs::write(&path, &files[0]).unwrap();
        assert_eq!(bench.load_image(&path).unwrap(), image);
        std::fs::write(&path, "no picture").unwrap();
        let error = bench.load_image(&path).unwrap_err();
        assert!(error.to_string().contains("a picture.png"), "{error}");
        assert!(error.hint().unwrap().contains("PNG"));
    }

    #[test]
    fn noise_is_pytorchs() {
        // torch.manual_seed(0); torch.rand(1)
        let uniform = bench().uniform(0, &[1]).unwrap();
        assert_eq!(uniform.numbers().unwrap().next(), Some(f64::from(0.496_256_6_f32)));
    }

    #[test]
    fn a_shape_that_nobody_can_hold_is_refused() {
        for shape in [&[1 << 40][..], &[1 << 40, 1 << 40], &[1; 9]] {
            assert!(bench().full(DType::F32, shape, 0.0).is_err(), "{shape:?}");
        }
    }
}

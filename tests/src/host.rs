//! A host with the stock plugins, as the command line makes one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use berth_compute::{Compute, DType, Scope, Tensor};
use berth_memory::{Cancel, Limits, OffloadModeName, Setup, SpillSettings, Stats, Tier};
use berth_sandbox::rights::{Grants, Requests};
use berth_sandbox::{
    DramCache, Folders, FunctionValue, Manifest, ModelFolders, NodeEvents, Plugin, Policy,
    RunContext, RunLimits, Sandbox, SandboxError, Settings, Value,
};

use crate::oracle::{Array, data};

/// The demo model's label.
pub const DEMO: &str = "tiny-sd-digits.safetensors";

/// Bytes of the demo model's weights.
pub const DEMO_WEIGHTS: u64 = 8_229_790;

/// What a host is made with.
#[derive(Clone)]
pub struct Options {
    /// The device limit in bytes.
    pub device: u64,
    /// The host limit in bytes.
    pub host: u64,
    /// The spill limit in bytes; 0 spills nothing.
    pub spill: u64,
    /// What leaves the device when it is full.
    pub mode: OffloadModeName,
    /// Folders of models.
    pub models: Vec<PathBuf>,
    /// Limits on guests.
    pub limits: RunLimits,
}

impl Default for Options {
    /// Room for everything.
    fn default() -> Self {
        Self {
            device: 1 << 30,
            host: 4 << 30,
            spill: 0,
            mode: OffloadModeName::Planned,
            models: vec![data().join("models")],
            limits: RunLimits::default(),
        }
    }
}

/// A host.
pub struct Host {
    sandbox: Arc<Sandbox>,
    plugins: Vec<Arc<Plugin>>,
    scope: Scope,
    context: RunContext,
    limits: RunLimits,
    folder: tempfile::TempDir,
    dram_cache: Arc<DramCache>,
}

/// The values of a loaded checkpoint.
pub struct Checkpoint {
    /// MODEL.
    pub model: Value,
    /// CLIP.
    pub clip: Value,
    /// VAE.
    pub vae: Value,
}

/// Nobody watches.
pub struct Silent;

impl NodeEvents for Silent {}

impl Default for Host {
    fn default() -> Self {
        Self::with(Options::default())
    }
}

impl Host {
    /// A host with the stock plugins.
    pub fn with(options: Options) -> Self {
        let mut host = Self::empty(options);
        for (name, manifest, bytes) in berth_stock_plugins::components() {
            let manifest = Manifest::parse(name, manifest).unwrap();
            host.load_granted(name, bytes, &manifest.requests)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        host
    }

    /// A host without plugins.
    pub fn empty(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits { device: options.device, host: options.host };
        let spill = SpillSettings { folder: folder.path().into(), limit: options.spill };
        let compute = Compute::with(Setup {
            spill: Some(spill),
            ..Setup::new(limits, berth_memory::offload::mode(options.mode))
        });
        let folders = Folders {
            output: folder.path().join("output"),
            temporary: folder.path().join("temporary"),
            input: folder.path().join("input"),
        };
        let cache = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/compiled-for-tests");
        let settings = Settings { compiled_cache: Some(cache), ..Settings::default() };
        let models = ModelFolders::new(options.models);
        let sandbox = Sandbox::new(compute, models, folders, settings).unwrap();
        let cancel = Cancel::new();
        let account = sandbox.compute().memory().account("tests");
        Self {
            scope: Scope { account, cancel: cancel.clone(), call: None },
            context: RunContext::new(cancel, Arc::new(Silent)),
            plugins: Vec::new(),
            dram_cache: sandbox.dram_cache(),
            sandbox,
            limits: options.limits,
            folder,
        }
    }

    /// Loads one more plugin, which requests nothing and is granted nothing.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load(&mut self, name: &str, bytes: &[u8]) -> Result<Arc<Plugin>, SandboxError> {
        self.load_granted(name, bytes, &Requests::default())
    }

    /// Loads one more plugin, which requests these rights and is granted them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load_granted(
        &mut self,
        name: &str,
        bytes: &[u8],
        rights: &Requests,
    ) -> Result<Arc<Plugin>, SandboxError> {
        let grants = Grants { allowed: rights.clone(), ..Grants::default() };
        let policy = Policy { grants, limits: self.limits.clone(), digest: None };
        self.load_under(name, bytes, Some(manifest(name, rights)), &policy)
    }

    /// Loads one more plugin with this manifest, under this policy.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn load_under(
        &mut self,
        name: &str,
        bytes: &[u8],
        manifest: Option<Manifest>,
        policy: &Policy,
    ) -> Result<Arc<Plugin>, SandboxError> {
        let plugin = self.sandbox.load(name, bytes, manifest, policy)?;
        self.plugins.push(plugin.clone());
        Ok(plugin)
    }

    /// The sandbox.
    pub fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    /// The tensors' side.
    pub fn compute(&self) -> &Compute {
        self.sandbox.compute()
    }

    /// The models that memory nodes put aside.
    pub fn dram_cache(&self) -> &DramCache {
        &self.dram_cache
    }

    /// Memory at this moment.
    pub fn stats(&self) -> Stats {
        self.compute().memory().stats()
    }

    /// The test's own account and token.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The run that [`Host::run`] is part of.
    pub fn context(&self) -> &RunContext {
        &self.context
    }

    /// The folder that holds `output`, `temporary` and `input`.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// A loaded plugin.
    pub fn plugin(&self, name: &str) -> &Arc<Plugin> {
        self.plugins.iter().find(|plugin| plugin.name() == name).unwrap()
    }

    /// All loaded plugins.
    pub fn plugins(&self) -> &[Arc<Plugin>] {
        &self.plugins
    }

    /// Sets a plugin's quota on the device.
    pub fn device_quota(&self, plugin: &str, bytes: u64) {
        let account = self.plugin(plugin).account();
        self.compute().memory().set_quota(account, Tier::Device, Some(bytes));
    }

    /// Runs a node of whichever plugin provides it.
    ///
    /// # Errors
    /// What the plugin returns or does wrong.
    pub fn try_run(
        &self,
        node: &str,
        inputs: Vec<(&str, Value)>,
    ) -> Result<Vec<Value>, SandboxError> {
        let provides = |plugin: &&Arc<Plugin>| plugin.node_types().iter().any(|t| t.name == node);
        let plugin = self.plugins.iter().find(provides).unwrap_or_else(|| panic!("no node {node}"));
        let inputs = inputs.into_iter().map(|(name, value)| (name.into(), value)).collect();
        plugin.run(node, inputs, &self.context)
    }

    /// Runs a node that must succeed.
    pub fn run(&self, node: &str, inputs: Vec<(&str, Value)>) -> Vec<Value> {
        self.try_run(node, inputs).unwrap_or_else(|error| panic!("{node}: {error}"))
    }

    /// Loads a checkpoint.
    pub fn checkpoint(&self, label: &str) -> Checkpoint {
        let values = self.run("CheckpointLoaderSimple", vec![("ckpt_name", text(label))]);
        let Ok([model, clip, vae]) = <[Value; 3]>::try_from(values) else {
            panic!("three outputs")
        };
        Checkpoint { model, clip, vae }
    }

    /// Encodes a prompt.
    pub fn encode(&self, clip: &Value, prompt: &str) -> Value {
        self.run("CLIPTextEncode", vec![("clip", clip.clone()), ("text", text(prompt))]).remove(0)
    }

    /// An `f32` tensor.
    pub fn tensor(&self, shape: &[usize], data: &[f32]) -> Value {
        let bytes = bytemuck::cast_slice(data).to_vec();
        Value::Tensor(self.compute().from_bytes(&self.scope, DType::F32, shape, bytes).unwrap())
    }

    /// The numbers of an `f32` tensor.
    pub fn read(&self, value: &Value) -> Array {
        let Value::Tensor(tensor) = value else { panic!("{} is no tensor", value.kind()) };
        Array { shape: tensor.shape().to_vec(), data: floats(tensor) }
    }

    /// Calls a function field of an object, such as MODEL's `denoise`.
    pub fn call(&self, object: &Value, function: &str, arguments: Vec<(&str, Value)>) -> Value {
        let arguments = arguments.into_iter().map(|(name, value)| (name.into(), value)).collect();
        let mut results = self.function(object, function).call(arguments, &self.context).unwrap();
        results.remove(0).1
    }

    /// What one step of the sampler gives a model: batch 2, 8 × 8 latents, 77 tokens.
    pub fn step_inputs(&self) -> Vec<(String, Value)> {
        let ramp = |count: usize| (0..count).map(|i| (i as f32 * 0.7).sin()).collect::<Vec<_>>();
        vec![
            ("latent".into(), self.tensor(&[2, 4, 8, 8], &ramp(512))),
            ("timestep".into(), Value::Number(500.0)),
            ("conditioning".into(), self.tensor(&[2, 77, 64], &ramp(2 * 77 * 64))),
        ]
    }

    /// The bits of what a model says of that noise.
    ///
    /// # Errors
    /// What the model's plugin returns or does wrong.
    pub fn try_step(&self, model: &Value) -> Result<Vec<u32>, SandboxError> {
        let denoise = self.function(model, "denoise");
        let noise = denoise.call(self.step_inputs(), &self.context)?.remove(0).1;
        Ok(self.read(&noise).data.into_iter().map(f32::to_bits).collect())
    }

    /// The same of a model that must succeed.
    pub fn step(&self, model: &Value) -> Vec<u32> {
        self.try_step(model).unwrap()
    }

    /// A function field of an object.
    pub fn function(&self, object: &Value, name: &str) -> Arc<FunctionValue> {
        match field(object, name) {
            Value::Function(function) => function,
            other => panic!("{name} is a {}", other.kind()),
        }
    }

    /// Samples with the demo's settings: 20 steps, cfg 3.
    pub fn sample(&self, checkpoint: &Checkpoint, prompt: &str, seed: u64) -> Value {
        let latent = self.run(
            "EmptyLatentImage",
            vec![
                ("width", Value::Integer(64)),
                ("height", Value::Integer(64)),
                ("batch_size", Value::Integer(1)),
            ],
        );
        self.run(
            "KSampler",
            vec![
                ("model", checkpoint.model.clone()),
                ("positive", self.encode(&checkpoint.clip, prompt)),
                ("negative", self.encode(&checkpoint.clip, "")),
                ("latent_image", latent.into_iter().next().unwrap()),
                ("seed", Value::Integer(seed.into())),
                ("steps", Value::Integer(20)),
                ("cfg", Value::Number(3.0)),
                ("sampler_name", text("dpmpp_2m")),
                ("scheduler", text("karras")),
                ("denoise", Value::Number(1.0)),
            ],
        )
        .remove(0)
    }

    /// The picture of a latent, [1, h, w, 3].
    pub fn decode(&self, checkpoint: &Checkpoint, latent: Value) -> Array {
        let inputs = vec![("samples", latent), ("vae", checkpoint.vae.clone())];
        self.read(&self.run("VAEDecode", inputs)[0])
    }
}

/// A manifest that requests these rights.
pub fn manifest(name: &str, requests: &Requests) -> Manifest {
    let text = format!("name = {name:?}\nversion = \"1.0.0\"\ncontract = \"0.1.0\"");
    Manifest { requests: requests.clone(), ..Manifest::parse(name, &text).unwrap() }
}

/// A text as a value.
pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A field of an object.
pub fn field(object: &Value, name: &str) -> Value {
    let Value::Object(fields) = object else { panic!("{} is no object", object.kind()) };
    fields.get(name).unwrap_or_else(|| panic!("no field {name}")).clone()
}

/// The numbers of an `f32` tensor.
pub fn floats(tensor: &Tensor) -> Vec<f32> {
    assert_eq!(tensor.dtype(), DType::F32);
    let mut data = vec![0.0f32; tensor.shape().iter().product()];
    tensor.read(0, bytemuck::cast_slice_mut(&mut data)).unwrap();
    data
}

/// Remembers what nodes say.
#[derive(Default)]
pub struct Heard(pub Mutex<Vec<String>>);

impl NodeEvents for Heard {
    fn progress(&self, value: u32, total: u32) {
        self.0.lock().unwrap().push(format!("{value}/{total}"));
    }

    fn text(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }

    fn log(&self, _: berth_sandbox::Level, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

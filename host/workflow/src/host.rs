//! A runner with everything around it: memory, a sandbox, models, folders and plugins.
//!
//! A plugin is named by the operator, or after its file ([`Sources`]), and that name is who it
//! is: quotas and messages go by it, and what it says of itself plays no part. A plugin of the
//! operator's that cannot be loaded is noted and left out, since one broken file should not keep
//! workflows that do without it from running.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use berth_compute::Compute;
use berth_memory::{
    Limits, OffloadModeName, PerTier, Recording, Rules, Setup, SpillSettings, Stats, Tier,
    Watermarks, offload,
};
use berth_sandbox::rights::{Denied, Grants};
use berth_sandbox::{
    Compiler, Digest, DramCache, Enforcement, Folders, Manifest, ModelFolders, Plugin, Policy,
    RunLimits, Sandbox, SandboxError,
};
use indexmap::IndexMap;

use crate::error::WorkflowError;
use crate::machine::{RamGauge, default_headroom, default_limits, total_memory};
use crate::registry::{NodeProvider, Registry};
use crate::release::Release;
use crate::runner::Runner;
use crate::sources::{Source, Sources};
use crate::text::{enumerate, nearest, plain};

/// A plugin that comes with the host: its name, its manifest and its component.
pub type Stock<'a> = (&'a str, &'a str, &'a [u8]);

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How much there is of each tier.
    pub limits: Limits,
    /// What stays on the device.
    pub offload: OffloadModeName,
    /// For the balanced mode.
    pub watermarks: Watermarks,
    /// Which models stay or go whatever the mode says.
    pub rules: Rules,
    /// Where dirty bytes go when the host is full; `None` keeps them in memory.
    pub spill: Option<SpillSettings>,
    /// DRAM that is left to other programs, in bytes.
    pub headroom: u64,
    /// What becomes of a node's outputs when they were used.
    pub release: Release,
    /// Folders of models.
    pub models: Vec<PathBuf>,
    /// Folders of plugins, beside the stock ones.
    pub plugins: Vec<PathBuf>,
    /// Where nodes find and leave files.
    pub folders: Folders,
    /// What a run of a plugin may take, of which nothing else was decided.
    pub limits_of_runs: RunLimits,
    /// What was decided about single plugins, by name.
    pub decided: IndexMap<String, Decided>,
    /// Whether rights that are missing are refused.
    pub enforcement: Enforcement,
    /// The folder for compiled code; `None` compiles anew each time.
    pub compiled_cache: Option<PathBuf>,
    /// Where plugins are compiled.
    pub compiler: Compiler,
    /// How many results of nodes are kept for later runs.
    pub cached_results: usize,
}

impl Settings {
    /// Settings for these folders, with the machine's own limits and defaults for the rest.
    #[must_use]
    pub fn new(folders: Folders) -> Self {
        Self {
            limits: default_limits(None, None),
            offload: OffloadModeName::Planned,
            watermarks: Watermarks::default(),
            rules: Rules::default(),
            spill: None,
            headroom: default_headroom(total_memory()),
            release: Release::default(),
            models: Vec::new(),
            plugins: Vec::new(),
            folders,
            limits_of_runs: RunLimits::default(),
            decided: IndexMap::new(),
            enforcement: Enforcement::Enforce,
            compiled_cache: None,
            compiler: Compiler::default(),
            cached_results: 0,
        }
    }

    /// What a plugin may do, and what its runs may take.
    pub(crate) fn policy(&self, name: &str) -> Policy {
        let default = || Policy { limits: self.limits_of_runs.clone(), ..Policy::default() };
        self.decided.get(name).map_or_else(default, |decided| decided.policy.clone())
    }
}

/// What was decided about one plugin.
#[derive(Debug, Clone, Default)]
pub struct Decided {
    /// Where it is, if not in a plugin folder: a component, or a folder with its manifest.
    pub path: Option<PathBuf>,
    /// What it may do, and what its runs may take.
    pub policy: Policy,
    /// What it may take of the memory.
    pub share: Share,
    /// Whether `berth.lock` says where it is and pins it.
    pub locked: bool,
}

/// What a plugin may take of the memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Its parts of the device among all plugins; 1 unless given.
    pub weight: Option<u32>,
    /// Bytes of the device that it keeps while others need room, instead of its weight.
    pub soft: Option<u64>,
    /// The most that it may ever take of each tier, in bytes.
    pub quota: PerTier<Option<u64>>,
}

impl Share {
    /// Has it hold for a plugin.
    pub(crate) fn apply(&self, sandbox: &Sandbox, plugin: &Plugin) {
        let memory = sandbox.compute().memory();
        for tier in Tier::ALL {
            memory.set_quota(plugin.account(), tier, *self.quota.get(tier));
        }
        memory.set_share(plugin.account(), self.weight.unwrap_or(1), self.soft);
    }
}

/// A plugin that could not be loaded.
#[derive(Debug)]
pub struct BrokenPlugin {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Why.
    pub error: WorkflowError,
}

/// The plugins of a host.
#[derive(Clone, Default)]
pub(crate) struct Loaded {
    /// Those that run, the stock ones first.
    pub(crate) plugins: Vec<Arc<Plugin>>,
    /// Those that could not be loaded.
    pub(crate) broken: Vec<Arc<BrokenPlugin>>,
}

/// A runner with everything around it.
pub struct Host {
    pub(crate) runner: Runner,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) loaded: Mutex<Loaded>,
    /// Held by whoever looks for other plugins.
    pub(crate) refreshing: Mutex<()>,
    pub(crate) settings: Settings,
    /// How many of the plugins came with the host.
    pub(crate) stock: usize,
    /// Models that nodes put aside live as long as the host.
    _dram_cache: Arc<DramCache>,
}

impl Host {
    /// Starts a host with the stock plugins, as names and components, and those of the
    /// operator's folders. Blocks: plugins are compiled.
    ///
    /// # Errors
    /// `PluginFolder`, `PluginFile` and `NotOneComponent` for what the operator named,
    /// `DuplicatePlugin`, `DuplicateNodeType`, `UnknownPlugin` for a quota or a grant, and `Sandbox`
    /// when the engine does not start or a stock plugin does not load.
    pub fn open(settings: Settings, stock: &[Stock<'_>]) -> Result<Self, WorkflowError> {
        Self::start(settings, stock, Compute::with, |plugin| Arc::new(plugin.clone()))
    }

    /// A host that computes with what `compute` gives, and runs nodes through what
    /// `provider` makes of their plugins.
    pub(crate) fn start(
        settings: Settings,
        stock: &[Stock<'_>],
        compute: fn(Setup) -> Compute,
        provider: impl Fn(&Arc<Plugin>) -> Arc<dyn NodeProvider>,
    ) -> Result<Self, WorkflowError> {
        let sandbox = sandbox(&settings, compute)?;
        let mut plugins = Vec::new();
        let mut registry = Registry::new();
        let mut origins: IndexMap<String, String> = IndexMap::new();
        for &(name, manifest, component) in stock {
            origins.insert(name.to_owned(), "a stock plugin".into());
            let manifest = Manifest::parse(&format!("the manifest of `{name}`"), manifest)
                .map_err(SandboxError::from)?;
            // They come with the host, and get what they request.
            let mut policy = settings.policy(name);
            policy.grants = Grants { allowed: manifest.requests.clone(), ..policy.grants };
            let plugin = sandbox.load(name, component, Some(manifest), &policy)?;
            registry.add(provider(&plugin))?;
            plugins.push(plugin);
        }
        let Sources { found, mut broken } = Sources::find(&settings.plugins, &settings.decided)?;
        for source in found {
            let (name, path) = (source.name.clone(), source.component.clone());
            let origin = path.display().to_string();
            if let Some(first) = origins.insert(name.clone(), origin.clone()) {
                return Err(WorkflowError::DuplicatePlugin { name, first, second: origin });
            }
            let loaded = load(&sandbox, &source, &settings, None);
            // One that is in another's way is left out, like any that cannot be loaded.
            match loaded.and_then(|plugin| registry.add(provider(&plugin)).map(|()| plugin)) {
                Ok(plugin) => plugins.push(plugin),
                Err(error) => broken.push(BrokenPlugin { name, path, error }),
            }
        }
        for plugin in &broken {
            registry.add_broken(&plugin.name);
        }
        for (name, decided) in &settings.decided {
            let Some(plugin) = plugins.iter().find(|plugin| plugin.name() == name) else {
                // One that is broken is there too: it may be broken for want of a grant.
                if broken.iter().any(|plugin| plugin.name == *name) {
                    continue;
                }
                let loaded = plugins.iter().map(|plugin| plugin.name());
                let known: Vec<&str> =
                    loaded.chain(broken.iter().map(|plugin| plugin.name.as_str())).collect();
                return Err(unknown_plugin(name, &known));
            };
            decided.share.apply(&sandbox, plugin);
        }
        let runner = Runner::new(registry, settings.cached_results, settings.release);
        let _dram_cache = sandbox.dram_cache();
        let stock = stock.len();
        let broken = broken.into_iter().map(Arc::new).collect();
        let loaded = Mutex::new(Loaded { plugins, broken });
        let refreshing = Mutex::new(());
        Ok(Self { runner, sandbox, loaded, refreshing, settings, stock, _dram_cache })
    }

    /// What checks and runs workflows.
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// The plugins that there are now, the stock ones first.
    #[must_use]
    pub fn plugins(&self) -> Vec<Arc<Plugin>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).plugins.clone()
    }

    /// The plugins that could not be loaded.
    #[must_use]
    pub fn broken(&self) -> Vec<Arc<BrokenPlugin>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).broken.clone()
    }

    /// What was denied to plugins so far, and how often.
    pub fn denials(&self) -> Vec<(String, Denied, u64)> {
        self.sandbox.denials().counted()
    }

    /// The folders that nodes use.
    pub fn folders(&self) -> &Folders {
        self.sandbox.folders()
    }

    /// Begins to record what happens to memory, up to this many events.
    pub fn record(&self, most: usize) {
        self.sandbox.compute().memory().record(most);
    }

    /// Ends recording, and gives what was recorded.
    #[must_use]
    pub fn recording(&self) -> Recording {
        self.sandbox.compute().memory().recording()
    }

    /// How memory stands.
    pub fn memory(&self) -> Stats {
        self.sandbox.compute().memory().stats()
    }
}

pub(crate) fn sandbox(
    settings: &Settings,
    compute: fn(Setup) -> Compute,
) -> Result<Arc<Sandbox>, SandboxError> {
    let compute = compute(Setup {
        rules: settings.rules.clone(),
        spill: settings.spill.clone(),
        gauge: Some(Box::new(RamGauge::new())),
        headroom: settings.headroom,
        ..Setup::new(settings.limits, offload::mode_with(settings.offload, settings.watermarks))
    });
    Sandbox::new(
        compute,
        ModelFolders::new(settings.models.clone()),
        settings.folders.clone(),
        berth_sandbox::Settings {
            compiled_cache: settings.compiled_cache.clone(),
            compiler: settings.compiler.clone(),
            enforcement: settings.enforcement,
        },
    )
}

/// Loads a plugin that was found, in the place of an old one if there is one.
pub(crate) fn load(
    sandbox: &Arc<Sandbox>,
    source: &Source,
    settings: &Settings,
    old: Option<&Plugin>,
) -> Result<Arc<Plugin>, WorkflowError> {
    let (component, manifest) = (source.read()?, source.manifest()?);
    let policy = settings.policy(&source.name);
    if let Some(decided) = settings.decided.get(&source.name)
        && let Some(locked) = policy.digest.filter(|_| decided.locked)
    {
        source.check_lock(locked, Digest::of(&component))?;
    }
    Ok(sandbox.load_instead(old, &source.name, &component, manifest, &policy)?)
}

fn unknown_plugin(name: &str, known: &[&str]) -> WorkflowError {
    WorkflowError::UnknownPlugin {
        name: plain(name).into(),
        known: enumerate(known.iter().copied()),
        nearest: nearest(name, known.iter().copied()).map(str::to_owned),
    }
}

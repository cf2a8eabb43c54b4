//! The WebAssembly engine and everything that all plugins share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use berth_compute::Compute;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::audit::Denials;
use crate::compile::Compiler;
use crate::dram::DramCache;
use crate::error::SandboxError;
use crate::files::Folders;
use crate::load::Loaded;
use crate::models::ModelFolders;
use crate::policy::Enforcement;

/// How often a running guest is looked at, and so how late a cancellation or
/// a deadline can strike.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How many instances may live at once: nodes that run, times the depth of the
/// function calls they are in. More wait in no queue; they fail.
const INSTANCES: u32 = 512;

/// What the operator decides for all plugins.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Where compiled code is kept; `None` compiles anew each time.
    pub compiled_cache: Option<PathBuf>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Whether rights that are missing are refused.
    pub enforcement: Enforcement,
}

/// Loads plugins, and holds what their runs share.
#[derive(Debug)]
pub struct Sandbox {
    pub(crate) engine: Engine,
    /// Whether the engine pools instances, and so which code fits it.
    pub(crate) pooling: bool,
    compute: Compute,
    models: ModelFolders,
    folders: Folders,
    settings: Settings,
    dram: Mutex<Weak<DramCache>>,
    pub(crate) loaded: Mutex<Loaded>,
    pub(crate) denials: Denials,
}

impl Sandbox {
    /// Starts an engine.
    ///
    /// # Errors
    /// [`SandboxError::Engine`] where the machine cannot run compiled code.
    pub fn new(
        compute: Compute,
        models: ModelFolders,
        folders: Folders,
        settings: Settings,
    ) -> Result<Arc<Self>, SandboxError> {
        let (engine, pooling) = Engine::new(&pooling_config())
            .map(|engine| (engine, true))
            // Pooling reserves address space for every slot; under a limit on that
            // (`ulimit -v`), instances are made one by one, at twice the time.
            .or_else(|_| Engine::new(&code_config(false)).map(|engine| (engine, false)))
            .map_err(|error| SandboxError::Engine(format!("{error:#}")))?;
        tick(&engine)?;
        Ok(Arc::new(Self {
            engine,
            pooling,
            compute,
            models,
            folders,
            settings,
            dram: Mutex::default(),
            loaded: Mutex::default(),
            denials: Denials::default(),
        }))
    }

    /// The tensors' side.
    pub fn compute(&self) -> &Compute {
        &self.compute
    }

    /// The model folders.
    pub fn models(&self) -> &ModelFolders {
        &self.models
    }

    /// The folders for files.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The cache that plugins with the right `memory` keep models in. It lives as long as
    /// what this gives does: without an owner, nothing is kept.
    pub fn dram_cache(&self) -> Arc<DramCache> {
        let mut known = self.dram.lock().unwrap_or_else(PoisonError::into_inner);
        known.upgrade().unwrap_or_else(|| {
            let cache = Arc::default();
            *known = Arc::downgrade(&cache);
            cache
        })
    }

    /// What was denied to plugins of this sandbox.
    pub fn denials(&self) -> &Denials {
        &self.denials
    }

    /// What the operator decided.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// What machine code depends on, for an engine that pools instances or one that does not.
pub(crate) fn code_config(pooling: bool) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    if !pooling {
        // Memories as large as they are, checked at each access, where address space is scarce.
        config.memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(1 << 20);
    }
    config
}

fn pooling_config() -> Config {
    // Sizes fit the largest language runtime that was measured, several times over.
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES * 4)
        .total_memories(INSTANCES)
        .total_tables(INSTANCES * 2)
        .max_component_instance_size(1 << 20)
        .max_core_instance_size(1 << 20)
        .max_core_instances_per_component(64)
        .max_memories_per_component(4)
        .max_memories_per_module(4)
        .max_tables_per_component(4)
        .max_tables_per_module(4)
        .table_elements(20_000)
        // Zeroing this much is cheaper than giving the pages back and faulting them in.
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(16 << 10);
    let mut config = code_config(true);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Advances the engine's epoch until the engine is gone.
fn tick(engine: &Engine) -> Result<(), SandboxError> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("berth-epoch".into())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })
        .map_err(|error| SandboxError::Engine(error.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hash::{DefaultHasher, Hash, Hasher};

    #[test]
    fn a_compiler_that_reserves_nothing_makes_code_for_an_engine_that_pools() {
        let code = |config: &Config| {
            let mut hasher = DefaultHasher::new();
            Engine::new(config).unwrap().precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(code(&code_config(true)), code(&pooling_config()));
        assert_ne!(code(&code_config(true)), code(&code_config(false)));
    }
}

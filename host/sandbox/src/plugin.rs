//! A loaded plugin, and how its code is entered.
//!
//! Every entry makes a store, instantiates the component, calls one export, and
//! drops the store: nothing in a guest's memory outlives the call. Instances come
//! from a pool, so this costs some 20 µs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use berth_compute::Call;
use berth_memory::{Account, Cancel};
use wasmtime::component::Linker;
use wasmtime::{Store, UpdateDeadline};

use crate::cache;
use crate::capability::Capability;
use crate::description::NodeType;
use crate::engine::Sandbox;
use crate::error::{GuestError, SandboxError};
use crate::events::NodeEvents;
use crate::imports::{self, bindings, bindings::MemoryNodePre};
use crate::state::{HANDLES, State};
use crate::value::Value;

/// Largest component, in bytes. The largest language runtime that was seen (Python)
/// takes 18 MB.
const LARGEST_COMPONENT: usize = 64 << 20;

/// How long a plugin may take to describe itself or to check inputs: no work is
/// done there.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// The native stack that a thread needs to run nodes, in bytes: 1 MiB and what the
/// host itself takes for each of [`DEEPEST`] calls inside of one another.
pub const STACK_SIZE: usize = 16 << 20;

/// How deep functions may call functions. Each level takes up to 1 MiB of native
/// stack; threads that run nodes have [`STACK_SIZE`].
const DEEPEST: u32 = 8;

/// Bytes that a guest may pass to the host in one call: one 4K image of
/// four channels in `f32` is 133 MB.
const HOST_CALL_BYTES: usize = 160 << 20;

/// What a run is part of.
#[derive(Clone)]
pub struct RunContext {
    /// Stops it.
    pub cancel: Cancel,
    /// Watches it.
    pub events: Arc<dyn NodeEvents>,
    /// The function call that it is.
    pub(crate) call: Option<Call>,
    /// How many function calls it is inside of.
    depth: u32,
    /// When it must be over, and the limit that says so. Functions that it calls inherit it.
    deadline: Option<(Instant, Duration)>,
}

impl RunContext {
    /// A run that nothing called.
    pub fn new(cancel: Cancel, events: Arc<dyn NodeEvents>) -> Self {
        Self { cancel, events, call: None, depth: 0, deadline: None }
    }

    /// The same run, inside of a function call.
    pub(crate) fn within(&self, call: Call) -> Self {
        Self { call: Some(call), ..self.clone() }
    }

    pub(crate) fn deeper(&self) -> Result<Self, GuestError> {
        if self.depth >= DEEPEST {
            return Err(GuestError::Other(format!(
                "functions call each other more than {DEEPEST} deep"
            )));
        }
        Ok(Self { depth: self.depth + 1, ..self.clone() })
    }
}

/// A loaded plugin.
pub struct Plugin {
    name: String,
    digest: String,
    imports: Vec<String>,
    node_types: Vec<NodeType>,
    account: Account,
    sandbox: Arc<Sandbox>,
    pre: MemoryNodePre<State>,
    guest_memory_peak: AtomicU64,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({})", self.name)
    }
}

impl Sandbox {
    /// Compiles a component, checks what it imports, and asks what it provides.
    ///
    /// `name` is who it is from now on: what it says of itself plays no part. `granted` is what
    /// the operator lets it do; a component that asks for more is refused.
    ///
    /// # Errors
    /// Anything that is wrong with it, by name.
    pub fn load(
        self: &Arc<Self>,
        name: &str,
        bytes: &[u8],
        granted: &[Capability],
    ) -> Result<Arc<Plugin>, SandboxError> {
        let refuse = |reason: String| SandboxError::NotAComponent { plugin: name.into(), reason };
        match bytes {
            [b'\0', b'a', b's', b'm', 0x0d, 0, 1, 0, ..] => {}
            [b'\0', b'a', b's', b'm', 1, 0, 0, 0, ..] => {
                return Err(refuse("it is a core module".into()));
            }
            _ => return Err(refuse("its first bytes are not a component's".into())),
        }
        if bytes.len() > LARGEST_COMPONENT {
            return Err(refuse(format!(
                "it has {} bytes, more than {LARGEST_COMPONENT}",
                bytes.len()
            )));
        }
        let component =
            cache::compile(&self.engine, bytes, self.settings().compiled_cache.as_deref())
                .map_err(|error| refuse(format!("{error:#}")))?;
        let kind = component.component_type();
        let names = kind.imports(&self.engine).map(|(import, _)| import.to_owned());
        let imports: Vec<String> = names.collect();
        for import in &imports {
            let plugin = || name.to_owned();
            match Capability::of_import(import) {
                Some(asked) if granted.contains(&asked) => {}
                Some(capability) => {
                    return Err(SandboxError::NotGranted { plugin: plugin(), capability });
                }
                None if imports::is_free(import) => {}
                None => {
                    let import = import.clone();
                    return Err(SandboxError::UnknownImport { plugin: plugin(), import });
                }
            }
        }
        let mut linker = Linker::new(&self.engine);
        imports::add_to_linker(&mut linker).map_err(|error| refuse(format!("{error:#}")))?;
        let pre = linker
            .instantiate_pre(&component)
            .and_then(MemoryNodePre::new)
            .map_err(|error| refuse(format!("it does not fit the contract: {error:#}")))?;
        let mut plugin = Plugin {
            name: name.into(),
            digest: blake3::hash(bytes).to_hex().to_string(),
            imports,
            node_types: Vec::new(),
            account: self.compute().memory().account(name),
            sandbox: self.clone(),
            pre,
            guest_memory_peak: AtomicU64::new(0),
        };
        let describer = Arc::new(plugin.without_nodes());
        let context = RunContext::new(Cancel::new(), Arc::new(Silent));
        let described = describer.enter(&context, Some(CHECK_LIMIT), |store, node| {
            Ok(Ok::<_, GuestError>(node.berth_node_nodes().call_describe(store)?))
        })?;
        plugin.node_types = imports::node_types(described)
            .map_err(|reason| SandboxError::BadDescription { plugin: name.into(), reason })?;
        Ok(Arc::new(plugin))
    }
}

/// Nobody watches.
struct Silent;
impl NodeEvents for Silent {}

impl Plugin {
    /// Who it is, as the host named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// BLAKE3 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What it asks the operator for, and has been granted.
    pub fn capabilities(&self) -> Vec<Capability> {
        let asked = self.imports.iter().filter_map(|import| Capability::of_import(import));
        asked.collect()
    }

    /// What it provides.
    pub fn node_types(&self) -> &[NodeType] {
        &self.node_types
    }

    /// What it is charged to.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The most linear memory that one run of it had, in bytes.
    pub fn guest_memory_peak(&self) -> u64 {
        self.guest_memory_peak.load(Ordering::Relaxed)
    }

    /// Where it was loaded.
    pub fn sandbox(&self) -> &Arc<Sandbox> {
        &self.sandbox
    }

    fn without_nodes(&self) -> Self {
        Self {
            name: self.name.clone(),
            digest: self.digest.clone(),
            imports: self.imports.clone(),
            node_types: Vec::new(),
            account: self.account.clone(),
            sandbox: self.sandbox.clone(),
            pre: self.pre.clone(),
            guest_memory_peak: AtomicU64::new(0),
        }
    }

    /// Runs a node and waits for its outputs, one for each that it describes.
    ///
    /// # Errors
    /// What the guest returns or does wrong.
    pub fn run(
        self: &Arc<Self>,
        node: &str,
        inputs: Vec<(String, Value)>,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        let values =
            self.enter(context, self.sandbox.settings().time_limit, |store, instance| {
                let inputs = imports::lower_named(store.data_mut(), inputs)?;
                let result = instance.berth_node_nodes().call_run(&mut *store, node, &inputs)?;
                imports::lift_all(store.data_mut(), result)
            })?;
        let expected = self.node_types.iter().find(|kind| kind.name == node);
        let expected = expected.map_or(values.len(), |kind| kind.outputs.len());
        if values.len() != expected {
            return Err(SandboxError::WrongOutputs {
                plugin: self.name.clone(),
                node: node.into(),
                got: values.len(),
                expected,
            });
        }
        Ok(values)
    }

    /// Runs a function that the plugin made a value of.
    pub(crate) fn call(
        self: &Arc<Self>,
        function: &str,
        captures: Vec<(String, Value)>,
        arguments: Vec<(String, Value)>,
        context: &RunContext,
    ) -> Result<Vec<(String, Value)>, SandboxError> {
        self.enter(context, self.sandbox.settings().time_limit, |store, instance| {
            let captures = imports::lower_named(store.data_mut(), captures)?;
            let arguments = imports::lower_named(store.data_mut(), arguments)?;
            let nodes = instance.berth_node_nodes();
            let result = nodes.call_call(&mut *store, function, &captures, &arguments)?;
            imports::lift_named(store.data_mut(), result)
        })
    }

    /// Which lazy inputs a node still needs.
    ///
    /// # Errors
    /// What the guest returns or does wrong.
    pub fn needs(
        self: &Arc<Self>,
        node: &str,
        inputs: Vec<(String, Value)>,
        context: &RunContext,
    ) -> Result<Vec<String>, SandboxError> {
        self.enter(context, Some(CHECK_LIMIT), |store, instance| {
            let inputs = imports::lower_named(store.data_mut(), inputs)?;
            instance.berth_node_nodes().call_needs(&mut *store, node, &inputs)
        })
    }

    /// A text that changes when the node must run again.
    ///
    /// # Errors
    /// What the guest returns or does wrong.
    pub fn fingerprint(
        self: &Arc<Self>,
        node: &str,
        inputs: Vec<(String, Value)>,
        context: &RunContext,
    ) -> Result<String, SandboxError> {
        self.enter(context, Some(CHECK_LIMIT), |store, instance| {
            let inputs = imports::lower_named(store.data_mut(), inputs)?;
            instance.berth_node_nodes().call_fingerprint(&mut *store, node, &inputs)
        })
    }

    /// What is wrong with a node's constant inputs, if anything.
    ///
    /// # Errors
    /// What the guest returns or does wrong.
    pub fn validate(
        self: &Arc<Self>,
        node: &str,
        inputs: Vec<(String, Value)>,
        context: &RunContext,
    ) -> Result<Option<String>, SandboxError> {
        self.enter(context, Some(CHECK_LIMIT), |store, instance| {
            let inputs = imports::lower_named(store.data_mut(), inputs)?;
            instance.berth_node_nodes().call_validate(&mut *store, node, &inputs)
        })
    }

    /// A store with a fresh instance, one call into it, and what the call's end means.
    fn enter<T, E: Into<GuestError>>(
        self: &Arc<Self>,
        context: &RunContext,
        limit: Option<Duration>,
        call: impl FnOnce(&mut Store<State>, &bindings::MemoryNode) -> wasmtime::Result<Result<T, E>>,
    ) -> Result<T, SandboxError> {
        if context.cancel.is_cancelled() {
            return Err(SandboxError::Cancelled);
        }
        let own = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let deadline = own.into_iter().chain(context.deadline).min();
        let state = State::new(self.clone(), RunContext { deadline, ..context.clone() });
        let mut store = Store::new(&self.sandbox.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(HOST_CALL_BYTES);
        // Above the table's own limit, which is an error that the guest can handle; this one traps.
        store.set_max_component_handles(2 * HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            let state = store.data();
            let deadline = state.context.deadline;
            let late = deadline.is_some_and(|(deadline, _)| Instant::now() >= deadline);
            if late || state.context.cancel.is_cancelled() {
                return Err(wasmtime::Error::from(Stopped));
            }
            Ok(UpdateDeadline::Continue(1))
        });
        let result = self.pre.instantiate(&mut store).and_then(|node| call(&mut store, &node));
        let state = store.data();
        self.guest_memory_peak.fetch_max(state.limiter.memory(), Ordering::Relaxed);
        let returned = result.map_err(|error| self.explain(&error, state))?;
        returned.map_err(|error| match error.into() {
            GuestError::Cancelled => SandboxError::Cancelled,
            error => {
                let plugin = self.responsible(&error, state);
                let stats = || self.sandbox.compute().memory().stats();
                SandboxError::Guest { plugin, error: error.with_holders(stats) }
            }
        })
    }

    /// Whose error it is: one that a called function returned, and that was passed on as it
    /// is, stays that function's plugin's, so that a hint names the right quota.
    fn responsible(&self, error: &GuestError, state: &State) -> String {
        match &state.blame {
            Some((plugin, theirs)) if theirs.is(error) => plugin.clone(),
            _ => self.name.clone(),
        }
    }

    /// Why a call into the guest did not return.
    fn explain(&self, error: &wasmtime::Error, state: &State) -> SandboxError {
        let plugin = self.name.clone();
        if state.context.cancel.is_cancelled() {
            return SandboxError::Cancelled;
        }
        if let (Some(Stopped), Some((_, limit))) = (error.downcast_ref(), state.context.deadline) {
            return SandboxError::TimedOut { plugin, limit };
        }
        if state.limiter.exceeded {
            let limit = self.sandbox.settings().linear_memory;
            return SandboxError::GuestMemory { plugin, limit };
        }
        let reason = match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => format!("{:#}", error.root_cause()),
        };
        SandboxError::Trapped { plugin, reason, stderr: state.stderr.text() }
    }
}

/// The epoch callback's way to end a guest.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the host")]
struct Stopped;

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
use wasmtime::{Store, UpdateDeadline};

use crate::audit::Subject;
use crate::crash;
use crate::description::NodeType;
use crate::engine::Sandbox;
use crate::error::{GuestError, SandboxError};
use crate::events::{Level, NodeEvents};
use crate::imports::{self, bindings, bindings::MemoryNodePre};
use crate::limiter::Exceeded;
use crate::limits::RunLimits;
use crate::manifest::Manifest;
use crate::policy::{Digest, Enforcement};
use crate::rights::{Denied, Right, Rights};
use crate::slots::Slots;
use crate::state::{State, TooMuchOutput};
use crate::usage::Usage;
use crate::value::Value;

/// How long a plugin may take to describe itself or to check inputs, where its runs may not take
/// less: no work is done there.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

/// The native stack that a thread needs to run nodes, in bytes: 1 MiB and what the
/// host itself takes for each of [`DEEPEST`] calls inside of one another.
pub const STACK_SIZE: usize = 16 << 20;

/// How deep functions may call functions. Each level takes up to 1 MiB of native
/// stack; threads that run nodes have [`STACK_SIZE`].
const DEEPEST: u32 = 8;

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
    /// What it has used of its plugins' limits. Functions that it calls add to it.
    pub(crate) usage: Arc<Usage>,
}

impl RunContext {
    /// A run that nothing called.
    pub fn new(cancel: Cancel, events: Arc<dyn NodeEvents>) -> Self {
        Self { cancel, events, call: None, depth: 0, deadline: None, usage: Arc::default() }
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
    pub(crate) name: String,
    pub(crate) digest: Digest,
    /// The digest in hexadecimal.
    pub(crate) hex: String,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) imports: Vec<String>,
    pub(crate) node_types: Vec<NodeType>,
    pub(crate) account: Account,
    pub(crate) rights: Rights,
    pub(crate) limits: RunLimits,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) pre: MemoryNodePre<State>,
    pub(crate) slots: Slots,
    pub(crate) guest_memory_peak: AtomicU64,
    /// What happened in function calls and is for the audit trail.
    pub(crate) nested: AtomicU64,
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plugin({})", self.name)
    }
}

impl Plugin {
    /// Who it is, as the host named it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// BLAKE3 of the component, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.hex
    }

    /// What it says of itself, if it says anything.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// What it imports.
    pub fn imports(&self) -> &[String] {
        &self.imports
    }

    /// What it requests, and what of that it has.
    pub fn rights(&self) -> &Rights {
        &self.rights
    }

    /// What its runs may take.
    pub fn limits(&self) -> &RunLimits {
        &self.limits
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

    /// Who the audit trail says that it is.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject { plugin: &self.name, digest: self.digest }
    }

    /// Asks for a right that is about to be used.
    ///
    /// # Errors
    /// `AccessDenied`, which says what is missing and how to get it.
    pub(crate) fn demand(&self, right: Right) -> Result<(), GuestError> {
        self.settle(self.rights.check(right))
    }

    /// The same for a model.
    pub(crate) fn demand_model(&self, category: &str, label: &str) -> Result<(), GuestError> {
        self.settle(self.rights.check_model(category, label))
    }

    /// Whether it may open a model. Asking is nothing for the audit trail.
    pub(crate) fn may_open(&self, category: &str, label: &str) -> bool {
        self.counts_only() || self.rights.check_model(category, label).is_ok()
    }

    fn counts_only(&self) -> bool {
        self.sandbox.settings().enforcement == Enforcement::Count
    }

    fn settle(&self, verdict: Result<(), Denied>) -> Result<(), GuestError> {
        let Err(denied) = verdict else { return Ok(()) };
        self.subject().denied(&denied, self.sandbox.denials());
        if self.counts_only() { Ok(()) } else { Err(GuestError::denied(&self.name, &denied)) }
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
        let _slot = self.slots.take(&context.cancel)?;
        let values = self.enter(context, self.limits.run_time, |store, instance| {
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
        self.enter(context, self.limits.run_time, |store, instance| {
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
        self.enter(context, Some(self.check_limit()), |store, instance| {
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
        self.enter(context, Some(self.check_limit()), |store, instance| {
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
        self.enter(context, Some(self.check_limit()), |store, instance| {
            let inputs = imports::lower_named(store.data_mut(), inputs)?;
            instance.berth_node_nodes().call_validate(&mut *store, node, &inputs)
        })
    }

    /// How long a call may take that does no work.
    pub(crate) fn check_limit(&self) -> Duration {
        self.limits.run_time.map_or(CHECK_LIMIT, |limit| limit.min(CHECK_LIMIT))
    }

    /// A store with a fresh instance, one call into it, and what the call's end means.
    pub(crate) fn enter<T, E: Into<GuestError>>(
        self: &Arc<Self>,
        context: &RunContext,
        limit: Option<Duration>,
        call: impl FnOnce(&mut Store<State>, &bindings::MemoryNode) -> wasmtime::Result<Result<T, E>>,
    ) -> Result<T, SandboxError> {
        if context.cancel.is_cancelled() {
            return Err(self.stopped(context));
        }
        let own = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let deadline = own.into_iter().chain(context.deadline).min();
        let cancel = match own {
            Some((at, _)) => context.cancel.child_until(at),
            None => context.cancel.clone(),
        };
        let usage = if context.depth == 0 { Arc::default() } else { context.usage.clone() };
        let run = RunContext { deadline, cancel, usage, ..context.clone() };
        let state = State::new(self.clone(), run)?;
        let mut store = Store::new(&self.sandbox.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.set_hostcall_fuel(usize::try_from(self.limits.host_call).unwrap_or(usize::MAX));
        // Above the table's own limit, which is an error that the guest can handle; this one traps.
        store.set_max_component_handles((self.limits.handles as usize).saturating_mul(2));
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|store| {
            if store.data().context.cancel.is_cancelled() {
                return Err(wasmtime::Error::from(Stopped));
            }
            Ok(UpdateDeadline::Continue(1))
        });
        let result = self.pre.instantiate(&mut store).and_then(|node| call(&mut store, &node));
        let state = store.data();
        self.guest_memory_peak.fetch_max(state.limiter.memory(), Ordering::Relaxed);
        let left_out = state.voice.left_out();
        if left_out > 0 && self.is_noted(context) {
            self.subject().silenced(left_out);
            let said = format!("{left_out} messages of plugin `{}` were left out", self.name);
            context.events.log(Level::Warn, &said);
        }
        let ended = match result {
            Err(error) => Err(self.explain(&error, state)),
            Ok(returned) => returned.map_err(|error| match error.into() {
                GuestError::Cancelled if state.context.cancel.is_cancelled() => {
                    self.stopped(&state.context)
                }
                error => {
                    let plugin = self.responsible(&error, state);
                    let stats = || self.sandbox.compute().memory().stats();
                    SandboxError::Guest { plugin, error: error.with_holders(stats) }
                }
            }),
        };
        ended.inspect_err(|error| {
            if self.is_noted(context) {
                self.subject().ended(error);
            }
        })
    }

    /// Whether what happened is for the audit trail: in every run, and in function calls ever
    /// more rarely, since a guest makes as many of them as it likes.
    fn is_noted(&self, context: &RunContext) -> bool {
        let nested = || self.nested.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        context.depth == 0 || nested().is_power_of_two()
    }

    /// What it is called that a run was stopped from outside.
    fn stopped(&self, context: &RunContext) -> SandboxError {
        match context.deadline {
            Some((_, limit)) if context.cancel.is_expired() => {
                SandboxError::TimedOut { plugin: self.name.clone(), limit }
            }
            _ => SandboxError::Cancelled,
        }
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
            return self.stopped(&state.context);
        }
        if error.is::<wasmtime::PoolConcurrencyLimitError>() {
            return SandboxError::TooManyRuns { plugin };
        }
        if error.is::<TooMuchOutput>() {
            return SandboxError::TooMuchOutput { plugin, limit: self.limits.output };
        }
        match state.limiter.exceeded {
            Some(Exceeded::Memory) => {
                return SandboxError::GuestMemory { plugin, limit: self.limits.linear_memory };
            }
            Some(Exceeded::Tables) => {
                return SandboxError::GuestTables { plugin, limit: self.limits.table_elements };
            }
            None => {}
        }
        if crash::passed_too_much(error) {
            return SandboxError::TooMuchAtOnce { plugin, limit: self.limits.host_call };
        }
        SandboxError::Trapped { plugin, reason: crash::reason(error), stderr: state.stderr.text() }
    }
}

/// A way to end a guest whose run is cancelled or late.
#[derive(Debug, thiserror::Error)]
#[error("stopped by the host")]
pub(crate) struct Stopped;

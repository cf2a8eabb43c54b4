//! What a workflow will need, found by a rehearsal.
//!
//! A [`Rehearsal`] is a host whose device has no bytes and runs no kernels
//! ([`Compute::rehearsal`]); everything else is what will run: guests, scheduling, leases, quotas,
//! evictions. So a prediction needs no model of any of them, and cannot lag behind them.
//!
//! Nodes run one at a time, so that a peak belongs to one node; each is measured where its
//! plugin is called, on its own thread, since the runner's events come a little early and late. A run
//! on several threads may hold a little more at a time, within the same limits. Guests that
//! read computed numbers, such as pixels, read zeros, and what they decide by them is
//! predicted for zeros.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use berth_compute::Compute;
use berth_memory::{Cancel, Moved, PerTier, Stats, Tier};
use berth_sandbox::{Plugin, RunContext, STACK_SIZE, SandboxError};
use indexmap::IndexMap;
use tokio::runtime::{Builder, Runtime};

use crate::error::{NodeError, RunError, WorkflowError};
use crate::events::Event;
use crate::host::{Host, Settings, Stock};
use crate::plan::Plan;
use crate::registry::{Around, Inputs, NodeProvider};
use crate::runner::Run;

/// A host that runs one workflow to see what memory it takes.
pub struct Rehearsal {
    host: Host,
    runtime: Runtime,
    measured: Arc<Sheet>,
}

/// What a workflow takes.
#[derive(Debug)]
pub struct Prediction {
    /// The nodes that ran, in the order in which they did.
    pub nodes: Vec<NodeMemory>,
    /// Memory after the last of them, with the peaks of all tiers.
    pub memory: Stats,
    /// The node that cannot run, and why. It is the last of the nodes above; none after it
    /// was tried.
    pub failure: Option<Box<NodeError>>,
}

/// What memory did while one node ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeMemory {
    /// Its id in the workflow.
    pub id: String,
    /// The node as people find it: id, title and class.
    pub label: String,
    /// What its author calls it.
    pub title: Option<String>,
    /// Its type.
    pub class: String,
    /// The plugin that runs it.
    pub plugin: String,
    /// The most bytes that were in use on each tier, whoever they belong to.
    pub peak: PerTier<u64>,
    /// The bytes that were moved.
    pub moved: Moved,
}

impl Rehearsal {
    /// Opens a host for a prediction: nothing is computed, and no file is written. Takes what
    /// [`Host::open`] takes, and blocks as it does.
    ///
    /// # Errors
    /// Those of [`Host::open`], and `Threads`.
    pub fn open(settings: Settings, stock: &[Stock<'_>]) -> Result<Self, WorkflowError> {
        Self::with(settings, stock, Compute::rehearsal)
    }

    /// The same with the work done and the files written: what a prediction is compared with.
    ///
    /// # Errors
    /// As [`Rehearsal::open`].
    pub fn in_earnest(settings: Settings, stock: &[Stock<'_>]) -> Result<Self, WorkflowError> {
        Self::with(settings, stock, Compute::with)
    }

    fn with(
        settings: Settings,
        stock: &[Stock<'_>],
        compute: fn(berth_memory::Setup) -> Compute,
    ) -> Result<Self, WorkflowError> {
        let measured = Arc::new(Sheet::default());
        let host = Host::start(settings, stock, compute, |plugin| {
            Arc::new(Metered { plugin: plugin.clone(), measured: measured.clone() })
        })?;
        let runtime = one_at_a_time().map_err(WorkflowError::Threads)?;
        Ok(Self { host, runtime, measured })
    }

    /// The host, which checks workflows.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Runs a plan of this host and says what it took. Blocks, and must not be called from
    /// a task of an asynchronous runtime.
    ///
    /// # Errors
    /// `Interrupted` and `Host`; a node that fails is part of the prediction.
    pub fn run(&self, plan: &Arc<Plan>, cancel: &Cancel) -> Result<Prediction, RunError> {
        *self.measured.lock() = Measured::default();
        let observer = Arc::new(|_: Event| {});
        let run = Run { prompt_id: "rehearsal".into(), cancel: cancel.clone(), observer };
        let ended = self.runtime.block_on(self.host.runner().run(plan.clone(), run));
        let failure = match ended {
            Ok(_) => None,
            Err(RunError::Node(failure)) => Some(failure),
            Err(error) => return Err(error),
        };
        let measured = std::mem::take(&mut *self.measured.lock());
        let node = |(id, (peak, moved)): (String, (PerTier<u64>, Moved))| {
            let node = plan.nodes().find(|node| node.id == id)?;
            Some(NodeMemory {
                label: node.label(),
                title: node.title.map(str::to_owned),
                class: node.class.to_owned(),
                plugin: node.plugin.to_owned(),
                id,
                peak,
                moved,
            })
        };
        let nodes = measured.nodes.into_iter().filter_map(node).collect();
        Ok(Prediction { nodes, memory: self.host.memory(), failure })
    }
}

/// A runtime that runs one node at a time, in the order in which they are started.
fn one_at_a_time() -> io::Result<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .thread_name("berth")
        .thread_stack_size(STACK_SIZE)
        .build()
}

/// What was measured so far, where the nodes' threads find it.
#[derive(Default)]
struct Sheet(Mutex<Measured>);

impl Sheet {
    fn lock(&self) -> MutexGuard<'_, Measured> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was measured, by node.
#[derive(Default)]
struct Measured {
    nodes: IndexMap<String, (PerTier<u64>, Moved)>,
    /// Whether the last of them failed.
    failed: bool,
}

impl Measured {
    /// Adds a run of a node, which may run again when its outputs were released.
    fn add(&mut self, node: &str, peak: PerTier<u64>, moved: Moved) {
        let (known, sum) = self.nodes.entry(node.to_owned()).or_default();
        for tier in Tier::ALL {
            let most = known.get_mut(tier);
            *most = (*most).max(*peak.get(tier));
        }
        let Moved { to_device, to_host, from_disk, to_spill, from_spill } = moved;
        sum.to_device = sum.to_device.saturating_add(to_device);
        sum.to_host = sum.to_host.saturating_add(to_host);
        sum.from_disk = sum.from_disk.saturating_add(from_disk);
        sum.to_spill = sum.to_spill.saturating_add(to_spill);
        sum.from_spill = sum.from_spill.saturating_add(from_spill);
    }
}

/// A plugin whose runs are measured.
struct Metered {
    plugin: Arc<Plugin>,
    measured: Arc<Sheet>,
}

impl Around for Metered {
    fn inner(&self) -> &dyn NodeProvider {
        &self.plugin
    }

    fn run_inner(
        &self,
        node: &str,
        inputs: Inputs,
        context: &RunContext,
    ) -> Result<Vec<berth_sandbox::Value>, SandboxError> {
        if self.measured.lock().failed {
            // The runner has not noticed yet that the node before failed.
            return Err(SandboxError::Cancelled);
        }
        let meter = self.plugin.sandbox().compute().memory().meter();
        let result = NodeProvider::run(&self.plugin, node, inputs, context);
        let mut measured = self.measured.lock();
        measured.failed = result.is_err();
        measured.add(context.events.node(), meter.peak(), meter.moved());
        result
    }
}

//! A host with one plugin, and one run of a node in it.
//!
//! The run goes through the same runner as a workflow's, as a workflow of that node alone whose inputs
//! are filled in where the plugin is called: so what watches a workflow watches this, and a node that
//! floods, hangs or traps ends in the same way.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use berth_compute::{Compute, Scope};
use berth_memory::{Cancel, OffloadModeName, Setup, Stats, Tier, offload};
use berth_sandbox::rights::{Grant, Grants, INPUT, OUTPUT, Right};
use berth_sandbox::text::{enumerate, nearest, plain};
use berth_sandbox::{
    Checks, Choices, Compiler, DramCache, Folders, ModelFolders, NodeType, Plugin, Policy,
    RunContext, Sandbox, SandboxError, Value,
};
use berth_workflow::{
    Inputs, NodeProvider, Observer, Plan, RamGauge, Registry, Release, Run, RunError, Runner,
    Workflow, default_headroom, default_limits, runtime, total_memory,
};
use serde_json::json;

use crate::bench::{Unseen, lock, on_stack};
use crate::error::Error;
use crate::project::Project;

/// The node's id in the workflow that it is alone in.
const ID: &str = "1";

/// How a trial is made.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most that tensors may take on the device, in bytes; the machine's default without it.
    pub vram: Option<u64>,
    /// What stays on the device.
    pub offload: OffloadModeName,
    /// The most that the plugin may take on the device, in bytes.
    pub quota: Option<u64>,
    /// Folders of models.
    pub models: Vec<PathBuf>,
    /// Where the node finds and leaves files.
    pub folders: Folders,
    /// What the plugin is granted; everything that it requests, if `None`.
    pub grants: Option<Grants>,
    /// The folder for compiled code; `None` compiles anew each time.
    pub compiled_cache: Option<PathBuf>,
    /// Where plugins are compiled.
    pub compiler: Compiler,
}

impl Settings {
    /// The machine's own limits and the defaults, with everything granted.
    #[must_use]
    pub fn new(folders: Folders) -> Self {
        Self {
            vram: None,
            offload: OffloadModeName::Planned,
            quota: None,
            models: Vec::new(),
            folders,
            grants: None,
            compiled_cache: None,
            compiler: Compiler::default(),
        }
    }

    /// What these rights come to.
    ///
    /// # Errors
    /// `NoFolder` for a folder of the plugin's own that is not said to be anywhere.
    pub fn grants(rights: Vec<Grant>) -> Result<Grants, Error> {
        let mut grants = Grants::default();
        for grant in rights {
            if let (Right::Read(label) | Right::Write(label), None) = (&grant.right, &grant.path)
                && label != INPUT
                && label != OUTPUT
            {
                return Err(Error::NoFolder { right: grant.right.to_string() });
            }
            grant.add_to(&mut grants);
        }
        Ok(grants)
    }
}

/// A host with one plugin.
pub struct Trial {
    sandbox: Arc<Sandbox>,
    plugin: Arc<Plugin>,
    scope: Scope,
    /// Models that the node puts aside live as long as the trial.
    _dram_cache: Arc<DramCache>,
}

impl Trial {
    /// Starts a host, and loads the plugin. Blocks: it is compiled.
    ///
    /// # Errors
    /// What is wrong with the plugin.
    pub fn open(project: &Project, settings: &Settings) -> Result<Self, Error> {
        let compute = Compute::with(Setup {
            gauge: Some(Box::new(RamGauge::new())),
            headroom: default_headroom(total_memory()),
            ..Setup::new(default_limits(settings.vram, None), offload::mode(settings.offload))
        });
        let sandbox = Sandbox::new(
            compute,
            ModelFolders::new(settings.models.clone()),
            settings.folders.clone(),
            berth_sandbox::Settings {
                compiled_cache: settings.compiled_cache.clone(),
                compiler: settings.compiler.clone(),
                ..berth_sandbox::Settings::default()
            },
        )?;
        let Project { name, component, manifest, .. } = project;
        let requests = || manifest.as_ref().map(|m| m.requests.clone()).unwrap_or_default();
        let all = || Grants { allowed: requests(), ..Grants::default() };
        let grants = settings.grants.clone().unwrap_or_else(all);
        let policy = Policy { grants, ..Policy::default() };
        let load = || sandbox.load(name, component, manifest.clone(), &policy);
        let plugin = on_stack(load)??;
        let memory = sandbox.compute().memory();
        memory.set_quota(plugin.account(), Tier::Device, settings.quota);
        let account = memory.account("inputs");
        let scope = Scope { account, cancel: Cancel::new(), call: None };
        let _dram_cache = sandbox.dram_cache();
        Ok(Self { sandbox, plugin, scope, _dram_cache })
    }

    /// A host with the stock plugin that provides a node.
    ///
    /// # Errors
    /// `NotStock`, and when a stock plugin does not load.
    pub fn open_stock(node: &str, settings: &Settings) -> Result<Self, Error> {
        let mut known: Vec<String> = Vec::new();
        for project in Project::stock() {
            // They come with the host, and get what they request.
            let settings = Settings { grants: None, ..settings.clone() };
            let trial = Self::open(&project?, &settings)?;
            if trial.plugin.node_types().iter().any(|kind| kind.name == node) {
                return Ok(trial);
            }
            known.extend(trial.plugin.node_types().iter().map(|kind| kind.name.clone()));
        }
        let nearest = nearest(node, known.iter().map(String::as_str)).map(str::to_owned);
        Err(Error::NotStock { node: plain(node).into(), nearest })
    }

    /// The plugin.
    #[must_use]
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// Where tensors are made.
    pub(crate) fn compute(&self) -> &Compute {
        self.sandbox.compute()
    }

    /// For whom inputs are made.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The folders that nodes use.
    #[must_use]
    pub fn folders(&self) -> &Folders {
        self.sandbox.folders()
    }

    /// How memory stands.
    #[must_use]
    pub fn memory(&self) -> Stats {
        self.compute().memory().stats()
    }

    /// The node of this name.
    ///
    /// # Errors
    /// `UnknownNode`, with the nearest that there is.
    pub fn node(&self, name: &str) -> Result<&NodeType, Error> {
        let nodes = self.plugin.node_types();
        nodes.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let known = || nodes.iter().map(|kind| kind.name.as_str());
            Error::UnknownNode {
                plugin: self.plugin.name().to_owned(),
                node: plain(name).into(),
                known: enumerate(known()),
                nearest: nearest(name, known()).map(str::to_owned),
            }
        })
    }

    /// Gets a node ready to run with these inputs, after it has had a look at them itself.
    ///
    /// # Errors
    /// `UnknownNode`, `Refused`, and what the plugin does wrong.
    pub fn prepare(&self, node: &str, inputs: Inputs) -> Result<Ready, Error> {
        let kind = self.node(node)?;
        if kind.checks.validate {
            let plain = |value: &Value| !matches!(value, Value::Tensor(_) | Value::Object(_));
            let constants = inputs.iter().filter(|(_, value)| plain(value)).cloned().collect();
            let context = RunContext::new(Cancel::new(), Arc::new(Unseen));
            let verdict = on_stack(|| self.plugin.validate(node, constants, &context))??;
            if let Some(reason) = verdict {
                let reason = plain_lines(&reason);
                return Err(Error::Refused { node: node.to_owned(), reason });
            }
        }
        let mut kind = kind.clone();
        kind.inputs.clear();
        kind.output_node = true;
        kind.checks = Checks::default();
        kind.outputs.iter_mut().for_each(|output| output.passes = None);
        let given = Arc::new(Given {
            plugin: self.plugin.clone(),
            kind: [kind],
            inputs,
            outputs: Mutex::default(),
        });
        let mut registry = Registry::new();
        let failed = |error: &dyn std::fmt::Display| Error::Host(error.to_string());
        registry.add(given.clone()).map_err(|error| failed(&error))?;
        let runner = Runner::new(registry, 0, Release::default());
        let workflow = json!({ ID: { "class_type": node, "inputs": {} } }).to_string();
        let workflow = Workflow::parse(workflow.as_bytes()).map_err(|error| failed(&error))?;
        let plan = runner
            .validate(&workflow, None, &Cancel::new())
            .map_err(|invalid| Error::Host(invalid.error.message.clone()))?;
        Ok(Ready { runner, plan: Arc::new(plan), given })
    }
}

/// A node that can run.
pub struct Ready {
    runner: Runner,
    plan: Arc<Plan>,
    given: Arc<Given>,
}

impl Ready {
    /// The plan of the workflow that the node is alone in.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Runs the node and waits for what it gives, a value for each of its outputs.
    ///
    /// # Errors
    /// As a workflow's run.
    pub fn run(
        self,
        prompt_id: Arc<str>,
        cancel: Cancel,
        observer: Arc<dyn Observer>,
    ) -> Result<Vec<Value>, RunError> {
        let runtime = runtime().map_err(|error| RunError::Host(error.to_string()))?;
        let run = Run { prompt_id, cancel, observer };
        runtime.block_on(self.runner.run(self.plan.clone(), run))?;
        Ok(std::mem::take(&mut *lock(&self.given.outputs)))
    }
}

/// A node whose inputs are known, for a runner.
struct Given {
    plugin: Arc<Plugin>,
    kind: [NodeType; 1],
    inputs: Inputs,
    outputs: Mutex<Vec<Value>>,
}

impl NodeProvider for Given {
    fn name(&self) -> &str {
        self.plugin.name()
    }

    fn digest(&self) -> &str {
        self.plugin.digest()
    }

    fn node_types(&self) -> &[NodeType] {
        &self.kind
    }

    fn options(&self, choices: &Choices) -> Vec<String> {
        self.plugin.options(choices)
    }

    fn run(
        &self,
        node: &str,
        hidden: Inputs,
        context: &RunContext,
    ) -> Result<Vec<Value>, SandboxError> {
        let inputs = self.inputs.iter().cloned().chain(hidden).collect();
        let outputs = self.plugin.run(node, inputs, context)?;
        lock(&self.outputs).clone_from(&outputs);
        Ok(outputs)
    }

    // A node without inputs, and without checks, is asked nothing of these.

    fn needs(&self, _: &str, _: Inputs, _: &RunContext) -> Result<Vec<String>, SandboxError> {
        Ok(Vec::new())
    }

    fn fingerprint(&self, _: &str, _: Inputs, _: &RunContext) -> Result<String, SandboxError> {
        Ok(String::new())
    }

    fn validate(&self, _: &str, _: Inputs, _: &RunContext) -> Result<Option<String>, SandboxError> {
        Ok(None)
    }
}

/// A guest's words, on a line.
fn plain_lines(text: &str) -> String {
    crate::outputs::escaped(text).replace('\n', " ")
}

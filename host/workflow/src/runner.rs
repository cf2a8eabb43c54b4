//! Runs plans: independent nodes at the same time, each on a thread of its own.
//!
//! One task keeps the books and starts nodes; plugins block threads, never the
//! task. A run ends only when every node that was started has ended, so whoever gets
//! its result knows that nothing of it is left; a run whose future is dropped is cancelled.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use berth_memory::Cancel;
use berth_sandbox::RunContext;
use indexmap::IndexMap;
use tokio::task::{Id, JoinSet};

use crate::cache::{Finished, Given, ResultCache};
use crate::error::{NodeError, RunError, WorkflowError};
use crate::events::{Event, Failure, Observer, Results, timestamp};
use crate::format::Workflow;
use crate::job::{Done, Job, failure};
use crate::plan::{Plan, Step};
use crate::problem::Invalid;
use crate::registry::{Inputs, Registry};
use crate::release::Release;
use crate::schedule::Schedule;
use crate::signature::{Signature, signatures};
use crate::validate::validate;
use crate::watch::Watch;

/// Checks and runs workflows of some node types.
pub struct Runner {
    registry: RwLock<Arc<Registry>>,
    cache: Arc<ResultCache>,
    release: Release,
    concurrency: usize,
}

/// One run of a plan.
pub struct Run {
    /// Names it in events; a UUID where clients are ComfyUI's.
    pub prompt_id: Arc<str>,
    /// Stops it.
    pub cancel: Cancel,
    /// Watches it.
    pub observer: Arc<dyn Observer>,
}

/// What a run came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What nodes showed, by id; cached ones too.
    pub results: IndexMap<Arc<str>, Results>,
    /// The nodes that ran, in the order in which they were done. One that ran again, because
    /// its outputs were released and then needed, is there again.
    pub executed: Vec<Arc<str>>,
    /// The nodes that were in the cache.
    pub cached: Vec<Arc<str>>,
}

impl Runner {
    /// A runner that keeps `cached_results` results of nodes for later runs, as far as the
    /// release level leaves anything of them; with 0 a run leaves nothing behind.
    ///
    /// It runs as many nodes at once as there are processors, and at least two, so that
    /// a node which waits for memory or a file keeps no other from running.
    pub fn new(registry: Registry, cached_results: usize, release: Release) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, NonZero::get);
        let (cache, concurrency) = (ResultCache::new(cached_results), processors.max(2));
        let registry = RwLock::new(Arc::new(registry));
        Self { registry, cache: Arc::new(cache), release, concurrency }
    }

    /// The node types that there are now.
    pub fn registry(&self) -> Arc<Registry> {
        self.registry.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has workflows find other node types from now on. Plans that were made before go on with what
    /// they were made of.
    pub(crate) fn put_registry(&self, registry: Registry) {
        *self.registry.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(registry);
    }

    /// Checks a workflow, and plans its outputs; with `targets`, only those of them.
    /// Blocks: nodes may check their inputs themselves.
    ///
    /// # Errors
    /// All that is wrong with it, if no output can be computed.
    pub fn validate(
        &self,
        workflow: &Workflow,
        targets: Option<&[String]>,
        cancel: &Cancel,
    ) -> Result<Plan, Box<Invalid>> {
        validate(&self.registry(), workflow, targets, cancel)
    }

    /// Forgets all results, so that what they hold is freed.
    pub fn clear(&self) {
        self.cache.clear();
    }

    /// Runs a plan to its end. When this returns, everything it held is free, but for
    /// what the cache keeps of the nodes that were done.
    ///
    /// # Errors
    /// The first node that failed, or that it was cancelled.
    pub async fn run(&self, plan: Arc<Plan>, run: Run) -> Result<Outcome, RunError> {
        let stop = StopOnDrop(run.cancel.child());
        let teller = Teller { prompt_id: run.prompt_id, observer: run.observer };
        teller.tell(|prompt_id| Event::ExecutionStart { prompt_id, timestamp: timestamp() });
        let mut execution = Execution {
            plan,
            cache: &self.cache,
            cancel: stop.0.clone(),
            teller: &teller,
            outcome: Outcome::default(),
            signatures: Vec::new(),
        };
        let result = execution.drive(self.release, self.concurrency).await;
        let Execution { outcome, plan, .. } = execution;
        let executed = outcome.executed.clone();
        let result = match result {
            Ok(()) => {
                teller.tell(|prompt_id| Event::ExecutionSuccess {
                    prompt_id,
                    timestamp: timestamp(),
                });
                Ok(outcome)
            }
            // Whatever a node says after it was told to stop is not what went wrong.
            Err(Stop { at, .. }) if run.cancel.is_cancelled() => {
                teller.interrupted(at.and_then(|at| plan.steps.get(at)), executed);
                Err(RunError::Interrupted)
            }
            Err(Stop { why: Why::Failed(error), .. }) => {
                teller.failed(&error, executed);
                Err(RunError::Node(error))
            }
            Err(Stop { why: Why::Host(reason), .. }) => Err(RunError::Host(reason)),
        };
        teller.tell(|prompt_id| Event::Executing { node: None, display_node: None, prompt_id });
        result
    }
}

/// Cancels a run whose future nobody waits for any more.
struct StopOnDrop(Cancel);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A run stopped before its end.
struct Stop {
    /// The node that ended it.
    at: Option<usize>,
    why: Why,
}

enum Why {
    Failed(Box<NodeError>),
    Host(String),
}

impl Stop {
    fn host(reason: impl Into<String>) -> Self {
        Self { at: None, why: Why::Host(reason.into()) }
    }
}

/// A run on its way.
struct Execution<'a> {
    plan: Arc<Plan>,
    cache: &'a Arc<ResultCache>,
    cancel: Cancel,
    teller: &'a Teller,
    outcome: Outcome,
    signatures: Vec<Option<Signature>>,
}

/// A node that runs.
struct Started {
    step: usize,
    inputs: Inputs,
    since: Instant,
}

impl Execution<'_> {
    async fn drive(&mut self, release: Release, concurrency: usize) -> Result<(), Stop> {
        let cached = self.look_up().await?;
        let mut schedule = Schedule::new(self.plan.clone(), release, &cached);
        self.begin(&schedule, cached);
        let mut jobs: JoinSet<Result<Done, WorkflowError>> = JoinSet::new();
        let mut started: HashMap<Id, Started> = HashMap::new();
        let mut times: HashMap<usize, Duration> = HashMap::new();
        let mut stop: Option<Stop> = None;
        loop {
            while stop.is_none() && jobs.len() < concurrency && !self.cancel.is_cancelled() {
                let Some(step) = schedule.next() else { break };
                if self.reuse(&mut schedule, step) {
                    continue;
                }
                let inputs = match schedule.inputs(step) {
                    Ok(inputs) => inputs,
                    Err(error) => {
                        stop = Some(self.failed(step, &Inputs::new(), error));
                        self.cancel.cancel();
                        break;
                    }
                };
                let first = !times.contains_key(&step);
                let undecided = schedule.is_undecided(step);
                let Some(job) = self.job(step, inputs.clone(), undecided, first) else { break };
                let handle = jobs.spawn_blocking(move || job.run());
                started.insert(handle.id(), Started { step, inputs, since: Instant::now() });
            }
            let Some(ended) = jobs.join_next_with_id().await else { break };
            let (id, result) = match ended {
                Ok((id, result)) => (id, Ok(result)),
                Err(error) => (error.id(), Err(panic_text(error))),
            };
            let Some(Started { step, inputs, since }) = started.remove(&id) else { continue };
            let time = times.entry(step).or_default();
            *time += since.elapsed();
            let time = *time;
            match result {
                Ok(Ok(Done::Asked(names))) => schedule.ask(step, &names),
                Ok(Ok(Done::Finished(given))) => {
                    times.remove(&step);
                    self.finish(&mut schedule, step, time, given);
                }
                // The others end because of the first.
                _ if stop.is_some() => {}
                Ok(Err(error)) => {
                    stop = Some(self.failed(step, &inputs, error));
                    self.cancel.cancel();
                }
                Err(reason) => {
                    stop = Some(self.failed(step, &inputs, self.host_error(step, reason)));
                    self.cancel.cancel();
                }
            }
        }
        match stop {
            Some(stop) => Err(stop),
            None if schedule.is_done() => Ok(()),
            None => Err(Stop::host("nodes are left that cannot run")),
        }
    }

    /// What the cache has of the plan.
    async fn look_up(&mut self) -> Result<Vec<Option<Arc<Finished>>>, Stop> {
        if !self.cache.is_on() {
            return Ok(Vec::new());
        }
        let (plan, cancel) = (self.plan.clone(), self.cancel.clone());
        let signed = tokio::task::spawn_blocking(move || signatures(&plan, &cancel)).await;
        self.signatures = signed
            .map_err(|error| Stop::host(panic_text(error)))?
            .map_err(|error| Stop::host(error.to_string()))?;
        let signatures = self.signatures.iter();
        Ok(signatures.map(|signature| self.cache.get(signature.as_ref()?)).collect())
    }

    /// Tells which nodes need not run, and what they showed. One whose output is needed and was
    /// released is not among them.
    fn begin(&mut self, schedule: &Schedule, cached: Vec<Option<Arc<Finished>>>) {
        let cached = self.plan.steps.iter().zip(cached).enumerate();
        let hits: Vec<_> = cached
            .filter(|(index, _)| !schedule.is_pending(*index))
            .filter_map(|(_, (step, finished))| Some((step, finished?)))
            .collect();
        self.outcome.cached = hits.iter().map(|(step, _)| step.id.clone()).collect();
        self.teller.tell(|prompt_id| Event::ExecutionCached {
            nodes: self.outcome.cached.clone(),
            prompt_id,
            timestamp: timestamp(),
        });
        for (step, finished) in hits {
            show(self.teller, &mut self.outcome.results, step, &finished);
        }
    }

    /// Whether a step need not run because the cache has got what is needed of it since the run
    /// began: from a node of the same signature.
    fn reuse(&mut self, schedule: &mut Schedule, index: usize) -> bool {
        let signature = self.signatures.get(index).and_then(Option::as_ref);
        let finished = signature.and_then(|signature| self.cache.get(signature));
        let (Some(step), Some(finished)) = (self.plan.steps.get(index), finished) else {
            return false;
        };
        if !schedule.reuse(index, &finished) {
            return false;
        }
        self.outcome.cached.push(step.id.clone());
        self.teller.tell(|prompt_id| Event::ExecutionCached {
            nodes: vec![step.id.clone()],
            prompt_id,
            timestamp: timestamp(),
        });
        show(self.teller, &mut self.outcome.results, step, &finished);
        true
    }

    fn job(&self, index: usize, inputs: Inputs, undecided: bool, first: bool) -> Option<Job> {
        let step = self.plan.steps.get(index)?;
        if first {
            self.teller.tell(|prompt_id| Event::Executing {
                node: Some(step.id.clone()),
                display_node: Some(step.id.clone()),
                prompt_id,
            });
        }
        let watch = Arc::new(Watch::new(
            self.teller.observer.clone(),
            self.teller.prompt_id.clone(),
            step.id.clone(),
            step.plugin().into(),
            self.cache.clone(),
        ));
        let context = RunContext::new(self.cancel.clone(), watch.clone());
        Some(Job { plan: self.plan.clone(), step: index, inputs, undecided, context, watch })
    }

    fn finish(&mut self, schedule: &mut Schedule, index: usize, time: Duration, given: Given) {
        let finished = schedule.finish(index, given);
        if let Some(Some(signature)) = self.signatures.get(index) {
            self.cache.insert(*signature, finished.clone());
        }
        let Some(step) = self.plan.steps.get(index) else { return };
        self.outcome.executed.push(step.id.clone());
        show(self.teller, &mut self.outcome.results, step, &finished);
        self.teller.tell(|prompt_id| Event::NodeFinished {
            node: step.id.clone(),
            seconds: time.as_secs_f64(),
            prompt_id,
        });
    }

    fn failed(&self, index: usize, inputs: &Inputs, error: WorkflowError) -> Stop {
        match self.plan.steps.get(index) {
            Some(step) => {
                let why = Why::Failed(Box::new(failure(step, inputs, error)));
                Stop { at: Some(index), why }
            }
            None => Stop::host(error.to_string()),
        }
    }

    fn host_error(&self, index: usize, reason: String) -> WorkflowError {
        let step = self.plan.steps.get(index);
        WorkflowError::Host {
            plugin: step.map(|step| step.plugin().to_owned()).unwrap_or_default(),
            class: step.map(|step| step.class().to_owned()).unwrap_or_default(),
            reason,
        }
    }
}

/// Notes what a node shows, and tells it.
fn show(
    teller: &Teller,
    results: &mut IndexMap<Arc<str>, Results>,
    step: &Step,
    finished: &Finished,
) {
    if finished.results.is_empty() && !step.registered.node_type.output_node {
        return;
    }
    results.insert(step.id.clone(), finished.results.clone());
    teller.tell(|prompt_id| Event::Executed {
        node: step.id.clone(),
        display_node: step.id.clone(),
        output: finished.results.clone(),
        prompt_id,
    });
}

/// Says what happens in one run.
struct Teller {
    prompt_id: Arc<str>,
    observer: Arc<dyn Observer>,
}

impl Teller {
    fn tell(&self, event: impl FnOnce(Arc<str>) -> Event) {
        self.observer.event(event(self.prompt_id.clone()));
    }

    fn interrupted(&self, at: Option<&Step>, executed: Vec<Arc<str>>) {
        self.tell(|prompt_id| Event::ExecutionInterrupted {
            prompt_id,
            node_id: at.map(|step| step.id.clone()),
            node_type: at.map(|step| step.class().to_owned()),
            executed,
            timestamp: timestamp(),
        });
    }

    fn failed(&self, failed: &NodeError, executed: Vec<Arc<str>>) {
        let mut traceback = Vec::new();
        let mut cause = std::error::Error::source(&failed.error);
        while let Some(error) = cause {
            traceback.push(error.to_string());
            cause = error.source();
        }
        self.tell(|prompt_id| {
            Event::ExecutionError(Box::new(Failure {
                prompt_id,
                node_id: failed.node.as_str().into(),
                node_type: failed.class.clone(),
                plugin: failed.plugin.clone(),
                executed,
                exception_message: failed.error.to_string(),
                exception_type: failed.error.kind().into(),
                traceback,
                current_inputs: failed.inputs.clone(),
                current_outputs: Vec::new(),
                hint: failed.error.hint(),
                timestamp: timestamp(),
            }))
        });
    }
}

/// What a thread of the host's said when it ended badly.
fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => (panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a thread panicked".into()),
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests;

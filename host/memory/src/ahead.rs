//! Bringing weights before they are needed.
//!
//! One thread beside the operations: while one runs, the copy worker brings what the next ones
//! lease, as their call's plan says. It never takes room that the steps between need for
//! anything else, and makes room only by drops of what the plan needs later. What the plan has
//! stay comes as soon as there is room. So it changes when bytes move, hardly how many, and
//! never whether an operation can run.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};

use crate::entry::{Class, STREAMED};
use crate::list::Key;
use crate::offload::Ahead;
use crate::plan::{Use, WINDOW};
use crate::room::{Round, run_all};
use crate::state::{Shared, State};
use crate::transfer::Arrival;
use crate::walk::{Need, Walk};
use crate::{Device, Tier};

/// How many leases ahead it looks.
const STEPS: usize = 8;

/// The other end of the worker's bell.
pub(crate) struct Bell(SyncSender<()>);

/// Starts a worker for a memory. It ends with the memory.
pub(crate) fn start<D: Device>(shared: &Arc<Shared<D>>, listen: Receiver<()>) {
    let shared = Arc::downgrade(shared);
    let worker = move || work(&shared, &listen);
    if let Err(error) = std::thread::Builder::new().name("berth-copy".into()).spawn(worker) {
        tracing::warn!(%error, "no thread for copies: weights come when they are needed");
    }
}

/// A bell, and what listens to it.
pub(crate) fn bell() -> (Bell, Receiver<()>) {
    let (ring, listen) = sync_channel(1);
    (Bell(ring), listen)
}

/// Has the worker look for work.
pub(crate) fn wake<D: Device>(shared: &Shared<D>) {
    if let Some(Bell(ring)) = &shared.bell {
        // A full channel says that it was rung already; without a worker nothing comes early.
        let _ = ring.try_send(());
    }
}

/// Does the worker's work in a rehearsal, which has none: operations take no time there, in
/// which a worker could do it. It is done as if each took long enough.
pub(crate) fn rehearse<D: Device>(shared: &Shared<D>) {
    if is_rehearsal(&shared.device) {
        while bring_one(shared) {}
    }
}

/// Whether nothing has bytes, however large it is.
pub(crate) fn is_rehearsal<D: Device>(device: &D) -> bool {
    device.is_ghost(u64::MAX)
}

fn work<D: Device>(shared: &Weak<Shared<D>>, listen: &Receiver<()>) {
    while listen.recv().is_ok() {
        while let Some(shared) = shared.upgrade()
            && bring_one(&shared)
        {}
    }
}

/// What the worker does at one moment.
enum Task<'a, D: Device> {
    /// Brings a weight for a call.
    Bring(Arrival<'a, D>, usize),
    /// Makes room for one.
    MakeRoom(Round<'a, D>),
}

/// Does one thing, if there is one to do.
pub(crate) fn bring_one<D: Device>(shared: &Shared<D>) -> bool {
    let mut state = shared.lock();
    let Some(task) = state.next_task(shared) else { return false };
    drop(state);
    match task {
        Task::Bring(mut arrival, call) => {
            let outcome = arrival.run().map(|_| ());
            drop(arrival);
            if let Err(error) = outcome {
                tracing::debug!(%error, "a weight was not brought early");
                if let Some(running) = shared.lock().calls.get_mut(call) {
                    running.give_up();
                }
                return false;
            }
        }
        Task::MakeRoom(round) => {
            if run_all(round).is_err() {
                return false;
            }
        }
    }
    true
}

impl<D: Device> State<D> {
    fn next_task<'a>(&mut self, shared: &'a Shared<D>) -> Option<Task<'a, D>> {
        // Whoever waits for room is in greater need of it.
        let window = match self.mode.ahead() {
            _ if !self.line.is_empty() => return None,
            Ahead::Nothing => return None,
            Ahead::Window => STEPS,
            Ahead::Whole => usize::MAX,
        };
        let calls: Vec<usize> = self.calls.iter().map(|(key, _)| key).collect();
        calls.into_iter().find_map(|call| self.task_for(shared, call, window))
    }

    fn task_for<'a>(
        &mut self,
        shared: &'a Shared<D>,
        call: usize,
        window: usize,
    ) -> Option<Task<'a, D>> {
        let running = self.calls.get(call)?;
        let group = running.group;
        let (plan, position) = running.ahead()?;
        let plan = plan.clone();
        // What the steps up to the first missing weight use stays.
        self.ledger.tick();
        let clock = self.ledger.clock;
        let most = if window == usize::MAX { u64::MAX } else { plan.weights / WINDOW };
        let mut early = 0_u64;
        let mut others = 0_u64;
        let mut found: Option<(Key, u64)> = None;
        // The step that runs now has its weights leased.
        'steps: for step in plan.from(position).take(window) {
            others = others.max(step.others);
            for used in &step.uses {
                let entry = self.ledger.entries.get_mut(used.key)?;
                if entry.id != used.id {
                    return None;
                }
                if entry.moving {
                    return None;
                }
                if !entry.on.device {
                    if early == 0 || early.saturating_add(used.bytes) <= most {
                        found = Some((used.key, used.bytes));
                    }
                    break 'steps;
                }
                if entry.marked != clock {
                    entry.marked = clock;
                    if entry.came_early {
                        early = early.saturating_add(used.bytes);
                    }
                }
            }
        }
        let Some((key, bytes)) = found else { return self.fill(shared, call) };
        let record = self.ledger.groups.get(group)?.record;
        let ledger = &self.ledger;
        let now = ledger.besides_weights();
        let coming = bytes.saturating_add(others.saturating_sub(now));
        let over_quota = ledger.over_quota(record, Tier::Device, coming);
        let over = ledger.over_limit(Tier::Device, coming).max(over_quota);
        // Where others took the memory, nothing comes that is not needed now.
        if ledger.over_ceiling(Tier::Device, coming) > 0 {
            return None;
        }
        if over > 0 {
            let round = self.drop_later(shared, record, coming, over, over_quota > 0)?;
            return Some(Task::MakeRoom(round));
        }
        self.bring(shared, key, call)
    }

    fn bring<'a>(&mut self, shared: &'a Shared<D>, key: Key, call: usize) -> Option<Task<'a, D>> {
        if !self.ledger.fits_quotas(key, Tier::Device) {
            return None;
        }
        let mut arrival = Arrival::begin(shared, self, key)?;
        arrival.ahead = true;
        Some(Task::Bring(arrival, call))
    }

    /// Brings what should stay into room that no step of the plan needs for anything else.
    fn fill<'a>(&mut self, shared: &'a Shared<D>, call: usize) -> Option<Task<'a, D>> {
        let running = self.calls.get(call)?;
        let (plan, position) = running.ahead()?;
        let ledger = &self.ledger;
        let now = ledger.besides_weights();
        let weights = ledger.used(Tier::Device).saturating_sub(now);
        let most = ledger.limit(Tier::Device).min(ledger.ceilings.device);
        let others = plan.others.max(now);
        let room = most.saturating_sub(others).saturating_sub(weights);
        // What did not fit into as little room before does not now.
        if room == 0 || running.no_fill.is_some_and(|before| room <= before) {
            return None;
        }
        let record = ledger.groups.get(running.group)?.record;
        let fits = |used: &&Use| {
            let entry = ledger.entries.get(used.key);
            used.bytes > 0
                && used.bytes <= room
                && entry.is_some_and(|e| {
                    e.id == used.id && !e.on.device && !e.moving && e.group & STREAMED == 0
                })
        };
        let found = plan.from(position).flat_map(|step| &step.uses).find(fits).copied();
        let over_quota = |bytes: u64| {
            let coming = bytes.saturating_add(plan.others.saturating_sub(now));
            ledger.over_quota(record, Tier::Device, coming)
        };
        match found.filter(|used| over_quota(used.bytes) == 0) {
            Some(used) => self.bring(shared, used.key, call),
            None => {
                if let Some(running) = self.calls.get_mut(call) {
                    running.no_fill = Some(room);
                }
                None
            }
        }
    }

    /// Begins drops of what is needed later than what is marked, if they are enough.
    fn drop_later<'a>(
        &mut self,
        shared: &'a Shared<D>,
        record: usize,
        coming: u64,
        wanted: u64,
        own: bool,
    ) -> Option<Round<'a, D>> {
        let mut walk = if own {
            Walk::device_of(&mut self.ledger, record, Need::Wish)
        } else {
            Walk::device(&mut self.ledger, record, coming, Need::Wish)
        };
        let mut drops: Vec<Key> = Vec::new();
        let mut found = 0_u64;
        let mut last = None;
        while let Some(key) = walk.next(&mut self.ledger) {
            let entry = self.ledger.entry(key);
            let Some(Class::Free(group)) = entry.listed.device else { continue };
            let whole = self.mode.whole_models();
            if found >= wanted && !(whole && last == Some(group)) {
                break;
            }
            // What a plan has stay is not given up for what comes early, and a model that
            // does not fit as a whole must not push itself out.
            if group & STREAMED == 0 && self.ledger.groups.standing(group).is_running() {
                break;
            }
            last = Some(group);
            found = found.saturating_add(entry.bytes);
            drops.push(key);
        }
        if found < wanted {
            return None;
        }
        Some(self.begin_drops(shared, &drops))
    }
}

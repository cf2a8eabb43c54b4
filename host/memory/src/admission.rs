//! How an operation gets everything that it needs at once, or waits.
//!
//! Either all of it is there under one lock, inputs, outputs and workspace, and is
//! taken; or nothing is, room is made or waited for, and everything is looked at
//! again. Whoever waits holds nothing, so nobody can wait in a circle. Whether waiting
//! can help is decided before it begins: only what running operations use
//! and what threads move can come free by itself.

use std::time::Instant;

use smallvec::SmallVec;

use crate::lease::Lease;
use crate::line::{HoldsUp, Ticket};
use crate::list::Key;
use crate::offload::Ahead;
use crate::room::{Round, carry_out, run_all};
use crate::state::{Shared, State};
use crate::transfer::Arrival;
use crate::walk::{Need, Walk};
use crate::{Account, Call, Cancel, Device, Handle, Memory, MemoryError, Tier, ahead};

/// What an operation asks for.
pub(crate) struct Request<'a, D: Device> {
    /// The call that it is part of.
    pub(crate) call: Option<&'a Call<D>>,
    pub(crate) account: &'a Account,
    pub(crate) inputs: &'a [&'a Handle<D>],
    pub(crate) outputs: &'a [(u64, D::Format)],
    /// Bytes of outputs and workspace.
    pub(crate) reserve: u64,
}

/// What a request needs as things stand.
struct Needs {
    record: usize,
    /// The bytes of its distinct inputs, outputs and workspace.
    requested: u64,
    /// Those that the device holds not yet.
    device: u64,
    /// Those that the account is charged not yet.
    charge: u64,
    /// Distinct inputs that are not on the device.
    arriving: SmallVec<[Key; 4]>,
    /// Whether another thread moves an input.
    moving: bool,
    /// Bytes of distinct inputs that are not in use: those on the device, and the dirty ones.
    idle: u64,
    idle_dirty: u64,
}

/// What to do about a request as things stand.
enum Step<'a, D: Device> {
    Admit,
    /// Let these go first, and let nobody pass who could take their room.
    Move(Round<'a, D>, HoldsUp),
    /// The same, but it can start without.
    Wish(Round<'a, D>),
    Wait(HoldsUp),
    Fail(MemoryError),
}

/// A place in the line, given back also when a device fails or panics.
struct InLine<'a, D: Device> {
    shared: &'a Shared<D>,
    ticket: Option<Ticket>,
}

impl<D: Device> InLine<'_, D> {
    fn stand(&mut self, state: &mut State<D>, record: usize, holds_up: HoldsUp) {
        match self.ticket {
            Some(ticket) => state.line.change(ticket, holds_up),
            None => self.ticket = Some(state.line.join(record, holds_up)),
        }
    }

    fn leave(&mut self, state: &mut State<D>) {
        if let Some(ticket) = self.ticket.take() {
            state.line.leave(ticket);
            self.shared.changed(state);
        }
    }
}

impl<D: Device> Drop for InLine<'_, D> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let mut state = self.shared.lock();
            self.leave(&mut state);
        }
    }
}

/// Admits a request, as soon as it can be.
pub(crate) fn admit<D: Device>(
    memory: &Memory<D>,
    request: &Request<'_, D>,
    cancel: &Cancel,
) -> Result<Lease<D>, MemoryError> {
    let shared = &*memory.0;
    let mut in_line = InLine { shared, ticket: None };
    // Where use of the device should go down to, once that was wished for.
    let mut down_to = u64::MAX;
    let mut waited = false;
    // What the disk said, where it should have made room.
    let mut of_disk: Option<MemoryError> = None;
    let mut wishes = true;
    let mut state = shared.lock();
    let asked = state.recorder.is_some().then(Instant::now);
    shared.look_around(&mut state);
    loop {
        if cancel.is_cancelled() {
            drop(state);
            return Err(MemoryError::Cancelled);
        }
        let needs = state.needs(request);
        match state.next_step(shared, &needs, in_line.ticket, wishes, &mut down_to) {
            Step::Admit => {
                in_line.leave(&mut state);
                state.waits += u64::from(waited);
                let (mut lease, arrivals) = take(memory, &mut state, request, &needs);
                lease.admitted(asked, needs.requested);
                drop(state);
                if request.call.is_some() {
                    ahead::wake(shared);
                }
                arrive(&mut lease, arrivals, needs.arriving.len(), cancel)?;
                if request.call.is_some() {
                    ahead::rehearse(shared);
                }
                return Ok(lease);
            }
            Step::Fail(error) => {
                drop(state);
                return Err(of_disk.unwrap_or(error));
            }
            Step::Move(round, holds_up) => {
                in_line.stand(&mut state, needs.record, holds_up);
                drop(state);
                state = carry_out(shared, round, &mut of_disk)?;
            }
            Step::Wish(round) => {
                in_line.stand(&mut state, needs.record, HoldsUp::Everybody);
                drop(state);
                let outcome = run_all(round);
                state = shared.lock();
                if let Err(error) = outcome {
                    state.disk_is_to_blame(&error);
                    tracing::warn!(%error, "less left than was wished for");
                    wishes = false;
                }
            }
            Step::Wait(holds_up) => {
                in_line.stand(&mut state, needs.record, holds_up);
                waited = true;
                state = shared.wait(state);
            }
        }
    }
}

type Arrivals<'a, D> = SmallVec<[Arrival<'a, D>; 1]>;

/// Takes everything that a request needs. There is room for all of it.
fn take<'a, D: Device>(
    memory: &'a Memory<D>,
    state: &mut State<D>,
    request: &Request<'_, D>,
    needs: &Needs,
) -> (Lease<D>, Arrivals<'a, D>) {
    let record = needs.record;
    let mut lease = Lease::new(memory, request, record);
    let call = request.call.filter(|call| call.is_of(memory)).map(Call::key);
    let group = state.group_of(call);
    for input in request.inputs {
        let key = input.key();
        state.ledger.hold(key, record);
        state.ledger.pin(key, Tier::Device);
        state.ledger.touch(key, record, group);
        state.ledger.entry_mut(key).came_early = false;
        lease.push(key, state.ledger.entry(key).content.device.clone());
    }
    state.ledger.reserve(record, request.reserve);
    state.ledger.begin_lease(record);
    if let Some(call) = call.filter(|_| state.mode.ahead() != Ahead::Nothing) {
        state.advance(call, request.inputs);
    }
    state.note_use();
    let begin = |&key| Arrival::begin(&memory.0, state, key);
    let arrivals = needs.arriving.iter().filter_map(begin).collect();
    (lease, arrivals)
}

/// Brings the missing inputs. On failure, what did not arrive is undone here, and
/// the lease gives the rest back.
fn arrive<D: Device>(
    lease: &mut Lease<D>,
    arrivals: Arrivals<'_, D>,
    expected: usize,
    cancel: &Cancel,
) -> Result<(), MemoryError> {
    if arrivals.len() != expected {
        return Err(State::<D>::not_there("bring an input"));
    }
    for mut arrival in arrivals {
        if cancel.is_cancelled() {
            return Err(MemoryError::Cancelled);
        }
        arrival.cancel = Some(cancel.clone());
        let key = arrival.key();
        lease.fill(key, arrival.run()?);
    }
    Ok(())
}

impl<D: Device> State<D> {
    fn needs(&mut self, request: &Request<'_, D>) -> Needs {
        let record = self.ledger.record(request.account);
        let reserve = request.reserve;
        let mut needs = Needs {
            record,
            requested: reserve,
            device: reserve,
            charge: reserve,
            arriving: SmallVec::new(),
            moving: false,
            idle: 0,
            idle_dirty: 0,
        };
        self.ledger.tick();
        let clock = self.ledger.clock;
        for input in request.inputs {
            let key = input.key();
            let entry = self.ledger.entry_mut(key);
            if entry.marked == clock {
                continue;
            }
            entry.marked = clock;
            needs.requested = needs.requested.saturating_add(entry.bytes);
            needs.moving |= entry.moving;
            if !entry.on.device {
                needs.arriving.push(key);
                needs.device = needs.device.saturating_add(entry.bytes);
                needs.charge = needs.charge.saturating_add(entry.bytes);
            } else if entry.holder(record).is_none() {
                needs.charge = needs.charge.saturating_add(entry.bytes);
            }
            if entry.pins.device == 0 {
                if entry.on.device {
                    needs.idle = needs.idle.saturating_add(entry.bytes);
                }
                if entry.origin.is_none() {
                    needs.idle_dirty = needs.idle_dirty.saturating_add(entry.bytes);
                }
            }
        }
        needs
    }

    fn next_step<'a>(
        &mut self,
        shared: &'a Shared<D>,
        needs: &Needs,
        ticket: Option<Ticket>,
        wishes: bool,
        down_to: &mut u64,
    ) -> Step<'a, D> {
        let Needs { record, requested, .. } = *needs;
        let quota = self.ledger.records.get(record).and_then(|record| record.quota.device);
        if quota.is_some_and(|quota| requested > quota) {
            return Step::Fail(self.ledger.quota_exceeded(record, Tier::Device, requested));
        }
        if requested > self.ledger.limit(Tier::Device) {
            return Step::Fail(self.ledger.out_of_memory(Tier::Device, requested));
        }
        if !self.line.is_empty()
            && let Some(held_up) = self.line.held_up(ticket, record)
        {
            return Step::Wait(held_up);
        }
        if needs.moving {
            return Step::Wait(HoldsUp::Nobody);
        }
        let pressure = self.pressure(needs.device);
        let wish = self.mode.leaves_before(&pressure);
        let over_quota = self.ledger.over_quota(record, Tier::Device, needs.charge);
        if over_quota > 0 {
            let walk = Walk::device_of(&mut self.ledger, record, Need::Must);
            return match self.try_room(shared, record, walk, over_quota, wish) {
                Ok(round) => Step::Move(round, HoldsUp::Account),
                Err(_) if self.quota_may_come_free(record) => Step::Wait(HoldsUp::Account),
                Err(Some(error)) => Step::Fail(error),
                Err(None) => {
                    Step::Fail(self.ledger.quota_exceeded(record, Tier::Device, requested))
                }
            };
        }
        let over_limit = self.ledger.over_limit(Tier::Device, needs.device);
        if over_limit > 0 {
            // What others already make leave is waited for: nothing leaves in its place.
            let wanted = over_limit.saturating_sub(self.ledger.leaving);
            if wanted == 0 {
                return Step::Wait(HoldsUp::Everybody);
            }
            let walk = Walk::device(&mut self.ledger, record, needs.device, Need::Must);
            return match self.try_room(shared, record, walk, wanted, wish) {
                Ok(round) => Step::Move(round, HoldsUp::Everybody),
                Err(_) if self.room_may_come_free(needs, wish.is_some()) => {
                    Step::Wait(HoldsUp::Everybody)
                }
                Err(Some(error)) => Step::Fail(error),
                Err(None) => Step::Fail(self.ledger.out_of_memory(Tier::Device, requested)),
            };
        }
        match self.wished(shared, needs, wish.filter(|_| wishes), down_to) {
            Some(round) => Step::Wish(round),
            None => Step::Admit,
        }
    }

    /// Begins what is not necessary: what the mode wishes for, and giving way where others
    /// took the machine's memory.
    fn wished<'a>(
        &mut self,
        shared: &'a Shared<D>,
        needs: &Needs,
        wish: Option<u64>,
        down_to: &mut u64,
    ) -> Option<Round<'a, D>> {
        let used = self.ledger.used(Tier::Device);
        *down_to = (*down_to).min(used.saturating_sub(wish?));
        let wished =
            used.saturating_sub(*down_to).max(self.ledger.over_ceiling(Tier::Device, needs.device));
        if wished > 0 {
            let walk = Walk::device(&mut self.ledger, needs.record, needs.device, Need::Wish);
            if let Ok(round) = self.make_room(shared, needs.record, walk, wished, Need::Wish)
                && !round.is_empty()
            {
                return Some(round);
            }
        }
        let over = self.ledger.over_ceiling(Tier::Host, 0);
        if over > 0 {
            let round = self.give_way(shared, Tier::Host, over);
            return Some(round).filter(|round| !round.is_empty());
        }
        None
    }

    fn try_room<'a>(
        &mut self,
        shared: &'a Shared<D>,
        record: usize,
        walk: Walk,
        wanted: u64,
        wish: Option<u64>,
    ) -> Result<Round<'a, D>, Option<MemoryError>> {
        match wish {
            Some(_) => match self.make_room(shared, record, walk, wanted, Need::Must) {
                Ok(round) if round.is_empty() => Err(None),
                outcome => outcome,
            },
            None => Err(None),
        }
    }

    /// Whether waiting can bring room in an account's quota: its own operations end, or
    /// others stop using what it shares with them.
    fn quota_may_come_free(&self, record: usize) -> bool {
        let Some(account) = self.ledger.records.get(record) else { return false };
        self.ledger.transfers > 0
            || account.leases > 0
            || self.ledger.leases > 0 && account.shares_on_device()
    }

    /// Whether waiting can bring room on the device. If all that is in use came free,
    /// would what cannot leave still be too much?
    fn room_may_come_free(&self, needs: &Needs, may_leave: bool) -> bool {
        let ledger = &self.ledger;
        if ledger.transfers > 0 {
            return true;
        }
        let stays = if may_leave {
            let elsewhere = needs
                .idle_dirty
                .saturating_add(ledger.limit(Tier::Host))
                .saturating_add(ledger.limit(Tier::Disk))
                .saturating_add(ledger.shelved);
            ledger.dirty.saturating_sub(ledger.pinned).saturating_sub(elsewhere)
        } else {
            let may_go = ledger.reserved.saturating_add(ledger.pinned).saturating_add(needs.idle);
            ledger.used(Tier::Device).saturating_sub(may_go)
        };
        ledger.leases > 0 && needs.requested.saturating_add(stays) <= ledger.limit(Tier::Device)
    }
}

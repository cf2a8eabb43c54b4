//! The right to use allocations on the device for one operation.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use smallvec::SmallVec;

use crate::admission::Request;
use crate::list::Key;
use crate::state::Content;
use crate::transfer::Departure;
use crate::{Account, Device, Handle, Memory, MemoryError, PerTier, Residency, Tier, Why};

/// Inputs on the device, and room there for outputs and a workspace.
///
/// What is leased does not move. Dropping a lease without [`finish`](Lease::finish)
/// gives everything back: the operation failed or was cancelled.
pub struct Lease<D: Device> {
    memory: Memory<D>,
    account: Account,
    record: usize,
    inputs: SmallVec<[Input<D>; 4]>,
    outputs: SmallVec<[(u64, D::Format); 2]>,
    reserved: u64,
    /// Bytes of inputs, outputs and workspace.
    asked_for: u64,
    /// When it was asked for and admitted, if somebody wants to know.
    times: Option<(Instant, Instant)>,
    ended: bool,
}

struct Input<D: Device> {
    key: Key,
    /// Missing only until the lease is given to its owner.
    buffer: Option<Arc<D::Buffer>>,
}

const ON_DEVICE: Residency = PerTier { device: true, host: false, disk: false };

impl<D: Device> Lease<D> {
    /// For inputs that are held and pinned when they are pushed, and a reservation
    /// that was taken.
    pub(crate) fn new(memory: &Memory<D>, request: &Request<'_, D>, record: usize) -> Self {
        Self {
            memory: memory.clone(),
            account: request.account.clone(),
            record,
            inputs: SmallVec::new(),
            outputs: SmallVec::from_slice(request.outputs),
            reserved: request.reserve,
            asked_for: 0,
            times: None,
            ended: false,
        }
    }

    /// Everything is there, for a recording.
    pub(crate) fn admitted(&mut self, asked: Option<Instant>, bytes: u64) {
        self.asked_for = bytes;
        self.times = asked.map(|asked| (asked, Instant::now()));
    }

    pub(crate) fn push(&mut self, key: Key, buffer: Option<Arc<D::Buffer>>) {
        self.inputs.push(Input { key, buffer });
    }

    pub(crate) fn fill(&mut self, key: Key, buffer: &Arc<D::Buffer>) {
        for input in self.inputs.iter_mut().filter(|input| input.key == key) {
            input.buffer = Some(buffer.clone());
        }
    }

    /// The buffer of an input, by its place among the inputs that were asked for.
    #[must_use]
    pub fn input(&self, index: usize) -> Option<&D::Buffer> {
        self.inputs.get(index)?.buffer.as_deref()
    }

    /// Ends the operation: its outputs become allocations of the account that leased,
    /// its inputs and workspace are given back. The workspace must be free by now.
    ///
    /// # Errors
    /// [`MemoryError::WrongOutputs`] when there are not as many buffers as outputs were
    /// reserved. Then the buffers are dropped, and everything is given back.
    pub fn finish(mut self, outputs: Vec<D::Buffer>) -> Result<Vec<Handle<D>>, MemoryError> {
        let (reserved, given) = (self.outputs.len(), outputs.len());
        if reserved != given {
            // Before the room for them is given back.
            drop(outputs);
            return Err(MemoryError::WrongOutputs { reserved, given });
        }
        let outputs = outputs.into_iter().map(Arc::new).collect();
        Ok(self.end(outputs))
    }

    /// Gives everything back but the outputs, and happens once.
    fn end(&mut self, outputs: Vec<Arc<D::Buffer>>) -> Vec<Handle<D>> {
        let memory = self.memory.clone();
        let shared = &*memory.0;
        let record = self.record;
        // A buffer that is still referred to could not be freed.
        let inputs: SmallVec<[Key; 4]> = self.inputs.drain(..).map(|input| input.key).collect();
        let mut removed: SmallVec<[_; 4]> = SmallVec::new();
        let mut leaving: SmallVec<[_; 4]> = SmallVec::new();

        let mut state = shared.lock();
        state.ledger.unreserve(record, self.reserved);
        self.ended = true;
        let mut keys: SmallVec<[Key; 2]> = SmallVec::new();
        for (&(bytes, format), buffer) in self.outputs.iter().zip(outputs) {
            let content = Content { device: Some(buffer), ..Content::nowhere(format) };
            keys.push(state.ledger.insert(record, bytes, None, ON_DEVICE, content));
        }
        let leaves = state.mode.leaves_after();
        for key in inputs {
            state.ledger.unpin(key, Tier::Device);
            if state.ledger.unhold(key, record) {
                removed.extend(state.remove_if_unheld(key));
            } else if leaves && let Some(exit) = state.exit_now(key) {
                let (tier, why) = (Tier::Device, Why::Evicted);
                leaving.extend(Departure::begin(shared, &mut state, key, tier, exit, why));
            }
        }
        state.evictions += leaving.len() as u64;
        state.ledger.end_lease(record);
        if let Some((asked, admitted)) = self.times {
            state.note_lease(self.account.id(), asked, admitted, self.asked_for);
        }
        shared.changed(&state);
        let ids: SmallVec<[_; 2]> =
            keys.iter().map(|&key| (key, state.ledger.entry(key).id)).collect();
        drop(state);

        let handles = ids
            .into_iter()
            .zip(&self.outputs)
            .map(|((key, id), &(bytes, format))| {
                Handle::new(&memory, &self.account, record, key, id, bytes, format)
            })
            .collect();
        for removed in removed {
            shared.free(removed);
        }
        for departure in leaving {
            if let Err(error) = departure.run() {
                tracing::warn!(%error, "an input stays on the device");
            }
        }
        handles
    }
}

impl<D: Device> fmt::Debug for Lease<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("account", &self.account.name())
            .field("inputs", &self.inputs.len())
            .field("outputs", &self.outputs)
            .field("reserved", &self.reserved)
            .finish_non_exhaustive()
    }
}

impl<D: Device> Drop for Lease<D> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Vec::new());
        }
    }
}

//! How every operation runs: shapes first, then room, then work.
//!
//! An operation says what it reads, what it returns and what it allocates
//! meanwhile ([`Compute::begin`]), and gets all of it at once or not at all. Its
//! work then happens under a lease ([`Job::complete`]), so nothing that it reads
//! can move. Nothing is formatted and nothing but tensors is allocated on
//! the way of an operation that succeeds: small tensors are common, and at a
//! microsecond each the books would be most of their cost.

use std::fmt;

use berth_memory::{
    Account, Cancel, Handle, Lease, Limits, Memory, MemoryError, OffloadMode, Setup,
};
use smallvec::SmallVec;

use crate::cpu::cancellable;
use crate::device::{Buffer, CpuDevice};
use crate::error::{internal, invalid};
use crate::ghost::LARGEST_REAL;
use crate::operand::Operand;
use crate::shape::{self, Dims};
use crate::{ComputeError, DType, Tensor};

/// A function whose calls memory watches.
pub type Site = berth_memory::Site<CpuDevice>;
/// One call of a [`Site`].
pub type Call = berth_memory::Call<CpuDevice>;

/// For whom an operation works, and what stops it.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Who is charged for what it makes.
    pub account: Account,
    /// Stops it while it waits for room, and between its parts.
    pub cancel: Cancel,
    /// The function call that it is part of.
    pub call: Option<Call>,
}

/// The operations, and the memory that they work in. Clones share it.
///
/// Work is spread over rayon's global threads; results do not depend on how many there are.
#[derive(Clone)]
pub struct Compute {
    memory: Memory<CpuDevice>,
}

impl fmt::Debug for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compute(cpu)")
    }
}

impl Compute {
    /// Operations on the CPU, within `limits`; `mode` decides what leaves the device.
    #[must_use]
    pub fn new(limits: Limits, mode: Box<dyn OffloadMode>) -> Self {
        Self::with(Setup::new(limits, mode))
    }

    /// Operations on the CPU, with everything that an operator decides.
    #[must_use]
    pub fn with(setup: Setup) -> Self {
        Self { memory: Memory::with(CpuDevice::default(), setup) }
    }

    /// The same without the work: limits, leases, quotas and evictions are as in [`Compute::with`],
    /// but what is larger than 64 KiB, or was computed from such a thing, has a size and no
    /// bytes. It is read as zeros.
    ///
    /// The gauge is left out: it would see the DRAM that the work takes and a rehearsal does not.
    #[must_use]
    pub fn rehearsal(setup: Setup) -> Self {
        let setup = Setup { gauge: None, ..setup };
        Self { memory: Memory::with(CpuDevice { rehearsal: true }, setup) }
    }

    /// Whether it leaves the work out.
    #[must_use]
    pub fn is_rehearsal(&self) -> bool {
        self.memory.device().rehearsal
    }

    /// The memory that tensors are in.
    #[must_use]
    pub fn memory(&self) -> &Memory<CpuDevice> {
        &self.memory
    }

    /// What a tensor of this type and shape takes, in bytes.
    ///
    /// # Errors
    /// [`ComputeError::InvalidArgument`] when there can be no such tensor.
    pub fn checked_bytes(&self, dtype: DType, shape: &[usize]) -> Result<u64, ComputeError> {
        checked_bytes("tensor", dtype, shape)
    }

    /// Reserves all that an operation needs. `workspace` is the most bytes it
    /// allocates beside its output.
    pub(crate) fn begin<'a>(
        &self,
        scope: &Scope,
        operation: &'static str,
        inputs: impl IntoIterator<Item = &'a Tensor>,
        (dtype, shape): (DType, Dims),
        workspace: u64,
    ) -> Result<Job<'a>, ComputeError> {
        let bytes = checked_bytes(operation, dtype, &shape)?;
        check_cancelled(scope)?;
        let workspace = if bytes == 0 { 0 } else { workspace };
        let inputs: SmallVec<[&Tensor; 4]> = inputs.into_iter().collect();
        let handles: SmallVec<[&Handle<CpuDevice>; 4]> =
            inputs.iter().map(|tensor| tensor.handle()).collect();
        let outputs = [(bytes, dtype)];
        let Scope { account, cancel, call } = scope;
        let lease =
            self.memory.lease_for(call.as_ref(), account, &handles, &outputs, workspace, cancel)?;
        let cancel = cancel.clone();
        let ghost = self.is_rehearsal()
            && (bytes > LARGEST_REAL
                || (0..inputs.len()).any(|at| lease.input(at).is_some_and(Buffer::is_ghost)));
        let ghost = ghost.then_some(bytes);
        Ok(Job { lease, cancel, operation, inputs, dtype, shape, ghost })
    }
}

/// Bytes of a tensor, or what is wrong with its shape.
pub(crate) fn checked_bytes(
    operation: &'static str,
    dtype: DType,
    shape: &[usize],
) -> Result<u64, ComputeError> {
    let bytes = shape::bytes(dtype, shape).map_err(|reason| invalid(operation, reason))?;
    Ok(bytes as u64)
}

pub(crate) fn check_cancelled(scope: &Scope) -> Result<(), ComputeError> {
    if scope.cancel.is_cancelled() { Err(MemoryError::Cancelled.into()) } else { Ok(()) }
}

/// An operation that has all the room it needs.
pub(crate) struct Job<'a> {
    lease: Lease<CpuDevice>,
    cancel: Cancel,
    operation: &'static str,
    inputs: SmallVec<[&'a Tensor; 4]>,
    dtype: DType,
    shape: Dims,
    /// The result's size in bytes, if that is all that it has.
    ghost: Option<u64>,
}

impl Job<'_> {
    /// Does the work, and makes its result a tensor. `work` is not called when
    /// the result has no elements, or is a ghost.
    pub(crate) fn complete(
        self,
        work: impl FnOnce(&Self) -> Result<Buffer, ComputeError>,
    ) -> Result<Tensor, ComputeError> {
        let buffer = if self.shape.contains(&0) {
            Buffer::written(self.dtype, 0, |_| Ok::<_, MemoryError>(()))?
        } else if let Some(bytes) = self.ghost {
            Buffer::ghost(bytes)
        } else {
            cancellable(&self.cancel, || work(&self))?
        };
        if self.cancel.is_cancelled() {
            // Its kernels may have stopped halfway.
            return Err(MemoryError::Cancelled.into());
        }
        let Self { lease, operation, dtype, shape, .. } = self;
        let mut outputs = lease.finish(vec![buffer])?;
        let handle = outputs.pop().ok_or_else(|| internal(operation, "an output is missing"))?;
        Ok(Tensor::whole(handle, dtype, shape))
    }

    /// One of the inputs.
    pub(crate) fn operand(&self, index: usize) -> Result<Operand<'_>, ComputeError> {
        let missing = || internal(self.operation, "an input is missing");
        let tensor = self.inputs.get(index).ok_or_else(missing)?;
        let buffer = self.lease.input(index).ok_or_else(missing)?;
        Operand::new(self.operation, tensor, buffer)
    }

    /// How many elements the result has.
    pub(crate) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Takes over what candle computed.
    pub(crate) fn adopt(
        &self,
        computed: candle_core::Result<candle_core::Tensor>,
    ) -> Result<Buffer, ComputeError> {
        let failed = || internal(self.operation, "candle does not compute this");
        computed.and_then(|tensor| tensor.flatten_all()).map(Buffer::adopt).map_err(|_| failed())
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(crate) fn shape(&self) -> &[usize] {
        &self.shape
    }
}

//! A tensor: dtype and shape over a part of an allocation.

use std::fmt;

use berth_memory::{Account, Handle, MemoryError, Shelved};

use crate::device::CpuDevice;
use crate::error::invalid;
use crate::shape::{self, Dims};
use crate::{ComputeError, DType};

/// An immutable array of elements, contiguous and row-major. Clones and views
/// share its allocation.
#[derive(Clone)]
pub struct Tensor {
    handle: Handle<CpuDevice>,
    dtype: DType,
    shape: Dims,
    /// Where it begins in the allocation, in elements; a whole block if it is quantized.
    offset: usize,
}

impl Tensor {
    /// The whole of an allocation.
    pub(crate) fn whole(handle: Handle<CpuDevice>, dtype: DType, shape: Dims) -> Self {
        Self { handle, dtype, shape, offset: 0 }
    }

    /// A part of this tensor that begins `offset` elements after it. The caller
    /// has checked that it lies inside.
    pub(crate) fn view(&self, offset: usize, shape: Dims) -> Self {
        Self { handle: self.handle.clone(), dtype: self.dtype, shape, offset: self.offset + offset }
    }

    /// The element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The dimensions, outermost first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many elements it has.
    #[must_use]
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let (block, size) = self.dtype.block();
        (self.elements() / block * size) as u64
    }

    /// Where it begins in its allocation, in elements.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// The allocation, as this tensor's account holds it.
    #[must_use]
    pub fn handle(&self) -> &Handle<CpuDevice> {
        &self.handle
    }

    /// The same tensor, held by another account.
    #[must_use]
    pub fn for_account(&self, account: &Account) -> Self {
        Self { handle: self.handle.for_account(account), shape: self.shape.clone(), ..*self }
    }

    /// Keeps the tensor beyond this one, as far as there is room.
    #[must_use]
    pub fn shelve(&self) -> ShelvedTensor {
        let Self { handle, dtype, shape, offset } = self;
        let (shelved, shape) = (handle.shelve(), shape.clone());
        ShelvedTensor { shelved, dtype: *dtype, shape, offset: *offset }
    }

    /// Copies bytes out of it, from byte `offset` on.
    ///
    /// # Errors
    /// [`ComputeError::Memory`] when they do not lie inside of the tensor, or cannot be read.
    pub fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), ComputeError> {
        let (bytes, length) = (self.bytes(), into.len() as u64);
        if offset.checked_add(length).is_none_or(|end| end > bytes) {
            return Err(MemoryError::OutOfRange { offset, length, bytes }.into());
        }
        let (block, size) = self.dtype.block();
        let begin = (self.offset / block * size) as u64;
        Ok(self.handle.read(begin + offset, into)?)
    }

    /// The same elements under another shape.
    pub(crate) fn reshaped(
        &self,
        operation: &'static str,
        to: &[usize],
    ) -> Result<Self, ComputeError> {
        shape::bytes(self.dtype, to).map_err(|reason| invalid(operation, reason))?;
        if to.iter().product::<usize>() != self.elements() {
            return Err(invalid(
                operation,
                format!(
                    "the shape {to:?} does not have the {} elements of x, whose shape is {:?}",
                    self.elements(),
                    self.shape()
                ),
            ));
        }
        Ok(self.view(0, to.into()))
    }
}

/// A tensor that nobody needs now. Its allocation is kept as long as that costs nobody anything.
#[derive(Debug)]
pub struct ShelvedTensor {
    shelved: Shelved<CpuDevice>,
    dtype: DType,
    shape: Dims,
    offset: usize,
}

impl ShelvedTensor {
    /// The tensor; `None` if its bytes are lost.
    #[must_use]
    pub fn take(&self) -> Option<Tensor> {
        let Self { shelved, dtype, shape, offset } = self;
        let (handle, shape) = (shelved.take()?, shape.clone());
        Some(Tensor { handle, dtype: *dtype, shape, offset: *offset })
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({} {:?})", self.dtype, self.shape())
    }
}

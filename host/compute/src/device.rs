//! The CPU as a device: flat candle tensors.
//!
//! A buffer is one dimension of elements and nothing else: shapes belong to the
//! tensors that view it. Types that candle does not have (`f8`, GGUF's blocks) are
//! bytes. So moving a buffer needs no knowledge of what is done with it, and
//! candle's storage for another device can take the place of its CPU's.

use berth_memory::{Device, MemoryError};
use bytemuck::Pod;
use candle_core::{CpuStorage, Storage, StorageRef, WithDType};
use half::{bf16, f16};

use crate::DType;
use crate::ghost::LARGEST_REAL;

#[cfg(target_endian = "big")]
compile_error!("tensors are little-endian, and this device keeps them in the machine's order");

/// The CPU. Its memory is the global allocator's, as far as a limit allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuDevice {
    /// Whether what is large has no bytes.
    pub(crate) rehearsal: bool,
}

/// Bytes on the device.
pub struct Buffer(Content);

enum Content {
    /// One dimension of elements.
    Flat(candle_core::Tensor),
    /// So many bytes, which nobody has.
    Ghost(u64),
}

impl Device for CpuDevice {
    type Buffer = Buffer;
    type Format = DType;

    fn create(
        &self,
        bytes: u64,
        format: DType,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), MemoryError>,
    ) -> Result<Buffer, MemoryError> {
        if self.is_ghost(bytes) {
            return Ok(Buffer::ghost(bytes));
        }
        let bytes = usize::try_from(bytes).map_err(|error| refused("allocate", error))?;
        Buffer::zeroed(format, bytes, fill)
    }

    fn is_in_dram(&self) -> bool {
        true
    }

    fn is_ghost(&self, bytes: u64) -> bool {
        self.rehearsal && bytes > LARGEST_REAL
    }

    fn read(&self, buffer: &Buffer, offset: u64, into: &mut [u8]) -> Result<(), MemoryError> {
        let length = into.len() as u64;
        let outside = |bytes| MemoryError::OutOfRange { offset, length, bytes };
        let flat = match &buffer.0 {
            Content::Flat(flat) => flat,
            Content::Ghost(bytes) => {
                let end = offset.checked_add(length).filter(|end| end <= bytes);
                end.ok_or_else(|| outside(*bytes))?;
                into.fill(0);
                return Ok(());
            }
        };
        let reading = Reading::of(flat);
        let bytes = reading.bytes().unwrap_or_default();
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| bytes.get(start..start.checked_add(into.len())?))
            .ok_or_else(|| outside(bytes.len() as u64))?;
        into.copy_from_slice(range);
        Ok(())
    }
}

fn refused(operation: &'static str, error: impl std::fmt::Display) -> MemoryError {
    MemoryError::Device { operation, reason: error.to_string() }
}

impl Buffer {
    /// Takes over what a kernel wrote.
    pub(crate) fn of<T: WithDType>(values: Vec<T>) -> Result<Self, MemoryError> {
        let count = values.len();
        candle_core::Tensor::from_vec(values, count, &candle_core::Device::Cpu)
            .map(Self::adopt)
            .map_err(|error| refused("keep a tensor", error))
    }

    /// A buffer of `bytes` bytes that `fill` writes. They are zeros before.
    fn zeroed(
        dtype: DType,
        bytes: usize,
        fill: &mut dyn FnMut(&mut [u8]) -> Result<(), MemoryError>,
    ) -> Result<Self, MemoryError> {
        fn typed<T: WithDType + Pod>(
            bytes: usize,
            fill: &mut dyn FnMut(&mut [u8]) -> Result<(), MemoryError>,
        ) -> Result<Buffer, MemoryError> {
            let size = size_of::<T>();
            if !bytes.is_multiple_of(size) {
                let reason = format!("{bytes} bytes are no whole number of elements of {size}");
                return Err(MemoryError::Device { operation: "allocate", reason });
            }
            let mut values: Vec<T> = vec![T::zeroed(); bytes / size];
            fill(bytemuck::cast_slice_mut(&mut values))?;
            Buffer::of(values)
        }
        match dtype {
            DType::U32 => typed::<u32>(bytes, fill),
            DType::I32 => typed::<i32>(bytes, fill),
            DType::I64 => typed::<i64>(bytes, fill),
            DType::F16 => typed::<f16>(bytes, fill),
            DType::BF16 => typed::<bf16>(bytes, fill),
            DType::F32 => typed::<f32>(bytes, fill),
            DType::F64 => typed::<f64>(bytes, fill),
            _ => typed::<u8>(bytes, fill),
        }
    }

    /// A buffer of `count` elements of a dense type, whose bytes `write` writes, all of them.
    pub(crate) fn written<E: From<MemoryError>>(
        dtype: DType,
        count: usize,
        write: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        fn typed<T: WithDType + Pod, E: From<MemoryError>>(
            count: usize,
            write: impl FnOnce(&mut [u8]) -> Result<(), E>,
        ) -> Result<Buffer, E> {
            let mut values = unwritten::<T>(count)?;
            write(bytemuck::cast_slice_mut(&mut values))?;
            Ok(Buffer::of(values)?)
        }
        match dtype {
            DType::U32 => typed::<u32, E>(count, write),
            DType::I32 => typed::<i32, E>(count, write),
            DType::I64 => typed::<i64, E>(count, write),
            DType::F16 => typed::<f16, E>(count, write),
            DType::BF16 => typed::<bf16, E>(count, write),
            DType::F32 => typed::<f32, E>(count, write),
            DType::F64 => typed::<f64, E>(count, write),
            _ => typed::<u8, E>(count, write),
        }
    }

    /// Takes over a contiguous candle tensor of one dimension.
    pub(crate) fn adopt(flat: candle_core::Tensor) -> Self {
        Self(Content::Flat(flat))
    }

    /// A buffer of `bytes` bytes that nobody has.
    pub(crate) fn ghost(bytes: u64) -> Self {
        Self(Content::Ghost(bytes))
    }

    /// Whether nobody has its bytes.
    pub(crate) fn is_ghost(&self) -> bool {
        matches!(self.0, Content::Ghost(_))
    }

    /// The candle tensor, one dimension of elements; a ghost has none.
    pub(crate) fn flat(&self) -> Option<&candle_core::Tensor> {
        match &self.0 {
            Content::Flat(flat) => Some(flat),
            Content::Ghost(_) => None,
        }
    }
}

/// The right to look at a buffer's elements.
pub(crate) struct Reading<'a>(StorageRef<'a>);

impl<'a> Reading<'a> {
    pub(crate) fn of(flat: &'a candle_core::Tensor) -> Self {
        Self(flat.storage_and_layout().0)
    }

    /// All elements; `None` if they are of another type.
    pub(crate) fn slice<T: WithDType>(&self) -> Option<&[T]> {
        match &*self.0 {
            Storage::Cpu(storage) => storage.as_slice().ok(),
            _ => None,
        }
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        let Storage::Cpu(storage) = &*self.0 else { return None };
        Some(match storage {
            CpuStorage::U8(values) => values,
            CpuStorage::U32(values) => bytemuck::cast_slice(values),
            CpuStorage::I32(values) => bytemuck::cast_slice(values),
            CpuStorage::I64(values) => bytemuck::cast_slice(values),
            CpuStorage::F16(values) => bytemuck::cast_slice(values),
            CpuStorage::BF16(values) => bytemuck::cast_slice(values),
            CpuStorage::F32(values) => bytemuck::cast_slice(values),
            CpuStorage::F64(values) => bytemuck::cast_slice(values),
            _ => return None,
        })
    }
}

/// Room for `count` elements that a kernel is about to write, all of them, before
/// anybody reads one. Clearing it first would cost as much as many kernels take.
pub(crate) fn unwritten<T: Pod>(count: usize) -> Result<Vec<T>, MemoryError> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|error| refused("allocate", error))?;
    // SAFETY: the capacity is at least `count`; every pattern of bits is a `T`, and
    // whoever asked writes each element before it is read.
    unsafe {
        values.set_len(count);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_went_in() {
        for (dtype, bytes) in
            [(DType::F32, 12), (DType::F16, 6), (DType::Q4_0, 18), (DType::I64, 0)]
        {
            let data: Vec<u8> = (0..bytes).map(|i| i as u8).collect();
            let mut fill = |into: &mut [u8]| {
                into.copy_from_slice(&data);
                Ok(())
            };
            let device = CpuDevice::default();
            let buffer = device.create(bytes, dtype, &mut fill).unwrap();
            let mut all = vec![0; data.len()];
            device.read(&buffer, 0, &mut all).unwrap();
            assert_eq!(all, data);
            assert!(device.read(&buffer, 1, &mut vec![0; data.len()]).is_err());
            assert!(device.read(&buffer, u64::MAX, &mut [0]).is_err());
        }
        assert!(CpuDevice::default().create(3, DType::F32, &mut |_| Ok(())).is_err());
    }

    #[test]
    fn a_ghost_is_read_as_zeros_within_its_size() {
        let device = CpuDevice { rehearsal: true };
        let mut fill = |_: &mut [u8]| panic!("a ghost is not filled");
        let buffer = device.create(1 << 40, DType::F16, &mut fill).unwrap();
        let mut bytes = [7; 5000];
        device.read(&buffer, (1 << 40) - 5000, &mut bytes).unwrap();
        assert_eq!(bytes, [0; 5000]);
        for offset in [(1 << 40) - 4999, u64::MAX] {
            assert!(device.read(&buffer, offset, &mut bytes).is_err());
        }
    }
}

//! `tensors`: made from bytes, and read.

use berth_compute::{DType, Generator, Tensor};
use wasmtime::component::Resource;

use super::bindings::berth::node::tensors;
use super::bindings::berth::node::types::{Dtype, WideInteger};
use super::{Error, Returned};
use crate::error::GuestError;
use crate::state::State;

/// Longest piece of a tensor that one call reads, in bytes. It bounds what the host
/// holds twice; the SDKs read longer tensors piece by piece.
const LONGEST_READ: u32 = 64 << 20;

/// Bytes that one run may have in unfinished uploads, together. They are the host's own and
/// charged to nobody before they are a tensor; one 8K image of four channels in `f32` is 531 MB.
const MOST_UPLOADING: u64 = 1 << 30;

/// A tensor being written.
pub struct Upload {
    dtype: DType,
    shape: Vec<usize>,
    /// `None` once it is finished.
    bytes: Option<Vec<u8>>,
}

pub(super) fn sizes(shape: &[u32]) -> Vec<usize> {
    shape.iter().map(|&size| size as usize).collect()
}

impl From<Dtype> for DType {
    fn from(dtype: Dtype) -> Self {
        match dtype {
            Dtype::U8 => Self::U8,
            Dtype::U32 => Self::U32,
            Dtype::I32 => Self::I32,
            Dtype::I64 => Self::I64,
            Dtype::F16 => Self::F16,
            Dtype::Bf16 => Self::BF16,
            Dtype::F32 => Self::F32,
            Dtype::F64 => Self::F64,
            Dtype::F8E4m3 => Self::F8E4M3,
            Dtype::F8E5m2 => Self::F8E5M2,
            Dtype::Q40 => Self::Q4_0,
            Dtype::Q41 => Self::Q4_1,
            Dtype::Q50 => Self::Q5_0,
            Dtype::Q51 => Self::Q5_1,
            Dtype::Q80 => Self::Q8_0,
            Dtype::Q81 => Self::Q8_1,
            Dtype::Q2K => Self::Q2K,
            Dtype::Q3K => Self::Q3K,
            Dtype::Q4K => Self::Q4K,
            Dtype::Q5K => Self::Q5K,
            Dtype::Q6K => Self::Q6K,
            Dtype::Q8K => Self::Q8K,
        }
    }
}

pub(super) fn dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::U8 => Dtype::U8,
        DType::U32 => Dtype::U32,
        DType::I32 => Dtype::I32,
        DType::I64 => Dtype::I64,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::Bf16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
        DType::F8E4M3 => Dtype::F8E4m3,
        DType::F8E5M2 => Dtype::F8E5m2,
        DType::Q4_0 => Dtype::Q40,
        DType::Q4_1 => Dtype::Q41,
        DType::Q5_0 => Dtype::Q50,
        DType::Q5_1 => Dtype::Q51,
        DType::Q8_0 => Dtype::Q80,
        DType::Q8_1 => Dtype::Q81,
        DType::Q2K => Dtype::Q2K,
        DType::Q3K => Dtype::Q3K,
        DType::Q4K => Dtype::Q4K,
        DType::Q5K => Dtype::Q5K,
        DType::Q6K => Dtype::Q6K,
        DType::Q8K => Dtype::Q8K,
    }
}

/// A tensor's shape as the contract has it; every dimension came from a `u32`
/// or a model file, whose larger ones saturate.
pub(super) fn shape(shape: &[usize]) -> Vec<u32> {
    shape.iter().map(|&size| u32::try_from(size).unwrap_or(u32::MAX)).collect()
}

impl tensors::HostTensor for State {
    fn dtype(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Dtype> {
        Ok(dtype(self.table.get(&tensor)?.dtype()))
    }

    fn shape(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Vec<u32>> {
        Ok(shape(self.table.get(&tensor)?.shape()))
    }

    fn share(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<Resource<Tensor>> {
        let shared = self.table.get(&tensor)?.clone();
        Ok(self.table.push(shared)?)
    }

    fn read(&mut self, tensor: Resource<Tensor>, offset: u64, length: u32) -> Returned<Vec<u8>> {
        let tensor = self.table.get(&tensor)?;
        let end = offset.checked_add(u64::from(length));
        if length > LONGEST_READ || end.is_none_or(|end| end > tensor.bytes()) {
            return Ok(Err(Error::InvalidArgument(format!(
                "read: {length} bytes from {offset} on do not lie in the tensor's {} bytes, or are \
                 more than {LONGEST_READ}",
                tensor.bytes()
            ))));
        }
        let mut bytes = vec![0; length as usize];
        Ok(match tensor.read(offset, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(GuestError::from(error).into()),
        })
    }

    fn drop(&mut self, tensor: Resource<Tensor>) -> wasmtime::Result<()> {
        self.table.delete(tensor)?;
        Ok(())
    }
}

impl tensors::HostUpload for State {
    fn begin(&mut self, dtype: Dtype, shape: Vec<u32>) -> Returned<Resource<Upload>> {
        let (dtype, shape) = (DType::from(dtype), sizes(&shape));
        let bytes = self.compute().checked_bytes(dtype, &shape);
        let written = self.uploading;
        let upload = bytes.map_err(GuestError::from).and_then(|bytes| {
            let most = MOST_UPLOADING.min(self.compute().memory().limits().host);
            let refused = || {
                GuestError::InvalidArgument(format!(
                    "upload: {bytes} bytes beside the {written} that are being written pass the limit of {most}"
                ))
            };
            let mut buffer = Vec::new();
            let length = usize::try_from(bytes).map_err(|_| refused())?;
            if written.saturating_add(bytes) > most {
                return Err(refused());
            }
            buffer.try_reserve_exact(length).map_err(|_| refused())?;
            buffer.resize(length, 0);
            self.uploading = written.saturating_add(bytes);
            Ok(Upload { dtype, shape, bytes: Some(buffer) })
        });
        let given = self.give_result(upload)?;
        if given.is_err() {
            self.uploading = written;
        }
        Ok(given)
    }

    fn write(&mut self, upload: Resource<Upload>, offset: u64, data: Vec<u8>) -> Returned<()> {
        let upload = self.table.get_mut(&upload)?;
        let Some(bytes) = &mut upload.bytes else {
            return Ok(Err(Error::InvalidArgument("upload: it is finished".into())));
        };
        let length = bytes.len();
        let begin = usize::try_from(offset).ok();
        let range = begin.and_then(|begin| Some(begin..begin.checked_add(data.len())?));
        match range.and_then(|range| bytes.get_mut(range)) {
            Some(target) => target.copy_from_slice(&data),
            None => {
                return Ok(Err(Error::InvalidArgument(format!(
                    "upload: {} bytes from {offset} on do not lie in the tensor's {length} bytes",
                    data.len(),
                ))));
            }
        }
        Ok(Ok(()))
    }

    fn finish(&mut self, upload: Resource<Upload>) -> Returned<Resource<Tensor>> {
        let upload = self.table.get_mut(&upload)?;
        let Some(bytes) = upload.bytes.take() else {
            return Ok(Err(Error::InvalidArgument("upload: it is finished".into())));
        };
        let (dtype, shape) = (upload.dtype, std::mem::take(&mut upload.shape));
        self.uploading = self.uploading.saturating_sub(bytes.len() as u64);
        let made = self.compute().from_bytes(&self.scope, dtype, &shape, bytes);
        self.give_result(made)
    }

    fn drop(&mut self, upload: Resource<Upload>) -> wasmtime::Result<()> {
        let upload = self.table.delete(upload)?;
        let bytes = upload.bytes.map_or(0, |bytes| bytes.len() as u64);
        self.uploading = self.uploading.saturating_sub(bytes);
        Ok(())
    }
}

impl tensors::HostGenerator for State {
    fn seeded(&mut self, seed: WideInteger) -> wasmtime::Result<Resource<Generator>> {
        let seed = u64::from(seed.high) << 32 | u64::from(seed.low);
        Ok(self.table.push(Generator::seeded(seed))?)
    }

    fn normal(
        &mut self,
        generator: Resource<Generator>,
        shape: Vec<u32>,
    ) -> Returned<Resource<Tensor>> {
        let compute = self.plugin.sandbox().compute();
        let generator = self.table.get_mut(&generator)?;
        let made = compute.normal(&self.scope, generator, &sizes(&shape));
        self.give_result(made)
    }

    fn uniform(
        &mut self,
        generator: Resource<Generator>,
        shape: Vec<u32>,
    ) -> Returned<Resource<Tensor>> {
        let compute = self.plugin.sandbox().compute();
        let generator = self.table.get_mut(&generator)?;
        let made = compute.uniform(&self.scope, generator, &sizes(&shape));
        self.give_result(made)
    }

    fn drop(&mut self, generator: Resource<Generator>) -> wasmtime::Result<()> {
        self.table.delete(generator)?;
        Ok(())
    }
}

impl tensors::Host for State {
    fn from_bytes(
        &mut self,
        dtype: Dtype,
        shape: Vec<u32>,
        data: Vec<u8>,
    ) -> Returned<Resource<Tensor>> {
        let made = self.compute().from_bytes(&self.scope, dtype.into(), &sizes(&shape), data);
        self.give_result(made)
    }

    fn full(&mut self, dtype: Dtype, shape: Vec<u32>, value: f64) -> Returned<Resource<Tensor>> {
        let made = self.compute().full(&self.scope, dtype.into(), &sizes(&shape), value);
        self.give_result(made)
    }

    fn arange(
        &mut self,
        dtype: Dtype,
        start: f64,
        step: f64,
        count: u32,
    ) -> Returned<Resource<Tensor>> {
        let count = count as usize;
        let made = self.compute().arange(&self.scope, dtype.into(), start, step, count);
        self.give_result(made)
    }
}

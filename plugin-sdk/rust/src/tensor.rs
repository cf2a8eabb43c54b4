//! Tensors by handle: how they are made from a plugin's bytes, and read.
//!
//! A tensor's bytes are the host's. They cross into the guest only in
//! [`Tensor::read_bytes`] and its like, and then in pieces: a guest's memory is
//! small, and one list as long as an image batch would have to exist twice in it.

use crate::bindings::berth::node::tensors;
use crate::{DType, Element, Error, Integer, Result};

/// Bytes that cross between guest and host at once. A call costs a tenth of a
/// microsecond and a mebibyte twenty, so larger pieces would gain nothing.
const PIECE: usize = 1 << 20;

/// An immutable array that the host holds: a handle, and nothing else. Cloning it
/// makes a second handle and costs no memory.
///
/// Elements are row-major. Operations are methods; arithmetic works on references,
/// `(&a + &b)?`, and gives a `Result`, since any of it can fail.
#[derive(Debug)]
pub struct Tensor {
    pub(crate) raw: tensors::Tensor,
}

impl Clone for Tensor {
    fn clone(&self) -> Self {
        self.raw.share().into()
    }
}

impl From<tensors::Tensor> for Tensor {
    fn from(raw: tensors::Tensor) -> Self {
        Self { raw }
    }
}

/// Dimensions as the contract has them.
pub(crate) fn dimensions(shape: &[usize]) -> Result<Vec<u32>> {
    shape.iter().map(|&dim| dimension(dim)).collect()
}

/// One dimension, index or count as the contract has it.
pub(crate) fn dimension(dim: usize) -> Result<u32> {
    u32::try_from(dim).map_err(|_| Error::invalid(format!("{dim} is too large for a dimension")))
}

/// Bytes of a dense tensor, or an error that says why there is no such tensor.
fn dense_bytes(dtype: DType, shape: &[usize]) -> Result<usize> {
    let size = dtype.size().ok_or_else(|| {
        Error::invalid(format!("a {dtype} tensor comes from a model file, never from bytes"))
    })?;
    shape.iter().try_fold(size, |bytes, &dim| bytes.checked_mul(dim)).ok_or_else(|| {
        Error::invalid(format!("a tensor of {shape:?} is larger than a plugin's memory"))
    })
}

impl Tensor {
    /// The element type.
    pub fn dtype(&self) -> DType {
        self.raw.dtype().into()
    }

    /// The dimensions, outermost first; empty for a scalar.
    pub fn shape(&self) -> Vec<usize> {
        self.raw.shape().into_iter().map(|dim| dim as usize).collect()
    }

    /// The dimensions of a tensor that has `N` of them.
    ///
    /// # Errors
    /// `InvalidArgument` when it has more or fewer.
    pub fn dims<const N: usize>(&self) -> Result<[usize; N]> {
        let shape = self.shape();
        shape.as_slice().try_into().map_err(|_| {
            Error::invalid(format!("a tensor of {N} dimensions is expected, not one of {shape:?}"))
        })
    }

    /// One dimension; `axis` −1 is the last.
    ///
    /// # Errors
    /// `InvalidArgument` when the tensor has no such axis.
    pub fn dim(&self, axis: i32) -> Result<usize> {
        let shape = self.shape();
        let place = if axis < 0 {
            shape.len().checked_sub(axis.unsigned_abs() as usize)
        } else {
            Some(axis.unsigned_abs() as usize)
        };
        place
            .and_then(|place| shape.get(place).copied())
            .ok_or_else(|| Error::invalid(format!("a tensor of {shape:?} has no axis {axis}")))
    }

    /// How many elements there are.
    pub fn elements(&self) -> u64 {
        self.raw.shape().into_iter().map(u64::from).product()
    }

    /// A tensor of these bytes, little-endian.
    ///
    /// # Errors
    /// `InvalidArgument` when `data` is not exactly as long as `dtype` and `shape` say,
    /// or `dtype` is quantized; what the host has no room for.
    pub fn from_bytes(dtype: DType, shape: &[usize], data: &[u8]) -> Result<Self> {
        let expected = dense_bytes(dtype, shape)?;
        if data.len() != expected {
            return Err(Error::invalid(format!(
                "a {dtype} tensor of {shape:?} has {expected} bytes, not {}",
                data.len()
            )));
        }
        let dims = dimensions(shape)?;
        if data.len() <= PIECE {
            return Ok(tensors::from_bytes(dtype.into(), &dims, data)?.into());
        }
        let upload = tensors::Upload::begin(dtype.into(), &dims)?;
        for (offset, piece) in (0u64..).step_by(PIECE).zip(data.chunks(PIECE)) {
            upload.write(offset, piece)?;
        }
        Ok(upload.finish()?.into())
    }

    /// A tensor of these numbers, of their own element type.
    ///
    /// # Errors
    /// `InvalidArgument` when there are not as many as `shape` says; what the host has no room for.
    pub fn from_slice<T: Element>(shape: &[usize], data: &[T]) -> Result<Self> {
        Self::from_bytes(T::DTYPE, shape, bytemuck::cast_slice(data))
    }

    /// An `f32` tensor of these numbers.
    ///
    /// # Errors
    /// As [`Tensor::from_slice`].
    pub fn from_f32(shape: &[usize], data: &[f32]) -> Result<Self> {
        Self::from_slice(shape, data)
    }

    /// A tensor whose every element is `value`, converted to `dtype`.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn full(dtype: DType, shape: &[usize], value: f64) -> Result<Self> {
        Ok(tensors::full(dtype.into(), &dimensions(shape)?, value)?.into())
    }

    /// A tensor of zeros.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn zeros(dtype: DType, shape: &[usize]) -> Result<Self> {
        Self::full(dtype, shape, 0.0)
    }

    /// The 1-D tensor `start`, `start + step`, … of `count` elements, computed in `f64`.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn arange(dtype: DType, start: f64, step: f64, count: usize) -> Result<Self> {
        Ok(tensors::arange(dtype.into(), start, step, dimension(count)?)?.into())
    }

    /// All bytes, little-endian.
    ///
    /// # Errors
    /// `Unsupported` for a quantized tensor (`cast` it first); what reading it can fail with.
    pub fn read_bytes(&self) -> Result<Vec<u8>> {
        let dtype = self.dtype();
        if dtype.size().is_none() {
            return Err(Error::Unsupported(format!("reading {dtype} blocks; cast them first")));
        }
        let total = dense_bytes(dtype, &self.shape())?;
        let mut bytes = Vec::with_capacity(total);
        self.pieces(total, |piece| bytes.extend_from_slice(piece))?;
        Ok(bytes)
    }

    /// All elements as `T`, cast by the host when they are of another type.
    ///
    /// # Errors
    /// What casting and reading can fail with.
    pub fn to_vec<T: Element>(&self) -> Result<Vec<T>> {
        if self.dtype() != T::DTYPE {
            return self.cast(T::DTYPE)?.to_vec();
        }
        let total = dense_bytes(T::DTYPE, &self.shape())?;
        let mut numbers = Vec::with_capacity(total / size_of::<T>());
        self.pieces(total, |piece| {
            numbers
                .extend(piece.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned::<T>));
        })?;
        Ok(numbers)
    }

    /// All elements as `f32`, cast by the host when they are of another type.
    ///
    /// # Errors
    /// As [`Tensor::to_vec`].
    pub fn to_f32(&self) -> Result<Vec<f32>> {
        self.to_vec()
    }

    /// `length` bytes from byte `offset` on, little-endian: for data that a plugin works through
    /// band by band, and never holds whole.
    ///
    /// # Errors
    /// `InvalidArgument` when they do not lie inside the tensor; what reading it can fail with.
    pub fn read_range(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        Ok(self.raw.read(offset, dimension(length)?)?)
    }

    /// Hands out all `total` bytes, a piece at a time and in order.
    fn pieces(&self, total: usize, mut take: impl FnMut(&[u8])) -> Result<()> {
        for start in (0..total).step_by(PIECE) {
            let length = PIECE.min(total - start);
            let piece = self.raw.read(start as u64, dimension(length)?)?;
            if piece.len() != length {
                return Err(Error::other(format!(
                    "the host gave {} bytes where {length} were asked for",
                    piece.len()
                )));
            }
            take(&piece);
        }
        Ok(())
    }
}

/// PyTorch's CPU generator, bit for bit: a seed gives the noise that
/// `torch.manual_seed(seed)` and `torch.randn` give.
#[derive(Debug)]
pub struct Generator {
    raw: tensors::Generator,
}

impl Generator {
    /// A generator at the beginning of a seed's sequence.
    pub fn seeded(seed: u64) -> Self {
        Self { raw: tensors::Generator::seeded(Integer::from(seed).into()) }
    }

    /// The next standard normals, as `f32`. Advances the generator as `torch.randn` does.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn normal(&mut self, shape: &[usize]) -> Result<Tensor> {
        Ok(self.raw.normal(&dimensions(shape)?)?.into())
    }

    /// The next uniforms in [0, 1), as `f32`. Advances the generator as `torch.rand` does.
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn uniform(&mut self, shape: &[usize]) -> Result<Tensor> {
        Ok(self.raw.uniform(&dimensions(shape)?)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_of_bytes_that_are_too_few_is_refused_before_the_host_is_asked() {
        let error = Tensor::from_bytes(DType::F32, &[2, 3], &[0; 20]).unwrap_err();
        assert_eq!(error, Error::invalid("a f32 tensor of [2, 3] has 24 bytes, not 20"));
    }

    #[test]
    fn a_quantized_tensor_cannot_be_made_of_bytes() {
        let error = Tensor::from_bytes(DType::Q4_0, &[32], &[0; 18]).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(text) if text.contains("model file")));
    }

    #[test]
    fn a_shape_whose_product_overflows_is_refused() {
        let error = Tensor::from_bytes(DType::F64, &[usize::MAX, 2], &[]).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)));
    }
}

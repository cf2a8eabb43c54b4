//! Tensors from bytes, from numbers, from files and from a generator.

use std::sync::Arc;

use berth_memory::Source;

use crate::compute::{check_cancelled, checked_bytes};
use crate::device::{Buffer, unwritten};
use crate::element::{Element, for_element};
use crate::error::{internal, invalid, unsupported};
use crate::shape::{self, Dims};
use crate::{Compute, ComputeError, DType, Generator, Scope, Tensor};

impl Compute {
    /// A tensor of these bytes, row-major and little-endian.
    ///
    /// # Errors
    /// `InvalidArgument` when there are not exactly as many as dtype and shape say.
    pub fn from_bytes(
        &self,
        scope: &Scope,
        dtype: DType,
        shape: &[usize],
        bytes: Vec<u8>,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "from-bytes";
        let expected = checked_bytes(NAME, dtype, shape)?;
        check_cancelled(scope)?;
        if bytes.len() as u64 != expected {
            let given = bytes.len();
            let reason =
                format!("{given} bytes, but {dtype} of shape {shape:?} takes {expected} bytes");
            return Err(invalid(NAME, reason));
        }
        let handle = self.memory().upload(&scope.account, bytes, dtype)?;
        Ok(Tensor::whole(handle, dtype, shape.into()))
    }

    /// A tensor that stands in a source, from byte `offset` on. Nothing is read before it is used.
    ///
    /// # Errors
    /// `InvalidArgument` when there can be no tensor of this type and shape.
    pub fn weight(
        &self,
        scope: &Scope,
        source: Arc<dyn Source>,
        offset: u64,
        dtype: DType,
        shape: &[usize],
    ) -> Result<Tensor, ComputeError> {
        let bytes = checked_bytes("weight", dtype, shape)?;
        let handle = self.memory().clean(&scope.account, source, offset, bytes, dtype);
        Ok(Tensor::whole(handle, dtype, shape.into()))
    }

    /// A tensor whose every element is `value`, converted to `dtype`.
    ///
    /// # Errors
    /// `InvalidArgument` for an impossible shape, `Unsupported` for a dtype that is
    /// not computed in.
    pub fn full(
        &self,
        scope: &Scope,
        dtype: DType,
        shape: &[usize],
        value: f64,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "full";
        computed(NAME, dtype)?;
        self.begin(scope, NAME, [], (dtype, Dims::from_slice(shape)), 0)?.complete(|job| {
            for_element!(dtype, T => {
                let mut out = unwritten::<T>(job.count())?;
                out.fill(T::nearest(value));
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }

    /// The 1-D tensor start, start + step, … of `count` elements, computed in `f64`.
    ///
    /// # Errors
    /// `InvalidArgument` for too many elements, `Unsupported` for a dtype that is
    /// not computed in.
    pub fn arange(
        &self,
        scope: &Scope,
        dtype: DType,
        start: f64,
        step: f64,
        count: usize,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "arange";
        computed(NAME, dtype)?;
        let shape = Dims::from_slice(&[count]);
        self.begin(scope, NAME, [], (dtype, shape), 0)?.complete(|job| {
            for_element!(dtype, T => {
                let mut out = unwritten::<T>(job.count())?;
                for (index, out) in out.iter_mut().enumerate() {
                    *out = T::nearest(start + index as f64 * step);
                }
                Ok(Buffer::of(out)?)
            }, Err(internal(NAME, "a type without elements")))
        })
    }

    /// The generator's next standard normals, as `f32`. On an error it has not advanced.
    ///
    /// # Errors
    /// `InvalidArgument` for an impossible shape.
    pub fn normal(
        &self,
        scope: &Scope,
        generator: &mut Generator,
        shape: &[usize],
    ) -> Result<Tensor, ComputeError> {
        self.generated(scope, "normal", shape, |out| generator.normals(out))
    }

    /// The generator's next uniforms in [0, 1), as `f32`. On an error it has not advanced.
    ///
    /// # Errors
    /// `InvalidArgument` for an impossible shape.
    pub fn uniform(
        &self,
        scope: &Scope,
        generator: &mut Generator,
        shape: &[usize],
    ) -> Result<Tensor, ComputeError> {
        self.generated(scope, "uniform", shape, |out| generator.uniforms(out))
    }

    fn generated(
        &self,
        scope: &Scope,
        name: &'static str,
        shape: &[usize],
        generate: impl FnOnce(&mut [f32]),
    ) -> Result<Tensor, ComputeError> {
        shape::elements(shape).map_err(|reason| invalid(name, reason))?;
        let output = (DType::F32, Dims::from_slice(shape));
        self.begin(scope, name, [], output, 0)?.complete(|job| {
            let mut out = unwritten(job.count())?;
            generate(&mut out);
            Ok(Buffer::of(out)?)
        })
    }
}

fn computed(operation: &'static str, dtype: DType) -> Result<(), ComputeError> {
    if dtype.is_float() || dtype.is_integer() {
        Ok(())
    } else {
        Err(unsupported(operation, "the dtype", dtype))
    }
}

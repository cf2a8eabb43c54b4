//! Images of another size.

use super::{dimensions, float};
use crate::cpu::interpolate;
use crate::device::unwritten;
use crate::error::{invalid, unsupported};
use crate::operand::{rounded, unrounded, widened};
use crate::shape::{self, Dims};
use crate::{Compute, ComputeError, DType, Sampling, Scope, Tensor};

impl Compute {
    /// Resizes x [n, c, h, w] to [n, c, height, width], as PyTorch's `interpolate` does
    /// with `align_corners=False` and no antialiasing; `Lanczos` is Pillow's filter.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit, `Unsupported` for `f64`.
    pub fn interpolate(
        &self,
        scope: &Scope,
        x: &Tensor,
        height: usize,
        width: usize,
        sampling: Sampling,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "interpolate";
        float(NAME, "x", x)?;
        if x.dtype() == DType::F64 {
            return Err(unsupported(NAME, "x", x.dtype()));
        }
        let [batch, channels, from_height, from_width] = dimensions(NAME, "x", x, "[n, c, h, w]")?;
        let (from, to) = ((from_height, from_width), (height, width));
        if [from_height, from_width, height, width].contains(&0) {
            let reason = format!("an image of {from:?} cannot become one of {to:?}: 0 is no size");
            return Err(invalid(NAME, reason));
        }
        let shape = Dims::from_slice(&[batch, channels, height, width]);
        let count = shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        let planes = batch * channels;
        let workspace = widened(x)
            + unrounded(x.dtype(), count)
            + if count == 0 {
                0
            } else {
                interpolate::interpolate_workspace(sampling, planes, from, to)
            };
        self.begin(scope, NAME, [x], (x.dtype(), shape), workspace)?.complete(|job| {
            let x = job.operand(0)?;
            let mut out = unwritten(count)?;
            interpolate::interpolate(sampling, &x.f32s()?, planes, from, to, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }
}

//! Attention, and the softmax alone.

use smallvec::SmallVec;

use super::{dimensions, float, same_type};
use crate::cpu::attention::{self, Attention, Mask, MaskValues};
use crate::cpu::softmax;
use crate::device::{Buffer, unwritten};
use crate::error::{internal, invalid};
use crate::operand::{rounded, unrounded, widened, widened_f64};
use crate::shape::{self, Dims, broadcast_strides};
use crate::{Compute, ComputeError, DType, Scope, Tensor, double};

impl Compute {
    /// Softmax(q·kᵀ·scale + mask)·v with `heads` heads side by side in the last
    /// dimension: q [b, n, heads·d], k [b, m, heads·d], v [b, m, heads·e] → [b, n, heads·e].
    ///
    /// `mask` broadcasts to [b, heads, n, m]: an addend of q's dtype, or `u8` where 0 hides.
    /// `causal` hides key j from query i where j > i. `scale` defaults to 1/√d. A query
    /// from which every key is hidden gets zeros.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    #[expect(clippy::too_many_arguments, reason = "the contract's operation has as many")]
    pub fn attention(
        &self,
        scope: &Scope,
        q: &Tensor,
        k: &Tensor,
        v: &Tensor,
        heads: usize,
        mask: Option<&Tensor>,
        causal: bool,
        scale: Option<f32>,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "attention";
        float(NAME, "q", q)?;
        same_type(NAME, q, k)?;
        same_type(NAME, q, v)?;
        let [batch, queries, width] = dimensions(NAME, "q", q, "[b, n, heads·d]")?;
        let [k_batch, keys, k_width] = dimensions(NAME, "k", k, "[b, m, heads·d]")?;
        let [v_batch, v_keys, v_width] = dimensions(NAME, "v", v, "[b, m, heads·e]")?;
        if (batch, width) != (k_batch, k_width) || (batch, keys) != (v_batch, v_keys) {
            let (q, k, v) = (q.shape(), k.shape(), v.shape());
            let reason = format!(
                "q {q:?}, k {k:?} and v {v:?} do not fit: [b, n, heads·d], [b, m, heads·d] and \
                 [b, m, heads·e] are expected"
            );
            return Err(invalid(NAME, reason));
        }
        let splits = |width: usize| heads > 0 && width.is_multiple_of(heads);
        if width == 0 || !splits(width) || !splits(v_width) {
            let reason = format!("{heads} heads cannot share widths of {width} and {v_width}");
            return Err(invalid(NAME, reason));
        }
        let head_dim = width / heads;
        let scores = Dims::from_slice(&[batch, heads, queries, keys]);
        shape::elements(&scores).map_err(|reason| invalid(NAME, reason))?;
        let strides = mask.map(|mask| mask_strides(NAME, q, mask, &scores)).transpose()?;
        // What the kernel needs depends on the sizes, not on what the mask holds.
        let sizes = Attention {
            batch,
            heads,
            queries,
            keys,
            head_dim,
            value_dim: v_width / heads,
            causal,
            scale: scale.unwrap_or_else(|| 1.0 / (head_dim as f32).sqrt()),
            mask: strides.map(|strides| Mask { values: MaskValues::Hide(&[]), strides }),
        };
        let shape = Dims::from_slice(&[batch, queries, v_width]);
        let count = shape::elements(&shape).map_err(|reason| invalid(NAME, reason))?;
        let addend = mask.filter(|mask| mask.dtype() != DType::U8);
        let workspace = match q.dtype() {
            DType::F64 => addend.map_or(0, widened_f64) + double::attention_workspace(keys),
            dtype => {
                widened(q)
                    + widened(k)
                    + widened(v)
                    + addend.map_or(0, widened)
                    + unrounded(dtype, count)
                    + sizes.workspace()
            }
        };
        let inputs: SmallVec<[&Tensor; 4]> = [q, k, v].into_iter().chain(mask).collect();
        self.begin(scope, NAME, inputs, (q.dtype(), shape), workspace)?.complete(|job| {
            let (q, k, v) = (job.operand(0)?, job.operand(1)?, job.operand(2)?);
            let mask_operand = mask.map(|_| job.operand(3)).transpose()?;
            let strides = strides.unwrap_or_default();
            let hides = match (&mask_operand, addend) {
                (Some(mask), None) => Some(mask.slice::<u8>()?),
                _ => None,
            };
            let adds = mask_operand.as_ref().filter(|_| addend.is_some());
            if job.dtype() == DType::F64 {
                let adds = adds.map(|mask| mask.f64s()).transpose()?;
                let mut out = unwritten::<f64>(count)?;
                let scale = scale.map_or(1.0 / (head_dim as f64).sqrt(), f64::from);
                let mask = double::Mask { adds: adds.as_deref(), hides, strides };
                double::attention(
                    &sizes,
                    scale,
                    &mask,
                    q.slice()?,
                    k.slice()?,
                    v.slice()?,
                    &mut out,
                );
                return Ok(Buffer::of(out)?);
            }
            let adds = adds.map(|mask| mask.f32s()).transpose()?;
            let values = adds.as_deref().map(MaskValues::Add).or(hides.map(MaskValues::Hide));
            let mask = values.map(|values| Mask { values, strides });
            let mut out = unwritten(count)?;
            let kernel = Attention { mask, ..sizes };
            attention::attention(&kernel, &q.f32s()?, &k.f32s()?, &v.f32s()?, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }

    /// Softmax along one axis.
    ///
    /// # Errors
    /// `InvalidArgument` for a wrong axis or dtype.
    pub fn softmax(&self, scope: &Scope, x: &Tensor, axis: i32) -> Result<Tensor, ComputeError> {
        const NAME: &str = "softmax";
        float(NAME, "x", x)?;
        let axis = shape::axis(axis, x.shape().len()).map_err(|reason| invalid(NAME, reason))?;
        let (outer, length, inner) = shape::around(x.shape(), axis);
        let count = x.elements();
        let workspace = match x.dtype() {
            DType::F64 => 0,
            dtype => widened(x) + unrounded(dtype, count),
        };
        let output = (x.dtype(), x.shape().into());
        self.begin(scope, NAME, [x], output, workspace)?.complete(|job| {
            let x = job.operand(0)?;
            if job.dtype() == DType::F64 {
                let mut out = unwritten::<f64>(count)?;
                double::softmax(x.slice()?, length, inner, &mut out);
                return Ok(Buffer::of(out)?);
            }
            let mut out = unwritten(count)?;
            softmax::softmax(&x.f32s()?, outer, length, inner, &mut out);
            rounded(NAME, job.dtype(), out)
        })
    }
}

fn mask_strides(
    name: &'static str,
    q: &Tensor,
    mask: &Tensor,
    scores: &[usize],
) -> Result<[usize; 4], ComputeError> {
    if mask.dtype() != DType::U8 && mask.dtype() != q.dtype() {
        let reason = format!("mask is {}, but u8 or {} is expected", mask.dtype(), q.dtype());
        return Err(invalid(name, reason));
    }
    let strides = broadcast_strides(mask.shape(), scores).ok_or_else(|| {
        let mask = mask.shape();
        invalid(name, format!("mask {mask:?} does not broadcast to [b, heads, n, m] {scores:?}"))
    })?;
    let strides: [isize; 4] =
        strides.as_slice().try_into().map_err(|_| internal(name, "a mask of another rank"))?;
    Ok(strides.map(isize::cast_unsigned))
}

//! Normalization over groups of channels, or over the last dimension.

use smallvec::SmallVec;

use super::{float, per_channel};
use crate::cpu::norm;
use crate::device::{Buffer, unwritten};
use crate::error::invalid;
use crate::operand::{rounded, unrounded, widened, widened_f64, widened_weight};
use crate::{Compute, ComputeError, DType, Scope, Tensor, double};

/// Over what is normalized.
#[derive(Clone, Copy)]
enum Over {
    Groups { batch: usize, channels: usize, spatial: usize, groups: usize },
    Rows { rows: usize, width: usize },
    RootMeanSquare { rows: usize, width: usize },
}

impl Compute {
    /// Normalizes x [n, c, ..] over each of `groups` groups of channels, then scales
    /// and shifts by channel (weight [c], bias [c]).
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn group_norm(
        &self,
        scope: &Scope,
        x: &Tensor,
        groups: usize,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f32,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "group-norm";
        let [batch, channels, spatial @ ..] = x.shape() else {
            return Err(invalid(NAME, "x needs at least two dimensions"));
        };
        let (batch, channels) = (*batch, *channels);
        if groups == 0 || !channels.is_multiple_of(groups) {
            let reason = format!("the {channels} channels of x cannot be {groups} groups");
            return Err(invalid(NAME, reason));
        }
        let spatial = spatial.iter().product();
        let over = Over::Groups { batch, channels, spatial, groups };
        self.normalize(scope, NAME, x, over, (weight, bias, channels), epsilon)
    }

    /// Normalizes x [.., c] over its last dimension, then scales and shifts
    /// (weight [c], bias [c]).
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn layer_norm(
        &self,
        scope: &Scope,
        x: &Tensor,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        epsilon: f32,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "layer-norm";
        let (rows, width) = rows(NAME, x)?;
        let over = Over::Rows { rows, width };
        self.normalize(scope, NAME, x, over, (weight, bias, width), epsilon)
    }

    /// x [.., c] / √(mean(x²) + epsilon), times weight [c].
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn rms_norm(
        &self,
        scope: &Scope,
        x: &Tensor,
        weight: Option<&Tensor>,
        epsilon: f32,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "rms-norm";
        let (rows, width) = rows(NAME, x)?;
        let over = Over::RootMeanSquare { rows, width };
        self.normalize(scope, NAME, x, over, (weight, None, width), epsilon)
    }

    fn normalize(
        &self,
        scope: &Scope,
        name: &'static str,
        x: &Tensor,
        over: Over,
        (weight, bias, channels): (Option<&Tensor>, Option<&Tensor>, usize),
        epsilon: f32,
    ) -> Result<Tensor, ComputeError> {
        float(name, "x", x)?;
        per_channel(name, "weight", weight, channels)?;
        per_channel(name, "bias", bias, channels)?;
        let count = x.elements();
        let inputs: SmallVec<[&Tensor; 3]> = [x].into_iter().chain(weight).chain(bias).collect();
        let parameters = |size: fn(&Tensor) -> u64| weight.map_or(0, size) + bias.map_or(0, size);
        let workspace = match x.dtype() {
            DType::F64 => parameters(widened_f64),
            dtype => widened(x) + parameters(widened_weight) + unrounded(dtype, count),
        };
        let output = (x.dtype(), x.shape().into());
        self.begin(scope, name, inputs, output, workspace)?.complete(|job| {
            let x = job.operand(0)?;
            let weight_operand = weight.map(|_| job.operand(1)).transpose()?;
            let bias_index = 1 + usize::from(weight.is_some());
            let bias_operand = bias.map(|_| job.operand(bias_index)).transpose()?;
            if job.dtype() == DType::F64 {
                let weight = weight_operand.as_ref().map(|weight| weight.f64s()).transpose()?;
                let bias = bias_operand.as_ref().map(|bias| bias.f64s()).transpose()?;
                let mut out = unwritten::<f64>(count)?;
                let (width, spatial, centered) = match over {
                    Over::Groups { channels, spatial, groups, .. } => {
                        (channels / groups * spatial, spatial, true)
                    }
                    Over::Rows { width, .. } => (width, 1, true),
                    Over::RootMeanSquare { width, .. } => (width, 1, false),
                };
                let scaling = (weight.as_deref(), bias.as_deref(), spatial);
                double::normalize(
                    x.slice()?,
                    width,
                    scaling,
                    f64::from(epsilon),
                    centered,
                    &mut out,
                );
                return Ok(Buffer::of(out)?);
            }
            let x = x.f32s()?;
            let weight = weight_operand.as_ref().map(|weight| weight.weight()).transpose()?;
            let bias = bias_operand.as_ref().map(|bias| bias.weight()).transpose()?;
            let weight = weight.as_ref().map(|weight| weight.floats());
            let bias = bias.as_ref().map(|bias| bias.floats());
            let mut out = unwritten(count)?;
            match over {
                Over::Groups { batch, channels, spatial, groups } => norm::group_norm(
                    &x, batch, channels, spatial, groups, weight, bias, epsilon, &mut out,
                ),
                Over::Rows { rows, width } => {
                    norm::layer_norm(&x, rows, width, weight, bias, epsilon, &mut out);
                }
                Over::RootMeanSquare { rows, width } => {
                    norm::rms_norm(&x, rows, width, weight, epsilon, &mut out);
                }
            }
            rounded(name, job.dtype(), out)
        })
    }
}

fn rows(name: &'static str, x: &Tensor) -> Result<(usize, usize), ComputeError> {
    match x.shape() {
        [outer @ .., width] => Ok((outer.iter().product(), *width)),
        [] => Err(invalid(name, "x needs at least one dimension")),
    }
}

//! Convolutions. In one dimension they are those of images of height 1.

use smallvec::SmallVec;

use super::{dimensions, float, per_channel, weight};
use crate::cpu::conv::{self, Conv2d};
use crate::device::{Buffer, unwritten};
use crate::error::invalid;
use crate::operand::{rounded, unrounded, widened, widened_f64, widened_weight};
use crate::shape::{self, Dims};
use crate::{Compute, ComputeError, DType, Scope, Tensor, Walk, double};

/// Most places of a kernel, for each phase of a transposed one: of 1024 × 1024, or of 64 × 64 by
/// strides of 16. They are listed before anything is reserved.
const MOST_PLACES: usize = 1 << 20;

impl Compute {
    /// x [n, c, l], weight [out, c / groups, k], bias [out] → [n, out, l'].
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn conv1d(
        &self,
        scope: &Scope,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        walk: Walk,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "conv1d";
        let [batch, channels, width] = dimensions(NAME, "x", x, "[n, c, l]")?;
        let [out_channels, depth, kernel] =
            dimensions(NAME, "weight", weight, "[out, c / groups, k]")?;
        check_walk(NAME, walk, channels, out_channels)?;
        check_channels(NAME, channels, depth, walk.groups)?;
        let out = [out_channels, 1, extent(NAME, width, kernel, walk)?];
        let conv = Conv2d {
            stride: (1, walk.stride),
            padding: (0, walk.padding),
            dilation: (1, walk.dilation),
            ..of_images([batch, channels, 1, width], out, (1, kernel), walk)
        };
        let shape = Dims::from_slice(&[batch, out_channels, conv.out_width]);
        self.convolve(scope, NAME, (x, weight, bias), conv, shape, false)
    }

    /// x [n, c, h, w], weight [out, c / groups, kh, kw], bias [out] → [n, out, h', w'].
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn conv2d(
        &self,
        scope: &Scope,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        walk: Walk,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "conv2d";
        let [batch, channels, height, width] = dimensions(NAME, "x", x, "[n, c, h, w]")?;
        let [out_channels, depth, kh, kw] =
            dimensions(NAME, "weight", weight, "[out, c / groups, kh, kw]")?;
        check_walk(NAME, walk, channels, out_channels)?;
        check_channels(NAME, channels, depth, walk.groups)?;
        let out = [out_channels, extent(NAME, height, kh, walk)?, extent(NAME, width, kw, walk)?];
        let conv = of_images([batch, channels, height, width], out, (kh, kw), walk);
        let shape = Dims::from_slice(&[batch, out_channels, conv.out_height, conv.out_width]);
        self.convolve(scope, NAME, (x, weight, bias), conv, shape, false)
    }

    /// Transposed: x [n, c, h, w], weight [c, out / groups, kh, kw], bias [out] → [n, out, h', w'],
    /// h' = (h − 1)·stride − 2·padding + dilation·(kh − 1) + `output_padding` + 1.
    ///
    /// # Errors
    /// `InvalidArgument` for dtypes or shapes that do not fit.
    pub fn conv_transpose2d(
        &self,
        scope: &Scope,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        walk: Walk,
        output_padding: usize,
    ) -> Result<Tensor, ComputeError> {
        const NAME: &str = "conv-transpose2d";
        let [batch, channels, height, width] = dimensions(NAME, "x", x, "[n, c, h, w]")?;
        let [rows, depth, kh, kw] =
            dimensions(NAME, "weight", weight, "[c, out / groups, kh, kw]")?;
        let out_channels = depth
            .checked_mul(walk.groups)
            .ok_or_else(|| invalid(NAME, "groups is larger than can be"))?;
        check_walk(NAME, walk, channels, out_channels)?;
        if rows != channels {
            let reason = format!("x has {channels} channels, but weight is for {rows}");
            return Err(invalid(NAME, reason));
        }
        if output_padding >= walk.stride.max(walk.dilation) {
            let reason = format!(
                "output-padding {output_padding} must be less than stride {} or dilation {}",
                walk.stride, walk.dilation
            );
            return Err(invalid(NAME, reason));
        }
        let out = [
            out_channels,
            transposed_extent(NAME, height, kh, walk, output_padding)?,
            transposed_extent(NAME, width, kw, walk, output_padding)?,
        ];
        let conv = of_images([batch, channels, height, width], out, (kh, kw), walk);
        let shape = Dims::from_slice(&[batch, out_channels, conv.out_height, conv.out_width]);
        self.convolve(scope, NAME, (x, weight, bias), conv, shape, true)
    }

    fn convolve(
        &self,
        scope: &Scope,
        name: &'static str,
        (x, weight, bias): (&Tensor, &Tensor, Option<&Tensor>),
        conv: Conv2d,
        shape: Dims,
        transposed: bool,
    ) -> Result<Tensor, ComputeError> {
        float(name, "x", x)?;
        self::weight(name, "weight", weight)?;
        per_channel(name, "bias", bias, conv.out_channels)?;
        let count = shape::elements(&shape).map_err(|reason| invalid(name, reason))?;
        if conv.places(transposed) > MOST_PLACES {
            let kernel = conv.kernel;
            let reason = format!(
                "a kernel of {kernel:?} with stride {} is larger than is computed here",
                conv.stride.0
            );
            return Err(ComputeError::Unsupported { operation: name, reason });
        }
        let inputs: SmallVec<[&Tensor; 3]> = [x, weight].into_iter().chain(bias).collect();
        let workspace = match x.dtype() {
            // The kernels' own need is asked for only when there is something to compute.
            _ if count == 0 => 0,
            DType::F64 => widened_f64(weight) + bias.map_or(0, widened_f64),
            _ => {
                let kernel = if transposed { conv.transpose_workspace() } else { conv.workspace() };
                let widened = widened(x) + widened_weight(weight) + bias.map_or(0, widened_weight);
                kernel.saturating_add(widened).saturating_add(unrounded(x.dtype(), count))
            }
        };
        self.begin(scope, name, inputs, (x.dtype(), shape), workspace)?.complete(|job| {
            let (x, weight) = (job.operand(0)?, job.operand(1)?);
            let bias = bias.map(|_| job.operand(2)).transpose()?;
            if job.dtype() == DType::F64 {
                let bias = bias.as_ref().map(|bias| bias.f64s()).transpose()?;
                let mut out = unwritten::<f64>(count)?;
                let kernel = if transposed { double::conv_transpose2d } else { double::conv2d };
                kernel(&conv, x.slice()?, &weight.f64s()?, bias.as_deref(), &mut out);
                return Ok(Buffer::of(out)?);
            }
            let (x, weight) = (x.f32s()?, weight.weight()?);
            let bias = bias.as_ref().map(|bias| bias.weight()).transpose()?;
            let bias = bias.as_ref().map(|bias| bias.floats());
            let mut out = unwritten(count)?;
            let kernel = if transposed { conv::conv_transpose2d } else { conv::conv2d };
            kernel(&conv, &x, weight.floats(), bias, &mut out);
            rounded(name, job.dtype(), out)
        })
    }
}

/// A convolution that walks alike in both directions, from x's dimensions and the result's
/// channels, height and width.
fn of_images(
    [batch, channels, height, width]: [usize; 4],
    [out_channels, out_height, out_width]: [usize; 3],
    kernel: (usize, usize),
    walk: Walk,
) -> Conv2d {
    Conv2d {
        batch,
        channels,
        height,
        width,
        out_channels,
        out_height,
        out_width,
        kernel,
        stride: (walk.stride, walk.stride),
        padding: (walk.padding, walk.padding),
        dilation: (walk.dilation, walk.dilation),
        groups: walk.groups,
    }
}

fn check_walk(
    name: &'static str,
    walk: Walk,
    channels: usize,
    out_channels: usize,
) -> Result<(), ComputeError> {
    for (what, value) in
        [("stride", walk.stride), ("dilation", walk.dilation), ("groups", walk.groups)]
    {
        if value == 0 {
            return Err(invalid(name, format!("{what} is 0, but at least 1 is expected")));
        }
    }
    let groups = walk.groups;
    for (what, count) in [("x", channels), ("weight", out_channels)] {
        if !count.is_multiple_of(groups) {
            let reason =
                format!("the {count} channels of {what} are no multiple of {groups} groups");
            return Err(invalid(name, reason));
        }
    }
    Ok(())
}

fn check_channels(
    name: &'static str,
    channels: usize,
    depth: usize,
    groups: usize,
) -> Result<(), ComputeError> {
    if depth.checked_mul(groups) == Some(channels) {
        return Ok(());
    }
    let reason = format!("x has {channels} channels, but weight is for {groups} groups of {depth}");
    Err(invalid(name, reason))
}

/// Elements that a dilated kernel spans.
fn span(name: &'static str, kernel: usize, dilation: usize) -> Result<usize, ComputeError> {
    kernel
        .checked_sub(1)
        .ok_or_else(|| invalid(name, "weight has a kernel of size 0"))?
        .checked_mul(dilation)
        .and_then(|span| span.checked_add(1))
        .filter(|&span| isize::try_from(span).is_ok())
        .ok_or_else(|| invalid(name, format!("dilation {dilation} is larger than can be")))
}

fn extent(
    name: &'static str,
    size: usize,
    kernel: usize,
    walk: Walk,
) -> Result<usize, ComputeError> {
    let span = span(name, kernel, walk.dilation)?;
    let padded = walk
        .padding
        .checked_mul(2)
        .and_then(|padding| padding.checked_add(size))
        .filter(|&padded| isize::try_from(padded).is_ok())
        .ok_or_else(|| invalid(name, format!("padding {} is larger than can be", walk.padding)))?;
    let free = padded.checked_sub(span).ok_or_else(|| {
        invalid(name, format!("the kernel spans {span}, but x with its padding only {padded}"))
    })?;
    Ok(free / walk.stride + 1)
}

fn transposed_extent(
    name: &'static str,
    size: usize,
    kernel: usize,
    walk: Walk,
    output_padding: usize,
) -> Result<usize, ComputeError> {
    let span = span(name, kernel, walk.dilation)?;
    let too_large = || invalid(name, "the walk leads further than can be addressed");
    let whole = size
        .checked_sub(1)
        .ok_or_else(|| invalid(name, "x has a spatial dimension of size 0"))?
        .checked_mul(walk.stride)
        .and_then(|steps| steps.checked_add(span)?.checked_add(output_padding))
        .filter(|&whole| isize::try_from(whole).is_ok())
        .ok_or_else(too_large)?;
    let cut = walk.padding.checked_mul(2).ok_or_else(too_large)?;
    whole
        .checked_sub(cut)
        .filter(|&size| size > 0)
        .ok_or_else(|| invalid(name, format!("padding cuts {cut} off, but there are only {whole}")))
}

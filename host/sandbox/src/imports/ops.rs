//! `ops`: operations on tensors.

use berth_compute::{
    Binary, Comparison, ComputeError, Padding, Reduction, Sampling, Tensor, Unary, Walk,
};
use wasmtime::component::Resource;

use super::Returned;
use super::bindings::berth::node::ops as wit;
use super::bindings::berth::node::types::Dtype;
use super::tensors::sizes;
use crate::state::State;

type Handle = Resource<Tensor>;
type Made = Returned<Handle>;

impl State {
    pub(super) fn compute(&self) -> &berth_compute::Compute {
        self.plugin.sandbox().compute()
    }

    fn tensor(&self, handle: &Handle) -> wasmtime::Result<&Tensor> {
        Ok(self.table.get(handle)?)
    }

    fn optional(&self, handle: &Option<Handle>) -> wasmtime::Result<Option<&Tensor>> {
        handle.as_ref().map(|handle| self.tensor(handle)).transpose()
    }

    fn made(&mut self, made: Result<Tensor, ComputeError>) -> Made {
        self.give_result(made)
    }
}

impl From<wit::Walk> for Walk {
    fn from(walk: wit::Walk) -> Self {
        Self {
            stride: walk.stride as usize,
            padding: walk.padding as usize,
            dilation: walk.dilation as usize,
            groups: walk.groups as usize,
        }
    }
}

fn unary(function: wit::Unary) -> Unary {
    match function {
        wit::Unary::Neg => Unary::Neg,
        wit::Unary::Abs => Unary::Abs,
        wit::Unary::Sign => Unary::Sign,
        wit::Unary::Recip => Unary::Recip,
        wit::Unary::Sqrt => Unary::Sqrt,
        wit::Unary::Rsqrt => Unary::Rsqrt,
        wit::Unary::Exp => Unary::Exp,
        wit::Unary::Log => Unary::Log,
        wit::Unary::Sin => Unary::Sin,
        wit::Unary::Cos => Unary::Cos,
        wit::Unary::Tanh => Unary::Tanh,
        wit::Unary::Erf => Unary::Erf,
        wit::Unary::Floor => Unary::Floor,
        wit::Unary::Ceil => Unary::Ceil,
        wit::Unary::Round => Unary::Round,
        wit::Unary::Relu => Unary::Relu,
        wit::Unary::Sigmoid => Unary::Sigmoid,
        wit::Unary::Silu => Unary::Silu,
        wit::Unary::Gelu => Unary::Gelu,
        wit::Unary::GeluTanh => Unary::GeluTanh,
        wit::Unary::GeluQuick => Unary::GeluQuick,
        wit::Unary::Softplus => Unary::Softplus,
        wit::Unary::Mish => Unary::Mish,
    }
}

fn indices(axes: &[u32]) -> Vec<usize> {
    sizes(axes)
}

impl wit::Host for State {
    fn matmul(&mut self, a: Handle, b: Handle) -> Made {
        let made = self.compute().matmul(&self.scope, self.tensor(&a)?, self.tensor(&b)?);
        self.made(made)
    }

    fn linear(&mut self, x: Handle, weight: Handle, bias: Option<Handle>) -> Made {
        let (x, weight, bias) = (self.tensor(&x)?, self.tensor(&weight)?, self.optional(&bias)?);
        let made = self.compute().linear(&self.scope, x, weight, bias);
        self.made(made)
    }

    fn conv1d(&mut self, x: Handle, weight: Handle, bias: Option<Handle>, walk: wit::Walk) -> Made {
        let (x, weight, bias) = (self.tensor(&x)?, self.tensor(&weight)?, self.optional(&bias)?);
        let made = self.compute().conv1d(&self.scope, x, weight, bias, walk.into());
        self.made(made)
    }

    fn conv2d(&mut self, x: Handle, weight: Handle, bias: Option<Handle>, walk: wit::Walk) -> Made {
        let (x, weight, bias) = (self.tensor(&x)?, self.tensor(&weight)?, self.optional(&bias)?);
        let made = self.compute().conv2d(&self.scope, x, weight, bias, walk.into());
        self.made(made)
    }

    fn conv_transpose2d(
        &mut self,
        x: Handle,
        weight: Handle,
        bias: Option<Handle>,
        walk: wit::Walk,
        output_padding: u32,
    ) -> Made {
        let (x, weight, bias) = (self.tensor(&x)?, self.tensor(&weight)?, self.optional(&bias)?);
        let compute = self.compute();
        let padding = output_padding as usize;
        let made = compute.conv_transpose2d(&self.scope, x, weight, bias, walk.into(), padding);
        self.made(made)
    }

    fn group_norm(
        &mut self,
        x: Handle,
        groups: u32,
        weight: Option<Handle>,
        bias: Option<Handle>,
        epsilon: f32,
    ) -> Made {
        let (x, weight, bias) = (self.tensor(&x)?, self.optional(&weight)?, self.optional(&bias)?);
        let groups = groups as usize;
        let made = self.compute().group_norm(&self.scope, x, groups, weight, bias, epsilon);
        self.made(made)
    }

    fn layer_norm(
        &mut self,
        x: Handle,
        weight: Option<Handle>,
        bias: Option<Handle>,
        epsilon: f32,
    ) -> Made {
        let (x, weight, bias) = (self.tensor(&x)?, self.optional(&weight)?, self.optional(&bias)?);
        let made = self.compute().layer_norm(&self.scope, x, weight, bias, epsilon);
        self.made(made)
    }

    fn rms_norm(&mut self, x: Handle, weight: Option<Handle>, epsilon: f32) -> Made {
        let (x, weight) = (self.tensor(&x)?, self.optional(&weight)?);
        let made = self.compute().rms_norm(&self.scope, x, weight, epsilon);
        self.made(made)
    }

    fn attention(
        &mut self,
        q: Handle,
        k: Handle,
        v: Handle,
        heads: u32,
        mask: Option<Handle>,
        causal: bool,
        scale: Option<f32>,
    ) -> Made {
        let (q, k, v) = (self.tensor(&q)?, self.tensor(&k)?, self.tensor(&v)?);
        let (mask, heads) = (self.optional(&mask)?, heads as usize);
        let made = self.compute().attention(&self.scope, q, k, v, heads, mask, causal, scale);
        self.made(made)
    }

    fn rotary(&mut self, x: Handle, cosines: Handle, sines: Handle, interleaved: bool) -> Made {
        let (x, cosines, sines) = (self.tensor(&x)?, self.tensor(&cosines)?, self.tensor(&sines)?);
        let made = self.compute().rotary(&self.scope, x, cosines, sines, interleaved);
        self.made(made)
    }

    fn embedding(&mut self, indices: Handle, weight: Handle) -> Made {
        let (indices, weight) = (self.tensor(&indices)?, self.tensor(&weight)?);
        let made = self.compute().embedding(&self.scope, indices, weight);
        self.made(made)
    }

    fn softmax(&mut self, x: Handle, axis: i32) -> Made {
        let made = self.compute().softmax(&self.scope, self.tensor(&x)?, axis);
        self.made(made)
    }

    fn map(&mut self, x: Handle, function: wit::Unary) -> Made {
        let made = self.compute().map(&self.scope, self.tensor(&x)?, unary(function));
        self.made(made)
    }

    fn affine(&mut self, x: Handle, scale: f64, shift: f64) -> Made {
        let made = self.compute().affine(&self.scope, self.tensor(&x)?, scale, shift);
        self.made(made)
    }

    fn power(&mut self, x: Handle, exponent: f64) -> Made {
        let made = self.compute().power(&self.scope, self.tensor(&x)?, exponent);
        self.made(made)
    }

    fn clamp(&mut self, x: Handle, low: f64, high: f64) -> Made {
        let made = self.compute().clamp(&self.scope, self.tensor(&x)?, low, high);
        self.made(made)
    }

    fn combine(&mut self, a: Handle, b: Handle, function: wit::Binary) -> Made {
        let function = match function {
            wit::Binary::Add => Binary::Add,
            wit::Binary::Sub => Binary::Sub,
            wit::Binary::Mul => Binary::Mul,
            wit::Binary::Div => Binary::Div,
            wit::Binary::Minimum => Binary::Minimum,
            wit::Binary::Maximum => Binary::Maximum,
        };
        let (a, b) = (self.tensor(&a)?, self.tensor(&b)?);
        let made = self.compute().combine(&self.scope, a, b, function);
        self.made(made)
    }

    fn compare(&mut self, a: Handle, b: Handle, comparison: wit::Comparison) -> Made {
        let comparison = match comparison {
            wit::Comparison::Eq => Comparison::Eq,
            wit::Comparison::Ne => Comparison::Ne,
            wit::Comparison::Lt => Comparison::Lt,
            wit::Comparison::Le => Comparison::Le,
            wit::Comparison::Gt => Comparison::Gt,
            wit::Comparison::Ge => Comparison::Ge,
        };
        let (a, b) = (self.tensor(&a)?, self.tensor(&b)?);
        let made = self.compute().compare(&self.scope, a, b, comparison);
        self.made(made)
    }

    fn choose(&mut self, condition: Handle, a: Handle, b: Handle) -> Made {
        let (condition, a, b) = (self.tensor(&condition)?, self.tensor(&a)?, self.tensor(&b)?);
        let made = self.compute().choose(&self.scope, condition, a, b);
        self.made(made)
    }

    fn reduce(&mut self, x: Handle, reduction: wit::Reduction, axes: Vec<i32>, keep: bool) -> Made {
        let reduction = match reduction {
            wit::Reduction::Sum => Reduction::Sum,
            wit::Reduction::Mean => Reduction::Mean,
            wit::Reduction::Max => Reduction::Max,
            wit::Reduction::Min => Reduction::Min,
            wit::Reduction::Argmax => Reduction::Argmax,
            wit::Reduction::Argmin => Reduction::Argmin,
        };
        let made = self.compute().reduce(&self.scope, self.tensor(&x)?, reduction, &axes, keep);
        self.made(made)
    }

    fn argsort(&mut self, x: Handle, axis: i32, descending: bool) -> Made {
        let made = self.compute().argsort(&self.scope, self.tensor(&x)?, axis, descending);
        self.made(made)
    }

    fn cumulative_sum(&mut self, x: Handle, axis: i32) -> Made {
        let made = self.compute().cumulative_sum(&self.scope, self.tensor(&x)?, axis);
        self.made(made)
    }

    fn reshape(&mut self, x: Handle, shape: Vec<u32>) -> Made {
        let made = self.compute().reshape(&self.scope, self.tensor(&x)?, &sizes(&shape));
        self.made(made)
    }

    fn permute(&mut self, x: Handle, axes: Vec<u32>) -> Made {
        let made = self.compute().permute(&self.scope, self.tensor(&x)?, &indices(&axes));
        self.made(made)
    }

    fn slice(&mut self, x: Handle, axis: i32, start: u32, end: u32, step: u32) -> Made {
        let (start, end, step) = (start as usize, end as usize, step as usize);
        let made = self.compute().slice(&self.scope, self.tensor(&x)?, axis, start, end, step);
        self.made(made)
    }

    fn concat(&mut self, tensors: Vec<Handle>, axis: i32) -> Made {
        let tensors: Vec<&Tensor> =
            tensors.iter().map(|handle| self.tensor(handle)).collect::<wasmtime::Result<_>>()?;
        let made = self.compute().concat(&self.scope, &tensors, axis);
        self.made(made)
    }

    fn broadcast(&mut self, x: Handle, shape: Vec<u32>) -> Made {
        let made = self.compute().broadcast(&self.scope, self.tensor(&x)?, &sizes(&shape));
        self.made(made)
    }

    fn flip(&mut self, x: Handle, axis: i32) -> Made {
        let made = self.compute().flip(&self.scope, self.tensor(&x)?, axis);
        self.made(made)
    }

    fn pad(&mut self, x: Handle, amounts: Vec<(u32, u32)>, padding: wit::Padding) -> Made {
        let amounts: Vec<(usize, usize)> =
            amounts.iter().map(|&(before, after)| (before as usize, after as usize)).collect();
        let padding = match padding {
            wit::Padding::Constant(value) => Padding::Constant(value),
            wit::Padding::Edge => Padding::Edge,
            wit::Padding::Reflect => Padding::Reflect,
            wit::Padding::Wrap => Padding::Wrap,
        };
        let made = self.compute().pad(&self.scope, self.tensor(&x)?, &amounts, padding);
        self.made(made)
    }

    fn gather(&mut self, x: Handle, axis: i32, indices: Handle) -> Made {
        let (x, indices) = (self.tensor(&x)?, self.tensor(&indices)?);
        let made = self.compute().gather(&self.scope, x, axis, indices);
        self.made(made)
    }

    fn index_select(&mut self, x: Handle, axis: i32, indices: Handle) -> Made {
        let (x, indices) = (self.tensor(&x)?, self.tensor(&indices)?);
        let made = self.compute().index_select(&self.scope, x, axis, indices);
        self.made(made)
    }

    fn interpolate(&mut self, x: Handle, height: u32, width: u32, sampling: wit::Sampling) -> Made {
        let sampling = match sampling {
            wit::Sampling::Nearest => Sampling::Nearest,
            wit::Sampling::NearestExact => Sampling::NearestExact,
            wit::Sampling::Bilinear => Sampling::Bilinear,
            wit::Sampling::Bicubic => Sampling::Bicubic,
            wit::Sampling::Area => Sampling::Area,
            wit::Sampling::Lanczos => Sampling::Lanczos,
        };
        let (height, width) = (height as usize, width as usize);
        let x = self.tensor(&x)?;
        let made = self.compute().interpolate(&self.scope, x, height, width, sampling);
        self.made(made)
    }

    fn cast(&mut self, x: Handle, dtype: Dtype) -> Made {
        let made = self.compute().cast(&self.scope, self.tensor(&x)?, dtype.into());
        self.made(made)
    }
}

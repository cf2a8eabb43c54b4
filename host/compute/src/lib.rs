//! Tensor operations over memory that moves.
//!
//! A [`Tensor`] is dtype and shape over a part of an allocation of `berth-memory`; a
//! [`Compute`] does the operations of the contract's `ops` interface on tensors, for
//! an account, as far as a memory's limits and quotas go.
//!
//! What it promises:
//! - Shapes and dtypes are checked, with checked arithmetic, before anything is
//!   allocated. No argument makes an operation panic.
//! - An operation reserves its inputs, its output and its workspace at once. The
//!   workspace is an upper bound of all that is allocated meanwhile, so what the
//!   memory counts is what the process holds.
//! - A result depends on its operands alone: not on where they were, on how many
//!   threads there are, or on what ran before.
//! - `f16` and `bf16` are computed in `f32` and rounded once; `f64` is computed in `f64`.
//!
//! What it does not know: guests, nodes and models, and which bytes will be
//! needed next. It neither moves nor keeps any: that is the memory's business.
//!
//! Operations live in `ops/`, one family to a file, and the kernels behind them in
//! `cpu/`, plain functions over slices. A new operation is one function in `ops/`.

mod compute;
mod cpu;
mod device;
mod double;
mod dtype;
mod element;
mod error;
mod function;
mod generator;
mod ghost;
mod operand;
mod ops;
mod shape;
mod strided;
mod tensor;

pub use compute::{Call, Compute, Scope, Site};
pub use device::{Buffer, CpuDevice};
pub use dtype::DType;
pub use error::ComputeError;
pub use function::{Binary, Comparison, Padding, Reduction, Sampling, Unary, Walk};
pub use generator::Generator;
pub use tensor::{ShelvedTensor, Tensor};

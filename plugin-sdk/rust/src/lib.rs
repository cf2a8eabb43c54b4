//! Write Berth nodes in Rust.
//!
//! A node is a function: [`node`](macro@node) makes its parameters inputs, its results
//! outputs and its comments the texts that clients show; [`plugin!`] makes a component of a
//! crate's nodes. Tensors, model files and functions of other plugins are handles to
//! what the host holds, so a node that works on gigabytes needs a few kilobytes of its own.
//!
//! What is promised: nothing here panics on what the host or another plugin sends, and
//! nothing is computed in the guest that the host has an operation for. What is not known
//! here: where a tensor is, who else holds it, and how a workflow came about.
//!
//! Everything compiles natively too, and calls of the host panic there: test a plugin's own
//! logic with plain `cargo test`, and its nodes in a host.

mod arithmetic;
#[doc(hidden)]
pub mod bindings;
pub mod context;
mod dtype;
mod error;
mod fields;
mod function;
pub mod memory;
mod model;
pub mod nn;
mod object;
mod ops;
pub mod plugin;
pub mod ports;
mod resize;
mod tensor;
#[cfg(test)]
mod tests;
mod value;
mod wires;

// The macros name this crate by its name, in its own tests too.
extern crate self as berth_sdk;

pub use berth_sdk_macros::{Choice, node, plugin};
pub use dtype::{DType, Element};
pub use error::{Error, Failure, Result, Shortage, Tier};
pub use fields::Fields;
pub use function::Function;
pub use model::ModelFile;
pub use object::{Items, Object};
pub use ops::{AttentionOptions, Padding, Sampling, Walk};
pub use ports::{Choice, ExtraPngInfo, Prompt, UniqueId};
pub use resize::{Crop, keep_aspect};
pub use tensor::{Generator, Tensor};
pub use value::{FromValue, Integer, Value};
pub use wires::{
    Any, Clip, Conditioning, Entry, Image, Latent, Mask, ModelParts, ModelWire, Prediction, Vae,
    VaeParts, Wire,
};

/// What a node's file usually needs.
pub mod prelude {
    pub use std::ops::Neg as _;

    pub use crate::{
        Any, AttentionOptions, Choice, Clip, Conditioning, DType, Entry, Error, ExtraPngInfo,
        Fields, FromValue, Function, Generator, Image, Items, Latent, Mask, ModelFile, ModelParts,
        ModelWire, Object, Padding, Prediction, Prompt, Result, Sampling, Tensor, UniqueId, Vae,
        VaeParts, Value, Walk, Wire, context, nn, node, plugin,
    };
}

/// The examples of the README, which are to compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

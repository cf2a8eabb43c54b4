//! Every operation against its definition, computed plainly in `f64`.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong fails by a panic"
)]

mod arguments;
mod array;
mod attention;
mod convolution;
mod creation;
mod elementwise;
mod images;
mod layout;
mod memory;
mod normalization;
mod products;
mod reductions;
mod rehearsal;

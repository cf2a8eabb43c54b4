//! Every operation against its definition, computed plainly in `f64`.

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

//! From the core module that a compiler gave to a component that speaks the contract.
//!
//! Compilers that know nothing of components (C's, Zig's, Go's) give a module whose imports are
//! named as the bindings name them. What the contract is goes into it as a custom section; what it
//! imports of WASI's first preview is turned into WASI 0.2 by wasmtime's adapter, which does
//! nothing more than the host's own WASI lets it.

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::sdk;

/// What a plugin is to the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// A plugin that computes.
    Node,
    /// One that also manages memory, which takes a right.
    MemoryNode,
}

impl World {
    /// Its name in `wit/`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::MemoryNode => "memory-node",
        }
    }
}

/// The component of a core module.
///
/// # Errors
/// What is wrong with the module, in words.
pub fn componentize(mut module: Vec<u8>, world: World) -> Result<Vec<u8>, String> {
    let said = |error| format!("{error:#}");
    let mut resolve = Resolve::default();
    let package = resolve.push_source("wit", &sdk::contract()).map_err(said)?;
    let world = resolve.select_world(&[package], Some(world.name())).map_err(said)?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(said)?;
    let adapter = (WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER);
    ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .and_then(|encoder| encoder.adapter(adapter.0, adapter.1))
        .and_then(|encoder| encoder.encode())
        .map_err(said)
}

//! What the tests and benchmarks share: a host with the stock plugins and the demo's
//! model, the oracle's tensors, a judge of pictures, and components to break a host with.
//!
//! Nothing here is a mock. A test that passes has run real components through the
//! contract, over real files.

/// The misbehaving plugin of `tests/guests`, a component.
pub static GUESTS: &[u8] = include_bytes!(env!("GUESTS"));

/// The hostile plugin of `tests/hostile`, a component.
pub static HOSTILE: &[u8] = include_bytes!(env!("HOSTILE"));

/// The plugin of `tests/explorer` that uses the system, a component.
pub static EXPLORER: &[u8] = include_bytes!(env!("EXPLORER"));

pub mod bombs;
pub mod host;
pub mod judge;
pub mod languages;
pub mod oracle;
pub mod typescript;

//! Plugins as packages: one file each, sent to and got from registries, pinned by digest.
//!
//! A package is a component with its manifest inside: what the host loads, and nothing around it. So
//! a registry's layer, a file on disk and what a digest pins are the same bytes, and no archive has
//! to be unpacked. In a registry it is laid out as the CNCF's Wasm OCI artifacts are, so other tools
//! can copy, mirror and scan it.
//!
//! It promises that the same component and manifest are packed to the same bytes; that what would
//! be refused is neither packed, sent nor installed; that nothing of what a registry answers is
//! taken without a bound, and nothing is kept without its digest; that a failure leaves the plugin
//! folder and the lock as they were; and that installing grants nothing.
//!
//! It deliberately does not know how a component is built, and does not speak HTTP or TLS itself. It
//! does read every answer itself: clients for registries read manifests, tokens and errors whole,
//! however long they are, and whoever answers is not trusted.

mod artifact;
mod check;
mod component;
mod credentials;
mod error;
mod grants;
mod install;
mod pack;
mod publish;
mod reference;
mod registry;

pub use artifact::sha256;
pub use credentials::PASSWORD;
pub use error::Error;
pub use grants::grants;
pub use install::{Install, Installed, Outcome};
pub use pack::{Packed, pack};
pub use publish::{Published, publish};
pub use registry::Access;

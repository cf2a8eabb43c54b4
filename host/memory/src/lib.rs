//! Where every byte is, who pays for it, and what has to go.
//!
//! Plugins hold tensors and weights by handle, and never learn where they are. This crate is
//! what makes that possible: it owns the bytes behind the handles, moves them between the
//! device, the host's memory and the files that they came from, and charges each account
//! for what it holds. An operation takes a [`Lease`], which brings its inputs to the
//! device and reserves room for its outputs and its workspace; when the lease ends, the
//! outputs are allocations themselves.
//!
//! ```text
//! Memory ── account ──▶ Account            who pays
//!   │ ╲
//!   │  clean, upload ─▶ Handle             keeps an allocation, is charged for it
//!   │                     │
//!   lease ◀───────────────┘
//!   ╰─────────────────▶ Lease ── finish ─▶ Handle …
//! ```
//!
//! **What it promises.** The device limit and the host limit are never passed, not for a moment.
//! A charge and the bytes that it stands for never differ, whatever fails, panics or is
//! cancelled; when the last handle of an account goes, its charge is gone before `drop`
//! returns. An operation gets everything that it needs at once, or waits and holds
//! nothing; it waits only while waiting can help, and nobody waits for ever behind others.
//! A quota makes its account slower and moves nothing that only its neighbours hold. The bytes that
//! are read are the bytes that were put there, in every mode and under every limit. Leasing
//! what is on the device already costs the same however many allocations live.
//!
//! **What it does not know.** What a tensor is: a format is carried along, not understood.
//! What computes on a device: two copies are all that it asks of one ([`Device`]). What runs
//! next: modes see how full the device is ([`offload`]), not a graph. And no plugin, component
//! or file format: a model file is a range of bytes that can be read again ([`Source`]).

mod account;
mod admission;
mod ahead;
mod by_hand;
mod cancel;
mod device;
mod entry;
mod error;
mod group;
mod handle;
mod headroom;
mod lease;
mod ledger;
mod line;
mod list;
mod listing;
mod memory;
mod meter;
mod model_file;
pub mod offload;
mod plan;
mod record;
mod recording;
mod room;
mod setup;
mod shelf;
mod shortage;
mod site;
mod source;
mod spill;
mod state;
mod stats;
mod sync;
#[cfg(test)]
mod tests;
mod tier;
mod transfer;
mod walk;

pub use account::{Account, AccountId};
pub use cancel::Cancel;
pub use device::Device;
pub use entry::AllocationId;
pub use error::MemoryError;
pub use handle::Handle;
pub use headroom::Gauge;
pub use lease::Lease;
pub use memory::Memory;
pub use meter::Meter;
pub use model_file::{FileIdentity, ModelFile};
pub use offload::{Amount, OffloadMode, OffloadModeName, Watermarks};
pub use recording::{Event, Recording, Why};
pub use setup::{MoveRule, Rules, Setup};
pub use shelf::Shelved;
pub use site::{Call, Site};
pub use source::Source;
pub use spill::SpillSettings;
pub use stats::{AccountUse, Moved, Stats, TierUse};
pub use tier::{Limits, PerTier, Residency, Tier};

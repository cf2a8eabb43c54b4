//! (being written)

mod account;
mod admission;
mod cancel;
mod device;
mod entry;
mod error;
mod handle;
mod lease;
mod ledger;
mod line;
mod list;
mod memory;
mod model_file;
pub mod offload;
mod record;
mod room;
mod source;
mod state;
mod stats;
mod sync;
mod tier;
mod transfer;
mod walk;

pub use account::{Account, AccountId};
pub use cancel::Cancel;
pub use device::Device;
pub use entry::AllocationId;
pub use error::MemoryError;
pub use handle::Handle;
pub use lease::Lease;
pub use memory::Memory;
pub use model_file::{FileIdentity, ModelFile};
pub use offload::{OffloadMode, OffloadModeName};
pub use source::Source;
pub use stats::{AccountUse, Moved, Stats, TierUse};
pub use tier::{Limits, PerTier, Residency, Tier};

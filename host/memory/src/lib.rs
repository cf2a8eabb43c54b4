//! (being written)
mod account;
mod cancel;
mod device;
mod error;
mod memory;
mod model_file;
pub mod offload;
mod source;
mod stats;
mod tier;

pub use account::{Account, AccountId};
pub use cancel::Cancel;
pub use device::Device;
pub use error::MemoryError;
pub use memory::{AllocationId, Handle, Lease, Memory};
pub use model_file::ModelFile;
pub use offload::{OffloadMode, OffloadModeName};
pub use source::Source;
pub use stats::{AccountUse, Moved, Stats, TierUse};
pub use tier::{Limits, PerTier, Residency, Tier};

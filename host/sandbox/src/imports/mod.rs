//! The host's side of the contract: one file for each interface in `wit/`.
//!
//! Guests hold indices into a store's resource table; the entries are the host's
//! own tensors, models and values. Everything a guest passes is checked
//! below, where it is used (compute checks shapes, models check labels), so
//! these files only translate.

mod context;
mod memory;
mod models;
mod nodes;
mod ops;
mod tensors;
mod values;

use berth_memory::Tier;
use wasmtime::component::{HasSelf, Linker, Resource};

use crate::error::{Failure, GuestError, Shortage};
use crate::rights::Right;
use crate::state::State;
use crate::wasi;

pub(crate) use nodes::node_types;
pub(crate) use values::{lift_all, lift_named, lower_named};

pub(crate) mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "berth:node/memory-node",
        imports: { default: trappable },
        with: {
            "berth:node/tensors.tensor": crate::imports::TensorHandle,
            "berth:node/tensors.upload": crate::imports::UploadHandle,
            "berth:node/tensors.generator": crate::imports::GeneratorHandle,
            "berth:node/models.model": crate::imports::ModelHandle,
            "berth:node/values.object": crate::imports::ObjectHandle,
            "berth:node/values.value-list": crate::imports::ListHandle,
            "berth:node/values.function": crate::imports::FunctionHandle,
        },
    });
}

pub(crate) use bindings::berth::node::types::Error;

// Public because the bindings re-export them; this module is not.
pub type TensorHandle = berth_compute::Tensor;
pub type UploadHandle = tensors::Upload;
pub type GeneratorHandle = berth_compute::Generator;
pub type ModelHandle = std::sync::Arc<crate::models::Model>;
pub type ObjectHandle = std::sync::Arc<crate::value::Object>;
pub type ListHandle = std::sync::Arc<crate::value::List>;
pub type FunctionHandle = std::sync::Arc<crate::value::FunctionValue>;

/// What an import returns: a trap, or an error as data, or a value.
pub(crate) type Returned<T> = wasmtime::Result<Result<T, Error>>;

/// The right that an import needs.
pub(crate) fn right_for(import: &str) -> Option<Right> {
    let (interface, _version) = import.split_once('@').unwrap_or((import, ""));
    (interface == "berth:node/memory").then_some(Right::Memory)
}

/// Whether every plugin gets this import, without any right. WASI is there because languages'
/// runtimes ask for it, and does nothing without rights.
pub(crate) fn is_free(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    match interface.split_once('/') {
        Some(("berth:node", name)) => name != "memory",
        Some((package, name)) => wasi::offers(package, name, version),
        None => false,
    }
}

/// Offers everything that there is, also what takes a right: what a plugin may not import was refused
/// before linking.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    bindings::MemoryNode::add_to_linker::<State, HasSelf<State>>(linker, |state| state)?;
    wasi::add_to_linker(linker)
}

impl bindings::berth::node::types::Host for State {}

impl State {
    /// A resource for the guest, or the error that it holds too many.
    pub(crate) fn give<T: Send + 'static>(&mut self, entry: T) -> Returned<Resource<T>> {
        Ok(self.table.push(entry).map_err(|_| {
            GuestError::Other("the run holds too many handles; drop those it is done with".into())
                .into()
        }))
    }

    /// What [`State::give`] gives for a result.
    pub(crate) fn give_result<T: Send + 'static, E: Into<GuestError>>(
        &mut self,
        result: Result<T, E>,
    ) -> Returned<Resource<T>> {
        match result {
            Ok(entry) => self.give(entry),
            Err(error) => Ok(Err(error.into().into())),
        }
    }
}

impl From<Tier> for bindings::berth::node::types::Tier {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::Device => Self::Device,
            Tier::Host => Self::Host,
            Tier::Disk => Self::Disk,
        }
    }
}

impl From<bindings::berth::node::types::Tier> for Tier {
    fn from(tier: bindings::berth::node::types::Tier) -> Self {
        use bindings::berth::node::types::Tier as Wit;
        match tier {
            Wit::Device => Self::Device,
            Wit::Host => Self::Host,
            Wit::Disk => Self::Disk,
        }
    }
}

impl From<GuestError> for Error {
    fn from(error: GuestError) -> Self {
        use bindings::berth::node::types as wit;
        let shortage = |s: Shortage| wit::Shortage {
            tier: s.tier.into(),
            requested: s.requested,
            limit: s.limit,
            used: s.used,
        };
        match error {
            GuestError::InvalidArgument(text) => Self::InvalidArgument(text),
            GuestError::AccessDenied(text) => Self::AccessDenied(text),
            GuestError::NotFound(text) => Self::NotFound(text),
            GuestError::QuotaExceeded(short) => Self::QuotaExceeded(shortage(short)),
            GuestError::OutOfMemory(short) => Self::OutOfMemory(shortage(short)),
            GuestError::Unsupported(text) => Self::Unsupported(text),
            GuestError::Cancelled => Self::Cancelled,
            GuestError::Failed(failure) => {
                let Failure { code, message, hint } = *failure;
                Self::Failed(wit::Failure { code, message, hint })
            }
            GuestError::Other(text) => Self::Other(text),
        }
    }
}

impl From<Error> for GuestError {
    fn from(error: Error) -> Self {
        use crate::text::page as clean;
        use bindings::berth::node::types as wit;
        let shortage = |s: wit::Shortage| Shortage {
            tier: s.tier.into(),
            requested: s.requested,
            limit: s.limit,
            used: s.used,
            holders: Vec::new(),
        };
        match error {
            Error::InvalidArgument(text) => Self::InvalidArgument(clean(&text)),
            Error::AccessDenied(text) => Self::AccessDenied(clean(&text)),
            Error::NotFound(text) => Self::NotFound(clean(&text)),
            Error::QuotaExceeded(short) => Self::QuotaExceeded(shortage(short)),
            Error::OutOfMemory(short) => Self::OutOfMemory(shortage(short)),
            Error::Unsupported(text) => Self::Unsupported(clean(&text)),
            Error::Cancelled => Self::Cancelled,
            Error::Failed(wit::Failure { code, message, hint }) => {
                let (code, message, hint) = (clean(&code), clean(&message), clean(&hint));
                Self::Failed(Box::new(Failure { code, message, hint }))
            }
            Error::Other(text) => Self::Other(clean(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_free;

    #[test]
    fn what_needs_a_right_or_is_unknown_is_not_free() {
        for refused in [
            "berth:node/memory@0.1.0",
            "wasi:http/outgoing-handler@0.2.6",
            "env",
            "evil:node/tensors@0.1.0",
        ] {
            assert!(!is_free(refused), "{refused}");
        }
        assert!(is_free("berth:node/tensors@0.1.0"));
        assert!(is_free("wasi:cli/stderr@0.2.6"));
        assert!(is_free("wasi:sockets/tcp@0.2.6"));
    }
}

//! What stays on the device.
//!
//! A mode decides *how much* leaves and *when*; which allocations go stands in
//! `src/walk.rs`, the same for all of them. The mechanism (copies, drops, quotas, atomic
//! admission, the copy worker) knows no mode. So a mode is one small file, and it
//! cannot make a result wrong, only slow.

mod balanced;
mod model;
mod none;
mod planned;
mod sequential;

use std::fmt;
use std::str::FromStr;

pub use balanced::Balanced;
pub use model::WholeModels;
pub use none::KeepAll;
pub use planned::Planned;
pub use sequential::Sequential;

/// The device when an operation is about to start, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pressure {
    /// What is in use.
    pub used: u64,
    /// What the operation needs beside that: its inputs that are elsewhere, its
    /// outputs and its workspace.
    pub needed: u64,
    /// What can be in use.
    pub limit: u64,
}

/// How much of what a call needs comes before it is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// Nothing: everything comes when it is leased.
    Nothing,
    /// What the next few leases need.
    Window,
    /// All of it, as soon as the call begins.
    Whole,
}

/// What leaves the device, and when.
pub trait OffloadMode: Send + 'static {
    /// Which mode this is.
    fn name(&self) -> OffloadModeName;

    /// Bytes that should leave before the operation starts, `None` if nothing may
    /// ever leave. What must leave so that the limit and the quotas hold leaves in
    /// any case; more than that is a wish. Asked at every lease, with a lock held.
    fn leaves_before(&self, device: &Pressure) -> Option<u64>;

    /// Whether the inputs of an operation leave when it has ended.
    fn leaves_after(&self) -> bool {
        false
    }

    /// Whether idle models leave as a whole.
    fn whole_models(&self) -> bool {
        false
    }

    /// What comes before it is needed, once a function's sequence of leases is known.
    fn ahead(&self) -> Ahead {
        Ahead::Nothing
    }
}

/// A part of the device, or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Amount {
    /// Of the device limit, 0 to 1.
    Fraction(f64),
    /// Bytes.
    Bytes(u64),
}

/// Between which amounts [`Balanced`] works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watermarks {
    /// Above this, something leaves.
    pub high: Amount,
    /// Down to this. `None` is 20 % of the device, and nothing on devices of 12 GiB or less.
    pub low: Option<Amount>,
}

impl Amount {
    /// Bytes of a device with this limit.
    #[must_use]
    pub fn of(self, limit: u64) -> u64 {
        match self {
            // Sizes are below 2⁶²: what a double rounds off is less than a part in 10¹⁵.
            Self::Fraction(part) => (limit as f64 * part.clamp(0.0, 1.0)) as u64,
            Self::Bytes(bytes) => bytes.min(limit),
        }
    }
}

impl Default for Watermarks {
    fn default() -> Self {
        Self { high: Amount::Fraction(0.75), low: None }
    }
}

/// The modes that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OffloadModeName {
    /// [`KeepAll`].
    None,
    /// [`Sequential`].
    Sequential,
    /// [`WholeModels`].
    Model,
    /// [`Balanced`].
    Balanced,
    /// [`Planned`].
    Planned,
}

impl OffloadModeName {
    /// Every mode.
    #[must_use]
    pub fn all() -> &'static [OffloadModeName] {
        &[Self::None, Self::Model, Self::Sequential, Self::Balanced, Self::Planned]
    }
}

impl fmt::Display for OffloadModeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::None => "none",
            Self::Model => "model",
            Self::Sequential => "sequential",
            Self::Balanced => "balanced",
            Self::Planned => "planned",
        })
    }
}

/// No mode has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no offload mode `{0}`; the modes are: none, model, sequential, balanced, planned"
)]
pub struct UnknownOffloadMode(pub String);

impl FromStr for OffloadModeName {
    type Err = UnknownOffloadMode;

    fn from_str(name: &str) -> Result<Self, UnknownOffloadMode> {
        Self::all()
            .iter()
            .copied()
            .find(|mode| mode.to_string() == name)
            .ok_or_else(|| UnknownOffloadMode(name.to_owned()))
    }
}

/// The mode of a name.
#[must_use]
pub fn mode(name: OffloadModeName) -> Box<dyn OffloadMode> {
    mode_with(name, Watermarks::default())
}

/// The mode of a name, with watermarks for the one that has them.
#[must_use]
pub fn mode_with(name: OffloadModeName, watermarks: Watermarks) -> Box<dyn OffloadMode> {
    match name {
        OffloadModeName::None => Box::new(KeepAll),
        OffloadModeName::Sequential => Box::new(Sequential),
        OffloadModeName::Model => Box::new(WholeModels),
        OffloadModeName::Balanced => Box::new(Balanced::new(watermarks)),
        OffloadModeName::Planned => Box::new(Planned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_found_by_the_name_that_it_shows() {
        for &name in OffloadModeName::all() {
            assert_eq!(name.to_string().parse(), Ok(name));
            assert_eq!(mode(name).name(), name);
        }
    }

    #[test]
    fn an_unknown_mode_is_refused_with_the_names_that_there_are() {
        let error = "lru".parse::<OffloadModeName>().unwrap_err();
        for name in OffloadModeName::all() {
            assert!(error.to_string().contains(&name.to_string()));
        }
        assert!(error.to_string().contains("`lru`"));
    }
}

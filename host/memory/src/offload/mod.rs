//! What stays on the device.
//!
//! A mode decides *how much* leaves and *when*; which allocations go is the same
//! for all of them and stands in `src/walk.rs`: clean before dirty,
//! among clean ones the most recently used first. The mechanism (copies, drops,
//! quotas, atomic admission) knows no mode. So a mode is one small file, and it
//! cannot make a result wrong, only slow.
//!
//! A mode that chooses victims itself (whole models) or knows the future (a plan,
//! prefetching) adds a method with a default to [`OffloadMode`], its file here, and
//! its name to [`OffloadModeName`].

mod balanced;
mod none;
mod sequential;

use std::fmt;
use std::str::FromStr;

pub use balanced::Balanced;
pub use none::KeepAll;
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
    /// Whole models.
    Model,
    /// [`Balanced`].
    Balanced,
    /// What is needed soonest, known from the last call.
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
pub fn mode_with(name: OffloadModeName, _watermarks: Watermarks) -> Box<dyn OffloadMode> {
    match name {
        OffloadModeName::None => Box::new(KeepAll),
        OffloadModeName::Sequential => Box::new(Sequential),
        OffloadModeName::Model | OffloadModeName::Balanced | OffloadModeName::Planned => {
            Box::new(Balanced)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_found_by_the_name_that_it_shows() {
        for &name in OffloadModeName::all() {
            assert_eq!(name.to_string().parse(), Ok(name));
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

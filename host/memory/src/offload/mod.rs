//! (being written)
use std::fmt; use std::str::FromStr;
/// Which mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OffloadModeName { /// x
 None, /// x
 Sequential, /// x
 Balanced }
impl OffloadModeName {
    /// Every mode.
    pub fn all() -> &'static [OffloadModeName] { &[Self::None, Self::Sequential, Self::Balanced] }
}
impl fmt::Display for OffloadModeName { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(match self { Self::None=>"none", Self::Sequential=>"sequential", Self::Balanced=>"balanced"}) } }
/// No such mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no offload mode `{0}`; the modes are: none, sequential, balanced")]
pub struct UnknownOffloadMode(pub String);
impl FromStr for OffloadModeName { type Err = UnknownOffloadMode; fn from_str(s: &str) -> Result<Self, UnknownOffloadMode> { Self::all().iter().copied().find(|m| m.to_string()==s).ok_or_else(|| UnknownOffloadMode(s.to_owned())) } }
/// A policy.
pub trait OffloadMode: Send + 'static {}
struct Any; impl OffloadMode for Any {}
/// The mode of a name.
pub fn mode(_name: OffloadModeName) -> Box<dyn OffloadMode> { Box::new(Any) }

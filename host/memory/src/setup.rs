//! What the operator decides about memory, in one place.

use crate::{Gauge, Limits, OffloadMode, SpillSettings};

/// Everything that a memory is made with.
pub struct Setup {
    /// How much there is.
    pub limits: Limits,
    /// What stays on the device.
    pub mode: Box<dyn OffloadMode>,
    /// Which models stay or go whatever the mode says.
    pub rules: Rules,
    /// Where dirty bytes go when the host is full; `None` keeps them in memory.
    pub spill: Option<SpillSettings>,
    /// How much the machine can still give, asked when something grows.
    pub gauge: Option<Box<dyn Gauge>>,
    /// DRAM that is left to other programs, in bytes; needs a gauge.
    pub headroom: u64,
}

impl Setup {
    /// Limits and a mode, no spill, no rules.
    #[must_use]
    pub fn new(limits: Limits, mode: Box<dyn OffloadMode>) -> Self {
        Self { limits, mode, rules: Rules::default(), spill: None, gauge: None, headroom: 0 }
    }
}

/// Which models stay on the device or leave it whatever the mode says. Names are roles
/// (`model`, `refiner`, `clip`, `vae`) or labels of model files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// These leave as soon as a call of theirs ended.
    pub always: Vec<String>,
    /// These leave only when an operation could not run otherwise.
    pub never: Vec<String>,
    /// Moves between models that take turns.
    pub moves: Vec<MoveRule>,
    /// A model whose label contains one of these is a refiner.
    pub refiners: Vec<String>,
}

/// What leaves the device for DRAM when another model's turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoveRule {
    /// The base model while the refiner runs.
    BaseForRefiner,
    /// The base model, and the refiner, while the VAE runs.
    BaseForVae,
    /// The refiner whenever it does not run.
    RefinerWhenIdle,
}

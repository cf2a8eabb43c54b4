//! The DRAM cache: models come back from it, or are dropped.

use berth_sdk::{memory, prelude::*};

use crate::order::{each_time, passed};
use crate::report::report;

/// A model, a text encoder or an autoencoder: whichever was offloaded. Its wire fits each of
/// their inputs, and the node behind it looks at what came.
#[derive(Clone, Debug)]
pub struct Recalled(Object);

impl FromValue for Recalled {
    fn from_value(value: Value) -> Result<Self> {
        Object::from_value(value).map(Self)
    }
}

impl From<Recalled> for Value {
    fn from(recalled: Recalled) -> Self {
        Self::Object(recalled.0)
    }
}

impl Wire for Recalled {
    const TYPE: &'static str = "MODEL,CLIP,VAE";
}

/// Loads a model, text encoder or VAE that an Offload node put aside, back onto the device as far
/// as there is room.
#[node(
    name = "LoadFromDRAM",
    display_name = "Load From DRAM",
    category = "memory/offload",
    outputs(
        "model" = "What was offloaded: a MODEL, a CLIP or a VAE.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("restore model", "reload model", "model from dram", "onload", "dram cache"),
    fingerprint = each_time
)]
pub fn load_from_dram(
    /// What the Offload node gave.
    dram_id: String,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<(Recalled, Any)> {
    let model = memory::recall(dram_id.trim()).map_err(|error| match error {
        Error::NotFound(_) => Error::failed(
            "model-not-found",
            "Model not found in DRAM cache",
            "link `dram_id` of Offload Model, Offload CLIP or Offload VAE, so that it runs before, and \
             see that the DRAM cache is not cleared in between",
        ),
        other => other,
    })?;
    memory::restore(&model)?;
    Ok((Recalled(model), passed(trigger)?))
}

/// Drops models from the DRAM cache. What no other node holds is freed.
#[node(
    name = "ClearDRAMCache",
    display_name = "Clear DRAM Cache",
    category = "memory",
    outputs(
        "memory_stats" = "Where memory is now, as a text.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("free dram", "free ram", "forget models", "purge cache"),
    output_node,
    fingerprint = each_time
)]
pub fn clear_dram_cache(
    /// The model to drop; empty for all of them.
    #[input(default = "")]
    dram_id: Option<String>,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<(String, Any)> {
    match dram_id.as_deref().map(str::trim) {
        None | Some("") => {
            memory::forget_all();
        }
        Some(id) => {
            memory::forget(id);
        }
    }
    Ok((report(), passed(trigger)?))
}

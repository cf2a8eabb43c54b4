//! Models leave the device, and are put aside under an id.

use berth_sdk::{memory, prelude::*};

use crate::order::{each_time, passed};
use crate::report::report;

/// What every node here gives: the report, the id, and the trigger.
type Offloaded = (String, String, Any);

/// Moves a model's weights from the device to DRAM, now, and keeps the model there to be loaded
/// again with Load From DRAM. A sampler that still has the model brings back what it needs.
#[node(
    name = "OffloadModel",
    display_name = "Offload Model",
    category = "memory/offload",
    outputs(
        "memory_stats" = "Where memory is now, as a text.",
        "dram_id" = "What Load From DRAM finds the model by. The same model has the same id in every run.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("unload model", "offload unet", "free vram", "model to dram", "model to cpu"),
    output_node,
    fingerprint = each_time
)]
pub fn offload_model(
    /// The model that leaves the device.
    model: ModelWire,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<Offloaded> {
    offload(model.object(), trigger)
}

/// Moves a text encoder's weights from the device to DRAM, now, and keeps it there to be loaded
/// again with Load From DRAM. A node that still has it brings back what it needs.
#[node(
    name = "OffloadCLIP",
    display_name = "Offload CLIP",
    category = "memory/offload",
    outputs(
        "memory_stats" = "Where memory is now, as a text.",
        "dram_id" = "What Load From DRAM finds the text encoder by. The same one has the same id in every run.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("unload clip", "offload text encoder", "free vram", "clip to dram", "clip to cpu"),
    output_node,
    fingerprint = each_time
)]
pub fn offload_clip(
    /// The text encoder that leaves the device.
    clip: Clip,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<Offloaded> {
    offload(clip.object(), trigger)
}

/// Moves an autoencoder's weights from the device to DRAM, now, and keeps it there to be loaded
/// again with Load From DRAM. A node that still has it brings back what it needs.
#[node(
    name = "OffloadVAE",
    display_name = "Offload VAE",
    category = "memory/offload",
    outputs(
        "memory_stats" = "Where memory is now, as a text.",
        "dram_id" = "What Load From DRAM finds the VAE by. The same one has the same id in every run.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("unload vae", "offload autoencoder", "free vram", "vae to dram", "vae to cpu"),
    output_node,
    fingerprint = each_time
)]
pub fn offload_vae(
    /// The autoencoder that leaves the device.
    vae: Vae,
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<Offloaded> {
    offload(vae.object(), trigger)
}

fn offload(model: &Object, trigger: Option<Any>) -> Result<Offloaded> {
    memory::offload(model).map_err(explained)?;
    let id = memory::remember(model)?;
    Ok((report(), id, passed(trigger)?))
}

/// A lack of memory as these nodes tell it.
fn explained(error: Error) -> Error {
    let (short, holder) = match &error {
        Error::OutOfMemory(short) => (short, "the host"),
        Error::QuotaExceeded(short) => (short, "the plugin"),
        _ => return error,
    };
    Error::failed(
        "insufficient-system-memory",
        "Insufficient system memory for offloading",
        format!(
            "{} bytes are needed in DRAM, where {} of {} that {holder} may take are in use: give it \
             more with `--dram`, or clear the DRAM cache first",
            short.requested, short.used, short.limit
        ),
    )
}

#[cfg(test)]
mod tests {
    use berth_sdk::{Shortage, Tier};

    use super::*;

    #[test]
    fn a_lack_of_memory_says_what_is_needed_and_what_to_do() {
        let short = Shortage { tier: Tier::Host, requested: 70, limit: 60, used: 50 };
        for error in [Error::OutOfMemory(short), Error::QuotaExceeded(short)] {
            let Error::Failed(told) = explained(error) else { panic!("another kind of error") };
            assert_eq!(told.message, "Insufficient system memory for offloading");
            assert!(told.hint.contains("70 bytes") && told.hint.contains("50 of 60"));
            assert!(told.hint.contains("`--dram`"));
        }
        assert_eq!(explained(Error::Cancelled), Error::Cancelled);
    }
}

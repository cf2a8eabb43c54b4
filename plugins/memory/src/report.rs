//! Where memory is, as a text.

use berth_sdk::memory::{PluginUse, Statistics, TierUse};
use berth_sdk::{memory, prelude::*};

use crate::order::{each_time, passed};

/// Shows how much of VRAM, DRAM and the spill file is in use, what is cached, and what each
/// plugin holds.
#[node(
    name = "MemoryStats",
    display_name = "Memory Stats",
    category = "memory",
    outputs(
        "memory_stats" = "Where memory is now, as a text.",
        "passthrough" = "The trigger, untouched."
    ),
    passes("passthrough" = "trigger"),
    aliases("memory usage", "vram usage", "show memory", "vram debug"),
    output_node,
    fingerprint = each_time
)]
pub fn memory_stats(
    /// It runs after this was computed.
    trigger: Option<Any>,
) -> Result<(String, Any)> {
    Ok((report(), passed(trigger)?))
}

/// How things stand, as a text that is also shown as a result of the node.
pub fn report() -> String {
    let text = written(&memory::snapshot());
    context::show_text(&text);
    text
}

fn written(found: &Statistics) -> String {
    let tiers =
        [("VRAM", found.tiers.device), ("DRAM", found.tiers.host), ("spill", found.tiers.disk)];
    let tiers = tiers.into_iter().filter_map(|(name, used)| Some(tier(name, &used?)));
    let cache = format!(
        "cache: {} of results, {} of offloaded models in DRAM",
        size(found.cached_results),
        size(found.dram_cache)
    );
    let plugins = found.plugins.iter().filter(|used| used.charge != memory::PerTier::default());
    let lines: Vec<_> = tiers.chain([cache]).chain(plugins.map(plugin)).collect();
    lines.join("\n")
}

fn tier(name: &str, used: &TierUse) -> String {
    let limit = used.limit.map(|limit| format!(" of {}", size(limit))).unwrap_or_default();
    format!("{name}: {}{limit}, peak {}", size(used.used), size(used.peak))
}

fn plugin(used: &PluginUse) -> String {
    let PluginUse { plugin, charge, quota, .. } = used;
    let tiers = [
        ("VRAM", charge.device, quota.device),
        ("DRAM", charge.host, quota.host),
        ("disk", charge.disk, quota.disk),
    ];
    let tiers = tiers.map(|(name, charge, quota)| {
        let quota = quota.map(|quota| format!(" (quota {})", size(quota))).unwrap_or_default();
        format!("{} {name}{quota}", size(charge))
    });
    format!("{plugin}: {}", tiers.join(", "))
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let units = [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match units.into_iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use berth_sdk::memory::PerTier;

    use super::*;

    #[test]
    fn the_report_tells_tiers_caches_and_plugins_in_readable_sizes() {
        let tier = |used, limit| Some(TierUse { used, peak: used * 2, limit });
        let found = Statistics {
            tiers: PerTier {
                device: tier(3 << 29, Some(8 << 30)),
                host: tier(512, Some(16 << 30)),
                disk: tier(0, None),
            },
            plugins: vec![
                PluginUse {
                    plugin: "painter".into(),
                    charge: PerTier { device: 3 << 29, host: 512, disk: 0 },
                    quota: PerTier { device: Some(2 << 30), host: None, disk: None },
                    share: 1 << 30,
                },
                PluginUse {
                    plugin: "idle".into(),
                    charge: PerTier::default(),
                    quota: PerTier::default(),
                    share: 0,
                },
            ],
            cached_results: 5 << 20,
            dram_cache: 3 << 10,
        };
        assert_eq!(
            written(&found),
            "VRAM: 1.5 GiB of 8.0 GiB, peak 3.0 GiB\n\
             DRAM: 512 B of 16.0 GiB, peak 1.0 KiB\n\
             spill: 0 B, peak 0 B\n\
             cache: 5.0 MiB of results, 3.0 KiB of offloaded models in DRAM\n\
             painter: 1.5 GiB VRAM (quota 2.0 GiB), 512 B DRAM, 0 B disk"
        );
    }
}

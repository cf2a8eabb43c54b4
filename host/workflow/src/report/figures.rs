//! Memory's figures as JSON, for programs.

use std::collections::HashMap;

use berth_memory::{AccountId, PerTier, Stats, TierUse};
use serde_json::{Value as Json, json};

/// How memory stands, with the accounts' peaks where they are known. All in bytes.
#[must_use]
pub fn figures(stats: &Stats, peaks: &HashMap<AccountId, PerTier<u64>>) -> Json {
    let tier = |used: &TierUse| json!({"used": used.used, "peak": used.peak, "limit": used.limit});
    let plugins = stats.accounts.iter().map(|account| {
        json!({
            "name": account.name,
            "charge": three(&account.charge),
            "peak": peaks.get(&account.id).map(three),
            "quota": three(&account.quota),
            "share": account.share,
        })
    });
    let moved = &stats.moved;
    json!({
        "device": tier(&stats.tiers.device),
        "dram": tier(&stats.tiers.host),
        "spill": tier(&stats.tiers.disk),
        "moved": {
            "to_device": moved.to_device,
            "to_dram": moved.to_host,
            "from_model_files": moved.from_disk,
            "to_spill": moved.to_spill,
            "from_spill": moved.from_spill,
        },
        "evictions": stats.evictions,
        "waits": stats.waits,
        "shelved": stats.shelved,
        "lost": stats.lost,
        "plugins": plugins.collect::<Vec<_>>(),
    })
}

fn three<T: serde::Serialize>(tiers: &PerTier<T>) -> Json {
    json!({"device": tiers.device, "dram": tiers.host, "spill": tiers.disk})
}

#[cfg(test)]
mod tests {
    use super::super::testing::Maker;
    use super::*;

    #[test]
    fn every_plugin_is_there_with_what_it_has() {
        let mut maker = Maker::new(&["a", "b"]);
        maker.uses(0, [9, 0, 0], &[("a", [9, 0, 0])]);
        let stats = maker.stats();
        let peaks = super::super::account_peaks(&maker.recording());
        let figures = figures(&stats, &peaks);
        assert_eq!(figures["device"]["limit"], 1000);
        assert_eq!(figures["plugins"][0]["name"], "a");
        assert_eq!(figures["plugins"][0]["peak"]["device"], 9);
        assert_eq!(figures["plugins"][1]["peak"], Json::Null);
        assert_eq!(figures["plugins"][1]["quota"]["device"], Json::Null);
    }
}

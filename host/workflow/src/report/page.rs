//! A run as one page that a browser opens: no network, no file beside it.
//!
//! The page's own script draws what is in its data, as text and shapes, never as markup.
//! The data is JSON in an element of the page, where the one thing that could end it is `<`.

use std::io::{self, Write};

use berth_memory::{PerTier, Tier, TierUse};
use serde::Serialize;
use serde_json::json;

use super::Seen;
use super::peaks::{account_peaks, node_use};
use super::series::{end, layers, millis, moves};
use super::timeline::End;

/// Writes the page.
///
/// # Errors
/// Those of the writer.
pub fn page(seen: &Seen<'_>, mut out: impl Write) -> io::Result<()> {
    let data = data(seen).to_string().replace('<', "\\u003c");
    write!(
        out,
        include_str!("page.html"),
        style = include_str!("page.css"),
        data = data,
        script = include_str!("page.js"),
    )?;
    out.flush()
}

fn data(seen: &Seen<'_>) -> serde_json::Value {
    let stats = seen.stats;
    let tier = |used: &TierUse| json!({"peak": used.peak, "limit": used.limit});
    let peaks = account_peaks(seen.recording);
    let plugins = stats.accounts.iter().map(|account| {
        let peak = peaks.get(&account.id).copied().unwrap_or(account.charge);
        json!({
            "name": account.name,
            "peak": three(&peak),
            "charge": three(&account.charge),
            "quota": three(&account.quota),
            "share": account.share,
        })
    });
    let used = node_use(seen.recording, seen.nodes);
    let nodes = seen.nodes.iter().zip(&used).map(|(node, used)| {
        json!({
            "id": &*node.id,
            "label": node.label,
            "plugin": node.plugin,
            "began": millis(node.began),
            "ended": millis(node.ended),
            "end": word(node.end),
            "device_peak": used.peak.device,
            "dram_peak": used.peak.host,
            "to_device": used.to_device,
            "to_dram": used.to_host,
        })
    });
    json!({
        "workflow": seen.workflow,
        "mode": seen.mode.to_string(),
        "end": word(seen.end),
        "seconds": seen.seconds,
        "total": millis(end(seen)),
        "dropped": seen.recording.dropped,
        "tiers": Tier::ALL.map(|place| tier(stats.tiers.get(place))),
        "layers": layers(seen),
        "moves": moves(seen),
        "moved": {
            "to_device": stats.moved.to_device,
            "to_host": stats.moved.to_host,
            "to_spill": stats.moved.to_spill,
        },
        "evictions": stats.evictions,
        "waits": stats.waits,
        "shelved": stats.shelved,
        "lost": stats.lost,
        "nodes": nodes.collect::<Vec<_>>(),
        "plugins": plugins.collect::<Vec<_>>(),
    })
}

fn word(end: End) -> &'static str {
    match end {
        End::Done => "done",
        End::Failed => "failed",
        End::Stopped => "stopped",
    }
}

fn three<T: Serialize + Copy>(tiers: &PerTier<T>) -> [T; 3] {
    [tiers.device, tiers.host, tiers.disk]
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    use super::super::testing::{Maker, span, with};
    use super::*;

    fn written(seen: &Seen<'_>) -> String {
        let mut bytes = Vec::new();
        page(seen, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn data_of(page: &str) -> Json {
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn what_a_guest_calls_itself_cannot_leave_the_data() {
        let evil = "</script><script>alert(1)</script><!--\u{2028}\"{style}";
        let mut maker = Maker::new(&[evil]);
        maker.uses(0, [1, 0, 0], &[(evil, [1, 0, 0])]);
        let mut node = span("1", 0, 1);
        node.label = evil.into();
        let page = with(&maker, &[node], written);
        assert_eq!(page.matches("</script>").count(), 2);
        assert!(!page.contains("alert(1)<"));
        let data = data_of(&page);
        assert_eq!(data["nodes"][0]["label"], evil);
        assert_eq!(data["layers"]["names"][0], evil);
    }

    #[test]
    fn the_page_asks_nobody_for_anything() {
        let page = with(&Maker::new(&["a"]), &[], written);
        let mut addresses = page.match_indices("http").map(|(at, _)| &page[at..]);
        assert!(
            addresses.all(|text| text.starts_with("http://www.w3.org/2000/svg")
                || text.starts_with("http-equiv"))
        );
        for outside in ["src=", "href=", "@import", "url(", "fetch("] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("default-src 'none'"));
    }

    #[test]
    fn figures_of_nodes_and_plugins_are_in_it() {
        let mut maker = Maker::new(&["a"]);
        maker.uses(0, [5, 6, 7], &[("a", [5, 6, 7])]);
        maker.moves(1, 2, None, Tier::Device, 8, false);
        let data = data_of(&with(&maker, &[span("1", 0, 10)], written));
        assert_eq!(data["nodes"][0]["device_peak"], 5);
        assert_eq!(data["nodes"][0]["to_device"], 8);
        assert_eq!(data["plugins"][0]["peak"], json!([5, 6, 7]));
        assert_eq!(data["total"], 10.0);
        assert_eq!(data["tiers"][0]["limit"], 1000);
    }

    #[test]
    fn an_hour_of_samples_is_a_page_of_less_than_a_megabyte() {
        let mut maker = Maker::new(&["a", "b", "c"]);
        for at in 0..50_000_u64 {
            let used = [at * 7919 % 100_000_000_000, at * 31, at % 5];
            maker.uses(at, used, &[("a", used), ("b", [at, 0, 0]), ("c", [at / 2, 0, 0])]);
        }
        let page = with(&maker, &[], written);
        assert!(page.len() < 1 << 20, "{}", page.len());
    }
}

//! `--stats`: what memory did, as tables that fit a terminal.

use std::collections::HashMap;
use std::fmt;

use berth_memory::{AccountId, PerTier, Stats, Tier};
use berth_workflow::Size;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};

/// What there is to say, a table for each subject.
pub(crate) struct Tables<'a> {
    pub(crate) stats: &'a Stats,
    pub(crate) peaks: &'a HashMap<AccountId, PerTier<u64>>,
}

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        let mut tiers = table(&["memory", "used", "peak", "limit"]);
        for tier in Tier::ALL {
            let of = stats.tier(tier);
            tiers.add_row([place(tier).into(), size(of.used), size(of.peak), some(of.limit)]);
        }
        let moved = &stats.moved;
        let mut moves = table(&["moved", "bytes"]);
        for (way, bytes) in [
            ("to the device", moved.to_device),
            ("from the device to DRAM", moved.to_host),
            ("read from model files", moved.from_disk),
            ("written to the spill file", moved.to_spill),
            ("read from the spill file", moved.from_spill),
        ] {
            moves.add_row([way.into(), size(bytes)]);
        }
        writeln!(f, "{tiers}\n{moves}")?;
        let counted = format!("{} evictions, {} waits for room", stats.evictions, stats.waits);
        let (shelved, lost) = (size(stats.shelved), size(stats.lost));
        writeln!(f, " {counted}; cached results: {shelved}, lost: {lost}")?;
        if stats.accounts.is_empty() {
            return Ok(());
        }
        let titles = ["plugin", "on", "charged", "peak", "quota", "share"];
        let mut plugins = table(&titles);
        for account in &stats.accounts {
            let peaks = self.peaks.get(&account.id);
            for tier in Tier::ALL {
                let (charge, quota) = (*account.charge.get(tier), *account.quota.get(tier));
                let peak = peaks.map_or(0, |peaks| *peaks.get(tier)).max(charge);
                // The device is where plugins compete: it is always told.
                if tier != Tier::Device && peak == 0 && quota.is_none() {
                    continue;
                }
                let (name, share) = match tier {
                    Tier::Device => (account.name.clone(), size(account.share)),
                    _ => (String::new(), String::new()),
                };
                plugins.add_row([
                    name,
                    place(tier).into(),
                    size(charge),
                    size(peak),
                    some(quota),
                    share,
                ]);
            }
        }
        write!(f, "{plugins}")
    }
}

fn table(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(titles.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn place(tier: Tier) -> &'static str {
    match tier {
        Tier::Device => "device",
        Tier::Host => "DRAM",
        Tier::Disk => "spill",
    }
}

fn size(bytes: u64) -> String {
    Size(bytes).to_string()
}

fn some(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".into(), size)
}

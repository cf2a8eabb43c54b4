//! Tables that fit a terminal, and those of `--stats`: what memory did.

use std::collections::HashMap;
use std::fmt;

use berth_memory::{AccountId, PerTier, Stats, Tier};
use berth_sandbox::reading::Size;
use berth_workflow::report::place;
use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// A line below the titles, and none elsewhere.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// What there is to say, a table for each subject.
pub(crate) struct Tables<'a> {
    pub(crate) stats: &'a Stats,
    pub(crate) peaks: &'a HashMap<AccountId, PerTier<u64>>,
}

impl fmt::Display for Tables<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stats = self.stats;
        let mut tiers = table(&["memory", "used", "peak", "limit"], 1);
        for tier in Tier::ALL {
            let of = stats.tier(tier);
            tiers.add_row([place(tier).into(), size(of.used), size(of.peak), some(of.limit)]);
        }
        let moved = &stats.moved;
        let mut moves = table(&["moved", "bytes"], 1);
        for (way, bytes) in [
            ("to the device", moved.to_device),
            ("from the device to DRAM", moved.to_host),
            ("read from model files", moved.from_disk),
            ("written to the spill file", moved.to_spill),
            ("read from the spill file", moved.from_spill),
        ] {
            moves.add_row([way.into(), size(bytes)]);
        }
        writeln!(f, "\n{tiers}\n\n{moves}\n")?;
        let counted = format!("{} evictions, {} waits for room", stats.evictions, stats.waits);
        let (shelved, lost) = (size(stats.shelved), size(stats.lost));
        writeln!(f, " {counted}; cached results: {shelved}, lost: {lost}")?;
        if stats.accounts.is_empty() {
            return Ok(());
        }
        let mut plugins = table(&["plugin", "on", "charged", "peak", "quota", "share"], 2);
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
        write!(f, "\n{plugins}")
    }
}

/// A table whose first `texts` columns are texts, the others numbers.
pub(crate) fn table(titles: &[&str], texts: usize) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(titles.iter().copied());
    for column in table.column_iter_mut().skip(texts) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

pub(crate) fn size(bytes: u64) -> String {
    Size(bytes).to_string()
}

pub(crate) fn some(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "-".into(), size)
}

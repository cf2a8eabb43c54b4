//! `berth plan`: the memory that a workflow will take, before it runs.

use std::path::PathBuf;
use std::sync::Arc;

use berth_memory::{Cancel, Moved, PerTier, Tier};
use berth_workflow::{NodeError, NodeMemory, Prediction, Rehearsal, RunError};
use bytesize::ByteSize;
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use serde_json::{Value as Json, json};

use crate::args::PlanArguments;
use crate::error::CliError;
use crate::output::line;
use crate::settings::{settings, warn_of_broken, workflow};

pub(crate) fn plan(arguments: PlanArguments) -> Result<(), CliError> {
    let path = arguments.workflow;
    let settings = settings(arguments.folders, Some(arguments.memory), PathBuf::new())?;
    let rehearsal = Rehearsal::open(settings, berth_stock_plugins::components())?;
    let host = rehearsal.host();
    warn_of_broken(host);
    let workflow = workflow(&path, &arguments.changes, host)?;
    let cancel = Cancel::new();
    let plan = host
        .runner()
        .validate(&workflow, None, &cancel)
        .map_err(|invalid| CliError::invalid(path.clone(), *invalid))?;
    let plan = Arc::new(plan);
    let prediction = rehearsal.run(&plan, &cancel)?;
    if arguments.json {
        line(format_args!("{:#}", json(&prediction)))?;
    } else {
        line(nodes(&prediction))?;
        line("")?;
        line(tiers(&prediction))?;
    }
    if let Some(failure) = prediction.failure {
        return Err(RunError::Node(failure).into());
    }
    CliError::partly_invalid(path, &plan)
}

/// A table whose columns but the first few are numbers.
fn table(titles: &[&str], texts: usize) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(titles);
    for (index, column) in table.column_iter_mut().enumerate() {
        // Two spaces between columns, and none before the first.
        column.set_padding((0, 2));
        if index >= texts {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The nodes and what memory does while they run.
fn nodes(prediction: &Prediction) -> String {
    let spills = prediction.memory.tiers.disk.peak > 0;
    let mut titles = vec!["node", "plugin", "VRAM peak", "DRAM peak", "to VRAM"];
    if spills {
        titles.push("spilled");
    }
    let mut table = table(&titles, 2);
    let last = prediction.nodes.len().saturating_sub(1);
    for (index, node) in prediction.nodes.iter().enumerate() {
        let NodeMemory { label, plugin, peak, moved, .. } = node;
        let fails = prediction.failure.is_some() && index == last;
        let label = if fails { format!("{label}: fails") } else { label.clone() };
        let PerTier { device, host, .. } = *peak;
        let mut row = vec![label, plugin.clone()];
        row.extend([device, host, moved.to_device].map(bytes));
        if spills {
            row.push(bytes(moved.to_spill));
        }
        table.add_row(row);
    }
    table.trim_fmt()
}

/// The tiers and how full they become.
fn tiers(prediction: &Prediction) -> String {
    let mut table = table(&["tier", "peak", "limit", "used"], 1);
    for tier in Tier::ALL {
        let about = prediction.memory.tier(tier);
        let name = match tier {
            Tier::Device => "VRAM",
            Tier::Host => "DRAM",
            Tier::Disk if about.peak == 0 => continue,
            Tier::Disk => "disk",
        };
        let of = |limit: u64| format!("{:.0}%", 100.0 * about.peak as f64 / limit.max(1) as f64);
        let mut row = vec![name.to_owned(), bytes(about.peak)];
        row.extend(about.limit.map(bytes));
        row.extend(about.limit.map(of));
        table.add_row(row);
    }
    table.trim_fmt()
}

fn json(prediction: &Prediction) -> Json {
    let tiers = |value: &dyn Fn(Tier) -> Json| {
        let all = Tier::ALL.into_iter().map(|tier| (tier.to_string(), value(tier)));
        Json::Object(all.collect())
    };
    let node = |node: &NodeMemory| {
        json!({
            "id": node.id,
            "title": node.title,
            "class": node.class,
            "plugin": node.plugin,
            "peak": tiers(&|tier| (*node.peak.get(tier)).into()),
            "moved": moved(&node.moved),
        })
    };
    let failure = |failure: &NodeError| {
        let error = &failure.error;
        json!({ "node": failure.node, "message": error.to_string(), "hint": error.hint() })
    };
    json!({
        "nodes": prediction.nodes.iter().map(node).collect::<Vec<_>>(),
        "tiers": tiers(&|tier| {
            let about = prediction.memory.tier(tier);
            json!({ "peak": about.peak, "limit": about.limit })
        }),
        "moved": moved(&prediction.memory.moved),
        "failure": prediction.failure.as_deref().map(failure),
    })
}

fn moved(moved: &Moved) -> Json {
    let Moved { to_device, to_host, from_disk, to_spill, from_spill } = moved;
    json!({
        "to_device": to_device,
        "to_host": to_host,
        "from_disk": from_disk,
        "to_spill": to_spill,
        "from_spill": from_spill,
    })
}

fn bytes(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string()
}

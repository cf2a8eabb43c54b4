//! `berth plan`: the memory that a workflow will take, before it runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use berth_memory::{Cancel, Tier};
use berth_workflow::report::{figures, place};
use berth_workflow::{NodeError, NodeMemory, Plan, Prediction, Rehearsal, RunError, Settings};
use comfy_table::Table;
use serde_json::{Value as Json, json};

use crate::args::{Changes, PlanArguments};
use crate::error::CliError;
use crate::output::line;
use crate::settings::{settings, warn_of_broken, workflow};
use crate::table::{size, some, table};

pub(crate) fn plan(arguments: PlanArguments) -> Result<(), CliError> {
    let path = arguments.workflow;
    let settings = settings(arguments.folders, arguments.memory.config(), PathBuf::new())?;
    let rehearsal = open(settings)?;
    let (plan, prediction) = predict(&rehearsal, &path, &arguments.changes)?;
    if arguments.json {
        line(format_args!("{:#}", json(&prediction)))?;
    } else {
        line(format_args!("{}\n\n{}", nodes(&prediction), tiers(&prediction)))?;
    }
    if let Some(failure) = prediction.failure {
        return Err(RunError::Node(failure).into());
    }
    CliError::partly_invalid(path, &plan)
}

/// Starts a host that computes nothing, and says which plugins are broken.
pub(crate) fn open(settings: Settings) -> Result<Rehearsal, CliError> {
    let rehearsal = Rehearsal::open(settings, berth_stock_plugins::components())?;
    warn_of_broken(rehearsal.host());
    Ok(rehearsal)
}

/// Runs a workflow without computing it.
pub(crate) fn predict(
    rehearsal: &Rehearsal,
    path: &Path,
    changes: &Changes,
) -> Result<(Arc<Plan>, Prediction), CliError> {
    let workflow = workflow(path, changes, rehearsal.host())?;
    let cancel = Cancel::new();
    let plan = rehearsal
        .host()
        .runner()
        .validate(&workflow, None, &cancel)
        .map_err(|invalid| CliError::invalid(path.to_owned(), *invalid))?;
    let plan = Arc::new(plan);
    let prediction = rehearsal.run(&plan, &cancel)?;
    Ok((plan, prediction))
}

/// The nodes and what memory does while they run.
fn nodes(prediction: &Prediction) -> Table {
    let spills = prediction.memory.tiers.disk.peak > 0;
    let mut titles = vec!["node", "plugin", "device peak", "DRAM peak", "moved in"];
    if spills {
        titles.push("spilled");
    }
    let mut table = table(&titles, 2);
    let last = prediction.nodes.len().saturating_sub(1);
    for (index, node) in prediction.nodes.iter().enumerate() {
        let NodeMemory { label, plugin, peak, moved, .. } = node;
        let fails = prediction.failure.is_some() && index == last;
        let label = if fails { format!("{label}: fails") } else { label.clone() };
        let mut row = vec![label, plugin.clone()];
        row.extend([peak.device, peak.host, moved.to_device].map(size));
        if spills {
            row.push(size(moved.to_spill));
        }
        table.add_row(row);
    }
    table
}

/// The tiers and how full they become.
fn tiers(prediction: &Prediction) -> Table {
    let mut table = table(&["memory", "peak", "limit", "of it"], 1);
    for tier in Tier::ALL {
        let of = prediction.memory.tier(tier);
        if tier == Tier::Disk && of.peak == 0 {
            continue;
        }
        let part = |limit: u64| format!("{:.0}%", 100.0 * of.peak as f64 / limit.max(1) as f64);
        let part = of.limit.map(part).unwrap_or_default();
        table.add_row([place(tier).into(), size(of.peak), some(of.limit), part]);
    }
    table
}

/// All of it for a program, sizes in bytes.
fn json(prediction: &Prediction) -> Json {
    let node = |node: &NodeMemory| {
        let NodeMemory { id, title, class, plugin, peak, moved, .. } = node;
        json!({
            "id": id,
            "title": title,
            "class": class,
            "plugin": plugin,
            "peak": { "device": peak.device, "dram": peak.host, "spill": peak.disk },
            "moved_to_device": moved.to_device,
            "spilled": moved.to_spill,
        })
    };
    let failure = |failure: &NodeError| {
        let error = &failure.error;
        json!({ "node": failure.node, "message": error.to_string(), "hint": error.hint() })
    };
    json!({
        "nodes": prediction.nodes.iter().map(node).collect::<Vec<_>>(),
        "memory": figures(&prediction.memory, &HashMap::new()),
        "failure": prediction.failure.as_deref().map(failure),
    })
}

//! `berth plugin inspect`: what a plugin is and would get, before it is put to use.

use berth_sandbox::reading::{Size, Time};
use berth_sandbox::rights::{Denied, Right};
use berth_sandbox::{LimitSettings, NodeType, RunLimits};
use berth_workflow::{Inspected, inspect as look};
use comfy_table::Table;
use serde_json::{Value as Json, json};

use crate::args::InspectArguments;
use crate::denials::{how, key};
use crate::error::CliError;
use crate::output::line;
use crate::settings::looking;
use crate::table::table;

pub(crate) fn inspect(mut arguments: InspectArguments) -> Result<(), CliError> {
    let settings = looking(arguments.config.take(), arguments.grants())?;
    let inspected = look(&settings, &arguments.file)?;
    if arguments.json {
        line(format_args!("{:#}", json(&inspected)))?;
    } else {
        page(&inspected)?;
    }
    match inspected.refused {
        Some(error) => Err(CliError::Refused(Box::new(error))),
        None => Ok(()),
    }
}

pub(crate) fn page(inspected: &Inspected) -> Result<(), CliError> {
    let Inspected { name, size, digest, manifest, plugin, .. } = inspected;
    line(format_args!("name      {name}"))?;
    line(format_args!("size      {}", Size(*size as u64)))?;
    line(format_args!("digest    {digest}"))?;
    match manifest {
        Some(manifest) => {
            if manifest.name != *name {
                line(format_args!("claims    {}", shown(&manifest.name)))?;
            }
            line(format_args!("version   {}", manifest.version))?;
            line(format_args!("contract  {}", manifest.contract))?;
            if !manifest.description.is_empty() {
                line(format_args!("about     {}", shown(&manifest.description)))?;
            }
        }
        None => line("manifest  none: it requests nothing")?,
    }
    let Some(plugin) = plugin else { return Ok(()) };
    let rights = rights(inspected);
    if !rights.is_empty() {
        let mut table = table(&["right", "would it get it?", ""], 3);
        for (right, verdict) in &rights {
            let (answer, help) = match verdict {
                Ok(()) => ("yes".to_owned(), String::new()),
                Err(denied) => {
                    (format!("no, {} is missing", key(denied.missing)), how(name, denied))
                }
            };
            table.add_row([right.to_string(), answer, help]);
        }
        line(format_args!("\n{table}"))?;
    }
    let wish = manifest.as_ref().map(|manifest| manifest.limits.clone()).unwrap_or_default();
    line(format_args!("\n{}", limits(&wish, plugin.limits())))?;
    line("\nimports")?;
    for import in plugin.imports() {
        line(format_args!("  {}", shown(import)))?;
    }
    if plugin.imports().iter().any(|import| import.starts_with("wasi:")) {
        line("what is WASI's is for the language's runtime, and does nothing without a grant")?;
    }
    line("\nnodes")?;
    for node in plugin.node_types() {
        line(format_args!("  {}", signature(node)))?;
    }
    Ok(())
}

/// What it requests, and what it needs without requesting it, with what becomes of it.
fn rights(inspected: &Inspected) -> Vec<(Right, Result<(), Denied>)> {
    let settled = inspected.plugin.as_ref().map(|plugin| plugin.rights().settled());
    let missing = inspected.not_requested.iter();
    let missing = missing.map(|denied| (denied.right.clone(), Err(denied.clone())));
    settled.unwrap_or_default().into_iter().chain(missing).collect()
}

/// Each limit of a run: what it is called, what is wished for, what there is.
fn limit_rows(wish: &LimitSettings, gets: &RunLimits) -> [(&'static str, String, String); 7] {
    fn text<T: ToString>(value: Option<T>) -> String {
        value.map_or_else(|| "-".into(), |value| value.to_string())
    }
    [
        ("linear-memory", text(wish.linear_memory), Size(gets.linear_memory).to_string()),
        ("table-elements", text(wish.table_elements), gets.table_elements.to_string()),
        ("handles", text(wish.handles), gets.handles.to_string()),
        ("host-call", text(wish.host_call), Size(gets.host_call).to_string()),
        ("run-time", text(wish.run_time), text(gets.run_time.map(Time))),
        ("output", text(wish.output), Size(gets.output).to_string()),
        ("concurrency", text(wish.concurrency), gets.concurrency.to_string()),
    ]
}

fn limits(wish: &LimitSettings, gets: &RunLimits) -> Table {
    let mut table = table(&["limit of a run", "enough for it", "it gets"], 1);
    for (name, wished, got) in limit_rows(wish, gets) {
        table.add_row([name.to_owned(), wished, got]);
    }
    table
}

fn signature(node: &NodeType) -> String {
    let inputs: Vec<&str> = node.inputs.iter().map(|input| input.name.as_str()).collect();
    let outputs: Vec<&str> = node.outputs.iter().map(|output| output.type_name.as_str()).collect();
    let gives =
        if outputs.is_empty() { String::new() } else { format!(" -> {}", outputs.join(", ")) };
    format!("{}({}){gives}", node.name, inputs.join(", "))
}

fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    berth_sandbox::text::plain(text)
}

fn json(inspected: &Inspected) -> Json {
    let Inspected { name, size, digest, manifest, plugin, refused, .. } = inspected;
    let right = |(right, verdict): (Right, Result<(), Denied>)| {
        let denied = verdict.err();
        json!({
            "right": right.to_string(),
            "granted": denied.is_none(),
            "missing": denied.as_ref().map(|denied| key(denied.missing)),
            "help": denied.as_ref().map(|denied| how(name, denied)),
        })
    };
    let gets = plugin.as_ref().map(|plugin| {
        let limits = plugin.limits();
        json!({
            "linear-memory": limits.linear_memory,
            "table-elements": limits.table_elements,
            "handles": limits.handles,
            "host-call": limits.host_call,
            "run-time": limits.run_time.map(|time| time.as_secs_f64()),
            "output": limits.output,
            "concurrency": limits.concurrency,
        })
    });
    let nodes = plugin.as_ref().map(|plugin| {
        plugin.node_types().iter().map(|node| node.name.as_str()).collect::<Vec<_>>()
    });
    json!({
        "name": name,
        "size": size,
        "digest": digest.to_string(),
        "manifest": manifest,
        "rights": rights(inspected).into_iter().map(right).collect::<Vec<_>>(),
        "limits": gets,
        "imports": plugin.as_ref().map(|plugin| plugin.imports()),
        "nodes": nodes,
        "refused": refused.as_ref().map(|error| {
            json!({ "message": error.to_string(), "hint": error.hint() })
        }),
    })
}

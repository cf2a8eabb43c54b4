//! `berth plugin inspect`: what a component is, before it is put to use.

use std::path::PathBuf;

use berth_workflow::Host;
use bytesize::ByteSize;

use crate::args::{FolderArguments, InspectArguments};
use crate::error::CliError;
use crate::output::line;
use crate::settings::settings;

pub(crate) fn inspect(arguments: InspectArguments) -> Result<(), CliError> {
    let folders = FolderArguments {
        config: None,
        models: Vec::new(),
        plugins: Vec::new(),
        input: PathBuf::new(),
        output: PathBuf::new(),
    };
    let settings = settings(folders, None, PathBuf::new())?;
    let plugin = Host::inspect(&settings, &arguments.file)?;
    let bytes = std::fs::metadata(&arguments.file).map_or(0, |found| found.len());
    line(format_args!("name     {}", plugin.name()))?;
    line(format_args!("size     {}", ByteSize(bytes).display().iec()))?;
    line(format_args!("digest   {}", plugin.digest()))?;
    for right in plugin.rights().requests().rights() {
        line(format_args!("requests {right}"))?;
    }
    line("imports")?;
    for import in plugin.imports() {
        line(format_args!("  {import}"))?;
    }
    line("nodes")?;
    for node in plugin.node_types() {
        let inputs: Vec<&str> = node.inputs.iter().map(|input| input.name.as_str()).collect();
        let outputs: Vec<&str> =
            node.outputs.iter().map(|output| output.type_name.as_str()).collect();
        let outputs =
            if outputs.is_empty() { String::new() } else { format!(" -> {}", outputs.join(", ")) };
        line(format_args!("  {}({}){outputs}", node.name, inputs.join(", ")))?;
    }
    Ok(())
}

//! The command line.

use std::path::PathBuf;

use berth_memory::OffloadModeName;
use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};

/// Runs node workflows whose nodes are sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "berth", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as
    /// `berth_memory=debug`. Without it, BERTH_LOG counts, else `warn`.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a workflow.
    Run(RunArguments),
    /// Say how much memory a workflow will take, without computing it or writing a file.
    ///
    /// Runs everything but the operations themselves, so that the peaks are those of the run. A node
    /// that cannot run is named with what it lacks, and the exit code is 1. What nodes decide by
    /// computed numbers, such as pixels, is decided as if those were zeros.
    Plan(PlanArguments),
    /// List the node types, or describe some of them.
    Nodes(NodesArguments),
    /// Look at plugins.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Check a workflow without running it.
    Validate(ValidateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The workflow, in ComfyUI's API format.
    pub(crate) workflow: PathBuf,

    #[command(flatten)]
    pub(crate) changes: Changes,

    #[command(flatten)]
    pub(crate) memory: MemoryArguments,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,

    /// Print every event as a line of JSON, in ComfyUI's shape.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The workflow, in ComfyUI's API format.
    pub(crate) workflow: PathBuf,

    #[command(flatten)]
    pub(crate) changes: Changes,

    #[command(flatten)]
    pub(crate) memory: MemoryArguments,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,

    /// Print it as JSON, with sizes in bytes.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NodesArguments {
    /// Describe these node types.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,

    /// Print them as JSON, in the shape of ComfyUI's /object_info.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Say what a plugin imports and provides.
    Inspect(InspectArguments),
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// The component, a .wasm file.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    /// The workflow, in ComfyUI's API format.
    pub(crate) workflow: PathBuf,

    #[command(flatten)]
    pub(crate) changes: Changes,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,
}

/// Changes to a workflow.
#[derive(Debug, Args)]
pub(crate) struct Changes {
    /// Give an input a value; NODE is an id, a title or a class. Can be repeated.
    #[arg(long = "set", value_name = "NODE.INPUT=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
}

/// How much memory there is.
#[derive(Debug, Args)]
pub(crate) struct MemoryArguments {
    /// The most that tensors may take on the device: 512MiB, 2GB, 1.5GiB or bytes. By default
    /// 75% of the memory of the machine or container.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) vram: Option<u64>,

    /// The most that tensors may take in the host's memory. By default what remains of 95%
    /// of the memory of the machine or container.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) dram: Option<u64>,

    /// The most that one plugin may take on the device. Can be repeated.
    #[arg(long, value_name = "PLUGIN=SIZE", value_parser = quota)]
    pub(crate) quota: Vec<(String, u64)>,

    /// What stays on the device: none (everything), balanced (until it is nearly full),
    /// sequential (only what the running operation uses).
    #[arg(long, value_name = "MODE", default_value_t = OffloadModeName::Balanced)]
    pub(crate) offload: OffloadModeName,
}

/// Where things are.
#[derive(Debug, Args)]
pub(crate) struct FolderArguments {
    /// A folder of models, with ComfyUI's subfolders: checkpoints, vae, clip, loras, embeddings.
    /// Can be repeated. By default ./models, if it exists.
    #[arg(long, value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,

    /// A folder of plugins, beside the stock ones: *.wasm, each named after its file. Can be
    /// repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Vec<PathBuf>,

    /// The folder that nodes read files from.
    #[arg(long, value_name = "DIR", default_value = "input")]
    pub(crate) input: PathBuf,

    /// The folder that nodes write files to.
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub(crate) output: PathBuf,
}

fn size(text: &str) -> Result<u64, String> {
    let size: Result<ByteSize, _> = text.trim().parse();
    match size {
        Ok(ByteSize(bytes)) if bytes > 0 => Ok(bytes),
        _ => Err("a size is a number and a unit, such as 512MiB, 2GB or 1.5GiB".into()),
    }
}

fn quota(text: &str) -> Result<(String, u64), String> {
    let (plugin, bytes) = text.split_once('=').unwrap_or((text, ""));
    if plugin.is_empty() || bytes.is_empty() {
        return Err("a quota is a plugin and a size, such as stable-diffusion=2GiB".into());
    }
    Ok((plugin.to_owned(), size(bytes)?))
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let wrong = "write NODE.INPUT=VALUE, such as 3.seed=42";
    let (target, value) = text.split_once('=').ok_or(wrong)?;
    Ok((target.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_written_as_people_write_them() {
        let sizes = [
            ("512MiB", 512 << 20),
            ("512 mib", 512 << 20),
            ("2GB", 2_000_000_000),
            ("1.5g", 1_500_000_000),
            ("1.5GiB", 3 << 29),
            ("123456", 123_456),
            ("16EiB", u64::MAX),
        ];
        for (text, bytes) in sizes {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "-1", "much", "1.2.3g", "5 apples", "1e9", "NaN", "0.1"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn quotas_and_assignments_are_told_apart_from_mistakes() {
        assert_eq!(quota("sd=1kB"), Ok(("sd".into(), 1000)));
        for text in ["", "sd", "sd=", "=1GB", "sd=x"] {
            assert!(quota(text).is_err(), "{text}");
        }
        let set = |text| assignment(text).unwrap();
        assert_eq!(set("6.text=a=b"), ("6.text".into(), "a=b".into()));
        assert_eq!(set("6.text="), ("6.text".into(), String::new()));
        assert!(assignment("6.text").is_err());
    }
}

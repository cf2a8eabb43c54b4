//! The command line.

use std::path::PathBuf;

use berth_memory::{Amount, OffloadModeName};
use berth_sandbox::reading::Size;
use berth_sandbox::rights::Grant;
use berth_workflow::{Config, MemoryConfig, Move, Release, Watermark};
use clap::{Args, Parser, Subcommand};

use crate::plugin;

/// Runs node workflows whose nodes are sandboxed WebAssembly components.
#[derive(Debug, Parser)]
#[command(name = "berth", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to log to standard error: error, warn, info, debug, trace, or a filter such as
    /// `berth_memory=debug`. Without it, BERTH_LOG counts, else `warn`.
    #[arg(long, global = true, value_name = "LEVEL")]
    pub(crate) log: Option<String>,

    /// Add the audit trail to a file, a line of JSON for each entry: what plugins were granted and
    /// denied, quotas that they hit, runs that were ended.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) audit: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a workflow.
    Run(Box<RunArguments>),
    /// Say how much memory a workflow will take, without computing it or writing a file.
    ///
    /// Runs everything but the operations themselves, so that the peaks are those of the run. A node
    /// that cannot run is named with what it lacks, and the exit code is 1. What nodes decide by
    /// computed numbers, such as pixels, is decided as if those were zeros.
    Plan(Box<PlanArguments>),
    /// List the node types, or describe some of them.
    Nodes(NodesArguments),
    /// Write, build, look at and install plugins.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Run a plugin's own tests, the files tests/*.toml of its project.
    Test(plugin::test::Arguments),
    /// Check a workflow without running it.
    Validate(ValidateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The workflow, in ComfyUI's API format.
    pub(crate) workflow: PathBuf,

    #[command(flatten)]
    pub(crate) changes: Changes,

    /// Compute nothing and write no file, but count what plugins would be denied, and say how to
    /// grant it. The exit code is 1 if anything would be.
    #[arg(long, conflicts_with_all = ["stats", "trace", "report"])]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) seeing: SeeingArguments,

    #[command(flatten)]
    pub(crate) memory: MemoryArguments,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The workflow, in ComfyUI's API format.
    pub(crate) workflow: PathBuf,

    #[command(flatten)]
    pub(crate) changes: Changes,

    /// Print it as JSON, with sizes in bytes.
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) memory: MemoryArguments,

    #[command(flatten)]
    pub(crate) folders: FolderArguments,
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
    /// Start a project that builds as it is.
    New(plugin::new::Arguments),
    /// Build a project's component.
    Build(plugin::build::Arguments),
    /// Check a project's component: its nodes, its manifest, what it imports and must be granted.
    Check(plugin::check::Arguments),
    /// Run one node alone.
    Run(Box<plugin::one::Arguments>),
    /// Build a project again whenever it is saved, and load it anew.
    Watch(Box<plugin::watch::Arguments>),
    /// Make one file of a project's component and manifest, the same bytes each time.
    Pack(plugin::pack::Arguments),
    /// Send a packed plugin to a registry.
    Publish(plugin::publish::Arguments),
    /// Get a plugin from a registry, and pin it in berth.lock.
    Install(plugin::install::Arguments),
    /// Say what a plugin is, asks for and would get. If it would be refused, the exit code is 1.
    Inspect(InspectArguments),
    /// Check a manifest, and say what it asks for.
    Manifest(ManifestArguments),
    /// Print the JSON Schema of manifests.
    Schema,
}

#[derive(Debug, Args)]
pub(crate) struct ManifestArguments {
    /// The manifest, a plugin.toml.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArguments {
    /// The component, a .wasm file, or the folder that it is in with its plugin.toml.
    pub(crate) file: PathBuf,

    /// The configuration. By default ./berth.toml, if it exists.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Give it a right, as for a run. Can be repeated.
    #[arg(long, value_name = "PLUGIN=RIGHT", value_parser = grant)]
    grant: Vec<(String, Grant)>,

    /// Print it as JSON, with sizes in bytes.
    #[arg(long)]
    pub(crate) json: bool,
}

impl InspectArguments {
    /// What is granted, as a configuration.
    pub(crate) fn grants(&mut self) -> Config {
        let mut config = Config::default();
        add_grants(&mut config, std::mem::take(&mut self.grant));
        config
    }
}

fn add_grants(config: &mut Config, grants: Vec<(String, Grant)>) {
    for (name, grant) in grants {
        config.plugins.entry(name).or_default().grants.add(grant);
    }
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

/// What is shown of a run beside its results.
#[derive(Debug, Args)]
#[command(next_help_heading = "Seeing it")]
pub(crate) struct SeeingArguments {
    /// Print every event as a line of JSON, in ComfyUI's shape.
    #[arg(long)]
    pub(crate) json: bool,

    /// Tell at the end what memory did: tiers, moves, plugins.
    #[arg(long)]
    pub(crate) stats: bool,

    /// Write a trace that Perfetto and chrome://tracing open: nodes, leases, copies, bytes.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,

    /// Write a page for a browser: memory over time, by plugin, with the nodes beneath.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
}

/// How memory is used. What is not given here can stand in the configuration.
#[derive(Debug, Args)]
pub(crate) struct MemoryArguments {
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    offload: OffloadArguments,
    #[command(flatten)]
    results: ResultArguments,
    #[command(flatten)]
    plugins: PluginArguments,
}

/// How much there is.
#[derive(Debug, Args)]
#[command(next_help_heading = "Memory (SIZE: 512MiB, 2GB, 1.5GiB or bytes)")]
struct LimitArguments {
    /// The most that tensors may take on the device. By default 75% of the memory of the
    /// machine or container.
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    vram: Option<Size>,

    /// What of that is left to other programs.
    #[arg(long, value_name = "SIZE")]
    reserve_vram: Option<Size>,

    /// The most that tensors may take in the host's memory. By default what remains of 95%
    /// of the memory of the machine or container.
    #[arg(long, value_name = "SIZE", value_parser = Size::positive)]
    dram: Option<Size>,

    /// Host memory that is left to other programs; below it, what cannot be read again is
    /// spilled. By default 10%, at least 2 GiB and at most 10 GiB.
    #[arg(long, value_name = "SIZE")]
    ram_headroom: Option<Size>,

    /// The folder to spill to; the file in it has no name, and goes with the process. By
    /// default /var/tmp, which is on a disk where /tmp may be memory.
    #[arg(long, value_name = "DIR")]
    spill_dir: Option<PathBuf>,

    /// The most that is spilled; 0 turns it off. By default half of what the disk has left.
    #[arg(long, value_name = "SIZE")]
    spill_limit: Option<Size>,
}

/// What stays on the device.
#[derive(Debug, Args)]
#[command(next_help_heading = "Offloading")]
struct OffloadArguments {
    /// What stays on the device: none (everything: over the limit is an error), model (whole
    /// models, one by one), sequential (only what the running operation uses), balanced
    /// (everything up to a watermark), planned (what is needed soonest; the default).
    #[arg(long, value_name = "MODE")]
    offload: Option<OffloadModeName>,

    /// For a device that is much too small: --offload sequential.
    #[arg(long, conflicts_with_all = ["offload", "medvram"])]
    lowvram: bool,

    /// For a device that is too small: --offload balanced --low-watermark 0.
    #[arg(long, conflicts_with_all = ["offload", "low_watermark"])]
    medvram: bool,

    /// Where balanced begins to evict: a part of the device (0.75, 75%) or a size. By default
    /// 75%.
    #[arg(long, value_name = "MARK")]
    high_watermark: Option<Watermark>,

    /// How far balanced evicts. By default 20%, and 0 on devices of 12 GiB or less.
    #[arg(long, value_name = "MARK")]
    low_watermark: Option<Watermark>,

    /// A model that leaves the device as soon as it was used: its role (model, refiner, clip,
    /// vae) or the name of its file. Can be repeated.
    #[arg(long, value_name = "NAME")]
    offload_always: Vec<String>,

    /// A model that leaves only when an operation could not run otherwise. Can be repeated.
    #[arg(long, value_name = "NAME")]
    offload_never: Vec<String>,

    /// What goes to the host's memory when another's turn comes: base-for-refiner,
    /// base-for-vae, refiner-when-idle. Can be repeated.
    #[arg(long = "move", value_name = "RULE")]
    moves: Vec<Move>,

    /// A model whose file's name contains this is a refiner; by default `refiner`. Can be
    /// repeated.
    #[arg(long, value_name = "LABEL")]
    refiner: Vec<String>,
}

/// What becomes of nodes' outputs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results of nodes")]
struct ResultArguments {
    /// When outputs of nodes are let go: 0 (never), 1 (those that no link refers to, at once),
    /// 2 (each after its last use), demote (kept while that costs nothing; the default).
    #[arg(long, value_name = "LEVEL")]
    release: Option<Release>,
}

/// What plugins may do.
#[derive(Debug, Args)]
#[command(next_help_heading = "Plugins")]
struct PluginArguments {
    /// The most that one plugin may take on the device. Can be repeated.
    #[arg(long, value_name = "PLUGIN=SIZE", value_parser = quota)]
    quota: Vec<(String, Size)>,

    /// Give a plugin a right that it requests: memory, clock, randomness, models:CATEGORY/LABEL,
    /// read:LABEL[=DIR], write:LABEL[=DIR], network:HOST:PORT, environment:NAME. Can be repeated.
    #[arg(long, value_name = "PLUGIN=RIGHT", value_parser = grant)]
    grant: Vec<(String, Grant)>,
}

impl MemoryArguments {
    /// The arguments as a configuration.
    pub(crate) fn config(self) -> Config {
        let Self { limits, offload, results, plugins } = self;
        let (mode, low) = match (offload.lowvram, offload.medvram) {
            (true, _) => (Some(OffloadModeName::Sequential), offload.low_watermark),
            (_, true) => (Some(OffloadModeName::Balanced), Some(Watermark(Amount::Bytes(0)))),
            _ => (offload.offload, offload.low_watermark),
        };
        let mut config = Config::default();
        for (name, size) in plugins.quota {
            config.plugins.entry(name).or_default().quota = Some(size);
        }
        add_grants(&mut config, plugins.grant);
        config.memory = MemoryConfig {
            vram: limits.vram,
            reserve_vram: limits.reserve_vram,
            dram: limits.dram,
            ram_headroom: limits.ram_headroom,
            offload: mode,
            high_watermark: offload.high_watermark,
            low_watermark: low,
            offload_always: offload.offload_always,
            offload_never: offload.offload_never,
            moves: offload.moves,
            refiner: offload.refiner,
            spill_dir: limits.spill_dir,
            spill_limit: limits.spill_limit,
            release: results.release,
        };
        config
    }
}

/// Where things are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub(crate) struct FolderArguments {
    /// The configuration; arguments win over it. By default ./berth.toml, if it exists.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// A folder of models, with ComfyUI's subfolders: checkpoints, vae, clip, loras, embeddings.
    /// Can be repeated. By default ./models, if it exists.
    #[arg(long, value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,

    /// A folder of plugins, beside the stock ones: *.wasm, and folders with a component and its
    /// plugin.toml; each is named after its file or folder. Can be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) plugins: Vec<PathBuf>,

    /// The folder that nodes read files from.
    #[arg(long, value_name = "DIR", default_value = "input")]
    pub(crate) input: PathBuf,

    /// The folder that nodes write files to.
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub(crate) output: PathBuf,
}

fn quota(text: &str) -> Result<(String, Size), String> {
    let wrong = "a quota is a plugin and a size, such as stable-diffusion=2GiB";
    let (plugin, size) = pair(text).ok_or(wrong)?;
    Ok((plugin, Size::positive(size).map_err(|error| error.to_string())?))
}

fn grant(text: &str) -> Result<(String, Grant), String> {
    let wrong = "a grant is a plugin and a right, such as tidy=memory";
    let (plugin, right) = pair(text).ok_or(wrong)?;
    Ok((plugin, right.parse::<Grant>().map_err(|error| error.to_string())?))
}

/// What stands before and after the first `=`, if something does.
fn pair(text: &str) -> Option<(String, &str)> {
    let (name, value) = text.split_once('=')?;
    (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value))
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

    fn config(arguments: &[&str]) -> Result<Config, clap::Error> {
        let all = [&["berth", "run", "w.json"], arguments].concat();
        Arguments::try_parse_from(all).map(|parsed| match parsed.command {
            Command::Run(run) => run.memory.config(),
            _ => Config::default(),
        })
    }

    #[test]
    fn presets_are_modes_with_their_watermark() {
        let mode = |arguments: &[&str]| {
            let memory = config(arguments).unwrap().memory;
            (memory.offload, memory.low_watermark)
        };
        assert_eq!(mode(&[]), (None, None));
        assert_eq!(mode(&["--lowvram"]), (Some(OffloadModeName::Sequential), None));
        let nothing = Some(Watermark(Amount::Bytes(0)));
        assert_eq!(mode(&["--medvram"]), (Some(OffloadModeName::Balanced), nothing));
        for both in [
            &["--lowvram", "--medvram"][..],
            &["--lowvram", "--offload", "none"],
            &["--medvram", "--offload", "balanced"],
            &["--medvram", "--low-watermark", "0"],
        ] {
            assert!(config(both).is_err(), "{both:?}");
        }
    }

    #[test]
    fn what_is_said_of_a_plugin_comes_together() {
        let arguments = ["--quota", "a=1GiB", "--grant", "a=memory", "--grant", "b=memory"];
        let plugins = config(&arguments).unwrap().plugins;
        assert_eq!(plugins["a"].quota, Some(Size(1 << 30)));
        assert!(plugins["a"].grants.memory && plugins["b"].quota.is_none());
    }

    #[test]
    fn quotas_and_assignments_are_told_apart_from_mistakes() {
        assert_eq!(quota("sd=1kB"), Ok(("sd".into(), Size(1000))));
        for text in ["", "sd", "sd=", "=1GB", "sd=x", "sd=0"] {
            assert!(quota(text).is_err(), "{text}");
        }
        for text in ["a", "a=", "=memory", "a=network"] {
            assert!(grant(text).is_err(), "{text}");
        }
        let set = |text| assignment(text).unwrap();
        assert_eq!(set("6.text=a=b"), ("6.text".into(), "a=b".into()));
        assert_eq!(set("6.text="), ("6.text".into(), String::new()));
        assert!(assignment("6.text").is_err());
    }
}

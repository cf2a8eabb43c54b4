//! `berth`: runs workflows from a command line.
//!
//! It turns arguments into settings, events into lines or bars, and errors into advice. What a
//! server would need as well is in `berth-workflow`.

mod allocator;
mod args;
mod compiler;
mod denials;
mod error;
mod inspect;
mod log;
mod manifest;
mod nodes;
mod output;
mod plan;
mod plugin;
mod progress;
mod run;
mod seeing;
mod settings;
mod table;
mod validate;
mod view;

use std::process::ExitCode;

use clap::Parser;
use indicatif::MultiProgress;

use crate::args::{Arguments, Command, PluginCommand};
use crate::error::CliError;

fn main() -> ExitCode {
    if let Some(end) = compiler::serve() {
        return end;
    }
    let arguments = Arguments::parse();
    match arguments.command {
        Command::Plan(_) => allocator::give_back_freed_pages(),
        _ => allocator::keep_freed_pages(),
    }
    let bars = MultiProgress::new();
    let done = log::start(arguments.log.as_deref(), arguments.audit.as_deref(), &bars);
    let done = done.and_then(|()| match arguments.command {
        Command::Run(run) => run::run(*run, bars),
        Command::Plan(plan) => plan::plan(*plan),
        Command::Nodes(nodes) => nodes::nodes(nodes),
        Command::Plugin(command) => match command {
            PluginCommand::New(new) => plugin::new::run(new),
            PluginCommand::Build(build) => plugin::build::run(build),
            PluginCommand::Check(check) => plugin::check::run(check),
            PluginCommand::Run(run) => plugin::one::run(*run, bars),
            PluginCommand::Watch(watch) => plugin::watch::run(*watch),
            PluginCommand::Pack(pack) => plugin::pack::run(pack),
            PluginCommand::Publish(publish) => plugin::publish::run(publish),
            PluginCommand::Install(install) => plugin::install::run(install),
            PluginCommand::Inspect(inspect) => inspect::inspect(inspect),
            PluginCommand::Manifest(manifest) => manifest::check(manifest),
            PluginCommand::Schema => manifest::schema(),
        },
        Command::Test(test) => plugin::test::run(test, bars),
        Command::Validate(validate) => validate::validate(validate),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(CliError::Run(berth_workflow::RunError::Interrupted)) => {
            ExitCode::from(error::INTERRUPTED)
        }
        Err(error) => {
            let code = error.exit_code();
            error.tell();
            ExitCode::from(code)
        }
    }
}

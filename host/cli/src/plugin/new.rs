//! `berth plugin new`: a project that builds as it is.

use std::path::PathBuf;

use berth_authoring::{create, languages, quoted};
use clap::Args;

use crate::error::CliError;
use crate::output::line;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the plugin is called: lower-case letters, digits and dashes.
    pub(crate) name: String,

    /// The language to write it in.
    #[arg(long, value_name = "LANGUAGE", long_help = format!("The language to write it in: {}.", languages().join(", ")))]
    pub(crate) lang: String,

    /// The folder to make. By default one with the plugin's name.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), CliError> {
    let Arguments { name, lang, path } = arguments;
    let folder = path.unwrap_or_else(|| PathBuf::from(&name));
    let (project, missing) = create(&folder, &name, &lang)?;
    let shown = folder.display();
    line(format_args!("made {shown}: a plugin in {}", project.language()))?;
    let mut commands: Vec<String> = missing.iter().filter_map(|tool| tool.command()).collect();
    commands.dedup();
    if !commands.is_empty() {
        line("\nits tools are not installed yet:")?;
    }
    for command in commands {
        line(format_args!("      {command}"))?;
    }
    line(format_args!(
        "\nnext: cd {}\n      berth plugin build\n      berth test\n      berth plugin run Negative --input image=photo.png",
        quoted(&shown.to_string())
    ))?;
    Ok(())
}

//! Programs run from a build script, and the cargo among them.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::workspace::Workspace;
use crate::{Error, PROFILE, TARGET};

/// Variables by which the outer cargo, or what runs it, steers its own compiler. They are for
/// that target and that profile, or would lint and instrument the plugins.
const STEERING: [&str; 8] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "CLIPPY_ARGS",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// Takes from a command what steers the outer cargo.
pub fn clear(command: &mut Command) {
    let profiles = env::vars_os().map(|(name, _)| name);
    let profiles = profiles.filter(|name| name.to_string_lossy().starts_with("CARGO_PROFILE_"));
    for name in profiles.chain(STEERING.map(Into::into)) {
        command.env_remove(name);
    }
}

/// What a command prints. Its messages go where the build script's go: cargo shows
/// them when the script fails.
pub fn run(command: &mut Command) -> Result<Vec<u8>, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| Error::Start { program: program.clone(), source })?;
    if done.status.success() {
        return Ok(done.stdout);
    }
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    let words: Vec<_> = [program.into()].into_iter().chain(arguments).collect();
    Err(Error::Failed { command: words.join(" ") })
}

/// The components of these packages, in their order.
pub fn build(workspace: &Workspace, packages: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    clear(&mut command);
    command
        .current_dir(workspace.root())
        .args(["build", "--profile", PROFILE, "--target", TARGET, "--lib"])
        .args(["--message-format", "json-render-diagnostics", "--target-dir"])
        .arg(workspace.target())
        .args(packages.iter().flat_map(|package| ["--package", package]));
    let messages = run(&mut command)?;
    let messages = String::from_utf8_lossy(&messages);
    packages
        .iter()
        .map(|package| {
            component(&messages, package)?
                .ok_or_else(|| Error::NoComponent { package: (*package).into() })
        })
        .collect()
}

/// A line of what cargo prints, as far as it matters.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    target: Target,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Target {
    name: String,
}

/// The component that cargo says it made of a package.
fn component(messages: &str, package: &str) -> Result<Option<PathBuf>, Error> {
    let crate_name = package.replace('-', "_");
    for line in messages.lines() {
        let message: Message = serde_json::from_str(line)
            .map_err(|source| Error::Output { program: "cargo build".into(), source })?;
        let is_component = |path: &&PathBuf| path.extension().is_some_and(|it| it == "wasm");
        if message.reason == "compiler-artifact" && message.target.name == crate_name {
            return Ok(message.filenames.iter().find(is_component).cloned());
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGES: &str = r#"{"reason":"compiler-artifact","target":{"name":"berth_sdk"},"filenames":["/t/libberth_sdk.rlib"]}
{"reason":"compiler-artifact","target":{"name":"berth_plugin_image"},"filenames":["/t/image.wasm","/t/libimage.rlib"]}
{"reason":"build-finished","success":true}"#;

    #[test]
    fn a_package_s_component_is_found_among_what_cargo_made() {
        let found = component(MESSAGES, "berth-plugin-image").unwrap();
        assert_eq!(found, Some("/t/image.wasm".into()));
        assert_eq!(component(MESSAGES, "berth-sdk").unwrap(), None);
    }

    #[test]
    fn what_cargo_never_prints_is_an_error() {
        assert!(matches!(component("warning: x", "a"), Err(Error::Output { .. })));
    }

    #[test]
    fn what_steers_the_outer_cargo_does_not_reach_the_nested_one() {
        let mut command = Command::new("env");
        clear(&mut command);
        let removed: Vec<_> = command.get_envs().filter(|(_, value)| value.is_none()).collect();
        assert_eq!(removed.len(), STEERING.len());
    }

    #[test]
    fn a_failed_command_is_shown_whole() {
        let error = run(Command::new("false").arg("--now")).unwrap_err();
        assert_eq!(error.to_string(), "`false --now` failed; its own messages are above");
    }
}

//! The workspace around a build script: where it is, and what a plugin is made of.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::{Error, nested};

/// What `cargo metadata` says of a workspace.
#[derive(Deserialize)]
pub struct Workspace {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing.
    kind: Option<String>,
    /// Where it is, unless it comes from a registry.
    path: Option<PathBuf>,
}

impl Workspace {
    /// The workspace that a folder is part of.
    pub fn around(folder: &Path) -> Result<Self, Error> {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        nested::clear(&mut command);
        command.current_dir(folder).args(["metadata", "--format-version", "1", "--no-deps"]);
        let printed = nested::run(&mut command)?;
        serde_json::from_slice(&printed)
            .map_err(|source| Error::Output { program: "cargo metadata".into(), source })
    }

    /// Where its manifest is.
    pub fn root(&self) -> &Path {
        &self.workspace_root
    }

    /// The target folder of the nested cargo.
    pub fn target(&self) -> PathBuf {
        self.target_directory.join("components")
    }

    /// What the components of these packages depend on: the folders of the packages and of
    /// the workspace's crates below them, the contract, and what all of the workspace shares.
    pub fn watched(&self, packages: &[&str]) -> Result<BTreeSet<PathBuf>, Error> {
        let shared = ["wit", "Cargo.toml", "Cargo.lock"];
        let mut paths: BTreeSet<_> = shared.map(|name| self.workspace_root.join(name)).into();
        let mut names: Vec<&str> = packages.to_vec();
        while let Some(name) = names.pop() {
            let package = self.package(name)?;
            let folder = package.manifest_path.parent().unwrap_or(&self.workspace_root);
            if paths.insert(folder.into()) {
                let below = package
                    .dependencies
                    .iter()
                    .filter(|below| below.path.is_some() && below.kind.as_deref() != Some("dev"));
                names.extend(below.map(|below| below.name.as_str()));
            }
        }
        Ok(paths)
    }

    fn package(&self, name: &str) -> Result<&Package, Error> {
        self.packages.iter().find(|package| package.name == name).ok_or_else(|| {
            Error::UnknownPackage { package: name.into(), root: self.workspace_root.clone() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> Workspace {
        Workspace::around(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    #[test]
    fn a_plugin_s_crates_and_the_contract_are_watched() {
        let workspace = here();
        let watched = workspace.watched(&["berth-plugin-image"]).unwrap();
        let relative: Vec<_> =
            watched.iter().filter_map(|path| path.strip_prefix(workspace.root()).ok()).collect();
        for path in ["wit", "plugins/image", "plugin-sdk/rust", "plugin-sdk/rust/macros"] {
            assert!(relative.contains(&Path::new(path)), "{path} is not among {relative:?}");
        }
        assert!(!relative.contains(&Path::new("plugins/latent")));
    }

    #[test]
    fn an_unknown_package_is_named() {
        let error = here().watched(&["berth-plugin-nothing"]).unwrap_err();
        assert!(error.to_string().contains("`berth-plugin-nothing`"), "{error}");
    }
}

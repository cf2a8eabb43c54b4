//! What a plugin is and would get, before it is put to use.
//!
//! One that would be refused is looked at as well: what an operator wants to know is why, and
//! what else it asks for. So it is loaded as it would be, and where that fails once more with rights
//! only counted, its name taken for granted and its digest free. No node of it runs.

use std::path::Path;
use std::sync::Arc;

use berth_compute::Compute;
use berth_sandbox::rights::{Denied, MissingKey};
use berth_sandbox::{Digest, Enforcement, Manifest, Plugin, Policy, SandboxError};

use crate::error::WorkflowError;
use crate::host::{Settings, sandbox};
use crate::sources::Source;

/// What is known of a plugin.
#[derive(Debug)]
pub struct Inspected {
    /// Who it would be.
    pub name: String,
    /// Bytes of its component.
    pub size: usize,
    /// Which component it is.
    pub digest: Digest,
    /// What it says of itself.
    pub manifest: Option<Manifest>,
    /// The plugin, if its code can be loaded at all.
    pub plugin: Option<Arc<Plugin>>,
    /// Rights that it needs to be loaded, and does not request.
    pub not_requested: Vec<Denied>,
    /// Why it would be refused, if it would.
    pub refused: Option<WorkflowError>,
}

/// Looks at the plugin at a path: a component, or a folder with one. It goes by the name that
/// the settings give that path or that digest.
///
/// # Errors
/// `PluginFile`, `PluginFolder`, `NotOneComponent`. What is wrong beyond that is part of the answer.
pub fn inspect(settings: &Settings, path: &Path) -> Result<Inspected, WorkflowError> {
    let source = Source::at(path)?;
    let component = source.read()?;
    let digest = Digest::of(&component);
    let name = name(settings, &source, digest);
    let policy = settings.policy(&name);
    let mut inspected = Inspected {
        name: name.clone(),
        size: component.len(),
        digest,
        manifest: None,
        plugin: None,
        not_requested: Vec::new(),
        refused: None,
    };
    match found(&source, &name, &component) {
        Ok(manifest) => inspected.manifest = manifest,
        Err(error) => {
            inspected.refused = Some(error);
            return Ok(inspected);
        }
    }
    let load = |manifest, enforcement, policy: &Policy| {
        let settings = Settings { enforcement, ..settings.clone() };
        let sandbox = sandbox(&settings, Compute::rehearsal)?;
        let plugin = sandbox.load(&name, &component, manifest, policy)?;
        Ok::<_, SandboxError>((plugin, sandbox.denials().counted()))
    };
    match load(inspected.manifest.clone(), Enforcement::Enforce, &policy) {
        Ok((plugin, _)) => inspected.plugin = Some(plugin),
        Err(error) => {
            inspected.refused = Some(error.into());
            let renamed = inspected.manifest.clone();
            let renamed = renamed.map(|manifest| Manifest { name: name.clone(), ..manifest });
            let free = Policy { digest: None, ..policy };
            if let Ok((plugin, denied)) = load(renamed, Enforcement::Count, &free) {
                let denied = denied.into_iter().map(|(_, denied, _)| denied);
                let missing = |denied: &Denied| denied.missing == MissingKey::Request;
                inspected.not_requested = denied.filter(missing).collect();
                inspected.plugin = Some(plugin);
            }
        }
    }
    Ok(inspected)
}

/// The name that the operator gave it, else its own.
fn name(settings: &Settings, source: &Source, digest: Digest) -> String {
    let same = |other: &Path| {
        let other = Source::at(other).map(|other| other.component.canonicalize());
        matches!((other, source.component.canonicalize()), (Ok(Ok(a)), Ok(b)) if a == b)
    };
    let decided = || settings.decided.iter();
    let by_path = decided().find(|(_, decided)| decided.path.as_deref().is_some_and(same));
    let by_digest = || {
        decided()
            .find(|(_, decided)| decided.path.is_none() && decided.policy.digest == Some(digest))
    };
    by_path.or_else(by_digest).map_or_else(|| source.name.clone(), |(name, _)| name.clone())
}

/// The manifest beside the component, else that inside of it.
fn found(source: &Source, name: &str, component: &[u8]) -> Result<Option<Manifest>, WorkflowError> {
    if let Some(manifest) = source.manifest()? {
        return Ok(Some(manifest));
    }
    Ok(Manifest::embedded(name, component)?)
}

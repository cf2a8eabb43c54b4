//! From a component's bytes to a plugin, or to the reason why not.
//!
//! Who it is, is settled here and by the host alone: the name that the operator knows it by, and
//! the digest of its bytes. One name means one component, and one component has one name, so
//! that no plugin gets a second quota or another's.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, Weak};

use berth_memory::Cancel;
use wasmtime::component::Linker;

use crate::audit::Subject;
use crate::compile::check_bytes;
use crate::contract;
use crate::engine::Sandbox;
use crate::error::{GuestError, SandboxError};
use crate::events::NodeEvents;
use crate::imports::{self, bindings::MemoryNodePre};
use crate::manifest::Manifest;
use crate::plugin::{Plugin, RunContext};
use crate::policy::{Digest, Enforcement, Policy};
use crate::rights::{Denied, MissingKey, Rights};
use crate::slots::Slots;

/// The plugins of a sandbox. One that was loaded twice is there twice: either may go first.
pub(crate) type Loaded = Vec<Weak<Plugin>>;

impl Sandbox {
    /// Compiles a component, checks who it is and what it imports, and asks what it provides.
    ///
    /// `name` is who it is from now on: what it says of itself plays no part. `manifest` is what
    /// lies beside it; without one, what is inside of the component counts. `policy` is what the
    /// operator lets it do: a component that imports more is refused.
    ///
    /// # Errors
    /// Anything that is wrong with it, by name.
    pub fn load(
        self: &Arc<Self>,
        name: &str,
        component: &[u8],
        manifest: Option<Manifest>,
        policy: &Policy,
    ) -> Result<Arc<Plugin>, SandboxError> {
        self.load_instead(None, name, component, manifest, policy)
    }

    /// Loads a component beside a plugin of the same name that it is to replace, if there is one.
    /// Runs of the old one go on with its own code, and both are charged to their name. Whoever
    /// puts the new one to use calls [`Sandbox::retire`] with the old one.
    ///
    /// # Errors
    /// As [`Sandbox::load`].
    pub fn load_instead(
        self: &Arc<Self>,
        old: Option<&Plugin>,
        name: &str,
        component: &[u8],
        manifest: Option<Manifest>,
        policy: &Policy,
    ) -> Result<Arc<Plugin>, SandboxError> {
        let subject = Subject { plugin: name, digest: Digest::of(component) };
        let loaded = self.load_as(subject, old, component, manifest, policy);
        match &loaded {
            Ok(plugin) => {
                subject.loaded();
                for (right, verdict) in plugin.rights().settled() {
                    match verdict {
                        Ok(()) => subject.granted(&right),
                        Err(denied) => subject.denied(&denied, self.denials()),
                    }
                }
            }
            Err(error) => subject.refused(error),
        }
        loaded
    }

    /// A plugin that was replaced has its name no more: other components may take it, though runs of
    /// this one may not have ended.
    pub fn retire(&self, plugin: &Plugin) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.retain(|other| !is(other, Some(plugin)));
    }

    fn load_as(
        self: &Arc<Self>,
        subject: Subject<'_>,
        old: Option<&Plugin>,
        component: &[u8],
        manifest: Option<Manifest>,
        policy: &Policy,
    ) -> Result<Arc<Plugin>, SandboxError> {
        let Subject { plugin: name, digest } = subject;
        if let Some(pinned) = policy.digest.filter(|pinned| *pinned != digest) {
            return Err(SandboxError::WrongDigest { plugin: name.into(), pinned, found: digest });
        }
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        check_identity(&mut known(), subject, old)?;
        let refuse = |reason: String| SandboxError::NotAComponent { plugin: name.into(), reason };
        check_bytes(component).map_err(refuse)?;
        let manifest = match manifest {
            Some(manifest) => Some(manifest),
            None => Manifest::embedded(name, component)?,
        };
        if let Some(other) = manifest.as_ref().filter(|manifest| manifest.name != name) {
            let claims = other.name.clone();
            return Err(SandboxError::WrongName { plugin: name.into(), claims });
        }
        let requests = manifest.as_ref().map(|m| m.requests.clone()).unwrap_or_default();
        let wish = manifest.as_ref().map(|m| m.limits.clone()).unwrap_or_default();
        let rights = Rights::new(requests, policy.grants.clone());
        let limits = policy.limits.at_most(&wish);
        let named = contract::under_todays_names(component).map_err(refuse)?;
        let compiled = self.compile(name, &named)?;
        let kind = compiled.component_type();
        let imports: Vec<String> =
            kind.imports(&self.engine).map(|(import, _)| import.to_owned()).collect();
        self.check_imports(subject, &imports, &rights)?;
        let mut linker = Linker::new(&self.engine);
        imports::add_to_linker(&mut linker).map_err(|error| refuse(format!("{error:#}")))?;
        let pre = linker
            .instantiate_pre(&compiled)
            .and_then(MemoryNodePre::new)
            .map_err(|error| refuse(format!("it does not fit the contract: {error:#}")))?;
        // What a plugin holds stays charged to its name, whichever of its components made it.
        let account = old.filter(|old| old.name == name).map(|old| old.account.clone());
        let account = account.unwrap_or_else(|| self.compute().memory().account(name));
        let plugin = |node_types| {
            Arc::new(Plugin {
                name: name.into(),
                digest,
                hex: digest.to_string(),
                manifest: manifest.clone(),
                imports: imports.clone(),
                node_types,
                account: account.clone(),
                rights: rights.clone(),
                slots: Slots::new(limits.concurrency),
                limits: limits.clone(),
                sandbox: self.clone(),
                pre: pre.clone(),
                guest_memory_peak: AtomicU64::new(0),
                nested: AtomicU64::new(0),
            })
        };
        let context = RunContext::new(Cancel::new(), Arc::new(Silent));
        let unknown = plugin(Vec::new());
        let described = unknown.enter(&context, Some(unknown.check_limit()), |store, node| {
            Ok(Ok::<_, GuestError>(node.berth_node_nodes().call_describe(store)?))
        })?;
        let node_types = imports::node_types(described)
            .map_err(|reason| SandboxError::BadDescription { plugin: name.into(), reason })?;
        let plugin = plugin(node_types);
        let mut loaded = known();
        // Somebody else may have come in meanwhile.
        check_identity(&mut loaded, subject, old)?;
        loaded.push(Arc::downgrade(&plugin));
        Ok(plugin)
    }

    fn check_imports(
        &self,
        subject: Subject<'_>,
        imports: &[String],
        rights: &Rights,
    ) -> Result<(), SandboxError> {
        let plugin = || subject.plugin.to_owned();
        let known = |import: &str| imports::right_for(import).is_some() || imports::is_free(import);
        let mut unknown = imports.iter().map(String::as_str).filter(|i| !known(i)).peekable();
        if unknown.peek().is_some() {
            let imports = crate::text::enumerate(unknown);
            return Err(SandboxError::UnknownImport { plugin: plugin(), imports });
        }
        for right in imports.iter().filter_map(|import| imports::right_for(import)) {
            if let Err(denied) = rights.check(right) {
                subject.denied(&denied, self.denials());
                if self.settings().enforcement == Enforcement::Enforce {
                    return Err(refused(plugin(), denied));
                }
            }
        }
        Ok(())
    }
}

fn is(plugin: &Weak<Plugin>, other: Option<&Plugin>) -> bool {
    other.is_some_and(|other| std::ptr::eq(plugin.as_ptr(), other))
}

/// Whether a name and a component are not taken for something else than what they replace.
fn check_identity(
    loaded: &mut Loaded,
    subject: Subject<'_>,
    old: Option<&Plugin>,
) -> Result<(), SandboxError> {
    let Subject { plugin: name, digest } = subject;
    loaded.retain(|plugin| plugin.strong_count() > 0);
    for plugin in loaded.iter().filter(|plugin| !is(plugin, old)).filter_map(Weak::upgrade) {
        let (same_name, same_bytes) = (plugin.name == name, plugin.digest == digest);
        if same_name && !same_bytes {
            return Err(SandboxError::NameTaken { plugin: name.into() });
        }
        if same_bytes && !same_name {
            let other = plugin.name.clone();
            return Err(SandboxError::LoadedTwice { plugin: name.into(), other });
        }
    }
    Ok(())
}

fn refused(plugin: String, denied: Denied) -> SandboxError {
    let Denied { right, missing } = denied;
    match missing {
        MissingKey::Request => SandboxError::NotRequested { plugin, right },
        MissingKey::Grant => SandboxError::NotGranted { plugin, right },
    }
}

/// Nobody watches.
struct Silent;
impl NodeEvents for Silent {}

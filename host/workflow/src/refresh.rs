//! Plugins that change while a host runs.
//!
//! What is running goes on with the code that it began with: a plan holds its plugins. What is
//! planned afterwards gets the new ones. A plugin that cannot be loaded leaves the old one in its
//! place, since an author who makes a mistake should not stop anybody's work.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use berth_sandbox::{Digest, Manifest, Plugin};

use crate::error::WorkflowError;
use crate::host::{BrokenPlugin, Host, Loaded, load};
use crate::registry::Registry;
use crate::sources::{Source, Sources};

/// What became of a plugin, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// It was not there before, or was broken.
    Added(String),
    /// It has other bytes now.
    Replaced(String),
    /// It is gone.
    Removed(String),
    /// It cannot be loaded, and [`Host::broken`] has why. If it was there before, it still is.
    Broken(String),
}

impl Host {
    /// Looks at the plugin folders again. Gives what is not as it was, component or manifest.
    /// Blocks: plugins are compiled, and one such look waits for another.
    ///
    /// # Errors
    /// `PluginFolder`, `PluginFile` and `NotOneComponent` for what the operator named.
    pub fn refresh(&self) -> Result<Vec<Refreshed>, WorkflowError> {
        let _one = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody waits for a compiler who only asks which plugins there are.
        let known = || self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let mut loaded = known().clone();
        let Sources { found, broken } =
            Sources::find(&self.settings.plugins, &self.settings.decided)?;
        let mut next = Next { registry: Registry::clone(&self.runner.registry()), changes: vec![] };
        // Those that look like no plugin have no name to go by, and are told each time.
        loaded.broken = broken.into_iter().map(Arc::new).collect();
        let is_gone = |plugin: &&Arc<Plugin>| !found.iter().any(|s| s.name == plugin.name());
        let gone: Vec<_> =
            loaded.plugins.iter().skip(self.stock).filter(is_gone).cloned().collect();
        for plugin in gone {
            next.registry.remove(plugin.name());
            self.sandbox.retire(&plugin);
            loaded.plugins.retain(|other| !Arc::ptr_eq(other, &plugin));
            next.changes.push(Refreshed::Removed(plugin.name().to_owned()));
        }
        let mut origins: HashMap<&str, String> = HashMap::new();
        let stock: Vec<_> = loaded.plugins.iter().take(self.stock).cloned().collect();
        origins.extend(stock.iter().map(|plugin| (plugin.name(), "a stock plugin".to_owned())));
        for source in &found {
            let origin = source.component.display().to_string();
            if let Some(first) = origins.get(source.name.as_str()).cloned() {
                let name = source.name.clone();
                let error = WorkflowError::DuplicatePlugin { name, first, second: origin };
                next.breaks(source, &mut loaded, error);
            } else {
                origins.insert(&source.name, origin);
                self.renew(source, &mut loaded, &mut next);
            }
        }
        self.runner.put_registry(next.registry);
        *known() = loaded;
        Ok(next.changes)
    }

    /// Loads a plugin if it is not as it was.
    fn renew(&self, source: &Source, loaded: &mut Loaded, next: &mut Next) {
        let name = source.name.clone();
        let old = loaded.plugins.iter().find(|plugin| plugin.name() == name).cloned();
        if let Some(old) = &old
            && as_it_was(source, old).unwrap_or(false)
        {
            return;
        }
        let plugin = match self.put(source, old.as_ref(), &mut next.registry) {
            Ok(plugin) => plugin,
            Err(error) => {
                if old.is_none() {
                    next.registry.add_broken(&name);
                }
                return next.breaks(source, loaded, error);
            }
        };
        next.registry.mend(&name);
        if let Some(decided) = self.settings.decided.get(&name) {
            decided.share.apply(&self.sandbox, &plugin);
        }
        match loaded.plugins.iter_mut().find(|plugin| plugin.name() == name) {
            Some(known) => {
                *known = plugin;
                next.changes.push(Refreshed::Replaced(name));
            }
            None => {
                loaded.plugins.push(plugin);
                next.changes.push(Refreshed::Added(name));
            }
        }
    }

    /// Loads a plugin, and has workflows find it instead of the old one.
    fn put(
        &self,
        source: &Source,
        old: Option<&Arc<Plugin>>,
        registry: &mut Registry,
    ) -> Result<Arc<Plugin>, WorkflowError> {
        let plugin = load(&self.sandbox, source, &self.settings, old.map(|old| &**old))?;
        if let Some(old) = old {
            registry.remove(old.name());
        }
        let added = registry.add(Arc::new(plugin.clone()));
        match (&added, old) {
            (Ok(()), Some(old)) => self.sandbox.retire(old),
            // It was there, so there is place for it.
            (Err(_), Some(old)) => registry.add(Arc::new(old.clone()))?,
            _ => {}
        }
        added.map(|()| plugin)
    }
}

/// Whether a plugin has the bytes and the manifest that it was loaded with.
fn as_it_was(source: &Source, old: &Plugin) -> Result<bool, WorkflowError> {
    let component = source.read()?;
    if Digest::of(&component).to_string() != old.digest() {
        return Ok(false);
    }
    let manifest = match source.manifest()? {
        Some(manifest) => Some(manifest),
        None => Manifest::embedded(&source.name, &component)?,
    };
    Ok(manifest.as_ref() == old.manifest())
}

/// What workflows find after a refresh, and what became of what.
struct Next {
    registry: Registry,
    changes: Vec<Refreshed>,
}

impl Next {
    fn breaks(&mut self, source: &Source, loaded: &mut Loaded, error: WorkflowError) {
        let (name, path) = (source.name.clone(), source.component.clone());
        loaded.broken.push(Arc::new(BrokenPlugin { name: name.clone(), path, error }));
        self.changes.push(Refreshed::Broken(name));
    }
}

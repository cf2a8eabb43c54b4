//! Plugins that change while a host runs.
//!
//! What is running goes on with the code that it began with: a plan holds its plugins. What is
//! planned afterwards gets the new ones. A plugin that cannot be loaded leaves the old one in its
//! place, since an author who makes a mistake should not stop anybody's work.

use std::sync::Arc;

use berth_sandbox::{Digest, Plugin};

use crate::error::WorkflowError;
use crate::host::{BrokenPlugin, Host, load};
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
    /// Looks at the plugin folders again. Gives what is not as it was. Blocks: plugins are
    /// compiled.
    ///
    /// # Errors
    /// `PluginFolder`, `PluginFile` and `NotOneComponent` for what the operator named.
    pub fn refresh(&mut self) -> Result<Vec<Refreshed>, WorkflowError> {
        let Sources { found, broken } =
            Sources::find(&self.settings.plugins, &self.settings.decided)?;
        // Those that look like no plugin have no name to go by, and are told each time.
        self.broken = broken;
        let mut changes = Vec::new();
        let gone: Vec<String> = self
            .plugins
            .iter()
            .skip(self.stock)
            .map(|plugin| plugin.name().to_owned())
            .filter(|name| !found.iter().any(|source| source.name == *name))
            .collect();
        for name in gone {
            self.runner.registry_mut().remove(&name);
            self.plugins.retain(|plugin| plugin.name() != name);
            changes.push(Refreshed::Removed(name));
        }
        for source in found {
            changes.extend(self.renew(&source));
        }
        Ok(changes)
    }

    /// Loads a plugin if it is not as it was.
    fn renew(&mut self, source: &Source) -> Option<Refreshed> {
        let name = source.name.clone();
        let old = self.plugins.iter().find(|plugin| plugin.name() == name).cloned();
        let digest = source.read().map(|component| Digest::of(&component).to_string());
        if let (Some(old), Ok(digest)) = (&old, &digest)
            && old.digest() == digest
        {
            return None;
        }
        match self.put(source, old.as_ref()) {
            Ok(plugin) => {
                self.runner.registry_mut().mend(&name);
                if let Some(decided) = self.settings.decided.get(&name) {
                    decided.share.apply(&self.sandbox, &plugin);
                }
                let known = self.plugins.iter_mut().find(|plugin| plugin.name() == name);
                match known {
                    Some(known) => {
                        *known = plugin;
                        Some(Refreshed::Replaced(name))
                    }
                    None => {
                        self.plugins.push(plugin);
                        Some(Refreshed::Added(name))
                    }
                }
            }
            Err(error) => {
                if old.is_none() {
                    self.runner.registry_mut().add_broken(&name);
                }
                let path = source.component.clone();
                self.broken.push(BrokenPlugin { name: name.clone(), path, error });
                Some(Refreshed::Broken(name))
            }
        }
    }

    /// Loads a plugin and has workflows find it instead of the old one.
    fn put(
        &mut self,
        source: &Source,
        old: Option<&Arc<Plugin>>,
    ) -> Result<Arc<Plugin>, WorkflowError> {
        let plugin = load(&self.sandbox, source, &self.settings, old.map(|old| &**old))?;
        let registry = self.runner.registry_mut();
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

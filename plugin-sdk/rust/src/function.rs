//! Functions as values: how one plugin lends another its code.

use crate::bindings::berth::node::values;
use crate::{Fields, Result};

/// A function of a plugin with values captured. Whoever holds it can call it, from any
/// plugin; it runs in a fresh instance of the plugin that made it, under that
/// plugin's identity and quota. Cloning it makes a second handle.
#[derive(Debug)]
pub struct Function {
    pub(crate) raw: values::Function,
}

impl Clone for Function {
    fn clone(&self) -> Self {
        self.raw.share().into()
    }
}

impl From<values::Function> for Function {
    fn from(raw: values::Function) -> Self {
        Self { raw }
    }
}

impl Function {
    /// This plugin's own function of that name, one of those listed in [`plugin!`](crate::plugin!).
    ///
    /// # Errors
    /// What the host has no room for.
    pub fn create(name: &str, captures: Fields) -> Result<Self> {
        Ok(values::Function::create(name, captures.into())?.into())
    }

    /// Calls it and waits for what it returns.
    ///
    /// # Errors
    /// The function's own; `Other` when its plugin trapped.
    pub fn call(&self, arguments: Fields) -> Result<Fields> {
        Ok(self.raw.call(arguments.into())?.into())
    }
}

//! Values on wires, as the host holds them.
//!
//! They mirror `value` in `wit/values.wit`. A value owns everything it is made of,
//! so a wire, a cache entry and a captured variable are the same thing: a clone is
//! a few reference counts, and the last one to go frees the memory below it.

use std::collections::HashMap;
use std::sync::Arc;

use berth_compute::{Site, Tensor};
use berth_memory::Account;

use crate::error::SandboxError;
use crate::models::Model;
use crate::plugin::{Plugin, RunContext};

/// One value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A boolean.
    Boolean(bool),
    /// An integer; the contract carries ±(2⁶⁴ − 1).
    Integer(i128),
    /// A floating-point number.
    Number(f64),
    /// A text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A tensor.
    Tensor(Tensor),
    /// An open model file.
    Model(Arc<Model>),
    /// A function with captured values.
    Function(Arc<FunctionValue>),
    /// Named values under a type name.
    Object(Arc<Object>),
    /// Values in order.
    Items(Arc<List>),
}

/// Named values under a type name.
#[derive(Debug)]
pub struct Object {
    /// The type, such as `LATENT`.
    pub type_name: String,
    /// The fields, in the order they were given.
    pub fields: Vec<(String, Value)>,
    pub(crate) depth: u32,
}

impl Object {
    /// Bytes that its names and fields take, without what lies in them.
    pub(crate) fn size(&self) -> usize {
        let field = size_of::<(String, Value)>();
        let names = self.fields.iter().map(|(name, _)| name.len().saturating_add(field));
        names.fold(self.type_name.len(), usize::saturating_add)
    }

    /// These fields under a type name.
    pub fn new(type_name: impl Into<String>, fields: Vec<(String, Value)>) -> Self {
        let depth = around(fields.iter().map(|(_, value)| value));
        let type_name = type_name.into();
        let role = match type_name.as_str() {
            "MODEL" => Some("model"),
            "CLIP" => Some("clip"),
            "VAE" => Some("vae"),
            _ => None,
        };
        if let Some(role) = role {
            for (_, value) in &fields {
                if let Value::Function(function) = value {
                    function.site.set_role(role);
                }
            }
        }
        Self { type_name, fields, depth }
    }

    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find_map(|(field, value)| (field == name).then_some(value))
    }
}

/// Values in order.
#[derive(Debug)]
pub struct List {
    /// The values.
    pub items: Vec<Value>,
    pub(crate) depth: u32,
}

impl List {
    /// These values.
    pub fn new(items: Vec<Value>) -> Self {
        Self { depth: around(&items), items }
    }
}

/// How deep something is that holds these values.
fn around<'a>(values: impl IntoIterator<Item = &'a Value>) -> u32 {
    values.into_iter().map(Value::depth).max().unwrap_or(0).saturating_add(1)
}

/// A plugin's function with captured values.
#[derive(Debug)]
pub struct FunctionValue {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) name: String,
    pub(crate) captures: Vec<(String, Value)>,
    /// Where its calls are watched.
    site: Site,
    pub(crate) depth: u32,
}

impl FunctionValue {
    pub(crate) fn new(plugin: Arc<Plugin>, name: String, captures: Vec<(String, Value)>) -> Self {
        let depth = around(captures.iter().map(|(_, value)| value));
        let label = captures.iter().find_map(|(_, value)| match value {
            Value::Model(model) => Some(model.label()),
            _ => None,
        });
        let memory = plugin.sandbox().compute().memory();
        let site = memory.site(plugin.account(), label.unwrap_or_default());
        Self { plugin, name, captures, site, depth }
    }

    /// The plugin that made it, and runs it.
    pub fn plugin(&self) -> &Arc<Plugin> {
        &self.plugin
    }

    /// The function's name in its plugin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The captured values.
    pub fn captures(&self) -> &[(String, Value)] {
        &self.captures
    }

    /// Where its calls are watched.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Calls the function in a fresh instance of its plugin, and waits for it.
    ///
    /// # Errors
    /// What the plugin returns or does wrong.
    pub fn call(
        &self,
        arguments: Vec<(String, Value)>,
        context: &RunContext,
    ) -> Result<Vec<(String, Value)>, SandboxError> {
        let context = context.within(self.site.call());
        self.plugin.call(&self.name, self.captures.clone(), arguments, &context)
    }
}

impl Value {
    /// The value with every tensor and model in it charged to `account` as well.
    /// Functions keep what they captured under their own plugin's account.
    ///
    /// Also gives the bytes of the host's that were copied for it, beside texts and tensors.
    pub(crate) fn for_account(&self, account: &Account) -> (Self, usize) {
        let mut done = HashMap::new();
        let value = self.charged(account, &mut done);
        let copied = done.values().fold(0_usize, |sum, value| sum.saturating_add(value.size()));
        (value, copied)
    }

    /// Bytes that an object or a list takes itself, without what lies in it.
    fn size(&self) -> usize {
        match self {
            Self::Object(object) => object.size(),
            Self::Items(list) => list.items.len().saturating_mul(size_of::<Self>()),
            _ => 0,
        }
    }

    /// `done` has the objects and lists that were charged before, by address: one that lies in
    /// the value more than once is rebuilt once, since there may be more paths through it than
    /// anybody can walk.
    fn charged(&self, account: &Account, done: &mut HashMap<usize, Self>) -> Self {
        let (address, value) = match self {
            Self::Tensor(tensor) => return Self::Tensor(tensor.for_account(account)),
            Self::Model(model) => return Self::Model(model.for_account(account)),
            Self::Object(object) => {
                let address = Arc::as_ptr(object).addr();
                if let Some(value) = done.get(&address) {
                    return value.clone();
                }
                let fields = object.fields.iter();
                let charged = fields.map(|(name, v)| (name.clone(), v.charged(account, done)));
                let object = Object::new(&*object.type_name, charged.collect());
                (address, Self::Object(Arc::new(object)))
            }
            Self::Items(list) => {
                let address = Arc::as_ptr(list).addr();
                if let Some(value) = done.get(&address) {
                    return value.clone();
                }
                let charged = list.items.iter().map(|item| item.charged(account, done));
                (address, Self::Items(Arc::new(List::new(charged.collect()))))
            }
            other => return other.clone(),
        };
        done.insert(address, value.clone());
        value
    }

    /// How many objects, lists and functions lie inside of one another here.
    fn depth(&self) -> u32 {
        match self {
            Self::Function(function) => function.depth,
            Self::Object(object) => object.depth,
            Self::Items(list) => list.depth,
            _ => 0,
        }
    }

    /// What kind of value it is, in the contract's words.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Number(_) => "number",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::Tensor(_) => "tensor",
            Self::Model(_) => "model",
            Self::Function(_) => "function",
            Self::Object(_) => "object",
            Self::Items(_) => "items",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::walk::testing::{memory_of, tensor};

    /// A plugin could stop the host for ever with a few lists in one another.
    #[test]
    fn a_value_with_more_paths_than_atoms_is_charged_at_once() {
        let compute = memory_of(1 << 20);
        let mut value = tensor(&compute, "a", &[1.]);
        for _ in 0..64 {
            value = Value::Items(Arc::new(List::new(vec![value.clone(), value])));
        }
        let (charged, copied) = value.for_account(&compute.memory().account("b"));
        assert!(copied > 0);
        let Value::Items(list) = &charged else { panic!("a list") };
        let [Value::Items(a), Value::Items(b)] = &list.items[..] else { panic!("two lists") };
        assert!(Arc::ptr_eq(a, b));
        assert_eq!(charged.bytes(), 4);
    }
}

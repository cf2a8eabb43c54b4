//! What a value reaches: the allocations that are moved when somebody says "this model".
//!
//! A model on a wire is a function that captured a file, and the three wires of one
//! checkpoint captured the same one. So a file's weights are more than a wire means: where a
//! function was called before, the weights that its calls used count instead.

use std::collections::HashSet;
use std::sync::Arc;

use berth_compute::{CpuDevice, Tensor};
use berth_memory::AllocationId;

use crate::models::Model;
use crate::value::{FunctionValue, Value};

type Handle = berth_memory::Handle<CpuDevice>;

/// Which of a model file's weights count.
#[derive(Clone, Copy)]
pub(crate) enum Weights {
    /// Those that were asked for at least once.
    Loaded,
    /// All, also those that no call has asked for yet.
    All,
}

/// The allocations that a value reaches, each once.
pub(crate) fn handles(value: &Value, weights: Weights) -> Vec<Handle> {
    let mut walk = Walk { weights, seen: HashSet::new(), handles: Vec::new(), models: Vec::new() };
    walk.value(value);
    let Walk { handles, models, .. } = walk;
    let of_models = weights_of(&models, weights).into_iter().map(|tensor| tensor.handle().clone());
    let mut known: HashSet<AllocationId> = HashSet::new();
    handles.into_iter().chain(of_models).filter(|handle| known.insert(handle.id())).collect()
}

fn weights_of(models: &[Arc<Model>], weights: Weights) -> Vec<Tensor> {
    match weights {
        Weights::Loaded => models.iter().flat_map(|model| model.loaded().cloned()).collect(),
        // A weight that cannot be had cannot be moved either.
        Weights::All => {
            let all = |model: &Arc<Model>| -> Vec<Tensor> {
                model.keys().filter_map(|key| model.weight(key).ok()).collect()
            };
            models.iter().flat_map(all).collect()
        }
    }
}

/// Everything in a value, and in what its functions captured.
struct Walk {
    weights: Weights,
    /// Objects, lists, functions and models that were seen: values share them, and a walk of
    /// every path could take for ever.
    seen: HashSet<*const ()>,
    handles: Vec<Handle>,
    models: Vec<Arc<Model>>,
}

impl Walk {
    /// Values lie at most as deep in one another as `imports::values` allows.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Tensor(tensor) => self.handles.push(tensor.handle().clone()),
            Value::Model(model) if self.is_new(model) => self.models.push(model.clone()),
            Value::Function(function) if self.is_new(function) => self.function(function),
            Value::Object(object) if self.is_new(object) => self.named(&object.fields),
            Value::Items(list) if self.is_new(list) => {
                list.items.iter().for_each(|item| self.value(item));
            }
            _ => {}
        }
    }

    fn function(&mut self, function: &FunctionValue) {
        let used = match self.weights {
            Weights::Loaded => function.site().weights(),
            Weights::All => Vec::new(),
        };
        let knows = !used.is_empty();
        self.handles.extend(used);
        for (_, value) in function.captures() {
            if !(knows && matches!(value, Value::Model(_))) {
                self.value(value);
            }
        }
    }

    fn named(&mut self, values: &[(String, Value)]) {
        values.iter().for_each(|(_, value)| self.value(value));
    }

    fn is_new<T>(&mut self, shared: &Arc<T>) -> bool {
        self.seen.insert(Arc::as_ptr(shared).cast())
    }
}

//! What a value reaches: the tensors that are moved when somebody says "this model".
//!
//! A model on a wire is a function that captured a file, and the three wires of one
//! checkpoint captured the same one. So a file's weights are more than a wire means, and
//! `of_function` is the one place that decides what a function stands for.

use std::collections::HashSet;
use std::sync::Arc;

use berth_compute::Tensor;
use berth_memory::AllocationId;

use crate::models::Model;
use crate::value::{FunctionValue, Value};

/// Which of a model file's weights count.
#[derive(Clone, Copy)]
pub(crate) enum Weights {
    /// Those that were asked for at least once.
    Loaded,
    /// All, also those that no call has asked for yet.
    All,
}

/// The tensors that a value reaches, each allocation once.
pub(crate) fn tensors(value: &Value, weights: Weights) -> Vec<Tensor> {
    let mut walk = Walk { weights, seen: HashSet::new(), known: HashSet::new(), found: Vec::new() };
    walk.value(value);
    walk.found
}

struct Walk {
    weights: Weights,
    /// Objects, lists, functions and models that were walked: values share them, and a walk of
    /// every path could take for ever.
    seen: HashSet<*const ()>,
    known: HashSet<AllocationId>,
    found: Vec<Tensor>,
}

impl Walk {
    /// Values lie at most as deep in one another as `imports::values` allows.
    fn value(&mut self, value: &Value) {
        match value {
            Value::Tensor(tensor) => self.add(tensor),
            Value::Model(model) if self.is_new(model) => self.model(model),
            Value::Function(function) if self.is_new(function) => self.of_function(function),
            Value::Object(object) if self.is_new(object) => {
                object.fields.iter().for_each(|(_, field)| self.value(field));
            }
            Value::Items(list) if self.is_new(list) => {
                list.items.iter().for_each(|item| self.value(item));
            }
            _ => {}
        }
    }

    /// What a function needs to run: everything that it captured.
    fn of_function(&mut self, function: &FunctionValue) {
        function.captures().iter().for_each(|(_, captured)| self.value(captured));
    }

    fn model(&mut self, model: &Model) {
        match self.weights {
            Weights::Loaded => model.loaded().for_each(|weight| self.add(weight)),
            // A weight that cannot be had cannot be moved either.
            Weights::All => {
                let weights = model.keys().filter_map(|key| model.weight(key).ok());
                weights.for_each(|weight| self.add(&weight));
            }
        }
    }

    fn add(&mut self, tensor: &Tensor) {
        if self.known.insert(tensor.handle().id()) {
            self.found.push(tensor.clone());
        }
    }

    fn is_new<T>(&mut self, shared: &Arc<T>) -> bool {
        self.seen.insert(Arc::as_ptr(shared).cast())
    }
}

//! What a value reaches: the allocations that are moved when somebody says "this model".
//!
//! A model on a wire is a function that captured a file, and the three wires of one
//! checkpoint captured the same one. So a file's weights are more than a wire means: where any of
//! its functions was called before, the weights that calls used count instead. A function of
//! the same wire that was never called, such as a VAE's `encode`, used nothing.

use std::collections::HashSet;
use std::sync::Arc;

use berth_compute::{CpuDevice, Tensor};
use berth_memory::AllocationId;

use crate::models::Model;
use crate::value::Value;

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
    let (mut handles, mut models, mut functions) =
        (Vec::new(), Vec::<Arc<Model>>::new(), Vec::new());
    value.walk(true, |value| match value {
        Value::Tensor(tensor) => handles.push(tensor.handle().clone()),
        Value::Model(model) if !models.iter().any(|known| Arc::ptr_eq(known, model)) => {
            models.push(model.clone());
        }
        Value::Function(function) => functions.push(function.clone()),
        _ => {}
    });
    let used: Vec<_> = match weights {
        Weights::Loaded => functions.iter().flat_map(|known| known.site().weights()).collect(),
        Weights::All => Vec::new(),
    };
    let of_models = if used.is_empty() { weights_of(&models, weights) } else { Vec::new() };
    handles.extend(used);
    let of_models = of_models.iter().map(|tensor| tensor.handle().clone());
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

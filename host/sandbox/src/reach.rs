//! What a value reaches: the allocations that are moved when somebody says "this model".
//!
//! A model on a wire is a function that captured a file, and the three wires of one
//! checkpoint captured the same one. So a file's weights are more than a wire means: where calls of
//! the wire's functions used some of them, those count. A function of the same wire that was
//! never called, such as a VAE's `encode`, used nothing. A file of which no call of theirs used
//! anything counts as a whole, but for what calls of other wires used: offloading a decoder that
//! did not run yet must not throw out the model that does.

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
    let (mut handles, mut used) = (Vec::new(), Vec::new());
    let mut models = Vec::<&Arc<Model>>::new();
    value.walk(true, |value| match (value, weights) {
        (Value::Tensor(tensor), _) => handles.push(tensor.handle().clone()),
        (Value::Model(model), _) if !models.iter().any(|&known| Arc::ptr_eq(known, model)) => {
            models.push(model);
        }
        (Value::Function(function), Weights::Loaded) => used.extend(function.site().weights()),
        _ => {}
    });
    let in_use: HashSet<AllocationId> = used.iter().map(Handle::id).collect();
    handles.extend(used);
    for model in models {
        let all = weights_of(model, weights);
        if !all.iter().any(|tensor| in_use.contains(&tensor.handle().id())) {
            let all = all.iter().map(Tensor::handle);
            handles.extend(all.filter(|handle| !handle.is_claimed()).cloned());
        }
    }
    let mut known = HashSet::new();
    handles.retain(|handle| known.insert(handle.id()));
    handles
}

fn weights_of(model: &Arc<Model>, weights: Weights) -> Vec<Tensor> {
    match weights {
        Weights::Loaded => model.loaded().cloned().collect(),
        // A weight that cannot be had cannot be moved either.
        Weights::All => model.keys().filter_map(|key| model.weight(key).ok()).collect(),
    }
}

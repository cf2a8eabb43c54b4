//! `models`: model files by label.

use std::sync::Arc;

use berth_compute::Tensor;
use wasmtime::component::Resource;

use super::Returned;
use super::bindings::berth::node::models;
use super::tensors::{dtype, shape};
use crate::models::Model;
use crate::state::State;

impl models::HostModel for State {
    fn open(&mut self, category: String, label: String) -> Returned<Resource<Arc<Model>>> {
        let plugin = self.plugin.clone();
        let sandbox = plugin.sandbox();
        // What is no label needs no right: it is wrong whoever asks.
        let model = sandbox
            .models()
            .check(&category, &label)
            .and_then(|()| plugin.demand_model(&category, &label))
            .and_then(|()| {
                let (compute, account) = (sandbox.compute(), plugin.account());
                sandbox.models().open(&category, &label, compute, account, &self.context.cancel)
            });
        self.give_result(model)
    }

    fn share(&mut self, model: Resource<Arc<Model>>) -> wasmtime::Result<Resource<Arc<Model>>> {
        let shared = self.table.get(&model)?.clone();
        Ok(self.table.push(shared)?)
    }

    fn label(&mut self, model: Resource<Arc<Model>>) -> wasmtime::Result<String> {
        Ok(self.table.get(&model)?.label().into())
    }

    fn metadata(
        &mut self,
        model: Resource<Arc<Model>>,
        name: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&model)?.metadata().get(&name).cloned())
    }

    fn metadata_names(&mut self, model: Resource<Arc<Model>>) -> wasmtime::Result<Vec<String>> {
        Ok(self.table.get(&model)?.metadata().keys().cloned().collect())
    }

    fn keys(&mut self, model: Resource<Arc<Model>>) -> wasmtime::Result<Vec<String>> {
        Ok(self.table.get(&model)?.keys().map(str::to_owned).collect())
    }

    fn info(
        &mut self,
        model: Resource<Arc<Model>>,
        key: String,
    ) -> wasmtime::Result<Option<models::TensorInfo>> {
        Ok(self.table.get(&model)?.info(&key).map(|(stored, sizes)| models::TensorInfo {
            dtype: dtype(stored),
            shape: shape(sizes),
        }))
    }

    fn weight(&mut self, model: Resource<Arc<Model>>, key: String) -> Returned<Resource<Tensor>> {
        let weight = self.table.get(&model)?.weight(&key);
        self.give_result(weight)
    }

    fn drop(&mut self, model: Resource<Arc<Model>>) -> wasmtime::Result<()> {
        self.table.delete(model)?;
        Ok(())
    }
}

impl models::Host for State {
    fn available(&mut self, category: String) -> wasmtime::Result<Vec<String>> {
        let mut labels = self.plugin.sandbox().models().labels(&category);
        labels.retain(|label| self.plugin.may_open(&category, label));
        Ok(labels)
    }
}

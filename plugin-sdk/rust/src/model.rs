//! Model files, by label: what they hold is known at once, and read when it is first used.

use crate::bindings::berth::node::models;
use crate::{DType, Result, Tensor};

/// An open model file. Cloning it makes a second handle.
#[derive(Debug)]
pub struct ModelFile {
    pub(crate) raw: models::Model,
}

impl Clone for ModelFile {
    fn clone(&self) -> Self {
        self.raw.share().into()
    }
}

impl From<models::Model> for ModelFile {
    fn from(raw: models::Model) -> Self {
        Self { raw }
    }
}

impl ModelFile {
    /// Opens a label of a category, such as `checkpoints`, `vae`, `clip` or `loras`.
    /// Reads the file's header, and no weight.
    ///
    /// # Errors
    /// `NotFound`, `AccessDenied`, `InvalidArgument` for a file that is no model.
    pub fn open(category: &str, label: &str) -> Result<Self> {
        Ok(models::Model::open(category, label)?.into())
    }

    /// The labels of a category that this plugin may open, sorted.
    pub fn available(category: &str) -> Vec<String> {
        models::available(category)
    }

    /// The label it was opened by.
    pub fn label(&self) -> String {
        self.raw.label()
    }

    /// One entry of the file's metadata.
    pub fn metadata(&self, name: &str) -> Option<String> {
        self.raw.metadata(name)
    }

    /// The names of the file's metadata.
    pub fn metadata_names(&self) -> Vec<String> {
        self.raw.metadata_names()
    }

    /// The keys of all tensors, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.raw.keys()
    }

    /// Element type and shape of one tensor, without reading it.
    pub fn info(&self, key: &str) -> Option<(DType, Vec<usize>)> {
        let info = self.raw.info(key)?;
        Some((info.dtype.into(), info.shape.into_iter().map(|dim| dim as usize).collect()))
    }

    /// The tensor of a key, by handle. Nothing is read yet.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn weight(&self, key: &str) -> Result<Tensor> {
        Ok(self.raw.weight(key)?.into())
    }
}

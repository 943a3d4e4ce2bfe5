//! A state dict as tensors of a model file.

use grnet_features::model_file::{NamedTensor, Storage, TensorData};

use crate::import::assemble::StateDict;

/// A state dict as the tensors `backbone.*` of a model file. Matrices and kernels are stored as asked for, vectors
/// (batch norms, biases) always in f32: they are 2 % of the size, and a small variance rounded to half precision is
/// not. Classifiers are left out.
pub fn backbone_tensors(dict: StateDict, storage: Storage) -> Vec<NamedTensor> {
    let unused = |name: &str| ["fc.", "_fc.", "classifier.", "aux1.", "aux2."].iter().any(|p| name.starts_with(p));
    dict.into_iter()
        .filter(|(name, _)| !unused(name))
        .map(|(name, (shape, values))| {
            let storage = if shape.len() > 1 { storage } else { Storage::F32 };
            (format!("backbone.{name}"), shape, TensorData::Values(storage, values))
        })
        .collect()
}

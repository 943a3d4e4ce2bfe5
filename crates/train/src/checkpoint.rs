//! What a training needs to go on after it was killed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use grnet_data::DataError;
use grnet_data::output::print::say;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::error::TrainError;
use crate::optimiser::AdamW;
use crate::validate::Validation;

/// Where a training's checkpoint lies: beside the model it writes.
pub fn path(out: &Path) -> PathBuf {
    let mut name = out.to_owned().into_os_string();
    name.push(".checkpoint");
    name.into()
}

/// What is not a tensor.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    /// Digest of what the training is made of; another one's checkpoint is not gone on from.
    training: String,
    /// Steps done.
    step: usize,
    /// Steps that the optimiser counts.
    optimiser: i32,
    /// Every validation so far.
    history: Vec<Validation>,
    /// Images that batches found to be damaged.
    #[serde(default)]
    damaged: Vec<usize>,
}

/// Writes a checkpoint: first under another name, so that a killed run leaves the old one or the new one.
///
/// # Errors
/// The file cannot be written.
pub fn write(
    path: &Path,
    training: &str,
    optimiser: &AdamW,
    best: &[Tensor],
    history: &[Validation],
    damaged: &[usize],
) -> Result<(), TrainError> {
    let facts = Facts {
        training: training.to_owned(),
        step: history.last().map_or(0, |v| v.step),
        optimiser: optimiser.steps,
        history: history.to_vec(),
        damaged: damaged.to_vec(),
    };
    let facts = serde_json::to_vec(&facts).map_err(|e| DataError::io(path)(e.into()))?;
    let mut tensors = vec![("facts".to_owned(), Tensor::f_from_slice(&facts)?)];
    for (parameter, best) in optimiser.parameters.iter().zip(best) {
        let value = parameter.value.detach();
        for (part, tensor) in
            [("now", &value), ("mean", &parameter.mean), ("square", &parameter.square), ("best", best)]
        {
            tensors.push((format!("{part} {}", parameter.name), tensor.f_to_device(tch::Device::Cpu)?.f_contiguous()?));
        }
    }
    let mut unfinished = path.to_owned().into_os_string();
    unfinished.push(".unfinished");
    Tensor::write_safetensors(&tensors, &unfinished)?;
    Ok(std::fs::rename(&unfinished, path).map_err(DataError::io(path))?)
}

/// The best weights so far, all validations, and the images found to be damaged.
pub type Progress = (Vec<Tensor>, Vec<Validation>, Vec<usize>);

/// Puts a checkpoint's state in place; gives what is kept elsewhere. `None` where there is no checkpoint, or
/// one of another training.
///
/// # Errors
/// The file is damaged, or libtorch refuses something.
pub fn read(path: &Path, training: &str, optimiser: &mut AdamW) -> Result<Option<Progress>, TrainError> {
    if !path.is_file() {
        return Ok(None);
    }
    let damaged = |what: &str| DataError::Dataset {
        path: path.to_owned(),
        reason: format!("the checkpoint has no {what}; remove it to begin anew"),
    };
    let mut tensors: HashMap<String, Tensor> =
        Tensor::read_safetensors(path).map_err(|_| damaged("readable tensors"))?.into_iter().collect();
    let facts = tensors.remove("facts").ok_or_else(|| damaged("facts"))?;
    let facts: Facts = serde_json::from_slice(&Vec::<u8>::try_from(facts)?).map_err(|_| damaged("readable facts"))?;
    if facts.training != training {
        say(&format!(
            "{} is of another training (options, images or model differ), at step {}: this one begins anew",
            path.display(),
            facts.step
        ));
        return Ok(None);
    }
    let mut best = Vec::new();
    for parameter in &mut optimiser.parameters {
        let mut part = |part: &str| {
            let name = format!("{part} {}", parameter.name);
            let tensor = tensors.remove(&name).filter(|t| t.size() == parameter.value.size());
            Ok::<_, TrainError>(tensor.ok_or_else(|| damaged(&name))?.f_to_device(parameter.value.device())?)
        };
        let (now, mean, square) = (part("now")?, part("mean")?, part("square")?);
        best.push(part("best")?);
        tch::no_grad(|| parameter.value.copy_(&now));
        (parameter.mean, parameter.square) = (mean, square);
    }
    optimiser.steps = facts.optimiser;
    Ok(Some((best, facts.history, facts.damaged)))
}

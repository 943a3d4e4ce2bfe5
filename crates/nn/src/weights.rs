//! Named tensors of a backbone, with their shapes checked as they are asked for.

use grnet_features::model_file::{ModelFile, NamedTensor, Storage, TensorData};
use tch::Tensor;

use crate::error::NnError;

/// BatchNorm's ε of torchvision's GoogLeNet and of EfficientNet-Lite0 alike.
pub const BATCH_NORM_EPS: f64 = 1e-3;
/// BatchNorm's ε of PyTorch, which torchvision's other networks keep.
pub const TORCHVISION_EPS: f64 = 1e-5;

/// The tensors under `backbone.` of a model file.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'f, 'b> {
    file: &'f ModelFile<'b>,
    eps: f64,
}

impl<'f, 'b> Weights<'f, 'b> {
    /// The backbone's tensors of `file`.
    pub fn new(file: &'f ModelFile<'b>) -> Self {
        Self { file, eps: BATCH_NORM_EPS }
    }

    /// The same tensors, with another ε in the batch norms.
    pub fn with_eps(self, eps: f64) -> Self {
        Self { eps, ..self }
    }

    /// BatchNorm's ε.
    pub fn eps(&self) -> f64 {
        self.eps
    }

    /// The tensor `backbone.{name}` of exactly `shape`, in f32 on the CPU.
    ///
    /// # Errors
    /// Missing, of another shape or type, or not finite; the error names the tensor.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, NnError> {
        read(self.file, &format!("backbone.{name}"), shape)
    }

    /// Weight and bias of a convolution with the batch norm that follows it folded in:
    /// `w' = w·γ/√(σ²+ε)`, `b' = β − μ·γ/√(σ²+ε)`.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub fn folded(&self, conv: &str, norm: &str, shape: [usize; 4]) -> Result<(Tensor, Tensor), NnError> {
        let weight = self.tensor(&format!("{conv}.weight"), &shape)?;
        let part = |name: &str| self.tensor(&format!("{norm}.{name}"), &shape[..1]);
        let scale = part("weight")?.f_div(&part("running_var")?.f_add_scalar(self.eps)?.f_sqrt()?)?;
        let bias = part("bias")?.f_sub(&part("running_mean")?.f_mul(&scale)?)?;
        Ok((weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?, bias))
    }
}

/// A tensor of a model file with exactly `shape`, in f32 on the CPU.
///
/// # Errors
/// As [`ModelFile::shaped`].
pub fn read(file: &ModelFile<'_>, name: &str, shape: &[usize]) -> Result<Tensor, NnError> {
    let values = file.shaped(name, shape)?;
    let size: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    Ok(Tensor::f_from_slice(&values)?.f_view(&size[..])?)
}

/// A tensor by its name in a model file, in f32, to be stored.
///
/// # Errors
/// What libtorch refuses.
pub fn named(name: &str, value: &Tensor) -> Result<NamedTensor, NnError> {
    let shape = value.size().iter().map(|&n| n as usize).collect();
    let value = value.detach().f_to_device(tch::Device::Cpu)?.f_to_kind(tch::Kind::Float)?;
    let values = Vec::<f32>::try_from(value.f_contiguous()?.f_view([-1])?)?;
    Ok((name.to_owned(), shape, TensorData::Values(Storage::F32, values)))
}

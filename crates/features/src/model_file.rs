//! The model file: safetensors, its configuration as JSON under `grnet` in the header's metadata.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use half::f16;
use safetensors::tensor::{Dtype, Metadata, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use crate::config::{Backbone, ModelConfig};
use crate::error::ModelError;

/// The metadata entry that holds the configuration.
const CONFIG_KEY: &str = "grnet";

/// A model's identity: the first 8 bytes of the SHA-256 of its file. Shown as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ModelId(pub [u8; 8]);

impl ModelId {
    /// The id of a model file.
    pub fn of(file: &[u8]) -> Self {
        let digest = Sha256::digest(file);
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        Self(id)
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ModelId {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 {
            return Err("a model id has 16 hexadecimal digits");
        }
        let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8).ok_or("a model id has hexadecimal digits only");
        let mut id = [0; 8];
        for (byte, pair) in id.iter_mut().zip(bytes.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(id))
    }
}

/// A parsed model file, borrowing its bytes.
#[derive(Debug)]
pub struct ModelFile<'a> {
    /// The checked configuration.
    pub config: ModelConfig,
    /// The file's id.
    pub id: ModelId,
    tensors: SafeTensors<'a>,
}

impl<'a> ModelFile<'a> {
    /// Reads header and configuration; weights are read on demand.
    ///
    /// # Errors
    /// [`ModelError`] where the container, the configuration or one of its fields is not acceptable.
    pub fn parse(file: &'a [u8]) -> Result<Self, ModelError> {
        Self::parse_as(file, ModelId::of(file))
    }

    /// The same for an [`excerpt`] of the file with a known id.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_as(file: &'a [u8], id: ModelId) -> Result<Self, ModelError> {
        let container = |e: safetensors::SafeTensorError| ModelError::Container(e.to_string());
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(container)?;
        let entries = metadata.metadata().as_ref().ok_or(ModelError::NoConfig)?;
        let json = entries.get(CONFIG_KEY).ok_or(ModelError::NoConfig)?;
        let config: ModelConfig = serde_json::from_str(json).map_err(|e| ModelError::Json(e.to_string()))?;
        config.check()?;
        let tensors = SafeTensors::deserialize(file).map_err(container)?;
        Ok(Self { config, id, tensors })
    }

    /// Names of all tensors, sorted.
    pub fn tensor_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.tensors.names().into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// Shape and values of an F32 or F16 tensor.
    ///
    /// # Errors
    /// The tensor is missing, of another type, or holds a value that is not finite.
    pub fn tensor(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let view = self.view(name)?;
        let data = view.data();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F16 => data.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            other => {
                return Err(ModelError::Dtype { name: name.to_owned(), got: format!("{other:?}") });
            }
        };
        if values.iter().any(|v| !v.is_finite()) {
            return Err(ModelError::NotFinite(name.to_owned()));
        }
        Ok((view.shape().to_vec(), values))
    }

    /// Values of a tensor that must have `shape`.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor), and [`ModelError::Shape`].
    pub fn shaped(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let (got, values) = self.tensor(name)?;
        if got != shape {
            return Err(ModelError::Shape { name: name.to_owned(), got, expected: shape.to_vec() });
        }
        Ok(values)
    }

    /// The bytes of a U8 tensor, if there is one of that name.
    pub fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.tensors.tensor(name).ok().filter(|v| v.dtype() == Dtype::U8).map(|v| v.data())
    }

    /// Checks every tensor of the file: type, finite values, and that a TorchScript backbone brings its module.
    /// Shapes of the graph are checked by [`Head::read`](crate::head::Head::read), those of the backbone by the engine.
    ///
    /// # Errors
    /// The first tensor that is not acceptable.
    pub fn check_tensors(&self) -> Result<(), ModelError> {
        for name in self.tensor_names() {
            if self.bytes(&name).is_none() {
                // BatchNorm's step counter is an integer in every PyTorch state dict and is not used.
                if name.ends_with("num_batches_tracked") {
                    continue;
                }
                self.tensor(&name)?;
            }
        }
        if self.config.backbone == Backbone::Torchscript && self.bytes("backbone.torchscript").is_none() {
            return Err(ModelError::Missing("backbone.torchscript".into()));
        }
        if self.config.reduction {
            let (channels, from) = (self.config.channels, self.config.backbone_channels);
            self.shaped("reduction.weight", &[channels, from])?;
            self.shaped("reduction.bias", &[channels])?;
        }
        Ok(())
    }

    fn view(&self, name: &str) -> Result<TensorView<'a>, ModelError> {
        self.tensors.tensor(name).map_err(|_| ModelError::Missing(name.to_owned()))
    }
}

/// A model file with the configuration and of the tensors only those whose names begin with `prefix`. `read` gives the
/// bytes at an offset, and no others are read: a score needs 170 kB of the 8.5 MB of `models/base`.
///
/// # Errors
/// What `read` says, and [`ModelError::Container`] where the file is none, or shorter than it says.
pub fn excerpt<E: From<ModelError>>(
    prefix: &str,
    mut read: impl FnMut(usize, usize) -> Result<Vec<u8>, E>,
) -> Result<Vec<u8>, E> {
    let container = |e: safetensors::SafeTensorError| ModelError::Container(e.to_string());
    let short = || ModelError::Container("the file is shorter than it says".into());
    let size = read(0, LENGTH)?;
    let size = u64::from_le_bytes(size.try_into().map_err(|_| short())?);
    // The container's own limit.
    let size = usize::try_from(size).ok().filter(|size| *size <= 100_000_000).ok_or_else(short)?;
    let header = read(LENGTH, size)?;
    let metadata: Metadata = serde_json::from_slice(&header).map_err(|e| ModelError::Container(e.to_string()))?;
    let mut parts = Vec::new();
    for (name, info) in metadata.tensors().iter().filter(|(name, _)| name.starts_with(prefix)) {
        let (from, to) = info.data_offsets;
        let length = to.checked_sub(from).ok_or_else(short)?;
        let bytes = read((LENGTH + size).saturating_add(from), length)?;
        if bytes.len() != length {
            return Err(short().into());
        }
        parts.push((name.clone(), info.dtype, info.shape.clone(), bytes));
    }
    let views = parts.iter().map(|(name, dtype, shape, bytes)| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view)).map_err(container)
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    Ok(safetensors::serialize(views, metadata.metadata().clone()).map_err(container)?)
}

/// Bytes that say how long a container's header is.
const LENGTH: usize = 8;

/// How a tensor is stored in a written file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// 4 bytes a value.
    F32,
    /// 2 bytes a value, rounded to nearest even.
    F16,
}

/// A tensor to be written.
#[derive(Debug, Clone)]
pub enum TensorData {
    /// Numbers, and how they are stored.
    Values(Storage, Vec<f32>),
    /// Raw bytes (U8): a TorchScript module.
    Bytes(Vec<u8>),
}

/// A tensor to be written: name, shape, values.
pub type NamedTensor = (String, Vec<usize>, TensorData);

/// Writes a model file. Equal input gives equal bytes: the container sorts its tensors.
///
/// # Errors
/// [`ModelError::Container`] where a shape does not fit its values, and what [`ModelConfig::check`] refuses.
pub fn write(config: &ModelConfig, tensors: &[NamedTensor]) -> Result<Vec<u8>, ModelError> {
    config.check()?;
    let stored: Vec<(&str, Dtype, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, shape, data)| match data {
            TensorData::Values(Storage::F32, v) => {
                (&**name, Dtype::F32, &**shape, v.iter().flat_map(|x| x.to_le_bytes()).collect())
            }
            TensorData::Values(Storage::F16, v) => {
                (&**name, Dtype::F16, &**shape, v.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect())
            }
            TensorData::Bytes(v) => (&**name, Dtype::U8, &**shape, v.clone()),
        })
        .collect();
    let container = |e: safetensors::SafeTensorError| ModelError::Container(e.to_string());
    let views: Vec<(&str, TensorView<'_>)> = stored
        .iter()
        .map(|(name, dtype, shape, data)| {
            TensorView::new(*dtype, shape.to_vec(), data).map(|v| (*name, v)).map_err(container)
        })
        .collect::<Result<_, _>>()?;
    let json = serde_json::to_string(config).map_err(|e| ModelError::Json(e.to_string()))?;
    let metadata = HashMap::from([(CONFIG_KEY.to_owned(), json)]);
    safetensors::serialize(views, Some(metadata)).map_err(container)
}

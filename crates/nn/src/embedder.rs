//! Images to regions with one model.

use std::fmt;

use grnet_features::config::ModelConfig;
use grnet_features::model_file::{ModelFile, ModelId};
use tch::{Kind, Tensor};

use crate::backbone::Backbone;
use crate::backbones::load;
use crate::device::{Device, Precision};
use crate::error::NnError;
use crate::pool::{regions_of, shares};
use crate::weights::read;

/// A model's network on a device. Owned by one thread at a time.
pub struct Embedder {
    config: ModelConfig,
    id: ModelId,
    backbone_id: ModelId,
    device: tch::Device,
    precision: Precision,
    backbone: Box<dyn Backbone>,
    reduction: Option<Reduction>,
    /// Mean and deviation of a byte, `[3]` in f32.
    mean: Tensor,
    deviation: Tensor,
    /// The pooling matrix of the last map's size: every image of a model has the same.
    shares: Option<((i64, i64), Tensor)>,
}

/// The learned 1×1 reduction: `y = W x + b`.
struct Reduction {
    /// Wᵀ, `[Cb, C]`.
    weight: Tensor,
    /// b, `[C]`.
    bias: Tensor,
}

impl fmt::Debug for Embedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Embedder")
            .field("id", &self.id)
            .field("device", &self.device)
            .field("precision", &self.precision)
            .finish_non_exhaustive()
    }
}

impl Embedder {
    /// Builds a model's network on a device.
    ///
    /// # Errors
    /// The device is not there, or a tensor is missing, ill-shaped or not finite.
    pub fn load(file: &ModelFile<'_>, device: Device, precision: Precision) -> Result<Self, NnError> {
        let device = device.resolve()?;
        let config = file.config.clone();
        let (channels, from) = (config.channels, config.backbone_channels);
        let reduction = config
            .reduction
            .then(|| {
                Ok::<_, NnError>(Reduction {
                    weight: read(file, "reduction.weight", &[channels, from])?
                        .f_tr()?
                        .f_contiguous()?
                        .f_to_device(device)?,
                    bias: read(file, "reduction.bias", &[channels])?.f_to_device(device)?,
                })
            })
            .transpose()?;
        Ok(Self {
            backbone: load::load(file, device, precision)?,
            mean: Tensor::f_from_slice(&config.input.mean)?.f_to_device(device)?,
            deviation: Tensor::f_from_slice(&config.input.std)?.f_to_device(device)?,
            id: file.id,
            backbone_id: backbone_id(file)?,
            shares: None,
            reduction,
            config,
            device,
            precision,
        })
    }

    /// The model's configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The model's id.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Identity of what maps depend on: models that share a backbone and its input share this.
    pub fn backbone_id(&self) -> ModelId {
        self.backbone_id
    }

    /// Where the network runs: `cpu` or `cuda:N`.
    pub fn device_name(&self) -> String {
        match self.device {
            tch::Device::Cuda(n) => format!("cuda:{n}"),
            _ => "cpu".to_owned(),
        }
    }

    /// Regions of images, M·C values each, scale by scale, row by row. Each image is S·S·3 bytes, RGB, row by row.
    ///
    /// # Errors
    /// [`NnError::Pixels`] for an image of another size, [`NnError::NotFinite`], and what libtorch refuses.
    pub fn embed(&mut self, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, NnError> {
        let rows = self.regions(pixels)?;
        for (image, row) in rows.iter().enumerate() {
            if let Some(at) = row.iter().position(|v| !v.is_finite()) {
                return Err(NnError::NotFinite { image, region: at / self.config.channels });
            }
        }
        Ok(rows)
    }

    /// [`embed`](Self::embed) that leaves values which are not finite to the caller: one image's are not the others'.
    ///
    /// # Errors
    /// As [`embed`](Self::embed), but for these.
    pub fn regions(&mut self, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, NnError> {
        if pixels.is_empty() {
            return Ok(Vec::new());
        }
        let regions = tch::no_grad(|| {
            let map = self.map(pixels)?;
            self.pyramid(&map)
        })?;
        let (_, count, channels) = regions.size3()?;
        let flat = Vec::<f32>::try_from(regions.f_to_device(tch::Device::Cpu)?.f_contiguous()?.f_view([-1])?)?;
        Ok(flat.chunks_exact((count * channels) as usize).map(<[f32]>::to_vec).collect())
    }

    /// Where the network runs.
    pub fn device(&self) -> tch::Device {
        self.device
    }

    /// Stages of the backbone.
    pub fn stages(&self) -> usize {
        self.backbone.stages()
    }

    /// The backbone, for training.
    pub fn into_backbone(self) -> Box<dyn Backbone> {
        self.backbone
    }

    /// Maps `[B, c, h, w]` of images behind the first `stages` of the backbone, f32 on the device. Behind none of them
    /// that is the input itself.
    ///
    /// # Errors
    /// [`NnError::Pixels`] for an image of another size, and what libtorch refuses.
    pub fn map_behind(&self, pixels: &[&[u8]], stages: usize) -> Result<Tensor, NnError> {
        if stages == self.stages() {
            return self.map(pixels);
        }
        self.check(pixels)?;
        let x = self.input(pixels)?.f_to_kind(self.precision.kind())?;
        Ok(tch::no_grad(|| self.backbone.run(&x, 0..stages))?.f_to_kind(Kind::Float)?)
    }

    /// The backbone's maps `[B, Cb, h, w]` of images, f32 on the device.
    ///
    /// # Errors
    /// As [`embed`](Self::embed).
    pub fn map(&self, pixels: &[&[u8]]) -> Result<Tensor, NnError> {
        self.check(pixels)?;
        let map = match self.backbone.direct(pixels, &self.config.input) {
            Some(map) => map?,
            None => {
                let x = self.input(pixels)?.f_to_kind(self.precision.kind())?;
                tch::no_grad(|| self.backbone.forward(&x))?
            }
        };
        let got = map.size();
        let channels = self.config.backbone_channels;
        if got.len() != 4 || got[0] != pixels.len() as i64 || got[1] != channels as i64 {
            return Err(NnError::Map { got, batch: pixels.len(), channels });
        }
        Ok(map.f_to_kind(Kind::Float)?)
    }

    /// Whether images have the input's size.
    fn check(&self, pixels: &[&[u8]]) -> Result<(), NnError> {
        let size = self.config.input.size as usize;
        let expected = size * size * 3;
        match pixels.iter().position(|image| image.len() != expected) {
            Some(index) => Err(NnError::Pixels { index, got: pixels[index].len(), size, expected }),
            None => Ok(()),
        }
    }

    /// Normalised input `[B, 3, S, S]` in f32. Strides are channels-last, as the bytes come.
    fn input(&self, pixels: &[&[u8]]) -> Result<Tensor, NnError> {
        let side = i64::from(self.config.input.size);
        let bytes = Tensor::f_from_slice(&pixels.concat())?.f_view([pixels.len() as i64, side, side, 3])?;
        let x = bytes.f_to_device(self.device)?.f_to_kind(Kind::Float)?;
        Ok(x.f_sub(&self.mean)?.f_div(&self.deviation)?.f_permute([0, 3, 1, 2])?)
    }

    /// Regions `[B, M, C]` of maps `[B, Cb, h, w]`: reduced, pooled, and of unit norm where the pyramid says so.
    fn pyramid(&mut self, map: &Tensor) -> Result<Tensor, NnError> {
        let (_, _, height, width) = map.size4()?;
        if self.shares.as_ref().is_none_or(|(size, _)| *size != (height, width)) {
            let matrix = shares(&self.config.pyramid.grids, height as usize, width as usize)?;
            self.shares = Some(((height, width), matrix.f_to_device(self.device)?));
        }
        let Some((_, shares)) = &self.shares else { unreachable!("set above") };
        match &self.reduction {
            Some(reduction) => regions_of(map, &self.config.pyramid, shares, Some(&|x| reduction.apply(x))),
            None => regions_of(map, &self.config.pyramid, shares, None),
        }
    }
}

/// Digest of the input's and the backbone's configuration and of all its tensors: what [`Embedder::backbone_id`] says,
/// without loading anything.
///
/// # Errors
/// A tensor cannot be read.
pub fn backbone_id(file: &ModelFile<'_>) -> Result<ModelId, NnError> {
    let mut content = format!("{:?} {:?}", file.config.backbone, file.config.input).into_bytes();
    for name in file.tensor_names().into_iter().filter(|n| n.starts_with("backbone.")) {
        content.extend_from_slice(name.as_bytes());
        match file.bytes(&name) {
            Some(bytes) => content.extend_from_slice(bytes),
            None if name.ends_with("num_batches_tracked") => {}
            None => content.extend(file.tensor(&name)?.1.iter().flat_map(|v| v.to_le_bytes())),
        }
    }
    Ok(ModelId::of(&content))
}

impl Reduction {
    /// Applies it to the last dimension.
    fn apply(&self, x: &Tensor) -> Result<Tensor, NnError> {
        Ok(x.f_matmul(&self.weight)?.f_add(&self.bias)?)
    }
}

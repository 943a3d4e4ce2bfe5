//! The convolutional network in front of the pyramid, whichever it is.

use std::ops::Range;

use grnet_core::config::{Backbone as Kind, Input, ModelConfig};
use grnet_core::model::ModelFile;
use tch::{Device, Tensor};

use super::conv::Conv;
use super::efficientnet::EfficientNetLite0;
use super::googlenet::GoogLeNet;
use super::mobilenet::MobileNetV2;
use super::patches::Patches;
use super::resnet::ResNet50;
use super::torchscript::TorchScript;
use super::weights::Weights;
use super::{EngineError, Precision};

/// A network that maps `[B, 3, H, W]` to `[B, channels, h, w]`, for inference.
pub trait Backbone: Send {
    /// The map. Input and output have the number type that the weights were placed in.
    ///
    /// # Errors
    /// What libtorch refuses.
    fn forward(&self, x: &Tensor) -> Result<Tensor, EngineError>;

    /// The map of photos, `S · S · 3` bytes each, where this is computed without libtorch; `None` elsewhere.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn direct(&self, _photos: &[&[u8]], _input: &Input) -> Option<Result<Tensor, EngineError>> {
        None
    }

    /// Stages, which run one after another. What is not trained can run once a photo and be kept.
    fn stages(&self) -> usize {
        1
    }

    /// Some of the stages: [`forward`](Self::forward) is all of them.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn run(&self, x: &Tensor, stages: Range<usize>) -> Result<Tensor, EngineError> {
        if stages.is_empty() { Ok(x.shallow_clone()) } else { self.forward(x) }
    }

    /// The convolutions of the stages from `first` on, for training; none where the network cannot be trained.
    fn learnable(&mut self, first: usize) -> Vec<&mut Conv>;

    /// Moves the weights.
    ///
    /// # Errors
    /// What libtorch refuses.
    fn place(&mut self, device: Device, precision: Precision) -> Result<(), EngineError>;
}

/// A network made of convolutions alone.
pub(super) trait Convolutions {
    /// Every convolution.
    fn convolutions(&mut self) -> Vec<&mut Conv>;

    /// [`Backbone::place`], for every convolution.
    fn place_all(&mut self, device: Device, precision: Precision) -> Result<(), EngineError> {
        self.convolutions().into_iter().try_for_each(|conv| conv.place(device, precision.kind()))
    }

    /// [`Backbone::learnable`] of a network that is one stage.
    fn learn_all(&mut self, first: usize) -> Vec<&mut Conv> {
        if first == 0 { self.convolutions() } else { Vec::new() }
    }
}

/// Channels of the map that a kind of backbone has, where its kind decides.
pub fn channels(kind: &Kind) -> Option<usize> {
    match kind {
        Kind::Googlenet => Some(super::googlenet::CHANNELS),
        Kind::EfficientnetLite0 => Some(super::efficientnet::CHANNELS),
        Kind::Resnet50 => Some(super::resnet::CHANNELS),
        Kind::MobilenetV2 => Some(super::mobilenet::CHANNELS),
        Kind::Patches { .. } | Kind::Torchscript => None,
    }
}

/// Builds the backbone of a model file on a device.
///
/// # Errors
/// A tensor is missing, ill-shaped or not finite, or the configuration's channels or input are not this backbone's.
pub fn load(file: &ModelFile<'_>, device: Device, precision: Precision) -> Result<Box<dyn Backbone>, EngineError> {
    let ModelConfig { ref backbone, backbone_channels, .. } = file.config;
    if let Some(expected) = channels(backbone)
        && expected != backbone_channels
    {
        return Err(EngineError::Option {
            option: "the model's backbone_channels",
            got: backbone_channels.to_string(),
            allowed: "1024 for googlenet, 2048 for resnet50, 1280 for efficientnet_lite0 and mobilenet_v2",
        });
    }
    // Its padding is right for even maps only, and its maps are halved five times.
    let size = file.config.input.size;
    if *backbone == Kind::EfficientnetLite0 && !size.is_multiple_of(super::efficientnet::STEP) {
        return Err(EngineError::Option {
            option: "the model's input.size",
            got: size.to_string(),
            allowed: "a multiple of 32 for efficientnet_lite0",
        });
    }
    let weights = Weights::new(file);
    let mut network: Box<dyn Backbone> = match backbone {
        Kind::Googlenet => Box::new(GoogLeNet::read(&weights)?),
        Kind::EfficientnetLite0 => Box::new(EfficientNetLite0::read(&weights)?),
        Kind::Resnet50 => Box::new(ResNet50::read(&weights)?),
        Kind::MobilenetV2 => Box::new(MobileNetV2::read(&weights)?),
        Kind::Patches { patch } => Box::new(Patches::read(&weights, *patch, backbone_channels)?),
        Kind::Torchscript => Box::new(TorchScript::read(file, device)?),
    };
    network.place(device, precision)?;
    Ok(network)
}

//! A model file's backbone.

use grnet_features::config::{Backbone as Kind, ModelConfig};
use grnet_features::model_file::ModelFile;
use tch::Device;

use crate::backbone::Backbone;
use crate::backbones::efficientnet::{self, EfficientNetLite0};
use crate::backbones::googlenet::{self, GoogLeNet};
use crate::backbones::mobilenet::{self, MobileNetV2};
use crate::backbones::patches::Patches;
use crate::backbones::resnet::{self, ResNet50};
use crate::backbones::torchscript::TorchScript;
use crate::device::Precision;
use crate::error::NnError;
use crate::weights::Weights;

/// Channels of the map that a kind of backbone has, where its kind decides.
pub fn channels(kind: &Kind) -> Option<usize> {
    match kind {
        Kind::Googlenet => Some(googlenet::CHANNELS),
        Kind::EfficientnetLite0 => Some(efficientnet::CHANNELS),
        Kind::Resnet50 => Some(resnet::CHANNELS),
        Kind::MobilenetV2 => Some(mobilenet::CHANNELS),
        Kind::Patches { .. } | Kind::Torchscript => None,
    }
}

/// Builds the backbone of a model file on a device.
///
/// # Errors
/// A tensor is missing, ill-shaped or not finite, or the configuration's channels or input are not this backbone's.
pub fn load(file: &ModelFile<'_>, device: Device, precision: Precision) -> Result<Box<dyn Backbone>, NnError> {
    let ModelConfig { ref backbone, backbone_channels, .. } = file.config;
    if let Some(expected) = channels(backbone)
        && expected != backbone_channels
    {
        return Err(NnError::Option {
            option: "the model's backbone_channels",
            got: backbone_channels.to_string(),
            allowed: "1024 for googlenet, 2048 for resnet50, 1280 for efficientnet_lite0 and mobilenet_v2",
        });
    }
    // Its padding is right for even maps only, and its maps are halved five times.
    let size = file.config.input.size;
    if *backbone == Kind::EfficientnetLite0 && !size.is_multiple_of(efficientnet::STEP) {
        return Err(NnError::Option {
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
    network.move_to(device, precision)?;
    Ok(network)
}

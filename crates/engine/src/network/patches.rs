//! One strided convolution and a ReLU over square patches: small enough for tests with exact results.

use tch::{Device, Tensor};

use super::backbone::{Backbone, Convolutions};
use super::conv::{Activation, Conv, Padding, Shape};
use super::weights::Weights;
use super::{EngineError, Precision};

/// `[B, 3, H, W]` to `[B, channels, H/patch, W/patch]`.
#[derive(Debug)]
pub struct Patches {
    conv: Conv,
}

impl Patches {
    /// Reads `backbone.conv.weight` and `backbone.conv.bias`.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn read(weights: &Weights<'_, '_>, patch: usize, channels: usize) -> Result<Self, EngineError> {
        let shape = Shape {
            input: 3,
            output: channels,
            kernel: patch,
            stride: patch as i64,
            padding: Padding::Even(0),
            depthwise: false,
        };
        Ok(Self { conv: Conv::plain(weights, "conv", shape, Activation::Relu)? })
    }
}

impl Convolutions for Patches {
    fn convolutions(&mut self) -> Vec<&mut Conv> {
        vec![&mut self.conv]
    }
}

impl Backbone for Patches {
    fn forward(&self, x: &Tensor) -> Result<Tensor, EngineError> {
        self.conv.forward(x)
    }

    fn learnable(&mut self, first: usize) -> Vec<&mut Conv> {
        self.learn_all(first)
    }

    fn place(&mut self, device: Device, precision: Precision) -> Result<(), EngineError> {
        self.place_all(device, precision)
    }
}

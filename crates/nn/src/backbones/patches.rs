//! One strided convolution and a ReLU over square patches: small enough for tests with exact results.

use tch::{Device, Tensor};

use crate::backbone::{Backbone, Convolutions};
use crate::conv::{Activation, Conv, ConvShape, Padding};
use crate::device::Precision;
use crate::error::NnError;
use crate::weights::Weights;

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
    pub fn read(weights: &Weights<'_, '_>, patch: usize, channels: usize) -> Result<Self, NnError> {
        let shape = ConvShape {
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
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.conv.forward(x)
    }

    fn learnable(&mut self, first: usize) -> Vec<&mut Conv> {
        self.learn_all(first)
    }

    fn move_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError> {
        self.move_all_to(device, precision)
    }
}

//! MobileNetV2 up to its last 1×1 convolution: `[B, 3, H, W]` to `[B, 1280, ⌈H/32⌉, ⌈W/32⌉]`.
//!
//! Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", in torchvision's form and with its tensor
//! names: the blocks are `features.1` to `features.17`, and a block that does not expand has no first convolution, so
//! that its parts count from 0 all the same. `classifier` is not read.
//! Input: torchvision's weights were trained on ImageNet's mean and deviation.

use tch::{Device, Tensor};

use crate::backbone::{Backbone, Convolutions};
use crate::conv::{Activation, Conv, ConvShape, Padding};
use crate::device::Precision;
use crate::error::NnError;
use crate::weights::{TORCHVISION_EPS, Weights};

/// Channels of the map.
pub const CHANNELS: usize = 1280;

/// Stages: expansion, channels, blocks, stride of the first block.
const STAGES: [(usize, usize, usize, i64); 7] =
    [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)];

/// Channels of the stem.
const STEM: usize = 32;

/// An inverted residual: expansion (where there is one), depthwise, projection.
#[derive(Debug)]
struct Block {
    convolutions: Vec<Conv>,
    residual: bool,
}

/// The network, batch norms folded.
#[derive(Debug)]
pub struct MobileNetV2 {
    stem: Conv,
    blocks: Vec<Block>,
    head: Conv,
}

/// A convolution that keeps the size at stride 1.
fn shape((input, output): (usize, usize), kernel: usize, stride: i64, depthwise: bool) -> ConvShape {
    ConvShape { input, output, kernel, stride, padding: Padding::Even(kernel as i64 / 2), depthwise }
}

impl MobileNetV2 {
    /// Reads the network's tensors.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn read(weights: &Weights<'_, '_>) -> Result<Self, NnError> {
        let weights = &weights.with_eps(TORCHVISION_EPS);
        let unit = |name: &str, shape| {
            Conv::folded(weights, &format!("{name}.0"), &format!("{name}.1"), shape, Activation::Relu6)
        };
        let stem = unit("features.0", shape((3, STEM), 3, 2, false))?;
        let mut blocks = Vec::new();
        let mut input = STEM;
        for (expansion, output, count, first_stride) in STAGES {
            for number in 0..count {
                let stride = if number == 0 { first_stride } else { 1 };
                let name = format!("features.{}.conv", blocks.len() + 1);
                let inner = input * expansion;
                let mut convolutions = Vec::new();
                if expansion > 1 {
                    convolutions.push(unit(&format!("{name}.0"), shape((input, inner), 1, 1, false))?);
                }
                let part = convolutions.len();
                convolutions.push(unit(&format!("{name}.{part}"), shape((inner, inner), 3, stride, true))?);
                let (project, norm) = (format!("{name}.{}", part + 1), format!("{name}.{}", part + 2));
                let projection = shape((inner, output), 1, 1, false);
                convolutions.push(Conv::folded(weights, &project, &norm, projection, Activation::None)?);
                blocks.push(Block { convolutions, residual: stride == 1 && input == output });
                input = output;
            }
        }
        let head = unit("features.18", shape((input, CHANNELS), 1, 1, false))?;
        Ok(Self { stem, blocks, head })
    }
}

impl Convolutions for MobileNetV2 {
    fn convolutions(&mut self) -> Vec<&mut Conv> {
        let mut all = vec![&mut self.stem, &mut self.head];
        self.blocks.iter_mut().for_each(|block| all.extend(&mut block.convolutions));
        all
    }
}

impl Backbone for MobileNetV2 {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let mut x = self.stem.forward(x)?;
        for block in &self.blocks {
            let mut y = x.shallow_clone();
            for conv in &block.convolutions {
                y = conv.forward(&y)?;
            }
            x = if block.residual { y.f_add_(&x)? } else { y };
        }
        self.head.forward(&x)
    }

    fn learnable(&mut self, first: usize) -> Vec<&mut Conv> {
        self.learn_all(first)
    }

    fn move_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError> {
        self.move_all_to(device, precision)
    }
}

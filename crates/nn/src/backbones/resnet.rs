//! ResNet-50 up to its last stage: `[B, 3, H, W]` to `[B, 2048, ⌈H/32⌉, ⌈W/32⌉]`.
//!
//! He et al., "Deep residual learning for image recognition", in torchvision's form and with its tensor names: the
//! stride of a stage lies in the 3×3 convolution of its first block ("v1.5"), not in the 1×1 before it. `fc` is not
//! read. Input: torchvision's weights were trained on ImageNet's mean and deviation.

use tch::{Device, Tensor};

use crate::backbone::{Backbone, Convolutions};
use crate::conv::{Activation, Conv, ConvShape, Padding};
use crate::device::Precision;
use crate::error::NnError;
use crate::weights::{TORCHVISION_EPS, Weights};

/// Channels of the map.
pub const CHANNELS: usize = 2048;

/// Stages: blocks, channels inside a block, stride of the first block. A block gives four times its inner channels.
const STAGES: [(usize, usize, i64); 4] = [(3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2)];

/// Channels out of a block for each of those inside.
const EXPANSION: usize = 4;

/// A bottleneck: 1×1, 3×3, 1×1, and the way around them.
#[derive(Debug)]
struct Block {
    convolutions: [Conv; 3],
    /// Where the shape changes, a 1×1 convolution lies beside the three.
    around: Option<Conv>,
}

impl Block {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let [reduce, spatial, expand] = &self.convolutions;
        let mut y = expand.forward(&spatial.forward(&reduce.forward(x)?)?)?;
        let mut y = match &self.around {
            Some(around) => y.f_add_(&around.forward(x)?)?,
            None => y.f_add_(x)?,
        };
        Ok(y.f_relu_()?)
    }
}

/// The network, batch norms folded.
#[derive(Debug)]
pub struct ResNet50 {
    stem: Conv,
    blocks: Vec<Block>,
}

impl ResNet50 {
    /// Reads the network's tensors.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn read(weights: &Weights<'_, '_>) -> Result<Self, NnError> {
        let weights = weights.with_eps(TORCHVISION_EPS);
        let mut blocks = Vec::new();
        let mut input = 64;
        for (stage, (count, inner, first_stride)) in (1..).zip(STAGES) {
            for number in 0..count {
                let stride = if number == 0 { first_stride } else { 1 };
                blocks.push(block(&weights, &format!("layer{stage}.{number}"), input, inner, stride)?);
                input = inner * EXPANSION;
            }
        }
        let stem =
            ConvShape { input: 3, output: 64, kernel: 7, stride: 2, padding: Padding::Even(3), depthwise: false };
        Ok(Self { stem: Conv::folded(&weights, "conv1", "bn1", stem, Activation::Relu)?, blocks })
    }
}

fn block(weights: &Weights<'_, '_>, name: &str, input: usize, inner: usize, stride: i64) -> Result<Block, NnError> {
    let output = inner * EXPANSION;
    let conv = |conv: &str, norm: &str, (input, output), kernel: usize, stride, activation| {
        let padding = Padding::Even(kernel as i64 / 2);
        let shape = ConvShape { input, output, kernel, stride, padding, depthwise: false };
        Conv::folded(weights, &format!("{name}.{conv}"), &format!("{name}.{norm}"), shape, activation)
    };
    let around = (stride != 1 || input != output)
        .then(|| conv("downsample.0", "downsample.1", (input, output), 1, stride, Activation::None));
    Ok(Block {
        convolutions: [
            conv("conv1", "bn1", (input, inner), 1, 1, Activation::Relu)?,
            conv("conv2", "bn2", (inner, inner), 3, stride, Activation::Relu)?,
            conv("conv3", "bn3", (inner, output), 1, 1, Activation::None)?,
        ],
        around: around.transpose()?,
    })
}

impl Convolutions for ResNet50 {
    fn convolutions(&mut self) -> Vec<&mut Conv> {
        let mut all = vec![&mut self.stem];
        for block in &mut self.blocks {
            all.extend(&mut block.convolutions);
            all.extend(block.around.as_mut());
        }
        all
    }
}

impl Backbone for ResNet50 {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let mut y = self.stem.forward(x)?.f_max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)?;
        for block in &self.blocks {
            y = block.forward(&y)?;
        }
        Ok(y)
    }

    fn learnable(&mut self, first: usize) -> Vec<&mut Conv> {
        self.learn_all(first)
    }

    fn move_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError> {
        self.move_all_to(device, precision)
    }
}

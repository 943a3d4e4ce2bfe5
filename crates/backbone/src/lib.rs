//! Inverted residuals with ReLU6 (EfficientNet-Lite, MobileNet's kin) on the processor, for inference.
//!
//! libtorch runs such a network convolution by convolution: what expands is written to memory, read, clamped, read again. Here
//! 32 of a block's inner channels at a time are expanded and go through their depthwise convolution without leaving the
//! second cache (the first, for maps of up to 14 cells a side), and their weights are read once a strip of the map. An image's
//! map has the same bits alone and in any batch, and however many threads share it.

mod block;
#[allow(unsafe_code, reason = "the inner loop of the convolutions; every block says why it is sound")]
mod depthwise;
mod pointwise;
mod stem;
mod thread_pool;
mod workspace;

use std::sync::Mutex;

use block::Block;
#[cfg(target_arch = "x86_64")]
use grnet_simd::Avx512Bf16;
use grnet_simd::{Detected, Isa, PANEL_ROWS, Simd, with_simd};
use pointwise::{Fill, Pointwise, block_of};
use stem::Stem;
pub use thread_pool::ThreadPool;
use thread_pool::chunks;
pub use workspace::Workspace;
use workspace::{Strip, take};

/// A convolution's kernel `[output, input / groups, side, side]` and bias, batch norm folded in.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The kernel.
    pub weight: Vec<f32>,
    /// The bias.
    pub bias: Vec<f32>,
}

/// An image as a network's input.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// Its side.
    pub size: usize,
    /// RGB, row by row: `[size, size, 3]`.
    pub bytes: &'a [u8],
    /// What a byte of each colour is to the network.
    pub values: &'a [[f32; 256]; 3],
}

/// An inverted residual.
#[derive(Debug, Clone)]
pub struct Inverted {
    /// 1×1 and ReLU6, where the block expands.
    pub expand: Option<Folded>,
    /// A kernel for each channel, and ReLU6.
    pub depthwise: Folded,
    /// 1×1.
    pub project: Folded,
    /// Side of the depthwise kernel.
    pub side: usize,
    /// Stride of the depthwise convolution.
    pub stride: usize,
    /// Whether the block adds its input.
    pub residual: bool,
}

/// What products are made of, with the instructions for it.
#[derive(Debug, Clone, Copy)]
enum Set {
    Floats(Detected),
    #[cfg(target_arch = "x86_64")]
    Bf16(Avx512Bf16),
}

/// A stem of 3×3 under a stride of 2, inverted residuals, and a head of 1×1.
#[derive(Debug)]
pub struct Network {
    set: Set,
    stem: Stem,
    blocks: Vec<Block>,
    head: Pointwise,
    /// Memory for as many strips as were made at one time, whichever image they are of.
    strips: Mutex<Vec<Strip>>,
}

impl Network {
    /// Packs the weights for a path. The head's channels are a multiple of 16: its map has no others. `None` where the
    /// processor lacks it, and for the portable one, where libtorch is faster.
    ///
    /// # Panics
    /// If they are not, or a block's depthwise kernel is neither 3×3 nor 5×5, or its stride neither 1 nor 2.
    pub fn new(isa: Isa, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Option<Self> {
        let detected = isa.detect().filter(|_| isa != Isa::Portable)?;
        Some(with_simd!(detected, s => Self::packed(Set::Floats(detected), s, stem, blocks, head)))
    }

    /// The same with the operands of the 1×1 convolutions rounded to bf16, and their sums and all else in f32: half the
    /// time of nine tenths of the work. `None` where the processor has no products of bf16.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn bf16(stem: &Folded, blocks: &[Inverted], head: &Folded) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            let s = Avx512Bf16::detect()?;
            Some(Self::packed(Set::Bf16(s), s, stem, blocks, head))
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    fn packed<S: Simd>(set: Set, s: S, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Self {
        assert!(head.bias.len().is_multiple_of(16), "a map of {} channels", head.bias.len());
        Self {
            set,
            stem: Stem::new(&stem.weight, &stem.bias),
            blocks: blocks.iter().map(|block| Block::new(s, block)).collect(),
            head: Pointwise::new(s, &head.weight, &head.bias, true),
            strips: Mutex::default(),
        }
    }

    /// An image's map `[cells, channels]`, by a pool: the bits are the same whoever computes.
    ///
    /// # Panics
    /// If the image has another number of bytes than its size says, that is no multiple of 32 above 0, or there is no memory.
    pub fn map(&self, image: Image<'_>, workspace: &mut Workspace, pool: &dyn ThreadPool) -> Vec<f32> {
        assert!(image.size > 0 && image.size.is_multiple_of(32) && image.bytes.len() == image.size * image.size * 3);
        match self.set {
            Set::Floats(detected) => with_simd!(detected, s => self.with_simd(s, image, workspace, pool)),
            #[cfg(target_arch = "x86_64")]
            Set::Bf16(s) => self.with_simd(s, image, workspace, pool),
        }
    }

    fn with_simd<S: Simd>(&self, s: S, image: Image<'_>, workspace: &mut Workspace, pool: &dyn ThreadPool) -> Vec<f32> {
        let Workspace { map, next, pixels } = workspace;
        let mut side = image.size / 2;
        self.stem.run(s, pool, image, pixels, take(map, side * side * self.stem.output));
        for block in &self.blocks {
            let count = block.side(side).pow(2) * block.output();
            block.run(s, pool, (side, map.get()), take(next, count), &self.strips);
            side = block.side(side);
            std::mem::swap(map, next);
        }
        let Pointwise { input, output, .. } = self.head;
        let cells = side * side;
        let panels = take(next, cells.div_ceil(PANEL_ROWS) * block_of::<S>(input));
        s.vectorize(Fill { cells: &map.get()[..cells * input], channels: input, panels });
        let (mut out, panels) = (vec![0.0; cells * output], &*panels);
        let blocks = cells.div_ceil(PANEL_ROWS).div_ceil(pool.threads());
        chunks(pool, &mut out, blocks * PANEL_ROWS * output, |number, out| {
            self.head.run(s, &panels[number * blocks * block_of::<S>(input)..], out);
        });
        out
    }
}

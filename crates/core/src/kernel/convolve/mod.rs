//! Inverted residuals with ReLU6 (EfficientNet-Lite, MobileNet's kin) on the processor, for inference.
//!
//! libtorch runs such a network convolution by convolution: what expands is written to memory, read, clamped, read again. Here
//! 32 of a block's inner channels at a time are expanded and go through their depthwise convolution without leaving the
//! second cache (the first, for maps of up to 14 cells a side), and their weights are read once a strip of the map. A photo's
//! map has the same bits alone and in any batch, and however many threads share it.

mod block;
mod crew;
#[allow(unsafe_code, reason = "the inner loop of the convolutions; every block says why it is sound")]
mod depthwise;
mod pointwise;
mod room;
mod stem;

use std::sync::Mutex;

#[cfg(target_arch = "x86_64")]
use super::avx512::Avx512Bf16;
use super::lanes::Lanes;
use super::path::{Machine, Path, with_lanes};
use super::tile::BLOCK;
use block::Block;
pub use crew::Crew;
use crew::chunks;
use pointwise::{Fill, Pointwise, block_of};
pub use room::Room;
use room::{Strip, places};
use stem::Stem;

/// A convolution's kernel `[output, input / groups, side, side]` and bias, batch norm folded in.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The kernel.
    pub weight: Vec<f32>,
    /// The bias.
    pub bias: Vec<f32>,
}

/// A photo as a network's input.
#[derive(Debug, Clone, Copy)]
pub struct Photo<'a> {
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
    Floats(Machine),
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
    /// Memory for as many strips as were made at one time, whichever photo they are of.
    strips: Mutex<Vec<Strip>>,
}

impl Network {
    /// Packs the weights for a path. The head's channels are a multiple of 16: its map has no others. `None` where the
    /// processor lacks it, and for the portable one, where libtorch is faster.
    ///
    /// # Panics
    /// If they are not, or a block's depthwise kernel is neither 3×3 nor 5×5, or its stride neither 1 nor 2.
    pub fn new(path: Path, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Option<Self> {
        let machine = path.machine().filter(|_| path != Path::Portable)?;
        Some(with_lanes!(machine, lanes => Self::packed(Set::Floats(machine), lanes, stem, blocks, head)))
    }

    /// The same with the operands of the 1×1 convolutions rounded to bf16, and their sums and all else in f32: half the
    /// time of nine tenths of the work. `None` where the processor has no products of bf16.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn bf16(stem: &Folded, blocks: &[Inverted], head: &Folded) -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            let lanes = Avx512Bf16::detect()?;
            Some(Self::packed(Set::Bf16(lanes), lanes, stem, blocks, head))
        }
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    fn packed<S: Lanes>(set: Set, s: S, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Self {
        assert!(head.bias.len().is_multiple_of(16), "a map of {} channels", head.bias.len());
        Self {
            set,
            stem: Stem::new(&stem.weight, &stem.bias),
            blocks: blocks.iter().map(|block| Block::new(s, block)).collect(),
            head: Pointwise::new(s, &head.weight, &head.bias, true),
            strips: Mutex::default(),
        }
    }

    /// A photo's map `[cells, channels]`, by a crew: the bits are the same whoever computes.
    ///
    /// # Panics
    /// If the photo has another number of bytes than its size says, that is no multiple of 32 above 0, or there is no memory.
    pub fn map(&self, photo: Photo<'_>, room: &mut Room, crew: &dyn Crew) -> Vec<f32> {
        assert!(photo.size > 0 && photo.size.is_multiple_of(32) && photo.bytes.len() == photo.size * photo.size * 3);
        match self.set {
            Set::Floats(machine) => with_lanes!(machine, lanes => self.on(lanes, photo, room, crew)),
            #[cfg(target_arch = "x86_64")]
            Set::Bf16(lanes) => self.on(lanes, photo, room, crew),
        }
    }

    fn on<S: Lanes>(&self, s: S, photo: Photo<'_>, room: &mut Room, crew: &dyn Crew) -> Vec<f32> {
        let Room { map, next, pixels } = room;
        let mut side = photo.size / 2;
        self.stem.run(s, crew, photo, pixels, places(map, side * side * self.stem.output));
        for block in &self.blocks {
            let count = block.side(side).pow(2) * block.output();
            block.run(s, crew, (side, map.get()), places(next, count), &self.strips);
            side = block.side(side);
            std::mem::swap(map, next);
        }
        let Pointwise { input, output, .. } = self.head;
        let cells = side * side;
        let panels = places(next, cells.div_ceil(BLOCK) * block_of::<S>(input));
        s.run(Fill { cells: &map.get()[..cells * input], channels: input, panels });
        let (mut out, panels) = (vec![0.0; cells * output], &*panels);
        let blocks = cells.div_ceil(BLOCK).div_ceil(crew.threads());
        chunks(crew, &mut out, blocks * BLOCK * output, |number, out| {
            self.head.run(s, &panels[number * blocks * block_of::<S>(input)..], out);
        });
        out
    }
}

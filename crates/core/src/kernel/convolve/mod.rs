//! Inverted residuals with ReLU6 (EfficientNet-Lite, MobileNet's kin) on the processor, for inference.
//!
//! libtorch runs such a network convolution by convolution: what expands is written to memory, read, clamped, read again. Here
//! 32 of a block's inner channels at a time are expanded and go through their depthwise convolution without leaving the
//! first cache, and every weight is read once a strip of the map; what comes out is projected from the second cache. A
//! photo's map has the same bits alone and in any batch, and however many threads share it.

mod block;
mod crew;
#[allow(unsafe_code, reason = "the inner loop of the convolutions; every block says why it is sound")]
mod depthwise;
mod pointwise;
mod room;
mod stem;

use super::lanes::Lanes;
use super::path::{Machine, Path, with_lanes};
use super::tile::BLOCK;
use block::Block;
use crew::chunks;
pub use crew::{Alone, Crew};
use pointwise::{Pointwise, block_of, fill};
pub use room::Room;
use room::places;
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

/// A stem of 3×3 under a stride of 2, inverted residuals, and a head of 1×1.
#[derive(Debug)]
pub struct Network {
    machine: Machine,
    stem: Stem,
    blocks: Vec<Block>,
    head: Pointwise,
}

impl Network {
    /// Packs the weights for a path. The head's channels are a multiple of 16: its map has no others. `None` where the processor lacks it, and for the portable one, where libtorch is faster.
    ///
    /// # Panics
    /// If they are not.
    pub fn new(path: Path, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Option<Self> {
        assert!(head.bias.len().is_multiple_of(16), "a map of {} channels", head.bias.len());
        let machine = path.machine().filter(|_| path != Path::Portable)?;
        Some(with_lanes!(machine, lanes => Self::packed(machine, lanes, stem, blocks, head)))
    }

    fn packed<S: Lanes>(machine: Machine, s: S, stem: &Folded, blocks: &[Inverted], head: &Folded) -> Self {
        Self {
            machine,
            stem: Stem::new(&stem.weight, &stem.bias),
            blocks: blocks.iter().map(|block| Block::new(s, block)).collect(),
            head: Pointwise::new(s, &head.weight, &head.bias, true),
        }
    }

    /// A photo's map `[cells, channels]`, by a crew: the bits are the same whoever computes.
    ///
    /// # Panics
    /// If the photo has another number of bytes than its size says, that is no multiple of 32, or there is no memory.
    pub fn map(&self, photo: Photo<'_>, room: &mut Room, crew: &dyn Crew) -> Vec<f32> {
        assert!(photo.size.is_multiple_of(32) && photo.bytes.len() == photo.size * photo.size * 3);
        with_lanes!(self.machine, lanes => self.on(lanes, photo, room, crew))
    }

    fn on<S: Lanes>(&self, s: S, photo: Photo<'_>, room: &mut Room, crew: &dyn Crew) -> Vec<f32> {
        let Room { map, next, pixels, strips } = room;
        let mut side = photo.size / 2;
        self.stem.run(s, crew, photo, pixels, places(map, side * side * self.stem.output));
        for block in &self.blocks {
            let count = block.side(side).pow(2) * block.output();
            block.run(s, crew, (side, map.get()), places(next, count), strips);
            side = block.side(side);
            std::mem::swap(map, next);
        }
        let Pointwise { input, output, .. } = self.head;
        let cells = side * side;
        let panels = places(next, cells.div_ceil(BLOCK) * block_of(input));
        fill(&map.get()[..cells * input], input, panels);
        let (mut out, panels) = (vec![0.0; cells * output], &*panels);
        let blocks = cells.div_ceil(BLOCK).div_ceil(crew.threads());
        chunks(crew, &mut out, blocks * BLOCK * output, |number, out| {
            self.head.run(s, &panels[number * blocks * block_of(input)..], out);
        });
        out
    }
}

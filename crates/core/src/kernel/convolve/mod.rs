//! Inverted residuals with ReLU6 (EfficientNet-Lite, MobileNet's kin) on the processor, for inference.
//!
//! libtorch runs such a network convolution by convolution: what expands is written to memory, read, clamped, read again. Here
//! a strip of a block's rows is expanded into the second cache, and 14 cells at a time go through the depthwise convolution
//! and the projection without leaving the first. A photo's map has the same bits alone and in any batch: photos share nothing.

mod depthwise;
mod pointwise;

use super::lanes::Lanes;
use super::path::{Machine, Path, with_lanes};
use super::tile::{BLOCK, PANEL, ROW};
use depthwise::{Cells, Depthwise};
use pointwise::{Add, Pointwise};

/// Floats of an expanded strip: it stays in the second cache beside the weights (1 MB a core).
const STRIP: usize = 96 << 10;

/// A convolution's kernel `[output, input / groups, side, side]` and bias, batch norm folded in.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The kernel.
    pub weight: Vec<f32>,
    /// The bias.
    pub bias: Vec<f32>,
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

#[derive(Debug)]
struct Block {
    expand: Option<Pointwise>,
    depthwise: Depthwise,
    project: Pointwise,
    residual: bool,
}

/// A stem of 3×3 under a stride of 2, inverted residuals, and a head of 1×1.
#[derive(Debug)]
pub struct Network {
    machine: Machine,
    stem: Pointwise,
    blocks: Vec<Block>,
    head: Pointwise,
}

/// Memory that one photo at a time needs.
#[derive(Debug, Default)]
pub struct Room {
    map: Vec<f32>,
    next: Vec<f32>,
    strip: Vec<f32>,
    panels: Vec<f32>,
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
        // A cell's window as it lies in the input: `[output, y, x, input]`.
        let mut turned = vec![0.0; stem.weight.len()];
        for (at, value) in stem.weight.iter().enumerate() {
            let (output, input, tap) = (at / 27, at % 27 / 9, at % 9);
            turned[output * 27 + tap * 3 + input] = *value;
        }
        let pointwise = |conv: &Folded, active| Pointwise::new(s, &conv.weight, &conv.bias, active);
        let blocks = blocks.iter().map(|block| Block {
            expand: block.expand.as_ref().map(|expand| pointwise(expand, true)),
            depthwise: Depthwise::new(&block.depthwise.weight, &block.depthwise.bias, block.side, block.stride),
            project: pointwise(&block.project, false),
            residual: block.residual,
        });
        Self {
            machine,
            stem: Pointwise::new(s, &turned, &stem.bias, true),
            blocks: blocks.collect(),
            head: pointwise(head, true),
        }
    }

    /// A photo's map `[cells, channels]` from its pixels `[size, size, 3]`.
    ///
    /// # Panics
    /// If that is not their number, or `size` is no multiple of 32.
    pub fn map(&self, size: usize, pixels: &[f32], room: &mut Room) -> Vec<f32> {
        assert!(size.is_multiple_of(32) && pixels.len() == size * size * 3);
        with_lanes!(self.machine, lanes => self.on(lanes, size, pixels, room))
    }

    fn on<S: Lanes>(&self, s: S, size: usize, pixels: &[f32], room: &mut Room) -> Vec<f32> {
        let wide = |block: &Block| block.project.panels().max(block.expand.as_ref().map_or(0, Pointwise::panels));
        let panels = self.blocks.iter().map(wide).max().unwrap_or(0).max(self.head.panels()).max(self.stem.panels());
        room.panels.clear();
        room.panels.resize(panels, 0.0);
        let mut side = size / 2;
        self.stem(s, size, pixels, room);
        for block in &self.blocks {
            side = block.run(s, side, room);
        }
        let mut map = vec![0.0; side * side * self.head.output];
        self.head.run(s, &room.map, &mut room.panels, &mut map);
        map
    }

    fn stem<S: Lanes>(&self, s: S, size: usize, pixels: &[f32], room: &mut Room) {
        // One column and one row of zeros behind the photo.
        let (row, half) = ((size + 1) * 3, size / 2);
        room.strip.clear();
        room.strip.resize((size + 1) * row, 0.0);
        for (line, to) in pixels.chunks_exact(size * 3).zip(room.strip.chunks_exact_mut(row)) {
            to[..size * 3].copy_from_slice(line);
        }
        room.map.resize(half * half * self.stem.output, 0.0);
        room.panels[..PANEL].fill(0.0);
        for (block, out) in room.map.chunks_mut(BLOCK * self.stem.output).enumerate() {
            let rows = out.len() / self.stem.output;
            for number in 0..rows {
                let cell = block * BLOCK + number;
                let begin = cell / half * 2 * row + cell % half * 6;
                for y in 0..3 {
                    room.panels[number * ROW + y * 9..][..9].copy_from_slice(&room.strip[begin + y * row..][..9]);
                }
            }
            self.stem.apply(s, rows, &room.panels, out);
        }
    }
}

impl Block {
    /// Replaces the room's map of `side` x `side` cells; the new side.
    fn run<S: Lanes>(&self, s: S, side: usize, room: &mut Room) -> usize {
        let Room { map, next, strip, panels } = room;
        let Depthwise { side: kernel, stride, channels: inner, .. } = self.depthwise;
        let (before, after) = self.depthwise.padding();
        let (out_side, output) = (side / stride, self.project.output);
        let row = (side + before + after) * inner;
        // The rows of a strip: as many as the cache takes, at least one row of the result.
        let rows = (STRIP / row).saturating_sub(kernel - stride).max(stride) / stride;
        let rows = rows.clamp(1, out_side);
        let height = (rows - 1) * stride + kernel;
        strip.clear();
        strip.resize(height * row, 0.0);
        next.resize(out_side * out_side * output, 0.0);
        let cells_row = map.len() / side;
        let mut begins = Vec::with_capacity(BLOCK);
        let mut have = 0;
        for first in (0..out_side).step_by(rows) {
            let rows = rows.min(out_side - first);
            let needed = (rows - 1) * stride + kernel;
            for number in have..needed {
                let line = &mut strip[number * row..][..row];
                match (first * stride + number).checked_sub(before).filter(|&y| y < side) {
                    Some(y) => self.line(s, &map[y * cells_row..][..cells_row], line, (before, inner), panels),
                    None => line.fill(0.0),
                }
            }
            let cells = first * out_side..(first + rows) * out_side;
            for block in cells.clone().step_by(BLOCK) {
                begins.clear();
                let places =
                    (block..cells.end.min(block + BLOCK)).map(|cell| (cell / out_side - first, cell % out_side));
                begins.extend(places.map(|(y, x)| y * stride * row + x * stride * inner));
                s.run(Cells { layer: &self.depthwise, map: strip, row, begins: &begins, panels });
                self.project.apply(s, begins.len(), panels, &mut next[block * output..][..begins.len() * output]);
            }
            // What the next strip begins with.
            let begin = rows * stride;
            have = needed.saturating_sub(begin);
            strip.copy_within(begin * row..needed * row, 0);
        }
        if self.residual {
            s.run(Add { to: next, from: map });
        }
        std::mem::swap(map, next);
        map.truncate(out_side * out_side * output);
        out_side
    }

    /// One row of the map, expanded, between its zeros.
    fn line<S: Lanes>(
        &self,
        s: S,
        cells: &[f32],
        line: &mut [f32],
        (before, inner): (usize, usize),
        panels: &mut [f32],
    ) {
        let (left, rest) = line.split_at_mut(before * inner);
        left.fill(0.0);
        match &self.expand {
            Some(expand) => {
                let (middle, right) = rest.split_at_mut(cells.len() / expand.input * inner);
                right.fill(0.0);
                expand.run(s, cells, panels, middle);
            }
            None => {
                rest[cells.len()..].fill(0.0);
                rest[..cells.len()].copy_from_slice(cells);
            }
        }
    }
}

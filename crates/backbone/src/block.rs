//! An inverted residual: 1×1 and ReLU6, a kernel for each channel and ReLU6, 1×1.

use std::sync::Mutex;

use super::depthwise::{Depthwise, Line};
use super::pointwise::{Add, Fill, PART, Part, Pointwise, block_of};
use super::{Folded, Inverted};
use crate::thread_pool::{ThreadPool, chunks, locked};
use crate::workspace::{Strip, take};
use grnet_simd::PANEL_ROWS;
use grnet_simd::Simd;

/// Floats that leave the depthwise convolution of a strip: they stay in the second cache until they are projected.
const OUT: usize = 128 << 10;

/// Cells of the map that a strip begins with, without its overlap. As an operand each takes 1,088 bytes, however few its
/// channels.
const IN: usize = 1024;

/// What a block does with up to [`PART`] of its inner channels before they are projected.
#[derive(Debug)]
struct Slice {
    expand: Option<Part>,
    depthwise: Depthwise,
}

/// An inverted residual with packed weights.
#[derive(Debug)]
pub struct Block {
    slices: Vec<Slice>,
    project: Pointwise,
    /// Channels in.
    input: usize,
    /// Side and stride of the depthwise kernels.
    kernel: usize,
    stride: usize,
    residual: bool,
}

impl Block {
    /// Packs its weights.
    ///
    /// # Panics
    /// If there is no memory for them, or its depthwise kernels are neither 3×3 nor 5×5, or their stride neither 1 nor 2.
    pub fn new<S: Simd>(s: S, block: &Inverted) -> Self {
        let Inverted { depthwise: Folded { weight, bias }, side, stride, .. } = block;
        assert!(matches!((side, stride), (3 | 5, 1 | 2)), "depthwise kernels of {side} under a stride of {stride}");
        let layers = weight.chunks(PART * side * side).zip(bias.chunks(PART));
        let layers = layers.map(|(weight, bias)| Depthwise::new(weight, bias, *side, *stride));
        let project = Pointwise::new(s, &block.project.weight, &block.project.bias, false);
        let expand = block.expand.as_ref().map(|expand| Pointwise::new(s, &expand.weight, &expand.bias, true));
        let input = expand.as_ref().map_or(project.input, |expand| expand.input);
        let inner = expand.as_ref().map_or(project.input, |expand| expand.output);
        assert_eq!(
            (inner, bias.len().next_multiple_of(16)),
            (project.input, project.input),
            "a block's inner channels"
        );
        let mut parts = expand.into_iter().flat_map(|expand| expand.parts);
        let slices = layers.map(|depthwise| Slice { expand: parts.next(), depthwise }).collect();
        Self { slices, project, input, kernel: *side, stride: *stride, residual: block.residual }
    }

    /// Channels out.
    pub fn output(&self) -> usize {
        self.project.output
    }

    /// Side of the map that comes of one of `side` x `side` cells.
    pub fn side(&self, side: usize) -> usize {
        side / self.stride
    }

    /// Rows of a strip of the result: what the caches take, and where the bits allow it about a strip for each thread.
    ///
    /// A strip expands again what it shares with its neighbours, `kernel - stride` rows. So a wide map's strips may be larger
    /// than the caches take, and a small map is cut for a few threads only.
    fn rows(&self, side: usize, threads: usize) -> usize {
        assert!(side.is_multiple_of(self.stride), "{side} cells a side under a stride of {}", self.stride);
        let (most, overlap) = (IN / (side * self.stride), self.kernel - self.stride);
        let side = self.side(side);
        let most = (OUT / (side * self.project.input)).min(most).max(2 * overlap).clamp(1, side);
        // A block of one cell adds up in another order than a larger one. Sides of 7 n leave blocks of 14 and 7 cells
        // however they are cut; others are cut as if there was one thread.
        let threads = if side.is_multiple_of(PANEL_ROWS / 2) { threads.min(side.div_ceil(overlap)) } else { 1 };
        side.div_ceil(side.div_ceil(most).next_multiple_of(threads))
    }

    /// A map `[side², input]` to the next one.
    pub fn run<S: Simd>(
        &self,
        s: S,
        pool: &dyn ThreadPool,
        (side, map): (usize, &[f32]),
        next: &mut [f32],
        rooms: &Mutex<Vec<Strip>>,
    ) {
        let rows = self.rows(side, pool.threads());
        chunks(pool, next, rows * self.side(side) * self.output(), |number, out| {
            let mut workspace = locked(rooms).pop().unwrap_or_default();
            self.strip(s, (side, map), number * rows, out, &mut workspace);
            locked(rooms).push(workspace);
        });
    }

    /// Rows of the result from `first` on.
    fn strip<S: Simd>(&self, s: S, (side, map): (usize, &[f32]), first: usize, out: &mut [f32], workspace: &mut Strip) {
        let Strip { cells, expanded, plane, panels } = workspace;
        let (out_side, inner) = (self.side(side), self.project.input);
        let rows = out.len() / self.output() / out_side;
        // TensorFlow's SAME for even sides: rows and columns of zeros before and after the map.
        let padding = self.kernel - self.stride;
        let before = padding / 2;
        let (width, height) = (side + padding, (rows - 1) * self.stride + self.kernel);
        // Rows of the map under the strip, and where the first of them lies in the plane.
        let top = (first * self.stride).saturating_sub(before);
        let skip = (top + before) - first * self.stride;
        let bottom = (first * self.stride + height - before).min(side);
        let under = &map[top * side * self.input..bottom * side * self.input];
        let count = (bottom - top) * side;

        let cells: &[f32] = if self.slices.iter().any(|slice| slice.expand.is_some()) {
            let panels = take(cells, count.div_ceil(PANEL_ROWS) * block_of::<S>(self.input));
            s.vectorize(Fill { cells: under, channels: self.input, panels });
            panels
        } else {
            &[]
        };
        let block = block_of::<S>(inner);
        let panels = take(panels, (rows * out_side).div_ceil(PANEL_ROWS) * block);
        let plane = take(plane, width * height * PART);
        for (number, Slice { expand, depthwise }) in self.slices.iter().enumerate() {
            let channels = depthwise.channels;
            let row = width * channels;
            let plane = &mut plane[..height * row];
            plane[..skip * row].fill(0.0);
            plane[(skip + bottom - top) * row..].fill(0.0);
            let lines = plane[skip * row..].chunks_exact_mut(row).take(bottom - top);
            match expand {
                // Whole blocks of cells lie in one row: straight to where they belong.
                Some(part) if side.is_multiple_of(PANEL_ROWS) => {
                    let mut cells = cells.chunks(block_of::<S>(self.input));
                    for line in lines {
                        let inside = between(line, before * channels, side * channels);
                        for (out, cells) in inside.chunks_exact_mut(PANEL_ROWS * channels).zip(&mut cells) {
                            part.apply(s, PANEL_ROWS, cells, out, channels);
                        }
                    }
                }
                Some(part) => {
                    let expanded = take(expanded, count * channels);
                    let blocks = expanded.chunks_mut(PANEL_ROWS * channels);
                    for (out, cells) in blocks.zip(cells.chunks(block_of::<S>(self.input))) {
                        part.apply(s, out.len() / channels, cells, out, channels);
                    }
                    for (line, from) in lines.zip(expanded.chunks_exact(side * channels)) {
                        between(line, before * channels, side * channels).copy_from_slice(from);
                    }
                }
                None => {
                    for (line, from) in lines.zip(under.chunks_exact(side * self.input)) {
                        let inside = between(line, before * channels, side * channels);
                        let from = from[number * PART..].chunks(self.input);
                        for (to, from) in inside.chunks_exact_mut(channels).zip(from) {
                            to.copy_from_slice(&from[..channels]);
                        }
                    }
                }
            }
            for y in 0..rows {
                s.vectorize(Line {
                    layer: depthwise,
                    plane: &plane[y * self.stride * row..],
                    row,
                    cells: out_side,
                    panels,
                    block,
                    begin: (y * out_side, number * PART),
                });
            }
        }
        self.project.run(s, panels, out);
        if self.residual {
            s.vectorize(Add { to: out, from: &map[first * side * self.input..] });
        }
    }
}

/// What lies between a row's zeros, which are made.
fn between(row: &mut [f32], begin: usize, count: usize) -> &mut [f32] {
    let (before, rest) = row.split_at_mut(begin);
    let (inside, after) = rest.split_at_mut(count);
    before.fill(0.0);
    after.fill(0.0);
    inside
}

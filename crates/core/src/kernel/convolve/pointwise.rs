//! 1×1 convolutions: products of a map's cells.

use crate::kernel::lanes::{Lanes, Work};
use crate::kernel::product::{Out, Product, Right, tile_columns};
use crate::kernel::scratch::Aligned;
use crate::kernel::tile::{BLOCK, CHUNK, PANEL, ROW};
use crate::kernel::weights::up;

use super::room::places;

/// Channels of a part: two vectors of the widest set. A part's weights stay in the first cache while the cells pass by.
pub const PART: usize = 32;

/// Kernel and bias as the tiles read them, for up to [`PART`] channels out; channels are rounded up to whole vectors of 16.
#[derive(Debug)]
pub struct Part {
    values: Aligned,
    bias: Vec<f32>,
    /// Channels in.
    input: usize,
    /// Channels out.
    pub columns: usize,
    /// Whether ReLU6 follows.
    active: bool,
}

/// A convolution, part by part.
#[derive(Debug)]
pub struct Pointwise {
    /// Its parts, in the order of their channels.
    pub parts: Vec<Part>,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
}

impl Pointwise {
    /// Packs a kernel `[output, input]`.
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn new<S: Lanes>(s: S, weight: &[f32], bias: &[f32], active: bool) -> Self {
        let real = weight.len() / bias.len();
        let parts = weight.chunks(PART * real).zip(bias.chunks(PART));
        let parts = parts.map(|(weight, bias)| Part::new(s, weight, bias, active)).collect();
        Self { parts, input: up(real), output: up(bias.len()) }
    }

    /// Cells that lie in panels, to `out`: a row each, one behind the other.
    pub fn run<S: Lanes>(&self, s: S, panels: &[f32], out: &mut [f32]) {
        for (number, part) in self.parts.iter().enumerate() {
            let blocks = out.chunks_mut(BLOCK * self.output);
            for (out, panels) in blocks.zip(panels.chunks(block_of(self.input))) {
                part.apply(s, out.len() / self.output, panels, &mut out[number * PART..], self.output);
            }
        }
    }
}

impl Part {
    fn new<S: Lanes>(_: S, weight: &[f32], bias: &[f32], active: bool) -> Self {
        let (real, full) = (weight.len() / bias.len(), tile_columns::<S>());
        let (input, columns) = (up(real), up(bias.len()));
        let mut values = Aligned::default();
        let mut to = places(&mut values, input * columns).iter_mut();
        for first in (0..input).step_by(CHUNK) {
            for tile in (0..columns).step_by(full) {
                for k in first..input.min(first + CHUNK) {
                    for (column, place) in (tile..columns.min(tile + full)).zip(&mut to) {
                        *place = if k < real && column < bias.len() { weight[column * real + k] } else { 0.0 };
                    }
                }
            }
        }
        let mut start = bias.to_vec();
        start.resize(columns, 0.0);
        Self { values, bias: start, input, columns, active }
    }

    /// Up to [`BLOCK`] cells, which lie in panels, to `out`: rows `distance` apart.
    pub fn apply<S: Lanes>(&self, s: S, rows: usize, panels: &[f32], out: &mut [f32], distance: usize) {
        s.run(Product {
            rows,
            inner: self.input,
            columns: self.columns,
            left: panels,
            right: Right::Packed(&self.values.get()[..self.input * self.columns]),
            start: Some(&self.bias),
            out: Out::Rows(out, distance),
            relu: self.active,
        });
        if self.active {
            s.run(Cap { values: out, columns: self.columns, distance });
        }
    }
}

/// Floats of a block of cells as a left operand.
pub fn block_of(channels: usize) -> usize {
    channels.div_ceil(CHUNK) * PANEL
}

/// Where a cell's channels from `channel` on lie in blocks of `block` floats; a piece ends at a multiple of [`CHUNK`].
#[inline(always)]
pub fn place_of(cell: usize, channel: usize, block: usize) -> usize {
    cell / BLOCK * block + channel / CHUNK * PANEL + cell % BLOCK * ROW + channel % CHUNK
}

/// Cells that lie one behind the other, to panels.
pub fn fill(cells: &[f32], channels: usize, panels: &mut [f32]) {
    for (cells, panels) in cells.chunks(BLOCK * channels).zip(panels.chunks_mut(block_of(channels))) {
        for (row, cell) in cells.chunks_exact(channels).enumerate() {
            for (piece, values) in cell.chunks(CHUNK).enumerate() {
                panels[piece * PANEL + row * ROW..][..values.len()].copy_from_slice(values);
            }
        }
    }
}

/// The upper end of ReLU6; the product has made the lower one.
struct Cap<'a> {
    values: &'a mut [f32],
    columns: usize,
    distance: usize,
}

impl Work for Cap<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) {
        let six = s.splat(6.0);
        for row in self.values.chunks_mut(self.distance) {
            for values in row[..self.columns].chunks_exact_mut(S::WIDTH) {
                s.store(s.min(s.load(values), six), values);
            }
        }
    }
}

/// `to += from`, what goes around a block.
pub struct Add<'a> {
    /// What is added to.
    pub to: &'a mut [f32],
    /// What is added.
    pub from: &'a [f32],
}

impl Work for Add<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) {
        for (to, from) in self.to.chunks_exact_mut(S::WIDTH).zip(self.from.chunks_exact(S::WIDTH)) {
            s.store(s.add(s.load(to), s.load(from)), to);
        }
    }
}

//! 1×1 convolutions: products of a map's cells.

use crate::kernel::lanes::{Lanes, Work};
use crate::kernel::product::{Out, Product, Right, tile_columns};
use crate::kernel::scratch::Aligned;
use crate::kernel::tile::{BLOCK, CHUNK, PANEL, ROW};
use crate::kernel::weights::up;

/// Kernel and bias as the tiles read them; channels are rounded up to whole vectors of 16.
#[derive(Debug)]
pub struct Pointwise {
    values: Aligned,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    bias: Vec<f32>,
    /// Whether ReLU6 follows.
    active: bool,
}

impl Pointwise {
    /// Packs a kernel `[output, input]`.
    ///
    /// # Panics
    /// If there is no memory for it.
    pub fn new<S: Lanes>(_: S, weight: &[f32], bias: &[f32], active: bool) -> Self {
        let (real, full) = (weight.len() / bias.len(), tile_columns::<S>());
        let (input, output) = (up(real), up(bias.len()));
        let mut values = Aligned::default();
        values.try_grow(input * output).unwrap_or_else(|error| panic!("{error}"));
        let mut places = values.get_mut().iter_mut();
        for first in (0..input).step_by(CHUNK) {
            for tile in (0..output).step_by(full) {
                for k in first..input.min(first + CHUNK) {
                    for (column, place) in (tile..output.min(tile + full)).zip(&mut places) {
                        *place = if k < real && column < bias.len() { weight[column * real + k] } else { 0.0 };
                    }
                }
            }
        }
        let mut start = bias.to_vec();
        start.resize(output, 0.0);
        Self { values, input, output, bias: start, active }
    }

    /// Floats of a left operand.
    pub fn panels(&self) -> usize {
        self.input.div_ceil(CHUNK) * PANEL
    }

    /// Up to [`BLOCK`] cells, which lie in panels, to `out`: a row each, one behind the other.
    pub fn apply<S: Lanes>(&self, s: S, rows: usize, panels: &[f32], out: &mut [f32]) {
        s.run(Product {
            rows,
            inner: self.input,
            columns: self.output,
            left: panels,
            right: Right::Packed(&self.values.get()[..self.input * self.output]),
            start: Some(&self.bias),
            out: Out::Rows(out, self.output),
            relu: self.active,
        });
        if self.active {
            s.run(Cap { values: &mut out[..rows * self.output] });
        }
    }

    /// Cells that lie one behind the other, to `out`.
    pub fn run<S: Lanes>(&self, s: S, cells: &[f32], panels: &mut [f32], out: &mut [f32]) {
        for (cells, out) in cells.chunks(BLOCK * self.input).zip(out.chunks_mut(BLOCK * self.output)) {
            fill(cells, self.input, panels);
            self.apply(s, cells.len() / self.input, panels, out);
        }
    }
}

/// Cells of some channels to panels.
pub fn fill(cells: &[f32], channels: usize, panels: &mut [f32]) {
    for (row, cell) in cells.chunks_exact(channels).enumerate() {
        for (piece, values) in cell.chunks(CHUNK).enumerate() {
            panels[piece * PANEL + row * ROW..][..values.len()].copy_from_slice(values);
        }
    }
}

/// The upper end of ReLU6; the product has made the lower one.
struct Cap<'a> {
    values: &'a mut [f32],
}

impl Work for Cap<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) {
        let six = s.splat(6.0);
        for values in self.values.chunks_exact_mut(S::WIDTH) {
            s.store(s.min(s.load(values), six), values);
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

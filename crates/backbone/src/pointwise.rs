//! 1×1 convolutions: products of a map's cells.

use half::bf16;

use grnet_simd::AlignedBuffer;
use grnet_simd::up;
use grnet_simd::{F32, Out, Product, Right, Scales, tile_columns};
use grnet_simd::{PANEL_DEPTH, PANEL_LEN, PANEL_ROWS, PANEL_STRIDE};
use grnet_simd::{Simd, WithSimd};

use crate::workspace::take;

/// Channels of a part: two vectors of the widest set. The cells of a strip pass by while a part's weights stay.
pub const PART: usize = 32;

/// Kernel and bias as the tiles read them, for up to [`PART`] channels out; channels are rounded up to whole vectors of 16.
#[derive(Debug)]
pub struct Part {
    values: AlignedBuffer,
    bias: Vec<f32>,
    /// Places of the channels in.
    inner: usize,
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
    pub fn new<S: Simd>(s: S, weight: &[f32], bias: &[f32], active: bool) -> Self {
        let real = weight.len() / bias.len();
        let parts = weight.chunks(PART * real).zip(bias.chunks(PART));
        let parts = parts.map(|(weight, bias)| Part::new(s, weight, bias, active)).collect();
        Self { parts, input: up(real), output: up(bias.len()) }
    }

    /// Cells that lie in panels, to `out`: a row each, one behind the other.
    pub fn run<S: Simd>(&self, s: S, panels: &[f32], out: &mut [f32]) {
        for (number, part) in self.parts.iter().enumerate() {
            let blocks = out.chunks_mut(PANEL_ROWS * self.output);
            for (out, panels) in blocks.zip(panels.chunks(block_of::<S>(self.input))) {
                part.apply(s, out.len() / self.output, panels, &mut out[number * PART..], self.output);
            }
        }
    }
}

impl Part {
    fn new<S: Simd>(_: S, weight: &[f32], bias: &[f32], active: bool) -> Self {
        let (real, full) = (weight.len() / bias.len(), tile_columns::<S>());
        let (inner, columns) = (elements_of::<S>(up(real)), up(bias.len()));
        let at =
            |column: usize, k: usize| if k < real && column < bias.len() { weight[column * real + k] } else { 0.0 };
        let mut values = AlignedBuffer::default();
        let mut to = take(&mut values, inner * columns).iter_mut();
        for first in (0..inner).step_by(PANEL_DEPTH) {
            for tile in (0..columns).step_by(full) {
                for k in first..inner.min(first + PANEL_DEPTH) {
                    for (column, element) in (tile..columns.min(tile + full)).zip(&mut to) {
                        *element = if S::BF16 { pair(at(column, 2 * k), at(column, 2 * k + 1)) } else { at(column, k) };
                    }
                }
            }
        }
        let mut start = bias.to_vec();
        start.resize(columns, 0.0);
        Self { values, bias: start, inner, columns, active }
    }

    /// Up to [`PANEL_ROWS`] cells, which lie in panels, to `out`: rows `distance` apart.
    pub fn apply<S: Simd>(&self, s: S, rows: usize, panels: &[f32], out: &mut [f32], distance: usize) {
        s.vectorize(Product::<F32> {
            rows,
            inner: self.inner,
            columns: self.columns,
            left: panels,
            right: Right::Packed(&self.values.get()[..self.inner * self.columns]),
            scales: Scales::NONE,
            start: Some(&self.bias),
            out: Out::Rows(out, distance),
            relu: self.active,
        });
        if self.active {
            s.vectorize(Cap { values: out, columns: self.columns, distance });
        }
    }
}

/// Places that channels take in an operand: a pair of bf16 shares one.
fn elements_of<S: Simd>(channels: usize) -> usize {
    if S::BF16 { channels / 2 } else { channels }
}

/// Two numbers in one element, the first in its lower half.
fn pair(first: f32, second: f32) -> f32 {
    let bits = |v: f32| u32::from(bf16::from_f32(v).to_bits());
    f32::from_bits(bits(first) | bits(second) << 16)
}

/// Floats of a block of cells as a left operand.
pub fn block_of<S: Simd>(channels: usize) -> usize {
    elements_of::<S>(channels).div_ceil(PANEL_DEPTH) * PANEL_LEN
}

/// Where a cell's channels from `channel` on lie in blocks of `block` floats; a piece ends at a multiple of [`PANEL_DEPTH`].
#[inline(always)]
pub fn index_of<S: Simd>(cell: usize, channel: usize, block: usize) -> usize {
    let element = elements_of::<S>(channel);
    cell / PANEL_ROWS * block
        + element / PANEL_DEPTH * PANEL_LEN
        + cell % PANEL_ROWS * PANEL_STRIDE
        + element % PANEL_DEPTH
}

/// Cells that lie one behind the other, to panels.
pub struct Fill<'a> {
    /// The cells.
    pub cells: &'a [f32],
    /// Channels of one.
    pub channels: usize,
    /// Blocks of them.
    pub panels: &'a mut [f32],
}

impl WithSimd for Fill<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let block = block_of::<S>(self.channels);
        for (number, cell) in self.cells.chunks_exact(self.channels).enumerate() {
            for (vector, values) in cell.chunks_exact(S::WIDTH).enumerate() {
                let element = index_of::<S>(number, vector * S::WIDTH, block);
                s.store_operand(s.load(values), &mut self.panels[element..]);
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

impl WithSimd for Cap<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
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

impl WithSimd for Add<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        for (to, from) in self.to.chunks_exact_mut(S::WIDTH).zip(self.from.chunks_exact(S::WIDTH)) {
            s.store(s.add(s.load(to), s.load(from)), to);
        }
    }
}

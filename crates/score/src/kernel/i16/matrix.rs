//! A model's matrices in 16-bit integers, as the tiles read them.

use super::super::weights::{Matrix, Weights};
use super::{LEVELS, SQUARE_LEVELS, SQUARE_SUM, SUM};
use grnet_simd::AlignedBuffer;
use grnet_simd::PANEL_DEPTH;
use grnet_simd::Right;
use grnet_simd::Simd;
use grnet_simd::tile_columns;

/// A right operand that stays: `[inner / 2, columns]` of pairs, and every column's scale in every piece.
#[derive(Debug)]
pub struct MatrixI16 {
    /// Pairs, in elements that begin at a cache line.
    values: AlignedBuffer,
    inner: usize,
    columns: usize,
    /// `[inner / PANEL_DEPTH][columns]`.
    scales: Vec<f32>,
}

impl MatrixI16 {
    /// Quantises a matrix whose partner has magnitudes of at most `levels`, so that the magnitudes of a column's piece
    /// sum to at most `sum`.
    fn new<S: Simd>(matrix: &Matrix, sum: f32) -> Self {
        let (inner, columns) = matrix.shape();
        let full = tile_columns::<S>();
        let mut scales = Vec::with_capacity(inner.div_ceil(PANEL_DEPTH) * columns);
        let mut values = AlignedBuffer::default();
        values.try_grow(inner * columns / 2).unwrap_or_else(|error| panic!("{error}"));
        let pairs: &mut [i32] = bytemuck::cast_slice_mut(&mut values.get_mut()[..inner * columns / 2]);
        let mut elements = pairs.iter_mut();
        for first in (0..inner).step_by(PANEL_DEPTH) {
            let ks = first..inner.min(first + PANEL_DEPTH);
            let piece = scales.len();
            scales.extend((0..columns).map(|column| {
                let column = ks.clone().map(|k| matrix.at::<S>(k, column).abs());
                let (largest, total) = column.fold((0.0f32, 0.0f32), |(l, t), v| (l.max(v), t + v));
                (largest / LEVELS).max(total / sum).max(f32::MIN_POSITIVE)
            }));
            for tile in (0..columns).step_by(full) {
                for k in ks.clone().step_by(2) {
                    for (column, element) in (tile..columns.min(tile + full)).zip(&mut elements) {
                        let rounded = |k| (matrix.at::<S>(k, column) / scales[piece + column]).round_ties_even() as i16;
                        *element = (i32::from(rounded(k) as u16) | i32::from(rounded(k + 1)) << 16).to_le();
                    }
                }
            }
        }
        Self { values, inner, columns, scales }
    }

    /// The operand from the piece on that begins at inner index `first`, and its scales.
    pub fn from(&self, first: usize) -> (Right<'_, i32>, &[f32]) {
        let pairs = bytemuck::cast_slice(&self.values.get()[first / 2 * self.columns..self.inner * self.columns / 2]);
        (Right::Packed(pairs), &self.scales[first / PANEL_DEPTH * self.columns..])
    }
}

/// One layer's matrices.
#[derive(Debug)]
pub struct LayerI16 {
    /// A.
    pub attend: MatrixI16,
    /// Wᵀ.
    pub update: MatrixI16,
}

/// A model's matrices in 16-bit integers, beside those in f32.
#[derive(Debug)]
pub struct WeightsI16 {
    /// Pᵀ.
    pub projections: Vec<MatrixI16>,
    /// All layers but the last, which stays in f32.
    pub layers: Vec<LayerI16>,
    /// Scales of operands that have one for all columns, for every piece of the longest: nodes as what is asked for, D by
    /// N, and as what is sent, N by D.
    pub ones: Vec<f32>,
}

impl WeightsI16 {
    /// Quantises a model's weights.
    pub fn new<S: Simd>(_: S, w: &Weights) -> Self {
        debug_assert!(SQUARE_SUM * SQUARE_LEVELS < 2f32.powi(31) && SUM * LEVELS < 2f32.powi(31));
        let layer = |layer: &super::super::weights::Folded| LayerI16 {
            attend: MatrixI16::new::<S>(&layer.attend, SUM),
            update: MatrixI16::new::<S>(&layer.update, SUM),
        };
        let full = w.layers.len().saturating_sub(1);
        let pieces = |inner: usize| inner.div_ceil(PANEL_DEPTH);
        Self {
            projections: w.projections.iter().map(|p| MatrixI16::new::<S>(p, SQUARE_SUM)).collect(),
            layers: w.layers[..full].iter().map(layer).collect(),
            ones: vec![1.0; (pieces(w.dim) * w.columns).max(pieces(w.nodes) * w.dim)],
        }
    }
}

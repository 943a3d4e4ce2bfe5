//! A model's matrices in short integers, as the tiles read them.

use super::super::lanes::Lanes;
use super::super::product::tile_columns;
use super::super::scratch::Aligned;
use super::super::tile::CHUNK;
use super::super::weights::{Matrix, Weights};
use super::product::ShortRight;
use super::{LEVELS, SQUARE_LEVELS, SQUARE_SUM, SUM};

/// A right operand that stays: `[inner / 2, columns]` of pairs, and every column's scale in every piece.
#[derive(Debug)]
pub struct ShortMatrix {
    /// Pairs, in places that begin at a cache line.
    values: Aligned,
    inner: usize,
    columns: usize,
    /// `[inner / CHUNK][columns]`.
    scales: Vec<f32>,
}

impl ShortMatrix {
    /// Quantises a matrix whose partner has magnitudes of at most `levels`, so that the magnitudes of a column's piece
    /// sum to at most `sum`.
    fn new<S: Lanes>(matrix: &Matrix, sum: f32) -> Self {
        let (inner, columns) = matrix.shape();
        let full = tile_columns::<S>();
        let mut scales = Vec::with_capacity(inner.div_ceil(CHUNK) * columns);
        let mut values = Aligned::default();
        values.try_grow(inner * columns / 2).unwrap_or_else(|error| panic!("{error}"));
        let pairs: &mut [i32] = bytemuck::cast_slice_mut(&mut values.get_mut()[..inner * columns / 2]);
        let mut places = pairs.iter_mut();
        for first in (0..inner).step_by(CHUNK) {
            let ks = first..inner.min(first + CHUNK);
            let piece = scales.len();
            scales.extend((0..columns).map(|column| {
                let column = ks.clone().map(|k| matrix.at::<S>(k, column).abs());
                let (largest, total) = column.fold((0.0f32, 0.0f32), |(l, t), v| (l.max(v), t + v));
                (largest / LEVELS).max(total / sum).max(f32::MIN_POSITIVE)
            }));
            for tile in (0..columns).step_by(full) {
                for k in ks.clone().step_by(2) {
                    for (column, place) in (tile..columns.min(tile + full)).zip(&mut places) {
                        let short = |k| (matrix.at::<S>(k, column) / scales[piece + column]).round_ties_even() as i16;
                        *place = (i32::from(short(k) as u16) | i32::from(short(k + 1)) << 16).to_le();
                    }
                }
            }
        }
        Self { values, inner, columns, scales }
    }

    /// The operand from the piece on that begins at inner index `first`, and its scales.
    pub fn from(&self, first: usize) -> (ShortRight<'_>, &[f32]) {
        let pairs = bytemuck::cast_slice(&self.values.get()[first / 2 * self.columns..self.inner * self.columns / 2]);
        (ShortRight::Packed(pairs), &self.scales[first / CHUNK * self.columns..])
    }
}

/// One layer's matrices.
#[derive(Debug)]
pub struct ShortLayer {
    /// A.
    pub attend: ShortMatrix,
    /// Wᵀ.
    pub update: ShortMatrix,
}

/// A model's matrices in short integers, beside those in f32.
#[derive(Debug)]
pub struct ShortWeights {
    /// Pᵀ.
    pub projections: Vec<ShortMatrix>,
    /// All layers but the last, which stays in f32.
    pub layers: Vec<ShortLayer>,
    /// Scales of operands that have one for all columns, for every piece of the longest: nodes as what is asked for, D by
    /// N, and as what is sent, N by D.
    pub ones: Vec<f32>,
}

impl ShortWeights {
    /// Quantises a model's weights.
    pub fn new<S: Lanes>(_: S, w: &Weights) -> Self {
        debug_assert!(SQUARE_SUM * SQUARE_LEVELS < 2f32.powi(31) && SUM * LEVELS < 2f32.powi(31));
        let layer = |layer: &super::super::weights::Folded| ShortLayer {
            attend: ShortMatrix::new::<S>(&layer.attend, SUM),
            update: ShortMatrix::new::<S>(&layer.update, SUM),
        };
        let full = w.layers.len().saturating_sub(1);
        let pieces = |inner: usize| inner.div_ceil(CHUNK);
        Self {
            projections: w.projections.iter().map(|p| ShortMatrix::new::<S>(p, SQUARE_SUM)).collect(),
            layers: w.layers[..full].iter().map(layer).collect(),
            ones: vec![1.0; (pieces(w.dim) * w.columns).max(pieces(w.nodes) * w.dim)],
        }
    }
}

//! Nodes as a right operand: senders in columns.

use crate::product::tile_columns;
use crate::simd::{Simd, WithSimd};

/// Writes `[columns, inner]` as `[inner, columns]`, packed as [`Right::Packed`](crate::product::Right::Packed) says.
#[derive(Debug)]
pub struct Transpose<'a> {
    /// Row-major `[columns, inner]`.
    pub from: &'a [f32],
    /// A multiple of 16.
    pub columns: usize,
    /// A multiple of 8: pairs of i16s are moved like floats.
    pub inner: usize,
    /// Inner indices of a piece: [`PANEL_DEPTH`](crate::tile::PANEL_DEPTH), or half of it for pairs.
    pub piece: usize,
    /// As many elements.
    pub to: &'a mut [f32],
}

impl WithSimd for Transpose<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let full = tile_columns::<S>();
        for first in (0..self.inner).step_by(self.piece) {
            let inner = self.piece.min(self.inner - first);
            for tile in (0..self.columns).step_by(full) {
                let width = full.min(self.columns - tile);
                let to = &mut self.to[first * self.columns + tile * inner..];
                for column in (0..width).step_by(S::WIDTH) {
                    for k in (0..inner).step_by(S::WIDTH) {
                        let from = &self.from[(tile + column) * self.inner + first + k..];
                        s.transpose(from, self.inner, &mut to[k * width + column..], width);
                    }
                }
            }
        }
    }
}

//! Matrix products of one block of rows: which tiles, over which pieces of the operands.

use crate::element::{Element, F32, Scales};
use crate::simd::{Simd, WithSimd};
use crate::tile::{PANEL_DEPTH, PANEL_LEN, PANEL_STRIDE, Tile};

/// The right operand, `[inner / INNER, columns]` ([`Element::INNER`]).
#[derive(Debug, Clone, Copy)]
pub enum Right<'a, T = f32> {
    /// Piece by piece of [`PANEL_DEPTH`] inner indices, in each tile by tile, row-major `[inner / INNER, tile's columns]`.
    Packed(&'a [T]),
    /// Row-major, with the distance of its rows.
    Rows(&'a [T], usize),
}

/// Where results go: rows [`PANEL_STRIDE`] apart in pieces, as the next left operand, or row-major.
#[derive(Debug)]
pub enum Out<'a> {
    /// `[columns / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE]`.
    Panels(&'a mut [f32]),
    /// Row-major, with the distance of its rows.
    Rows(&'a mut [f32], usize),
}

/// `out = start + scales · left · right` for up to [`PANEL_ROWS`](crate::tile::PANEL_ROWS) rows.
#[derive(Debug)]
pub struct Product<'a, E: Element = F32> {
    /// Rows.
    pub rows: usize,
    /// Length of the sums, a multiple of [`Element::INNER`].
    pub inner: usize,
    /// Columns, a multiple of 16.
    pub columns: usize,
    /// `[inner / PANEL_DEPTH][PANEL_ROWS, STRIDE]` ([`Element::STRIDE`]).
    pub left: &'a [E::Left],
    /// The right operand.
    pub right: Right<'a, E::Right>,
    /// What gives results back their size.
    pub scales: Scales<'a>,
    /// What every row starts from; `None`: from what is in `out`.
    pub start: Option<&'a [f32]>,
    /// The result.
    pub out: Out<'a>,
    /// Whether negative sums become 0.
    pub relu: bool,
}

/// Columns of a full tile.
pub const fn tile_columns<S: Simd>() -> usize {
    2 * S::WIDTH
}

impl<E: Element> WithSimd for Product<'_, E> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, s: S) {
        let full = tile_columns::<S>();
        let pieces = self.inner.div_ceil(PANEL_DEPTH);
        for piece in 0..pieces {
            let steps = PANEL_DEPTH.min(self.inner - piece * PANEL_DEPTH) / E::INNER;
            let before = piece * PANEL_DEPTH / E::INNER;
            let mut column = 0;
            while column < self.columns {
                let width = full.min(self.columns - column);
                let (right, right_row) = match self.right {
                    Right::Packed(values) => (&values[before * self.columns + column * steps..], width),
                    Right::Rows(values, row) => (&values[before * row + column..], row),
                };
                let mut row = 0;
                while row < self.rows {
                    let rows = S::rows(self.rows - row);
                    let (out, out_row) = match &mut self.out {
                        Out::Panels(out) => (
                            &mut out[column / PANEL_DEPTH * PANEL_LEN + row * PANEL_STRIDE + column % PANEL_DEPTH..],
                            PANEL_STRIDE,
                        ),
                        Out::Rows(out, distance) => (&mut out[row * *distance + column..], *distance),
                    };
                    let tile = Tile {
                        rows,
                        narrow: width < full,
                        steps,
                        left: &self.left[piece * E::LEN + row * E::STRIDE..],
                        right,
                        right_row,
                        scales: if E::SCALED {
                            self.scales.from(row, piece * self.columns + column)
                        } else {
                            Scales::NONE
                        },
                        start: self.start.filter(|_| piece == 0).map(|start| &start[column..]),
                        out,
                        out_row,
                        relu: self.relu && piece + 1 == pieces,
                    };
                    E::tile(s, tile);
                    row += rows;
                }
                column += width;
            }
        }
    }
}

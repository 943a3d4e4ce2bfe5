//! Matrix products of one block of rows: which tiles, over which pieces of the operands.

use super::lanes::{Lanes, Work};
use super::tile::{CHUNK, PANEL, ROW, Tile};

/// The right operand, `[inner, columns]`.
#[derive(Debug, Clone, Copy)]
pub enum Right<'a> {
    /// Piece by piece of [`CHUNK`] inner indices, in each tile by tile, row-major `[inner, tile's columns]`.
    Packed(&'a [f32]),
    /// Row-major, with the distance of its rows.
    Rows(&'a [f32], usize),
}

/// Where results go: rows [`ROW`] apart in pieces, as the next left operand, or row-major.
#[derive(Debug)]
pub enum Out<'a> {
    /// `[columns / CHUNK][BLOCK, ROW]`.
    Panels(&'a mut [f32]),
    /// Row-major, with the distance of its rows.
    Rows(&'a mut [f32], usize),
}

/// `out = start + left · right` for up to [`BLOCK`](super::tile::BLOCK) rows.
#[derive(Debug)]
pub struct Product<'a> {
    /// Rows.
    pub rows: usize,
    /// Length of the sums.
    pub inner: usize,
    /// Columns, a multiple of 16.
    pub columns: usize,
    /// `[inner / CHUNK][BLOCK, ROW]`.
    pub left: &'a [f32],
    /// The right operand.
    pub right: Right<'a>,
    /// What every row starts from; `None`: from what is in `out`.
    pub start: Option<&'a [f32]>,
    /// The result.
    pub out: Out<'a>,
    /// Whether negative sums become 0.
    pub relu: bool,
}

/// Columns of a full tile.
pub const fn tile_columns<S: Lanes>() -> usize {
    2 * S::WIDTH
}

impl Work for Product<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(mut self, s: S) {
        let full = tile_columns::<S>();
        let pieces = self.inner.div_ceil(CHUNK);
        for piece in 0..pieces {
            let inner = CHUNK.min(self.inner - piece * CHUNK);
            let mut column = 0;
            while column < self.columns {
                let width = full.min(self.columns - column);
                let (right, right_row) = match self.right {
                    Right::Packed(values) => (&values[piece * CHUNK * self.columns + column * inner..], width),
                    Right::Rows(values, row) => (&values[piece * CHUNK * row + column..], row),
                };
                let mut row = 0;
                while row < self.rows {
                    let rows = S::rows(self.rows - row);
                    let (out, out_row) = match &mut self.out {
                        Out::Panels(out) => (&mut out[column / CHUNK * PANEL + row * ROW + column % CHUNK..], ROW),
                        Out::Rows(out, distance) => (&mut out[row * *distance + column..], *distance),
                    };
                    s.tile(Tile {
                        rows,
                        narrow: width < full,
                        inner,
                        left: &self.left[piece * PANEL + row * ROW..],
                        right,
                        right_row,
                        start: self.start.filter(|_| piece == 0).map(|start| &start[column..]),
                        out,
                        out_row,
                        relu: self.relu && piece + 1 == pieces,
                    });
                    row += rows;
                }
                column += width;
            }
        }
    }
}

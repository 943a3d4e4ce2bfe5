//! Products of one block of rows in short integers; the shapes are those of [`Product`](super::super::product::Product).

use super::super::lanes::{Lanes, Work};
use super::super::product::{Out, tile_columns};
use super::super::tile::{CHUNK, PANEL, ROW};
use super::tile::{SHORT_PANEL, SHORT_ROW, ShortTile};

/// The right operand, `[inner / 2, columns]` of pairs.
#[derive(Debug, Clone, Copy)]
pub enum ShortRight<'a> {
    /// Piece by piece of [`CHUNK`] inner indices, in each tile by tile.
    Packed(&'a [i32]),
    /// Row-major, with the distance of its rows.
    Rows(&'a [i32], usize),
}

/// `out = start + rows' scales · columns' scales · left · right`.
#[derive(Debug)]
pub struct ShortProduct<'a> {
    /// Rows.
    pub rows: usize,
    /// Length of the sums, even.
    pub inner: usize,
    /// Columns, a multiple of 16.
    pub columns: usize,
    /// `[inner / CHUNK][BLOCK, SHORT_ROW]`.
    pub left: &'a [i16],
    /// The right operand.
    pub right: ShortRight<'a>,
    /// One for each row.
    pub row_scales: &'a [f32],
    /// `[inner / CHUNK][columns]`.
    pub column_scales: &'a [f32],
    /// What every row starts from; `None`: from what is in `out`.
    pub start: Option<&'a [f32]>,
    /// The result.
    pub out: Out<'a>,
    /// Whether negative sums become 0.
    pub relu: bool,
}

impl Work for ShortProduct<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(mut self, s: S) {
        let full = tile_columns::<S>();
        let pieces = self.inner.div_ceil(CHUNK);
        for piece in 0..pieces {
            let pairs = CHUNK.min(self.inner - piece * CHUNK) / 2;
            let before = piece * CHUNK / 2;
            let mut column = 0;
            while column < self.columns {
                let width = full.min(self.columns - column);
                let (right, right_row) = match self.right {
                    ShortRight::Packed(values) => (&values[before * self.columns + column * pairs..], width),
                    ShortRight::Rows(values, row) => (&values[before * row + column..], row),
                };
                let mut row = 0;
                while row < self.rows {
                    let rows = S::rows(self.rows - row);
                    let (out, out_row) = match &mut self.out {
                        Out::Panels(out) => (&mut out[column / CHUNK * PANEL + row * ROW + column % CHUNK..], ROW),
                        Out::Rows(out, distance) => (&mut out[row * *distance + column..], *distance),
                    };
                    s.short_tile(ShortTile {
                        rows,
                        narrow: width < full,
                        pairs,
                        left: &self.left[piece * SHORT_PANEL + row * SHORT_ROW..],
                        right,
                        right_row,
                        row_scales: &self.row_scales[row..],
                        column_scales: &self.column_scales[piece * self.columns + column..],
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

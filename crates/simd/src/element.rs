//! What products are made of.

use crate::simd::Simd;
use crate::tile::{PANEL_LEN, PANEL_STRIDE, Tile};
use crate::tile_i16::{PANEL_LEN_I16, PANEL_STRIDE_I16};

/// The numbers of a product's operands. Results are floats.
pub trait Element: Sized + 'static {
    /// A number of the left operand.
    type Left: Copy + std::fmt::Debug;
    /// What lies in one row and column of the right operand.
    type Right: Copy + std::fmt::Debug;
    /// Inner indices of one row of the right operand.
    const INNER: usize;
    /// Distance of a left operand's rows.
    const STRIDE: usize;
    /// Numbers of one piece of a left operand, `[PANEL_ROWS, STRIDE]`.
    const LEN: usize;

    /// Whether results are multiplied with [`Scales`].
    const SCALED: bool;

    /// One tile, by the instruction set.
    fn tile<S: Simd>(s: S, tile: Tile<'_, Self>);
}

/// 32-bit floats, or pairs of bf16 in their place where the set multiplies those ([`Simd::BF16`]).
#[derive(Debug, Clone, Copy)]
pub struct F32;

impl Element for F32 {
    type Left = f32;
    type Right = f32;
    const INNER: usize = 1;
    const STRIDE: usize = PANEL_STRIDE;
    const LEN: usize = PANEL_LEN;
    const SCALED: bool = false;

    #[inline(always)]
    fn tile<S: Simd>(s: S, tile: Tile<'_, Self>) {
        s.tile(tile);
    }
}

/// 16-bit integers: products of pairs, exact sums, and a scale for each row and column.
#[derive(Debug, Clone, Copy)]
pub struct I16;

/// What sums of integers are multiplied with.
#[derive(Debug, Clone, Copy)]
pub struct Scales<'a> {
    /// One for each row.
    pub rows: &'a [f32],
    /// `[inner / PANEL_DEPTH][columns]`.
    pub columns: &'a [f32],
}

impl Scales<'_> {
    /// None, beside floats.
    pub const NONE: Self = Self { rows: &[], columns: &[] };

    /// Those from a row and a column on, the latter counted through all pieces.
    #[inline(always)]
    pub(crate) fn from(self, row: usize, column: usize) -> Self {
        Self { rows: &self.rows[row..], columns: &self.columns[column..] }
    }
}

impl Element for I16 {
    type Left = i16;
    type Right = i32;
    const INNER: usize = 2;
    const STRIDE: usize = PANEL_STRIDE_I16;
    const LEN: usize = PANEL_LEN_I16;
    const SCALED: bool = true;

    #[inline(always)]
    fn tile<S: Simd>(s: S, tile: Tile<'_, Self>) {
        s.tile_i16(tile);
    }
}

//! Floats to 16-bit integers and their scales.

use super::{LEVELS, SQUARE_LEVELS, SUM};
use grnet_simd::{PANEL_DEPTH, PANEL_LEN, PANEL_ROWS, PANEL_STRIDE};
use grnet_simd::{PANEL_LEN_I16, PANEL_STRIDE_I16};
use grnet_simd::{Simd, WithSimd};

/// Below, a row is taken for zeros: its scale would leave f32.
const NOTHING: f32 = 1e-30;

/// What the 16-bit integers of something with a largest magnitude are multiplied with, and what gives it back.
#[inline(always)]
fn scales(levels: f32, largest: f32) -> (f32, f32) {
    let largest = if largest > NOTHING { largest } else { NOTHING };
    // Multiplied, not divided, where the divisor is known.
    (levels / largest, largest * (1.0 / levels))
}

/// Squared differences of one block over one piece of the channels, as [`Squares`](super::super::squares::Squares);
/// gives what each row is multiplied with.
#[derive(Debug)]
pub struct SquaresI16<'a> {
    /// The left image's regions, row-major `[M, distance]`.
    pub left: &'a [f32],
    /// The right image's.
    pub right: &'a [f32],
    /// Distance of their rows.
    pub distance: usize,
    /// The block's pairs of regions.
    pub pairs: &'a [(u32, u32)],
    /// The first channel.
    pub first: usize,
    /// How many, a multiple of 16.
    pub channels: usize,
    /// Buffers for the squares, `[PANEL_ROWS, PANEL_STRIDE]`.
    pub squares: &'a mut [f32],
    /// `[PANEL_ROWS, PANEL_STRIDE_I16]`.
    pub out: &'a mut [i16],
}

impl WithSimd for SquaresI16<'_> {
    type Out = [f32; PANEL_ROWS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> [f32; PANEL_ROWS] {
        // Each step for all rows of the block: a row alone would wait for its largest value.
        let mut largest = [s.splat(0.0); PANEL_ROWS];
        let rows = self.pairs.iter().zip(self.squares.chunks_exact_mut(PANEL_STRIDE));
        for (((left, right), row), largest) in rows.zip(&mut largest) {
            let left = &self.left[*left as usize * self.distance + self.first..][..self.channels];
            let right = &self.right[*right as usize * self.distance + self.first..][..self.channels];
            let regions = left.chunks_exact(S::WIDTH).zip(right.chunks_exact(S::WIDTH));
            for (out, (a, b)) in row.chunks_exact_mut(S::WIDTH).zip(regions) {
                let d = s.sub(s.load(a), s.load(b));
                let square = s.mul(d, d);
                s.store(square, out);
                *largest = s.max(*largest, square);
            }
        }
        let (mut there, mut back) = ([0.0; PANEL_ROWS], [0.0; PANEL_ROWS]);
        for ((there, back), largest) in there.iter_mut().zip(&mut back).zip(largest) {
            (*there, *back) = scales(SQUARE_LEVELS, s.largest(largest));
        }
        let rows = self
            .squares
            .chunks_exact(PANEL_STRIDE)
            .zip(self.out.chunks_exact_mut(PANEL_STRIDE_I16))
            .take(self.pairs.len());
        for ((row, out), there) in rows.zip(there) {
            let there = s.splat(there);
            let row = row[..self.channels].chunks_exact(S::WIDTH);
            for (out, v) in out.chunks_exact_mut(S::WIDTH).zip(row) {
                s.store_i16(s.mul(s.load(v), there), out);
            }
        }
        back
    }
}

/// A block that came out of a product, as the next left operand, row by row; gives what each row is multiplied with.
/// LIMITED: the sum of a row's magnitudes is limited too, beside an operand that is not a model's.
#[derive(Debug)]
pub struct RowsI16<'a, const LIMITED: bool> {
    /// Rows.
    pub rows: usize,
    /// Their length, a multiple of 16.
    pub columns: usize,
    /// `[columns / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE]`.
    pub from: &'a [f32],
    /// `[columns / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE_I16]`.
    pub to: &'a mut [i16],
}

impl<const LIMITED: bool> WithSimd for RowsI16<'_, LIMITED> {
    type Out = [f32; PANEL_ROWS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> [f32; PANEL_ROWS] {
        let pieces = self.columns.div_ceil(PANEL_DEPTH);
        let part = |piece: usize| PANEL_DEPTH.min(self.columns - piece * PANEL_DEPTH);
        let mut sizes = [s.splat(0.0); PANEL_ROWS];
        let mut sums = [s.splat(0.0); PANEL_ROWS];
        for (row, (size, sum)) in sizes.iter_mut().zip(&mut sums).enumerate().take(self.rows) {
            for piece in 0..pieces {
                for v in self.from[piece * PANEL_LEN + row * PANEL_STRIDE..][..part(piece)].chunks_exact(S::WIDTH) {
                    let v = s.abs(s.load(v));
                    *size = s.max(*size, v);
                    if LIMITED {
                        *sum = s.add(*sum, v);
                    }
                }
            }
        }
        let (mut there, mut back) = ([0.0; PANEL_ROWS], [0.0; PANEL_ROWS]);
        for row in 0..PANEL_ROWS {
            let mut largest = s.largest(sizes[row]);
            if LIMITED {
                let sum = s.sum(sums[row]) * (LEVELS / SUM);
                largest = if sum > largest { sum } else { largest };
            }
            (there[row], back[row]) = scales(LEVELS, largest);
        }
        for (row, there) in there.into_iter().enumerate().take(self.rows) {
            let there = s.splat(there);
            for piece in 0..pieces {
                let from = self.from[piece * PANEL_LEN + row * PANEL_STRIDE..][..part(piece)].chunks_exact(S::WIDTH);
                let to = self.to[piece * PANEL_LEN_I16 + row * PANEL_STRIDE_I16..].chunks_exact_mut(S::WIDTH);
                for (to, v) in to.zip(from) {
                    s.store_i16(s.mul(s.load(v), there), to);
                }
            }
        }
        back
    }
}

/// All nodes with one scale, since they are summed over; and as the right operand of what they send.
#[derive(Debug)]
pub struct NodesI16<'a> {
    /// Row-major `[N, D]`, both rounded up to 16.
    pub from: &'a [f32],
    /// D, rounded up.
    pub dim: usize,
    /// The same shape.
    pub to: &'a mut [i16],
    /// `[N / 2, D]` of pairs.
    pub pairs: &'a mut [i32],
}

impl WithSimd for NodesI16<'_> {
    /// What gives a node back.
    type Out = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> f32 {
        let mut largest = [s.splat(0.0); 2];
        for v in self.from.chunks_exact(2 * S::WIDTH) {
            largest[0] = s.max(largest[0], s.abs(s.load(v)));
            largest[1] = s.max(largest[1], s.abs(s.load(&v[S::WIDTH..])));
        }
        let (there, back) = scales(LEVELS, s.largest(s.max(largest[0], largest[1])));
        let there = s.splat(there);
        for (to, v) in self.to.chunks_exact_mut(S::WIDTH).zip(self.from.chunks_exact(S::WIDTH)) {
            s.store_i16(s.mul(s.load(v), there), to);
        }
        for (nodes, pairs) in self.to.chunks_exact(2 * self.dim).zip(self.pairs.chunks_exact_mut(self.dim)) {
            let (first, second) = nodes.split_at(self.dim);
            let both = first.chunks_exact(S::WIDTH).zip(second.chunks_exact(S::WIDTH));
            for (pairs, (first, second)) in pairs.chunks_exact_mut(S::WIDTH).zip(both) {
                s.zip(first, second, pairs);
            }
        }
        back
    }
}

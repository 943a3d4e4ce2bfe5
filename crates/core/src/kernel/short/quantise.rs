//! Floats to short integers and their scales.

use super::super::lanes::{Lanes, Work};
use super::super::tile::{BLOCK, CHUNK, PANEL, ROW};
use super::tile::{SHORT_PANEL, SHORT_ROW};
use super::{LEVELS, SQUARE_LEVELS, SUM};

/// Below, a row is taken for zeros: its scale would leave f32.
const NOTHING: f32 = 1e-30;

/// What the short integers of something with a largest magnitude are multiplied with, and what gives it back.
#[inline(always)]
fn scales(levels: f32, largest: f32) -> (f32, f32) {
    let largest = if largest > NOTHING { largest } else { NOTHING };
    // Multiplied, not divided, where the divisor is known.
    (levels / largest, largest * (1.0 / levels))
}

/// Squared differences of one block over one piece of the channels, as [`Squares`](super::super::squares::Squares);
/// gives what each row is multiplied with.
#[derive(Debug)]
pub struct ShortSquares<'a> {
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
    /// Room for the squares, `[BLOCK, ROW]`.
    pub squares: &'a mut [f32],
    /// `[BLOCK, SHORT_ROW]`.
    pub out: &'a mut [i16],
}

impl Work for ShortSquares<'_> {
    type Out = [f32; BLOCK];

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) -> [f32; BLOCK] {
        // Each step for all rows of the block: a row alone would wait for its largest value.
        let mut largest = [s.splat(0.0); BLOCK];
        let rows = self.pairs.iter().zip(self.squares.chunks_exact_mut(ROW));
        for (((left, right), row), largest) in rows.zip(&mut largest) {
            let left = &self.left[*left as usize * self.distance + self.first..][..self.channels];
            let right = &self.right[*right as usize * self.distance + self.first..][..self.channels];
            let windows = left.chunks_exact(S::WIDTH).zip(right.chunks_exact(S::WIDTH));
            for (out, (a, b)) in row.chunks_exact_mut(S::WIDTH).zip(windows) {
                let d = s.sub(s.load(a), s.load(b));
                let square = s.mul(d, d);
                s.store(square, out);
                *largest = s.max(*largest, square);
            }
        }
        let (mut there, mut back) = ([0.0; BLOCK], [0.0; BLOCK]);
        for ((there, back), largest) in there.iter_mut().zip(&mut back).zip(largest) {
            (*there, *back) = scales(SQUARE_LEVELS, s.largest(largest));
        }
        let rows = self.squares.chunks_exact(ROW).zip(self.out.chunks_exact_mut(SHORT_ROW)).take(self.pairs.len());
        for ((row, out), there) in rows.zip(there) {
            let there = s.splat(there);
            let row = row[..self.channels].chunks_exact(S::WIDTH);
            for (out, v) in out.chunks_exact_mut(S::WIDTH).zip(row) {
                s.shorts(s.mul(s.load(v), there), out);
            }
        }
        back
    }
}

/// A block that came out of a product, as the next left operand, row by row; gives what each row is multiplied with.
/// LIMITED: the sum of a row's magnitudes is limited too, beside an operand that is not a model's.
#[derive(Debug)]
pub struct ShortRows<'a, const LIMITED: bool> {
    /// Rows.
    pub rows: usize,
    /// Their length, a multiple of 16.
    pub columns: usize,
    /// `[columns / CHUNK][BLOCK, ROW]`.
    pub from: &'a [f32],
    /// `[columns / CHUNK][BLOCK, SHORT_ROW]`.
    pub to: &'a mut [i16],
}

impl<const LIMITED: bool> Work for ShortRows<'_, LIMITED> {
    type Out = [f32; BLOCK];

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) -> [f32; BLOCK] {
        let pieces = self.columns.div_ceil(CHUNK);
        let part = |piece: usize| CHUNK.min(self.columns - piece * CHUNK);
        let mut sizes = [s.splat(0.0); BLOCK];
        let mut sums = [s.splat(0.0); BLOCK];
        for (row, (size, sum)) in sizes.iter_mut().zip(&mut sums).enumerate().take(self.rows) {
            for piece in 0..pieces {
                for v in self.from[piece * PANEL + row * ROW..][..part(piece)].chunks_exact(S::WIDTH) {
                    let v = s.abs(s.load(v));
                    *size = s.max(*size, v);
                    if LIMITED {
                        *sum = s.add(*sum, v);
                    }
                }
            }
        }
        let (mut there, mut back) = ([0.0; BLOCK], [0.0; BLOCK]);
        for row in 0..BLOCK {
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
                let from = self.from[piece * PANEL + row * ROW..][..part(piece)].chunks_exact(S::WIDTH);
                let to = self.to[piece * SHORT_PANEL + row * SHORT_ROW..].chunks_exact_mut(S::WIDTH);
                for (to, v) in to.zip(from) {
                    s.shorts(s.mul(s.load(v), there), to);
                }
            }
        }
        back
    }
}

/// All nodes with one scale, since they are summed over; and as the right operand of what they send.
#[derive(Debug)]
pub struct ShortNodes<'a> {
    /// Row-major `[N, D]`, both rounded up to 16.
    pub from: &'a [f32],
    /// D, rounded up.
    pub dim: usize,
    /// The same shape.
    pub to: &'a mut [i16],
    /// `[N / 2, D]` of pairs.
    pub pairs: &'a mut [i32],
}

impl Work for ShortNodes<'_> {
    /// What gives a node back.
    type Out = f32;

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) -> f32 {
        let mut largest = [s.splat(0.0); 2];
        for v in self.from.chunks_exact(2 * S::WIDTH) {
            largest[0] = s.max(largest[0], s.abs(s.load(v)));
            largest[1] = s.max(largest[1], s.abs(s.load(&v[S::WIDTH..])));
        }
        let (there, back) = scales(LEVELS, s.largest(s.max(largest[0], largest[1])));
        let there = s.splat(there);
        for (to, v) in self.to.chunks_exact_mut(S::WIDTH).zip(self.from.chunks_exact(S::WIDTH)) {
            s.shorts(s.mul(s.load(v), there), to);
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

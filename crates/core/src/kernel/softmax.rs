//! The attention of one block: softmax over all senders, with the edges' biases.

use super::edges::Edges;
use super::lanes::{Lanes, Work};
use super::short::tile::{SHORT_PANEL, SHORT_ROW};
use super::short::{LEVELS, SUM};
use super::tile::{BLOCK, CHUNK, PANEL, ROW};

/// Replaces logits in units of ln 2, `[columns / CHUNK][BLOCK, ROW]`, by weights that sum to 1.
#[derive(Debug)]
pub struct Softmax<'a> {
    /// The block's receivers: their number, and their pairs of regions.
    pub first: usize,
    /// One for each row.
    pub pairs: &'a [(u32, u32)],
    /// Senders, to the next multiple of 16; what is behind the last sender has a logit of −1e30.
    pub columns: usize,
    /// What is added to the logits.
    pub edges: Option<&'a Edges>,
    /// The logits.
    pub panels: &'a mut [f32],
    /// Where weights go instead, `[columns / CHUNK][BLOCK, SHORT_ROW]`: each row in steps as fine as its sums allow. A model
    /// of thousands of nodes spreads its attention, and of steps that suit a whole weight little would be left.
    pub shorts: Option<&'a mut [i16]>,
}

/// The part of row `row` that lies in piece `piece`.
#[inline(always)]
fn part(panels: &mut [f32], columns: usize, piece: usize, row: usize) -> &mut [f32] {
    &mut panels[piece * PANEL + row * ROW..][..CHUNK.min(columns - piece * CHUNK)]
}

impl Work for Softmax<'_> {
    /// What each row's short integers are multiplied with, so that they sum to 1.
    type Out = [f32; BLOCK];

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) -> [f32; BLOCK] {
        let (columns, pieces) = (self.columns, self.columns.div_ceil(CHUNK));
        // Each step for all rows of the block: a row alone would wait for its maximum, and then for its sum.
        let mut largest = [s.splat(f32::NEG_INFINITY); BLOCK];
        for ((row, (left, right)), largest) in self.pairs.iter().enumerate().zip(&mut largest) {
            if let Some(edges) = self.edges {
                let receiver = self.first + row;
                self.panels[receiver / CHUNK * PANEL + row * ROW + receiver % CHUNK] += edges.own;
            }
            for piece in 0..pieces {
                let logits = part(self.panels, columns, piece, row).chunks_exact_mut(S::WIDTH);
                if let Some(edges) = self.edges {
                    let (left, right) = (edges.left(*left, piece * CHUNK), edges.right(*right, piece * CHUNK));
                    let biases = left.chunks_exact(S::WIDTH).zip(right.chunks_exact(S::WIDTH));
                    for (v, (left, right)) in logits.zip(biases) {
                        let e = s.add(s.load(v), s.add(s.load(left), s.load(right)));
                        s.store(e, v);
                        *largest = s.max(*largest, e);
                    }
                } else {
                    for v in logits {
                        *largest = s.max(*largest, s.load(v));
                    }
                }
            }
            *largest = s.splat(s.largest(*largest));
        }
        let short = self.shorts.is_some();
        // 1.5·2²³: a sum with it is rounded to a whole number, to even.
        let magic = s.splat(12_582_912.0);
        let (mut totals, mut most) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
        for (row, largest) in largest.iter().enumerate().take(self.pairs.len()) {
            let mut total = s.splat(0.0);
            for piece in 0..pieces {
                let mut here = s.splat(0.0);
                for v in part(self.panels, columns, piece, row).chunks_exact_mut(S::WIDTH) {
                    let weight = s.power(s.sub(s.load(v), *largest));
                    s.store(weight, v);
                    total = s.add(total, weight);
                    if short {
                        here = s.add(here, weight);
                    }
                }
                if short {
                    most[row] = most[row].max(s.sum(here));
                }
            }
            totals[row] = s.sum(total);
        }
        let mut scales = [1.0; BLOCK];
        let Some(shorts) = self.shorts else {
            for (row, total) in totals.iter().enumerate().take(self.pairs.len()) {
                let scale = s.splat(1.0 / total);
                for piece in 0..pieces {
                    for v in part(self.panels, columns, piece, row).chunks_exact_mut(S::WIDTH) {
                        s.store(s.mul(s.load(v), scale), v);
                    }
                }
            }
            return scales;
        };
        for (row, scale) in scales.iter_mut().enumerate().take(self.pairs.len()) {
            // The largest weight is 1 here. A piece's sum is limited, since a product's sums are exact for a piece.
            let levels = s.splat(LEVELS.min(SUM / most[row]));
            let mut total = s.splat(0.0);
            for piece in 0..pieces {
                let to = shorts[piece * SHORT_PANEL + row * SHORT_ROW..].chunks_exact_mut(S::WIDTH);
                let weights = part(self.panels, columns, piece, row).chunks_exact(S::WIDTH);
                for (to, v) in to.zip(weights) {
                    let v = s.mul(s.load(v), levels);
                    s.shorts(v, to);
                    // Rounded as they are: what was lost in a row of small weights is given back to all of it. Whole
                    // numbers, and their sums below 2²⁴: exact in any order.
                    total = s.add(total, s.sub(s.add(v, magic), magic));
                }
            }
            *scale = 1.0 / s.sum(total);
        }
        scales
    }
}

//! The attention of one block: softmax over all senders, with the edges' biases.

use super::edges::Edges;
use super::i16::{LEVELS, SUM};
use grnet_simd::{PANEL_DEPTH, PANEL_LEN, PANEL_ROWS, PANEL_STRIDE};
use grnet_simd::{PANEL_LEN_I16, PANEL_STRIDE_I16};
use grnet_simd::{Simd, WithSimd};

/// Replaces logits in units of ln 2, `[columns / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE]`, by weights that sum to 1.
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
    /// Where weights go instead, `[columns / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE_I16]`: each row in steps as fine as its sums allow. A model
    /// of thousands of nodes spreads its attention, and of steps that suit a whole weight little would be left.
    pub i16s: Option<&'a mut [i16]>,
}

/// The part of row `row` that lies in piece `piece`.
#[inline(always)]
fn part(panels: &mut [f32], columns: usize, piece: usize, row: usize) -> &mut [f32] {
    &mut panels[piece * PANEL_LEN + row * PANEL_STRIDE..][..PANEL_DEPTH.min(columns - piece * PANEL_DEPTH)]
}

impl WithSimd for Softmax<'_> {
    /// What each row's 16-bit integers are multiplied with, so that they sum to 1.
    type Out = [f32; PANEL_ROWS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) -> [f32; PANEL_ROWS] {
        let (columns, pieces) = (self.columns, self.columns.div_ceil(PANEL_DEPTH));
        // Each step for all rows of the block: a row alone would wait for its maximum, and then for its sum.
        let mut largest = [s.splat(f32::NEG_INFINITY); PANEL_ROWS];
        for ((row, (left, right)), largest) in self.pairs.iter().enumerate().zip(&mut largest) {
            if let Some(edges) = self.edges {
                let receiver = self.first + row;
                self.panels[receiver / PANEL_DEPTH * PANEL_LEN + row * PANEL_STRIDE + receiver % PANEL_DEPTH] +=
                    edges.own;
            }
            for piece in 0..pieces {
                let logits = part(self.panels, columns, piece, row).chunks_exact_mut(S::WIDTH);
                if let Some(edges) = self.edges {
                    let (left, right) =
                        (edges.left(*left, piece * PANEL_DEPTH), edges.right(*right, piece * PANEL_DEPTH));
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
        let quantised = self.i16s.is_some();
        // 1.5·2²³: a sum with it is rounded to a whole number, to even.
        let magic = s.splat(12_582_912.0);
        let (mut totals, mut most) = ([0.0f32; PANEL_ROWS], [0.0f32; PANEL_ROWS]);
        for (row, largest) in largest.iter().enumerate().take(self.pairs.len()) {
            let mut total = s.splat(0.0);
            for piece in 0..pieces {
                let mut here = s.splat(0.0);
                for v in part(self.panels, columns, piece, row).chunks_exact_mut(S::WIDTH) {
                    let weight = s.power(s.sub(s.load(v), *largest));
                    s.store(weight, v);
                    total = s.add(total, weight);
                    if quantised {
                        here = s.add(here, weight);
                    }
                }
                if quantised {
                    most[row] = most[row].max(s.sum(here));
                }
            }
            totals[row] = s.sum(total);
        }
        let mut scales = [1.0; PANEL_ROWS];
        let Some(i16s) = self.i16s else {
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
                let to = i16s[piece * PANEL_LEN_I16 + row * PANEL_STRIDE_I16..].chunks_exact_mut(S::WIDTH);
                let weights = part(self.panels, columns, piece, row).chunks_exact(S::WIDTH);
                for (to, v) in to.zip(weights) {
                    let v = s.mul(s.load(v), levels);
                    s.store_i16(v, to);
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

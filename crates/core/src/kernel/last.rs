//! The global row's logits, where no other row is wanted: one dot product a sender, and no operand to transpose.

use super::lanes::{Lanes, Work};
use super::tile::{CHUNK, PANEL};

/// `out[q] = asked · nodes[q]`.
#[derive(Debug)]
pub struct Dots<'a> {
    /// The first row of `[D / CHUNK][BLOCK, ROW]`.
    pub asked: &'a [f32],
    /// Row-major `[N, D]`, zero behind the last node.
    pub nodes: &'a [f32],
    /// D, rounded up.
    pub dim: usize,
    /// N.
    pub count: usize,
    /// What the logits start from.
    pub start: &'a [f32],
    /// The first row of `[N / CHUNK][BLOCK, ROW]`.
    pub out: &'a mut [f32],
}

impl Work for Dots<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) {
        for (piece, start) in self.start.chunks(CHUNK).enumerate() {
            self.out[piece * PANEL..][..start.len()].copy_from_slice(start);
        }
        for (q, node) in self.nodes.chunks_exact(self.dim).take(self.count).enumerate() {
            let mut sum = s.splat(0.0);
            for (piece, node) in node.chunks(CHUNK).enumerate() {
                let asked = self.asked[piece * PANEL..].chunks_exact(S::WIDTH);
                for (a, v) in asked.zip(node.chunks_exact(S::WIDTH)) {
                    sum = s.fma(s.load(a), s.load(v), sum);
                }
            }
            self.out[q / CHUNK * PANEL + q % CHUNK] += s.sum(sum);
        }
    }
}

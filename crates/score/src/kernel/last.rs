//! The global row's logits, where no other row is wanted: one dot product a sender, and no operand to transpose.

use grnet_simd::{PANEL_DEPTH, PANEL_LEN};
use grnet_simd::{Simd, WithSimd};

/// `out[q] = asked · nodes[q]`.
#[derive(Debug)]
pub struct Dots<'a> {
    /// The first row of `[D / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE]`.
    pub asked: &'a [f32],
    /// Row-major `[N, D]`, zero behind the last node.
    pub nodes: &'a [f32],
    /// D, rounded up.
    pub dim: usize,
    /// N.
    pub count: usize,
    /// What the logits start from.
    pub start: &'a [f32],
    /// The first row of `[N / PANEL_DEPTH][PANEL_ROWS, PANEL_STRIDE]`.
    pub out: &'a mut [f32],
}

impl WithSimd for Dots<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        for (piece, start) in self.start.chunks(PANEL_DEPTH).enumerate() {
            self.out[piece * PANEL_LEN..][..start.len()].copy_from_slice(start);
        }
        for (q, node) in self.nodes.chunks_exact(self.dim).take(self.count).enumerate() {
            let mut sum = s.splat(0.0);
            for (piece, node) in node.chunks(PANEL_DEPTH).enumerate() {
                let asked = self.asked[piece * PANEL_LEN..].chunks_exact(S::WIDTH);
                for (a, v) in asked.zip(node.chunks_exact(S::WIDTH)) {
                    sum = s.fma(s.load(a), s.load(v), sum);
                }
            }
            self.out[q / PANEL_DEPTH * PANEL_LEN + q % PANEL_DEPTH] += s.sum(sum);
        }
    }
}

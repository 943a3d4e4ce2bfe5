//! The nodes' left operand: squared differences of regions, made where the product reads them.

use grnet_simd::PANEL_STRIDE;
use grnet_simd::{Simd, WithSimd};

/// Squared differences of one block's pairs of regions, over one piece of the channels.
#[derive(Debug)]
pub struct Squares<'a> {
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
    /// `[PANEL_ROWS, PANEL_STRIDE]`.
    pub out: &'a mut [f32],
}

impl WithSimd for Squares<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        for ((left, right), out) in self.pairs.iter().zip(self.out.chunks_exact_mut(PANEL_STRIDE)) {
            let left = &self.left[*left as usize * self.distance + self.first..][..self.channels];
            let right = &self.right[*right as usize * self.distance + self.first..][..self.channels];
            let regions = left.chunks_exact(S::WIDTH).zip(right.chunks_exact(S::WIDTH));
            for (out, (a, b)) in out.chunks_exact_mut(S::WIDTH).zip(regions) {
                let d = s.sub(s.load(a), s.load(b));
                s.store(s.mul(d, d), out);
            }
        }
    }
}

/// Divides every row by `sqrt(‖row‖² + ε²)`: a product becomes nodes.
#[derive(Debug)]
pub struct Unit<'a> {
    /// Rows `distance` apart, zero behind their values.
    pub rows: &'a mut [f32],
    /// Their distance, a multiple of 16.
    pub distance: usize,
    /// ε.
    pub eps: f32,
}

impl WithSimd for Unit<'_> {
    type Out = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        for row in self.rows.chunks_exact_mut(self.distance) {
            let scale = s.splat(1.0 / (super::regions::square_norm(s, row) + self.eps * self.eps).sqrt());
            for v in row.chunks_exact_mut(S::WIDTH) {
                s.store(s.mul(s.load(v), scale), v);
            }
        }
    }
}

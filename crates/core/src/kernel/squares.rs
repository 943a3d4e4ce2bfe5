//! The nodes' left operand: squared differences of windows, made where the product reads them.

use super::lanes::{Lanes, Work};
use super::tile::ROW;

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
    /// `[BLOCK, ROW]`.
    pub out: &'a mut [f32],
}

impl Work for Squares<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) {
        for ((left, right), out) in self.pairs.iter().zip(self.out.chunks_exact_mut(ROW)) {
            let left = &self.left[*left as usize * self.distance + self.first..][..self.channels];
            let right = &self.right[*right as usize * self.distance + self.first..][..self.channels];
            let windows = left.chunks_exact(S::WIDTH).zip(right.chunks_exact(S::WIDTH));
            for (out, (a, b)) in out.chunks_exact_mut(S::WIDTH).zip(windows) {
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

impl Work for Unit<'_> {
    type Out = ();

    #[inline(always)]
    fn on<S: Lanes>(self, s: S) {
        for row in self.rows.chunks_exact_mut(self.distance) {
            let scale = s.splat(1.0 / (super::regions::square_norm(s, row) + self.eps * self.eps).sqrt());
            for v in row.chunks_exact_mut(S::WIDTH) {
                s.store(s.mul(s.load(v), scale), v);
            }
        }
    }
}

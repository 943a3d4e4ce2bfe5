//! Vectors of floats, whatever their width: what an instruction set has to offer to the kernel.

use crate::element::{F32, I16};
use crate::tile::Tile;

/// Something to compute with one instruction set. Everything below [`on`](Self::on) is inlined into it: a function that
/// is called instead would be compiled without the instructions.
pub trait WithSimd {
    /// What comes out.
    type Out;
    /// Does it.
    fn with_simd<S: Simd>(self, simd: S) -> Self::Out;
}

/// An instruction set; a value of it is the proof that the processor has it.
pub trait Simd: Copy + Send + Sync {
    /// A vector.
    type F: Copy;
    /// As many integers of 32 bits, or twice as many of 16: then two neighbours, the first in the lower half, are a pair.
    type I: Copy;
    /// Floats of a vector.
    const WIDTH: usize;
    /// Whether products ([`step`](Self::step)) are of pairs of bf16 instead of floats, a pair in a float's element.
    const BF16: bool = false;

    /// Runs work that is compiled for this set.
    fn vectorize<W: WithSimd>(self, work: W) -> W::Out;

    /// The same number in every lane.
    fn splat(self, value: f32) -> Self::F;
    /// The first floats of a slice. Panics if there are too few; a loop over exact chunks has no such check.
    fn load(self, from: &[f32]) -> Self::F;
    /// Into the first elements of a slice; panics like [`load`](Self::load).
    fn store(self, value: Self::F, to: &mut [f32]);
    /// As many halves (f16, little-endian) as there are lanes, at any address; panics like [`load`](Self::load).
    fn halves(self, from: &[u8]) -> Self::F;
    /// As many signed bytes as there are lanes.
    fn signed(self, from: &[u8]) -> Self::F;
    /// a + b.
    fn add(self, a: Self::F, b: Self::F) -> Self::F;
    /// a − b.
    fn sub(self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b.
    fn mul(self, a: Self::F, b: Self::F) -> Self::F;
    /// a · b + c; rounded once where the set can.
    fn fma(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F;
    /// The larger.
    fn max(self, a: Self::F, b: Self::F) -> Self::F;
    /// The smaller.
    fn min(self, a: Self::F, b: Self::F) -> Self::F;
    /// 2^n from the bits of `n + 1.5·2²³ + 127`: [`power`](Self::power)'s way to the exponent.
    fn exponent(self, shifted: Self::F) -> Self::F;
    /// Sum of the lanes, always in the same order.
    fn sum(self, v: Self::F) -> f32;
    /// The largest lane.
    fn largest(self, v: Self::F) -> f32;
    /// `to[c][r] = from[r][c]` for a square of [`WIDTH`](Self::WIDTH); both with a distance between rows.
    fn transpose(self, from: &[f32], from_row: usize, to: &mut [f32], to_row: usize);
    /// The same pair in every lane; as [`pairs`](Self::pairs) in the order of the memory.
    fn pair(self, value: i32) -> Self::I;
    /// The first pairs of a slice; panics like [`load`](Self::load).
    fn pairs(self, from: &[i32]) -> Self::I;
    /// sum + a₀ · b₀ + a₁ · b₁ of each lane's pairs, exact unless the sum leaves 32 bits.
    fn dot(self, sum: Self::I, a: Self::I, b: Self::I) -> Self::I;
    /// Integers to floats.
    fn float(self, v: Self::I) -> Self::F;
    /// The nearest integers, which must fit into 16 bits, into the first elements of a slice.
    fn store_i16(self, v: Self::F, to: &mut [i16]);
    /// Two rows to pairs.
    fn zip(self, first: &[i16], second: &[i16], to: &mut [i32]);
    /// |v|.
    fn abs(self, v: Self::F) -> Self::F;
    /// A step of a product: a · b + sum, or with [`BF16`](Self::BF16) sum + a₀ · b₀ + a₁ · b₁, in f32.
    #[inline(always)]
    fn step(self, a: Self::F, b: Self::F, sum: Self::F) -> Self::F {
        self.fma(a, b, sum)
    }
    /// Into the first elements of a slice as an operand of [`step`](Self::step): half as many with [`BF16`](Self::BF16),
    /// rounded to the nearest.
    #[inline(always)]
    fn store_operand(self, v: Self::F, to: &mut [f32]) {
        self.store(v, to);
    }
    /// One tile of a product of 16-bit integers; [`rows`](Self::rows) as for floats.
    fn tile_i16(self, tile: Tile<'_, I16>);
    /// One tile of a product: the sizes that suit the registers are the set's own.
    fn tile(self, tile: Tile<'_, F32>);
    /// Rows of the next tile where `rest` are left.
    fn rows(rest: usize) -> usize;

    /// 2^x for x ≤ 0, relative error below 2e-7; 2^−100 for anything below −100.
    ///
    /// 2^n · 2^r with |r| ≤ ½, and a polynomial for 2^r that was fitted by Lawson's weights to the least largest relative
    /// error, 7.5e-8 before rounding.
    #[inline(always)]
    fn power(self, x: Self::F) -> Self::F {
        // 1.5·2²³: a sum with it has the integer in its lowest bits; 127 is the exponent's offset.
        let magic = self.splat(12_582_912.0 + 127.0);
        // Not 2^−126: a weight of less than that times a node is no normal float, and arithmetic with those is slow.
        let x = self.max(x, self.splat(-100.0));
        let shifted = self.add(x, magic);
        let r = self.sub(x, self.sub(shifted, magic));
        let mut p = self.splat(1.327_647_2e-3);
        for coefficient in [9.675_542e-3, 5.550_713e-2, 2.402_212e-1, 6.931_469_4e-1, 1.000_000_1] {
            p = self.fma(p, r, self.splat(coefficient));
        }
        self.mul(p, self.exponent(shifted))
    }
}

/// Rounded up to whole vectors of every instruction set.
#[inline]
pub fn up(n: usize) -> usize {
    n.next_multiple_of(16)
}

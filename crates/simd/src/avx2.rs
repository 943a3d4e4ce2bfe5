//! AVX2 with FMA and F16C: eight lanes, sixteen registers.

use std::arch::x86_64::*;

use crate::element::{F32, I16};
use crate::simd::{Simd, WithSimd};
use crate::tile::{Tile, tile};
use crate::tile_i16::tile_i16;

/// The proof that the processor has AVX2, FMA and F16C.
#[derive(Debug, Clone, Copy)]
pub struct Avx2(());

impl Avx2 {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c"))
            .then_some(Self(()))
    }
}

/// An instruction of the set; its first argument is the proof.
macro_rules! has {
    ($proof:expr, $call:expr) => {{
        let Self(()) = $proof;
        // SAFETY: the proof is made by `detect` alone, so the processor has what is called; it reaches no memory by itself.
        unsafe { $call }
    }};
}

#[target_feature(enable = "avx2,fma,f16c")]
fn run<W: WithSimd>(lanes: Avx2, work: W) -> W::Out {
    work.with_simd(lanes)
}

impl Simd for Avx2 {
    type F = __m256;
    type I = __m256i;
    const WIDTH: usize = 8;

    fn vectorize<W: WithSimd>(self, work: W) -> W::Out {
        has!(self, run(self, work))
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        has!(self, _mm256_set1_ps(value))
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m256 {
        let from = &from[..8];
        // SAFETY: eight floats are there, at any address; the proof is `self`.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, value: __m256, to: &mut [f32]) {
        let to = &mut to[..8];
        // SAFETY: eight elements are there, at any address; the proof is `self`.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), value) }
    }

    #[inline(always)]
    fn halves(self, from: &[u8]) -> __m256 {
        let from = &from[..16];
        // SAFETY: sixteen bytes are there, at any address; the proof is `self`.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn signed(self, from: &[u8]) -> __m256 {
        let from = &from[..8];
        // SAFETY: eight bytes are there, at any address; the proof is `self`.
        unsafe { _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn add(self, a: __m256, b: __m256) -> __m256 {
        has!(self, _mm256_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m256, b: __m256) -> __m256 {
        has!(self, _mm256_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m256, b: __m256) -> __m256 {
        has!(self, _mm256_mul_ps(a, b))
    }

    #[inline(always)]
    fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        has!(self, _mm256_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m256, b: __m256) -> __m256 {
        has!(self, _mm256_max_ps(a, b))
    }

    #[inline(always)]
    fn min(self, a: __m256, b: __m256) -> __m256 {
        has!(self, _mm256_min_ps(a, b))
    }

    #[inline(always)]
    fn exponent(self, shifted: __m256) -> __m256 {
        has!(self, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(shifted))))
    }

    #[inline(always)]
    fn sum(self, v: __m256) -> f32 {
        has!(self, {
            let v = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_add_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)))
        })
    }

    #[inline(always)]
    fn largest(self, v: __m256) -> f32 {
        has!(self, {
            let v = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
            let v = _mm_max_ps(v, _mm_movehl_ps(v, v));
            _mm_cvtss_f32(_mm_max_ss(v, _mm_movehdup_ps(v)))
        })
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], from_row: usize, to: &mut [f32], to_row: usize) {
        let mut r = [self.splat(0.0); 8];
        for (i, row) in r.iter_mut().enumerate() {
            *row = self.load(&from[i * from_row..]);
        }
        // Pairs of rows, then of pairs, then of halves.
        let mut t = r;
        for i in 0..4 {
            t[2 * i] = has!(self, _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]));
            t[2 * i + 1] = has!(self, _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]));
        }
        for i in 0..2 {
            let (a, b, c, d) = (t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]);
            r[4 * i] = has!(self, _mm256_shuffle_ps::<0x44>(a, c));
            r[4 * i + 1] = has!(self, _mm256_shuffle_ps::<0xee>(a, c));
            r[4 * i + 2] = has!(self, _mm256_shuffle_ps::<0x44>(b, d));
            r[4 * i + 3] = has!(self, _mm256_shuffle_ps::<0xee>(b, d));
        }
        for i in 0..4 {
            t[i] = has!(self, _mm256_permute2f128_ps::<0x20>(r[i], r[i + 4]));
            t[i + 4] = has!(self, _mm256_permute2f128_ps::<0x31>(r[i], r[i + 4]));
        }
        for (i, row) in t.into_iter().enumerate() {
            self.store(row, &mut to[i * to_row..]);
        }
    }

    #[inline(always)]
    fn pair(self, value: i32) -> __m256i {
        has!(self, _mm256_set1_epi32(value))
    }

    #[inline(always)]
    fn pairs(self, from: &[i32]) -> __m256i {
        let from = &from[..8];
        // SAFETY: eight pairs are there, at any address; the proof is `self`.
        unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
    }

    #[inline(always)]
    fn dot(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        has!(self, _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)))
    }

    #[inline(always)]
    fn float(self, v: __m256i) -> __m256 {
        has!(self, _mm256_cvtepi32_ps(v))
    }

    #[inline(always)]
    fn store_i16(self, v: __m256, to: &mut [i16]) {
        let to = &mut to[..8];
        // SAFETY: eight elements are there, at any address; the proof is `self`.
        unsafe {
            let v = _mm256_cvtps_epi32(v);
            let v = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256::<1>(v));
            _mm_storeu_si128(to.as_mut_ptr().cast(), v);
        }
    }

    #[inline(always)]
    fn zip(self, first: &[i16], second: &[i16], to: &mut [i32]) {
        let (first, second, to) = (&first[..8], &second[..8], &mut to[..8]);
        // SAFETY: eight i16s are there in both, and elements for eight pairs, at any address; the proof is `self`.
        unsafe {
            let low = _mm256_cvtepu16_epi32(_mm_loadu_si128(first.as_ptr().cast()));
            let high = _mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(second.as_ptr().cast())));
            _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm256_or_si256(low, high));
        }
    }

    #[inline(always)]
    fn abs(self, v: __m256) -> __m256 {
        has!(self, _mm256_andnot_ps(_mm256_set1_ps(-0.0), v))
    }

    #[inline(always)]
    fn tile_i16(self, t: Tile<'_, I16>) {
        match (t.rows, t.narrow) {
            (5, false) => tile_i16::<Self, 5, 2>(self, t),
            (5, true) => tile_i16::<Self, 5, 1>(self, t),
            (4, false) => tile_i16::<Self, 4, 2>(self, t),
            (4, true) => tile_i16::<Self, 4, 1>(self, t),
            (2, false) => tile_i16::<Self, 2, 2>(self, t),
            (2, true) => tile_i16::<Self, 2, 1>(self, t),
            (_, false) => tile_i16::<Self, 1, 2>(self, t),
            (_, true) => tile_i16::<Self, 1, 1>(self, t),
        }
    }

    // 5 × 2 sums, two columns, one row: 13 of 16 registers; a block of 14 rows is 5 + 5 + 4.
    #[inline(always)]
    fn tile(self, t: Tile<'_, F32>) {
        match (t.rows, t.narrow) {
            (5, false) => tile::<Self, 5, 2, 1>(self, t),
            (5, true) => tile::<Self, 5, 1, 1>(self, t),
            (4, false) => tile::<Self, 4, 2, 1>(self, t),
            (4, true) => tile::<Self, 4, 1, 1>(self, t),
            (2, false) => tile::<Self, 2, 2, 1>(self, t),
            (2, true) => tile::<Self, 2, 1, 1>(self, t),
            (_, false) => tile::<Self, 1, 2, 4>(self, t),
            (_, true) => tile::<Self, 1, 1, 4>(self, t),
        }
    }

    #[inline(always)]
    fn rows(rest: usize) -> usize {
        match rest {
            5.. => 5,
            4 => 4,
            2..4 => 2,
            _ => 1,
        }
    }
}

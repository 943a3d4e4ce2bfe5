//! AVX-512: sixteen lanes, thirty-two registers.

use std::arch::x86_64::*;

use super::lanes::{Lanes, Work};
use super::tile::{Tile, tile};

/// The proof that the processor has AVX-512 F, BW, DQ and VL.
#[derive(Debug, Clone, Copy)]
pub struct Avx512(());

impl Avx512 {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl"))
        .then_some(Self(()))
    }
}

/// An instruction of the set; its first argument is the proof.
macro_rules! has {
    ($proof:expr, $call:expr) => {{
        let Self(()) = $proof;
        // SAFETY: the proof is made by `detect` alone, so the processor has the instruction, which touches no memory.
        unsafe { $call }
    }};
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn run<W: Work>(lanes: Avx512, work: W) -> W::Out {
    work.on(lanes)
}

impl Lanes for Avx512 {
    type F = __m512;
    const WIDTH: usize = 16;

    fn run<W: Work>(self, work: W) -> W::Out {
        has!(self, run(self, work))
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        has!(self, _mm512_set1_ps(value))
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m512 {
        let from = &from[..16];
        // SAFETY: sixteen floats are there, at any address; the proof is `self`.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, value: __m512, to: &mut [f32]) {
        let to = &mut to[..16];
        // SAFETY: sixteen places are there, at any address; the proof is `self`.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), value) }
    }

    #[inline(always)]
    fn halves(self, from: &[u8]) -> __m512 {
        let from = &from[..32];
        // SAFETY: thirty-two bytes are there, at any address; the proof is `self`.
        unsafe { _mm512_cvtph_ps(_mm256_loadu_si256(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn signed(self, from: &[u8]) -> __m512 {
        let from = &from[..16];
        // SAFETY: sixteen bytes are there, at any address; the proof is `self`.
        unsafe { _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(from.as_ptr().cast()))) }
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        has!(self, _mm512_add_ps(a, b))
    }

    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        has!(self, _mm512_sub_ps(a, b))
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        has!(self, _mm512_mul_ps(a, b))
    }

    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        has!(self, _mm512_fmadd_ps(a, b, c))
    }

    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        has!(self, _mm512_max_ps(a, b))
    }

    #[inline(always)]
    fn exponent(self, shifted: __m512) -> __m512 {
        has!(self, _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(shifted))))
    }

    #[inline(always)]
    fn sum(self, v: __m512) -> f32 {
        has!(self, _mm512_reduce_add_ps(v))
    }

    #[inline(always)]
    fn largest(self, v: __m512) -> f32 {
        has!(self, _mm512_reduce_max_ps(v))
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], from_row: usize, to: &mut [f32], to_row: usize) {
        let mut r = [self.splat(0.0); 16];
        for (i, row) in r.iter_mut().enumerate() {
            *row = self.load(&from[i * from_row..]);
        }
        // Pairs of rows, then of pairs; then quarters of vectors, twice.
        let mut t = r;
        for i in 0..8 {
            t[2 * i] = has!(self, _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]));
            t[2 * i + 1] = has!(self, _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]));
        }
        for i in 0..4 {
            let (a, b, c, d) = (t[4 * i], t[4 * i + 1], t[4 * i + 2], t[4 * i + 3]);
            r[4 * i] = has!(self, _mm512_shuffle_ps::<0x44>(a, c));
            r[4 * i + 1] = has!(self, _mm512_shuffle_ps::<0xee>(a, c));
            r[4 * i + 2] = has!(self, _mm512_shuffle_ps::<0x44>(b, d));
            r[4 * i + 3] = has!(self, _mm512_shuffle_ps::<0xee>(b, d));
        }
        // r[4 i + c] has rows 4 i … 4 i + 3 of columns c, c + 4, c + 8, c + 12.
        for c in 0..4 {
            let (a, b, x, y) = (r[c], r[4 + c], r[8 + c], r[12 + c]);
            let (low, high) =
                (has!(self, _mm512_shuffle_f32x4::<0x44>(a, b)), has!(self, _mm512_shuffle_f32x4::<0x44>(x, y)));
            t[c] = has!(self, _mm512_shuffle_f32x4::<0x88>(low, high));
            t[c + 4] = has!(self, _mm512_shuffle_f32x4::<0xdd>(low, high));
            let (low, high) =
                (has!(self, _mm512_shuffle_f32x4::<0xee>(a, b)), has!(self, _mm512_shuffle_f32x4::<0xee>(x, y)));
            t[c + 8] = has!(self, _mm512_shuffle_f32x4::<0x88>(low, high));
            t[c + 12] = has!(self, _mm512_shuffle_f32x4::<0xdd>(low, high));
        }
        for (i, row) in t.into_iter().enumerate() {
            self.store(row, &mut to[i * to_row..]);
        }
    }

    // 14 × 2 sums, two columns, one row: 31 of 32 registers, and 16 loads for 28 FMAs.
    #[inline(always)]
    fn tile(self, t: Tile<'_>) {
        match (t.rows, t.narrow) {
            (14, false) => tile::<Self, 14, 2>(self, t),
            (14, true) => tile::<Self, 14, 1>(self, t),
            (7, false) => tile::<Self, 7, 2>(self, t),
            (7, true) => tile::<Self, 7, 1>(self, t),
            (4, false) => tile::<Self, 4, 2>(self, t),
            (4, true) => tile::<Self, 4, 1>(self, t),
            (2, false) => tile::<Self, 2, 2>(self, t),
            (2, true) => tile::<Self, 2, 1>(self, t),
            (_, false) => tile::<Self, 1, 2>(self, t),
            (_, true) => tile::<Self, 1, 1>(self, t),
        }
    }

    #[inline(always)]
    fn rows(rest: usize) -> usize {
        match rest {
            14.. => 14,
            7..14 => 7,
            4..7 => 4,
            2..4 => 2,
            _ => 1,
        }
    }
}

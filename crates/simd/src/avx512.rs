//! AVX-512: sixteen lanes, thirty-two registers.

use std::arch::x86_64::*;
use std::mem::transmute;

use crate::element::{F32, I16};
use crate::simd::{Simd, WithSimd};
use crate::tile::{Tile, tile};
use crate::tile_i16::tile_i16;

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
        // SAFETY: the proof is made by `detect` alone, so the processor has what is called; it reaches no memory by itself.
        unsafe { $call }
    }};
}

/// The proof that the processor has those and AVX-512 VNNI.
#[derive(Debug, Clone, Copy)]
pub struct Avx512Vnni(());

impl Avx512Vnni {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (Avx512::detect().is_some() && is_x86_feature_detected!("avx512vnni")).then_some(Self(()))
    }
}

/// The proof that the processor has those and AVX-512 BF16.
#[derive(Debug, Clone, Copy)]
pub struct Avx512Bf16(());

impl Avx512Bf16 {
    /// Asks the processor.
    pub fn detect() -> Option<Self> {
        (Avx512Vnni::detect().is_some() && is_x86_feature_detected!("avx512bf16")).then_some(Self(()))
    }
}

/// The sets are the same but for one instruction, and what only one of them has.
macro_rules! avx512 {
    ($proof:ident, $features:literal, $dot:path, { $($more:tt)* }) => {
        impl Simd for $proof {
            type F = __m512;
            type I = __m512i;
            const WIDTH: usize = 16;
            $($more)*

            fn vectorize<W: WithSimd>(self, work: W) -> W::Out {
                #[target_feature(enable = $features)]
                fn run<W: WithSimd>(lanes: $proof, work: W) -> W::Out {
                    work.with_simd(lanes)
                }
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
                // SAFETY: sixteen elements are there, at any address; the proof is `self`.
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
            fn min(self, a: __m512, b: __m512) -> __m512 {
                has!(self, _mm512_min_ps(a, b))
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
                    let (low, high) = (
                        has!(self, _mm512_shuffle_f32x4::<0x44>(a, b)),
                        has!(self, _mm512_shuffle_f32x4::<0x44>(x, y)),
                    );
                    t[c] = has!(self, _mm512_shuffle_f32x4::<0x88>(low, high));
                    t[c + 4] = has!(self, _mm512_shuffle_f32x4::<0xdd>(low, high));
                    let (low, high) = (
                        has!(self, _mm512_shuffle_f32x4::<0xee>(a, b)),
                        has!(self, _mm512_shuffle_f32x4::<0xee>(x, y)),
                    );
                    t[c + 8] = has!(self, _mm512_shuffle_f32x4::<0x88>(low, high));
                    t[c + 12] = has!(self, _mm512_shuffle_f32x4::<0xdd>(low, high));
                }
                for (i, row) in t.into_iter().enumerate() {
                    self.store(row, &mut to[i * to_row..]);
                }
            }

            #[inline(always)]
            fn pair(self, value: i32) -> __m512i {
                has!(self, _mm512_set1_epi32(value))
            }

            #[inline(always)]
            fn pairs(self, from: &[i32]) -> __m512i {
                let from = &from[..16];
                // SAFETY: sixteen pairs are there, at any address; the proof is `self`.
                unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
            }

            #[inline(always)]
            fn dot(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
                has!(self, $dot(sum, a, b))
            }

            #[inline(always)]
            fn float(self, v: __m512i) -> __m512 {
                has!(self, _mm512_cvtepi32_ps(v))
            }

            #[inline(always)]
            fn store_i16(self, v: __m512, to: &mut [i16]) {
                let to = &mut to[..16];
                // SAFETY: sixteen elements are there, at any address; the proof is `self`.
                unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(v))) }
            }

            #[inline(always)]
            fn zip(self, first: &[i16], second: &[i16], to: &mut [i32]) {
                let (first, second, to) = (&first[..16], &second[..16], &mut to[..16]);
                // SAFETY: sixteen i16s are there in both, and elements for sixteen pairs, at any address; the proof is `self`.
                unsafe {
                    let low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(first.as_ptr().cast()));
                    let high =
                        _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(second.as_ptr().cast())));
                    _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_or_si512(low, high));
                }
            }

            #[inline(always)]
            fn abs(self, v: __m512) -> __m512 {
                has!(self, _mm512_abs_ps(v))
            }

            #[inline(always)]
            fn tile_i16(self, t: Tile<'_, I16>) {
                match (t.rows, t.narrow) {
                    (14, false) => tile_i16::<Self, 14, 2>(self, t),
                    (14, true) => tile_i16::<Self, 14, 1>(self, t),
                    (7, false) => tile_i16::<Self, 7, 2>(self, t),
                    (7, true) => tile_i16::<Self, 7, 1>(self, t),
                    (4, false) => tile_i16::<Self, 4, 2>(self, t),
                    (4, true) => tile_i16::<Self, 4, 1>(self, t),
                    (2, false) => tile_i16::<Self, 2, 2>(self, t),
                    (2, true) => tile_i16::<Self, 2, 1>(self, t),
                    (_, false) => tile_i16::<Self, 1, 2>(self, t),
                    (_, true) => tile_i16::<Self, 1, 1>(self, t),
                }
            }

            // 14 × 2 sums, two columns, one row: 31 of 32 registers, and 16 loads for 28 FMAs.
            #[inline(always)]
            fn tile(self, t: Tile<'_, F32>) {
                match (t.rows, t.narrow) {
                    (14, false) => tile::<Self, 14, 2, 1>(self, t),
                    (14, true) => tile::<Self, 14, 1, 1>(self, t),
                    (7, false) => tile::<Self, 7, 2, 1>(self, t),
                    (7, true) => tile::<Self, 7, 1, 1>(self, t),
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
                    14.. => 14,
                    7..14 => 7,
                    4..7 => 4,
                    2..4 => 2,
                    _ => 1,
                }
            }
        }
    };
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn multiply_and_add(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
}

avx512!(Avx512, "avx512f,avx512bw,avx512dq,avx512vl", multiply_and_add, {});
avx512!(Avx512Vnni, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni", _mm512_dpwssd_epi32, {});
avx512!(Avx512Bf16, "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16", _mm512_dpwssd_epi32, {
    const BF16: bool = true;

    #[inline(always)]
    fn step(self, a: __m512, b: __m512, sum: __m512) -> __m512 {
        // SAFETY: vectors of 512 bits, whatever they hold; the proof is `self`.
        unsafe { _mm512_dpbf16_ps(sum, transmute::<__m512, __m512bh>(a), transmute::<__m512, __m512bh>(b)) }
    }

    #[inline(always)]
    fn store_operand(self, v: __m512, to: &mut [f32]) {
        let to = &mut to[..8];
        // SAFETY: elements for sixteen numbers of two bytes are there, at any address, and all bits are a float's; the proof
        // is `self`.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(v))) }
    }
});

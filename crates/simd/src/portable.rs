//! Vectors in plain Rust: what every processor can. Four lanes fill the registers that x86-64 and AArch64 always have.

use half::f16;

use crate::element::{F32, I16};
use crate::simd::{Simd, WithSimd};
use crate::tile::{Tile, tile};
use crate::tile_i16::tile_i16;

/// Instructions that every processor has.
#[derive(Debug, Clone, Copy)]
pub struct Portable;

type F = [f32; 4];

#[inline(always)]
fn each(f: impl Fn(usize) -> f32) -> F {
    [f(0), f(1), f(2), f(3)]
}

impl Simd for Portable {
    type F = F;
    type I = [i32; 4];
    const WIDTH: usize = 4;

    fn vectorize<W: WithSimd>(self, work: W) -> W::Out {
        work.with_simd(self)
    }

    #[inline(always)]
    fn splat(self, value: f32) -> F {
        [value; 4]
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> F {
        each(|i| from[i])
    }

    #[inline(always)]
    fn store(self, value: F, to: &mut [f32]) {
        to[..4].copy_from_slice(&value);
    }

    #[inline(always)]
    fn halves(self, from: &[u8]) -> F {
        each(|i| f16::from_le_bytes([from[2 * i], from[2 * i + 1]]).to_f32())
    }

    #[inline(always)]
    fn signed(self, from: &[u8]) -> F {
        each(|i| f32::from(from[i] as i8))
    }

    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        each(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        each(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        each(|i| a[i] * b[i])
    }

    // Rounded twice: without the instruction `mul_add` is a call of 50 ns.
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        each(|i| a[i] * b[i] + c[i])
    }

    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        each(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        each(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn exponent(self, shifted: F) -> F {
        each(|i| f32::from_bits(shifted[i].to_bits() << 23))
    }

    #[inline(always)]
    fn sum(self, v: F) -> f32 {
        (v[0] + v[2]) + (v[1] + v[3])
    }

    #[inline(always)]
    fn largest(self, v: F) -> f32 {
        v[0].max(v[1]).max(v[2].max(v[3]))
    }

    #[inline(always)]
    fn transpose(self, from: &[f32], from_row: usize, to: &mut [f32], to_row: usize) {
        for r in 0..4 {
            for c in 0..4 {
                to[c * to_row + r] = from[r * from_row + c];
            }
        }
    }

    #[inline(always)]
    fn pair(self, value: i32) -> [i32; 4] {
        [i32::from_le(value); 4]
    }

    #[inline(always)]
    fn pairs(self, from: &[i32]) -> [i32; 4] {
        [from[0], from[1], from[2], from[3]].map(i32::from_le)
    }

    #[inline(always)]
    fn dot(self, mut sum: [i32; 4], a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
        for ((sum, a), b) in sum.iter_mut().zip(a).zip(b) {
            let low = i32::from(a as i16) * i32::from(b as i16);
            *sum = sum.wrapping_add(low).wrapping_add((a >> 16) * (b >> 16));
        }
        sum
    }

    #[inline(always)]
    fn float(self, v: [i32; 4]) -> F {
        each(|i| v[i] as f32)
    }

    #[inline(always)]
    fn store_i16(self, v: F, to: &mut [i16]) {
        // 1.5·2²³: the sum's last bit is 1, so that it is rounded as the instructions round, to even.
        let whole = each(|i| (v[i] + 12_582_912.0) - 12_582_912.0);
        to[..4].copy_from_slice(&whole.map(|v| v as i16));
    }

    #[inline(always)]
    fn zip(self, first: &[i16], second: &[i16], to: &mut [i32]) {
        for ((to, a), b) in to[..4].iter_mut().zip(&first[..4]).zip(&second[..4]) {
            *to = (i32::from(*a as u16) | i32::from(*b) << 16).to_le();
        }
    }

    #[inline(always)]
    fn abs(self, v: F) -> F {
        v.map(f32::abs)
    }

    #[inline(always)]
    fn tile_i16(self, t: Tile<'_, I16>) {
        match (t.rows, t.narrow) {
            (4, false) => tile_i16::<Self, 4, 2>(self, t),
            (4, true) => tile_i16::<Self, 4, 1>(self, t),
            (2, false) => tile_i16::<Self, 2, 2>(self, t),
            (2, true) => tile_i16::<Self, 2, 1>(self, t),
            (_, false) => tile_i16::<Self, 1, 2>(self, t),
            (_, true) => tile_i16::<Self, 1, 1>(self, t),
        }
    }

    #[inline(always)]
    fn tile(self, t: Tile<'_, F32>) {
        match (t.rows, t.narrow) {
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
            4.. => 4,
            2..4 => 2,
            _ => 1,
        }
    }
}

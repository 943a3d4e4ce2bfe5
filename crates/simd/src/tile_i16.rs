//! The inner loop of every product of 16-bit integers.

use crate::element::I16;
use crate::simd::Simd;
use crate::tile::{PANEL_DEPTH, PANEL_ROWS, Tile};

/// Distance of a left operand's rows: an odd number of cache lines.
pub const PANEL_STRIDE_I16: usize = PANEL_DEPTH + 32;

/// Integers of one piece of a left operand, `[PANEL_ROWS, PANEL_STRIDE_I16]`.
pub const PANEL_LEN_I16: usize = PANEL_ROWS * PANEL_STRIDE_I16;

/// Computes a tile of M rows and N vectors of columns.
///
/// # Panics
/// If a slice is shorter than its shape.
#[inline(always)]
pub fn tile_i16<S: Simd, const M: usize, const N: usize>(s: S, t: Tile<'_, I16>) {
    let (width, w) = (N * S::WIDTH, S::WIDTH);
    assert!(
        t.rows == M
            && t.steps > 0
            && 2 * t.steps <= PANEL_STRIDE_I16
            && t.left.len() >= (M - 1) * PANEL_STRIDE_I16 + 2 * t.steps
    );
    assert!(t.right_row >= width && t.right.len() >= (t.steps - 1) * t.right_row + width);
    assert!(t.out_row >= width && t.out.len() >= (M - 1) * t.out_row + width && t.scales.rows.len() >= M);
    assert!(t.start.is_none_or(|start| start.len() >= width));
    let mut sums = [[s.pair(0); N]; M];
    let (mut left, mut right) = (t.left.as_ptr(), t.right.as_ptr());
    for _ in 0..t.steps {
        let mut columns = [s.pair(0); N];
        for (n, column) in columns.iter_mut().enumerate() {
            // SAFETY: the assertion on `right` covers `pairs` rows of `width` integers, `right_row` apart.
            *column = s.pairs(unsafe { std::slice::from_raw_parts(right.wrapping_add(n * w), w) });
        }
        for (m, row) in sums.iter_mut().enumerate() {
            // SAFETY: the assertion on `left` covers M rows of twice `pairs` i16s, PANEL_STRIDE_I16 apart.
            let value = s.pair(unsafe { left.wrapping_add(m * PANEL_STRIDE_I16).cast::<i32>().read_unaligned() });
            for (n, sum) in row.iter_mut().enumerate() {
                *sum = s.dot(*sum, value, columns[n]);
            }
        }
        left = left.wrapping_add(2);
        right = right.wrapping_add(t.right_row);
    }
    // Without a branch for each element, as in the tile of floats.
    let (mut out, floor) = (t.out.as_mut_ptr(), s.splat(if t.relu { 0.0 } else { f32::NEG_INFINITY }));
    let (mut start, start_row) = t.start.map_or((out.cast_const(), t.out_row), |start| (start.as_ptr(), 0));
    let mut scales = [s.splat(0.0); N];
    for (n, scale) in scales.iter_mut().enumerate() {
        *scale = s.load(&t.scales.columns[n * w..]);
    }
    let row_scales: &[f32; M] = t.scales.rows.first_chunk().expect("as was asserted");
    for (m, row) in sums.iter().enumerate() {
        let scale = s.splat(row_scales[m]);
        for (n, sum) in row.iter().enumerate() {
            // SAFETY: the assertions on `start` and `out` cover M rows of `width` floats, their distances apart.
            let start = s.load(unsafe { std::slice::from_raw_parts(start.wrapping_add(n * w), w) });
            // SAFETY: as above; the vector that was made of `start` is read already.
            let out = unsafe { std::slice::from_raw_parts_mut(out.wrapping_add(n * w), w) };
            let sum = s.fma(s.mul(s.float(*sum), scale), scales[n], start);
            s.store(s.max(sum, floor), out);
        }
        out = out.wrapping_add(t.out_row);
        start = start.wrapping_add(start_row);
    }
}

//! The inner loop of every product of short integers.

use super::super::lanes::Lanes;
use super::super::tile::{BLOCK, CHUNK};

/// Distance of a left operand's rows: an odd number of cache lines.
pub const SHORT_ROW: usize = CHUNK + 32;

/// Shorts of one piece of a left operand, `[BLOCK, SHORT_ROW]`.
pub const SHORT_PANEL: usize = BLOCK * SHORT_ROW;

/// One tile: `out = start + rows' scales · columns' scales · left · right`.
#[derive(Debug)]
pub struct ShortTile<'a> {
    /// Rows.
    pub rows: usize,
    /// One vector of columns instead of two.
    pub narrow: bool,
    /// Half the length of the sums.
    pub pairs: usize,
    /// `[rows, 2 pairs]`, rows [`SHORT_ROW`] apart.
    pub left: &'a [i16],
    /// `[pairs, columns]`.
    pub right: &'a [i32],
    /// Distance of its rows.
    pub right_row: usize,
    /// One for each row.
    pub row_scales: &'a [f32],
    /// One for each column.
    pub column_scales: &'a [f32],
    /// What every row starts from; `None`: from what is in `out`.
    pub start: Option<&'a [f32]>,
    /// `[rows, columns]`.
    pub out: &'a mut [f32],
    /// Distance of its rows.
    pub out_row: usize,
    /// Whether negative sums become 0.
    pub relu: bool,
}

/// Computes a tile of M rows and N vectors of columns.
///
/// # Panics
/// If a slice is shorter than its shape.
#[inline(always)]
pub fn short_tile<S: Lanes, const M: usize, const N: usize>(s: S, t: ShortTile<'_>) {
    let (width, w) = (N * S::WIDTH, S::WIDTH);
    assert!(
        t.rows == M && t.pairs > 0 && 2 * t.pairs <= SHORT_ROW && t.left.len() >= (M - 1) * SHORT_ROW + 2 * t.pairs
    );
    assert!(t.right_row >= width && t.right.len() >= (t.pairs - 1) * t.right_row + width);
    assert!(t.out_row >= width && t.out.len() >= (M - 1) * t.out_row + width && t.row_scales.len() >= M);
    assert!(t.start.is_none_or(|start| start.len() >= width));
    let mut sums = [[s.pair(0); N]; M];
    let (mut left, mut right) = (t.left.as_ptr(), t.right.as_ptr());
    for _ in 0..t.pairs {
        let mut columns = [s.pair(0); N];
        for (n, column) in columns.iter_mut().enumerate() {
            // SAFETY: the assertion on `right` covers `pairs` rows of `width` integers, `right_row` apart.
            *column = s.pairs(unsafe { std::slice::from_raw_parts(right.wrapping_add(n * w), w) });
        }
        for (m, row) in sums.iter_mut().enumerate() {
            // SAFETY: the assertion on `left` covers M rows of twice `pairs` shorts, SHORT_ROW apart.
            let value = s.pair(unsafe { left.wrapping_add(m * SHORT_ROW).cast::<i32>().read_unaligned() });
            for (n, sum) in row.iter_mut().enumerate() {
                *sum = s.dot(*sum, value, columns[n]);
            }
        }
        left = left.wrapping_add(2);
        right = right.wrapping_add(t.right_row);
    }
    // Without a branch for each place, as in the tile of floats.
    let (mut out, floor) = (t.out.as_mut_ptr(), s.splat(if t.relu { 0.0 } else { f32::NEG_INFINITY }));
    let (mut start, start_row) = t.start.map_or((out.cast_const(), t.out_row), |start| (start.as_ptr(), 0));
    let mut scales = [s.splat(0.0); N];
    for (n, scale) in scales.iter_mut().enumerate() {
        *scale = s.load(&t.column_scales[n * w..]);
    }
    let row_scales: &[f32; M] = t.row_scales.first_chunk().expect("as was asserted");
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

//! The inner loop of every product: a tile of sums that stays in registers.

use crate::element::{Element, F32, Scales};
use crate::simd::Simd;

/// Rows of a left operand that go through the kernel together: 98 nodes are seven blocks.
pub const PANEL_ROWS: usize = 14;

/// Inner indices (channels, dimensions, senders) of one piece of a left operand.
pub const PANEL_DEPTH: usize = 256;

/// Distance of a left operand's rows, known to the compiler so that one pointer serves all rows. Not 256 itself:
/// a cache line further, so that the rows of a block lie in different sets.
pub const PANEL_STRIDE: usize = PANEL_DEPTH + 16;

/// Floats of one piece of a left operand, `[PANEL_ROWS, PANEL_STRIDE]`.
pub const PANEL_LEN: usize = PANEL_ROWS * PANEL_STRIDE;

/// One tile of a product: `out = start + scales · left · right`, or `out += …`.
#[derive(Debug)]
pub struct Tile<'a, E: Element> {
    /// Rows.
    pub rows: usize,
    /// One vector of columns instead of two.
    pub narrow: bool,
    /// Length of the sums, by [`Element::INNER`].
    pub steps: usize,
    /// `[rows, steps · INNER]`, rows [`Element::STRIDE`] apart.
    pub left: &'a [E::Left],
    /// `[steps, columns]`.
    pub right: &'a [E::Right],
    /// Distance of its rows.
    pub right_row: usize,
    /// What gives results back their size, from the tile's first row and column on.
    pub scales: Scales<'a>,
    /// What every row starts from; `None`: from what is in `out`.
    pub start: Option<&'a [f32]>,
    /// `[rows, columns]`.
    pub out: &'a mut [f32],
    /// Distance of its rows.
    pub out_row: usize,
    /// Whether negative sums become 0.
    pub relu: bool,
}

/// Computes a tile of M rows and N vectors of columns. C sums are kept for each element, of every C-th inner index: a tile
/// of one row would wait for its only sums.
///
/// # Panics
/// If a slice is shorter than its shape.
#[inline(always)]
pub fn tile<S: Simd, const M: usize, const N: usize, const C: usize>(s: S, t: Tile<'_, F32>) {
    let (width, w) = (N * S::WIDTH, S::WIDTH);
    assert!(t.rows == M && t.steps > 0 && t.steps <= PANEL_STRIDE && t.left.len() >= (M - 1) * PANEL_STRIDE + t.steps);
    assert!(t.right_row >= width && t.right.len() >= (t.steps - 1) * t.right_row + width);
    assert!(t.out_row >= width && t.out.len() >= (M - 1) * t.out_row + width);
    assert!(t.start.is_none_or(|start| start.len() >= width));
    let mut sums = [[[s.splat(0.0); N]; M]; C];
    let (mut left, mut right) = (t.left.as_ptr(), t.right.as_ptr());
    let mut inner = t.steps;
    while inner >= C {
        for sums in &mut sums {
            let mut columns = [s.splat(0.0); N];
            for (n, column) in columns.iter_mut().enumerate() {
                // SAFETY: the assertion on `right` covers `inner` rows of `width` floats, `right_row` apart.
                *column = s.load(unsafe { std::slice::from_raw_parts(right.wrapping_add(n * w), w) });
            }
            for (m, row) in sums.iter_mut().enumerate() {
                // SAFETY: the assertion on `left` covers M rows of `inner` floats, PANEL_STRIDE apart.
                let value = s.splat(unsafe { *left.wrapping_add(m * PANEL_STRIDE) });
                for (n, sum) in row.iter_mut().enumerate() {
                    *sum = s.step(value, columns[n], *sum);
                }
            }
            left = left.wrapping_add(1);
            right = right.wrapping_add(t.right_row);
        }
        inner -= C;
    }
    // Without a branch for each element: what a tile costs beside its loop counts where the loop is short.
    let (mut out, floor) = (t.out.as_mut_ptr(), s.splat(if t.relu { 0.0 } else { f32::NEG_INFINITY }));
    let (mut start, start_row) = t.start.map_or((out.cast_const(), t.out_row), |start| (start.as_ptr(), 0));
    let Some((total, more)) = sums.split_first_mut() else { return };
    for (m, row) in total.iter_mut().enumerate() {
        for (n, sum) in row.iter_mut().enumerate() {
            for more in more.iter() {
                *sum = s.add(*sum, more[m][n]);
            }
            for k in 0..inner {
                // SAFETY: the elements that the loop left over, within the same assertions.
                let value = s.splat(unsafe { *left.wrapping_add(m * PANEL_STRIDE + k) });
                let column = right.wrapping_add(k * t.right_row + n * w);
                // SAFETY: as above, a vector of columns.
                *sum = s.step(value, s.load(unsafe { std::slice::from_raw_parts(column, w) }), *sum);
            }
            // SAFETY: the assertions on `start` and `out` cover M rows of `width` floats, their distances apart.
            let start = s.load(unsafe { std::slice::from_raw_parts(start.wrapping_add(n * w), w) });
            // SAFETY: as above; the vector that was made of `start` is read already.
            let out = unsafe { std::slice::from_raw_parts_mut(out.wrapping_add(n * w), w) };
            s.store(s.max(s.add(*sum, start), floor), out);
        }
        out = out.wrapping_add(t.out_row);
        start = start.wrapping_add(start_row);
    }
}

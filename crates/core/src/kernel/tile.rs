//! The inner loop of every product: a tile of sums that stays in registers.

use super::lanes::Lanes;

/// Rows of a left operand that go through the kernel together: 98 nodes are seven blocks.
pub const BLOCK: usize = 14;

/// Inner indices (channels, dimensions, senders) of one piece of a left operand.
pub const CHUNK: usize = 256;

/// Distance of a left operand's rows, known to the compiler so that one pointer serves all rows. Not 256 itself:
/// a cache line further, so that the rows of a block lie in different sets.
pub const ROW: usize = CHUNK + 16;

/// Floats of one piece of a left operand, `[BLOCK, ROW]`.
pub const PANEL: usize = BLOCK * ROW;

/// One tile: `out = start + left · right`, or `out += left · right`.
#[derive(Debug)]
pub struct Tile<'a> {
    /// Rows.
    pub rows: usize,
    /// One vector of columns instead of two.
    pub narrow: bool,
    /// Length of the sums.
    pub inner: usize,
    /// `[rows, inner]`, rows [`ROW`] apart.
    pub left: &'a [f32],
    /// `[inner, columns]`.
    pub right: &'a [f32],
    /// Distance of its rows.
    pub right_row: usize,
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
pub fn tile<S: Lanes, const M: usize, const N: usize>(s: S, t: Tile<'_>) {
    let (width, w) = (N * S::WIDTH, S::WIDTH);
    assert!(t.rows == M && t.inner > 0 && t.inner <= ROW && t.left.len() >= (M - 1) * ROW + t.inner);
    assert!(t.right_row >= width && t.right.len() >= (t.inner - 1) * t.right_row + width);
    assert!(t.out_row >= width && t.out.len() >= (M - 1) * t.out_row + width);
    assert!(t.start.is_none_or(|start| start.len() >= width));
    let mut sums = [[s.splat(0.0); N]; M];
    for (m, row) in sums.iter_mut().enumerate() {
        for (n, sum) in row.iter_mut().enumerate() {
            *sum = match t.start {
                Some(start) => s.load(&start[n * w..]),
                None => s.load(&t.out[m * t.out_row + n * w..]),
            };
        }
    }
    let (mut left, mut right) = (t.left.as_ptr(), t.right.as_ptr());
    for _ in 0..t.inner {
        let mut columns = [s.splat(0.0); N];
        for (n, column) in columns.iter_mut().enumerate() {
            // SAFETY: the assertion on `right` covers `inner` rows of `width` floats, `right_row` apart.
            *column = s.load(unsafe { std::slice::from_raw_parts(right.wrapping_add(n * w), w) });
        }
        for (m, row) in sums.iter_mut().enumerate() {
            // SAFETY: the assertion on `left` covers M rows of `inner` floats, ROW apart.
            let value = s.splat(unsafe { *left.wrapping_add(m * ROW) });
            for (n, sum) in row.iter_mut().enumerate() {
                *sum = s.fma(value, columns[n], *sum);
            }
        }
        left = left.wrapping_add(1);
        right = right.wrapping_add(t.right_row);
    }
    for (m, row) in sums.iter().enumerate() {
        for (n, sum) in row.iter().enumerate() {
            let sum = if t.relu { s.max(*sum, s.splat(0.0)) } else { *sum };
            s.store(sum, &mut t.out[m * t.out_row + n * w..]);
        }
    }
}

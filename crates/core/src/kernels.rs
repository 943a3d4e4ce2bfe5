//! The arithmetic under the scorer: matrix products by a kept crate, and rows of softmax.

/// `out = a · b` (or `out += a · b` with `add`): `a` is `[m, k]`, `b` is `[k, n]`, or `[n, k]` where `b_transposed`;
/// all row-major, `out` is `[m, n]`.
///
/// # Panics
/// If a slice is shorter than its shape.
pub fn matmul(shape: (usize, usize, usize), a: &[f32], b: &[f32], b_transposed: bool, out: &mut [f32], add: bool) {
    let (m, k, n) = shape;
    assert!(a.len() >= m * k && b.len() >= k * n && out.len() >= m * n, "shapes {m} {k} {n} do not fit");
    let (b_row, b_col) = if b_transposed { (1, k as isize) } else { (n as isize, 1) };
    // SAFETY: the assertion above gives each pointer as many readable (`out`: writable) places as its shape and
    // strides reach, and `out` cannot overlap the others, being the only mutable borrow.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            k as isize,
            1,
            b.as_ptr(),
            b_row,
            b_col,
            if add { 1.0 } else { 0.0 },
            out.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}

/// Replaces every row of `rows` (each `n` long) by its softmax.
pub fn softmax_rows(rows: &mut [f32], n: usize) {
    for row in rows.chunks_exact_mut(n) {
        let largest = row.iter().fold(f32::NEG_INFINITY, |m, e| m.max(*e));
        for e in row.iter_mut() {
            *e = exp(*e - largest);
        }
        let total: f32 = row.iter().sum();
        let scale = 1.0 / total;
        row.iter_mut().for_each(|e| *e *= scale);
    }
}

/// e^x for x ≤ 0, relative error below 2e-7, without a branch so that a loop over it becomes vector code:
/// 2^n · e^r with |r| ≤ ln 2 / 2 (Cody and Waite's split of ln 2) and Cephes' minimax polynomial for e^r.
#[inline]
#[allow(clippy::excessive_precision, reason = "the constants are written as they were derived")]
fn exp(x: f32) -> f32 {
    // Below −87 the result is not a normal float; it is at most 1.7e-38 of the row's largest.
    let x = x.max(-87.0);
    let n = (x * std::f32::consts::LOG2_E + 12_582_912.0) - 12_582_912.0;
    let r = x - n * 0.693_359_375 - n * -2.121_944_4e-4;
    let p = 1.987_569_15e-4;
    let p = p * r + 1.398_199_95e-3;
    let p = p * r + 8.333_451_9e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_55e-1;
    let p = p * r + 5.000_000_1e-1;
    let p = p * r * r + r + 1.0;
    p * f32::from_bits((((n as i32) + 127) << 23) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_single_precision() {
        let mut x = 0.0f32;
        while x > -87.0 {
            let (got, want) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((got - want).abs() <= 2e-7 * want, "{x}: {got} {want}");
            x -= 0.0137;
        }
        assert!(exp(-1e30) < 1e-37);
    }

    #[test]
    fn matmul_agrees_with_the_definition_for_both_orders() {
        let (m, k, n) = (5, 7, 3);
        let a: Vec<f32> = (0..m * k).map(|i| (i % 11) as f32 - 5.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i % 7) as f32 - 3.0).collect();
        let bt: Vec<f32> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
        let mut want = vec![1.0; m * n];
        for (i, w) in want.iter_mut().enumerate() {
            *w += (0..k).map(|t| a[i / n * k + t] * b[t * n + i % n]).sum::<f32>();
        }
        for (b, transposed) in [(&b, false), (&bt, true)] {
            let mut out = vec![1.0; m * n];
            matmul((m, k, n), &a, b, transposed, &mut out, true);
            assert_eq!(out, want);
        }
    }
}

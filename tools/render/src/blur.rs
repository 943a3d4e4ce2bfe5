//! Repeated box blurs on one-channel images, close enough to a Gaussian for shade and focus.

/// Blurs a row-major image of the given width in place. `radius` is in pixels; two passes make the
/// kernel a triangle, three nearly a bell.
pub(crate) fn soften(image: &mut [f32], width: usize, radius: usize, passes: usize) {
    if width == 0 || radius == 0 {
        return;
    }
    let height = image.len() / width;
    let mut line = vec![0.0f32; width.max(height)];
    let share = 1.0 / (2 * radius + 1) as f32;
    let mut sums = vec![0.0f32; width];
    let mut copy = vec![0.0f32; image.len()];
    for _ in 0..passes {
        for row in image.chunks_exact_mut(width) {
            line[..width].copy_from_slice(row);
            let mut sum = line[0] * radius as f32;
            for x in 0..=radius {
                sum += line[x.min(width - 1)];
            }
            for (x, out) in row.iter_mut().enumerate() {
                *out = sum * share;
                sum += line[(x + radius + 1).min(width - 1)] - line[x.saturating_sub(radius)];
            }
        }
        // The vertical pass runs along rows too, with one running sum a column: it stays in cache.
        copy.copy_from_slice(image);
        let row_at = |y: usize| &copy[y * width..(y + 1) * width];
        sums.fill(0.0);
        for offset in 0..=2 * radius {
            let y = offset.saturating_sub(radius).min(height - 1);
            sums.iter_mut().zip(row_at(y)).for_each(|(sum, value)| *sum += value);
        }
        for (y, row) in image.chunks_exact_mut(width).enumerate() {
            let enter = row_at((y + radius + 1).min(height - 1));
            let leave = row_at(y.saturating_sub(radius));
            for (((out, sum), enter), leave) in row.iter_mut().zip(&mut sums).zip(enter).zip(leave) {
                *out = *sum * share;
                *sum += enter - leave;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_image_stays_flat_and_a_peak_spreads() {
        let mut flat = vec![0.5; 7 * 5];
        soften(&mut flat, 7, 2, 2);
        assert!(flat.iter().all(|v| (v - 0.5).abs() < 1e-5));
        let mut peak = vec![0.0; 9 * 9];
        peak[40] = 1.0;
        soften(&mut peak, 9, 1, 1);
        assert!((peak[40] - 1.0 / 9.0).abs() < 1e-6 && (peak[30] - 1.0 / 9.0).abs() < 1e-6);
    }
}

//! Out of focus, or sent through something that kept few pixels.

use crate::augment::canvas::Canvas;
use crate::augment::warp::{Beyond, warp};

/// A Gaussian blur; `sigma` is in pixels, the edge's pixels go on beyond it.
pub(super) fn blur(canvas: &mut Canvas, sigma: f64) {
    let kernel = half_kernel(sigma);
    let (width, height) = (canvas.width, canvas.height);
    let (stride, reach) = (width * 3, kernel.len() - 1);
    let mut blurred = vec![0.0f32; height * stride];
    let mut padded = vec![0.0f32; stride + 6 * reach];
    for (row, out) in canvas.rgb.chunks_exact(stride).zip(blurred.chunks_exact_mut(stride)) {
        let end = reach * 3 + stride;
        padded[reach * 3..end].iter_mut().zip(row).for_each(|(to, from)| *to = f32::from(*from));
        for c in 0..reach * 3 {
            padded[c] = f32::from(row[c % 3]);
            padded[end + c] = f32::from(row[stride - 3 + c % 3]);
        }
        for (k, weight) in kernel.iter().enumerate() {
            let before = &padded[(reach - k) * 3..][..stride];
            let after = &padded[(reach + k) * 3..][..stride];
            add(out, before, after, *weight);
        }
    }
    let row_of = |y: usize| &blurred[y.min(height - 1) * stride..][..stride];
    let mut sum = vec![0.0f32; stride];
    for (y, row) in canvas.rgb.chunks_exact_mut(stride).enumerate() {
        sum.fill(0.5);
        for (k, weight) in kernel.iter().enumerate() {
            add(&mut sum, row_of(y.saturating_sub(k)), row_of(y + k), *weight);
        }
        row.iter_mut().zip(&sum).for_each(|(to, from)| *to = *from as u8);
    }
}

fn add(out: &mut [f32], before: &[f32], after: &[f32], weight: f32) {
    for ((out, before), after) in out.iter_mut().zip(before).zip(after) {
        *out += (before + after) * weight;
    }
}

/// The bell from its middle outwards to three sigma, of sum 1; the middle is given as half, for it is added twice.
fn half_kernel(sigma: f64) -> Vec<f32> {
    let reach = (3.0 * sigma).ceil() as usize;
    let mut weights: Vec<f64> = (0..=reach).map(|k| libm::exp(-((k * k) as f64) / (2.0 * sigma * sigma))).collect();
    weights[0] /= 2.0;
    let sum = 2.0 * weights.iter().sum::<f64>();
    weights.into_iter().map(|weight| (weight / sum) as f32).collect()
}

/// Reduces to a share of the sides and enlarges again.
pub(super) fn resample(canvas: &mut Canvas, share: f64) {
    let whole = |width: usize, height: usize| {
        let (right, bottom) = (width as f64, height as f64);
        [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)]
    };
    let side = |length: usize| ((length as f64 * share).round() as usize).max(1);
    let (width, height) = (canvas.width, canvas.height);
    let small = warp(canvas.plane(), whole(width, height), (side(width), side(height)), Beyond::Edge);
    *canvas = warp(small.plane(), whole(small.width, small.height), (width, height), Beyond::Edge);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot() -> Canvas {
        let mut rgb = vec![0; 9 * 9 * 3];
        rgb[40 * 3..41 * 3].fill(255);
        Canvas { rgb, width: 9, height: 9 }
    }

    #[test]
    fn a_flat_picture_stays_flat_and_a_dot_becomes_a_bell() {
        for sigma in [0.5, 1.0, 1.8] {
            let mut flat = Canvas { rgb: vec![200; 7 * 5 * 3], width: 7, height: 5 };
            blur(&mut flat, sigma);
            assert!(flat.rgb.iter().all(|v| v.abs_diff(200) <= 1));
        }
        let mut dot = dot();
        blur(&mut dot, 1.0);
        // 1/(2π) of 255 in the middle, e^−½ of that beside it.
        assert!(dot.rgb[40 * 3].abs_diff(41) <= 1 && dot.rgb[41 * 3].abs_diff(25) <= 1);
        assert_eq!(dot.rgb[41 * 3], dot.rgb[49 * 3]);
    }

    #[test]
    fn few_pixels_keep_the_size_and_lose_a_dot() {
        let mut canvas = dot();
        resample(&mut canvas, 0.4);
        assert_eq!((canvas.width, canvas.height, canvas.rgb.len()), (9, 9, 243));
        assert!(canvas.rgb.iter().all(|v| *v < 200));
        let mut one = Canvas { rgb: vec![9; 3], width: 1, height: 1 };
        resample(&mut one, 0.3);
        assert_eq!(one.rgb, [9; 3]);
    }
}

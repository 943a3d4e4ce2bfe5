//! Another lamp, another camera: gamma, contrast, gain and tint in one table a channel; the sensor's noise.

use crate::augment::canvas::Canvas;
use crate::augment::rng::AugmentRng;

/// How an image is lit and exposed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Light {
    /// Exponent of the value.
    pub(super) gamma: f64,
    /// Distance from the middle grey.
    pub(super) contrast: f64,
    /// Factor of a channel.
    pub(super) gain: [f64; 3],
}

/// Applies it: `((v^gamma − ½)·contrast + ½)·gain`.
pub(super) fn relight(canvas: &mut Canvas, light: &Light) {
    let Light { gamma, contrast, gain } = *light;
    // libm: the same power on every platform.
    let shape: [f64; 256] = std::array::from_fn(|v| (libm::pow(v as f64 / 255.0, gamma) - 0.5) * contrast + 0.5);
    let tables = gain.map(|gain| shape.map(|v| (v * gain * 255.0 + 0.5).clamp(0.0, 255.0) as u8));
    for pixel in canvas.rgb.as_chunks_mut::<3>().0 {
        for (value, table) in pixel.iter_mut().zip(&tables) {
            *value = table[usize::from(*value)];
        }
    }
}

/// Adds noise of that standard deviation (of 255), grey as after a camera's own processing.
pub(super) fn add_noise(canvas: &mut Canvas, deviation: f64, rng: &mut AugmentRng) {
    // A byte's variance is (256² − 1)/12; eight of them sum to nearly a bell.
    let scale = (deviation / (8.0 * 65_535.0 / 12.0f64).sqrt()) as f32;
    for pixel in canvas.rgb.as_chunks_mut::<3>().0 {
        let sum: u16 = rng.bits().to_le_bytes().into_iter().map(u16::from).sum();
        let noise = (f32::from(sum) - 1020.0) * scale + 0.5;
        for value in pixel {
            *value = (f32::from(*value) + noise) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_that_changes_nothing_changes_nothing_and_a_gain_brightens() {
        let rgb: Vec<u8> = (0..=254).collect();
        let mut canvas = Canvas { rgb: rgb.clone(), width: 85, height: 1 };
        relight(&mut canvas, &Light { gamma: 1.0, contrast: 1.0, gain: [1.0; 3] });
        assert_eq!(canvas.rgb, rgb);
        relight(&mut canvas, &Light { gamma: 1.0, contrast: 1.0, gain: [2.0, 1.0, 0.5] });
        assert_eq!(canvas.rgb[99..102], [198, 100, 51]);
        assert_eq!(canvas.rgb[249..252], [255, 250, 126]);
    }

    #[test]
    fn noise_has_the_deviation_asked_for() {
        let mut canvas = Canvas { rgb: vec![128; 3 * 10_000], width: 100, height: 100 };
        add_noise(&mut canvas, 8.0, &mut AugmentRng::new(1));
        let off: Vec<f64> = canvas.rgb.iter().map(|v| f64::from(*v) - 128.0).collect();
        let mean = off.iter().sum::<f64>() / off.len() as f64;
        let deviation = (off.iter().map(|v| v * v).sum::<f64>() / off.len() as f64).sqrt();
        assert!(mean.abs() < 0.5 && (deviation - 8.0).abs() < 0.4, "{mean} {deviation}");
    }
}

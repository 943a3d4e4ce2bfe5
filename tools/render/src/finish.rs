//! What a camera does to a picture: light, colour cast, focus, noise.

use crate::dice::Dice;
use image::RgbImage;
use libm::{cosf, powf, sinf};
use tiny_skia::Pixmap;

/// The settings of one exposure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    /// Factor on the light.
    pub(crate) exposure: f32,
    /// Exponent of the tone curve; 1 is neutral, less is flatter and brighter.
    pub(crate) gamma: f32,
    /// Factor on each channel.
    pub(crate) cast: [f32; 3],
    /// How much brighter one side of the photo is, and from where (radians).
    pub(crate) gradient: (f32, f32),
    /// Darkening of the corners.
    pub(crate) vignette: f32,
    /// Rounds of softening, and whether along rows only (a shaken hand).
    pub(crate) blur: (u8, bool),
    /// Standard deviation of the noise, in levels.
    pub(crate) noise: f32,
}

impl Finish {
    /// A studio: neutral and sharp.
    pub(crate) fn studio(dice: &mut Dice) -> Self {
        Self {
            exposure: dice.range(0.98, 1.04),
            gamma: 1.0,
            cast: [1.0, 1.0, dice.range(0.985, 1.015)],
            gradient: (0.03, dice.range(0.0, 6.3)),
            vignette: 0.02,
            blur: (0, false),
            noise: 0.6,
        }
    }

    /// A phone indoors or out; `harsh` in `0.0..=1.0` scales every flaw.
    pub(crate) fn phone(dice: &mut Dice, harsh: f32) -> Self {
        let warmth = dice.spread(0.11) * harsh;
        Self {
            exposure: 1.0 + dice.range(-0.24, 0.14) * harsh,
            gamma: 1.0 + dice.spread(0.16) * harsh,
            cast: [1.0 + warmth, 1.0 + dice.spread(0.02) * harsh, 1.0 - warmth * 0.9],
            gradient: (dice.range(0.03, 0.3) * harsh, dice.range(0.0, 6.3)),
            vignette: dice.range(0.03, 0.2) * harsh,
            blur: (dice.pick(&[0, 0, 1, 1, 2, 3]), dice.chance(0.2)),
            noise: dice.range(0.8, 5.5) * harsh,
        }
    }

    /// Develops a painted picture.
    pub(crate) fn develop(&self, picture: &Pixmap, dice: &mut Dice) -> RgbImage {
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let mut image: Vec<u8> = Vec::with_capacity(width * height * 3);
        for pixel in picture.data().chunks_exact(4) {
            image.extend_from_slice(&pixel[..3]);
        }
        for _ in 0..self.blur.0 {
            soften(&mut image, width, self.blur.1);
        }
        let curves: [Vec<f32>; 3] = self.cast.map(|cast| {
            (0..256).map(|level| 255.0 * powf(level as f32 / 255.0, self.gamma) * cast * self.exposure).collect()
        });
        let (rise, from) = self.gradient;
        let (gx, gy) = (cosf(from) * rise / width as f32, sinf(from) * rise / height as f32);
        let (mx, my) = (width as f32 / 2.0, height as f32 / 2.0);
        let corner = self.vignette / (mx * mx + my * my);
        let mut state = dice.word() | 1;
        // The sum of four uniform bytes has a standard deviation of 147.8.
        let grain = self.noise / 147.8;
        for (y, row) in image.chunks_exact_mut(width * 3).enumerate() {
            let dy = y as f32 - my;
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                let dx = x as f32 - mx;
                let light = 1.0 + gx * dx + gy * dy - corner * (dx * dx + dy * dy);
                let shared = bell(&mut state) * grain;
                for (value, curve) in pixel.iter_mut().zip(&curves) {
                    let noise = shared + bell(&mut state) * grain * 0.5;
                    *value = (curve[usize::from(*value)] * light + noise + 0.5) as u8;
                }
            }
        }
        RgbImage::from_raw(width as u32, height as u32, image)
            .unwrap_or_else(|| RgbImage::new(width as u32, height as u32))
    }
}

/// Roughly normal, zero on average, from one xorshift word.
fn bell(state: &mut u32) -> f32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    let sum: u32 = state.to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
    sum as f32 - 510.0
}

/// One round of a quarter-half-quarter kernel, along rows and (unless `rows_only`) columns.
fn soften(image: &mut [u8], width: usize, rows_only: bool) {
    let stride = width * 3;
    let mut last = vec![0u8; stride];
    for row in image.chunks_exact_mut(stride) {
        last.copy_from_slice(row);
        for at in 3..stride - 3 {
            let sum = u32::from(last[at - 3]) + 2 * u32::from(last[at]) + u32::from(last[at + 3]);
            row[at] = ((sum + 2) >> 2) as u8;
        }
    }
    if rows_only {
        return;
    }
    last.copy_from_slice(&image[..stride]);
    for start in (stride..image.len().saturating_sub(stride)).step_by(stride) {
        let (now, below) = image[start..].split_at_mut(stride);
        for ((value, above), below) in now.iter_mut().zip(&mut last).zip(below) {
            let old = *value;
            *value = ((u32::from(*above) + 2 * u32::from(old) + u32::from(*below) + 2) >> 2) as u8;
            *above = old;
        }
    }
}

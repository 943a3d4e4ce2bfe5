//! Imitated snapshots: a photo as somebody might have taken it, from a seed.

use grnet_photo::Region;

use crate::numbers::Sequence;

/// What a snapshot does to a photo.
#[derive(Debug, Clone)]
pub struct Snapshot(Sequence);

impl Snapshot {
    /// The snapshot of that seed.
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds begin with neighbouring numbers; far ones do not.
        let mut sequence = Sequence::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        sequence.unit();
        Self(sequence)
    }

    /// Evenly between two numbers.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (f64::from(self.0.unit()) + 1.0) / 2.0 * (high - low)
    }

    /// The part of a photo of that size (or of the box in it) that is seen: 45 to 100 % of each side.
    pub fn crop(&mut self, whole: Region) -> Region {
        let (width, height) = (whole.width * self.between(0.45, 1.0), whole.height * self.between(0.45, 1.0));
        Region {
            left: whole.left + self.between(0.0, 1.0) * (whole.width - width),
            top: whole.top + self.between(0.0, 1.0) * (whole.height - height),
            width,
            height,
        }
    }

    /// Light, mirror image and something in the way, on `size × size` RGB pixels.
    pub fn pixels(&mut self, pixels: &mut [u8], size: usize) {
        let (gain, gamma) = (self.between(0.7, 1.25), self.between(0.75, 1.35));
        let tint = [self.between(0.9, 1.1), 1.0, self.between(0.9, 1.1)];
        let curve = |v: usize, t: f64| ((v as f64 / 255.0).powf(gamma) * gain * t * 255.0).clamp(0.0, 255.0) as u8;
        let curves: Vec<[u8; 256]> = tint.iter().map(|t| std::array::from_fn(|v| curve(v, *t))).collect();
        for pixel in pixels.as_chunks_mut::<3>().0 {
            for (value, curve) in pixel.iter_mut().zip(&curves) {
                *value = curve[usize::from(*value)];
            }
        }
        if self.between(0.0, 1.0) < 0.5 {
            for row in pixels.chunks_exact_mut(size * 3) {
                row.as_chunks_mut::<3>().0.reverse();
            }
        }
        if self.between(0.0, 1.0) < 0.5 {
            let side = |s: &mut Self| (s.between(0.15, 0.5) * size as f64) as usize;
            let (width, height) = (side(self), side(self));
            let (left, top) = (self.between(0.0, 1.0), self.between(0.0, 1.0));
            let (left, top) = ((left * (size - width) as f64) as usize, (top * (size - height) as f64) as usize);
            let colour: [u8; 3] = std::array::from_fn(|_| self.between(0.0, 255.0) as u8);
            for row in pixels.chunks_exact_mut(size * 3).skip(top).take(height) {
                row[left * 3..(left + width) * 3].as_chunks_mut::<3>().0.fill(colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything_and_crops_stay_inside() {
        let whole = Region { left: 10.0, top: 20.0, width: 100.0, height: 50.0 };
        for seed in 0..200 {
            let crop = Snapshot::new(seed).crop(whole);
            assert!(crop.left >= 10.0 && crop.left + crop.width <= 110.0 + 1e-9);
            assert!(crop.top >= 20.0 && crop.top + crop.height <= 70.0 + 1e-9);
            let (mut a, mut b) = (vec![100; 16 * 16 * 3], vec![100; 16 * 16 * 3]);
            Snapshot::new(seed).pixels(&mut a, 16);
            Snapshot::new(seed).pixels(&mut b, 16);
            assert_eq!(a, b);
        }
    }
}

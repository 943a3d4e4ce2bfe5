//! Ways in which an image is made as somebody might have taken it where no training sees it.

use crate::augment::augmentation::Augmentation;

/// What happens to an image. All but the first are for evaluations: each does one thing, and does it always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// What happens to the images of a training.
    Any,
    /// A part of 40 to 70 % of the sides, in other light.
    Cropped,
    /// One thing or two in the way, in other light.
    Occluded,
    /// Both.
    CroppedAndOccluded,
}

impl Preset {
    /// Those of an evaluation, with the names of the sets of queries that they make.
    pub const EVALUATED: [(Self, &'static str); 3] = [
        (Self::Cropped, "imitated: cropped"),
        (Self::Occluded, "imitated: occluded"),
        (Self::CroppedAndOccluded, "imitated: cropped and occluded"),
    ];

    /// How far an augmented image differs from its image.
    pub fn augmentation(self) -> Augmentation {
        if self == Self::Any {
            return Augmentation::default();
        }
        let cropped = matches!(self, Self::Cropped | Self::CroppedAndOccluded);
        let occluded = matches!(self, Self::Occluded | Self::CroppedAndOccluded);
        Augmentation {
            crop: if cropped { [0.4, 0.7] } else { [1.0; 2] },
            aspect: 0.0,
            perspective: 0.0,
            rotation: 0.0,
            mirror: 0.0,
            // One thing always, a second half of the time.
            occluders: if occluded { [0.5, 0.5] } else { [0.0; 2] },
            occluder_side: [0.35, 0.6],
            elsewhere: 0.0,
            blurred: 0.0,
            reduced: 0.0,
            noisy: 0.0,
            ..Augmentation::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use grnet_image::{Fit, Picture};

    use super::*;
    use crate::augment::augmentation::Kind;

    #[test]
    fn each_does_its_one_thing() {
        // Red on the left, blue on the right, so that a crop is told by where they meet.
        let image: Vec<u8> =
            (0..64 * 64).flat_map(|at| if at % 64 < 32 { [200, 40, 40] } else { [40, 40, 200] }).collect();
        let image = Picture::new(64, 64, image).unwrap();
        let still = |preset: Preset| Augmentation {
            gamma: 0.0,
            contrast: [1.0; 2],
            gain: [1.0; 2],
            tint: 0.0,
            ..preset.augmentation()
        };
        let of = |preset, seed| still(preset).apply(&image, &[], Kind::Consumer, 64, Fit::Letterbox, seed);
        let plain = Augmentation { strength: 0.0, ..Augmentation::default() };
        let plain = plain.apply(&image, &[], Kind::Consumer, 64, Fit::Letterbox, 1);
        let changed = |pixels: &[u8]| {
            let apart = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 40);
            pixels.chunks(3).zip(plain.chunks(3)).filter(|pair| apart(*pair)).count() as f64 / 4096.0
        };
        for seed in 0..20 {
            let hidden = changed(&of(Preset::Occluded, seed));
            assert!((0.05..=0.5).contains(&hidden), "{hidden}");
            assert_ne!(of(Preset::Cropped, seed), of(Preset::Occluded, seed));
            assert_ne!(of(Preset::CroppedAndOccluded, seed), of(Preset::Cropped, seed));
        }
    }
}

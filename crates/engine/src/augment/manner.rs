//! Ways in which a photo is made somebody's snapshot where no training sees it.

use super::Imitation;

/// What happens to a photo. All but the first are for evaluations: each does one thing, and does it always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// What happens to the photos of a training.
    Any,
    /// A part of 40 to 70 % of the sides, in other light.
    Cropped,
    /// One thing or two in the way, in other light.
    Occluded,
    /// Both.
    CroppedAndOccluded,
}

impl Manner {
    /// Those of an evaluation, with the names of the sets of queries that they make.
    pub const EVALUATED: [(Self, &'static str); 3] = [
        (Self::Cropped, "imitated: cropped"),
        (Self::Occluded, "imitated: occluded"),
        (Self::CroppedAndOccluded, "imitated: cropped and occluded"),
    ];

    /// How far a snapshot differs from its photo.
    pub fn imitation(self) -> Imitation {
        if self == Self::Any {
            return Imitation::default();
        }
        let cropped = matches!(self, Self::Cropped | Self::CroppedAndOccluded);
        let occluded = matches!(self, Self::Occluded | Self::CroppedAndOccluded);
        Imitation {
            window: if cropped { [0.4, 0.7] } else { [1.0; 2] },
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
            ..Imitation::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use grnet_photo::{Fit, Picture};

    use super::*;
    use crate::augment::Kind;

    #[test]
    fn each_does_its_one_thing() {
        // Red on the left, blue on the right, so that a window is told by where they meet.
        let photo: Vec<u8> =
            (0..64 * 64).flat_map(|at| if at % 64 < 32 { [200, 40, 40] } else { [40, 40, 200] }).collect();
        let photo = Picture::new(64, 64, photo).unwrap();
        let still = |manner: Manner| Imitation {
            gamma: 0.0,
            contrast: [1.0; 2],
            gain: [1.0; 2],
            tint: 0.0,
            ..manner.imitation()
        };
        let of = |manner, seed| still(manner).snapshot(&photo, &[], Kind::Consumer, 64, Fit::Letterbox, seed);
        let plain = Imitation { strength: 0.0, ..Imitation::default() };
        let plain = plain.snapshot(&photo, &[], Kind::Consumer, 64, Fit::Letterbox, 1);
        let changed = |pixels: &[u8]| {
            let apart = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > 40);
            pixels.chunks(3).zip(plain.chunks(3)).filter(|pair| apart(*pair)).count() as f64 / 4096.0
        };
        for seed in 0..20 {
            let hidden = changed(&of(Manner::Occluded, seed));
            assert!((0.05..=0.5).contains(&hidden), "{hidden}");
            assert_ne!(of(Manner::Cropped, seed), of(Manner::Occluded, seed));
            assert_ne!(of(Manner::CroppedAndOccluded, seed), of(Manner::Cropped, seed));
        }
    }
}

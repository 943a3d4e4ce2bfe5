//! What an augmented image may differ in, and the making of one.

use grnet_image::{Fit, Picture};

use crate::augment::canvas::{Canvas, Plane};
use crate::augment::light::{Light, add_noise, relight};
use crate::augment::occlude::{Occluders, occlude};
use crate::augment::rng::AugmentRng;
use crate::augment::view::{Viewpoint, choose};
use crate::augment::warp::{Beyond, warp};
use crate::augment::{background, scene, soften};

/// Whose image an augmented one looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's own image: everything happens to it.
    Consumer,
    /// Another image of the shop: cropped a little, mirrored, in slightly other light.
    Shop,
}

/// How far augmented images differ from their image. The default was found by training on 1,400 images; everything is
/// public to be measured against it.
#[derive(Debug, Clone, PartialEq)]
pub struct Augmentation {
    /// 0 to 1, scales everything: at 0 an augmented image is the image as the model's input is made of it.
    pub strength: f64,
    /// The sides of a consumer's crop, least and most, as shares of the image's.
    pub crop: [f64; 2],
    /// The same of a shop's.
    pub shop_crop: f64,
    /// Most by which a crop's aspect ratio changes, as a logarithm.
    pub aspect: f64,
    /// Most by which a corner moves, as a share of the crop's sides.
    pub perspective: f64,
    /// Standard deviation of the rotation, in degrees.
    pub rotation: f64,
    /// Share of the images that are mirrored.
    pub mirror: f64,
    /// Share of the images with one thing in the way, and with two.
    pub occluders: [f64; 2],
    /// Sides of what is in the way, as shares of the picture's.
    pub occluder_side: [f64; 2],
    /// The most that is hidden, of the picture's area and of what there is to see in it.
    pub occluded: f64,
    /// Share of the images on white paper that are put somewhere else.
    pub elsewhere: f64,
    /// Most by which light changes: gamma (as a logarithm).
    pub gamma: f64,
    /// Contrast, least and most.
    pub contrast: [f64; 2],
    /// Gain, least and most.
    pub gain: [f64; 2],
    /// Most by which red and blue differ from green, as a share.
    pub tint: f64,
    /// Share of the images that are out of focus.
    pub blurred: f64,
    /// Their blur's standard deviation in pixels.
    pub blur: [f64; 2],
    /// Share of the images that were kept with fewer pixels.
    pub reduced: f64,
    /// The share of the sides' pixels that was kept.
    pub reduction: [f64; 2],
    /// Share of the images with noise.
    pub noisy: f64,
    /// The noise's standard deviation, of 255.
    pub noise: [f64; 2],
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            strength: 1.0,
            crop: [0.35, 1.0],
            shop_crop: 0.8,
            aspect: 0.25,
            perspective: 0.1,
            rotation: 8.0,
            mirror: 0.5,
            occluders: [0.35, 0.25],
            occluder_side: [0.12, 0.55],
            occluded: 0.45,
            elsewhere: 0.5,
            gamma: 0.35,
            contrast: [0.7, 1.25],
            gain: [0.65, 1.3],
            tint: 0.12,
            blurred: 0.25,
            blur: [0.5, 1.8],
            reduced: 0.15,
            reduction: [0.3, 0.7],
            noisy: 0.4,
            noise: [2.0, 10.0],
        }
    }
}

impl Augmentation {
    /// An augmented image of `image`, `size × size × 3` bytes (RGB, row by row), fitted as the model's input is. Pieces
    /// of
    /// `others` may surround the garment or be in its way. The seed decides everything; equal arguments give equal bytes
    /// on every machine.
    pub fn apply(&self, image: &Picture, others: &[&Picture], kind: Kind, size: u32, fit: Fit, seed: u64) -> Vec<u8> {
        let mut rng = AugmentRng::new(seed);
        let size = size.max(1);
        let canvas = match kind {
            Kind::Consumer => {
                let others: Vec<Plane<'_>> = others.iter().map(|other| Plane::of(other)).collect();
                self.consumer(Plane::of(image), &others, size, fit, &mut rng)
            }
            Kind::Shop => self.shop(Plane::of(image), size, fit, &mut rng),
        };
        canvas.squared(size as usize)
    }

    fn shop(&self, image: Plane<'_>, size: u32, fit: Fit, rng: &mut AugmentRng) -> Canvas {
        let viewpoint = Viewpoint {
            crop: [self.towards(1.0, self.shop_crop), 1.0],
            aspect: self.strength() * self.aspect / 2.0,
            perspective: 0.0,
            rotation: 0.0,
            mirror: self.strength() * self.mirror,
        };
        let view = choose(image, &viewpoint, size, fit, rng);
        let mut canvas = warp(image, view.quad, view.size, Beyond::White);
        // By the exponent, not by a gain: a shop's paper stays white.
        let gamma = libm::exp(rng.around(0.15 * self.strength()));
        relight(&mut canvas, &Light { gamma, contrast: 1.0, gain: [1.0; 3] });
        canvas
    }

    fn consumer(&self, image: Plane<'_>, others: &[Plane<'_>], size: u32, fit: Fit, rng: &mut AugmentRng) -> Canvas {
        let strength = self.strength();
        let viewpoint = Viewpoint {
            crop: self.crop.map(|side| self.towards(1.0, side)),
            aspect: strength * self.aspect,
            perspective: strength * self.perspective,
            rotation: strength * self.rotation,
            mirror: strength * self.mirror,
        };
        let view = choose(image, &viewpoint, size, fit, rng);
        let beyond = if rng.chance(0.5) { Beyond::White } else { Beyond::Edge };
        let mut canvas = warp(image, view.quad, view.size, beyond);
        self.put_elsewhere(&mut canvas, others, rng);
        let draw = rng.unit();
        let [one, two] = self.occluders.map(|share| share * strength);
        let count = usize::from(draw < one + two) + usize::from(draw < two);
        let occluders = Occluders { count, side: self.occluder_side, most: self.occluded, flat: 0.35 };
        occlude(&mut canvas, others, &occluders, rng);
        self.light(&mut canvas, rng);
        self.camera(&mut canvas, rng);
        canvas
    }

    /// Exchanges white paper for a piece of another image, or for a wall.
    fn put_elsewhere(&self, canvas: &mut Canvas, others: &[Plane<'_>], rng: &mut AugmentRng) {
        if !rng.chance(self.strength() * self.elsewhere) {
            return;
        }
        let Some(mask) = background::paper(canvas) else { return };
        let scene = scene::surroundings(others, (canvas.width, canvas.height), rng);
        background::replace(canvas, &mask, &scene);
    }

    fn light(&self, canvas: &mut Canvas, rng: &mut AugmentRng) {
        let strength = self.strength();
        let gain = self.towards(1.0, rng.between(self.gain));
        let mut tint = |share: f64| gain * (1.0 + rng.around(strength * self.tint * share));
        // Lamps differ in red and blue; green hardly moves.
        let gain = [tint(1.0), tint(0.4), tint(1.0)];
        let gamma = libm::exp(rng.around(strength * self.gamma));
        let contrast = self.towards(1.0, rng.between(self.contrast));
        relight(canvas, &Light { gamma, contrast, gain });
    }

    fn camera(&self, canvas: &mut Canvas, rng: &mut AugmentRng) {
        let strength = self.strength();
        let draw = rng.unit();
        if draw < strength * self.blurred {
            soften::blur(canvas, rng.between(self.blur));
        } else if draw < strength * (self.blurred + self.reduced) {
            soften::resample(canvas, rng.between(self.reduction));
        }
        if rng.chance(strength * self.noisy) {
            add_noise(canvas, rng.between(self.noise), rng);
        }
    }

    fn strength(&self) -> f64 {
        self.strength.clamp(0.0, 1.0)
    }

    /// From what changes nothing towards a value, as far as the strength goes.
    fn towards(&self, nothing: f64, value: f64) -> f64 {
        nothing + (value - nothing) * self.strength()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image(width: u32, height: u32) -> Picture {
        let at = |i: u32| ((i % (width * 3)) / 5 + (i / (width * 3)) * 2) as u8;
        Picture::new(width, height, (0..width * height * 3).map(at).collect()).unwrap()
    }

    #[test]
    fn the_seed_decides_everything() {
        let (image, other) = (image(90, 120), image(70, 40));
        let augmentation = Augmentation::default();
        for kind in [Kind::Consumer, Kind::Shop] {
            let shot = |seed| augmentation.apply(&image, &[&other], kind, 64, Fit::Letterbox, seed);
            assert!((0..50).all(|seed| shot(seed) == shot(seed)));
            assert!((0..50).all(|seed| shot(seed) != shot(seed + 1)));
        }
    }

    #[test]
    fn without_strength_a_snapshot_is_the_image_as_the_model_gets_it() {
        // The image crate's own fit copies an image of the model's size; a reduced one is filtered differently.
        let none = Augmentation { strength: 0.0, ..Augmentation::default() };
        let (tall, other) = (image(48, 64), image(9, 9));
        let mut wanted = vec![255; 64 * 64 * 3];
        for (row, line) in tall.pixels().chunks_exact(48 * 3).enumerate() {
            wanted[(row * 64 + 8) * 3..][..48 * 3].copy_from_slice(line);
        }
        for kind in [Kind::Consumer, Kind::Shop] {
            for seed in 0..20 {
                let got = none.apply(&tall, &[&other], kind, 64, Fit::Letterbox, seed);
                assert!(got.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 1));
            }
        }
        let square = none.apply(&tall, &[], Kind::Shop, 64, Fit::Stretch, 1);
        assert!(square.as_chunks::<3>().0[64 * 20].iter().all(|v| *v < 255));
    }

    #[test]
    fn the_letterbox_is_white_whatever_the_light() {
        let (flat, augmentation) =
            (image(200, 20), Augmentation { crop: [1.0; 2], aspect: 0.0, ..Augmentation::default() });
        for seed in 0..100 {
            let shot = augmentation.apply(&flat, &[], Kind::Consumer, 50, Fit::Letterbox, seed);
            assert!(shot[..50 * 3 * 22].iter().chain(&shot[50 * 3 * 28..]).all(|v| *v == 255));
        }
    }

    #[test]
    fn extreme_shapes_make_snapshots() {
        for (width, height) in [(1, 1), (1, 4000), (4000, 1), (2, 3), (3000, 7)] {
            let image = image(width, height);
            for fit in [Fit::Letterbox, Fit::Stretch] {
                for kind in [Kind::Consumer, Kind::Shop] {
                    for seed in 0..20 {
                        let shot = Augmentation::default().apply(&image, &[&image], kind, 33, fit, seed);
                        assert_eq!(shot.len(), 33 * 33 * 3);
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_image_seed_and_strength_makes_a_snapshot(
            sides in (1u32..90, 1u32..90),
            other in (1u32..40, 1u32..40),
            size in 1u32..70,
            seed in any::<u64>(),
            strength in -1.0..2.0f64,
            light in any::<u8>(),
        ) {
            // On paper half of the time.
            let mut pixels = image(sides.0, sides.1).pixels().to_vec();
            if light > 127 {
                pixels.iter_mut().step_by(2).for_each(|v| *v = 255);
                let half = pixels.len() / 2;
                pixels[..half].fill(light);
            }
            let image = Picture::new(sides.0, sides.1, pixels).unwrap();
            let other = super::tests::image(other.0, other.1);
            let augmentation = Augmentation { strength, elsewhere: 1.0, ..Augmentation::default() };
            for kind in [Kind::Consumer, Kind::Shop] {
                for fit in [Fit::Letterbox, Fit::Stretch] {
                    let shot = augmentation.apply(&image, &[&other], kind, size, fit, seed);
                    prop_assert_eq!(shot.len(), (size * size * 3) as usize);
                }
            }
        }
    }
}

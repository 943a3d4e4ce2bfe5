//! What a snapshot may differ in, and the making of one.

use grnet_photo::{Fit, Picture};

use super::canvas::{Canvas, Plane};
use super::dice::Dice;
use super::light::{Light, add_noise, relight};
use super::occlude::{Occluders, occlude};
use super::view::{Viewpoint, choose};
use super::warp::{Beyond, warp};
use super::{background, scene, soften};

/// Whose snapshot is imitated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's own photo: everything happens to it.
    Consumer,
    /// Another photo of the shop: cropped a little, mirrored, in slightly other light.
    Shop,
}

/// How far snapshots differ from their photo. The default was found by training on 1,400 photos; everything is public
/// to be measured against it.
#[derive(Debug, Clone, PartialEq)]
pub struct Imitation {
    /// 0 to 1, scales everything: at 0 a snapshot is the photo as the model's input is made of it.
    pub strength: f64,
    /// The sides of a consumer's window, least and most, as shares of the photo's.
    pub window: [f64; 2],
    /// The same of a shop's.
    pub shop_window: f64,
    /// Most by which a window's aspect ratio changes, as a logarithm.
    pub aspect: f64,
    /// Most by which a corner moves, as a share of the window's sides.
    pub perspective: f64,
    /// Standard deviation of the rotation, in degrees.
    pub rotation: f64,
    /// Share of the photos that are mirrored.
    pub mirror: f64,
    /// Share of the photos with one thing in the way, and with two.
    pub occluders: [f64; 2],
    /// Sides of what is in the way, as shares of the picture's.
    pub occluder_side: [f64; 2],
    /// The most that is hidden, of the picture's area and of what there is to see in it.
    pub occluded: f64,
    /// Share of the photos on white paper that are put somewhere else.
    pub elsewhere: f64,
    /// Most by which light changes: gamma (as a logarithm).
    pub gamma: f64,
    /// Contrast, least and most.
    pub contrast: [f64; 2],
    /// Gain, least and most.
    pub gain: [f64; 2],
    /// Most by which red and blue differ from green, as a share.
    pub tint: f64,
    /// Share of the photos that are out of focus.
    pub blurred: f64,
    /// Their blur's standard deviation in pixels.
    pub blur: [f64; 2],
    /// Share of the photos that were kept with fewer pixels.
    pub reduced: f64,
    /// The share of the sides' pixels that was kept.
    pub reduction: [f64; 2],
    /// Share of the photos with noise.
    pub noisy: f64,
    /// The noise's standard deviation, of 255.
    pub noise: [f64; 2],
}

impl Default for Imitation {
    fn default() -> Self {
        Self {
            strength: 1.0,
            window: [0.35, 1.0],
            shop_window: 0.8,
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

impl Imitation {
    /// A snapshot of `photo`, `size × size × 3` bytes (RGB, row by row), fitted as the model's input is. Pieces of
    /// `others` may surround the garment or be in its way. The seed decides everything; equal arguments give equal bytes
    /// on every machine.
    pub fn snapshot(
        &self,
        photo: &Picture,
        others: &[&Picture],
        kind: Kind,
        size: u32,
        fit: Fit,
        seed: u64,
    ) -> Vec<u8> {
        let mut dice = Dice::new(seed);
        let size = size.max(1);
        let canvas = match kind {
            Kind::Consumer => {
                let others: Vec<Plane<'_>> = others.iter().map(|other| Plane::of(other)).collect();
                self.consumer(Plane::of(photo), &others, size, fit, &mut dice)
            }
            Kind::Shop => self.shop(Plane::of(photo), size, fit, &mut dice),
        };
        canvas.squared(size as usize)
    }

    fn shop(&self, photo: Plane<'_>, size: u32, fit: Fit, dice: &mut Dice) -> Canvas {
        let viewpoint = Viewpoint {
            window: [self.towards(1.0, self.shop_window), 1.0],
            aspect: self.strength() * self.aspect / 2.0,
            perspective: 0.0,
            rotation: 0.0,
            mirror: self.strength() * self.mirror,
        };
        let view = choose(photo, &viewpoint, size, fit, dice);
        let mut canvas = warp(photo, view.quad, view.size, Beyond::White);
        // By the exponent, not by a gain: a shop's paper stays white.
        let gamma = libm::exp(dice.around(0.15 * self.strength()));
        relight(&mut canvas, &Light { gamma, contrast: 1.0, gain: [1.0; 3] });
        canvas
    }

    fn consumer(&self, photo: Plane<'_>, others: &[Plane<'_>], size: u32, fit: Fit, dice: &mut Dice) -> Canvas {
        let strength = self.strength();
        let viewpoint = Viewpoint {
            window: self.window.map(|side| self.towards(1.0, side)),
            aspect: strength * self.aspect,
            perspective: strength * self.perspective,
            rotation: strength * self.rotation,
            mirror: strength * self.mirror,
        };
        let view = choose(photo, &viewpoint, size, fit, dice);
        let beyond = if dice.chance(0.5) { Beyond::White } else { Beyond::Edge };
        let mut canvas = warp(photo, view.quad, view.size, beyond);
        self.put_elsewhere(&mut canvas, others, dice);
        let draw = dice.unit();
        let [one, two] = self.occluders.map(|share| share * strength);
        let count = usize::from(draw < one + two) + usize::from(draw < two);
        let occluders = Occluders { count, side: self.occluder_side, most: self.occluded, flat: 0.35 };
        occlude(&mut canvas, others, &occluders, dice);
        self.light(&mut canvas, dice);
        self.camera(&mut canvas, dice);
        canvas
    }

    /// Exchanges white paper for a piece of another photo, or for a wall.
    fn put_elsewhere(&self, canvas: &mut Canvas, others: &[Plane<'_>], dice: &mut Dice) {
        if !dice.chance(self.strength() * self.elsewhere) {
            return;
        }
        let Some(mask) = background::paper(canvas) else { return };
        let scene = scene::surroundings(others, (canvas.width, canvas.height), dice);
        background::replace(canvas, &mask, &scene);
    }

    fn light(&self, canvas: &mut Canvas, dice: &mut Dice) {
        let strength = self.strength();
        let gain = self.towards(1.0, dice.between(self.gain));
        let mut tint = |share: f64| gain * (1.0 + dice.around(strength * self.tint * share));
        // Lamps differ in red and blue; green hardly moves.
        let gain = [tint(1.0), tint(0.4), tint(1.0)];
        let gamma = libm::exp(dice.around(strength * self.gamma));
        let contrast = self.towards(1.0, dice.between(self.contrast));
        relight(canvas, &Light { gamma, contrast, gain });
    }

    fn camera(&self, canvas: &mut Canvas, dice: &mut Dice) {
        let strength = self.strength();
        let draw = dice.unit();
        if draw < strength * self.blurred {
            soften::blur(canvas, dice.between(self.blur));
        } else if draw < strength * (self.blurred + self.reduced) {
            soften::resample(canvas, dice.between(self.reduction));
        }
        if dice.chance(strength * self.noisy) {
            add_noise(canvas, dice.between(self.noise), dice);
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

    fn photo(width: u32, height: u32) -> Picture {
        let at = |i: u32| ((i % (width * 3)) / 5 + (i / (width * 3)) * 2) as u8;
        Picture::new(width, height, (0..width * height * 3).map(at).collect()).unwrap()
    }

    #[test]
    fn the_seed_decides_everything() {
        let (photo, other) = (photo(90, 120), photo(70, 40));
        let imitation = Imitation::default();
        for kind in [Kind::Consumer, Kind::Shop] {
            let shot = |seed| imitation.snapshot(&photo, &[&other], kind, 64, Fit::Letterbox, seed);
            assert!((0..50).all(|seed| shot(seed) == shot(seed)));
            assert!((0..50).all(|seed| shot(seed) != shot(seed + 1)));
        }
    }

    #[test]
    fn without_strength_a_snapshot_is_the_photo_as_the_model_gets_it() {
        // The photo crate's own fit copies a photo of the model's size; a reduced one is filtered differently.
        let none = Imitation { strength: 0.0, ..Imitation::default() };
        let (tall, other) = (photo(48, 64), photo(9, 9));
        let mut wanted = vec![255; 64 * 64 * 3];
        for (row, line) in tall.pixels().chunks_exact(48 * 3).enumerate() {
            wanted[(row * 64 + 8) * 3..][..48 * 3].copy_from_slice(line);
        }
        for kind in [Kind::Consumer, Kind::Shop] {
            for seed in 0..20 {
                let got = none.snapshot(&tall, &[&other], kind, 64, Fit::Letterbox, seed);
                assert!(got.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 1));
            }
        }
        let square = none.snapshot(&tall, &[], Kind::Shop, 64, Fit::Stretch, 1);
        assert!(square.as_chunks::<3>().0[64 * 20].iter().all(|v| *v < 255));
    }

    #[test]
    fn the_letterbox_is_white_whatever_the_light() {
        let (flat, imitation) = (photo(200, 20), Imitation { window: [1.0; 2], aspect: 0.0, ..Imitation::default() });
        for seed in 0..100 {
            let shot = imitation.snapshot(&flat, &[], Kind::Consumer, 50, Fit::Letterbox, seed);
            assert!(shot[..50 * 3 * 22].iter().chain(&shot[50 * 3 * 28..]).all(|v| *v == 255));
        }
    }

    #[test]
    fn extreme_shapes_make_snapshots() {
        for (width, height) in [(1, 1), (1, 4000), (4000, 1), (2, 3), (3000, 7)] {
            let photo = photo(width, height);
            for fit in [Fit::Letterbox, Fit::Stretch] {
                for kind in [Kind::Consumer, Kind::Shop] {
                    for seed in 0..20 {
                        let shot = Imitation::default().snapshot(&photo, &[&photo], kind, 33, fit, seed);
                        assert_eq!(shot.len(), 33 * 33 * 3);
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_photo_seed_and_strength_makes_a_snapshot(
            sides in (1u32..90, 1u32..90),
            other in (1u32..40, 1u32..40),
            size in 1u32..70,
            seed in any::<u64>(),
            strength in -1.0..2.0f64,
            light in any::<u8>(),
        ) {
            // On paper half of the time.
            let mut pixels = photo(sides.0, sides.1).pixels().to_vec();
            if light > 127 {
                pixels.iter_mut().step_by(2).for_each(|v| *v = 255);
                let half = pixels.len() / 2;
                pixels[..half].fill(light);
            }
            let photo = Picture::new(sides.0, sides.1, pixels).unwrap();
            let other = super::tests::photo(other.0, other.1);
            let imitation = Imitation { strength, elsewhere: 1.0, ..Imitation::default() };
            for kind in [Kind::Consumer, Kind::Shop] {
                for fit in [Fit::Letterbox, Fit::Stretch] {
                    let shot = imitation.snapshot(&photo, &[&other], kind, size, fit, seed);
                    prop_assert_eq!(shot.len(), (size * size * 3) as usize);
                }
            }
        }
    }
}

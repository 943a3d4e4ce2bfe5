//! Shop photos: a clean light background, a soft shadow, the front.

use crate::annotation::{Annotation, BoundingBox, Domain, View};
use crate::camera::{Aim, Camera};
use crate::canvas::Canvas;
use crate::dice::Dice;
use crate::drape;
use crate::finish::Finish;
use crate::folds::Folds;
use crate::item::Item;
use crate::photo::Photo;
use crate::pose::{Arm, Pose};
use crate::stage;

const SHOP: u64 = 2;

impl Item {
    /// A shop photo, `size` pixels square (at least 64). Variants differ slightly in distance, light
    /// and wrinkles.
    pub fn shop_photo(&self, variant: u64, size: u32) -> Photo {
        let size = size.clamp(64, 2048);
        let mut dice = Dice::new(self.seed, SHOP, self.number, variant);
        let mut pose = Pose::flat(View::Front);
        let arm = Arm { lift: dice.range(0.34, 0.46), bend: dice.range(0.02, 0.1) };
        pose.arms = [arm; 2];
        let side = size as f32;
        let area = stage::measure(self, &pose);
        let (across, down) = (area[2] - area[0], area[3] - area[1]);
        let unit = side * dice.range(0.80, 0.86) / across.max(down);
        let painted = stage::paint(self, &pose, unit * 1.12, 0.0);
        let camera = Camera::new(&Aim {
            target: ((area[0] + area[2]) / 2.0, (area[1] + area[3]) / 2.0),
            at: (side * (0.5 + dice.spread(0.008)), side * (0.495 + dice.spread(0.008))),
            unit,
            yaw: dice.spread(0.03),
            pitch: dice.spread(0.02),
            roll: dice.spread(0.012),
            distance: side * 4.0,
        });
        let mut photo = Canvas::photo(size, size, unit);
        paper(&mut photo, &mut dice);
        stage::cast(&mut photo, &painted, &camera, (side * 0.006, side * 0.03), side * 0.07, 0.16);
        stage::cast(&mut photo, &painted, &camera, (side * 0.003, side * 0.009), side * 0.018, 0.24);
        let folds = Folds::new(&mut dice, stage::fall(self.kind), area, 0.72);
        let cover = drape::drape(&mut photo, &painted.canvas, &camera, &folds);
        let whole = BoundingBox { left: 0, top: 0, width: size, height: size };
        let annotation = Annotation {
            item: self.number,
            kind: self.kind,
            domain: Domain::Shop,
            bounds: drape::bounds(&cover, size as usize).unwrap_or(whole),
            view: View::Front,
            occlusion: 0.0,
            cropping: 0.0,
            quality: 92,
        };
        let rgb = Finish::studio(&mut dice).develop(&photo.pixels, &mut dice);
        Photo { rgb, annotation }
    }
}

/// A nearly white sweep of paper, brighter in the middle.
fn paper(photo: &mut Canvas, dice: &mut Dice) {
    let tint =
        dice.pick(&[[244.0, 243.0, 241.0], [240.0, 241.0, 243.0], [246.0, 244.0, 239.0], [238.0, 238.0, 237.0f32]]);
    let width = photo.pixels.width() as usize;
    let half = width as f32 / 2.0;
    for (y, row) in photo.pixels.data_mut().chunks_exact_mut(width * 4).enumerate() {
        let dy = (y as f32 - half * 0.85) / half;
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            let dx = (x as f32 - half) / half;
            let light = 1.035 - 0.045 * (dx * dx + dy * dy);
            for (slot, value) in pixel.iter_mut().zip(tint) {
                *slot = (value * light).min(255.0) as u8;
            }
            pixel[3] = 255;
        }
    }
}

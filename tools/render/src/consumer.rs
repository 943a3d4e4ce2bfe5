//! Consumer photos: worn, hung up or laid down, and never quite as the shop shows it.

use crate::annotation::{Annotation, BoundingBox, Domain, Level};
use crate::backdrop;
use crate::blur::soften;
use crate::camera::{Aim, Camera};
use crate::canvas::{Canvas, Frame};
use crate::dice::Dice;
use crate::difficulty::{Difficulty, Plan, Setting};
use crate::drape;
use crate::finish::Finish;
use crate::folds::Folds;
use crate::item::Item;
use crate::kind::Kind;
use crate::occluder::{self, Place};
use crate::part::Part;
use crate::person::Person;
use crate::photo::Photo;
use crate::stage;
use crate::surface;
use tiny_skia::Mask;

const CONSUMER: u64 = 3;

impl Item {
    /// A consumer photo whose longer side is `size` pixels (at least 64). Variants differ in
    /// everything that a camera, a room and a wearer can change; `difficulty` bounds how much.
    pub fn consumer_photo(&self, variant: u64, difficulty: Difficulty, size: u32) -> Photo {
        let size = size.clamp(64, 2048);
        let mut dice =
            Dice::new(self.seed, CONSUMER, self.number, variant.wrapping_mul(8).wrapping_add(difficulty as u64));
        let plan = Plan::draw(&mut dice, difficulty, self.kind);
        let width = (size as f32 * dice.pick(&[0.75, 0.8, 1.0])) as u32;
        let area = stage::measure(self, &plan.pose);
        let camera = plan.frame(&mut dice, self, area, (width as f32, size as f32));
        let painted = stage::paint(self, &plan.pose, camera.unit.min(size as f32 * 3.0) * 1.06, plan.turn);
        let mut shot = Shot { item: self, plan: &plan, camera, photo: Canvas::photo(width, size, camera.unit) };
        shot.take(&mut dice, &painted, area)
    }
}

/// One photo in the making.
struct Shot<'a> {
    item: &'a Item,
    plan: &'a Plan,
    camera: Camera,
    photo: Canvas,
}

impl Shot<'_> {
    fn take(&mut self, dice: &mut Dice, painted: &stage::Painted, area: [f32; 4]) -> Photo {
        let (width, height) = (self.photo.pixels.width(), self.photo.pixels.height());
        let (w, h) = (width as f32, height as f32);
        let person = Person::new(dice, self.item.kind, self.plan.turn.signum());
        let worn = self.plan.setting == Setting::Worn;
        self.background(dice);
        let body = if worn { person.behind(self.item.kind, &self.plan.pose) } else { Vec::new() };
        let size = w.max(h);
        match self.plan.setting {
            Setting::Worn => {}
            Setting::Hung => {
                let drop = (size * dice.range(0.015, 0.05), size * dice.range(0.01, 0.05));
                stage::cast(&mut self.photo, painted, &self.camera, drop, size * 0.045, 0.42);
                if self.item.kind != Kind::Bag {
                    let (top, half) =
                        if self.item.kind.is_top() { ((0.0, 0.012), 0.15) } else { ((0.0, 0.375), 0.125) };
                    self.lay(&surface::hanger(top, half, dice));
                }
            }
            Setting::Laid => {
                self.photo.unit = size * 0.8;
                self.photo.lay_all(&surface::clutter(w, h, dice));
                self.photo.unit = self.camera.unit;
                stage::cast(&mut self.photo, painted, &self.camera, (size * 0.008, size * 0.014), size * 0.03, 0.5);
            }
        }
        self.lay(&body);
        let folds = Folds::new(dice, stage::fall(self.item.kind), area, self.plan.wrinkles);
        let cover = drape::drape(&mut self.photo, &painted.canvas, &self.camera, &folds);
        let occlusion = self.occlude(dice, &cover, &person);
        let whole = BoundingBox { left: 0, top: 0, width, height };
        let cropping = drape::outside(&drape::points(&painted.canvas), &self.camera, w, h);
        let annotation = Annotation {
            item: self.item.number,
            kind: self.item.kind,
            domain: Domain::Consumer,
            bounds: drape::bounds(&cover, width as usize).unwrap_or(whole),
            view: self.plan.pose.view,
            occlusion,
            cropping,
            quality: 55 + dice.below(38) as u8,
        };
        let rgb = Finish::phone(dice, self.plan.harsh).develop(&self.photo.pixels, dice);
        Photo { rgb, annotation }
    }

    /// Paints parts given in body units, in the plane of the garment.
    fn lay(&mut self, parts: &[Part]) {
        for part in parts {
            self.photo.lay(&part.moved(|point| self.camera.project(point)));
        }
    }

    /// Whatever comes in front; returns the share of the garment it hides.
    fn occlude(&mut self, dice: &mut Dice, cover: &[u8], person: &Person) -> f32 {
        let Some(mut mask) = Mask::new(self.photo.pixels.width(), self.photo.pixels.height()) else {
            return 0.0;
        };
        let worn = self.plan.setting == Setting::Worn;
        if worn {
            let reach = crate::garment::sleeve_reach(self.item.cut.sleeve);
            let own: Vec<Part> = person
                .ahead(self.item.kind, &self.plan.pose, reach)
                .iter()
                .map(|part| part.moved(|point| self.camera.project(point)))
                .collect();
            self.photo.lay_all(&own);
            occluder::stamp(&mut mask, &own);
        }
        let place = match self.plan.setting {
            Setting::Worn => Place::Worn,
            Setting::Hung => Place::Hung,
            Setting::Laid => Place::Laid,
        };
        // One thing is nearly always enough; a slim one on a broad garment may need company.
        for _ in 0..4 {
            if occluder::hidden(cover, &mask) >= self.plan.occlusion * 0.87 {
                break;
            }
            let parts = occluder::place(cover, &mut mask, self.plan.occlusion, place, person.skin, dice);
            self.photo.lay_all(&parts);
        }
        occluder::hidden(cover, &mask)
    }

    fn background(&mut self, dice: &mut Dice) {
        match self.plan.setting {
            Setting::Laid => surface::lying(&mut self.photo, dice),
            Setting::Hung => surface::hanging(&mut self.photo, dice),
            Setting::Worn => {
                // Out of focus, so half the resolution is enough.
                let (width, height) = (self.photo.pixels.width() as usize, self.photo.pixels.height() as usize);
                let (w, h) = (width.div_ceil(2) + 1, height.div_ceil(2) + 1);
                let mut room = Canvas::new(w as u32, h as u32, Frame { origin: (0.0, 0.0), scale: 1.0 });
                room.unit = h as f32 * 0.6;
                backdrop::paint(&mut room, dice);
                let radius = 1 + dice.below(3);
                let planes: [Vec<f32>; 3] = core::array::from_fn(|k| {
                    let mut plane: Vec<f32> =
                        room.pixels.data().chunks_exact(4).map(|pixel| f32::from(pixel[k])).collect();
                    soften(&mut plane, w, radius, 2);
                    plane
                });
                for (y, row) in self.photo.pixels.data_mut().chunks_exact_mut(width * 4).enumerate() {
                    let (j, odd) = (y / 2, (y % 2) as f32 * 0.5);
                    for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
                        let (at, side) = (j * w + x / 2, (x % 2) as f32 * 0.5);
                        for (slot, plane) in pixel.iter_mut().zip(&planes) {
                            let top = plane[at] + (plane[at + 1] - plane[at]) * side;
                            let low = plane[at + w] + (plane[at + w + 1] - plane[at + w]) * side;
                            *slot = (top + (low - top) * odd) as u8;
                        }
                        pixel[3] = 255;
                    }
                }
            }
        }
    }
}

impl Plan {
    /// Chooses the camera so that the wanted share of the garment lies outside the photo.
    fn frame(&self, dice: &mut Dice, item: &Item, area: [f32; 4], (width, height): (f32, f32)) -> Camera {
        let (across, down) = (area[2] - area[0], area[3] - area[1]);
        let fill = dice.range(0.6, 0.84);
        let unit = (width * fill / across).min(height * fill / down);
        let mut aim = Aim {
            target: ((area[0] + area[2]) / 2.0, (area[1] + area[3]) / 2.0),
            at: (width * (0.5 + dice.spread(0.04)), height * (0.5 + dice.spread(0.04))),
            unit,
            yaw: self.yaw,
            pitch: self.pitch,
            roll: self.roll,
            distance: height * dice.range(1.6, 3.0),
        };
        // Measured on a coarse painting of the garment: a share of points, not of pixels.
        let coarse = stage::paint(item, &self.pose, 90.0 / across.max(down), self.turn);
        let points = drape::points(&coarse.canvas);
        let share = |aim: &Aim| drape::outside(&points, &Camera::new(aim), width, height);
        if self.cropping < Level::LIGHT_FROM {
            for _ in 0..12 {
                if share(&aim) <= 0.0 {
                    break;
                }
                aim.unit *= 0.94;
                aim.at = (aim.at.0 * 0.5 + width * 0.25, aim.at.1 * 0.5 + height * 0.25);
            }
            return Camera::new(&aim);
        }
        // Step closer and look past the garment until enough of it is gone.
        aim.unit *= dice.range(1.25, 1.9);
        let from = dice.range(0.0, core::f32::consts::TAU);
        let way = (libm::cosf(from) * across * aim.unit, libm::sinf(from) * down * aim.unit);
        let middle = (width * 0.5, height * 0.5);
        let (mut near, mut far) = (0.0f32, 1.0f32);
        let base = share(&Aim { at: middle, ..aim });
        if base > self.cropping {
            while share(&Aim { at: middle, ..aim }) > self.cropping {
                aim.unit *= 0.95;
            }
        }
        for _ in 0..9 {
            let step = (near + far) / 2.0;
            aim.at = (middle.0 + way.0 * step, middle.1 + way.1 * step);
            if share(&aim) > self.cropping { far = step } else { near = step }
        }
        Camera::new(&aim)
    }
}

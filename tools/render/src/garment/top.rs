//! T-shirts, shirts, sweaters, hoodies, jackets, coats and dresses.

use super::{Garment, Job, collar, skirt, sleeves};
use crate::annotation::View;
use crate::cut::{Closure, Collar, Hem, Pocket};
use crate::kind::Kind;
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};

/// The measures of one trunk.
pub(super) struct Trunk {
    /// Half the width of the neck hole.
    pub(super) neck: f32,
    /// Depth of the neck hole in front.
    pub(super) depth: f32,
    /// The right end of the shoulder seam.
    pub(super) tip: Pt,
    pub(super) chest: f32,
    pub(super) waist: f32,
    pub(super) hem: f32,
    pub(super) length: f32,
}

impl Trunk {
    fn of(job: &Job) -> Self {
        let cut = &job.item.cut;
        let (neck, depth) = match cut.collar {
            Collar::Crew => (0.082, 0.058),
            Collar::Vee => (0.082, 0.165),
            Collar::Scoop => (0.108, 0.125),
            Collar::Polo | Collar::Fold => (0.074, 0.06),
            Collar::Stand | Collar::Roll => (0.07, 0.04),
            Collar::Hood => (0.088, 0.07),
            Collar::Lapel if job.item.kind == Kind::Coat => (0.076, 0.25),
            Collar::Lapel => (0.076, 0.30),
        };
        let dress = job.item.kind == Kind::Dress;
        let bare = cut.sleeve == crate::cut::Sleeve::None;
        let chest = 0.168 + cut.ease;
        let waist = if dress { 0.135 } else { 0.158 } + cut.ease;
        let hem = if dress { 0.19 + cut.flare } else { 0.166 + cut.ease + cut.flare };
        let tip = if bare { (0.155, 0.045) } else { (0.183 + cut.ease * 0.55, 0.056 + cut.ease * 0.25) };
        Self { neck, depth, tip, chest, waist, hem, length: cut.length }
    }

    /// The right half of the neck line, from its end at the shoulder to the middle.
    pub(super) fn neckline(&self, collar: Collar, front: bool) -> Outline {
        let start = Outline::at(self.neck, -0.012);
        let depth = if front { self.depth } else { 0.012 };
        match collar {
            Collar::Vee | Collar::Lapel if front => start.bend(self.neck * 0.62, depth * 0.5, 0.0, depth),
            _ => start.bend(self.neck * 0.88, depth, 0.0, depth),
        }
    }

    fn shape(&self, job: &Job, front: bool) -> Outline {
        let mut half = Outline::default();
        half.points.extend(self.neckline(job.item.cut.collar, front).points.iter().rev());
        let (x, y) = self.tip;
        let half = half.bend((self.neck + x) / 2.0, y * 0.25, x, y).bend(x - 0.026, 0.15, self.chest, 0.245).bend(
            self.waist - 0.004,
            0.31,
            self.waist,
            0.37,
        );
        let long = self.length;
        let half = if job.item.kind == Kind::Dress {
            let hip = 0.168 + (self.hem - 0.19) * 0.3;
            half.bend(self.waist + 0.012, 0.43, hip, 0.53).bend(
                hip + (self.hem - hip) * 0.3,
                0.53 + (long - 0.53) * 0.45,
                self.hem,
                long - 0.012,
            )
        } else {
            half.bend(self.waist + 0.004, 0.44, self.hem, long - 0.012)
        };
        match job.item.cut.hem {
            Hem::Curved => {
                let side = long - 0.075;
                let mut half = half;
                if let Some(last) = half.points.last_mut() {
                    last.1 = side;
                }
                half.bend(self.hem - 0.015, long, 0.0, long).symmetric()
            }
            _ => half.bend(self.hem * 0.5, long + 0.006, 0.0, long + 0.006).symmetric(),
        }
    }
}

pub(super) fn cut(job: &Job) -> Garment {
    let mut garment = Garment::default();
    let trunk = Trunk::of(job);
    let front = job.front();
    garment.under.extend(collar::behind(job, &trunk));
    for right in [false, true] {
        if let Some(sleeve) = sleeves::sleeve(job, trunk.tip, right) {
            // Seen from behind, arms bent to the front are hidden by the back.
            let over = sleeve.in_front && front;
            if over { &mut garment.over } else { &mut garment.under }.extend(sleeve.parts);
        }
    }
    if job.item.cut.hem == Hem::Turned {
        garment.trunk.push(skirt::ruffle(job, trunk.hem, trunk.length));
    }
    let mut body = Part::new(trunk.shape(job, front), job.cloths.main).volume(0.5, 0.1).shadow(0.34);
    body.marks.extend(seams(job, &trunk, front));
    body.marks.extend(collar::bands(job, &trunk, front));
    if front {
        body.marks.extend(closure(job, &trunk));
        body.marks.extend(job.print());
        if job.item.cut.pocket == Pocket::Slant {
            let y = if job.item.kind == Kind::Coat { 0.5 } else { 0.42 };
            body.marks.extend(job.slit((0.095, y), (0.128, y + 0.11)));
            body.marks.extend(job.slit((-0.095, y), (-0.128, y + 0.11)));
        }
    }
    garment.trunk.push(body);
    if job.item.cut.hem == Hem::Ribbed {
        garment.trunk.push(waistband(job, &trunk));
    }
    if front {
        garment.trunk.extend(pockets(job));
    }
    if job.item.cut.extra && matches!(job.item.kind, Kind::Dress | Kind::Coat) {
        garment.trunk.push(job.belt(0.372, trunk.waist + 0.004, front));
    }
    garment.trunk.extend(collar::over(job, &trunk, front));
    if job.pose.view == View::Side {
        garment.over = sleeves::near(job);
    }
    garment
}

fn seams(job: &Job, trunk: &Trunk, front: bool) -> Vec<Mark> {
    let seam = job.cloths.seam;
    let (x, y) = trunk.tip;
    let mut marks = Vec::new();
    for right in [false, true] {
        // The armhole, and a dart of shade under the arm.
        let hole = Outline::at(x, y).bend(x - 0.026, 0.15, trunk.chest, 0.245).side(right);
        marks.push(Mark::seam(hole, seam, 0.008));
    }
    match job.item.cut.hem {
        Hem::Straight => {
            let hem = trunk.length - 0.018;
            for shift in [0.0, -0.007] {
                let shape = Outline::at(-trunk.hem, hem + shift - 0.006).bend(
                    0.0,
                    hem + shift + 0.006,
                    trunk.hem,
                    hem + shift - 0.006,
                );
                marks.push(Mark::stitch(shape, seam));
            }
        }
        Hem::Turned => {
            let y = trunk.length - 0.004;
            marks.push(Mark::seam(Outline::of(&[(-trunk.hem, y), (trunk.hem, y)]), seam, 0.008));
        }
        _ => {}
    }
    if job.item.kind == Kind::Dress {
        let waist = Outline::at(-trunk.waist - 0.01, 0.372).bend(0.0, 0.382, trunk.waist + 0.01, 0.372);
        marks.push(Mark::seam(waist, seam, 0.008));
        // Gathers fall from the waist.
        for step in -4i8..=4 {
            let share = f32::from(step) / 4.5;
            let shape = Outline::at(trunk.waist * share, 0.385).bend(
                trunk.waist * share * 1.1,
                0.5,
                trunk.hem * share,
                trunk.length,
            );
            marks.push(Mark::Line { shape, width: 0.012, colour: seam, alpha: 0.16, dash: 0.0, closed: false });
        }
    }
    let yoked = matches!(job.item.kind, Kind::Shirt | Kind::Jacket);
    if yoked && !front {
        let yoke = Outline::at(-0.2, 0.125).bend(0.0, 0.14, 0.2, 0.125);
        marks.push(Mark::seam(yoke.clone(), seam, 0.007));
        marks.push(Mark::stitch(yoke.map(|(x, y)| (x, y + 0.008)), seam));
        for x in [-0.012, 0.012] {
            marks.push(Mark::seam(Outline::of(&[(x, 0.133), (x, trunk.length)]), seam, 0.004));
        }
    }
    if !front && job.item.kind == Kind::Coat {
        let vent = Outline::of(&[(0.0, 0.05), (0.0, trunk.length)]);
        marks.push(Mark::seam(vent, seam, 0.006));
    }
    marks
}

fn closure(job: &Job, trunk: &Trunk) -> Vec<Mark> {
    let cut = &job.item.cut;
    let (top, bottom) = (trunk.depth, trunk.length);
    match (job.item.kind, cut.closure) {
        (_, Closure::Zip) => job.zip(top - 0.01, bottom),
        (Kind::Coat, Closure::Buttons(count)) => job.buttoned(&[0.0], count, top + 0.035, 0.6, 0.015),
        (Kind::Coat, Closure::Double(rows)) => job.buttoned(&[-0.062, 0.062], rows, top + 0.045, 0.56, 0.015),
        (_, Closure::Double(rows)) => job.buttoned(&[-0.045, 0.045], rows, top + 0.05, 0.335, 0.011),
        (Kind::Jacket, Closure::Buttons(count)) if cut.collar == Collar::Lapel => {
            job.buttoned(&[0.0], count, top + 0.03, (top + 0.03 + 0.075 * f32::from(count.max(1) - 1)).min(0.5), 0.013)
        }
        (Kind::Jacket, Closure::Buttons(count)) => job.buttoned(&[0.0], count, top + 0.045, bottom - 0.07, 0.0125),
        (_, Closure::Buttons(count)) => job.buttoned(&[0.0], count, top + 0.04, bottom - 0.09, 0.0095),
        _ if cut.collar == Collar::Polo => {
            let mut marks = Vec::new();
            let placket = Outline::block(-0.017, 0.03, 0.034, 0.155, 0.003);
            marks.push(Mark::fill(placket.clone(), job.cloths.trim.base, if job.item.trimmed { 1.0 } else { 0.0 }));
            marks.push(Mark::Line {
                shape: placket,
                width: 0.006,
                colour: job.cloths.seam,
                alpha: 0.7,
                dash: 0.0,
                closed: true,
            });
            for y in [0.1, 0.15] {
                marks.extend(job.button((0.0, y), 0.008));
            }
            marks
        }
        _ => Vec::new(),
    }
}

fn pockets(job: &Job) -> Vec<Part> {
    let trunk_length = job.item.cut.length;
    match job.item.cut.pocket {
        Pocket::Chest => job.patch(0.045, 0.185, 0.088, 0.1, false),
        Pocket::TwoChest => {
            let mut parts = job.patch(0.05, 0.185, 0.088, 0.1, true);
            parts.extend(job.patch(-0.138, 0.185, 0.088, 0.1, true));
            parts
        }
        Pocket::Patch => {
            let y = if trunk_length > 0.8 { 0.5 } else { 0.415 };
            let mut parts = job.patch(0.048, y, 0.1, 0.12, trunk_length > 0.8);
            parts.extend(job.patch(-0.148, y, 0.1, 0.12, trunk_length > 0.8));
            parts
        }
        Pocket::Kangaroo => kangaroo(job),
        _ => Vec::new(),
    }
}

fn kangaroo(job: &Job) -> Vec<Part> {
    let seam = job.cloths.seam;
    let bottom = job.item.cut.length - 0.055;
    let top = bottom - 0.16;
    let half = |inner: f32| {
        Outline::at(inner, top)
            .line(0.083, top)
            .bend(0.1, top + 0.06, 0.137, top + 0.085)
            .line(0.137, bottom)
            .line(inner, bottom)
    };
    let part = |shape: Outline, right: bool| {
        let edge = Outline::at(0.077, top + 0.002).bend(0.093, top + 0.067, 0.132, top + 0.094).side(right);
        Part::new(shape.clone(), job.cloths.main)
            .volume(0.25, 0.05)
            .shadow(0.36)
            .mark(Mark::Line { shape, width: 0.006, colour: seam, alpha: 0.5, dash: 0.0, closed: true })
            .mark(Mark::stitch(edge, seam))
    };
    if job.item.cut.closure == Closure::Zip {
        return [true, false].map(|right| part(half(0.022).side(right), right)).to_vec();
    }
    let whole = half(0.0).symmetric();
    let mut pocket = part(whole, true);
    let edge = Outline::at(0.077, top + 0.002).bend(0.093, top + 0.067, 0.132, top + 0.094).side(false);
    pocket.marks.push(Mark::stitch(edge, seam));
    vec![pocket]
}

fn waistband(job: &Job, trunk: &Trunk) -> Part {
    let (top, bottom) = (trunk.length - 0.055, trunk.length + 0.008);
    let (wide, narrow) = (trunk.hem + 0.002, trunk.hem - 0.012);
    let shape = Outline::at(0.0, top + 0.008)
        .bend(wide * 0.6, top + 0.008, wide, top - 0.002)
        .bend(narrow + 0.002, bottom - 0.02, narrow, bottom - 0.008)
        .bend(narrow * 0.6, bottom, 0.0, bottom)
        .symmetric();
    let part = Part::new(shape, job.cloths.trim).volume(0.4, 0.05).shadow(0.25);
    let ribs: Vec<Mark> = job.ribs(wide, top, bottom + 0.01).collect();
    let zipped = job.item.cut.closure == Closure::Zip && job.front();
    part.marks(ribs).marks(if zipped { job.zip(top - 0.1, bottom + 0.01) } else { Vec::new() })
}

//! Trousers and shorts.

use super::{Garment, Job};
use crate::annotation::View;
use crate::cut::{Hem, Pocket};
use crate::outline::Outline;
use crate::part::{Mark, Part};
use crate::pose::{ANKLE, CROTCH, KNEE, WAIST};

/// The outer and inner edge of a leg at the hem, and half the widths above.
struct Leg {
    waist: f32,
    hip: f32,
    hem_y: f32,
    /// Middle and half width at a height.
    spread: f32,
    ease: f32,
    flare: f32,
}

impl Leg {
    fn middle(&self, y: f32) -> f32 {
        let stance = 0.088 + self.spread * ((y - 0.6) / (ANKLE - 0.6)).max(0.0);
        // Wide legs stand apart below the crotch, or shorts would look like a skirt.
        let gap = 0.02 * ((y - CROTCH) / (self.hem_y - CROTCH)).clamp(0.0, 1.0);
        stance.max(self.half(y) + gap - 0.004)
    }

    fn half(&self, y: f32) -> f32 {
        let knee = 0.068 + self.ease;
        if y < KNEE {
            let share = ((y - 0.6) / (KNEE - 0.6)).clamp(0.0, 1.0);
            (0.092 + self.ease) + (knee - 0.092 - self.ease) * share
        } else {
            let ankle = 0.056 + self.ease * 0.8 + self.flare;
            knee + (ankle - knee) * ((y - KNEE) / (ANKLE - KNEE)).min(1.0)
        }
    }

    fn outer(&self, y: f32) -> f32 {
        self.middle(y) + self.half(y)
    }

    fn inner(&self, y: f32) -> f32 {
        (self.middle(y) - self.half(y)).max(0.003)
    }

    /// The right half of the trousers, from the top centre to the crotch.
    fn half_shape(&self) -> Outline {
        let end = self.hem_y;
        let mut shape = Outline::at(0.0, WAIST + 0.006).bend(self.waist * 0.7, WAIST + 0.006, self.waist, WAIST).bend(
            self.hip,
            0.47,
            self.hip + 0.004,
            0.56,
        );
        let steps = 8;
        for step in 1..=steps {
            let y = 0.6 + (end - 0.6) * step as f32 / steps as f32;
            shape = shape.line(self.outer(y).max(if y < 0.66 { self.hip } else { 0.0 }), y);
        }
        shape = shape.bend(self.middle(end), end + 0.012, self.inner(end), end);
        for step in (1..steps).rev() {
            let y = CROTCH + 0.02 + (end - CROTCH - 0.02) * step as f32 / steps as f32;
            shape = shape.line(self.inner(y), y);
        }
        shape.bend(0.006, CROTCH + 0.02, 0.0, CROTCH)
    }
}

fn leg(job: &Job, right: bool) -> Leg {
    let cut = &job.item.cut;
    Leg {
        waist: 0.132 + cut.ease * 0.4,
        hip: 0.172 + cut.ease,
        hem_y: WAIST + cut.length,
        spread: job.pose.legs[usize::from(right)],
        ease: cut.ease,
        flare: cut.flare,
    }
}

pub(super) fn cut(job: &Job) -> Garment {
    let mut garment = Garment::default();
    if job.pose.view == View::Side {
        garment.trunk = side(job);
        return garment;
    }
    let front = job.front();
    let seam = job.cloths.seam;
    let (left, right) = (leg(job, false), leg(job, true));
    let mut shape = right.half_shape();
    let mirrored: Vec<_> = left.half_shape().points.iter().rev().map(|&(x, y)| (-x, y)).collect();
    shape.points.extend(mirrored);
    let mut main = Part::new(shape, job.cloths.main).volume(0.6, 0.085);
    for (leg, right) in [(&left, false), (&right, true)] {
        main.marks.extend(leg_marks(job, leg, right, front));
    }
    let middle = if front {
        Outline::at(0.0, WAIST).line(0.0, CROTCH)
    } else {
        Outline::at(0.0, WAIST).bend(0.006, 0.55, 0.0, CROTCH)
    };
    main.marks.push(Mark::seam(middle, seam, 0.008));
    if front {
        let fly = Outline::at(0.034, WAIST).line(0.034, 0.51).bend(0.032, 0.56, 0.002, 0.575);
        main.marks.push(Mark::stitch(fly, seam));
    }
    garment.trunk.push(main);
    if !front {
        for x in [0.035, -0.125] {
            garment.trunk.extend(job.patch(x, 0.475, 0.09, 0.105, false));
        }
    }
    if job.item.cut.pocket == Pocket::Cargo {
        let y = if job.item.cut.length > 0.6 { 0.78 } else { 0.615 };
        for (leg, right) in [(&left, false), (&right, true)] {
            let x = leg.outer(y + 0.05) - 0.098;
            let parts = job.patch(x, y, 0.092, 0.115, true);
            garment.trunk.extend(parts.into_iter().map(|part| if right { part } else { part.moved(|(x, y)| (-x, y)) }));
        }
    }
    if job.item.cut.hem == Hem::Turned {
        for (leg, right) in [(&left, false), (&right, true)] {
            garment.trunk.push(turn_up(job, leg, right));
        }
    }
    garment.trunk.push(waistband(job, right.waist, front));
    garment
}

fn leg_marks(job: &Job, leg: &Leg, right: bool, front: bool) -> Vec<Mark> {
    let seam = job.cloths.seam;
    let end = leg.hem_y;
    let mut marks = Vec::new();
    let down = |share: f32, from: f32| {
        let steps = 10;
        let points: Vec<_> = (0..=steps)
            .map(|step| {
                let y = from + (end - from) * step as f32 / steps as f32;
                (leg.inner(y) + (leg.outer(y) - leg.inner(y)) * share, y)
            })
            .collect();
        Outline::of(&points).side(right)
    };
    // Cloth over the thigh catches the light; denim is worn pale there.
    for (width, alpha) in [(0.09, 0.05), (0.06, 0.05), (0.03, 0.05)] {
        let colour = crate::colour::Rgb::hex(0xffffff);
        marks.push(Mark::Line { shape: down(0.52, 0.5), width, colour, alpha, dash: 0.0, closed: false });
    }
    if job.item.cut.extra {
        let colour = job.cloths.second.base;
        marks.push(Mark::Line { shape: down(0.93, 0.42), width: 0.026, colour, alpha: 1.0, dash: 0.0, closed: false });
    }
    marks.push(Mark::seam(down(0.985, 0.42), seam, 0.006));
    let hem = Outline::at(leg.inner(end), end - 0.02).line(leg.outer(end), end - 0.02).side(right);
    marks.push(Mark::stitch(hem, seam));
    if front {
        let (a, b) = ((leg.waist * 0.62, WAIST + 0.03), (leg.hip - 0.004, 0.52));
        let sign = if right { 1.0 } else { -1.0 };
        marks.extend(job.slit((a.0 * sign, a.1), (b.0 * sign, b.1)));
    }
    marks
}

fn turn_up(job: &Job, leg: &Leg, right: bool) -> Part {
    let (top, end) = (leg.hem_y - 0.05, leg.hem_y + 0.01);
    let shape = Outline::at(leg.inner(top) - 0.004, top)
        .line(leg.outer(top) + 0.005, top)
        .line(leg.outer(end) + 0.004, end)
        .bend(leg.middle(end), end + 0.012, leg.inner(end) - 0.003, end)
        .side(right);
    let pale = job.cloths.main.plain(job.cloths.main.base.mix(crate::colour::Rgb::hex(0xffffff), 0.22));
    Part::new(shape, pale).volume(0.5, 0.05).shadow(0.4)
}

fn waistband(job: &Job, half: f32, front: bool) -> Part {
    let seam = job.cloths.seam;
    let shape = Outline::at(0.0, WAIST + 0.004)
        .bend(half * 0.7, WAIST + 0.004, half + 0.002, WAIST - 0.004)
        .line(half + 0.007, WAIST + 0.034)
        .bend(half * 0.7, WAIST + 0.045, 0.0, WAIST + 0.045)
        .symmetric();
    let mut part = Part::new(shape.clone(), job.cloths.main).volume(0.4, 0.04).shadow(0.35).mark(Mark::Line {
        shape,
        width: 0.008,
        colour: seam,
        alpha: 0.5,
        dash: 0.0,
        closed: true,
    });
    for x in [-0.095f32, -0.05, 0.05, 0.095] {
        let x = x * half / 0.132;
        let strap = Outline::block(x - 0.006, WAIST - 0.01, 0.012, 0.06, 0.002);
        part.marks.push(Mark::fill(strap.clone(), job.cloths.main.base.times(0.9), 1.0));
        part.marks.push(Mark::Line { shape: strap, width: 0.004, colour: seam, alpha: 0.6, dash: 0.0, closed: true });
    }
    if front {
        part.marks.extend(job.button((0.008, WAIST + 0.025), 0.012));
    } else {
        let tag = Outline::block(0.04, WAIST + 0.006, 0.05, 0.034, 0.002);
        part.marks.push(Mark::fill(tag, crate::colour::Rgb::hex(0x8a5a3a), 0.9));
    }
    part
}

/// Both legs from the side, the far one a step ahead.
fn side(job: &Job) -> Vec<Part> {
    let cut = &job.item.cut;
    let end = WAIST + cut.length;
    let seam = job.cloths.seam;
    let model = leg(job, true);
    let one = |step: f32| {
        let at = |y: f32| step * ((y - 0.55) / (ANKLE - 0.55)).max(0.0);
        let joint = |y: f32, lean: f32, half: f32| ((at(y) + lean, y), half);
        let mut joints = vec![
            joint(WAIST, 0.0, 0.098 + cut.ease * 0.3),
            joint(0.47, 0.004, 0.112 + cut.ease * 0.5),
            joint(0.55, -0.004, 0.12 + cut.ease * 0.6),
        ];
        let steps = 5;
        for step in 1..=steps {
            let y = 0.6 + (end - 0.6) * step as f32 / steps as f32;
            joints.push(joint(y, 0.0, model.half(y) * 1.04));
        }
        (Outline::limb(&joints), at(end))
    };
    let (far, _) = one(job.pose.legs[0] * 2.2 + 0.02);
    let (near, foot) = one(-job.pose.legs[1] * 2.0);
    let line = Outline::at(0.0, WAIST).line(0.004, 0.55).line(foot, end);
    let half = model.half(end);
    let mut main = Part::new(near, job.cloths.main).volume(0.62, 0.08).shadow(0.45);
    if cut.extra {
        let colour = job.cloths.second.base;
        main.marks.push(Mark::Line { shape: line.clone(), width: 0.032, colour, alpha: 1.0, dash: 0.0, closed: false });
    }
    main.marks.push(Mark::seam(line, seam, 0.006));
    main.marks.push(Mark::stitch(Outline::of(&[(foot - half, end - 0.02), (foot + half, end - 0.02)]), seam));
    main.marks.extend(job.slit((0.06, WAIST + 0.035), (0.012, 0.53)));
    let band = Outline::block(-0.104, WAIST - 0.004, 0.21, 0.042, 0.008);
    let rim = Mark::Line { shape: band.clone(), width: 0.008, colour: seam, alpha: 0.5, dash: 0.0, closed: true };
    let mut parts = vec![Part::new(far, job.cloths.main).volume(0.6, 0.08).light(0.72), main];
    if cut.pocket == Pocket::Cargo {
        let y = if cut.length > 0.6 { 0.78 } else { 0.6 };
        parts.extend(job.patch(-0.055, y, 0.11, 0.115, true));
    }
    if cut.hem == Hem::Turned {
        let cuff = Outline::block(foot - half - 0.006, end - 0.048, half * 2.0 + 0.012, 0.058, 0.006);
        let pale = job.cloths.main.plain(job.cloths.main.base.mix(crate::colour::Rgb::hex(0xffffff), 0.22));
        parts.push(Part::new(cuff, pale).volume(0.5, 0.05).shadow(0.4));
    }
    parts.push(Part::new(band, job.cloths.main).volume(0.4, 0.04).shadow(0.35).mark(rim));
    parts
}

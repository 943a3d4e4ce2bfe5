//! Sleeves along the arms of the pose.

use super::Job;
use crate::annotation::View;
use crate::cut::{Hem, Sleeve};
use crate::kind::Kind;
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};
use crate::pose::{Arm, FORE, UPPER};

/// The parts of one sleeve, and whether it crosses in front of the trunk.
pub(super) struct Sleeved {
    pub(super) parts: Vec<Part>,
    pub(super) in_front: bool,
}

/// How far down the arm a sleeve reaches, in body units.
pub(crate) fn reach(sleeve: Sleeve) -> f32 {
    match sleeve {
        Sleeve::None => 0.0,
        Sleeve::Short => UPPER * 0.66,
        Sleeve::Half => UPPER + FORE * 0.22,
        Sleeve::Long => UPPER + FORE * 0.96,
    }
}

/// Half the width of a sleeve at a distance from the shoulder.
fn half_width(job: &Job, distance: f32) -> f32 {
    let ease = job.item.cut.ease;
    let wide = 0.078 + ease * 0.35;
    let narrow = 0.04 + ease * 0.35;
    let share = (distance / (UPPER + FORE)).min(1.0);
    wide + (narrow - wide) * share
}

/// The sleeve on the viewer's right or left; `tip` is the right end of the shoulder seam.
pub(super) fn sleeve(job: &Job, tip: Pt, right: bool) -> Option<Sleeved> {
    let arm = job.pose.arm(right);
    let length = reach(job.item.cut.sleeve);
    if length == 0.0 {
        return None;
    }
    let half = half_width(job, 0.0);
    let (sin, cos) = (libm::sinf(arm.lift), libm::cosf(arm.lift));
    // The outer edge has to leave from the end of the shoulder seam.
    let start = (tip.0 - cos * half, tip.1 + sin * half);
    let start = if right { start } else { (-start.0, start.1) };
    Some(Sleeved { parts: tube(job, arm, start, right, length), in_front: arm.in_front() })
}

/// The near sleeve of a side view: it hangs from the middle.
pub(super) fn near(job: &Job) -> Vec<Part> {
    let length = reach(job.item.cut.sleeve);
    if length == 0.0 {
        return Vec::new();
    }
    let arm = job.pose.arms[1];
    tube(job, arm, (-0.005, 0.105), true, length)
}

fn tube(job: &Job, arm: Arm, start: Pt, right: bool, length: f32) -> Vec<Part> {
    let cut = &job.item.cut;
    let stops: &[f32] = match cut.sleeve {
        Sleeve::Short => &[0.0, 0.5, 1.0],
        _ => &[0.0, 0.25, 0.48, 0.56, 0.8, 1.0],
    };
    let mut joints: Vec<(Pt, f32)> =
        stops.iter().map(|share| (arm.along(start, right, share * length), half_width(job, share * length))).collect();
    let side_view = job.pose.view == View::Side;
    if side_view {
        // The shoulder is round when seen from the side.
        joints.insert(0, ((start.0, start.1 - 0.055), 0.045));
    }
    let lean = (if right { -1.0 } else { 1.0 }) * arm.lift;
    let mut main = Part::new(Outline::limb(&joints), job.cloths.main)
        .grain(start, lean)
        .volume(0.62, 0.06)
        .shadow(if side_view || arm.in_front() { 0.5 } else { 0.25 });
    if cut.extra && matches!(job.item.kind, Kind::Sweater | Kind::Jacket) && cut.sleeve == Sleeve::Long {
        let elbow = arm.along(start, right, UPPER * 1.02);
        let shape = Outline::ellipse(elbow.0, elbow.1, 0.034, 0.055).turned(elbow, lean);
        main = main.mark(Mark::fill(shape.clone(), job.cloths.second.base, 1.0)).mark(Mark::Line {
            shape,
            width: 0.005,
            colour: job.cloths.second.base.seam(),
            alpha: 0.8,
            dash: 0.009,
            closed: true,
        });
    }
    let across = |distance: f32| {
        let (at, half) = (arm.along(start, right, distance), half_width(job, distance) + 0.01);
        let before = arm.along(start, right, distance - 0.02);
        let (dx, dy) = ((at.0 - before.0) / 0.02, (at.1 - before.1) / 0.02);
        Outline::of(&[(at.0 - dy * half, at.1 + dx * half), (at.0 + dy * half, at.1 - dx * half)])
    };
    let cuffed = cut.hem == Hem::Ribbed
        || matches!(job.item.kind, Kind::Shirt | Kind::Jacket) && cut.sleeve == Sleeve::Long
        || job.item.trimmed;
    if !cuffed {
        main = main.mark(Mark::stitch(across(length - 0.018), job.cloths.seam));
        return vec![main];
    }
    let band = if cut.sleeve == Sleeve::Long { 0.052 } else { 0.022 };
    let wrist: Vec<(Pt, f32)> = [length - band, length - band / 2.0, length]
        .map(|d| (arm.along(start, right, d), half_width(job, d) * if d < length { 1.0 } else { 0.96 }))
        .to_vec();
    let cloth = if cut.hem == Hem::Ribbed || job.item.trimmed { job.cloths.trim } else { job.cloths.main };
    let mut cuff = Part::new(Outline::limb(&wrist), cloth).grain(start, lean).volume(0.5, 0.05).shadow(0.3);
    if cut.hem == Hem::Ribbed {
        let colour = job.cloths.trim.base.seam();
        for step in -4i8..=4 {
            let line = |d: f32| {
                let ends = across(d).points;
                let share = 0.5 + f32::from(step) * 0.1;
                (ends[0].0 + (ends[1].0 - ends[0].0) * share, ends[0].1 + (ends[1].1 - ends[0].1) * share)
            };
            let shape = Outline::of(&[line(length - band), line(length)]);
            cuff = cuff.mark(Mark::Line { shape, width: 0.003, colour, alpha: 0.38, dash: 0.0, closed: false });
        }
    }
    cuff = cuff.mark(Mark::seam(across(length - band), job.cloths.seam, 0.007));
    vec![main, cuff]
}

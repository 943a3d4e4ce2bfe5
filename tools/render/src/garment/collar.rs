//! Neck bands, collars, hoods and lapels.

use super::Job;
use super::top::Trunk;
use crate::colour::Rgb;
use crate::cut::Collar;
use crate::outline::Outline;
use crate::part::{Mark, Part};

/// What lies behind the trunk: the lining at the nape with its label, and the back of a hood.
pub(super) fn behind(job: &Job, trunk: &Trunk) -> Vec<Part> {
    let mut parts = Vec::new();
    let collar = job.item.cut.collar;
    if collar == Collar::Hood {
        let top = if job.pose.worn { -0.085 } else { -0.2 };
        let side = if job.pose.worn { 0.15 } else { 0.165 };
        let shape = Outline::at(0.0, top)
            .bend(side * 0.85, top, side, top * 0.35)
            .bend(side + 0.005, 0.06, 0.1, 0.08)
            .line(0.0, 0.08)
            .symmetric();
        parts.push(Part::new(shape, job.cloths.main).volume(0.6, 0.07));
        if !job.pose.worn && job.front() {
            let inside = if job.item.trimmed { job.cloths.second } else { job.cloths.main };
            let hole = Outline::ellipse(0.0, -0.045, 0.098, 0.115);
            parts.push(Part::new(hole, inside).light(0.56).volume(0.5, 0.06).shadow(0.3));
        }
        return parts;
    }
    if job.pose.worn || !job.front() {
        return parts;
    }
    let (neck, depth) = (trunk.neck, trunk.depth);
    let rise = match collar {
        Collar::Fold | Collar::Polo | Collar::Stand | Collar::Lapel => 0.05,
        Collar::Roll => return parts,
        _ => 0.004,
    };
    let shape = Outline::at(0.0, 0.004 - rise)
        .bend(neck * 0.8, -rise, neck + 0.006, -0.012)
        .line(neck + 0.05, depth * 0.5 + 0.04)
        .line(0.0, depth + 0.04)
        .symmetric();
    let lining = if collar == Collar::Lapel { job.cloths.second } else { job.cloths.main };
    let label = Outline::block(-0.021, 0.02, 0.042, 0.022, 0.003);
    let band = Outline::at(-neck, -0.012).bend(0.0, 0.034 - rise, neck, -0.012);
    parts.push(
        Part::new(shape, lining)
            .light(0.62)
            .volume(0.4, 0.05)
            .mark(Mark::seam(band.map(|(x, y)| (x, y + 0.02)), job.cloths.seam, 0.006))
            .mark(Mark::fill(label, Rgb::hex(0xdedacf), 0.85)),
    );
    parts
}

/// Bands along the neck line, drawn on the trunk itself.
pub(super) fn bands(job: &Job, trunk: &Trunk, front: bool) -> Vec<Mark> {
    let collar = job.item.cut.collar;
    if !matches!(collar, Collar::Crew | Collar::Vee | Collar::Scoop | Collar::Hood) {
        return Vec::new();
    }
    let half = trunk.neckline(collar, front);
    let mut shape = half.clone();
    shape.points.extend(half.points.iter().rev().map(|&(x, y)| (-x, y)));
    let line = |width: f32, colour: Rgb, alpha: f32| Mark::Line {
        shape: shape.clone(),
        width,
        colour,
        alpha,
        dash: 0.0,
        closed: false,
    };
    let seam = job.cloths.seam;
    let shade = Rgb::hex(0x000000);
    vec![
        line(0.064, shade, 0.14),
        line(0.054, seam, 0.8),
        line(0.047, job.cloths.trim.base, 1.0),
        line(0.012, shade, 0.16),
    ]
}

/// What lies on the trunk.
pub(super) fn over(job: &Job, trunk: &Trunk, front: bool) -> Vec<Part> {
    let cloths = &job.cloths;
    let cloth = if job.item.trimmed { cloths.trim } else { cloths.main };
    let seam = cloths.seam;
    let rim = |shape: &Outline| Mark::Line {
        shape: shape.clone(),
        width: 0.007,
        colour: seam,
        alpha: 0.65,
        dash: 0.0,
        closed: true,
    };
    let neck = trunk.neck;
    match (job.item.cut.collar, front) {
        (Collar::Fold | Collar::Polo, true) => [false, true]
            .map(|right| {
                let tip = if job.item.cut.collar == Collar::Polo { (0.085, 0.1) } else { (0.086, 0.118) };
                let shape = Outline::at(0.003, 0.052)
                    .bend(neck * 0.6, 0.0, neck - 0.012, -0.056)
                    .bend(neck + 0.022, -0.04, neck + 0.034, 0.014)
                    .bend(0.1, 0.07, tip.0, tip.1)
                    .bend(0.04, 0.085, 0.003, 0.052)
                    .side(right);
                let inset = Outline::at(neck + 0.027, 0.014)
                    .bend(0.092, 0.065, tip.0 - 0.004, tip.1 - 0.013)
                    .bend(0.04, 0.076, 0.008, 0.05)
                    .side(right);
                let lean = if right { 0.5 } else { -0.5 };
                Part::new(shape.clone(), cloth)
                    .grain((0.0, 0.0), lean)
                    .volume(0.35, 0.03)
                    .shadow(0.5)
                    .marks([rim(&shape), Mark::stitch(inset, seam)])
            })
            .to_vec(),
        (Collar::Fold | Collar::Polo | Collar::Lapel, false) => {
            let shape = Outline::at(0.0, -0.05)
                .bend(neck * 0.8, -0.054, neck, -0.04)
                .bend(neck + 0.02, -0.01, neck + 0.03, 0.02)
                .bend(neck * 0.6, 0.042, 0.0, 0.04)
                .symmetric();
            vec![Part::new(shape.clone(), cloth).volume(0.4, 0.04).shadow(0.45).mark(rim(&shape))]
        }
        (Collar::Stand, _) => {
            let low = if front { 0.052 } else { 0.02 };
            let shape = Outline::at(0.0, if front { 0.012 } else { -0.045 })
                .bend(neck * 0.8, if front { -0.005 } else { -0.045 }, neck - 0.004, -0.052)
                .bend(neck + 0.012, -0.03, neck + 0.014, -0.006)
                .bend(neck * 0.8, low, 0.0, low)
                .symmetric();
            vec![Part::new(shape.clone(), cloth).volume(0.5, 0.04).shadow(0.4).mark(rim(&shape))]
        }
        (Collar::Roll, _) => {
            let top = -0.085;
            let shape = Outline::at(0.0, top + 0.008)
                .bend(neck * 0.8, top + 0.006, neck - 0.004, top)
                .bend(neck + 0.01, -0.03, neck + 0.012, 0.0)
                .bend(neck * 0.8, 0.045, 0.0, 0.045)
                .symmetric();
            let fold = Outline::at(-neck, -0.03).bend(0.0, 0.012, neck, -0.03);
            let ribs: Vec<Mark> = job.ribs(neck + 0.02, top, 0.05).collect();
            vec![
                Part::new(shape, cloths.trim)
                    .volume(0.75, 0.05)
                    .shadow(0.4)
                    .marks(ribs)
                    .mark(Mark::seam(fold, seam, 0.01)),
            ]
        }
        (Collar::Hood, true) => {
            let ring = |half: f32| {
                Outline::limb(&[
                    ((0.102, -0.07), half * 0.6),
                    ((0.107, -0.02), half * 0.9),
                    ((0.075, 0.045), half),
                    ((0.0, 0.085), half * 0.8),
                ])
            };
            let cord = if job.item.trimmed { cloths.second.base } else { Rgb::hex(0xe8e4da) };
            let mut parts: Vec<Part> = [false, true]
                .map(|right| Part::new(ring(0.03).side(right), cloths.main).volume(0.65, 0.04).shadow(0.42))
                .to_vec();
            for right in [false, true] {
                let sway = if right { 0.006 } else { -0.003 };
                let long = if right { 0.215 } else { 0.2 };
                let shape =
                    Outline::limb(&[((0.038, 0.078), 0.0042), ((0.041, 0.14), 0.0042), ((0.04 + sway, long), 0.0046)]);
                parts.push(Part::flat(shape.side(right), cord).volume(0.3, 0.01).shadow(0.35));
            }
            parts
        }
        (Collar::Hood, false) => {
            let shape = Outline::at(0.0, -0.06)
                .bend(0.12, -0.06, 0.135, 0.01)
                .bend(0.13, 0.12, 0.06, 0.19)
                .bend(0.03, 0.215, 0.0, 0.215)
                .symmetric();
            let seam_line = Outline::of(&[(0.0, -0.06), (0.0, 0.22)]);
            vec![Part::new(shape, cloths.main).volume(0.7, 0.07).shadow(0.5).mark(Mark::seam(seam_line, seam, 0.007))]
        }
        (Collar::Lapel, true) => [false, true].iter().flat_map(|&right| lapel(job, trunk, right)).collect(),
        _ => Vec::new(),
    }
}

fn lapel(job: &Job, trunk: &Trunk, right: bool) -> [Part; 2] {
    let cloths = &job.cloths;
    let cloth = if job.item.trimmed { cloths.trim } else { cloths.main };
    let (neck, depth) = (trunk.neck, trunk.depth);
    let rim = |shape: &Outline| Mark::Line {
        shape: shape.clone(),
        width: 0.007,
        colour: cloths.seam,
        alpha: 0.7,
        dash: 0.0,
        closed: true,
    };
    let flap = Outline::at(neck - 0.012, -0.03)
        .line(neck + 0.018, 0.05)
        .line(0.142, 0.105)
        .bend(0.125, depth * 0.62, 0.012, depth + 0.012)
        .line(-0.004, depth)
        .bend(neck * 0.62, depth * 0.5, neck - 0.012, -0.03)
        .side(right);
    let top = Outline::at(neck - 0.014, -0.058)
        .bend(neck + 0.02, -0.045, neck + 0.034, 0.012)
        .line(0.122, 0.075)
        .line(neck + 0.014, 0.064)
        .bend(neck, 0.0, neck - 0.022, -0.02)
        .side(right);
    let lean = if right { 0.4 } else { -0.4 };
    [
        Part::new(flap.clone(), cloth).grain((0.0, 0.0), lean).volume(0.3, 0.03).shadow(0.5).mark(rim(&flap)),
        Part::new(top.clone(), cloth).grain((0.0, 0.0), -lean).volume(0.3, 0.03).shadow(0.4).mark(rim(&top)),
    ]
}

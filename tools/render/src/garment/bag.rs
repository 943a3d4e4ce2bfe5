//! Handbags.

use super::{Garment, Job};
use crate::colour::Rgb;
use crate::cut::{Closure, Pocket};
use crate::outline::Outline;
use crate::part::{Mark, Part};

const BRASS: Rgb = Rgb::hex(0xc9a75c);

pub(super) fn cut(job: &Job) -> Garment {
    let cut = &job.item.cut;
    let seam = job.cloths.seam;
    let front = job.front();
    let height = cut.length;
    let (high, low) = (0.2 + cut.ease, 0.2 + cut.ease + cut.flare);
    let leather = if job.item.trimmed { job.cloths.second } else { job.cloths.trim };
    let mut garment = Garment::default();
    let handle = |dx: f32, dy: f32| {
        Outline::limb(&[
            ((-0.1 + dx, 0.03 + dy), 0.012),
            ((-0.105 + dx, -0.06 + dy), 0.0125),
            ((-0.06 + dx, -0.17 + dy), 0.013),
            ((0.0 + dx, -0.2 + dy), 0.013),
            ((0.06 + dx, -0.17 + dy), 0.013),
            ((0.105 + dx, -0.06 + dy), 0.0125),
            ((0.1 + dx, 0.03 + dy), 0.012),
        ])
    };
    garment.under.push(Part::new(handle(0.012, -0.022), leather).light(0.72).volume(0.5, 0.02));
    let shape = Outline::at(0.0, 0.004)
        .bend(high * 0.7, 0.004, high - 0.012, 0.0)
        .bend(high + 0.002, 0.002, high + 0.002, 0.02)
        .line(low, height - 0.035)
        .bend(low, height, low - 0.04, height + 0.002)
        .bend(low * 0.5, height + 0.008, 0.0, height + 0.008)
        .symmetric();
    let edge = Mark::Line { shape: shape.clone(), width: 0.016, colour: seam, alpha: 0.4, dash: 0.0, closed: true };
    let inset = shape.map(|(x, y)| (x * 0.955, height * 0.5 + (y - height * 0.5) * 0.945));
    let stitches = Mark::Line { shape: inset, width: 0.004, colour: seam, alpha: 0.7, dash: 0.011, closed: true };
    let mut main = Part::new(shape, job.cloths.main).volume(0.6, 0.08).marks([edge, stitches]);
    let bottom = Outline::block(-0.4, height - 0.055, 0.8, 0.1, 0.0);
    if job.item.trimmed {
        main.marks.push(Mark::fill(bottom, job.cloths.second.base, 1.0));
        main.marks.push(Mark::stitch(
            Outline::of(&[(-0.4, height - 0.05), (0.4, height - 0.05)]),
            job.cloths.second.base.seam(),
        ));
    }
    if cut.closure == Closure::Zip {
        main.marks.extend(across_zip(high));
    }
    garment.trunk.push(main);
    if front && cut.pocket == Pocket::Patch {
        garment.trunk.push(pocket(job, high, height));
    }
    if cut.closure == Closure::Strap {
        garment.trunk.push(flap(job, high, height, front));
    }
    garment.trunk.push(Part::new(handle(0.0, 0.0), leather).volume(0.6, 0.025).shadow(0.4));
    for x in [-0.1, 0.1] {
        let tab =
            Outline::at(x - 0.022, 0.012).line(x + 0.022, 0.012).line(x + 0.019, 0.07).bend(x, 0.09, x - 0.019, 0.07);
        let rivet = Outline::ellipse(x, 0.06, 0.007, 0.007);
        let rim = Mark::stitch(tab.clone(), leather.base.seam());
        garment
            .trunk
            .push(Part::new(tab, leather).volume(0.4, 0.02).shadow(0.4).marks([rim, Mark::fill(rivet, BRASS, 1.0)]));
    }
    garment
}

fn across_zip(half: f32) -> [Mark; 3] {
    let line = Outline::of(&[(-half, 0.035), (half, 0.035)]);
    let pull = Outline::block(half - 0.075, 0.03, 0.014, 0.05, 0.006);
    [
        Mark::Line {
            shape: line.clone(),
            width: 0.02,
            colour: Rgb::hex(0x000000),
            alpha: 0.3,
            dash: 0.0,
            closed: false,
        },
        Mark::Line { shape: line, width: 0.01, colour: BRASS, alpha: 1.0, dash: 0.005, closed: false },
        Mark::fill(pull, BRASS, 1.0),
    ]
}

fn pocket(job: &Job, half: f32, height: f32) -> Part {
    let (w, top) = (half * 0.66, height * 0.5);
    let shape = Outline::block(-w, top, w * 2.0, height * 0.38, 0.03);
    let seam = job.cloths.seam;
    let rim = Mark::Line { shape: shape.clone(), width: 0.008, colour: seam, alpha: 0.55, dash: 0.0, closed: true };
    let line = Outline::of(&[(-w, top + 0.024), (w, top + 0.024)]);
    Part::new(shape, job.cloths.main)
        .volume(0.35, 0.05)
        .shadow(0.42)
        .marks([rim, Mark::Line { shape: line, width: 0.008, colour: BRASS, alpha: 1.0, dash: 0.004, closed: false }])
}

fn flap(job: &Job, half: f32, height: f32, front: bool) -> Part {
    let deep = if front { height * 0.46 } else { height * 0.1 };
    let shape = Outline::at(0.0, -0.004)
        .bend(half * 0.7, -0.004, half + 0.004, 0.0)
        .line(half + 0.006, deep * 0.55)
        .bend(half * 0.95, deep, half * 0.5, deep)
        .line(0.0, deep)
        .symmetric();
    let seam = job.cloths.seam;
    let inset = shape.map(|(x, y)| (x * 0.95, y * 0.95 - 0.003));
    let rim = Mark::Line { shape: shape.clone(), width: 0.008, colour: seam, alpha: 0.55, dash: 0.0, closed: true };
    let stitch = Mark::Line { shape: inset, width: 0.004, colour: seam, alpha: 0.7, dash: 0.011, closed: true };
    let part = Part::new(shape, job.cloths.main).volume(0.4, 0.06).shadow(0.5).marks([rim, stitch]);
    if !front {
        return part;
    }
    part.marks([
        Mark::fill(Outline::block(-0.024, deep - 0.05, 0.048, 0.036, 0.008), BRASS, 1.0),
        Mark::fill(Outline::block(-0.008, deep - 0.042, 0.016, 0.02, 0.004), Rgb::hex(0x6f5a2c), 1.0),
    ])
}

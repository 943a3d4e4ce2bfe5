//! Shoes: always a pair, the far one partly hidden.

use super::{Garment, Job};
use crate::annotation::View;
use crate::colour::Rgb;
use crate::cut::Closure;
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};

const RUBBER: Rgb = Rgb::hex(0xe9e6df);

pub(super) fn cut(job: &Job) -> Garment {
    let one = match job.pose.view {
        View::Back => heel(job),
        View::Front => profile(job, true),
        View::Side => profile(job, false),
    };
    let mut garment = Garment::default();
    let shift = if job.pose.view == View::Back { (0.175, 0.0) } else { (0.075, -0.06) };
    let far = one.iter().map(|part| {
        let mut part = part.moved(|(x, y)| (x + shift.0, y + shift.1));
        if job.pose.view != View::Back {
            part.light *= 0.86;
        }
        part
    });
    garment.trunk.extend(far);
    garment.trunk.extend(one);
    if job.pose.view == View::Side {
        // The inner side, with the toe to the left and nearer to the camera's axis.
        garment.trunk = garment.trunk.iter().map(|part| part.moved(|(x, y)| (-x * 0.72, y))).collect();
    }
    garment
}

fn rim(shape: &Outline, colour: Rgb) -> Mark {
    Mark::Line { shape: shape.clone(), width: 0.008, colour, alpha: 0.55, dash: 0.0, closed: true }
}

fn profile(job: &Job, outside: bool) -> Vec<Part> {
    let cut = &job.item.cut;
    let seam = job.cloths.seam;
    let high = (cut.length - 0.2) * 0.75;
    let thick = 0.045 + cut.flare;
    let top = -0.155 - high;
    let mut parts = Vec::new();
    // The hollow that the foot goes into.
    let hollow =
        Outline::at(-0.235, top).bend(-0.14, top + 0.07, -0.045, top - 0.02).bend(-0.13, top - 0.03, -0.235, top);
    parts.push(Part::new(hollow, job.cloths.main).light(0.4));
    let tongue = Outline::at(-0.07, top + 0.06)
        .line(-0.075, top - 0.045)
        .bend(-0.03, top - 0.06, -0.01, top - 0.02)
        .line(0.06, -0.1)
        .line(0.02, -0.04);
    parts.push(Part::new(tongue, job.cloths.trim).volume(0.5, 0.03));
    let upper = Outline::at(-0.25, 0.0)
        .bend(-0.268, -0.07, -0.243, top + 0.02)
        .bend(-0.24, top - 0.018, -0.215, top - 0.006)
        .bend(-0.14, top + 0.055, -0.062, top - 0.014)
        .bend(0.0, top * 0.62, 0.085, -0.102)
        .bend(0.2, -0.098, 0.25, -0.06)
        .bend(0.282, -0.03, 0.272, 0.0);
    let mut main = Part::new(upper, job.cloths.main).volume(0.7, 0.07).shadow(0.3);
    let cap = Outline::at(0.15, 0.0).bend(0.135, -0.06, 0.165, -0.12).line(0.3, -0.12).line(0.3, 0.02);
    let tab = Outline::at(-0.3, 0.0).line(-0.19, 0.0).bend(-0.185, -0.07, -0.205, top - 0.03).line(-0.3, top - 0.03);
    if job.item.trimmed {
        main = main.mark(Mark::fill(tab.clone(), job.cloths.second.base, 1.0));
    }
    let toe = job.cloths.main.base.times(if job.item.cut.ease > 0.015 { 0.86 } else { 1.0 });
    main = main
        .mark(Mark::fill(cap.clone(), toe, 0.9))
        .mark(Mark::seam(cap.clone(), seam, 0.007))
        .mark(Mark::stitch(cap.map(|(x, y)| (x - 0.009, y)), seam))
        .mark(Mark::seam(tab, seam, 0.007));
    let facing = Outline::at(-0.055, top - 0.03).bend(-0.02, -0.12, 0.055, -0.048).bend(0.1, -0.05, 0.11, -0.11);
    main = main
        .mark(Mark::seam(facing.clone(), seam, 0.007))
        .mark(Mark::stitch(facing.map(|(x, y)| (x - 0.008, y + 0.008)), seam));
    if cut.extra && outside {
        for step in 0..3 {
            let x = -0.1 + step as f32 * 0.046;
            let stripe = Outline::of(&[
                (x, -0.005),
                (x + 0.022, -0.005),
                (x + 0.062, -0.1 - high * 0.3),
                (x + 0.04, -0.105 - high * 0.3),
            ]);
            main = main.mark(Mark::fill(stripe, job.cloths.second.base, 1.0));
        }
    }
    parts.push(main);
    match cut.closure {
        Closure::Strap => {
            for step in 0..2 {
                let share = step as f32 * 0.55 + 0.1;
                let start: Pt = (-0.055 + 0.11 * share, top + 0.01 + (-0.11 - top) * share);
                let strap = Outline::limb(&[
                    ((start.0 + 0.02, start.1 - 0.012), 0.02),
                    ((start.0 - 0.02, start.1 + 0.045), 0.021),
                    ((start.0 - 0.035, start.1 + 0.085), 0.019),
                ]);
                let cloth = if job.item.trimmed { job.cloths.second } else { job.cloths.main };
                let edge = rim(&strap, cloth.base.seam());
                parts.push(Part::new(strap, cloth).volume(0.45, 0.03).shadow(0.5).mark(edge));
            }
        }
        _ => {
            let rows = 4 + (high * 20.0) as usize;
            for row in 0..rows {
                let share = row as f32 / (rows - 1) as f32;
                let (x, y) = (-0.05 + 0.115 * share, top + 0.012 + (-0.095 - top) * share);
                let lace = Outline::limb(&[
                    ((x + 0.022, y - 0.018), 0.0062),
                    ((x + 0.002, y + 0.002), 0.007),
                    ((x - 0.024, y + 0.03), 0.0062),
                ]);
                let colour = if job.cloths.main.base.luma() > 0.75 { Rgb::hex(0xd9d4c9) } else { RUBBER };
                parts.push(Part::flat(lace, colour).volume(0.4, 0.012).shadow(0.5));
            }
        }
    }
    let sole = Outline::at(-0.262, -0.02)
        .bend(0.0, 0.0, 0.14, -0.012)
        .bend(0.25, -0.02, 0.286, -0.03)
        .bend(0.292, 0.012, 0.262, thick * 0.72)
        .bend(0.1, thick, -0.02, thick)
        .line(-0.25, thick)
        .bend(-0.274, thick * 0.6, -0.262, -0.02);
    let line = Outline::at(-0.27, 0.006).bend(0.0, 0.022, 0.29, 0.002);
    let colour = if cut.ease > 0.02 { Rgb::hex(0xb98b5e) } else { RUBBER };
    let tread = Outline::at(-0.27, thick - 0.006).line(0.0, thick - 0.006).bend(0.15, thick - 0.004, 0.28, thick * 0.6);
    parts.push(
        Part::flat(sole, colour)
            .volume(0.5, 0.035)
            .shadow(0.35)
            .mark(Mark::seam(line, Rgb::hex(0x8d887d), 0.006))
            .mark(Mark::seam(tread, Rgb::hex(0x3c3a37), 0.014)),
    );
    parts
}

fn heel(job: &Job) -> Vec<Part> {
    let cut = &job.item.cut;
    let high = (cut.length - 0.2) * 0.75;
    let thick = 0.045 + cut.flare;
    let top = -0.155 - high;
    let seam = job.cloths.seam;
    let hollow = Outline::ellipse(0.0, top + 0.004, 0.052, 0.022);
    let upper = Outline::at(0.0, top + 0.012)
        .bend(0.03, top + 0.012, 0.056, top - 0.008)
        .bend(0.062, top * 0.5, 0.078, -0.02)
        .line(0.08, 0.0)
        .line(0.0, 0.0)
        .symmetric();
    let tab =
        Outline::at(0.0, top - 0.01).line(0.02, top - 0.01).bend(0.022, -0.06, 0.04, 0.0).line(0.0, 0.0).symmetric();
    let sole =
        Outline::at(0.0, -0.018).line(0.082, -0.018).bend(0.09, thick * 0.5, 0.078, thick).line(0.0, thick).symmetric();
    let colour = if cut.ease > 0.02 { Rgb::hex(0xb98b5e) } else { RUBBER };
    let mut main = Part::new(upper, job.cloths.main).volume(0.7, 0.06);
    if job.item.trimmed {
        main = main.mark(Mark::fill(tab.clone(), job.cloths.second.base, 1.0));
    }
    main = main.mark(rim(&tab, seam));
    vec![
        Part::new(hollow, job.cloths.main).light(0.4),
        main,
        Part::flat(sole, colour).volume(0.5, 0.035).mark(Mark::seam(
            Outline::of(&[(-0.1, thick - 0.006), (0.1, thick - 0.006)]),
            Rgb::hex(0x3c3a37),
            0.014,
        )),
    ]
}

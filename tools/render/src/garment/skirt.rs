//! Skirts.

use super::{Garment, Job};
use crate::cut::{Closure, Hem, Pocket};
use crate::outline::Outline;
use crate::part::{Mark, Part};
use crate::pose::WAIST;

pub(super) fn cut(job: &Job) -> Garment {
    let cut = &job.item.cut;
    let seam = job.cloths.seam;
    let front = job.front();
    let (waist, hem) = (0.13 + cut.ease, 0.165 + cut.ease + cut.flare);
    let hip = 0.165 + cut.ease + cut.flare * 0.2;
    let end = WAIST + cut.length;
    let mut garment = Garment::default();
    if cut.hem == Hem::Turned {
        garment.trunk.push(ruffle(job, hem, end));
    }
    let shape = Outline::at(0.0, WAIST + 0.006)
        .bend(waist * 0.7, WAIST + 0.006, waist, WAIST)
        .bend(hip * 0.97, WAIST + 0.06, hip, WAIST + 0.14)
        .line(hem, end - 0.012)
        .bend(hem * 0.5, end + 0.012, 0.0, end + 0.012)
        .symmetric();
    let mut main = Part::new(shape, job.cloths.main).volume(0.55, 0.09);
    // Pleats: a dark groove beside a light ridge.
    let pleats = (cut.flare * 50.0) as i8 + 1;
    for step in -pleats..=pleats {
        let share = (f32::from(step) + 0.35) / (f32::from(pleats) + 0.6);
        for (shift, colour, alpha) in [(0.0, 0x000000, 0.13), (0.012, 0xffffff, 0.09)] {
            let shape = Outline::at(waist * share + shift * 0.4, WAIST + 0.035).bend(
                hip * share + shift,
                WAIST + 0.14,
                hem * share + shift,
                end + 0.01,
            );
            let colour = crate::colour::Rgb::hex(colour);
            main.marks.push(Mark::Line { shape, width: 0.013, colour, alpha, dash: 0.0, closed: false });
        }
    }
    let low = end - 0.016;
    let stitches = Outline::at(-hem, low - 0.01).bend(0.0, low + 0.016, hem, low - 0.01);
    main.marks.push(Mark::stitch(stitches, seam));
    if front {
        match cut.closure {
            Closure::Buttons(count) => {
                main.marks.extend(job.buttoned(&[0.0], count, WAIST + 0.07, end - 0.05, 0.0115));
            }
            Closure::Double(rows) => {
                main.marks.extend(job.buttoned(&[-0.05, 0.05], rows, WAIST + 0.075, WAIST + 0.2, 0.0115));
            }
            _ => {}
        }
    } else {
        main.marks.push(Mark::seam(Outline::of(&[(0.0, WAIST), (0.0, WAIST + 0.2)]), seam, 0.008));
    }
    garment.trunk.push(main);
    if front && cut.pocket == Pocket::Patch {
        garment.trunk.extend(job.patch(0.045, WAIST + 0.09, 0.088, 0.1, false));
        garment.trunk.extend(job.patch(-0.133, WAIST + 0.09, 0.088, 0.1, false));
    }
    let band = Outline::at(0.0, WAIST + 0.003)
        .bend(waist * 0.7, WAIST + 0.003, waist + 0.002, WAIST - 0.005)
        .line(waist + 0.006, WAIST + 0.033)
        .bend(waist * 0.7, WAIST + 0.043, 0.0, WAIST + 0.043)
        .symmetric();
    let rim = Mark::Line { shape: band.clone(), width: 0.007, colour: seam, alpha: 0.5, dash: 0.0, closed: true };
    garment.trunk.push(Part::new(band, job.cloths.trim).volume(0.45, 0.04).shadow(0.35).mark(rim));
    garment
}

/// A wavy strip below a hem.
pub(super) fn ruffle(job: &Job, half: f32, y: f32) -> Part {
    let steps = 24;
    let mut shape = Outline::at(-half, y - 0.025);
    let wide = half * 1.07;
    for step in 0..=steps {
        let share = step as f32 / steps as f32;
        let wave = if step % 2 == 0 { 0.0 } else { 0.012 };
        shape = shape.line(-wide + 2.0 * wide * share, y + 0.05 + wave);
    }
    let mut part = Part::new(shape.line(half, y - 0.025), job.cloths.main).volume(0.4, 0.04);
    for step in 1..steps {
        let share = step as f32 / steps as f32 * 2.0 - 1.0;
        let fold = Outline::of(&[(half * share, y - 0.01), (wide * share, y + 0.06)]);
        part.marks.push(Mark::Line {
            shape: fold,
            width: 0.008,
            colour: job.cloths.seam,
            alpha: 0.25,
            dash: 0.0,
            closed: false,
        });
    }
    part
}

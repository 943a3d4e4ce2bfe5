//! Buttons, zips, pockets, belts and prints.

use super::Job;
use crate::colour::Rgb;
use crate::item::Print;
use crate::lettering;
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};

/// Metal of zips and buckles.
const METAL: Rgb = Rgb::hex(0xb9b6ae);

impl Job<'_> {
    /// A button with a rim and a glint.
    pub(super) fn button(&self, at: Pt, radius: f32) -> [Mark; 3] {
        let base = self.cloths.main.base;
        let colour = if self.item.trimmed {
            self.cloths.second.base
        } else if base.luma() > 0.45 {
            base.times(0.42)
        } else {
            Rgb::hex(0xe4dfd3)
        };
        let disc = |r: f32, dy: f32| Outline::ellipse(at.0, at.1 + dy, r, r);
        [
            Mark::fill(disc(radius * 1.25, radius * 0.35), Rgb::hex(0x000000), 0.3),
            Mark::fill(disc(radius, 0.0), colour, 1.0),
            Mark::fill(disc(radius * 0.55, -radius * 0.15), colour.mix(METAL, 0.4), 0.7),
        ]
    }

    /// One or two rows of buttons between two heights, with the edge of the front.
    pub(super) fn buttoned(&self, columns: &[f32], count: u8, top: f32, bottom: f32, radius: f32) -> Vec<Mark> {
        let seam = self.cloths.seam;
        let edge = columns.iter().fold(0.0f32, |a, b| a.max(b.abs())) + 0.022;
        let mut marks = vec![
            Mark::seam(Outline::of(&[(edge, top - 0.05), (edge, bottom + 0.2)]), seam, 0.006),
            Mark::stitch(Outline::of(&[(edge - 0.008, top - 0.05), (edge - 0.008, bottom + 0.2)]), seam),
        ];
        if columns.len() == 1 {
            marks.push(Mark::stitch(Outline::of(&[(-edge, top - 0.05), (-edge, bottom + 0.2)]), seam));
        }
        for row in 0..count {
            let share = if count > 1 { f32::from(row) / f32::from(count - 1) } else { 0.0 };
            for &x in columns {
                marks.extend(self.button((x, top + (bottom - top) * share), radius));
            }
        }
        marks
    }

    /// A zip down the middle.
    pub(super) fn zip(&self, top: f32, bottom: f32) -> Vec<Mark> {
        let line = |x: f32| Outline::of(&[(x, top), (x, bottom)]);
        let seam = self.cloths.seam;
        vec![
            Mark::Line { shape: line(0.0), width: 0.026, colour: seam, alpha: 0.5, dash: 0.0, closed: false },
            Mark::Line { shape: line(0.0), width: 0.011, colour: METAL, alpha: 1.0, dash: 0.0, closed: false },
            Mark::Line {
                shape: line(0.0),
                width: 0.011,
                colour: Rgb::hex(0x55534e),
                alpha: 0.8,
                dash: 0.004,
                closed: false,
            },
            Mark::stitch(line(0.02), seam),
            Mark::stitch(line(-0.02), seam),
            Mark::fill(Outline::block(-0.008, top + 0.005, 0.016, 0.04, 0.006), METAL, 1.0),
        ]
    }

    /// A sewn-on pocket, with a flap if asked for.
    pub(super) fn patch(&self, x: f32, y: f32, width: f32, height: f32, flap: bool) -> Vec<Part> {
        let seam = self.cloths.seam;
        let point = height * 0.14;
        let shape = Outline::at(x, y)
            .line(x + width, y)
            .line(x + width, y + height - point)
            .line(x + width / 2.0, y + height)
            .line(x, y + height - point);
        let inset = |d: f32| {
            Outline::at(x + d, y)
                .line(x + d, y + height - point - d * 0.6)
                .line(x + width / 2.0, y + height - d)
                .line(x + width - d, y + height - point - d * 0.6)
                .line(x + width - d, y)
        };
        let rim = Mark::Line { shape: shape.clone(), width: 0.007, colour: seam, alpha: 0.6, dash: 0.0, closed: true };
        let mut parts = vec![
            Part::new(shape, self.cloths.main)
                .volume(0.2, 0.03)
                .shadow(0.32)
                .marks([rim, Mark::stitch(inset(0.008), seam)])
                .mark(Mark::stitch(Outline::of(&[(x, y + 0.017), (x + width, y + 0.017)]), seam)),
        ];
        if flap {
            let fold = height * 0.4;
            let shape = Outline::at(x - 0.006, y - 0.012)
                .line(x + width + 0.006, y - 0.012)
                .line(x + width + 0.006, y + fold * 0.7)
                .line(x + width / 2.0, y + fold)
                .line(x - 0.006, y + fold * 0.7);
            let rim =
                Mark::Line { shape: shape.clone(), width: 0.007, colour: seam, alpha: 0.6, dash: 0.0, closed: true };
            parts.push(
                Part::new(shape, self.cloths.main)
                    .volume(0.25, 0.03)
                    .shadow(0.4)
                    .mark(rim)
                    .marks(self.button((x + width / 2.0, y + fold * 0.6), 0.009)),
            );
        }
        parts
    }

    /// A slanted pocket opening between two points.
    pub(super) fn slit(&self, from: Pt, to: Pt) -> [Mark; 3] {
        let seam = self.cloths.seam;
        let shift = 0.011 * (to.0 - from.0).signum();
        [
            Mark::Line {
                shape: Outline::of(&[from, to]),
                width: 0.011,
                colour: Rgb::hex(0x000000),
                alpha: 0.28,
                dash: 0.0,
                closed: false,
            },
            Mark::seam(Outline::of(&[from, to]), seam, 0.006),
            Mark::stitch(Outline::of(&[(from.0 - shift, from.1), (to.0 - shift, to.1)]), seam),
        ]
    }

    /// A belt with a buckle, `half` wide on either side.
    pub(super) fn belt(&self, y: f32, half: f32, buckle: bool) -> Part {
        let shape = Outline::at(0.0, y - 0.019)
            .bend(half * 0.6, y - 0.019, half, y - 0.024)
            .line(half, y + 0.014)
            .bend(half * 0.6, y + 0.019, 0.0, y + 0.019)
            .symmetric();
        let part = Part::new(shape, self.cloths.second).volume(0.4, 0.03).shadow(0.45);
        if !buckle {
            return part;
        }
        let frame = Outline::block(-0.024, y - 0.017, 0.048, 0.034, 0.008);
        part.mark(Mark::Line { shape: frame, width: 0.009, colour: METAL, alpha: 1.0, dash: 0.0, closed: true })
    }

    /// What is printed on the chest.
    pub(super) fn print(&self) -> Option<Mark> {
        let colour = self.cloths.second.base;
        let (contours, alpha) = match self.item.print {
            Print::None => return None,
            Print::Motif(motif, size) => (lettering::centred(motif.glyph, (0.0, 0.245), size * 1.25, size), 0.94),
            Print::Word(word, width) => (lettering::centred(word, (0.0, 0.215), width, 0.085), 0.92),
        };
        Some(Mark::Fill { contours, colour, alpha })
    }

    /// Ribs across a band: short lines from `top` to `bottom`.
    pub(super) fn ribs(&self, half: f32, top: f32, bottom: f32) -> impl Iterator<Item = Mark> {
        let count = (half / 0.0075) as i32;
        let colour = self.cloths.trim.base.seam();
        (-count..=count).map(move |step| {
            let x = step as f32 * 0.0075;
            Mark::Line {
                shape: Outline::of(&[(x, top), (x, bottom)]),
                width: 0.0028,
                colour,
                alpha: 0.38,
                dash: 0.0,
                closed: false,
            }
        })
    }
}

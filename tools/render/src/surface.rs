//! Floors, beds and walls that a garment lies on or hangs from, with things lying about.

use crate::canvas::Canvas;
use crate::colour::Rgb;
use crate::dice::Dice;
use crate::folds::{Fall, Folds};
use crate::outline::{Outline, Pt};
use crate::part::{Mark, Part};
use crate::pattern::{floorf, speckle};

/// Paints something to lie on.
pub(crate) fn lying(canvas: &mut Canvas, dice: &mut Dice) {
    match dice.below(4) {
        0 => planks(canvas, dice),
        1 | 2 => bedding(canvas, dice),
        _ => carpet(canvas, dice),
    }
}

/// Fills every pixel with a colour computed from its position in fractions of the longer side.
fn each(canvas: &mut Canvas, colour: impl Fn(f32, f32, i32, i32) -> Rgb) {
    let width = canvas.pixels.width() as usize;
    let span = canvas.pixels.width().max(canvas.pixels.height()) as f32;
    for (y, row) in canvas.pixels.data_mut().chunks_exact_mut(width * 4).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(4).enumerate() {
            let Rgb(rgb) = colour(x as f32 / span, y as f32 / span, x as i32, y as i32);
            for (slot, value) in pixel.iter_mut().zip(rgb) {
                *slot = (value.clamp(0.0, 1.0) * 255.0) as u8;
            }
            pixel[3] = 255;
        }
    }
}

fn planks(canvas: &mut Canvas, dice: &mut Dice) {
    let wood = dice.pick(&[
        Rgb::hex(0xb08a62),
        Rgb::hex(0x8a6a4c),
        Rgb::hex(0xcdb491),
        Rgb::hex(0x6d5a4b),
        Rgb::hex(0xa8a199),
    ]);
    let broad = dice.range(0.1, 0.17);
    let (c, s) = {
        let a = dice.spread(0.5);
        (libm::cosf(a), libm::sinf(a))
    };
    let salt = (dice.word() & 0xffff) as i32;
    each(canvas, |x, y, px, py| {
        let (u, v) = (x * c + y * s, y * c - x * s);
        let row = floorf(v / broad);
        let run = u / 0.75 + speckle(row as i32, salt) * 3.0;
        let tone = 0.86 + 0.22 * speckle(row as i32 + salt, floorf(run) as i32);
        let across = v / broad - row;
        let gap = if !(0.025..=0.975).contains(&across) || run - floorf(run) < 0.006 { 0.55 } else { 1.0 };
        let vein = speckle((v * 190.0) as i32 + salt, (u * 9.0 + speckle((v * 190.0) as i32, salt) * 3.0) as i32) - 0.5;
        wood.times(tone * gap * (1.0 + 0.12 * vein + 0.03 * (speckle(px, py) - 0.5)))
    });
}

fn bedding(canvas: &mut Canvas, dice: &mut Dice) {
    let base = dice.pick(&[
        Rgb::hex(0xe6e3dd),
        Rgb::hex(0xd5dbe0),
        Rgb::hex(0xdcd0c2),
        Rgb::hex(0xb9c2bd),
        Rgb::hex(0x8d97a6),
        Rgb::hex(0xcdb7b0),
    ]);
    let stripe = dice.chance(0.25);
    let width = canvas.pixels.width();
    let span = width.max(canvas.pixels.height()) as f32;
    let bounds = [0.0, 0.0, width as f32 / span, canvas.pixels.height() as f32 / span];
    let folds = Folds::new(dice, Fall::Bedding, bounds, 0.85);
    each(canvas, |x, y, px, py| {
        let [shade, dx, dy] = folds.at(x, y);
        let band = (x + dx * 2.0 + 0.3 * (y + dy)) * 16.0;
        let tone = if stripe && band - floorf(band) < 0.3 { 0.88 } else { 1.0 };
        base.times(tone * shade * (1.0 + 0.025 * (speckle(px, py) - 0.5)))
    });
}

fn carpet(canvas: &mut Canvas, dice: &mut Dice) {
    let base = dice.pick(&[
        Rgb::hex(0xb9b0a3),
        Rgb::hex(0x7d8288),
        Rgb::hex(0x9b8a7a),
        Rgb::hex(0xc8c3b8),
        Rgb::hex(0x6d7a74),
    ]);
    let second = base.times(dice.pick(&[0.8, 0.9, 1.12]));
    let tiles = dice.chance(0.4);
    each(canvas, |x, y, px, py| {
        let (u, v) = (x * 5.0 + 0.3 * y, y * 5.0 - 0.3 * x);
        if tiles {
            let grout = (u - floorf(u)).min(v - floorf(v)) < 0.025;
            let tone = 0.95 + 0.1 * speckle(floorf(u) as i32, floorf(v) as i32);
            return if grout { base.times(0.7) } else { base.times(tone + 0.02 * speckle(px, py)) };
        }
        let diamond = (floorf(u + v) as i32 + floorf(u - v) as i32) & 1 == 0;
        let yarn = if diamond { base } else { second };
        yarn.times(0.9 + 0.2 * speckle(px / 2, py / 2))
    });
}

/// Paints a wall or a wardrobe door to hang something on.
pub(crate) fn hanging(canvas: &mut Canvas, dice: &mut Dice) {
    let base = dice.pick(&[
        Rgb::hex(0xdedad2),
        Rgb::hex(0xc7cdd0),
        Rgb::hex(0xb7a58f),
        Rgb::hex(0xcfc3b4),
        Rgb::hex(0x9aa59c),
        Rgb::hex(0xa5826a),
    ]);
    let style = dice.below(3);
    let shift = dice.unit();
    each(canvas, |x, y, px, py| {
        let grain = 1.0 + 0.03 * (speckle(px, py) - 0.5);
        let factor = match style {
            // Plaster, boards or bricks.
            0 => 1.0 + 0.03 * (speckle(px / 7, py / 7) - 0.5),
            1 => {
                let board = (x + shift) * 6.0;
                let gap = board - floorf(board);
                if gap < 0.03 { 0.72 } else { 0.97 + 0.05 * speckle(floorf(board) as i32, 3) }
            }
            _ => {
                let row = floorf(y * 15.0);
                let column = x * 6.0 + if (row as i32) & 1 == 0 { 0.5 } else { 0.0 };
                let joint = y * 15.0 - row < 0.1 || column - floorf(column) < 0.045;
                if joint { 1.08 } else { 0.88 + 0.16 * speckle(floorf(column) as i32, row as i32) }
            }
        };
        base.times(factor * grain)
    });
}

/// A hanger under the shoulders of a top, or clips above a waist; in body units.
pub(crate) fn hanger(top: Pt, half: f32, dice: &mut Dice) -> Vec<Part> {
    let wood = dice.pick(&[Rgb::hex(0x9a6d42), Rgb::hex(0x2f2d2c), Rgb::hex(0xe5e1d8), Rgb::hex(0xc49a6c)]);
    let (x, y) = top;
    let arm = |sign: f32| {
        Outline::limb(&[
            ((x, y - 0.012), 0.013),
            ((x + sign * half * 0.5, y + 0.016), 0.014),
            ((x + sign * half, y + 0.05), 0.009),
        ])
    };
    let hook = Outline::limb(&[
        ((x, y - 0.01), 0.0045),
        ((x, y - 0.06), 0.0045),
        ((x + 0.028, y - 0.092), 0.0045),
        ((x + 0.02, y - 0.128), 0.0045),
        ((x - 0.012, y - 0.128), 0.0045),
        ((x - 0.02, y - 0.112), 0.0045),
    ]);
    vec![
        Part::flat(hook, Rgb::hex(0xa9a8a6)).volume(0.4, 0.01).shadow(0.4),
        Part::flat(arm(1.0), wood).volume(0.5, 0.02).shadow(0.4),
        Part::flat(arm(-1.0), wood).volume(0.5, 0.02).shadow(0.4),
    ]
}

/// Things lying about near the border of a photo, in pixels.
pub(crate) fn clutter(width: f32, height: f32, dice: &mut Dice) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut corners = [(0.1, 0.1), (0.9, 0.12), (0.1, 0.9), (0.9, 0.88), (0.04, 0.5), (0.96, 0.5)];
    dice.shuffle(&mut corners);
    let size = width.max(height);
    for (fx, fy) in corners.into_iter().take(dice.below(4)) {
        let at = ((fx + dice.spread(0.04)) * width, (fy + dice.spread(0.04)) * height);
        let turn = dice.range(0.0, 6.3);
        let place = |shape: Outline| shape.turned((0.0, 0.0), turn).map(|(x, y)| (at.0 + x * size, at.1 + y * size));
        match dice.below(4) {
            0 => {
                let body = place(Outline::block(-0.04, -0.08, 0.08, 0.16, 0.012));
                let glass = place(Outline::block(-0.036, -0.074, 0.072, 0.148, 0.008));
                parts.push(Part::flat(body, Rgb::hex(0x2a2b2e)).shadow(0.5).mark(Mark::fill(
                    glass,
                    Rgb::hex(0x11141a),
                    1.0,
                )));
            }
            1 => {
                let disc = |r: f32| Outline::ellipse(at.0, at.1, r * size, r * size);
                let cup = dice.pick(&[Rgb::hex(0xe9e4da), Rgb::hex(0xb5533c), Rgb::hex(0x50708a)]);
                parts.push(Part::flat(disc(0.075), Rgb::hex(0xefece5)).volume(0.4, 0.08).shadow(0.5));
                parts.push(Part::flat(disc(0.048), cup).volume(0.5, 0.05).shadow(0.4));
                parts.push(Part::flat(disc(0.038), Rgb::hex(0x4b3020)).volume(0.3, 0.03).shadow(0.0));
            }
            2 => {
                let cover =
                    dice.pick(&[Rgb::hex(0xb5533c), Rgb::hex(0x2f5d62), Rgb::hex(0xd9a441), Rgb::hex(0x4b5d8a)]);
                let book = place(Outline::block(-0.09, -0.12, 0.18, 0.24, 0.004));
                let title = place(Outline::block(-0.05, -0.08, 0.1, 0.03, 0.0));
                parts.push(Part::flat(book, cover).volume(0.3, 0.04).shadow(0.5).mark(Mark::fill(
                    title,
                    Rgb::hex(0xf0e9da),
                    0.9,
                )));
            }
            _ => {
                for step in 0..7 {
                    let lean = -0.9 + 0.3 * step as f32;
                    let tip = (libm::sinf(lean) * 0.14, -libm::cosf(lean) * 0.14);
                    let leaf =
                        Outline::limb(&[((0.0, 0.06), 0.003), ((tip.0 * 0.6, tip.1 * 0.5), 0.016), (tip, 0.002)]);
                    let green = Rgb::hex(0x5d7f58).times(0.8 + 0.06 * step as f32);
                    parts.push(Part::flat(place(leaf), green).volume(0.4, 0.02).shadow(0.4));
                }
            }
        }
    }
    parts
}
